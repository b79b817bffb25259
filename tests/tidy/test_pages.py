"""Pages tell what the code does: the parts made from it are up to date, and every word on the wire is in the glossary."""

from __future__ import annotations

import re
from enum import StrEnum

import pytest

from schemas.blockers import BlockerKind
from schemas.status import ContextStatus, FireOutcome, JobKind, JobStatus, NodeState, Outcome, RunPhase
from scripts.pages import PARTS, ROOT, WHOLE, page


@pytest.mark.parametrize("name", sorted({*PARTS, *WHOLE}))
def test_page_is_what_the_code_says(name: str) -> None:
    """``make pages`` would change nothing."""
    assert page(name) == (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words", [JobStatus, ContextStatus, RunPhase, Outcome, FireOutcome, NodeState, JobKind, BlockerKind]
)
def test_glossary_has_every_word_of_an_enumeration(words: type[StrEnum]) -> None:
    """What a topic can say, the glossary explains."""
    known = set(re.findall(r"[A-Za-z_]+", (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")))

    assert {str(word) for word in words} <= known


def test_architecture_names_every_package_and_core_file() -> None:
    """A newcomer finds each rule from the page."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    files = {file.name for file in (ROOT / "dashboard_node" / "core").glob("*.py")} - {"__init__.py"}

    assert [name for name in sorted(files) if f"`{name}`" not in text] == []
