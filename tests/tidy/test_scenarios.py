"""Every numbered scenario of the domain has its test, and the test says its number."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
LAST = 226
_IN_A_NAME = re.compile(r"def test_\w*?scenario_(\d+)")
_IN_A_SENTENCE = re.compile(r"Scenarios? (\d+(?:(?:, | and )\d+)*)(?! to)\b")


def test_every_scenario_has_a_test_that_names_it() -> None:
    """Logic, contexts, actions, locks, events, parameters, lifecycle, agent, notifications, bundles: none left out."""
    named: set[int] = set()
    for file in sorted(TESTS.rglob("test_*.py")):
        text = file.read_text(encoding="utf-8")
        named |= {int(number) for number in _IN_A_NAME.findall(text)}
        named |= {int(number) for found in _IN_A_SENTENCE.findall(text) for number in re.findall(r"\d+", found)}

    assert sorted(set(range(1, LAST + 1)) - named) == []
