"""The context machine where several things meet: each of these went wrong once."""

from __future__ import annotations

from schemas.plan import Parameter, Retry
from schemas.requests import Action
from tests.scenarios.house import House
from tests.scenarios.telling import tell

TWICE = Retry(attempts=2, back_off_seconds=60)


def test_a_plan_is_not_complete_while_a_run_is_about_to_be_asked_for() -> None:
    """Else a plan that ends upon completion would end before its last job has started."""
    told = tell(
        "P[a b c z | c<-or(a,b), b<-and(z)]",
        "S(a) -> init{a}\n OK(a) -> init{c}\n OK(c) -> P=R\n S(z) -> init{z}\n OK(z) -> init{b} P=R\n OK(b) -> P=ENDED",
        end_job_plan_upon_completion=True,
    )

    assert told.core.state.instances[told.play.world.instance].result == "COMPLETE"


def test_continue_starts_a_repeatable_job_again() -> None:
    """Even when nothing else about it changes."""
    tell(
        "P[a b* | b<-and(a)]", "S(a) -> init{a}\n KO(a) ->\n continue(a) -> init{b}\n OK(b) ->\n continue(a) -> init{b}"
    )


def test_skipped_from_the_start_in_two_contexts() -> None:
    """It is passed over once, so that a repeatable job after it runs once."""
    text = "P{C1[a b* | b<-and(a)], C2[a]}"
    tell(text, "then -> a=KC\n OK(b) -> b=C P=C", skipped={"C1": "a", "C2": "a"})


def test_a_retry_runs_where_it_ran_before() -> None:
    """In the context whose dependency started it, with the values that were given for it."""
    told = tell(
        "P{C1[x1 x2 x3 x4 x5 x6 x7 x8 x9 u a | a<-and(u)], C2[a b | b<-and(a)]}",
        "submit(a)@C1 p=X -> init{C1/a}\n KO(a)@C1 -> a=W C1=R\n wait(60s) -> init{C1/a}\n KO(a)@C1 -> a=E",
        jobs={"a": {"retry": TWICE, "context_parameters": (Parameter(name="p"),)}},
    )

    assert [run.parameters for run in told.core.state.runs.values()] == [{"p": "X"}, {"p": "X"}]


def test_a_repeatable_job_that_will_be_tried_again_first_finishes_that() -> None:
    """What came while it was busy runs after its last attempt."""
    tell(
        "P[q:q a* | a<-and(q)]",
        "OK(q) -> init{a}\n OK(q) ->\n KO(a) -> a=W\n wait(60s) -> init{a}\n KO(a) -> init{a}\n OK(a) -> a=C P=C",
        jobs={"a": {"retry": TWICE}},
    )


def test_a_new_failure_is_not_acknowledged() -> None:
    """Also when nobody has seen its run start."""
    tell(
        "P[q:q a* | a<-and(q)]",
        "OK(q) -> init{a}\n KO(a) ->\n ack(a) -> a=Ea P=C\n OK(q) -> init{a}\n KO(a) -> a=E P=E",
    )


GATED = "P{C1[a], C2[q:q b | b<-and(q)]}"
GATE = {"C2": "and(C1)"}


def test_a_disabled_job_does_not_start_when_its_context_may() -> None:
    """It starts when it is enabled."""
    tell(
        GATED,
        "OK(q) -> q=W\n disable(q) -> q=D\n S(a) -> init{a}\n OK(a) -> q=D b=W\n enable(q) -> init{b} q=C\n OK(b) -> P=C",
        gates=GATE,
    )


def test_a_retry_of_a_job_that_is_disabled_meanwhile() -> None:
    """It is made up for when the job is enabled."""
    tell(
        "P[a]",
        "S(a) -> init{a}\n KO(a) ->\n disable(a) -> a=D\n wait(2m) -> a=D\n enable(a) -> init{a}",
        jobs={"a": {"retry": TWICE}},
    )


def test_a_disabled_event_does_not_happen() -> None:
    """Whoever raises it."""
    house = House()
    house.open("A", "A[a g:g b | g<-and(a), b<-and(g)]")
    house.open("B", "B[g:g c | c<-and(g)]")
    house.act(Action.DISABLE, "B.g")

    assert house.raise_event("g") == ["A.b"]
    assert house.status("B.g") == "DISABLED"


def test_two_contexts_that_may_begin_at_once_run_a_shared_job_once() -> None:
    """What was remembered in both is one run."""
    tell(
        "P{C0[z], C1[u1 a | a<-and(u1)], C2[u2 a | a<-and(u2)]}",
        """
        S(u1) -> init{u1}
        S(u2) -> init{u2}
        S(z) -> init{z}
        OK(u1) ->
        OK(u2) ->
        OK(z) -> init{C1/a}
        OK(a)@C1 -> P=C
        """,
        gates={"C1": "and(C0)", "C2": "and(C0)"},
    )


def test_held_in_one_context_only() -> None:
    """The other one starts it; released, it is not started again."""
    tell(
        "P{C1[u1 a | a<-and(u1)], C2[u2 a | a<-and(u2)]}",
        """
        S(u1) -> init{u1}
        S(u2) -> init{u2}
        OK(u1) -> C1/a=H
        OK(u2) -> init{C2/a}
        OK(a)@C2 -> C1/a=C C2/a=C P=C
        """,
        held={"C1": "a"},
    )


def test_released_in_two_contexts() -> None:
    """What was remembered in both is one run."""
    tell(
        "P{C1[u1 a | a<-and(u1)], C2[u2 a | a<-and(u2)]}",
        """
        hold(a)@C1 ->
        S(u1) -> init{u1}
        S(u2) -> init{u2}
        OK(u1) ->
        OK(u2) -> a=H
        release(a)@C1 -> init{C1/a}
        OK(a)@C1 -> P=C
        """,
    )


def test_a_clock_that_fires_in_one_context_while_held() -> None:
    """Released, it has fired there alone."""
    tell("P{C1[q:q], C2[q:q]}", "hold(q)@C1 -> q=H\n OK(q)@C2 -> q=H\n release(q)@C1 -> C1/q=W C2/q=C")


def test_a_job_passed_over_in_one_context_while_it_runs_for_another() -> None:
    """It stays passed over there, however the run ends."""
    tell(
        "P{C1[u1 a* | a<-and(u1)], C2[u2 a* | a<-and(u2)]}",
        """
        S(u1) -> init{u1}
        S(u2) -> init{u2}
        OK(u1) -> init{C1/a}
        S(a)@C1 -> C1/a=R C2/a=K
        OK(u2) -> C2/a=KC C2=C
        KO(a)@C1 -> C1/a=E C2/a=KC C1=E C2=C
        """,
        skipped={"C2": "a"},
    )


def test_a_gate_that_opens_because_a_context_is_complete_no_more() -> None:
    """``not`` in a gate is looked at again then."""
    tell(
        "P{C1[a], C2[q:q b | b<-and(q)]}",
        "S(a) -> init{a}\n OK(a) -> C1=C\n OK(q) -> q=W\n reset(a) -> init{b} C1=W q=C",
        gates={"C2": "not(C1)"},
    )


def test_event_jobs_that_raise_each_other_for_ever_are_cut_off() -> None:
    """Such a plan is refused; one that got in anyway does not stop the dashboard."""
    told = tell(
        "P[a b* c* | b<-or(a,c), c<-or(b)]",
        "S(a) -> init{a}\n OK(a) -> b=KC c=KC",
        skipped={"P": "b c"},
    )

    assert not told.play.world.machine.unsettled


def test_names_shared_by_agents() -> None:
    """A repeatable job follows one of the same name on another agent, every time."""
    tell(
        "P[q:q a* br:x | a<-and(q), x<-and(a)]", "OK(q) -> init{a}\n OK(a) -> x=C\n OK(q) -> init{a}\n OK(a) -> x=C P=C"
    )


def test_a_job_decided_in_two_of_three_contexts() -> None:
    """In the third it says nothing about how the context stands."""
    tell(
        "P{C1[u1 a | a<-and(u1)], C2[u2 a | a<-and(u2)], C3[a b | b<-and(a)]}",
        "S(u1) -> init{u1}\n OK(u1) -> init{C1/a}\n KO(a)@C1 -> a=E C1=E C2=E C3=W P=E",
    )


def test_passed_over_while_its_next_attempt_waits() -> None:
    """In the context where it is skipped nothing is under way any more; the attempt is the other context's."""
    tell(
        "P{C1[u1 a* | a<-and(u1)], C2[u2 a* | a<-and(u2)]}",
        """
        S(u1) -> init{u1}
        S(u2) -> init{u2}
        OK(u1) -> init{C1/a}
        KO(a)@C1 -> C1/a=W C2/a=K
        OK(u2) -> C2/a=KC C1=R C2=C
        wait(60s) -> init{C1/a}
        OK(a)@C1 -> C1/a=C C2/a=KC P=C
        """,
        jobs={"a": {"retry": TWICE}},
        skipped={"C2": "a"},
    )


def test_passed_over_while_it_runs_where_it_only_resides() -> None:
    """A person started it in a context that decides nothing: there it runs on."""
    tell(
        "P{C1[u a* | a<-and(u)], C2[a b | b<-and(a)]}",
        """
        submit(a)@C2 -> init{C2/a}
        S(a)@C2 -> C2/a=R
        S(u) -> init{u}
        OK(u) -> C1/a=KC C2/a=R
        OK(a)@C2 -> init{b} C2/a=C
        """,
        skipped={"C1": "a"},
    )


def test_passed_over_with_the_contexts_that_skip_it_too() -> None:
    """One job stands for all of them; where it is not skipped it waits for its own dependency."""
    told = tell(
        "P{C1[u1 a | a<-and(u1)], C2[u2 a | a<-and(u2)], C3[u3 a | a<-and(u3)]}",
        "S(u1) -> init{u1}\n OK(u1) -> C1/a=KC C2/a=KC C3/a=W",
        skipped={"C1": "a", "C2": "a"},
    )

    assert {told.play.world.machine.copies[i].reason for i in (1, 3)} == {"skipped"}
    told.tell("S(u3) -> init{u3}\n OK(u3) -> init{C3/a} C1/a=KC")


def test_passed_over_once() -> None:
    """A second alternative passes nothing over again."""
    tell(
        "P[x y a r* | a<-or(x,y), r<-and(a)]",
        "skip(a) ->\n S(x) -> init{x}\n OK(x) -> init{r} a=KC\n OK(r) ->\n S(y) -> init{y}\n OK(y) -> a=KC",
    )


def test_what_is_passed_over_has_not_started() -> None:
    """A run of it that failed is no beginning of that."""
    told = tell("P[a]", "S(a) -> init{a}\n KO(a) -> a=W\n wait(1s) ->\n skip(a) -> a=KC", jobs={"a": {"retry": TWICE}})

    record = told.play.world.machine.copies[0]
    assert (record.started, record.retry_at, record.ended) == (None, None, told.play.world.now)


def test_a_clock_job_follows_its_clock_alone() -> None:
    """Whatever dependency somebody wrote for it."""
    tell("P[a q:q | q<-and(a)]", "S(a) -> init{a}\n OK(a) -> q=W\n OK(q) -> q=C")
