"""A second context machine, by definition: after each event everything is looked at again from scratch.

Written from the rules and in their words; it knows nothing of the real one. Slow on purpose.
"""

from __future__ import annotations

from msgspec import Struct

from schemas.plan import PlanSource, Retry
from schemas.status import JobKind
from tests.oracle.grouping import Place, Text, holds, names
from tests.oracle.locks import NaiveLocks, Need

DONE = {"COMPLETE", "SKIPPED_COMPLETE"}
FAILED = {"ERROR", "KILLED"}
RunKey = tuple[Place, int]


class RefusedError(Exception):
    """What was asked cannot be done now."""


class Job(Struct):
    """One copy of a job."""

    stands: str = "WAITING"
    held: bool = False
    skipped: bool = False
    disabled: bool = False
    acknowledged: bool = False
    raised: bool = False
    remembered: bool = False
    passing: bool = False
    cause: Place | None = None
    redo: bool = False
    run: RunKey | None = None
    live: bool = False
    runs: int = 0
    tries: int = 0
    again: int = 0
    retry_at: float | None = None


class Evaluator:
    """One instance."""

    def __init__(self, source: PlanSource) -> None:
        self.text = Text(source)
        self.jobs = {
            place: Job(
                skipped=self.text.initially(place, "skipped"),
                held=self.text.initially(place, "held") and not self.text.initially(place, "skipped"),
            )
            for place in self.text.places
        }
        self.locks = NaiveLocks()
        self.now = 0.0
        self.ended = False
        self.handed: list[RunKey] = []
        self.stopped: set[RunKey] = set()
        self.begun: set[RunKey] = set()
        self.over: set[RunKey] = set()
        self._results: list[Place] = []
        self._asks: list[Place] = []
        self._broadcasts: list[Place] = []
        self.contexts = dict.fromkeys(self.text.contexts, "WAITING")
        for place, job in self.jobs.items():
            if job.skipped and job.stands == "WAITING" and not self._has_something_before_it(place):
                self._pass(place)
        self.settle()

    # How things stand

    def status(self, place: Place) -> str:
        """As it is shown."""
        job = self.jobs[place]
        if job.stands in FAILED and job.acknowledged:
            return "ERROR_ACKNOWLEDGED"
        if job.stands != "WAITING":
            return job.stands
        wanted = [("DISABLED", job.disabled), ("ON_HOLD", job.held), ("SKIPPED", job.skipped), ("WAITING", True)]
        return next(name for name, so in wanted if so)

    def fulfils(self, place: Place) -> bool:
        """Whether it counts as done for what depends on it."""
        job = self.jobs.get(place)
        return job is not None and (job.stands in DONE or (job.stands in FAILED and job.acknowledged))

    def due(self, place: Place, *, elsewhere_done: bool = False) -> bool:
        """Whether it has a dependency, and that holds."""

        def done(name: str) -> bool:
            feeder = (place[0], name)
            return self.fulfils(feeder) or (elsewhere_done and feeder in self.jobs and self.text.external(feeder))

        entries = self.text.entries[place]
        return bool(entries) and all(holds(entry, done) for entry in entries)

    def context_status(self, name: str) -> str:
        """By the rules, first match wins."""
        if self.ended and name not in self.text.parents:
            return "ENDED"
        children = [child.name for child in self.text.contexts[name].contexts]
        statuses = {child: self.context_status(child) for child in children}
        places = [place for place in self.text.places if place[0] == name]
        own = [self.jobs[place] for place in places if not self.text.external(place)]
        if any(job.stands in FAILED and not job.acknowledged for job in own) or "ERROR" in statuses.values():
            return "ERROR"
        busy = any(map(self._is_busy, own))
        needed = [p for p in places if self.text.leaf(p) or self._wanted(p)]
        open_ = any(not self._off_the_list(place) for place in needed)
        in_vain = any(
            self.text.entries[place]
            and self.jobs[place].stands == "WAITING"
            and not self.jobs[place].raised
            and not self.due(place, elsewhere_done=True)
            for place in places
        )
        if not (busy or open_ or in_vain) and all(status == "COMPLETE" for status in statuses.values()):
            return "COMPLETE"
        moved = any(
            job.stands in {"RUNNING", "LOCK_QUEUED", "COMPLETE"} | FAILED or job.retry_at is not None for job in own
        )
        moved = moved or any(
            status in {"RUNNING", "COMPLETE"} and self.text.has_jobs(child) for child, status in statuses.items()
        )
        return "RUNNING" if moved else "WAITING"

    def _wanted(self, place: Place) -> bool:
        """Whether it has to be done although something in its context depends on it: to be redone, or disabled."""
        return (self.jobs[place].redo or self.jobs[place].disabled) and not self.text.external(place)

    @staticmethod
    def _is_busy(job: Job) -> bool:
        return job.stands in {"RUNNING", "LOCK_QUEUED"} or job.live or job.retry_at is not None

    def _off_the_list(self, place: Place) -> bool:
        job = self.jobs[place]
        to_be_skipped = job.stands == "WAITING" and job.skipped and not job.live and not job.disabled
        return self.fulfils(place) or to_be_skipped

    def may_start(self, context: str) -> bool:
        """Whether the contexts that have to be complete are."""
        return all(holds(gate, lambda name: self.contexts.get(name) == "COMPLETE") for gate in self.text.gates(context))

    def _has_something_before_it(self, place: Place) -> bool:
        return any(self.text.entries[other] for other in self.text.residences(place[1]))

    # What follows

    def settle(self) -> None:
        """Until nothing moves."""
        while True:
            while self._results:
                self.follow(self._results.pop(0))
            if self._asks or self._broadcasts:
                asks, self._asks = self._asks, []
                events, self._broadcasts = self._broadcasts, []
                for place in asks:
                    self._ask(place)
                for place in events:
                    self.happen(place)
                continue
            before, self.contexts = self.contexts, {name: self.context_status(name) for name in self.contexts}
            if before == self.contexts:
                return
            for place, job in self.jobs.items():
                waits = bool(self.text.gates(place[0]))
                if waits and job.remembered and not job.held and not job.disabled and self.may_start(place[0]):
                    self._initiate(place, job.cause)

    def follow(self, cause: Place) -> None:
        """Start what the result makes due."""
        for place in self.text.followers[cause]:
            if self._guard(place, cause) and self.due(place):
                self._initiate(place, cause)

    def _guard(self, place: Place, cause: Place) -> bool:
        job, kind = self.jobs[place], self.text.kind(place)
        if kind in {JobKind.CLOCK, JobKind.FILE} or job.disabled:
            return False
        if kind is JobKind.COMMAND:
            again = self.text.repeatable(place) and place[1] != cause[1]
            return again or (not job.raised and job.stands == "WAITING")
        return not job.raised or (kind is JobKind.BRIDGING and self.text.repeatable(cause))

    def _initiate(self, place: Place, cause: Place | None) -> None:
        job = self.jobs[place]
        happened = self.text.kind(place) is not JobKind.COMMAND and job.remembered and not job.raised
        if job.held or not self.may_start(place[0]):
            job.raised, job.remembered, job.cause = job.held or not happened, True, cause
        elif job.skipped:
            self._pass(place)
        elif happened:
            self._end(place, "SKIPPED_COMPLETE" if job.passing else "COMPLETE")
        elif self.text.kind(place) in {JobKind.COMMAND, JobKind.GLOBAL}:
            for other in self.text.together(place):
                self.jobs[other].raised, self.jobs[other].remembered, self.jobs[other].retry_at = True, False, None
            job.cause = cause
            (self._asks if self.text.kind(place) is JobKind.COMMAND else self._broadcasts).append(place)
        elif self.text.kind(place) in {JobKind.CLOCK, JobKind.FILE}:
            self._end(place, "SKIPPED_COMPLETE" if job.passing else "COMPLETE")
        else:
            self.happen(place)

    def happen(self, place: Place) -> None:
        """An event job, or a person's submission of a clock or file job: everywhere."""
        for other in self.text.residences(place[1]):
            if self.jobs[other].disabled:
                continue
            if self.jobs[other].held:
                self.jobs[other].raised = self.jobs[other].raised and self.jobs[other].remembered
                self.jobs[other].remembered, self.jobs[other].passing, self.jobs[other].cause = True, False, None
            else:
                self._end(other, "SKIPPED_COMPLETE" if self.jobs[other].skipped else "COMPLETE")

    def _pass(self, place: Place) -> None:
        able = [other for other in self.text.together(place) if not self.jobs[other].disabled]
        nobody = all(
            self.jobs[other].skipped or (self.text.external(other) and not self._is_busy(self.jobs[other]))
            for other in able
        )
        for other in able:
            if nobody or other == place or self.jobs[other].skipped:
                self._end(other, "SKIPPED_COMPLETE")

    def _end(self, place: Place, how: str) -> None:
        job = self.jobs[place]
        job.stands, job.raised, job.remembered, job.passing = how, True, False, False
        job.retry_at, job.redo, job.acknowledged, job.live = None, False, False, False
        if how in DONE:
            self._results.append(place)

    # Runs

    def needs(self, place: Place) -> dict[str, Need]:
        """What it needs of locks."""
        claims = self.text.claims(place).items()
        return {name: Need(weight, lock.lock_count, lock.exclusive_job_lock) for name, (lock, weight) in claims}

    def _ask(self, place: Place) -> None:
        together = self.text.together(place)
        if any(self.jobs[other].live or self.jobs[other].stands == "LOCK_QUEUED" for other in together):
            self.jobs[place].again += 1
            return
        needs = self.needs(place)
        if not needs or self.locks.ask(place, needs):
            self._hand_over(place)
            return
        for other in together:
            if other == place or not self.jobs[other].skipped:
                self.jobs[other].stands, self.jobs[other].retry_at = "LOCK_QUEUED", None
                self.jobs[other].remembered, self.jobs[other].raised = False, True

    def _hand_over(self, place: Place) -> None:
        together = self.text.together(place)
        number = 1 + max(self.jobs[other].runs for other in together)
        tries = self.jobs[place].tries + 1
        self.handed.append((place, number))
        for other in together:
            job = self.jobs[other]
            job.run, job.runs, job.live, job.tries = (place, number), number, True, tries
            job.raised, job.remembered, job.retry_at = True, False, None

    def live(self) -> list[RunKey]:
        """Runs that have not ended."""
        runs = dict.fromkeys(job.run for job in self.jobs.values() if job.live and job.run is not None)
        return [run for run in runs if run not in self.over]

    def started(self, run: RunKey) -> None:
        """An agent says so."""
        if run not in self.live() or run in self.begun or self.ended:
            return
        self.begun.add(run)
        for place, job in self.jobs.items():
            if job.live and job.run == run and not self.jobs[place].skipped:
                job.stands, job.acknowledged = "RUNNING", False
        self.settle()

    def finished(self, run: RunKey, outcome: str) -> None:
        """An agent says how it ended: succeeded, failed, killed, lost, notToday."""
        if run not in self.live():
            return
        self.over.add(run)
        if self.ended:
            return
        outcome = "killed" if run in self.stopped and outcome != "lost" else outcome
        for place, job in self.jobs.items():
            if job.live and job.run == run:
                job.live = False
                self._take(place, job, outcome)
        self._free(run[0])
        self._repeat(run[0])
        self.settle()

    def _take(self, place: Place, job: Job, outcome: str) -> None:
        tries, job.tries = job.tries, 0
        if outcome in {"succeeded", "notToday"}:
            self._end(place, "SKIPPED_COMPLETE" if job.skipped or outcome == "notToday" else "COMPLETE")
        elif outcome == "killed":
            job.again = 0
            self._end(place, "KILLED")
        else:
            command = self.text.command(place)
            policy = command.retry if command is not None else None
            if policy is None or tries >= policy.attempts or outcome == "lost":
                self._end(place, "ERROR")
            else:
                job.stands, job.tries, job.retry_at = "WAITING", tries, self.now + _pause(policy, tries)

    def _repeat(self, place: Place) -> None:
        for other in self.text.together(place):
            job = self.jobs[other]
            if job.again and not job.live and job.retry_at is None:
                job.again -= 1
                self._initiate(other, job.cause)
                return

    def _free(self, place: Place) -> None:
        for granted in self.locks.release(place):
            assert isinstance(granted, tuple)
            self._hand_over(granted)

    def pass_time(self, now: float) -> None:
        """Retries come when they are due."""
        while True:
            waiting = [(job.retry_at, place) for place, job in self.jobs.items() if job.retry_at is not None]
            at, place = min(waiting, default=(None, None))
            if at is None or place is None or at > now or self.ended:
                self.now = now
                return
            self.now = at
            run = self.jobs[place].run
            assert run is not None
            for other in self.text.together(place):
                self.jobs[other].retry_at = None
            self._initiate(run[0], self.jobs[run[0]].cause)
            self.settle()

    # What fires

    def fired(self, job: str, *, passed: bool = False) -> None:
        """A clock or file job fires, everywhere it resides."""
        places = self.text.residences(job)
        if self.ended or all(self.jobs[place].disabled for place in places):
            return
        for place in places:
            copy = self.jobs[place]
            if copy.disabled:
                continue
            if copy.held or not self.may_start(place[0]):
                copy.remembered, copy.passing = True, passed
            else:
                self._end(place, "SKIPPED_COMPLETE" if copy.skipped or passed else "COMPLETE")
        self.settle()

    def global_event(self, job: str) -> None:
        """Somebody raises it."""
        if not self.ended and self.text.residences(job):
            self.happen(self.text.residences(job)[0])
            self.settle()

    def end(self) -> None:
        """The instance ends: contexts and jobs stay, the outermost one is ENDED."""
        self.ended = True
        self.locks = NaiveLocks()
        self.contexts = {
            name: self.context_status(name) if name not in self.text.parents else status
            for name, status in self.contexts.items()
        }


def _pause(policy: Retry, tries: int) -> float:
    return min(policy.back_off_seconds * policy.back_off_factor ** (tries - 1), policy.max_back_off_seconds)


__all__ = ["Evaluator", "Job", "Place", "RefusedError", "names"]
