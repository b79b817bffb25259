"""The house rules, each a function from a file to what is wrong with it.

Only what no linter of ours can say: formatting, types, imports and clock calls are theirs. Knows nothing of exceptions.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.tidy.source import Source

FILE_LINES = 400
FUNCTION_LINES = 60
WAITING = "tests/support/waiting.py"
"""The one place of the tests that knows how to wait."""

Complaints = Iterator[tuple[int, str]]
"""Line and what is wrong there."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_VAGUE = {
    "baz",
    "cfg",
    "foo",
    "helper",
    "helpers",
    "manager",
    "mgr",
    "misc",
    "qux",
    "stuff",
    "util",
    "utility",
    "utils",
}
_NUMBERED = re.compile(r"(data|item|obj|object|res|result|temp|thing|tmp|val|value|var)\d+")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LATER = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
_SOMEBODYS_DISK = re.compile(r"(?<![\w.*<}-])/(?:work|root|Users|private)/\w")
_SILENCED = re.compile(r"#\s*(?:noqa|type:\s*ignore)(?::[ A-Z0-9,]+|\[[\w, -]+\])?(?P<reason>.*)")


@dataclass(frozen=True)
class Rule:
    """A rule: its name, its sentence, whom it concerns, and how a breach is found."""

    name: str
    sentence: str
    concerns: Callable[[Source], bool]
    find: Callable[[Source], Complaints]


def _is_python(source: Source) -> bool:
    return source.is_python


def _is_python_test(source: Source) -> bool:
    return source.is_python and source.is_test


def _is_python_product(source: Source) -> bool:
    return source.is_python and source.is_product


def _is_python_core(source: Source) -> bool:
    return source.is_python and source.is_core


def _is_written_by_people(source: Source) -> bool:
    return not source.path.endswith(".lock")


def _calls(source: Source) -> Iterator[tuple[ast.Call, str]]:
    """Every call, with what is called as it is written."""
    for node in source.nodes:
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def long_files(source: Source) -> Complaints:
    """Find the file that is too long."""
    lines = source.text.count("\n")
    if lines > FILE_LINES:
        yield lines, f"{lines} lines; {FILE_LINES} is the limit"


def long_functions(source: Source) -> Complaints:
    """Find functions that are too long, docstring included; decorators are a table, and not counted."""
    for node in source.nodes:
        if isinstance(node, _FUNCTIONS):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {lines} lines; {FUNCTION_LINES} is the limit"


def vague_names(source: Source) -> Complaints:
    """Find names that would fit anything, of files and of what is defined in them."""
    for line, name in [(1, part) for part in source.path.removesuffix(".py").split("/")] + list(_defined(source)):
        words = [word.lower() for word in _WORD.findall(name)]
        if _VAGUE.intersection(words) or _NUMBERED.fullmatch(name):
            yield line, f"{name}: what is it? (no managers, no helpers, no numbers for names)"


def _defined(source: Source) -> Iterator[tuple[int, str]]:
    for node in source.nodes:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.alias(asname=str(name)):
                yield node.lineno, name
            case _:
                pass


def bare_excepts(source: Source) -> Complaints:
    """Find handlers that swallow everything, even the cancelling of a task. Who raises it again may see all of it."""
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler):
            catches_all = node.type is not None and ast.unparse(node.type) == "BaseException"
            if node.type is None or (catches_all and not isinstance(node.body[-1], ast.Raise)):
                yield node.lineno, "say which exceptions"


def loose_tasks(source: Source) -> Complaints:
    """Find tasks that no TaskGroup owns."""
    for call, called in _calls(source):
        owner, _, method = called.rpartition(".")
        if method == "ensure_future" or (
            method == "create_task" and (owner in {"", "asyncio"} or owner.removesuffix("()").endswith("loop"))
        ):
            yield call.lineno, f"{called}: let a TaskGroup own the task"


def nameless_tasks(source: Source) -> Complaints:
    """Find tasks without a name: a log line or a leak report could not say which it was."""
    for call, called in _calls(source):
        if called.endswith(".create_task") and not any(keyword.arg == "name" for keyword in call.keywords):
            yield call.lineno, f"{called}(..., name=...)"


def stray_prints(source: Source) -> Complaints:
    """Find prints where nobody asked for words on the terminal."""
    if source.path.startswith("jobplan/") or source.path.endswith("/__main__.py"):
        return
    for call, called in _calls(source):
        if called == "print":
            yield call.lineno, "print belongs in __main__ and in jobplan/"


def missing_first_sentences(source: Source) -> Complaints:
    """Find modules whose docstring does not begin with a sentence on a line of its own."""
    lines = (ast.get_docstring(source.tree) or "").split("\n")
    if not lines[0]:
        yield 1, "no docstring: which one thing does this file own?"
    elif not lines[0].endswith(".") or (len(lines) > 1 and lines[1]):
        yield 1, "the docstring's first line is one sentence, with its period, and an empty line follows"


def put_off(source: Source) -> Complaints:
    """Find what was left for later in the text: it belongs into an issue."""
    for number, line in enumerate(source.text.split("\n"), 1):
        if _LATER.search(line):
            yield number, "do it, or open an issue"


def sleeps(source: Source) -> Complaints:
    """Find sleeping tests. ``asyncio.sleep(0)`` only lets others go first."""
    if source.path == WAITING:
        return
    for call, called in _calls(source):
        no_time = [ast.unparse(argument) for argument in call.args] == ["0"]
        if called in {"sleep", "time.sleep", "asyncio.sleep"} and not (called == "asyncio.sleep" and no_time):
            yield call.lineno, f"{called}: wait for something ({WAITING}), or move virtual time"


def unexplained_skips(source: Source) -> Complaints:
    """Find tests that are skipped, or expected to fail, without a word why."""
    for node in source.nodes:
        if not isinstance(node, ast.Attribute) or node.attr not in {"skip", "skipif", "xfail"}:
            continue
        written = ast.unparse(node)
        if not written.startswith(("pytest.", "mark.")):
            continue
        call = next((call for call, _ in _calls(source) if call.func is node), None)
        positional = bool(call and call.args) and node.attr != "skipif"
        if call is None or not (positional or any(keyword.arg == "reason" for keyword in call.keywords)):
            yield node.lineno, f"{written} needs a reason"


def mocks(source: Source) -> Complaints:
    """Find mocks: a fake that we own and verify tells the truth, a mock says what it is told."""
    for node in source.nodes:
        match node:
            case ast.ImportFrom(module="unittest", names=names) if any(alias.name == "mock" for alias in names):
                yield node.lineno, "no mocks"
            case ast.ImportFrom(module="unittest.mock"):
                yield node.lineno, "no mocks"
            case ast.Import(names=names) if any(alias.name == "unittest.mock" for alias in names):
                yield node.lineno, "no mocks"
            case _:
                pass


def unordered(source: Source) -> Complaints:
    """Find iterations over sets, as far as the text shows: their order differs from run to run."""
    for node in source.nodes:
        if isinstance(node, ast.For | ast.comprehension):
            over = node.iter
            is_call = isinstance(over, ast.Call) and ast.unparse(over.func) in {"set", "frozenset"}
            if is_call or isinstance(over, ast.Set | ast.SetComp):
                yield over.lineno, "sort before you iterate over a set"


def somebodys_paths(source: Source) -> Complaints:
    """Find paths that exist on one person's machine only."""
    for number, line in enumerate(source.text.split("\n"), 1):
        if found := _SOMEBODYS_DISK.search(line):
            yield number, f"{found.group()}...: whose disk is that?"


def silenced_without_reason(source: Source) -> Complaints:
    """Find lines that silence a checker and do not say why."""
    for number, line in enumerate(source.text.split("\n"), 1):
        found = _SILENCED.search(line)
        if found and not found.group("reason").strip(" #-:"):
            yield number, "say why the checker is wrong, on the same line"


RULES = (
    Rule("file-length", f"A file has at most {FILE_LINES} lines.", _is_python, long_files),
    Rule("function-length", f"A function has at most {FUNCTION_LINES} lines.", _is_python, long_functions),
    Rule("names", "A name says what it is.", _is_python, vague_names),
    Rule("bare-except", "Who catches says what.", _is_python, bare_excepts),
    Rule("task-owner", "A TaskGroup owns every task.", _is_python, loose_tasks),
    Rule("task-name", "Every task has a name.", _is_python_product, nameless_tasks),
    Rule("print", "Only who talks to people prints.", _is_python_product, stray_prints),
    Rule("first-sentence", "A module's first sentence says what it owns.", _is_python, missing_first_sentences),
    Rule("later", "Nothing is left for later in the text.", _is_written_by_people, put_off),
    Rule("sleep", "A test waits for something, not for a while.", _is_python_test, sleeps),
    Rule("skip", "Who skips a test says why.", _is_python_test, unexplained_skips),
    Rule("mock", "Fakes we own, no mocks.", _is_python_test, mocks),
    Rule("order", "A core never depends on the order of a set.", _is_python_core, unordered),
    Rule("path", "No path of somebody's own machine.", _is_written_by_people, somebodys_paths),
    Rule("silence", "Who silences a checker says why.", _is_python, silenced_without_reason),
)
