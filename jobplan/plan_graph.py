"""A plan as a picture: its jobs, contexts and dependencies as Graphviz DOT or as SVG, laid out here. Pure.

A context is a box; in it, a job stands one column right of the last job that it waits for. Solid: all of these have to be
done; dashed: any of these; dotted: none of these.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Final

from msgspec import Struct

from dashboard_node.core.graph import ContextNode, PlanGraph
from dashboard_node.core.rules import UNKNOWN, Rule
from schemas.status import JobKind

_WIDTH: Final = 170
_HEIGHT: Final = 30
_ACROSS: Final = 60
_DOWN: Final = 14
_EDGE: Final = 16
_TITLE: Final = 24
_LETTERS: Final = 24
"""So many of a name fit into its box."""
_DASHES: Final = {"all": "", "any": "6 3", "none": "2 3"}
_LINES: Final = {"all": "solid", "any": "dashed", "none": "dotted"}
_SHAPES: Final = {JobKind.COMMAND: "box", JobKind.CLOCK: "ellipse", JobKind.FILE: "note"}
_COLOURS: Final = {JobKind.COMMAND: "#dbe7f6", JobKind.CLOCK: "#fdf0cf", JobKind.FILE: "#e2f2dc"}
_FONT: Final = 'font-family="sans-serif" font-size="12"'
_OTHER: Final = "#eee6f3"


class Edge(Struct, frozen=True, order=True):
    """What ``after`` has to do with ``before``: it needs ``all`` of these, ``any`` of them, or ``none``."""

    before: int
    after: int
    kind: str


def edges(graph: PlanGraph) -> list[Edge]:
    """Every dependency between jobs, once."""
    found = {edge for copy in graph.copies if copy.rule is not None for edge in _of_rule(copy.rule, copy.index)}
    return sorted(found)


def _of_rule(rule: Rule, after: int) -> Iterator[Edge]:
    for kind, terms in (("all", rule.all), ("any", rule.any), ("none", rule.none)):
        for term in terms:
            if isinstance(term, Rule):
                yield from _of_rule(term, after)
            elif term != UNKNOWN:
                yield Edge(term, after, kind)
    if rule.inner is not None:
        yield from _of_rule(rule.inner, after)


def dot(graph: PlanGraph) -> str:
    """The text of a DOT file, for Graphviz and whatever else reads it."""
    lines = [f"digraph {json.dumps(graph.plan.name)} {{", "  rankdir=LR; compound=true; node [style=filled];"]
    lines += _cluster(graph, graph.contexts[0], "  ")
    lines += [f"  j{edge.before} -> j{edge.after} [style={_LINES[edge.kind]}];" for edge in edges(graph)]
    for waiting in graph.contexts:
        lines += [f"  // {line}" for line in [_gate(graph, waiting)] if line]
    return "\n".join([*lines, "}", ""])


def _cluster(graph: PlanGraph, node: ContextNode, indent: str) -> list[str]:
    inner = indent + "  "
    lines = [f"{indent}subgraph cluster_{node.index} {{", f"{inner}label={json.dumps(node.name, ensure_ascii=False)};"]
    for index in node.copies:
        copy = graph.copies[index]
        shape, colour = _SHAPES.get(copy.kind, "hexagon"), _COLOURS.get(copy.kind, _OTHER)
        label = json.dumps(copy.name, ensure_ascii=False)
        lines.append(f'{inner}j{index} [label={label}, shape={shape}, fillcolor="{colour}"];')
    for child in node.children:
        lines += _cluster(graph, graph.contexts[child], inner)
    return [*lines, f"{indent}}}"]


def _gate(graph: PlanGraph, node: ContextNode) -> str:
    """Which contexts have to be complete before this one begins, in words."""
    if node.gate is None:
        return ""
    names = (graph.contexts[edge.before].name for edge in sorted(set(_of_rule(node.gate, node.index))))
    return f"{node.name} waits for {', '.join(names)}"


def svg(graph: PlanGraph) -> str:
    """An SVG document, one band a context, that needs nothing else to be shown."""
    places, bands, width, height = _layout(graph)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {_FONT}>',
        f"<title>{escape(graph.plan.name)}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    for node, top, tall in bands:
        title = escape(" / ".join(part.name for part in reversed(list(graph.ancestry(node.index)))))
        gate = escape(_gate(graph, node))
        parts.append(
            f'<rect x="4" y="{top}" width="{width - 8}" height="{tall}" rx="6" fill="#fafafa" stroke="#c8c8c8"/>'
            f'<text x="14" y="{top + 16}" font-weight="bold">{title}</text>'
            + (f'<text x="{width - 14}" y="{top + 16}" text-anchor="end" fill="#666">{gate}</text>' if gate else "")
        )
    parts += [_curve(places, edge) for edge in edges(graph)]
    for index, (x, y) in places.items():
        copy = graph.copies[index]
        name = copy.name if len(copy.name) <= _LETTERS else f"{copy.name[: _LETTERS - 1]}…"
        parts.append(
            f"<g><title>{escape(f'{copy.id} ({copy.kind.value})')}</title>"
            f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="4" stroke="#555"'
            f' fill="{_COLOURS.get(copy.kind, _OTHER)}"/>'
            f'<text x="{x + _WIDTH // 2}" y="{y + 19}" text-anchor="middle">{escape(name)}</text></g>'
        )
    return "\n".join([*parts, "</svg>", ""])


def _curve(places: dict[int, tuple[int, int]], edge: Edge) -> str:
    (x1, y1), (x2, y2) = places[edge.before], places[edge.after]
    begin, end, middle = x1 + _WIDTH, x2, (x1 + _WIDTH + x2) // 2
    top, bottom = y1 + _HEIGHT // 2, y2 + _HEIGHT // 2
    dashes = f' stroke-dasharray="{_DASHES[edge.kind]}"' if _DASHES[edge.kind] else ""
    colour = "#b03030" if edge.kind == "none" else "#555"
    path = f"M{begin},{top} C{middle},{top} {middle},{bottom} {end - 5},{bottom}"
    head = f"M{end},{bottom} l-7,-3.5 v7 z"
    return f'<path d="{path}" fill="none" stroke="{colour}"{dashes}/><path d="{head}" fill="{colour}"/>'


def _layout(
    graph: PlanGraph,
) -> tuple[dict[int, tuple[int, int]], list[tuple[ContextNode, int, int]], int, int]:
    """Where each job stands, each context's top and height, and how large the picture is."""
    places: dict[int, tuple[int, int]] = {}
    bands: list[tuple[ContextNode, int, int]] = []
    columns = ranks(graph)
    top, right = 4, 400
    for node in graph.contexts:
        if not node.copies:
            continue
        filled: dict[int, int] = {}
        for index in node.copies:
            column = columns[index]
            row = filled[column] = filled.get(column, -1) + 1
            x = _EDGE + column * (_WIDTH + _ACROSS)
            places[index] = (x, top + _TITLE + row * (_HEIGHT + _DOWN))
            right = max(right, x + _WIDTH + _EDGE)
        tall = _TITLE + (max(filled.values()) + 1) * (_HEIGHT + _DOWN)
        bands.append((node, top, tall))
        top += tall + _DOWN
    return places, bands, right, top


def ranks(graph: PlanGraph) -> list[int]:
    """For each job: how many jobs stand one behind the other before it, at most. Plans have no cycles."""
    before: list[list[int]] = [[] for _ in graph.copies]
    after: list[list[int]] = [[] for _ in graph.copies]
    for edge in edges(graph):
        before[edge.after].append(edge.before)
        after[edge.before].append(edge.after)
    missing = [len(found) for found in before]
    found = [0] * len(before)
    ready = [index for index, count in enumerate(missing) if not count]
    while ready:
        index = ready.pop()
        for following in after[index]:
            found[following] = max(found[following], found[index] + 1)
            missing[following] -= 1
            if not missing[following]:
                ready.append(following)
    return found
