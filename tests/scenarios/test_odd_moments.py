"""What people and agents do at odd moments: ``odd_moments.stories``, each written from the rules before it was played."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schemas.status import JobKind
from tests.scenarios.telling import Telling
from tests.scenarios.test_stories import Story

STORIES = {
    block.splitlines()[0].removeprefix("# "): block.splitlines()[1:]
    for block in Path(__file__).with_name("odd_moments.stories").read_text(encoding="utf-8").strip().split("\n\n")
}
"""By name: the plan as in the other stories, then, indented, what happens and what follows."""
_ENDS = re.compile(r"(?:OK|KO)\((\w+)\)(?:@(\w+))?")


@pytest.mark.parametrize("name", STORIES)
def test_odd_moment(name: str) -> None:
    """As the rules say."""
    head = [line for line in STORIES[name] if not line.startswith(" ")]
    told = Telling(Story(head).source)

    for line in STORIES[name][len(head) :]:
        if "refused" not in line:
            _submit_what_ends(told, line.strip())
        told.tell(line)


def _submit_what_ends(told: Telling, line: str) -> None:
    """A command of whose end is told and that nobody has started was submitted before, without a word in the story."""
    match = _ENDS.match(line)
    if match is None:
        return
    world, (job, context) = told.play.world, match.groups()
    graph = world.machine.graph
    copies = [c for c in graph.copies if c.name == job and context in {None, graph.context_of(c.index).name}]
    if copies and copies[0].kind is JobKind.COMMAND and world.run_of(copies) is None:
        told.do(match[0].replace(match[0][:2], "submit", 1))


def test_there_are_odd_moments() -> None:
    """Nobody has moved them away."""
    assert len(STORIES) >= 68
