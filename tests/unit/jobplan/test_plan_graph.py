"""A plan as a picture: every job and dependency once, in DOT and in SVG."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
from click.testing import CliRunner

from dashboard_node.core.graph import PlanGraph, compile_plan
from jobplan.cli import main
from jobplan.plan_graph import Edge, dot, edges, ranks, svg
from schemas.plan import PlanSource
from tests.e2e.nodes import a_command, write_plan

SVG = "{http://www.w3.org/2000/svg}"


def a_graph(**groupings: object) -> PlanGraph:
    """Commands a to d of one context; groupings by job, over one-letter names."""
    names = ["a", "b", "c", "d"]
    plan = {
        "name": 'P <"1">',
        "scheduledJobs": [{"agentName": "n", "jobName": name} for name in names],
        "jobDependencies": [{"jobIdentifier": f"n-{name}", "logicalGrouping": how} for name, how in groupings.items()],
    }
    jobs = [{"type": "internalEventDrivenJob", "agentName": "n", "jobName": name, "commandLine": "x"} for name in names]
    return compile_plan(msgspec.convert({"plan": plan, "jobs": jobs}, PlanSource))


def one(name: str) -> dict[str, str]:
    """An operator."""
    return {"identifier": f"n-{name}"}


GRAPH = a_graph(b={"and": [one("a")]}, c={"or": [one("a"), one("b")]}, d={"and": [one("b")], "not": [one("c")]})


def test_every_dependency_is_an_edge_of_its_kind() -> None:
    """All of, any of, none of."""
    assert edges(GRAPH) == [
        Edge(0, 1, "all"),
        Edge(0, 2, "any"),
        Edge(1, 2, "any"),
        Edge(1, 3, "all"),
        Edge(2, 3, "none"),
    ]


def test_nested_groupings_count_too() -> None:
    """However deep."""
    nested = a_graph(d={"logicalGrouping": {"or": [{"logicalGrouping": {"and": [one("a")]}}, one("b")]}})

    assert edges(nested) == [Edge(0, 3, "all"), Edge(1, 3, "any")]


def test_job_stands_right_of_all_it_waits_for() -> None:
    """By the longest way to it."""
    assert ranks(GRAPH) == [0, 1, 2, 3]


def test_dot_names_jobs_contexts_and_kinds_of_edges() -> None:
    """Names are quoted, whatever they hold."""
    text = dot(GRAPH)

    assert text.startswith('digraph "P <\\"1\\">" {\n')
    assert "  j0 -> j2 [style=dashed];\n" in text
    assert "  j2 -> j3 [style=dotted];\n" in text
    assert text.count("shape=box") == 4
    assert text.count("{") == text.count("}")


def test_svg_is_well_formed_and_shows_every_job_and_edge() -> None:
    """Nothing stands outside the picture, and no two jobs on one place."""
    root = ET.fromstring(svg(GRAPH))  # noqa: S314  # our own
    groups = root.findall(f"{SVG}g")
    boxes = [group.find(f"{SVG}rect") for group in groups]
    places = {(box.get("x"), box.get("y")) for box in boxes if box is not None}
    _, _, width, height = map(int, root.attrib["viewBox"].split())

    assert root.findtext(f"{SVG}title") == 'P <"1">'
    assert len(places) == 4
    assert len(root.findall(f"{SVG}path")) == 2 * len(edges(GRAPH))
    assert all(int(x or 0) + 170 <= width and int(y or 0) + 30 <= height for x, y in places)


def test_command_draws_a_bundle_to_a_file_or_to_standard_output(tmp_path: Path) -> None:
    """Without a broker; the file's ending says how."""
    bundle = write_plan(tmp_path / "Daily", [a_command("a", "x"), a_command("b", "x")], {"a": [], "b": ["a"]})
    file = tmp_path / "daily.svg"

    written = CliRunner().invoke(main, ["plan", "graph", str(bundle), "-o", str(file)])
    printed = CliRunner().invoke(main, ["plan", "graph", str(bundle)])

    assert (written.exit_code, written.output) == (0, f"wrote {file}\n")
    assert file.read_text("utf-8").startswith("<svg ")
    assert 'label="Daily"' in printed.output
