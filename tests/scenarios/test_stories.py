"""Stories in plain text: what happens above each line of dashes, what the plan shows of it below.

``make scenarios-rewrite`` writes what is shown now into the files; look at the difference before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct, field

from jobplan.simulate.script import Outcome
from schemas.plan import PlanSource
from tests.scenarios.notation import plan
from tests.scenarios.telling import Telling

STORIES = sorted(Path(__file__).parent.glob("*.txt"))
DASHES = "----"


class Story(Struct):
    """A story as written: its head, and what happens in it with what is shown of it."""

    head: list[str] = field(default_factory=list)
    parts: list[tuple[str, list[str]]] = field(default_factory=list)

    @property
    def source(self) -> PlanSource:
        """The plan that the head describes: ``plan``, ``locks``, ``with`` (its fields) ``job`` and ``context`` (its fields)."""
        words = [line.partition(" ")[::2] for line in self.head if line and not line.startswith("#")]
        text = " ".join(rest for word, rest in words if word == "plan")
        locks = " ".join(rest for word, rest in words if word == "locks")
        body: dict[str, Any] = msgspec.to_builtins(plan(text, locks=locks))
        for word, rest in words:
            if word == "with":
                body["plan"] |= msgspec.json.decode(rest)
            elif word == "job":
                name, _, more = rest.partition(" ")
                next(job for job in body["jobs"] if job["jobName"] == name).update(msgspec.json.decode(more))
            elif word == "context":
                name, _, more = rest.partition(" ")
                next(one for one in body["plan"]["contexts"] if one["name"] == name).update(msgspec.json.decode(more))
        return msgspec.convert(body, PlanSource)


def read(text: str) -> Story:
    """A story out of its file."""
    story = Story()
    blocks = text.strip().split("\n\n")
    story.head = blocks[0].splitlines()
    for block in blocks[1:]:
        happens, _, shown = block.partition(f"\n{DASHES}")
        story.parts.append((happens, shown.strip().splitlines()))
    return story


def written(story: Story) -> str:
    """The file of a story."""
    blocks = ["\n".join(story.head)]
    blocks += ["\n".join([happens, DASHES, *shown]) for happens, shown in story.parts]
    return "\n\n".join(blocks) + "\n"


def facts(outcome: Outcome) -> list[str]:
    """What is to be seen of one thing that happened."""
    found = [f"refused: {outcome.refused}"] if outcome.refused else []
    found += [f"{context}/{job} starts" for context, job in outcome.initiated]
    found += [
        f"{context if job is None else f'{context}/{job}'}: {before} -> {after}"
        for context, job, before, after in outcome.changed
    ]
    return found or ["nothing"]


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_story(path: Path) -> None:
    """What is told is what happens."""
    story = read(path.read_text(encoding="utf-8"))
    telling = Telling(story.source)
    shown = [
        (happens, [fact for line in happens.splitlines() for fact in facts(telling.do(line))])
        for happens, _ in story.parts
    ]
    if os.environ.get("SCENARIOS_REWRITE"):
        path.write_text(written(Story(story.head, shown)), encoding="utf-8")

    assert written(Story(story.head, shown)) == path.read_text(encoding="utf-8")


def test_there_are_stories() -> None:
    """Nobody has moved them away."""
    assert len(STORIES) >= 8
