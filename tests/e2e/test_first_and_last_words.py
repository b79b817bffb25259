"""What nodes say when they begin and when they are asked to end: an operator reads in the log that it was no crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.nodes import an_installation

pytestmark = pytest.mark.timeout(120)


def test_every_node_says_where_it_is_and_that_it_ended(tmp_path: Path) -> None:
    """One line each; exit code 0."""
    with an_installation(tmp_path) as nodes:
        nodes.start("north")
        codes = {name: nodes.nodes[name].stop() for name in ("north", "dashboard", "broker")}
        said = {name: node.log.read_text() for name, node in nodes.nodes.items()}

    assert set(codes.values()) == {0}
    assert f"broker answers at {nodes.url}" in said["broker"]
    assert "broker ended" in said["broker"]
    assert "dashboard starts: data in" in said["dashboard"]
    assert "dashboard ended" in said["dashboard"]
    assert "agent north starts: data in" in said["north"]
    assert "agent north ended" in said["north"]
