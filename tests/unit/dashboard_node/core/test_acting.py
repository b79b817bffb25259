"""What an action of a person changes, and what it leaves alone."""

from __future__ import annotations

from schemas.plan import Parameter, Retry
from schemas.requests import Act, Action
from tests.scenarios.house import House
from tests.scenarios.telling import tell
from tests.support.written import Written

TWICE = Retry(attempts=2, back_off_seconds=60)
TRIED = {"a": {"retry": TWICE}, "b": {"retry": TWICE}}
TWO = "P{C1[u1 a | a<-and(u1)], C2[u2 a | a<-and(u2)]}"


# Hold and release


def test_what_was_remembered_before_a_hold_is_remembered_after_it() -> None:
    """Its context might not start yet when it was held."""
    tell(
        "P{C1[z], C2[q:q b | b<-and(q)]}",
        """
        OK(q) -> q=W
        hold(q) -> q=H
        S(z) -> init{z}
        OK(z) -> q=H
        release(q) -> init{b} q=C
        """,
        gates={"C2": "and(C1)"},
    )


def test_released_while_another_context_runs_it() -> None:
    """One run stands for both: what makes it due here does not start a second one, now or afterwards."""
    begun = """
        S(u1) -> init{u1}
        S(u2) -> init{u2}
        OK(u2) -> init{C2/a}
        release(a)@C1 -> C1/a=W
        """

    tell(TWO, begun + "OK(u1) -> C1/a=W\n OK(a)@C2 -> a=C P=C", held={"C1": "a"})
    tell(TWO, begun + "OK(a)@C2 -> a=C\n OK(u1) -> a=C P=C", held={"C1": "a"})


def test_released_while_the_next_attempt_of_another_contexts_run_waits() -> None:
    """That attempt is what becomes of it."""
    tell(
        TWO,
        """
        S(u1) -> init{u1}
        S(u2) -> init{u2}
        OK(u2) -> init{C2/a}
        KO(a)@C2 -> C1/a=H C2/a=W
        release(a)@C1 -> C1/a=W
        OK(u1) -> C1/a=W
        wait(60s) -> init{C2/a}
        OK(a)@C2 -> a=C P=C
        """,
        held={"C1": "a"},
        jobs=TRIED,
    )


def test_a_release_says_nothing_of_a_context_that_was_not_held() -> None:
    """There the run has used the dependency, and another alternative does not start it again."""
    tell(
        "P{C1[u a | a<-and(u)], C2[x y a | a<-or(x,y)]}",
        """
        S(x) -> init{x}
        S(y) -> init{y}
        OK(x) -> init{C2/a}
        release(a)@C1 -> C1/a=W
        OK(a)@C2 -> a=C
        OK(y) -> a=C
        """,
        held={"C1": "a"},
    )


def test_released_before_its_context_may_start() -> None:
    """It is remembered on, and starts once."""
    tell(
        "P{C0[z], C1[x y b | b<-or(x,y)]}",
        """
        hold(b) -> b=H
        S(x) -> init{x}
        OK(x) -> b=H
        release(b) -> b=W
        S(y) -> init{y}
        OK(y) -> b=W
        S(z) -> init{z}
        OK(z) -> init{b}
        OK(b) -> P=C
        """,
        gates={"C1": "and(C0)"},
    )


# Skip and unskip


def test_skipped_while_its_next_attempt_waits() -> None:
    """It had been started already: it is passed over at once, though its dependency does not hold."""
    told = tell("P[a b | b<-and(a)]", "submit(b) -> init{b}\n KO(b) -> b=W\n skip(b) -> b=KC", jobs=TRIED)

    assert told.play.world.machine.copies[1].reason == "skipped"


def test_skipped_in_one_context_says_nothing_of_another() -> None:
    """Where somebody holds it, and its dependency holds without having been used, nothing is remembered by that."""
    tell(
        TWO,
        """
        S(u2) -> init{u2}
        KO(u2) -> u2=E
        ack(u2) -> u2=Ea C2/a=H
        skip(a)@C1 -> C1/a=K C2/a=H
        release(a)@C2 -> C2/a=W
        """,
        held={"C2": "a"},
    )


def test_unskipped_it_tells_nothing_of_having_been_passed_over() -> None:
    """No end, no reason; the audit trail says what happened."""
    office = Written("P[a]")
    office.act(Action.SKIP, "a")
    skipped = office.jobs("a")[0]
    office.act(Action.UNSKIP, "a")

    assert (skipped.reason, skipped.ended) == ("skipped", office.now)
    assert (office.jobs("a")[0].reason, office.jobs("a")[0].ended) == ("", None)
    assert office.of_job("a")[-1] == ("SKIPPED_COMPLETE", "WAITING", "unskipped")


# Reset of what was passed over though nobody skipped it


def test_what_a_blackout_passed_over_can_be_done_again() -> None:
    """It has ended like any other: reset, it waits for its time; resubmitted, it happens, and others are not started twice."""
    passed = "OK(q) outcome=EXECUTION_IGNORED_INSIDE_BLACKOUT_WINDOW -> init{a} q=KC\n OK(a) -> a=C P=C"
    tell("P[q:q a | a<-and(q)]", f"{passed}\n reset(q) -> q=W a=C P=R\n OK(q) -> q=C P=C")
    tell("P[q:q a | a<-and(q)]", f"{passed}\n resubmit(q) -> q=C a=C P=C")
    tell("P[q:q a | a<-and(q)]", f"{passed}\n unskip(q) -> q=W a=C P=R")


def test_a_command_that_was_left_out_on_its_day_can_be_done_again() -> None:
    """The agent decides anew whether this is its day."""
    passed = "submit(a) -> init{a}\n OK(a) outcome=EXECUTION_INVOKED_IGNORED_DAY_OF_WEEK -> a=KC"
    tell("P[a]", f"{passed}\n reset(a) -> a=W\n submit(a) -> init{{a}}\n OK(a) -> a=C P=C")
    tell("P[a]", f"{passed}\n resubmit(a) -> init{{a}}\n OK(a) -> a=C P=C")


def test_what_a_person_skipped_is_unskipped_also_when_a_blackout_would_have_passed_it_over() -> None:
    """The skip is to be taken back first, whatever else there was."""
    tell("P[q:q]", "skip(q) -> q=KC\n reset(q) -> refused q=KC\n resubmit(q) -> refused q=KC\n unskip(q) -> q=W")


# Disable and enable


def test_enabling_another_job_leaves_the_clocks_disabled() -> None:
    """They are disabled as one: a person may submit each of them still."""
    tell(
        "P[q:q a]",
        "disable(a) -> a=D q=D\n enable(a) -> a=W q=D\n submit(q) -> q=C",
        quartz_schedule_driven_jobs_disabled_for_context=True,
    )


def test_only_clocks_may_be_submitted_while_they_are_disabled() -> None:
    """Any other job has to wait for that."""
    tell(
        "P[q:q a]",
        "hold(a) -> a=H\n submit(a) -> refused a=H",
        quartz_schedule_driven_jobs_disabled_for_context=True,
    )


def test_enabled_in_one_context_it_does_not_happen_in_another_again() -> None:
    """There it was passed over before."""
    tell(
        "P{C1[u1 a | a<-and(u1)], C2[u2 a r* | a<-and(u2), r<-and(a)]}",
        """
        S(u2) -> init{u2}
        OK(u2) -> init{r} C2/a=KC
        OK(r) ->
        disable(a)@C1 -> C1/a=D C2/a=KC
        enable(a)@C1 -> C1/a=W C2/a=KC
        """,
        skipped={"C2": "a"},
    )


def test_an_enabled_clock_does_not_follow_a_dependency() -> None:
    """Nor when somebody wrote one for it that holds."""
    tell("P[a q:q | q<-and(a)]", "disable(q) -> q=D\n S(a) -> init{a}\n OK(a) -> q=D\n enable(q) -> q=W")


# Submit and resubmit


def test_submitted_while_its_lock_is_taken_it_is_not_started_by_its_dependency_as_well() -> None:
    """The person stood in for that."""
    tell(
        "P[a b x | b<-and(a)]",
        """
        S(x) -> init{x}
        S(a) -> init{a}
        submit(b) -> b=Q
        OK(a) -> b=Q
        OK(x) -> init{b}
        OK(b) -> b=C P=C
        """,
        locks="L{b x}",
    )


def test_submitted_what_was_remembered_it_does_not_start_again_when_its_context_may() -> None:
    """Though it waits for a lock then."""
    tell(
        "P{C0[z], C1[u b | b<-and(u)], C2[x]}",
        """
        S(u) -> init{u}
        OK(u) -> b=W
        S(x) -> init{x}
        submit(b) -> b=Q
        S(z) -> init{z}
        OK(z) -> C0=C b=Q
        OK(x) -> init{b}
        OK(b) -> P=C
        """,
        gates={"C1": "and(C0)"},
        locks="L{b x}",
    )


def test_submitted_while_its_next_attempt_waits_it_is_not_tried_again_beside_that() -> None:
    """Though it waits for a lock when that would have come."""
    tell(
        "P[a x]",
        """
        S(a) -> init{a}
        KO(a) -> a=W
        S(x) -> init{x}
        submit(a) -> a=Q
        wait(60s) -> a=Q
        OK(x) -> init{a}
        OK(a) -> P=C
        """,
        jobs=TRIED,
        locks="L{a x}",
    )


def test_a_submitted_job_is_not_its_predecessors_any_more() -> None:
    """Its own next attempt is held; reset of the job that had made it due before does not take that back."""
    tell(
        "P[a b | b<-and(a)]",
        """
        S(a) -> init{a}
        OK(a) -> init{b}
        KO(b) -> b=W
        submit(b) -> init{b}
        KO(b) -> b=W
        hold(b) -> b=H
        reset(a) -> a=W b=H
        release(b) -> init{b}
        """,
        jobs={"b": {"retry": Retry(attempts=3, back_off_seconds=60)}},
    )


def test_a_result_and_another_attempt_of_a_job_skipped_elsewhere_are_one_run() -> None:
    """It waits for a lock when the attempt would have come; the context that skips it does not start it then."""
    tell(
        "P{C1[q:q a* | a<-and(q)], C2[u a* x | a<-and(u)]}",
        """
        OK(q) -> init{C1/a}
        KO(a)@C1 -> C1/a=W
        S(x) -> init{x}
        OK(q) -> C1/a=Q
        wait(60s) -> C1/a=Q
        OK(x) -> init{C1/a}
        OK(a)@C1 -> C1/a=C
        """,
        jobs=TRIED,
        skipped={"C2": "a"},
        locks="L{a x}",
    )


def test_a_submitted_global_event_is_raised_once() -> None:
    """And counts as raised: what would make it due comes too late."""
    house = House()
    house.open("A", "A[a g:g | g<-and(a)]")
    house.open("B", "B[g:g f* | f<-and(g)]")

    assert house.act(Action.SUBMIT, "A.g") == ["B.f"]
    house.ended("B.f")
    house.act(Action.SUBMIT, "A.a")
    assert house.ended("A.a") == []


# Reset, kill, acknowledge, continue


def test_a_reset_job_has_nothing_behind_it() -> None:
    """What its runs left is gone but how many there were; the next one begins a new round, and nothing waits to follow it."""
    office = Written("P[q:q a* | a<-and(q)]", jobs=TRIED)
    office.fires("q", agent="north")
    office.starts("a")
    office.fires("q", 2, agent="north")
    office.ends("a", code=1)
    before = office.copy("a")
    office.act(Action.RESET, "a")

    fresh = office.copy("a")
    assert (before.return_code, before.tries, before.again) == (1, 1, 1)
    assert (fresh.started, fresh.ended, fresh.return_code, fresh.reason) == (None, None, None, "")
    assert (fresh.tries, fresh.again, fresh.retry_at, fresh.attempt) == (0, 0, None, 1)


def test_a_reset_failure_is_not_acknowledged() -> None:
    """It waits, and the audit trail says why."""
    office = Written("P[a]")
    office.act(Action.SUBMIT, "a")
    office.ends("a", code=1)
    office.act(Action.ACKNOWLEDGE, "a")
    office.act(Action.RESET, "a")

    assert not office.jobs("a")[0].acknowledged
    assert office.of_job("a")[-1] == ("ERROR_ACKNOWLEDGED", "WAITING", "reset")


def test_a_reset_job_does_not_start_outside_of_the_queue_it_left() -> None:
    """It asks for its lock anew, with no value of the run that it had been submitted for."""
    office = Written(
        "P[q:q a* x | a<-and(q)]", locks="L{a x}", jobs={"a": {"context_parameters": (Parameter(name="p"),)}}
    )
    office.act(Action.SUBMIT, "x")
    job = office.jobs("a")[0].job
    office.ask(Act(action=Action.SUBMIT, instance=office.only.id, job=job, parameters={"p": "1"}))
    queued = office.copy("a")
    office.act(Action.RESET, "a")
    left = office.copy("a")
    office.ends("x")
    nothing = office.runs()
    office.fires("q", agent="north")

    assert (queued.queued > 0, queued.queued_at) == (True, office.now)
    assert (left.queued, left.queued_at, left.raised) == (0, None, False)
    assert nothing == {}
    assert office.run_of("a").parameters == {"p": None}


def test_an_acknowledged_failure_has_the_ticket_and_the_reason_in_the_audit_trail() -> None:
    """Either, or both."""
    said = []
    for ticket, message in (("T-1", ""), ("", "known"), ("T-1", "known")):
        office = Written("P[a]")
        office.act(Action.SUBMIT, "a")
        office.ends("a", code=1)
        job = office.jobs("a")[0].job
        one = office.only.id
        assert office.ask(Act(action=Action.ACKNOWLEDGE, instance=one, job=job, ticket=ticket, message=message)).ok
        said.append(office.of_job("a")[-1])

    assert said == [("ERROR", "ERROR_ACKNOWLEDGED", detail) for detail in ("T-1", "known", "T-1 known")]


def test_continuing_stands_in_the_audit_trail_for_each_context_with_the_failed_job() -> None:
    """What starts because of it may start much later, and whoever looks for the reason looks there."""
    office = Written("P{C1[a b | b<-and(a)], C2[a c | c<-and(a)]}")
    office.act(Action.SUBMIT, "a")
    office.ends("a", code=1)
    office.act(Action.CONTINUE, "a")

    rows = [row for row in office.audit if row.detail == "continued downstream"]
    assert [(row.kind, row.context, row.job) for row in rows] == [("job", "C1", "north-a"), ("job", "C2", "north-a")]
    assert {row.instance for row in rows} == {office.only.id}
