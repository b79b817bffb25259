"""docs/operators.md names only commands and tests that exist, and every command is in it or is of another kind."""

from __future__ import annotations

import re
from pathlib import Path

import click

from jobplan.cli import main

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/operators.md").read_text(encoding="utf-8")
TABLES = [line for line in TEXT.splitlines() if line.startswith("| ") and "---" not in line]
PAGE = (ROOT / "web/src/words.ts").read_text(encoding="utf-8")
KINDS = {"job", "instance", "plan"}
"""What the page's menus and buttons are about."""
NOT_OF_AN_OPERATOR = {"broker", "calendar", "completion", "demo", "serve", "simulate"}
"""Nouns for which Ikasan's dashboard has nothing."""


def _command(words: str) -> click.Command | None:
    command: click.Command | None = main
    with click.Context(main) as ctx:
        for word in words.split()[1:]:
            command = command.get_command(ctx, word) if isinstance(command, click.Group) else None
    return command


def _verbs() -> set[str]:
    """The commands of every noun that an operator has."""
    found: set[str] = set()
    with click.Context(main) as ctx:
        for noun in sorted(set(main.list_commands(ctx)) - NOT_OF_AN_OPERATOR):
            command = _command(f"jobplan {noun}")
            verbs = command.list_commands(ctx) if isinstance(command, click.Group) else []
            found.update(f"jobplan {noun} {verb}" for verb in verbs)
    return found


def test_every_row_names_a_test_and_all_of_them_exist() -> None:
    """What nobody plays is a hope."""
    tests = "\n".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "tests").rglob("test_*.py")))
    there = set(re.findall(r"def (test_\w+)\(", tests))
    rows = [line for line in TABLES if not line.endswith("| test |")]

    assert [line for line in rows if not re.findall(r"`(test_\w+)`", line)] == []
    assert sorted(set(re.findall(r"`(test_\w+)`", TEXT)) - there) == []
    assert len(rows) > 60


def test_every_command_named_exists() -> None:
    """As it is written there."""
    named = set(re.findall(r"`(jobplan [a-z -]+)`", TEXT))

    assert sorted(words for words in named if _command(words) is None) == []
    assert len(named) > 40


def test_what_an_operator_does_to_jobs_instances_and_agents_is_all_in_it() -> None:
    """A new command is told of."""
    named = set(re.findall(r"`(jobplan [a-z -]+)`", TEXT))
    acting = {words for words in _verbs() if words.split()[1] in {"job", "instance", "agent", "user", "lock", "event"}}

    assert sorted(acting - named - {"jobplan job history"}) == []


def test_every_word_of_the_page_that_is_named_is_on_it() -> None:
    """In the column `page`: views, and what can be chosen there."""
    columns = [[cell.strip() for cell in line.split("|")[1:-1]] for line in TABLES]
    named = {word for cells in columns if len(cells) == 4 and cells[2] != "page" for word in cells[2].split(", ")}

    assert sorted(word for word in named - KINDS - {""} if f'"{word}"' not in PAGE) == []
    assert len(named) > 20
