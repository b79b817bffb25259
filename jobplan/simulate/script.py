"""Scripts: JSON lines that say what happens, and the line of answer that each of them gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

import msgspec
from msgspec import Struct, field

from dashboard_node.core.graph import Copy
from jobplan.simulate.sight import Sight
from jobplan.simulate.world import LAST, RefusedError, Told, World, nobody
from schemas.names import InstanceId, job_id
from schemas.plan import Context, PlanSource
from schemas.requests import Act, Action, EndInstance, RaiseEvent, ResetInstance
from schemas.status import ContextStatus, JobStatus


class ScriptError(ValueError):
    """A line that is no instruction; the message names the line and what is wrong with it."""


class Line(Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One instruction of a script; a key that is none of these is a slip of the pen, and never overlooked."""

    do: str
    job: str = ""
    context: str = ""
    return_code: int = 0
    outcome: str = ""
    ms: int = 0
    parameters: dict[str, str] = field(default_factory=dict)
    ticket: str = ""
    message: str = ""
    onward: bool = field(default=False, name="continue")
    held: bool = False


class Outcome(Struct, kw_only=True):
    """The answer to one line. What is listed has the order of the plan, not the one in which it came about."""

    line: int
    initiated: list[tuple[str, str]]
    changed: list[tuple[str, str | None, str, str]]
    refused: str | None


class LockFinal(Struct, kw_only=True):
    """Who has a lock at the end, and who waits."""

    holders: list[str]
    queue: list[str]


class Final(Struct, kw_only=True):
    """How everything stands at the end."""

    status: ContextStatus
    contexts: dict[str, ContextStatus]
    jobs: dict[str, JobStatus]
    locks: dict[str, LockFinal]


_ACTIONS = {
    "hold": Action.HOLD,
    "release": Action.RELEASE,
    "skip": Action.SKIP,
    "unskip": Action.UNSKIP,
    "disable": Action.DISABLE,
    "enable": Action.ENABLE,
    "submit": Action.SUBMIT,
    "resubmit": Action.RESUBMIT,
    "continue": Action.CONTINUE,
    "kill": Action.KILL,
    "acknowledge": Action.ACKNOWLEDGE,
    "reset": Action.RESET,
}
_NEED_A_JOB = {"fired", "started", "ended", "global", "continue"}


Script = Iterable[tuple[int, Line]]
"""Instructions with the number of the line on which each stands."""


def read(text: str) -> list[tuple[int, Line]]:
    """The instructions of a script. Raises ScriptError, naming the line, before anything is played."""
    lines: list[tuple[int, Line]] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        if not raw.strip():
            continue
        try:
            line = msgspec.json.decode(raw, type=Line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ScriptError(f"line {number}: {error}{_hint(str(error))}") from error
        if line.do not in _DOES and line.do not in _ACTIONS:
            raise ScriptError(
                f"line {number}: nobody can '{line.do}'; there is {', '.join(sorted({*_DOES, *_ACTIONS}))}"
            )
        if line.do in _NEED_A_JOB and not line.job:
            raise ScriptError(f"line {number}: '{line.do}' needs a job")
        if line.ms < 0:
            raise ScriptError(f"line {number}: time does not go back; 'ms' must not be negative")
        lines.append((number, line))
    return lines


class Play:
    """A script being played against a plan."""

    def __init__(self, source: PlanSource, told: Told = nobody) -> None:
        self._sight = Sight(told)
        self.world = World(source, self._sight.hear)
        self._sight.look(self.world.core, self.world.instance)
        graph = self.world.machine.graph
        self._names = _names(self.world)
        self._contexts = frozenset(node.name for node in graph.contexts)
        self._known_as: dict[str, list[int]] = {}
        for copy in graph.copies:
            for name in {copy.name, copy.id}:
                self._known_as.setdefault(name, []).append(copy.index)

    def play(self, script: Script) -> Iterator[Outcome]:
        """Do one line after the other."""
        for number, line in script:
            yield self.do(number, line)

    def do(self, number: int, line: Line) -> Outcome:
        """Do one line, and say what that changed."""
        refused = None
        try:
            does = _DOES.get(line.do)
            if does is not None:
                does(self, line)
            else:
                self._act(line)
        except RefusedError as error:
            refused = str(error)
        moved, handed = self._sight.look(self.world.core, self.world.instance)
        graph = self.world.machine.graph
        return Outcome(
            line=number,
            initiated=[(graph.context_of(copy).name, self._names[copy]) for copy in handed],
            changed=[
                (
                    graph.contexts[one.context].name,
                    None if one.copy is None else self._names[one.copy],
                    one.before,
                    one.after,
                )
                for one in moved
            ],
            refused=refused,
        )

    def _act(self, line: Line) -> None:
        if line.job:
            self.one_job(line)
        if line.do == "reset" and not line.job and not line.context:
            answer = self.world.ask(ResetInstance(instance=self.world.instance, held=line.held))
            data = msgspec.json.decode(answer.data, type=dict[str, str])
            self.world.instance = InstanceId(data["instance"])
            return
        self.world.ask(
            Act(
                action=_ACTIONS[line.do],
                instance=self.world.instance,
                context=line.context,
                job=line.job,
                parameters=line.parameters,
                ticket=line.ticket,
                message=line.message,
                onward=line.onward,
            )
        )

    def copies(self, line: Line) -> list[Copy]:
        """The copies a line speaks of. Raises RefusedError for what is unknown or ambiguous."""
        graph = self.world.machine.graph
        if line.context and line.context not in self._contexts:
            raise RefusedError(f"there is no context '{line.context}'")
        found = [
            graph.copies[index]
            for index in self._known_as.get(line.job, ())
            if not line.context or graph.context_of(index).name == line.context
        ]
        if not found:
            raise RefusedError(f"there is no job '{line.job}'" + (f" in '{line.context}'" if line.context else ""))
        if len({copy.id for copy in found}) > 1:
            names = ", ".join(sorted({copy.id for copy in found}))
            raise RefusedError(f"'{line.job}' is ambiguous: {names}; use the identifier")
        return found

    def one_job(self, line: Line) -> list[Copy]:
        """The one copy a line speaks of. Raises RefusedError when the job is in several contexts and the line names none."""
        found = self.copies(line)
        if len(found) > 1:
            places = ", ".join(self.world.machine.graph.context_of(copy.index).name for copy in found)
            raise RefusedError(f"'{line.job}' is ambiguous: it is in {places}; say in which context")
        return found

    def fired(self, line: Line) -> None:
        """A clock or file job fires."""
        copies = self.copies(line)
        self.world.fire(copies, context=copies[0].context if line.context else None, outcome=line.outcome)

    def started(self, line: Line) -> None:
        """An agent has started a run."""
        self.world.start(self.one_job(line))

    def ended(self, line: Line) -> None:
        """A run has ended on its agent."""
        self.world.end(self.one_job(line), line.return_code, line.outcome)

    def raise_global(self, line: Line) -> None:
        """Somebody raises a global event. Raises RefusedError when the plan has none of that name: nothing could follow."""
        event = line.job.removeprefix("GLOBAL_EVENT-")
        if job_id("GLOBAL_EVENT", event) not in self.world.machine.graph.residences:
            raise RefusedError(f"there is no global event '{event}' in this plan")
        self.world.ask(RaiseEvent(event=event))

    def end(self, _: Line) -> None:
        """Somebody ends the instance."""
        self.world.ask(EndInstance(instance=self.world.instance))

    def wait(self, line: Line) -> None:
        """Time passes."""
        left = LAST - self.world.now
        if line.ms > left.total_seconds() * 1000:
            raise RefusedError(f"the simulation ends with the year {LAST.year - 1}")
        self.world.wait(timedelta(milliseconds=line.ms))

    def final(self) -> Final:
        """How everything stands now."""
        machine = self.world.machine
        return Final(
            status=machine.contexts[0].status,
            contexts={node.name: machine.contexts[node.index].status for node in machine.graph.contexts},
            jobs={self._path(copy): machine.status(copy.index) for copy in machine.graph.copies},
            locks=self._locks(),
        )

    def _locks(self) -> dict[str, LockFinal]:
        machine = self.world.machine
        names = sorted(_lock_names(machine.graph.plan))
        found: dict[str, LockFinal] = {name: LockFinal(holders=[], queue=[]) for name in names}
        for name, lock in self.world.core.state.locks.locks.items():
            found[name.lock] = LockFinal(
                holders=[self._path(machine.graph.copies[owner.copy]) for owner in sorted(lock.holders)],
                queue=[self._path(machine.graph.copies[owner.copy]) for owner in lock.queue],
            )
        return found

    def _path(self, copy: Copy) -> str:
        return f"{self.world.machine.graph.contexts[copy.context].name}/{self._names[copy.index]}"


_DOES: dict[str, Callable[[Play, Line], None]] = {
    "fired": Play.fired,
    "started": Play.started,
    "ended": Play.ended,
    "global": Play.raise_global,
    "end": Play.end,
    "wait": Play.wait,
}


def _hint(error: str) -> str:
    """The keys there are, for somebody who wrote another one."""
    if "unknown field" not in error:
        return ""
    return f"; there is {', '.join(sorted(Line.__struct_encode_fields__))}"


def _names(world: World) -> list[str]:
    """What each copy is called: its job's name, or the identifier where two jobs share the name."""
    ids: dict[str, set[str]] = {}
    for copy in world.machine.graph.copies:
        ids.setdefault(copy.name, set()).add(copy.id)
    return [copy.name if len(ids[copy.name]) == 1 else copy.id for copy in world.machine.graph.copies]


def _lock_names(context: Context) -> set[str]:
    """The locks of a context and of all below it."""
    return {lock.name for lock in context.job_locks}.union(*map(_lock_names, context.contexts))
