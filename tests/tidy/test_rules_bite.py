"""Each house rule finds a breach when there is one, and keeps quiet when there is none."""

from __future__ import annotations

import pytest

from tests.tidy.rules import FILE_LINES, FUNCTION_LINES, RULES, Rule
from tests.tidy.source import Source

CORE = "agent_node/core/sample.py"
SHELL = "broker/sample.py"
TEST = "tests/unit/test_sample.py"
BY_NAME = {rule.name: rule for rule in RULES}
LONG_BODY = "def f():\n" + "    g()\n" * FUNCTION_LINES
WORKPLACE = "/" + "work"

BREACHES = [
    ("file-length", SHELL, "x = 1\n" * (FILE_LINES + 1)),
    ("function-length", SHELL, LONG_BODY),
    ("function-length", SHELL, "async " + LONG_BODY),
    ("names", SHELL, "class JobManager: ..."),
    ("names", SHELL, "def f(data1): ..."),
    ("names", SHELL, "self.foo = 1"),
    ("names", SHELL, "import numbers as utils"),
    ("names", "broker/util.py", ""),
    ("bare-except", SHELL, "try: f()\nexcept: pass"),
    ("bare-except", SHELL, "try: f()\nexcept BaseException: pass"),
    ("task-owner", SHELL, "asyncio.create_task(f())"),
    ("task-owner", SHELL, "asyncio.ensure_future(f())"),
    ("task-owner", SHELL, "asyncio.get_running_loop().create_task(f())"),
    ("task-owner", TEST, "from asyncio import create_task\ncreate_task(f())"),
    ("task-name", SHELL, "group.create_task(f())"),
    ("print", SHELL, "print('here')"),
    ("first-sentence", SHELL, "x = 1"),
    ("first-sentence", SHELL, '"""No period"""'),
    ("first-sentence", SHELL, '"""A sentence\nover two lines."""'),
    ("later", SHELL, "# TO" + "DO: think"),
    ("later", "README.md", "FIX" + "ME"),
    ("sleep", TEST, "time.sleep(1)"),
    ("sleep", TEST, "await asyncio.sleep(0.1)"),
    ("sleep", TEST, "time.sleep(0)"),
    ("skip", TEST, "@pytest.mark.skip\ndef test_f(): ..."),
    ("skip", TEST, "@pytest.mark.skip()\ndef test_f(): ..."),
    ("skip", TEST, "@pytest.mark.skipif(True)\ndef test_f(): ..."),
    ("skip", TEST, "def test_f(): pytest.skip()"),
    ("mock", TEST, "from unittest import mock"),
    ("mock", TEST, "from unittest.mock import Mock"),
    ("mock", TEST, "import unittest.mock"),
    ("order", CORE, "for x in {a, b}: ..."),
    ("order", CORE, "y = [x for x in set(xs)]"),
    ("path", "README.md", f"see {WORKPLACE}/main"),
    ("path", SHELL, f"HERE = '{WORKPLACE}/main'"),
    ("silence", SHELL, "x = y  # noqa" + ": S101"),
    ("silence", SHELL, "x = y  # type" + ": ignore[attr-defined]"),
]

KEPT = [
    ("file-length", SHELL, "x = 1\n" * FILE_LINES),
    ("function-length", SHELL, "def f():\n" + "    g()\n" * (FUNCTION_LINES - 1)),
    ("function-length", SHELL, "@g\n" * FUNCTION_LINES + "def f(): ..."),
    ("names", SHELL, "def utilisation(database, foot): ..."),
    ("bare-except", SHELL, "try: f()\nexcept (OSError, ValueError): pass"),
    ("bare-except", SHELL, "try: f()\nexcept BaseException:\n    g()\n    raise"),
    ("task-owner", SHELL, "async with asyncio.TaskGroup() as group: group.create_task(f())"),
    ("task-name", SHELL, "group.create_task(f(), name='f')"),
    ("print", "dashboard_node/__main__.py", "print('here')"),
    ("print", "jobplan/cli.py", "print('here')"),
    ("first-sentence", SHELL, '"""A sentence."""'),
    ("first-sentence", SHELL, '"""A sentence.\n\nAnd more\nof it."""'),
    ("later", SHELL, "# The todos of yesterday"),
    ("sleep", TEST, "await asyncio.sleep(0)"),
    ("sleep", TEST, "await until(lambda: done)"),
    ("skip", TEST, "@pytest.mark.skipif(True, reason='no broker')\ndef test_f(): ..."),
    ("skip", TEST, "def test_f(): pytest.skip('no broker')"),
    ("skip", TEST, "request.skip(job)"),
    ("order", CORE, "for x in sorted({a, b}): ..."),
    ("path", "README.md", f"a path such as net{WORKPLACE}/main or ./root/x, and /usr/sbin"),
    ("silence", SHELL, "x = y  # noqa" + ": S101 - proven above"),
]


def _complaints(rule: Rule, path: str, text: str) -> list[tuple[int, str]]:
    source = Source(path, text)
    return list(rule.find(source)) if rule.concerns(source) else []


@pytest.mark.parametrize(("name", "path", "text"), BREACHES)
def test_a_breach_is_found(name: str, path: str, text: str) -> None:
    """The rule complains about the sample."""
    assert _complaints(BY_NAME[name], path, text)


@pytest.mark.parametrize(("name", "path", "text"), KEPT)
def test_what_is_in_order_is_left_alone(name: str, path: str, text: str) -> None:
    """The rule has nothing to say about the sample."""
    assert not _complaints(BY_NAME[name], path, text)


def test_every_rule_is_seen_to_bite() -> None:
    """No rule is without a sample that breaks it."""
    assert {name for name, _, _ in BREACHES} == set(BY_NAME)
