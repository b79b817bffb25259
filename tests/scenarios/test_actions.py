"""Scenarios 67 to 98: what people do; 94, about prepared instances, is the lifecycle's."""

from __future__ import annotations

import pytest

from schemas.documents import RunReport
from schemas.plan import Parameter
from schemas.requests import MoveEnd
from schemas.status import ContextStatus, Outcome, RunPhase
from tests.scenarios.telling import Telling, tell

CHAIN = "P[a b | b<-and(a)]"
EITHER = "P[a b c | b<-or(a,c)]"
CLOCKED = "P[q:q a | a<-and(q)]"


def test_scenario_067_held_when_it_is_due() -> None:
    """It is remembered, and starts when it is released."""
    tell(
        CHAIN,
        "hold(b) -> b=H\n S(a) -> init{a}\n OK(a) -> b=H\n release(b) -> init{b} b=W\n S(b) -> b=R\n OK(b) -> b=C P=C",
    )


def test_scenario_068_released_before_it_is_due() -> None:
    """As if it had never been held."""
    tell(CHAIN, "hold(b) -> b=H\n release(b) -> b=W\n S(a) -> init{a}\n OK(a) -> init{b}")


@pytest.mark.parametrize(
    "before",
    [
        "S(b) -> init{b} b=R",
        "S(b) -> init{b}\n OK(b) -> b=C",
        "S(b) -> init{b}\n KO(b) -> b=E",
        "S(c) -> init{c}\n submit(b) -> b=Q",
        "skip(b) -> b=K",
    ],
)
def test_scenario_069_only_what_waits_can_be_held(before: str) -> None:
    """Refused, and nothing changes."""
    told = tell("P[a b c | b<-and(a)]", before, locks="L{b c}")
    status = told.status("b")

    told.tell("hold(b) -> refused")
    assert told.status("b") == status


def test_scenario_070_due_twice_while_held() -> None:
    """It is remembered once."""
    tell("P[q:q b | b<-and(q)]", "hold(b) ->\n OK(q) ->\n OK(q) -> b=H\n release(b) -> init{b}\n OK(b) -> P=C")


def test_scenario_071_another_alternative_after_the_release() -> None:
    """It has been initiated already."""
    tell(EITHER, "hold(b) ->\n S(a) -> init{a}\n S(c) -> init{c}\n OK(a) ->\n release(b) -> init{b}\n OK(c) -> b=W")


def test_scenario_072_a_held_job_takes_no_lock() -> None:
    """Others may have it meanwhile."""
    tell(
        "P[a b c | b<-and(a)]",
        "hold(b) ->\n S(a) -> init{a}\n OK(a) -> b=H\n submit(c) -> init{c}\n release(b) -> b=Q\n OK(c) -> init{b}",
        locks="L{b c}",
    )


def test_scenario_073_released_while_the_lock_is_taken() -> None:
    """It queues like everybody."""
    tell(
        "P[a b c | b<-and(a)]",
        "S(c) -> init{c}\n hold(b) ->\n S(a) -> init{a}\n OK(a) ->\n release(b) -> b=Q\n OK(c) -> init{b} b=Q\n S(b) -> b=R",
        locks="L{b c}",
    )


def test_scenario_074_hold_all_of_a_context() -> None:
    """Only what waits; release lets go what was remembered."""
    tell(
        "P{C1[a b c d | b<-and(a)], C2[e]}",
        """
        S(a) -> init{a}
        S(c) -> init{c}
        OK(c) -> c=C
        hold@C1 -> a=R c=C b=H d=H e=W
        OK(a) -> b=H
        release@C1 -> init{b} b=W d=W
        """,
    )


def test_scenario_075_held_from_the_start() -> None:
    """As if somebody had held it."""
    tell(
        "P{C1[a b | b<-and(a)]}",
        "then -> b=H\n S(a) -> init{a}\n OK(a) -> b=H\n release(b) -> init{b}",
        held={"C1": "b"},
    )


def test_scenario_076_reset_of_what_made_it_due() -> None:
    """What was remembered because of it is forgotten with it."""
    tell(
        CHAIN,
        """
        hold(b) ->
        S(a) -> init{a}
        OK(a) -> b=H
        reset(a) -> a=W b=H
        release(b) -> b=W
        submit(a) -> init{a}
        OK(a) -> init{b}
        """,
    )


def test_scenario_076_reset_of_one_of_two_that_made_it_due() -> None:
    """The other one is enough."""
    tell(
        EITHER,
        "hold(b) ->\n S(a) -> init{a}\n S(c) -> init{c}\n OK(a) ->\n OK(c) ->\n reset(a) -> b=H\n release(b) -> init{b}",
    )


def test_scenario_077_skip_with_something_before_it() -> None:
    """It is passed over when it is due, and others go on."""
    tell("P[a b c | b<-and(a), c<-and(b)]", "skip(b) -> b=K\n S(a) -> init{a}\n OK(a) -> init{c} b=KC\n OK(c) -> P=C")


def test_scenario_078_skip_with_nothing_before_it() -> None:
    """It is passed over at once, and others go on at once."""
    tell(CHAIN, "skip(a) -> init{b} a=KC")


def test_scenario_079_unskip() -> None:
    """It waits again; what waits cannot be unskipped."""
    tell(CHAIN, "skip(b) -> b=K\n unskip(b) -> b=W\n unskip(b) -> refused b=W\n S(a) -> init{a}\n OK(a) -> init{b}")
    tell("P[a]", "skip(a) -> a=KC P=C\n unskip(a) -> a=W P=W\n unskip(a) -> refused")


def test_scenario_080_skip_what_runs() -> None:
    """Refused."""
    tell(CHAIN, "S(b) -> init{b}\n skip(b) -> refused b=R")


def test_scenario_081_reset_and_submit_what_failed() -> None:
    """Its success starts what depends on it."""
    tell(CHAIN, "S(a) -> init{a}\n KO(a) -> P=E\n reset(a) -> a=W P=W\n submit(a) -> init{a}\n OK(a) -> init{b} a=C")
    tell(CHAIN, "S(a) -> init{a}\n KO(a) -> P=E\n resubmit(a) -> init{a} a=W\n OK(a) -> init{b} a=C")


def test_scenario_082_reset_and_submit_what_was_complete() -> None:
    """What ran after it does not run again."""
    tell(
        CHAIN,
        "S(a) -> init{a}\n OK(a) -> init{b}\n OK(b) ->\n reset(a) -> a=W b=C\n submit(a) -> init{a}\n OK(a) -> b=C P=C",
    )


def test_scenario_083_reset_both() -> None:
    """The second one follows the first one again."""
    tell(
        CHAIN,
        """
        S(a) -> init{a}
        OK(a) -> init{b}
        OK(b) ->
        reset(a) ->
        reset(b) ->
        submit(a) -> init{a}
        OK(a) -> init{b}
        """,
    )


@pytest.mark.parametrize(
    "before", ["S(b) -> init{b} b=R", "hold(b) -> b=H", "skip(b) -> b=K", "skip(b) ->\n skip(a) -> b=KC"]
)
def test_scenario_084_what_cannot_be_reset(before: str) -> None:
    """Refused."""
    tell(CHAIN, f"{before}\n reset(b) -> refused")


def test_scenario_085_reset_of_what_waits_for_a_lock() -> None:
    """It leaves the queue."""
    tell("P[a b]", "S(a) -> init{a}\n submit(b) -> b=Q\n reset(b) -> b=W\n OK(a) -> b=W", locks="L{a b}")


def test_scenario_086_submitted_with_a_value_of_its_own() -> None:
    """For this run alone."""
    told = tell(
        "P[q:q a* | a<-and(q)]",
        "submit(a) p=X -> init{a}\n KO(a) ->\n OK(q) -> init{a}",
        jobs={"a": {"context_parameters": (Parameter(name="p"),)}},
        context_parameters=(Parameter(name="p", default_value="1"),),
    )

    assert [run.parameters for run in told.core.state.runs.values()] == [{"p": "X"}, {"p": "1"}]


def test_scenario_087_submitted_before_it_is_due() -> None:
    """It is not started a second time."""
    tell(CHAIN, "submit(b) -> init{b}\n S(a) -> init{a}\n OK(a) -> b=W\n OK(b) -> P=C")


def test_scenario_088_only_failures_can_be_acknowledged() -> None:
    """And only once."""
    tell(
        CHAIN, "ack(a) -> refused\n S(a) -> init{a}\n ack(a) -> refused\n KO(a) ->\n ack(a) -> a=Ea\n ack(a) -> refused"
    )


def test_scenario_089_acknowledging_starts_nothing() -> None:
    """Unless it is asked to; continuing does."""
    tell(CHAIN, "S(a) -> init{a}\n KO(a) -> P=E\n ack(a) -> P=R b=W")
    tell(CHAIN, "S(a) -> init{a}\n KO(a) -> P=E\n ack(a) onward=yes -> init{b}")
    tell("P[a]", "S(a) -> init{a}\n KO(a) -> P=E\n ack(a) -> P=C")


def test_scenario_090_continued_twice() -> None:
    """The second time nothing is left to start; what has not failed cannot be continued after."""
    tell(CHAIN, "S(a) -> init{a}\n KO(a) ->\n continue(a) -> init{b} a=E P=E\n continue(a) -> a=E\n OK(b) -> P=E")
    tell(CHAIN, "S(a) -> init{a}\n OK(a) -> init{b}\n continue(a) -> refused")


def test_scenario_090_a_held_job_is_not_started_by_continuing() -> None:
    """It is remembered."""
    tell(CHAIN, "hold(b) ->\n S(a) -> init{a}\n KO(a) ->\n continue(a) -> b=H\n release(b) -> init{b}")


def test_scenario_091_killed() -> None:
    """The job is killed when its agent says so; without a run there is nothing to kill."""
    tell(CHAIN, "kill(a) -> refused\n S(a) -> init{a}\n kill(a) -> a=R\n kill(a) -> refused\n KO(a) -> a=X b=W P=E")


def test_scenario_092_killed_wins() -> None:
    """Whatever the command answered."""
    tell(
        CHAIN,
        "S(a) -> init{a}\n kill(a) ->\n KO(a) -> a=X P=E",
        jobs={"a": {"successful_return_codes": ("0", "1")}},
    )


@pytest.mark.parametrize(
    "action",
    [
        "hold",
        "release",
        "skip",
        "unskip",
        "disable",
        "enable",
        "submit",
        "resubmit",
        "continue",
        "kill",
        "ack",
        "reset",
    ],
)
def test_scenario_093_nothing_can_be_done_to_an_ended_instance(action: str) -> None:
    """Refused."""
    tell(CHAIN, f"S(a) -> init{{a}}\n end -> P=ENDED\n {action}(a) -> refused")


def test_scenario_095_clocks_disabled() -> None:
    """Fires are ignored, a person may still submit; enabled, it waits again, and the others stay disabled."""
    tell(
        "P[q:q q:r]",
        "then -> q=D r=D\n OK(q) -> refused q=D\n submit(q) -> q=C\n enable(r) -> r=W q=C\n OK(r) -> r=C P=C",
        quartz_schedule_driven_jobs_disabled_for_context=True,
    )
    tell(
        "P[q:q q:r]",
        "enable(r) -> r=W q=D\n OK(q) -> refused q=D\n OK(r) -> r=C\n enable(q) -> q=W r=C",
        quartz_schedule_driven_jobs_disabled_for_context=True,
    )


def test_scenario_095_disabled_and_enabled() -> None:
    """Only what is disabled can be enabled; it then follows what has happened meanwhile at once."""
    tell(
        CLOCKED,
        "enable(q) -> refused\n disable(q) -> q=D\n OK(q) -> refused q=D\n submit(q) -> refused\n enable(q) -> q=W",
    )
    tell(
        CLOCKED, "disable(a) -> a=D\n OK(q) -> a=D P=R\n submit(a) -> refused\n enable(a) -> init{a} a=W\n OK(a) -> P=C"
    )


def test_scenario_096_dry_runs() -> None:
    """Results of an agent that only pretends move the plan on like any others."""
    told = tell(CLOCKED, "OK(q) -> init{a}")
    world = told.play.world
    run = next(iter(told.core.state.runs))
    world._report(RunReport(run=run, phase=RunPhase.ENDED, outcome=Outcome.SUCCEEDED, return_code=0, dry_run=True))

    assert told.status("a") == "COMPLETE"
    assert told.status("P") == "COMPLETE"


WINDOW = {"time_window_start": "0 0 1 * * ?", "context_ttl_milliseconds": 3_600_000}


def test_scenario_097_kept_open() -> None:
    """Its window's end comes and goes; a person ends it."""
    told = tell(CHAIN, "S(a) -> init{a}", **WINDOW)
    told.play.world.ask(MoveEnd(instance=told.play.world.instance, closes=None))
    told.tell("wait(2h) -> P=R\n OK(a) -> init{b}\n end -> P=ENDED")


def test_scenario_097_not_kept_open() -> None:
    """It ends with its window."""
    tell(CHAIN, "S(a) -> init{a}\n wait(59m) -> P=R\n wait(1m) -> P=ENDED\n OK(a) -> refused a=R P=ENDED", **WINDOW)


def test_scenario_098_reset_with_everything_held() -> None:
    """A new instance, all held; the old one ended, and out of the queues."""
    told = Telling("P[a b c]", locks="L{a b}")
    told.tell("S(a) -> init{a}\n submit(b) -> b=Q\n S(c) -> init{c}\n OK(c) -> c=C")
    old = told.play.world.instance
    told.tell("wait(1s) ->\n reset held=yes -> a=H b=H c=H P=W\n release(b) -> b=W\n submit(b) -> init{b}")

    assert told.play.world.instance != old
    assert told.core.state.instances[old].status is ContextStatus.ENDED


def test_a_disabled_job_blocks_completion_even_where_another_way_leads_round_it() -> None:
    """P[a b c | c<-or(a,b)]: b is disabled; with a and c done, P waits for b to be enabled and done, or skipped."""
    tell(
        "P[a b c | c<-or(a,b)]",
        "disable(b) -> b=D\n S(a) -> init{a}\n OK(a) -> init{c}\n OK(c) -> c=C P=R\n enable(b) -> b=W P=C",
    )
