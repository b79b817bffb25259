"""Scenarios 41 to 66: several contexts, where a job resides, how contexts stand."""

from __future__ import annotations

from tests.scenarios.telling import tell

SHARED = "P{C1[q:q a | a<-and(q)], C2[a b | b<-and(a)]}"
TWICE = "P{C1[u1 a | a<-and(u1)], C2[u2 a | a<-and(u2)]}"
TWICE_ITS_OWN = "P{C1[u1 a! | a<-and(u1)], C2[u2 a! | a<-and(u2)]}"
TWO = "P[a b]"
CHAIN = "P[a b | b<-and(a)]"


def test_scenario_041_a_job_in_two_contexts() -> None:
    """One run counts in both; where it is decided elsewhere it says nothing about the context."""
    tell(
        SHARED,
        """
        OK(q) -> init{C1/a} C1=R C2=W P=R
        S(a)@C1 -> C1/a=R C2/a=R C2=W
        OK(a)@C1 -> init{C2/b} C1/a=C C2/a=C C1=C C2=W P=R
        S(b) -> C2=R
        OK(b) -> C2=C P=C
        """,
    )


def test_scenario_042_a_shared_job_fails() -> None:
    """The failure is the context's in which it is decided."""
    tell(SHARED, "OK(q) -> init{C1/a}\n KO(a)@C1 -> a=E b=W C1=E C2=W P=E")


def test_scenario_043_decided_in_two_contexts() -> None:
    """The first one runs it for both."""
    tell(TWICE, "S(u1) -> init{u1}\n S(u2) -> init{u2}\n OK(u1) -> init{C1/a}\n OK(a)@C1 -> a=C\n OK(u2) -> P=C")


def test_scenario_044_the_second_comes_while_it_runs() -> None:
    """It is not run again."""
    tell(
        TWICE,
        "S(u1) -> init{u1}\n S(u2) -> init{u2}\n OK(u1) -> init{C1/a}\n S(a)@C1 -> a=R\n OK(u2) ->\n OK(a)@C1 -> a=C P=C",
    )


def test_scenario_045_one_result_starts_it_in_both() -> None:
    """It runs once."""
    tell(
        "P{C1[u a | a<-and(u)], C2[u a | a<-and(u)]}",
        "S(u)@C1 -> init{C1/u}\n OK(u)@C1 -> init{C1/a}\n OK(a)@C1 -> P=C",
    )


def test_scenario_046_its_own_in_each_context() -> None:
    """Two runs, each of its own context."""
    tell(
        TWICE_ITS_OWN,
        """
        S(u1) -> init{u1}
        S(u2) -> init{u2}
        OK(u1) -> init{C1/a}
        OK(a)@C1 -> C1/a=C C2/a=W C1=C
        OK(u2) -> init{C2/a} C1/a=C
        OK(a)@C2 -> C2/a=C P=C
        """,
    )


def test_scenario_047_one_result_starts_both_of_its_own() -> None:
    """Each context gets its own run."""
    tell(
        "P{C1[u a! | a<-and(u)], C2[u a! | a<-and(u)]}",
        """
        S(u)@C1 -> init{C1/u}
        OK(u)@C1 -> init{C1/a C2/a}
        OK(a)@C2 -> C1/a=W C2/a=C C2=C
        OK(a)@C1 -> C1/a=C P=C
        """,
    )


def test_scenario_048_a_clock_fires_in_one_context() -> None:
    """The other context's copy waits on."""
    tell(
        "P{C1[q:q a | a<-and(q)], C2[q:q b | b<-and(q)]}",
        "OK(q)@C1 -> init{a} C1/q=C C2/q=W b=W\n OK(q)@C2 -> init{b} C2/q=C",
    )


def test_scenario_049_a_clock_fires() -> None:
    """Everywhere it resides."""
    tell("P{C1[q:q a | a<-and(q)], C2[q:q b | b<-and(q)]}", "OK(q) -> init{a b} q=C")


def test_scenario_050_skipped_in_one_context() -> None:
    """There it is passed over when the run for the other one has ended."""
    told = tell(
        "P{C1[q:q a | a<-and(q)], C2[a b | b<-and(a)]}",
        "OK(q) -> init{C1/a} C2/a=K\n S(a)@C1 -> C1/a=R C2/a=K\n OK(a)@C1 -> init{b} C1/a=C C2/a=KC",
        skipped={"C2": "a"},
    )
    told.tell("OK(b) -> P=C")


def test_scenario_050_skipped_where_it_is_decided() -> None:
    """The other contexts do not wait for a run that never comes."""
    tell(
        "P{C1[q:q a | a<-and(q)], C2[a b | b<-and(a)]}",
        "OK(q) -> init{b} C1/a=KC C2/a=KC C1=C\n OK(b) -> P=C",
        skipped={"C1": "a"},
    )


def test_scenario_051_three_levels() -> None:
    """What happens inside is seen outside."""
    tell("P{A{B[q:q a | a<-and(q)]}}", "OK(q)@B -> init{a} B=R A=R P=R\n OK(a) -> B=C A=C P=C")


def test_scenario_052_an_empty_context() -> None:
    """It is complete, and holds nobody back."""
    tell("P[a]{C0[]}", "then -> C0=C P=W\n S(a) -> init{a}\n OK(a) -> P=C")


def test_scenario_053_one_context_complete() -> None:
    """The plan runs until the other one is."""
    tell("P{C1[a], C2[b]}", "S(a) -> init{a}\n OK(a) -> C1=C C2=W P=R\n S(b) -> init{b}\n OK(b) -> C2=C P=C")


def test_scenario_054_one_context_failed() -> None:
    """So has the plan, until somebody acknowledges."""
    tell(
        "P{C1[a], C2[b]}",
        "S(a) -> init{a}\n KO(a) -> C1=E P=E\n S(b) -> init{b}\n OK(b) -> C2=C P=E\n ack(a) -> C1=C P=C",
    )


def test_scenario_055_two_leaves() -> None:
    """Both have to be done."""
    tell(TWO, "S(a) -> init{a}\n OK(a) -> P=R\n S(b) -> init{b}\n OK(b) -> P=C")


def test_scenario_056_a_skip_moves_nothing() -> None:
    """The context waits on."""
    tell(TWO, "skip(a) -> a=KC P=W\n S(b) -> init{b}\n OK(b) -> P=C")


def test_scenario_057_a_held_leaf() -> None:
    """Never complete while it is held."""
    tell(
        TWO, "hold(b) -> b=H\n S(a) -> init{a}\n OK(a) -> P=R\n release(b) -> b=W P=R\n S(b) -> init{b}\n OK(b) -> P=C"
    )


def test_scenario_058_failed_beside_running() -> None:
    """A failure outranks what runs, an acknowledged one does not."""
    tell(TWO, "S(a) -> init{a}\n S(b) -> init{b}\n KO(a) -> a=E b=R P=E\n ack(a) -> P=R\n OK(b) -> P=C")


def test_scenario_059_acknowledged_with_something_after_it() -> None:
    """What is after it has to be done."""
    tell(CHAIN, "S(a) -> init{a}\n KO(a) ->\n ack(a) -> a=Ea b=W P=R\n submit(b) -> init{b}\n OK(b) -> P=C")


def test_scenario_060_queued_for_a_lock() -> None:
    """A context in which a job waits for a lock runs."""
    tell("P[a]{C1[b]}", "submit(a) -> init{a} P=W\n submit(b) -> b=Q C1=R P=R", locks="L{a b}")


def test_scenario_061_a_disabled_clock() -> None:
    """Nothing happens, and nothing is complete."""
    tell("P[q:q]", "then -> q=D P=W\n OK(q) -> refused q=D P=W", quartz_schedule_driven_jobs_disabled_for_context=True)
    tell("P[q:q a]", "disable(q) -> q=D\n S(a) -> init{a}\n OK(a) -> P=R")


def test_scenario_062_reset_of_what_is_complete() -> None:
    """The context is complete no more."""
    tell(
        CHAIN,
        "S(a) -> init{a}\n OK(a) -> init{b}\n OK(b) -> P=C\n reset(b) -> b=W P=R\n reset(a) -> a=W P=W",
    )


def test_scenario_062_reset_of_what_others_came_after() -> None:
    """It is to be done again: the context is complete no more, until it is, or is skipped."""
    done = "S(a) -> init{a}\n OK(a) -> init{b}\n OK(b) -> P=C\n reset(a) -> a=W b=C P=R\n"

    tell(CHAIN, done + "submit(a) -> init{a}\n OK(a) -> P=C")
    tell(CHAIN, done + "skip(a) -> a=KC P=C")


def test_scenario_063_ended() -> None:
    """Ended it stays."""
    tell(TWO, "S(a) -> init{a}\n end -> P=ENDED\n OK(a) -> refused a=R P=ENDED\n skip(b) -> refused P=ENDED")


def test_scenario_064_a_terminal_job() -> None:
    """It happens by itself, and its context is complete only then."""
    tell("P{C1[a t:t | t<-and(a)]}", "S(a) -> init{a} C1=R\n OK(a) -> t=C C1=C P=C")
    tell("P{C1[a t:t | t<-and(a)]}", "hold(t) -> t=H\n S(a) -> init{a}\n OK(a) -> t=H C1=R\n release(t) -> t=C C1=C")


def test_scenario_065_a_failure_of_a_job_decided_in_two_contexts() -> None:
    """It is seen in both."""
    tell(TWICE, "S(u1) -> init{u1}\n OK(u1) -> init{C1/a}\n KO(a)@C1 -> a=E C1=E C2=E P=E")


def test_scenario_066_a_change_is_told_once() -> None:
    """A context that runs on is no news."""
    told = tell(TWO, "")
    changes = [
        change for line in ("S(a)", "S(b)", "OK(a)", "OK(b)") for change in told.do(line).changed if change[1] is None
    ]

    assert changes == [("P", None, "WAITING", "RUNNING"), ("P", None, "RUNNING", "COMPLETE")]
