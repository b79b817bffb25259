"""A whole night without a script: clocks fire at their times, files are there when first looked for, commands take theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush

from msgspec import Struct, field

from dashboard_node.core.graph import Copy
from jobplan.simulate.world import RefusedError, World
from schemas.blackout import zone_of
from schemas.cron import CronError, next_fire, parse
from schemas.names import RunId
from schemas.plan import ClockJob, PlanSource, StartupControl
from schemas.schedule import policy_of
from schemas.status import ContextStatus, JobKind, JobStatus

USUAL = timedelta(seconds=60)
"""How long a command takes when nobody says otherwise."""
OPEN_END = timedelta(hours=24)
"""How long a night is for a plan whose window has no end."""
MOST = 200_000
"""Events of one night; a clock job that fires every second of a day has 86 400."""


class Bar(Struct, frozen=True, kw_only=True, rename="camel"):
    """One run, or one firing (start and end at once), of the night."""

    context: str
    job: str
    kind: JobKind
    started: datetime
    ended: datetime | None
    status: JobStatus


class Night(Struct, kw_only=True, rename="camel"):
    """What the night was."""

    instance: str
    opens: datetime
    closes: datetime | None
    done: datetime
    """When the last thing happened."""
    status: ContextStatus
    """How the outermost context stood at the end of the night."""
    jobs: dict[str, JobStatus]
    bars: list[Bar] = field(default_factory=list)
    firings: dict[str, int] = field(default_factory=dict)
    """How often each clock or file job fired; only its first firing has a bar."""
    cut: bool = False
    """More happened than could be played."""


class NightPlay:
    """Plays a plan's night. ``durations`` are by job name or identifier; jobs in ``failing`` end with return code 1."""

    def __init__(
        self,
        source: PlanSource,
        *,
        durations: Mapping[str, timedelta] | None = None,
        usual: timedelta = USUAL,
        failing: frozenset[str] = frozenset(),
    ) -> None:
        self.world = World(source)
        self._durations = durations or {}
        self._usual = usual
        self._failing = failing
        self._agenda: list[tuple[datetime, int, Callable[[Night], None]]] = []
        self._sequence = 0
        self._running: dict[RunId, datetime] = {}
        self._seen: set[RunId] = set()
        self._fired: set[int] = set()
        self._put_off: set[int] = set()

    def play(self) -> Night:
        """The night, from the opening of the window to its end, or until nothing more can happen."""
        world = self.world
        instance = world.core.state.instances[world.instance]
        horizon = instance.closes or instance.opens + OPEN_END
        night = Night(
            instance=instance.id,
            opens=instance.opens,
            closes=instance.closes,
            done=instance.opens,
            status=instance.status,
            jobs={},
        )
        self._plan_firings()
        self._take_up_runs()
        for _ in range(MOST):
            if not self._next(night, horizon):
                break
        else:
            night.cut = True
        machine = world.machine
        record = world.core.state.instances[world.instance]
        night.status = record.result or record.status
        night.jobs = {
            f"{machine.graph.context_of(copy.index).name}/{copy.name}": machine.status(copy.index)
            for copy in machine.graph.copies
        }
        return night

    def _plan_firings(self) -> None:
        for job, residences in sorted(self.world.machine.graph.residences.items()):
            copy = self.world.machine.graph.copies[residences[0]]
            if job and isinstance(copy.artefact, ClockJob):
                self._plan_next_firing(copy, copy.artefact, self.world.now - timedelta(seconds=1))

    def _plan_next_firing(self, copy: Copy, job: ClockJob, after: datetime) -> None:
        if job.startup_control_type is not StartupControl.AUTOMATIC:
            return
        try:
            at = next_fire(parse(job.cron_expression), after, zone_of(job, "UTC"), policy_of(job))
        except (CronError, ValueError):
            return
        if at is not None:
            self._put(at, partial(self._fire, copy=copy))

    def _put(self, at: datetime, happens: Callable[[Night], None]) -> None:
        self._sequence += 1
        heappush(self._agenda, (at, self._sequence, happens))

    def _next(self, night: Night, horizon: datetime) -> bool:
        """Play the next thing; False: there is none before the horizon."""
        world = self.world
        due = self._agenda[0][0] if self._agenda else None
        timer = world.next_wakeup()
        at = min((t for t in (due, timer) if t is not None), default=None)
        if at is None or at > horizon or not world.active:
            return False
        if due is not None and due <= at:
            _, _, happens = heappop(self._agenda)
            world.wait(max(due - world.now, timedelta()))
            if not world.active:
                return False
            happens(night)
        else:
            world.wait(max(at - world.now, timedelta()))
        if world.active:
            self._take_up_runs()
        return True

    def _fire(self, night: Night, copy: Copy) -> None:
        if isinstance(copy.artefact, ClockJob) and copy.kind is JobKind.CLOCK:
            self._plan_next_firing(copy, copy.artefact, self.world.now)
        try:
            at = self.world.fire([copy], context=None)
        except RefusedError:
            return
        if at == self.world.now:
            self._fired_now(night, copy)
        elif copy.index not in self._put_off:
            self._put_off.add(copy.index)
            self._put(at, partial(self._fired_late, copy=copy))

    def _fired_late(self, night: Night, copy: Copy) -> None:
        """A blackout that had put a fire off is over."""
        self._put_off.discard(copy.index)
        self._fired_now(night, copy)

    def _fired_now(self, night: Night, copy: Copy) -> None:
        night.firings[copy.name] = night.firings.get(copy.name, 0) + 1
        if copy.index not in self._fired:
            self._fired.add(copy.index)
            night.done = self.world.now
            night.bars.append(self._bar(copy, self.world.now))

    def _take_up_runs(self) -> None:
        """Runs that were handed over start at once and end when their time is up."""
        for run in self.world.core.state.live_runs(self.world.instance):
            if run.id not in self._seen:
                self._seen.add(run.id)
                self._running[run.id] = self.world.now
                copy = self.world.machine.graph.copies[run.copy]
                self.world.start([copy])
                takes = self._durations.get(copy.name, self._durations.get(copy.id, self._usual))
                self._put(self.world.now + takes, partial(self._end, copy=copy, run=run.id))

    def _end(self, night: Night, copy: Copy, run: RunId) -> None:
        started = self._running.pop(run)
        failing = copy.name in self._failing or copy.id in self._failing
        self.world.end([copy], 1 if failing else 0)
        night.done = self.world.now
        night.bars.append(self._bar(copy, started))

    def _bar(self, copy: Copy, started: datetime) -> Bar:
        return Bar(
            context=self.world.machine.graph.context_of(copy.index).name,
            job=copy.name,
            kind=copy.kind,
            started=started,
            ended=self.world.now,
            status=self.world.machine.status(copy.index),
        )
