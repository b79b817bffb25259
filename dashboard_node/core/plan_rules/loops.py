"""Loops in a directed graph, found in time that grows with its size. It knows nothing of jobs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

N = TypeVar("N")


def loops(edges: Mapping[N, Sequence[N]]) -> list[list[N]]:
    """The strongly connected parts that hold a loop, each as its nodes in the order of ``edges`` (Tarjan, without recursion)."""
    order = {node: number for number, node in enumerate(edges)}
    index: dict[N, int] = {}
    low: dict[N, int] = {}
    stack: list[N] = []
    on_stack: set[N] = set()
    found: list[list[N]] = []
    for root in edges:
        if root in index:
            continue
        work: list[tuple[N, int]] = [(root, 0)]
        while work:
            node, at = work.pop()
            if at == 0:
                index[node] = low[node] = len(index)
                stack.append(node)
                on_stack.add(node)
            following = edges.get(node, ())
            while at < len(following) and following[at] in index:
                if following[at] in on_stack:
                    low[node] = min(low[node], index[following[at]])
                at += 1
            if at < len(following):
                work.append((node, at))
                work.append((following[at], 0))
                continue
            if low[node] == index[node]:
                found.append(_popped(stack, on_stack, node))
            if work:
                parent, step = work[-1]
                low[parent] = min(low[parent], low[node])
                work[-1] = (parent, step + 1)
    looping = [part for part in found if len(part) > 1 or part[0] in edges.get(part[0], ())]
    return sorted((sorted(part, key=lambda n: order[n]) for part in looping), key=lambda part: order[part[0]])


def _popped(stack: list[N], on_stack: set[N], upto: N) -> list[N]:
    part: list[N] = []
    while True:
        node = stack.pop()
        on_stack.discard(node)
        part.append(node)
        if node == upto:
            return part


def round_trip(start: N, part: Iterable[N], edges: Mapping[N, Sequence[N]]) -> list[N]:
    """A shortest way from ``start`` back to itself within a part; start comes first and last."""
    inside = set(part)
    came: dict[N, N] = {}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for following in edges.get(node, ()):
            if following == start:
                way = [start, node]
                while way[-1] != start:
                    way.append(came[way[-1]])
                return way[::-1] if node != start else [start, start]
            if following in inside and following not in came:
                came[following] = node
                waiting.append(following)
    return [start, start]
