"""Runs of command jobs: what is saved and shown of them from the asking to the end, and what is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from broker.runtime.core import Tick
from schemas.addresses import AssignmentAt, JobAt
from schemas.blockers import BlockerKind
from schemas.documents import JobState
from schemas.names import PlanName
from schemas.plan import Parameter, Retry
from schemas.requests import Action, MoveEnd
from schemas.status import ContextStatus, Outcome, RunPhase
from tests.scenarios.house import House
from tests.scenarios.telling import Telling, tell
from tests.support.groups import NORTH, SOUTH, a_floor
from tests.support.office import at
from tests.support.written import Written

TWICE = Retry(attempts=2, back_off_seconds=60)
MINUTE = timedelta(minutes=1)


# Waiting for locks


def since(told: Telling) -> set[datetime | None]:
    """Since when the job ``a`` waits for a lock, by the documents of all its contexts."""
    jobs = [
        shown for shown in dict(told.core.documents()).values() if isinstance(shown, JobState) and shown.name == "a"
    ]
    return {one.since for shown in jobs for one in shown.blockers if one.kind is BlockerKind.LOCK}


def test_a_queued_job_says_since_when_it_waits_this_time() -> None:
    """Not since when it waited the last time, in another context."""
    told = tell("P{C1[q:q a* | a<-and(q)], C2[f:f a* x | a<-and(f)]}", "S(x) -> init{x}\n OK(q) -> a=Q", locks="L{a x}")
    early, first = since(told), told.play.world.now
    told.tell("OK(x) -> init{C1/a}")
    handed = {copy.queued_at for copy in told.play.world.machine.copies}
    told.tell("OK(a)@C1 -> a=C\n wait(60s) ->\n resubmit(x) -> init{x}\n OK(f) -> a=Q")

    assert (early, handed) == ({first}, {None})
    assert since(told) == {told.play.world.now}
    assert told.play.world.now > first


def test_a_result_takes_the_place_of_a_retry() -> None:
    """A repeatable job that is made due while its next attempt waits starts then, and is not tried again beside that."""
    retried = {"a": {"retry": TWICE}}
    tell(
        "P[q:q a* | a<-and(q)]",
        "OK(q) -> init{a}\n KO(a) -> a=W\n OK(q) -> init{a}\n wait(60s) -> a=W\n OK(a) -> a=C P=C\n wait(60s) -> a=C",
        jobs=retried,
    )
    tell(
        "P[q:q a* x | a<-and(q)]",
        """
        OK(q) -> init{a}
        KO(a) -> a=W
        S(x) -> init{x}
        OK(q) -> a=Q
        wait(60s) -> a=Q
        OK(x) -> init{a}
        OK(a) -> a=C P=C
        """,
        jobs=retried,
        locks="L{a x}",
    )


def test_what_is_remembered_while_a_job_waits_for_a_lock_is_one_run() -> None:
    """It came before the run began: nothing is left to start when the other context may."""
    tell(
        "P{C0[z], C1[q:q a* x | a<-and(q)], C2[u a* | a<-and(u)]}",
        """
        S(x) -> init{x}
        OK(q) -> a=Q
        S(u) -> init{u}
        OK(u) -> a=Q
        S(z) -> init{z}
        OK(x) -> init{C1/a}
        OK(z) -> C0=C
        OK(a)@C1 -> a=C P=C
        """,
        gates={"C2": "and(C0)"},
        locks="L{a x}",
    )


def test_a_lock_is_handed_to_nobody_whose_window_closes_in_that_moment() -> None:
    """Three instances: the first two close together; the lock goes to the third at once (S2)."""
    house = House()
    for name in "ABC":
        house.open(name, f"{name}[x]", locks="L{x}")
        house.act(Action.SUBMIT, f"{name}.x")
    closes = house.now + timedelta(minutes=5)
    for name in "AB":
        assert house.ask(MoveEnd(instance=house.instances[name], closes=closes)).ok
    assert house.locks() == {"L": (["A.x"], ["B.x", "C.x"])}

    house.step(Tick(closes))

    assert house.locks() == {"L": (["C.x"], [])}
    assert [run.instance for run in house.core.state.runs.values()] == [house.instances["A"], house.instances["C"]]


def test_jobs_of_an_instance_that_ends_keep_nobody_from_a_lock() -> None:
    """They wait before the one of another instance, and let it go first."""
    house = House()
    house.open("A", "A[x]", locks="L:3{x}")
    house.open("B", "B[b c]", locks="L:3{b:3 c}")
    house.open("C", "C[d]", locks="L:3{d}")
    for path in ("A.x", "B.b", "B.c", "C.d"):
        house.act(Action.SUBMIT, path)
    assert house.locks() == {"L": (["A.x"], ["B.b", "B.c", "C.d"])}

    assert house.end("B") == ["C.d"]
    assert house.locks() == {"L": (["A.x", "C.d"], [])}


def test_a_job_that_only_a_script_knows_to_have_run_waits_for_its_lock_once() -> None:
    """Played by ``simulate``, without having been started: its dependency does not make it due a second time."""
    tell(
        "P[a b x | b<-and(a)]",
        "S(x) -> init{x}\n OK(b) -> refused b=Q\n S(a) -> init{a}\n OK(a) -> b=Q\n OK(x) -> init{b}\n OK(b) -> P=C",
        locks="L{b x}",
    )


# Handed over


def test_a_new_run_begins_with_nothing_of_the_last_one() -> None:
    """Times, return code, reason: a repeatable job that follows again shows none of them before it has started."""
    office = Written("P[q:q a* | a<-and(q)]")
    office.fires("q", agent="north")
    run = office.run_of("a")
    office.says(run, RunPhase.RUNNING)
    office.says(run, RunPhase.ENDED, outcome=Outcome.FAILED, return_code=3, reason="no space")
    failed = office.jobs("a")[0]
    office.fires("q", 2, agent="north")

    [shown] = office.jobs("a")
    assert (failed.return_code, failed.reason) == (3, "no space")
    assert (failed.started, failed.ended) == (office.now, office.now)
    assert (shown.attempt, shown.started, shown.ended, shown.return_code, shown.reason) == (2, None, None, None, "")


def test_a_run_is_never_numbered_as_one_before_it() -> None:
    """The disk is lost, and of one of a job's two contexts an older document stands (S1)."""
    office = Written("P{C1[a | a<-], C2[a | a<-]}")
    older = {address: shown for address, shown in office.shown.items() if isinstance(shown, JobState)}
    for _ in range(2):
        office.act(Action.RESUBMIT, "a")
        office.ends("a")
    [behind] = [one for one in older if isinstance(one, JobAt) and one.context == "C1"]
    office.shown[behind] = older[behind]

    office.lose_disk()
    office.act(Action.RESUBMIT, "a")

    assert office.runs()["a"].attempt == 3


def test_a_release_of_which_only_the_assignment_is_shown_is_not_forgotten() -> None:
    """The disk is lost after the assignment of a released job had reached the broker, and before its document did (S6)."""
    office = Written("P[q:q a | a<-and(q)]")
    office.act(Action.HOLD, "a")
    office.fires("q", agent="north")
    held = {address: shown for address, shown in office.shown.items() if isinstance(shown, JobState)}
    office.act(Action.RELEASE, "a")
    run = office.run_of("a").id
    office.shown |= held

    office.lose_disk()

    assert (office.run_of("a").id, office.status("a")) == (run, "WAITING")
    assert not office.jobs("a")[0].held


def test_the_end_of_an_older_run_is_not_that_of_the_newest() -> None:
    """The disk is lost while both assignments of a run that moved stand, and the job's document is older than they.

    The older one had not been told to start, or it would not have moved: it is forgotten, and with it its assignment.
    """
    floor = a_floor(NORTH, SOUTH)
    before = dict(floor.shown)
    floor.act(Action.SUBMIT, "any:db-c")
    old = floor.run("c")
    first = floor.shown[AssignmentAt(NORTH, old.id)]
    floor.hears(NORTH, alive=False)
    floor.until(floor.now + 5 * MINUTE)
    newest = floor.run("c")
    floor.shown |= {AssignmentAt(NORTH, old.id): first} | {
        address: shown for address, shown in before.items() if isinstance(shown, JobState)
    }

    floor.lose_disk()
    floor.says(old, RunPhase.ENDED, outcome=Outcome.WITHDRAWN)

    assert newest.agent == SOUTH
    assert old.id not in floor.core.state.runs
    assert AssignmentAt(NORTH, old.id) not in floor.shown
    assert floor.status("c") == "WAITING"
    assert floor.run("c").id == newest.id


def test_dates_among_a_runs_values_are_those_of_the_plans_zone() -> None:
    """It is noon in UTC, and the next day in Auckland."""
    office = Written("P[a]", jobs={"a": {"context_parameters": (Parameter(name="day"),)}}, timezone="Pacific/Auckland")
    office.core.state.properties = {PlanName("P"): {"day": "today"}}
    office.act(Action.SUBMIT, "a")

    assert office.run_of("a").parameters == {"day": "2026-04-03"}


# Reported


def test_a_run_that_has_begun_is_not_accepted_any_more() -> None:
    """A report that comes late does not take it back."""
    floor = a_floor(NORTH, SOUTH)
    floor.act(Action.SUBMIT, "any:db-c")
    floor.begins("c")

    floor.says(floor.run("c"), RunPhase.ACCEPTED)

    assert floor.run("c").phase is RunPhase.RUNNING
    assert floor.status("c") == "RUNNING"


def test_a_run_begins_when_its_agent_says() -> None:
    """Or now, when it does not say."""
    for said in (at("04-02 11:59"), None):
        office = Written("P[a]")
        office.act(Action.SUBMIT, "a")
        office.says(office.run_of("a"), RunPhase.RUNNING, started=said)

        began = said or office.now
        assert (office.run_of("a").started, office.copy("a").started) == (began, began)
        assert office.copy("a").reason == ""


def test_an_end_tells_of_a_beginning_nobody_saw() -> None:
    """And of a run that was only pretended."""
    office = Written("P[a]")
    office.act(Action.SUBMIT, "a")
    began = at("04-02 11:59")
    office.says(
        office.run_of("a"), RunPhase.ENDED, outcome=Outcome.SUCCEEDED, return_code=0, started=began, dry_run=True
    )

    [shown] = office.jobs("a")
    assert (shown.started, shown.ended, shown.return_code, shown.dry_run) == (began, office.now, 0, True)


def test_an_end_without_an_outcome_is_a_failure() -> None:
    """An agent that knows no better."""
    office = Written("P[a]")
    office.act(Action.SUBMIT, "a")
    office.says(office.run_of("a"), RunPhase.ENDED)

    assert (office.run_of("a").outcome, office.status("a")) == (Outcome.FAILED, "ERROR")


def test_a_job_that_runs_again_is_not_acknowledged() -> None:
    """What was acknowledged was the failure before."""
    office = Written("P[q:q a* | a<-and(q)]")
    office.fires("q", agent="north")
    office.ends("a", code=1)
    office.act(Action.ACKNOWLEDGE, "a")
    before = office.jobs("a")[0].acknowledged
    office.fires("q", 2, agent="north")
    office.starts("a")

    assert (before, office.jobs("a")[0].acknowledged) == (True, False)


# Lost, killed, withdrawn


@pytest.mark.parametrize("killed", [False, True])
def test_a_lost_run_is_an_error_and_is_not_tried_again(*, killed: bool) -> None:
    """It may have done its work. So it is when somebody has asked to kill it."""
    office = Written("P[a]", jobs={"a": {"retry": TWICE}})
    office.hears_presence("north")
    office.act(Action.SUBMIT, "a")
    run = office.run_of("a")
    began = office.now
    office.says(run, RunPhase.RUNNING, started=began, dry_run=True)
    if killed:
        office.act(Action.KILL, "a")
    office.until(office.now + MINUTE)
    office.forgets(run)

    lost = office.run_of("a")
    assert (lost.outcome, lost.started, lost.ended, lost.dry_run) == (Outcome.LOST, began, office.now, True)
    assert (office.status("a"), office.copy("a").reason) == ("ERROR", "lost: north has forgotten it")
    assert office.jobs("a")[0].dry_run


def test_a_run_that_its_agent_withdrew_is_not_tried_again() -> None:
    """It has not failed; the agent says why it never began."""
    office = Written("P[a]", jobs={"a": {"retry": TWICE}})
    office.act(Action.SUBMIT, "a")
    office.says(office.run_of("a"), RunPhase.ENDED, outcome=Outcome.WITHDRAWN, reason="taken back before it began")

    assert (office.status("a"), office.copy("a").retry_at) == ("KILLED", None)
    assert office.of_job("a") == [("WAITING", "KILLED", "taken back before it began")]


def test_a_run_that_was_not_started_anywhere_is_killed_at_once() -> None:
    """Its agent was not told to start it: nobody has to be waited for."""
    floor = a_floor(NORTH, SOUTH)
    floor.act(Action.SUBMIT, "any:db-c")
    run = floor.run("c")
    assert floor.act(Action.KILL, "any:db-c").ok

    ended = floor.core.state.runs[run.id]
    assert (ended.outcome, ended.stop_reason, floor.status("c")) == (Outcome.KILLED, "killed by ann", "KILLED")
    assert floor.job("c").reason == "killed by ann"


def test_a_run_that_moves_was_withdrawn() -> None:
    """The old one has ended then, and the audit trail says why it was taken back."""
    floor = a_floor(NORTH, SOUTH)
    floor.act(Action.SUBMIT, "any:db-c")
    before = floor.run("c")
    floor.hears(NORTH, alive=False)
    floor.until(floor.now + 5 * MINUTE)

    old = floor.core.state.runs[before.id]
    row = next(row for row in floor.audit if row.kind == "run" and row.run == before.id and row.after == "withdrawn")
    assert (old.outcome, old.ended) == (Outcome.WITHDRAWN, floor.now)
    assert (row.instance, row.detail) == (floor.only.id, "taken back: north is gone since 2026-03-02 12:00:00Z")


# Tried again


@pytest.mark.parametrize(("code", "again"), [(75, True), (1, False)])
def test_only_the_return_codes_of_the_policy_are_tried_again(code: int, *, again: bool) -> None:
    """If it names any."""
    office = Written("P[a]", jobs={"a": {"retry": Retry(attempts=2, return_codes=(75,))}})
    office.act(Action.SUBMIT, "a")
    office.ends("a", code=code)

    assert (office.copy("a").retry_at is not None) is again
    assert office.status("a") == ("WAITING" if again else "ERROR")


def test_each_round_has_all_its_attempts() -> None:
    """After the last failure, and after a kill, attempts are counted anew."""
    jobs = {"a": {"retry": TWICE}}
    first = "OK(q) -> init{a}\n KO(a) -> a=W\n wait(60s) -> init{a}\n"
    again = "OK(q) -> init{a}\n KO(a) -> a=W\n"

    tell("P[q:q a* | a<-and(q)]", first + "KO(a) -> a=E\n" + again, jobs=jobs)
    tell("P[q:q a* | a<-and(q)]", first + "S(a) -> a=R\n kill(a) ->\n KO(a) -> a=X\n" + again, jobs=jobs)


def test_an_attempt_that_is_due_when_its_instance_closes_is_not_made() -> None:
    """Ends come first (S2)."""
    office = Written("P[a]", jobs={"a": {"retry": TWICE}})
    office.act(Action.SUBMIT, "a")
    office.ends("a", code=1)
    closes = office.now + MINUTE
    office.ask(MoveEnd(instance=office.only.id, closes=closes))
    due = office.copy("a").retry_at

    office.until(closes)

    assert due == closes
    assert (office.only.status, office.runs()) == (ContextStatus.ENDED, {})
