"""Mutation testing: do the tests notice each small mistake in the dashboard's rules (``make mutation``).

``python scripts/mutation.py [--again] [file or file::function ...]``. Tests are collected once. Then, for each
mutant, a forked child has the function's code replaced and runs the tests that reach its lines, those that have killed before
first, until one fails. Of a module's tables all are made again with the mistake in one; a mistake in what a class or a
default is made of takes a fresh process that imports the mistaken module.
Survivors are printed; those that docs/mutation.md explains are known.
"""

from __future__ import annotations

import ast
import gc
import importlib.util
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType

import click
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.mutants import Mutant, mutants  # noqa: E402  # found through the path above

CORE = "dashboard_node/core"
FILES = tuple(
    f"{CORE}/{name}.py"
    for name in ("rules", "roll_up", "lifecycle", "locks", "context_machine", "runs", "settling", "actions")
)
TESTS = (
    "tests/unit/dashboard_node/core",
    "tests/scenarios",
    "tests/properties/test_context_machine.py",
    "tests/properties/test_locks.py",
    "tests/tidy/test_pages.py",
)
QUICK = 2
"""So many of the cases of each property are played; all of them would take minutes per mutant."""
SLOW_TESTS = (
    "not ten_thousand and not test_cost and not test_machines and not test_large_plans and not every_transition"
)
PATIENCE = 5.0
"""Seconds of the processor a mutant has beyond what its tests need while they are watched; it is waited for ten times as long."""
MEMORY = 4 << 30
DOCUMENT = ROOT / "docs" / "mutation.md"
LAST = ROOT / ".cache" / "mutation.json"
"""Who survived the last time."""
_ROW = re.compile(r"^\| `(?P<path>[^`]+)` \| `(?P<scope>[^`]*)` \| `(?P<name>.+)` \| (?P<reason>.+) \|$", re.MULTILINE)
_ARGUMENTS = ("-qq", "--no-header", "--no-summary", "-k", SLOW_TESTS, *TESTS)


Identity = tuple[str, str, str]


def identity(mutant: Mutant) -> Identity:
    """By what a mutant is known again, also when lines have moved."""
    return (mutant.path, mutant.scope, mutant.name)


@dataclass
class Source:
    """A file with its mutants."""

    path: str
    tree: ast.Module
    mutants: list[Mutant]

    @property
    def module(self) -> str:
        """Its dotted name."""
        return self.path.removesuffix(".py").replace("/", ".")

    @property
    def tables(self) -> tuple[ast.stmt, ...]:
        """What it gives names to on its own level."""
        return tuple(node for node in self.tree.body if isinstance(node, ast.Assign | ast.AnnAssign))


def _lines(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def read(path: str) -> Source:
    """A file and what could be wrong in it."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return Source(path, tree, mutants(path, tree))


def explained() -> dict[Identity, str]:
    """The mutants that change nothing anybody could see, with the reason, out of the document."""
    if not DOCUMENT.exists():
        return {}
    rows = _ROW.finditer(DOCUMENT.read_text(encoding="utf-8"))
    return {(row["path"], row["scope"], row["name"].replace("\\|", "|")): row["reason"] for row in rows}


@dataclass
class Tally:
    """What became of the mutants of a file."""

    killed: int = 0
    survived: list[Mutant] = field(default_factory=list)
    equivalent: list[Mutant] = field(default_factory=list)
    seconds: float = 0.0


def _now() -> float:
    return time.monotonic()  # noqa: TID251  # a stopwatch for real processes


def _hush(write: int, seconds: float) -> None:
    """A child's first duty: no output, no flood of memory, an end; its answer goes through the pipe."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.set_inheritable(write, False)  # noqa: FBT003  # the function has no other way
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))


def _wait(pid: int, read_end: int, seconds: float) -> bytes | None:
    """What a child has written; None when it did not end in time."""
    parts: list[bytes] = []
    signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        while part := os.read(read_end, 1 << 16):
            parts.append(part)
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.close(read_end)
        os.waitpid(pid, 0)
    return b"".join(parts)


def _late(_: int, __: FrameType | None) -> None:
    raise TimeoutError


class Trial:
    """The plugin that takes the place of pytest's loop over the tests."""

    def __init__(self, sources: Sequence[Source], wanted: dict[str, str], again: frozenset[Identity]) -> None:
        self._sources = sources
        self._wanted = wanted
        self._again = again
        self._failed = False
        self._seconds: list[float] = []
        self._reached: dict[tuple[str, int], set[int]] = defaultdict(set)
        self._kills: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
        self.tallies: dict[str, Tally] = {}
        self.as_usual = False
        """Leave the loop to pytest."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the first cases of each property."""
        seen: Counter[str] = Counter()
        kept = []
        for item in items:
            name = item.nodeid.partition("[")[0]
            seen[name] += 1
            if not name.startswith("tests/properties") or seen[name] <= QUICK:
                kept.append(item)
        items[:] = kept

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        self._failed = self._failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the tests as they are, then against each mutant."""
        if self.as_usual:
            return None
        if session.testsfailed or not session.items:
            raise click.ClickException("the tests cannot be collected")
        session.config.pluginmanager.unregister(name="terminalreporter")
        gc.collect()
        gc.freeze()
        self._measure(session)
        for source in self._sources:
            self.tallies[source.path] = self._try_all(session, source)
        return True

    def _measure(self, session: pytest.Session) -> None:
        """What each test reaches, and how long it takes; all have to pass."""
        answer = self._fork(3600, lambda: json.dumps(list(self._traced(session))).encode())
        rows = json.loads(answer or b"[]")
        if len(rows) != len(session.items):
            raise click.ClickException("the tests fail without any mutant")
        for at, (seconds, reached) in enumerate(rows):
            self._seconds.append(seconds)
            for path, line in reached:
                self._reached[path, line].add(at)

    def _traced(self, session: pytest.Session) -> Iterator[tuple[float, list[tuple[str, int]]]]:
        paths = {str(ROOT / source.path): source.path for source in self._sources}
        reached: set[tuple[str, int]] = set()

        def line(frame: FrameType, _: str, __: object) -> object:
            reached.add((paths[frame.f_code.co_filename], frame.f_lineno))
            return line

        def call(frame: FrameType, _: str, __: object) -> object:
            return line if frame.f_code.co_filename in paths else None

        for at, item in enumerate(session.items):
            reached.clear()
            began = time.process_time()
            sys.settrace(call)  # type: ignore[arg-type]  # the stub's tracer is recursive; ours is a plain function
            self._run([item], session.items[at + 1 : at + 2])
            sys.settrace(None)
            if self._failed:
                return
            yield time.process_time() - began, sorted(reached)

    def _run(self, items: Sequence[pytest.Item], after: Sequence[pytest.Item] = ()) -> int:
        """Run tests until one fails: its place, or -1."""
        following = [*items[1:], *after, None][: len(items)] if items else []
        for at, (item, nextitem) in enumerate(zip(items, following, strict=True)):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
            if self._failed:
                return at
        return -1

    def _fork(self, seconds: float, work: Callable[[], bytes]) -> bytes | None:
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(read_end)
                _hush(write_end, seconds)
                answer = work()
                while answer:
                    answer = answer[os.write(write_end, answer) :]
            finally:
                os._exit(0)
        os.close(write_end)
        return _wait(pid, read_end, 10 * seconds)

    def _try_all(self, session: pytest.Session, source: Source) -> Tally:
        began, tally, known = _now(), Tally(), explained()
        only = self._wanted.get(source.path, "")
        for number, mutant in enumerate(source.mutants):
            if (only and mutant.scope != only) or (self._again and identity(mutant) not in self._again):
                continue
            in_place = mutant.scope or any(mutant.lines.start in _lines(table) for table in source.tables)
            killed = self._try(session, source, mutant) if in_place else try_module(source.path, number)
            if killed:
                tally.killed += 1
            elif identity(mutant) in known:
                tally.equivalent.append(mutant)
            else:
                tally.survived.append(mutant)
                click.echo(f"{source.path}:{mutant.lines.start}: {mutant.scope or 'module'}: {mutant.name}")
        tally.seconds = _now() - began
        click.echo(summary(source.path, tally))
        return tally

    def _try(self, session: pytest.Session, source: Source, mutant: Mutant) -> bool:
        """Whether some test notices it."""
        lines = mutant.lines if mutant.scope else range(len(source.tree.body) and _lines(source.tree.body[-1]).stop)
        reaching = set().union(*(self._reached[source.path, line] for line in lines))
        kills = self._kills[source.path, mutant.scope]
        chosen = sorted(reaching, key=lambda at: (-kills[at], self._seconds[at]))
        if not chosen:
            return False
        items = [session.items[at] for at in chosen]
        tree = source.tree if mutant.scope else ast.Module(list(source.tables), [])
        code = mutant.code(tree, str(ROOT / source.path))

        def trial() -> bytes:
            if mutant.scope:
                exchange(sys.modules[source.module], mutant.scope, code)
            else:
                make_again(sys.modules[source.module], code)
            return str(self._run(items)).encode()

        answer = self._fork(PATIENCE + sum(self._seconds[at] for at in chosen), trial)
        if answer in {None, b""}:
            return True  # for ever, or out of memory
        at = int(answer or b"-1")
        if at >= 0:
            kills[chosen[at]] += 1
        return at >= 0


def exchange(module: ModuleType, scope: str, code: CodeType) -> None:
    """Give a function the code it has in the mistaken module, wherever it has been imported to."""
    first, _, rest = scope.partition(".")
    found = vars(module)[first]
    if rest:
        found = vars(found)[rest]
    function = found.fget if isinstance(found, property) else found
    if not isinstance(function, FunctionType):
        raise click.ClickException(f"{scope} is no plain function")
    for part in scope.split("."):
        code = next(inner for inner in code.co_consts if isinstance(inner, CodeType) and inner.co_name == part)
    function.__code__ = code


def make_again(module: ModuleType, code: CodeType) -> None:
    """Make a module's tables with the mistaken code, wherever they have been imported to."""
    before = dict(vars(module))
    exec(code, vars(module))  # noqa: S102  # as an import would
    changed = [name for name, value in vars(module).items() if before.get(name) is not value]
    for other in list(sys.modules.values()):
        for name in changed:
            if name in before and getattr(other, "__dict__", {}).get(name) is before[name]:
                setattr(other, name, vars(module)[name])


class _Mistaken(MetaPathFinder, Loader):
    """Imports one module with a mistake in it."""

    def __init__(self, source: Source, mutant: Mutant) -> None:
        self._source = source
        self._code = mutant.code(source.tree, str(ROOT / source.path))

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        if name != self._source.module:
            return None
        return importlib.util.spec_from_file_location(name, ROOT / self._source.path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, vars(module))  # noqa: S102  # that is how a module is loaded


def try_module(path: str, number: int) -> bool:
    """Whether some test notices a mutant that a module has from the moment it is imported."""
    command = [sys.executable, str(Path(__file__)), "--mutant", str(number), path]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120, check=False)  # noqa: S603  # ourselves
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def summary(path: str, tally: Tally) -> str:
    """One line of figures."""
    total = tally.killed + len(tally.survived) + len(tally.equivalent)
    return (
        f"{path}: {total} mutants, {tally.killed} killed, {len(tally.equivalent)} equivalent, "
        f"{len(tally.survived)} survived, {tally.seconds:.0f} s"
    )


@click.command()
@click.argument("files", nargs=-1)
@click.option("--again", is_flag=True, help="Only those that survived the last time.")
@click.option("--mutant", type=int, hidden=True, help="Run the tests against this one, in this process.")
def main(files: tuple[str, ...], mutant: int | None, *, again: bool) -> None:
    """Try the mutants of FILES (each FILE or FILE::FUNCTION; all of the core's rules when none is named)."""
    os.chdir(ROOT)
    wanted = dict(name.partition("::")[::2] for name in files or FILES)
    sources = [read(path) for path in wanted]
    last = frozenset(map(tuple, json.loads(LAST.read_text(encoding="utf-8")))) if again else frozenset()
    trial = Trial(sources, wanted, last)
    if mutant is not None:
        sys.meta_path.insert(0, _Mistaken(sources[0], sources[0].mutants[mutant]))
        trial.as_usual = True
        raise SystemExit(pytest.main(["-x", *_ARGUMENTS], plugins=[trial]))
    code = pytest.main(list(_ARGUMENTS), plugins=[trial])
    survived = [identity(mutant) for tally in trial.tallies.values() for mutant in tally.survived]
    LAST.parent.mkdir(exist_ok=True)
    LAST.write_text(json.dumps(survived), encoding="utf-8")
    if code or survived:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
