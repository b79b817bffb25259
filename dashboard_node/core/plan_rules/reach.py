"""Which jobs can ever be done, if every command succeeds: groupings as a net of gates that open once enough of theirs have.

Takes time in proportion to the plan's text: each gate opens once, and tells each of those that wait for it once.
"""

from __future__ import annotations

from msgspec import Struct, field

from dashboard_node.core.plan_rules.survey import Place, Survey, jobs_of
from schemas.names import JobId
from schemas.plan import Grouping, Operator

Copy = tuple[JobId, int]
"""A job, and the context it is in when its copies run for themselves; else -1."""


def copy_of(survey: Survey, job: JobId, place: int) -> Copy:
    """The copy an identifier means in a context."""
    return (job, place if survey.is_local(job) else -1)


def can_be_done(survey: Survey) -> frozenset[Copy]:
    """The copies that may become done some day: by themselves, by hand, or because what they wait for can."""
    net = _Net(survey)
    ruled: set[Copy] = set()
    for place in survey.places:
        entries: dict[JobId, list[int]] = {}
        for dependency in place.context.job_dependencies:
            job, gate = JobId(dependency.job_identifier), net.grouping(dependency.logical_grouping, place)
            if gate is not None and job in place.entries:
                entries.setdefault(job, []).append(gate)
        for job, gates in entries.items():
            copy = copy_of(survey, job, place.number)
            ruled.add(copy)
            net.join(net.every(gates), net.job(copy))
    for place, _, entry in jobs_of(survey):
        copy = copy_of(survey, entry.id, place.number)
        if copy not in ruled or survey.kind(entry.id, entry.kind).fires:
            net.open(net.job(copy))
    return net.done()


class _Gate(Struct):
    """Opens when ``missing`` has come down to nothing."""

    missing: int
    waiting: list[int] = field(default_factory=list)
    """The gates that count this one."""


class _Net:
    """The gates of a plan."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._gates: list[_Gate] = []
        self._jobs: dict[Copy, int] = {}

    def job(self, copy: Copy) -> int:
        """The gate of a copy: opens with the first that leads to it."""
        if copy not in self._jobs:
            self._jobs[copy] = self._new(1)
        return self._jobs[copy]

    def join(self, gate: int, waiting: int) -> None:
        """Let ``waiting`` count ``gate``."""
        self._gates[gate].waiting.append(waiting)

    def every(self, gates: list[int]) -> int:
        """A gate that opens when all of them are."""
        return self._joined(gates, len(gates))

    def open(self, gate: int) -> None:
        """Let it be open from the start."""
        self._gates[gate].missing = 0

    def grouping(self, grouping: Grouping | None, place: Place) -> int | None:
        """The gate of a grouping; None when it names nothing that has to be done."""
        if grouping is None:
            return None
        all_of = [gate for operator in grouping.and_ if (gate := self._operator(operator, place)) is not None]
        any_of = [gate for operator in grouping.or_ if (gate := self._operator(operator, place)) is not None]
        alternatives = [*([self.every(all_of)] if all_of else []), *any_of]
        inner = self.grouping(grouping.logical_grouping, place)
        needed = [self._joined(alternatives, 1)] if alternatives else []
        needed += [inner] if inner is not None else []
        return self.every(needed) if needed else None

    def _operator(self, operator: Operator, place: Place) -> int | None:
        """The gate of an operator. A job that is not in the context is told elsewhere; here it counts as done."""
        if operator.logical_grouping is not None:
            return self.grouping(operator.logical_grouping, place)
        job = JobId(operator.identifier)
        return self.job(copy_of(self._survey, job, place.number)) if job in place.entries else self._new(0)

    def _new(self, missing: int) -> int:
        self._gates.append(_Gate(missing))
        return len(self._gates) - 1

    def _joined(self, gates: list[int], missing: int) -> int:
        new = self._new(missing)
        for gate in gates:
            self.join(gate, new)
        return new

    def done(self) -> frozenset[Copy]:
        """Open what opens; the copies whose gates are."""
        opened = [number for number, gate in enumerate(self._gates) if gate.missing <= 0]
        for number in opened:  # grows while it is walked
            for waiting in self._gates[number].waiting:
                self._gates[waiting].missing -= 1
                if self._gates[waiting].missing == 0:
                    opened.append(waiting)
        return frozenset(copy for copy, number in self._jobs.items() if self._gates[number].missing <= 0)
