"""When an instance will be complete: by medians, by late runs, and what it has to wait for longest."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.codec import decode
from schemas.documents import JobState
from schemas.estimates import DeadlineState, Estimated, EstimateEnd
from schemas.names import InstanceId, PlanName
from schemas.notifications import Deadlines
from schemas.plan import PlanSource
from schemas.requests import Action, EndInstance, PrepareInstance
from tests.support.nets import net
from tests.support.office import Office, a_plan, at

SECOND = timedelta(seconds=1)
DIAMOND = {"x": [], "short": ["x"], "long": ["x"], "z": ["short", "long"]}
TOOK = {"x": 10, "short": 5, "long": 60, "z": 20}


def estimated(office: Office, instance: str = "", *, each: bool = False) -> Estimated:
    """The answer of the dashboard."""
    one = InstanceId(instance or office.only.id)
    answer = office.ask(EstimateEnd(instance=one, each=each))
    assert answer.ok, answer
    return decode(bytes(answer.data), Estimated)


def play(office: Office, took: dict[str, int], first: str = "x") -> None:
    """The instance, from the submission of its first job to its end; each job as long as given."""
    if first:
        office.act(Action.SUBMIT, first)
    going: dict[str, datetime] = {}
    ends: dict[str, datetime] = {}
    for _ in range(10 * len(took)):
        for job in office.runs():
            if job not in going:
                going[job] = office.now
                ends[job] = office.now + SECOND * took[job]
                office.starts(job)
        left = {job: end for job, end in ends.items() if job in office.runs()}
        if not left:
            return
        job = min(left, key=lambda one: (left[one], one))
        office.now = left[job]
        office.ends(job, started=going[job])


def learned(source: PlanSource, took: dict[str, int], nights: int = 1, first: str = "x") -> Office:
    """A dashboard that has seen such nights, and in which the next instance has just begun."""
    office = Office(at("04-02 06:00"))
    office.imports(source)
    for _ in range(nights):
        play(office, took, first)
        office.ask(EndInstance(instance=office.only.id))
        office.until(office.now + timedelta(hours=2))  # forgotten
        office.start("P")
    return office


def path(found: Estimated) -> list[str]:
    """The names on the critical path."""
    return [one.name for one in found.path]


def test_the_end_is_that_of_the_longest_way() -> None:
    """10 + 60 + 20 seconds from the moment x is submitted."""
    office = learned(net(DIAMOND), TOOK)
    office.act(Action.SUBMIT, "x")

    found = estimated(office)

    assert found.ends == office.now + SECOND * 90
    assert path(found) == ["x", "long", "z"]
    assert (found.unmeasured, found.stuck) == (0, ())


def test_the_estimate_comes_true_and_follows_what_happens() -> None:
    """Each look on the way names the same end when all goes as usual."""
    office = learned(net(DIAMOND), TOOK)
    office.act(Action.SUBMIT, "x")
    office.starts("x")
    begun, wanted = office.now, office.now + SECOND * 90
    office.now += SECOND * 4
    looks = [estimated(office)]
    office.now = begun + SECOND * 10
    office.ends("x", started=begun)
    for job in ("short", "long"):
        office.starts(job)
    office.now = begun + SECOND * 15
    office.ends("short", started=begun + SECOND * 10)
    looks.append(estimated(office))

    assert [look.ends for look in looks] == [wanted, wanted]
    assert path(looks[1]) == ["x", "long", "z"]


NETS = st.integers(2, 7).flatmap(
    lambda count: st.tuples(
        *(
            st.lists(st.sampled_from([f"j{i}" for i in range(at)] + ["|"]), min_size=1, max_size=3, unique=True)
            for at in range(1, count)
        )
    )
)


@settings(max_examples=40)
@given(drawn=NETS, seconds=st.lists(st.integers(1, 30), min_size=7, max_size=7))
def test_an_estimate_made_at_the_start_is_what_comes(drawn: tuple[list[str], ...], seconds: list[int]) -> None:
    """Of any net of ands and ors whose jobs take what they took before."""
    after: dict[str, list[str]] = {"j0": []}
    for number, names in enumerate(drawn, start=1):
        before = [name for name in names if name != "|"] or ["j0"]
        after[f"j{number}"] = ["|".join(before)] if "|" in names and len(before) > 1 else before
    took = {job: seconds[number] for number, job in enumerate(after)}
    office = learned(net(after), took, first="j0")
    office.act(Action.SUBMIT, "j0")
    foreseen = estimated(office, each=True)
    play(office, took, first="")
    ended = {one.name: one.ended for one in office.shown.values() if isinstance(one, JobState)}

    assert {one.name: one.ends for one in foreseen.jobs} == ended
    assert foreseen.ends == max(end for end in ended.values() if end is not None) == office.now


def test_a_job_that_takes_longer_than_ever_may_end_now() -> None:
    """And its successors move on with the clock."""
    office = learned(net({"x": [], "y": ["x"]}), {"x": 10, "y": 5})
    office.act(Action.SUBMIT, "x")
    office.starts("x")
    office.now += SECOND * 1000

    assert estimated(office).ends == office.now + SECOND * 5


def test_late_is_what_nine_of_ten_do_not_exceed() -> None:
    """Once it took ten times as long."""
    office = learned(net({"x": []}), {"x": 10}, nights=4)
    play(office, {"x": 100})
    office.act(Action.RESUBMIT, "x")

    found = estimated(office)

    assert (found.ends, found.ends_late) == (office.now + SECOND * 10, office.now + SECOND * 64)


def test_either_of_two_is_the_first_of_them() -> None:
    """An or needs one alone; the instance is complete once the other one has ended, too."""
    office = learned(net(DIAMOND | {"z": ["short|long"]}), TOOK)
    office.act(Action.SUBMIT, "x")

    found = estimated(office, each=True)

    assert found.jobs[3].ends == office.now + SECOND * 35
    assert found.ends == office.now + SECOND * 70
    assert path(found) == ["x", "long"]


@pytest.mark.parametrize(
    ("action", "why"), [(Action.HOLD, "is held"), (Action.DISABLE, "is disabled"), (Action.SKIP, "")]
)
def test_what_waits_for_a_person_is_named_and_nothing_else(action: Action, why: str) -> None:
    """Not what waits for it in turn; a skipped job takes no time."""
    office = learned(net(DIAMOND), TOOK)
    office.act(action, "long")
    office.act(Action.SUBMIT, "x")

    found = estimated(office)

    assert [(one.job, one.why) for one in found.stuck] == ([("a-long", why)] if why else [])
    assert found.ends == (None if why else office.now + SECOND * 35)


def test_a_failure_and_what_nothing_starts() -> None:
    """Nobody but a person goes on from there."""
    office = learned(net(DIAMOND), TOOK)
    before = estimated(office)
    office.act(Action.SUBMIT, "x")
    office.ends("x", code=1)

    assert [(one.job, one.why) for one in before.stuck] == [("a-x", "is started by nothing but a person")]
    assert [(one.job, one.why) for one in estimated(office).stuck] == [("a-x", "failed")]


def test_without_a_past_the_end_is_the_earliest() -> None:
    """And it is said of how many jobs."""
    office = Office(at("04-02 06:00"))
    office.imports(net(DIAMOND))
    office.act(Action.SUBMIT, "x")

    found = estimated(office)

    assert (found.ends, found.unmeasured) == (office.now, 4)


def test_a_clock_is_read_and_a_file_remembered() -> None:
    """07:00 for the clock job; the file came twenty minutes after the opening."""
    office = Office(at("04-02 06:00"))
    office.imports(a_plan())
    clock = estimated(office)
    other = Office(at("04-02 00:59"))
    other.imports(net({"file": [], "x": ["file"]}))
    other.until(at("04-02 01:20"))
    unknown = estimated(other)
    other.fires("file")
    other.ask(EndInstance(instance=other.only.id))
    other.until(at("04-03 01:05"))
    file = estimated(other, other.instances[-1].id)

    assert clock.ends == at("04-02 07:00")
    assert [one.why for one in unknown.stuck] == ["waits for a file, and none is remembered from before"]
    assert file.ends == at("04-03 01:20")


def test_a_clock_that_does_not_fire_any_more() -> None:
    """The window closes before."""
    office = Office(at("04-02 06:00"))
    office.imports(a_plan(quartzScheduleDrivenJobsDisabledForContext=True))

    assert [(one.job, one.why) for one in estimated(office).stuck] == [("a-q", "is disabled")]


def test_contexts_wait_for_contexts() -> None:
    """No job of the second context starts before the first is complete."""
    job = {"agentName": "a", "jobName": "x"}
    contexts = [
        {"name": "one", "scheduledJobs": [{"agentName": "a", "jobName": "file"}, job]}
        | {"jobDependencies": [{"jobIdentifier": "a-x", "logicalGrouping": {"and": [{"identifier": "a-file"}]}}]},
        {"name": "two", "scheduledJobs": [{"agentName": "a", "jobName": "file2"}]}
        | {"contextDependencies": [{"contextIdentifier": "one"}], "jobDependencies": [{"jobIdentifier": "a-file2"}]},
    ]
    source = net({"file": [], "file2": [], "x": []}, contexts=contexts, scheduledJobs=[], jobDependencies=[])
    office = Office(at("04-02 06:00"))
    office.imports(source)
    office.fires("file2")
    office.fires("file")
    began = office.now
    office.starts("x")
    found = estimated(office)
    office.now += SECOND * 30
    office.ends("x", started=began)

    assert [one.name for one in found.path] == ["file", "x", "file2"]
    assert estimated(office).ends == office.now


def test_every_job_is_told_with_its_own_times() -> None:
    """In the plan's order, for those who draw them."""
    office = learned(net(DIAMOND), TOOK)
    office.act(Action.SUBMIT, "x")
    zero = office.now

    jobs = estimated(office, each=True).jobs

    assert [(one.name, one.order, one.measured) for one in jobs] == [
        ("x", 0, 1),
        ("short", 1, 1),
        ("long", 2, 1),
        ("z", 3, 1),
    ]
    assert [(one.starts, one.ends) for one in jobs] == [
        (zero, zero + SECOND * 10),
        (zero + SECOND * 10, zero + SECOND * 15),
        (zero + SECOND * 10, zero + SECOND * 70),
        (zero + SECOND * 70, zero + SECOND * 90),
    ]


def test_an_instance_that_is_over_tells_what_was() -> None:
    """Its end, and the way that took longest."""
    office = Office(at("04-02 06:00"))
    office.imports(net(DIAMOND))
    play(office, TOOK)
    complete = estimated(office)
    office.ask(EndInstance(instance=office.only.id))

    assert complete.ends == at("04-02 06:01:30")
    assert path(complete) == ["x", "long", "z"]
    assert path(estimated(office)) == ["x", "long", "z"]
    assert estimated(office).ends == office.only.ended


def test_a_prepared_instance_begins_when_it_opens() -> None:
    """The clock of its own day."""
    office = Office(at("04-02 00:30"))
    office.imports(a_plan())
    office.ask(PrepareInstance(plan=PlanName("P")))

    assert estimated(office).ends == at("04-02 07:00")


def test_a_prepared_instance_whose_clock_is_skipped_is_complete_when_it_opens() -> None:
    """What is skipped and waits for nothing is passed over then; what has never run takes no time."""
    office = Office(at("04-02 00:30"))
    office.imports(a_plan())
    office.ask(PrepareInstance(plan=PlanName("P")))
    office.act(Action.SKIP, "q")

    assert estimated(office).ends == at("04-02 01:00")


def test_an_instance_that_is_not_there() -> None:
    """One line."""
    office = Office(at("04-02 06:00"))

    answer = office.ask(EstimateEnd(instance=InstanceId("nix")))

    assert (answer.ok, answer.reason) == (False, "instance 'nix' is unknown; there are none")


@pytest.mark.parametrize(("seconds", "stands"), [(60, DeadlineState.THREATENED), (100, DeadlineState.AHEAD)])
def test_a_deadline_before_the_likely_end_is_threatened(seconds: float, stands: DeadlineState) -> None:
    """The critical path takes 90 seconds."""
    source = net(DIAMOND)
    limit = Deadlines(end_within_seconds=seconds)
    office = learned(replace(source, plan=replace(source.plan, deadlines=limit)), TOOK)
    office.act(Action.SUBMIT, "x")

    assert [one.state for one in estimated(office).deadlines] == [stands]
