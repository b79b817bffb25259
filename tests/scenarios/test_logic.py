"""Scenarios 1 to 40: logic in one context."""

from __future__ import annotations

import pytest

from dashboard_node.core.plan_rules import faults
from tests.scenarios.notation import plan
from tests.scenarios.telling import tell

CHAIN = "P[a b | b<-and(a)]"
BOTH = "P[a b c | c<-and(a,b)]"
EITHER = "P[a b c | c<-or(a,b)]"
CLOCKED = "P[q:q a | a<-and(q)]"
BLACKOUT = "EXECUTION_IGNORED_INSIDE_BLACKOUT_WINDOW"
NOT_TODAY = "EXECUTION_INVOKED_IGNORED_DAY_OF_WEEK"


def test_scenario_001_a_clock_starts_a_command() -> None:
    """What a clock starts runs, ends, and completes the plan."""
    tell(
        CLOCKED,
        """
        OK(q) -> init{a} q=C a=W P=R
        S(a) -> a=R P=R
        OK(a) -> a=C P=C
        """,
    )


def test_scenario_002_a_command_fails() -> None:
    """A failure is the plan's."""
    tell(CLOCKED, "OK(q) -> init{a}\n S(a) -> a=R\n KO(a) -> a=E P=E")


def test_scenario_003_nothing_follows_a_failure() -> None:
    """What depends on a failed job is not started."""
    tell(CHAIN, "S(a) -> init{a} a=R\n KO(a) -> a=E b=W P=E")


def test_scenario_004_a_result_comes_twice() -> None:
    """The second time changes nothing."""
    tell(CHAIN, "S(a) -> init{a}\n OK(a) -> init{b}\n OK(a) -> refused a=C b=W")


@pytest.mark.parametrize(("end", "status"), [("OK(b)", "C"), ("KO(b)", "E")])
def test_scenario_005_a_job_that_has_run_is_not_started_again(end: str, status: str) -> None:
    """It stays as it ended."""
    tell(CHAIN, f"submit(b) -> init{{b}}\n {end} -> b={status}\n submit(a) -> init{{a}}\n OK(a) -> b={status}")


def test_scenario_006_all_of_two() -> None:
    """The last one starts it, whichever that is."""
    tell(BOTH, "submit(a) -> init{a}\n submit(b) -> init{b}\n OK(a) ->\n OK(b) -> init{c}")
    tell(BOTH, "submit(a) -> init{a}\n submit(b) -> init{b}\n OK(b) ->\n OK(a) -> init{c}")


def test_scenario_007_one_of_all_fails() -> None:
    """Then it is not started."""
    tell(BOTH, "S(a) -> init{a}\n OK(a) ->\n S(b) -> init{b}\n KO(b) -> c=W P=E")


def test_scenario_008_any_of_two() -> None:
    """The first one starts it, the second one does not again."""
    tell(EITHER, "S(a) -> init{a}\n S(b) -> init{b}\n OK(a) -> init{c}\n OK(b) -> c=W")


def test_scenario_009_one_of_any_fails() -> None:
    """The other one starts it; the failure stays the plan's."""
    tell(
        EITHER,
        """
        S(a) -> init{a}
        KO(a) ->
        S(b) -> init{b}
        OK(b) -> init{c} P=E
        OK(c) -> c=C P=E
        """,
    )


def test_scenario_010_an_alternative_that_never_ran() -> None:
    """It does not keep the plan from being complete."""
    tell(EITHER, "S(a) -> init{a}\n OK(a) -> init{c}\n S(c) ->\n OK(c) -> c=C b=W P=C")


def test_scenario_011_an_alternative_after_all() -> None:
    """One that fails is the plan's failure, one that runs keeps it running."""
    done = "S(a) -> init{a}\n OK(a) -> init{c}\n OK(c) -> P=C\n"

    tell(EITHER, done + "S(b) -> init{b} b=R P=R\n KO(b) -> b=E P=E")
    tell(EITHER, done + "S(b) -> init{b} b=R P=R\n OK(b) -> b=C P=C")


def test_scenario_012_and_and_or_are_alternatives() -> None:
    """All of one list, or any of the other."""
    tell("P[a b c | c<-and(a) or(b)]", "S(a) -> init{a}\n S(b) -> init{b}\n OK(b) -> init{c}\n OK(a) ->")


def test_scenario_013_two_of_all_or_one() -> None:
    """The shorter way is enough."""
    tell(
        "P[a b c d | d<-and(a,b) or(c)]",
        "S(a) -> init{a}\n S(b) -> init{b}\n S(c) -> init{c}\n OK(a) ->\n OK(c) -> init{d}\n OK(b) ->",
    )


def _started(*names: str) -> str:
    return "".join(f"S({name}) -> init{{{name}}}\n" for name in names)


def test_scenario_014_any_of_two_pairs() -> None:
    """The first pair that is whole."""
    tell(
        "P[a b c d e | e<-or({and(a,b)},{and(c,d)})]",
        _started("a", "b", "c", "d") + "OK(a) ->\n OK(c) ->\n OK(d) -> init{e}\n OK(b) ->",
    )


def test_scenario_015_a_pair_and_any_of_two() -> None:
    """Both groups have to hold."""
    tell(
        "P[a b c d e | e<-and({and(a,b)},{or(c,d)})]",
        _started("a", "b", "c", "d") + "OK(a) ->\n OK(b) ->\n OK(c) -> init{e}\n OK(d) ->",
    )


def test_scenario_016_a_nested_grouping_beside_a_list() -> None:
    """Both have to hold."""
    tell("P[a b c d | d<-and(a) lg{or(b,c)}]", _started("a", "b", "c") + "OK(a) ->\n OK(b) -> init{d}\n OK(c) ->")


def test_scenario_017_only_a_nested_grouping() -> None:
    """It counts by itself."""
    tell("P[a b c | c<-lg{and(a,b)}]", _started("a", "b") + "OK(a) ->\n OK(b) -> init{c}")


BUT_NOT = "P[a b c | c<-and(a) not(b)]"


def test_scenario_018_not_what_has_not_happened() -> None:
    """Nothing forbids it."""
    tell(BUT_NOT, _started("a") + "OK(a) -> init{c}")


def test_scenario_019_not_what_has_happened() -> None:
    """It is forbidden, and the plan is not complete."""
    tell(BUT_NOT, _started("a", "b") + "OK(b) ->\n OK(a) -> c=W P=R")


def test_scenario_020_not_what_happens_later() -> None:
    """Nothing is taken back."""
    tell(BUT_NOT, _started("a", "b") + "OK(a) -> init{c}\n OK(c) -> P=R\n OK(b) -> P=C")


def test_scenario_021_only_not() -> None:
    """Nothing triggers it; the plan's author is warned."""
    text = "P[a b | b<-not(a)]"
    tell(text, _started("a") + "OK(a) -> b=W")

    found = faults(plan(text))
    assert [fault for fault in found if fault.warning and "b" in fault.message]
    assert not [fault for fault in found if not fault.warning]


def test_scenario_022_acknowledged_and_continued() -> None:
    """Acknowledging starts nothing; continuing starts what depends on it, and the failure stays."""
    tell(
        CHAIN,
        """
        S(a) -> init{a}
        KO(a) -> P=E
        ack(a) -> a=Ea b=W P=R
        continue(a) -> init{b} a=Ea
        """,
    )


def test_scenario_023_an_acknowledged_failure_counts_as_done() -> None:
    """The next event finds it so."""
    tell(BOTH, _started("a", "b") + "KO(a) ->\n ack(a) ->\n OK(b) -> init{c}")


def test_scenario_024_skipped_from_the_start_with_nothing_before_it() -> None:
    """Nobody waits for it."""
    tell(BOTH, "then -> a=KC\n S(b) -> init{b}\n OK(b) -> init{c}", skipped={"P": "a"})


def test_scenario_025_skipped_in_the_middle() -> None:
    """It is passed over in the step in which its dependency holds."""
    tell(
        "P[q:q a b | a<-and(q), b<-and(a)]",
        "then -> a=K\n OK(q) -> init{b} a=KC\n OK(b) -> b=C P=C",
        skipped={"P": "a"},
    )


def test_scenario_026_not_its_day() -> None:
    """It is passed over, and others go on."""
    tell(CHAIN, f"S(a) -> init{{a}}\n OK(a) outcome={NOT_TODAY} -> init{{b}} a=KC")


def test_scenario_027_inside_a_blackout() -> None:
    """The fire passes through, or is dropped, or comes when the blackout is over."""
    always = {"blackout_window_date_time_ranges": {"1767225600000": "1767229200000"}}  # the first hour of 2026
    tell(CLOCKED, f"OK(q) outcome={BLACKOUT} -> init{{a}} q=KC")
    tell(CLOCKED, "OK(q) -> init{a} q=KC", jobs={"q": always})
    tell(CLOCKED, "OK(q) -> refused q=W a=W", jobs={"q": always | {"drop_event_on_blackout": True}})
    told = tell(CLOCKED, "OK(q) -> q=W a=W", jobs={"q": always | {"on_blackout": "delay"}})
    told.tell("OK(q) -> q=W\n wait(59m) -> q=W\n wait(2m) -> init{a} q=C")


def test_scenario_028_a_dependency_without_a_grouping() -> None:
    """Nothing starts it but a person."""
    tell("P[q:q a | a<-]", "OK(q) -> a=W\n submit(a) -> init{a}")


def test_scenario_029_a_dependency_written_twice() -> None:
    """It is one, for a repeatable job as well."""
    tell("P[a b | b<-and(a), b<-and(a)]", _started("a") + "OK(a) -> init{b}")
    tell("P[q:q b* | b<-and(q), b<-and(q)]", "OK(q) -> init{b}\n OK(b) -> b=C\n OK(q) -> init{b}\n OK(b) -> P=C")


def test_scenario_030_a_job_that_is_nowhere() -> None:
    """The plan is refused; one that got in anyway only waits, and harms nobody else."""
    text = "P[a b c | b<-and(a,z), c<-and(a)]"
    tell(text, _started("a") + "OK(a) -> init{c} b=W")

    assert [fault for fault in faults(plan(text)) if not fault.warning and "z" in fault.message]


def test_scenario_031_a_job_nobody_knows() -> None:
    """Nothing changes."""
    tell(CHAIN, "OK(x) -> refused a=W b=W P=W")


def test_scenario_032_only_what_is_mentioned_triggers() -> None:
    """A dependency that holds already is not looked at because of somebody else's result."""
    tell(
        "P[a b x | b<-and(a)]",
        _started("a", "x")
        + "OK(a) -> init{b}\n OK(b) ->\n reset(b) -> b=W\n OK(x) -> b=W\n submit(b) -> init{b}\n OK(b) -> P=C",
    )


def test_scenario_033_out_of_order() -> None:
    """What comes after a run's end changes nothing."""
    tell(CHAIN, "OK(a) -> init{a b} a=C\n S(a) -> refused a=C\n KO(a) -> refused a=C")
    tell(CHAIN, "KO(a) -> init{a} a=E\n S(a) -> refused a=E\n OK(a) -> refused a=E")


def test_scenario_034_a_start_is_no_failure() -> None:
    """A run that has started has not been successful yet, and has not failed."""
    tell(CHAIN, "S(a) -> init{a} a=R P=R")


def test_scenario_035_a_clock_fires_twice() -> None:
    """A job that is not repeatable starts once."""
    tell(CLOCKED, "OK(q) -> init{a} q=C\n OK(q) -> q=C\n OK(a) -> P=C\n OK(q) -> q=C a=C P=C")


def test_scenario_036_repeatable() -> None:
    """Each fire starts it, and each run is seen running."""
    told = tell("P[q:q a* | a<-and(q)]", "")
    for _ in range(3):
        told.tell("OK(q) -> init{a}\n S(a) -> a=R P=R\n OK(a) -> q=C a=C P=C")


def test_scenario_036_repeatable_and_busy() -> None:
    """Fires that come while it runs are run one after the other."""
    tell(
        "P[q:q a* | a<-and(q)]",
        """
        OK(q) -> init{a}
        OK(q) ->
        S(a) -> a=R
        OK(q) ->
        OK(a) -> init{a} P=R
        OK(a) -> init{a} P=R
        OK(a) -> a=C P=C
        """,
    )


def test_scenario_037_a_chain_of_repeatables() -> None:
    """The second one starts on the first one's end, not on its start."""
    told = tell("P[q:q a* b* | a<-and(q), b<-and(a)]", "")
    for _ in range(2):
        told.tell("OK(q) -> init{a}\n S(a) ->\n OK(a) -> init{b}\n S(b) ->\n OK(b) -> P=C")


def test_scenario_038_a_repeatable_before_one_that_is_not() -> None:
    """The chain stops there in the second round."""
    tell(
        "P[q:q a* b | a<-and(q), b<-and(a)]",
        "OK(q) -> init{a}\n OK(a) -> init{b}\n OK(b) -> P=C\n OK(q) -> init{a}\n OK(a) -> b=C P=C",
    )


def test_scenario_039_a_repeatable_that_failed() -> None:
    """The next fire starts it again."""
    tell(
        "P[q:q a* | a<-and(q)]",
        "OK(q) -> init{a}\n KO(a) -> a=E P=E\n OK(q) -> init{a}\n S(a) -> a=R P=R\n OK(a) -> a=C P=C",
    )


def test_scenario_040_after_itself() -> None:
    """The plan is refused; one that got in anyway does not run for ever."""
    text = "P[a* | a<-and(a)]"
    tell(text, _started("a") + "OK(a) -> a=C")

    assert [fault for fault in faults(plan(text)) if not fault.warning]
