"""What a script may say, and what is answered when it cannot be."""

from __future__ import annotations

import pytest

from dashboard_node.core.context_machine import ContextMachine
from jobplan.simulate.script import Play, ScriptError, read
from schemas.status import JobStatus
from tests.scenarios.notation import plan
from tests.scenarios.telling import Telling, tell

SHARED = "P{C1[q:q a | a<-and(q)], C2[a b | b<-and(a)]}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"do": "dance"}', "line 1: nobody can 'dance'"),
        ('\n{"do": "started"}', "line 2: 'started' needs a job"),
        ('{"do": "wait", "ms": -1}', "line 1: time does not go back"),
        ("{", "line 1: "),
        ("[]", "line 1: Expected `object`, got `array`"),
        (
            '{"do": "end"}\n{"do": "kill", "jbo": "a"}',
            "line 2: Object contains unknown field `jbo`; there is context, continue, do, held, job, message, ms, outcome",
        ),
        ('{"do": "end", "line": 3}', "line 1: Object contains unknown field `line`"),
        ('{"do": "ended", "job": "a", "returnCode": "1"}', r"line 1: Expected `int`, got `str` - at `\$.returnCode`"),
        ('{"do": "submit", "job": "a", "parameters": {"p": 1}}', r"line 1: .*at `\$.parameters"),
        ('{"do": "kill", "job": "a", "continue": "yes"}', r"line 1: .*`bool`.* at `\$.continue`"),
    ],
)
def test_a_line_that_is_no_instruction(text: str, said: str) -> None:
    """It is named, before anything is played."""
    with pytest.raises(ScriptError, match=said):
        read(text)


@pytest.mark.parametrize("line", ["S(a)", "OK(a)", "hold(a)", "skip(a)", "submit(a)", "kill(a)"])
def test_a_job_in_several_contexts_has_to_be_said_where(line: str) -> None:
    """Nothing is guessed."""
    outcome = Telling(SHARED).do(line)

    assert outcome.refused == "'a' is ambiguous: it is in C1, C2; say in which context"
    assert not outcome.changed


def test_a_fire_is_everywhere() -> None:
    """A clock job needs no context."""
    tell("P{C1[q:q], C2[q:q]}", "OK(q) -> q=C P=C")


def test_names_that_are_nowhere() -> None:
    """Refused."""
    tell(SHARED, "S(z) -> refused\n S(a)@C9 -> refused\n S(q)@C2 -> refused\n S(q)@C1 -> refused\n OK(a)@C3 -> refused")


def test_a_submitted_job_that_waits_for_its_lock() -> None:
    """It cannot be said to have started."""
    tell("P[a b]", "S(a) -> init{a}\n S(b) -> refused b=Q\n OK(a) -> init{b}\n S(b) -> b=R", locks="L{a b}")


def test_long_after_the_end() -> None:
    """The instance can still be asked about; time itself has an end."""
    told = tell("P[a]", "end -> P=ENDED\n wait(99999h) -> P=ENDED\n wait(99999999h) -> refused P=ENDED")

    assert set(told.play.final().jobs) == {"P/a"}


def test_answers_name_the_lines_of_the_file() -> None:
    """An empty line is none to play, and counts all the same."""
    lines = read('{"do": "hold", "job": "a"}\n\n{"do": "release", "job": "a"}\n')

    assert [outcome.line for outcome in Play(plan("P[a]")).play(lines)] == [1, 3]


@pytest.mark.parametrize("jobs", [10, 1000])
def test_a_line_costs_what_it_changes(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """How a job stands is asked as often in a plan of a thousand jobs as in one of ten."""
    play = Play(plan(f"P[{' '.join(f'j{number}' for number in range(jobs))}]"))
    asked: list[int] = []
    status = ContextMachine.status

    def noted(machine: ContextMachine, index: int) -> JobStatus:
        asked.append(index)
        return status(machine, index)

    monkeypatch.setattr(ContextMachine, "status", noted)

    outcomes = list(play.play(read('{"do": "submit", "job": "j5"}\n{"do": "ended", "job": "j5"}\n{"do": "wait"}\n')))

    assert [outcome.changed for outcome in outcomes] == [
        [],
        [("P", None, "WAITING", "RUNNING"), ("P", "j5", "WAITING", "COMPLETE")],
        [],
    ]
    assert set(asked) == {5}
    assert len(asked) < 20


def test_what_starts_is_told_in_the_order_of_the_plan() -> None:
    """Not in that of the handing over, in which the job that ended comes first."""
    told = Telling("P[z y x | y<-and(x), z<-and(x)]")

    assert told.do("OK(x)").initiated == [("P", "z"), ("P", "y"), ("P", "x")]


def test_a_global_event_that_the_plan_has_not() -> None:
    """Refused, like every other name that is nowhere."""
    told = tell("P[a g:g b | b<-and(g)]", "global(h) -> refused\n global(a) -> refused\n global(g) -> init{b} g=C")

    assert told.do("global(h)").refused == "there is no global event 'h' in this plan"
