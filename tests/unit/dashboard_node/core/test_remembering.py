"""What happens to a job that is held, or whose context may not start yet, comes true later: once, and where it was kept."""

from __future__ import annotations

from dashboard_node.core.lifecycle import Stage
from schemas.plan import Retry
from schemas.requests import Action
from schemas.status import FireOutcome
from tests.scenarios.house import House
from tests.scenarios.telling import tell

TWICE = Retry(attempts=2, back_off_seconds=60)
LISTENER = "B[g:g f* | f<-and(g)]"


def test_a_command_that_was_skipped_while_it_was_remembered_runs_when_it_is_unskipped() -> None:
    """Its dependency held before its context might start: it runs then, and does not count as done without a run."""
    tell(
        "P{C0[z], C1[x b | b<-and(x)]}",
        "skip(b) -> b=K\n S(x) -> init{x}\n OK(x) -> b=K\n unskip(b) -> b=W\n S(z) -> init{z}\n OK(z) -> init{b} b=W",
        gates={"C1": "and(C0)"},
    )


def test_an_event_that_was_made_due_while_held_happens_in_all_contexts_on_its_release() -> None:
    """It had not happened anywhere."""
    tell(
        "P{C1[a l:e | e<-and(a)], C2[l:e b | b<-and(e)]}",
        "hold(e)@C1 -> e=H\n S(a) -> init{a}\n OK(a) -> e=H\n release(e)@C1 -> init{b} e=C",
    )


def test_an_event_that_was_made_due_before_its_context_might_start_happens_everywhere_then() -> None:
    """A context that waits for nobody hears it as well."""
    tell(
        "P{C0[z], C1[a l:e | e<-and(a)], C2[l:e b | b<-and(e)]}",
        "S(a) -> init{a}\n OK(a) -> e=W\n S(z) -> init{z}\n OK(z) -> init{b} e=C",
        gates={"C1": "and(C0)"},
    )


HEARD_AND_HELD = "P{C1[x l:e f* | e<-and(x), f<-and(e)], C2[a l:e b | e<-and(a), b<-and(e)]}"
"""The event happens in C1 after x; in C2, where it has a dependency of its own, somebody holds it."""


def test_an_event_that_happened_elsewhere_while_held_happens_here_alone_on_its_release() -> None:
    """Where it has happened already nothing follows a second time; nor does it happen here again when it is due here."""
    told = tell(
        HEARD_AND_HELD,
        "S(x) -> init{x}\n OK(x) -> init{f} C1/e=C C2/e=H\n OK(f) ->\n release(e)@C2 -> init{b} C2/e=C\n OK(b) ->",
        held={"C2": "e"},
    )
    record = told.play.world.machine.copies[4]
    told.tell("S(a) -> init{a}\n OK(a) -> e=C P=C")

    assert (record.started, record.reason) == (record.ended, "")


def test_an_event_that_happened_elsewhere_and_became_due_here_while_held_happens_once_more() -> None:
    """What is due here is an event of its own, for every context."""
    tell(
        HEARD_AND_HELD,
        "S(x) -> init{x}\n OK(x) -> init{f}\n OK(f) ->\n S(a) -> init{a}\n OK(a) -> C2/e=H\n release(e)@C2 -> init{b f} e=C",
        held={"C2": "e"},
    )


def test_an_event_that_happened_elsewhere_waits_for_its_context_and_happens_there_alone() -> None:
    """Released before its context might start: it is remembered on, and is no new event when the gate opens."""
    tell(
        "P{C0[z], C1[x l:e f* | e<-and(x), f<-and(e)], C2[l:e b | b<-and(e)]}",
        """
        S(x) -> init{x}
        OK(x) -> init{f} C2/e=H
        OK(f) ->
        release(e)@C2 -> C2/e=W
        S(z) -> init{z}
        OK(z) -> init{b} C2/e=C
        """,
        held={"C2": "e"},
        gates={"C2": "and(C0)"},
    )


def test_continuing_after_a_failure_where_what_comes_next_is_remembered_already() -> None:
    """It stays remembered, and its context goes on counting it as not due once the failure is one again."""
    tell(
        "P{C0[z], C1[x l:e | e<-and(x)], C2[a w l:e b | e<-or(a,w), b<-and(e)]}",
        """
        S(x) -> init{x}
        OK(x) -> C1/e=C C2/e=H
        release(e)@C2 -> C2/e=W
        S(a) -> init{a}
        KO(a) -> a=E C2=E
        continue(a) -> a=E C2/e=W
        S(z) -> init{z}
        OK(z) -> init{b} C2/e=C
        """,
        held={"C2": "e"},
        gates={"C2": "and(C0)"},
    )


def test_a_clock_that_fires_again_before_its_context_may_start_has_fired_there_alone() -> None:
    """Its other context has heard of that fire, and runs nothing again when the gate opens."""
    tell(
        "P{C0[z], C1[q:q f* | f<-and(q)], C2[q b | b<-and(q)]}",
        """
        S(z) -> init{z}
        OK(z) -> C0=C
        OK(q) -> init{f b} q=C
        OK(f) ->
        OK(b) ->
        reset(z) -> C0=W
        OK(q) -> init{f}
        OK(f) ->
        submit(z) -> init{z}
        OK(z) -> q=C
        """,
        gates={"C2": "and(C0)"},
    )


def test_a_file_that_came_before_its_context_might_start_is_named() -> None:
    """From when it came on, in place of an earlier one; the job is done when the gate opens."""
    house = House()
    house.open("i", "P{C0[z | z<-], C1[f:f b* | b<-and(f)]}", gates={"C1": "and(C0)"})
    house.act(Action.SUBMIT, "i.z")
    house.ended("i.z")
    assert house.fired("i.f", files=("early.csv",)) == ["i.b"]
    house.ended("i.b")
    house.act(Action.RESET, "i.z")
    house.fired("i.f", files=("late.csv",))
    before = house.machine("i").copies[1]
    house.act(Action.SUBMIT, "i.z")
    assert house.ended("i.z") == ["i.b"]

    after = house.machine("i").copies[1]
    assert (before.reason, before.pending) == ("late.csv", True)
    assert (after.reason, after.pending, after.started) == ("late.csv", False, house.now)


def test_a_fire_that_is_remembered_is_told_as_it_was() -> None:
    """With its reason, as pretended, as one that passes over the job; across a restart of the dashboard. The newest counts."""
    house = House()
    house.open("i", "P[f:f b* | b<-and(f)]")
    house.act(Action.HOLD, "i.f")
    house.fired("i.f", outcome=FireOutcome.PASSED, reason="blackout until noon")
    house.fired("i.f", files=("b.csv", "c.csv"), dry_run=True)
    house.restart()

    assert house.act(Action.RELEASE, "i.f") == ["i.b"]
    done = house.machine("i").copies[0]
    assert (house.status("i.f"), done.reason, done.dry_run) == ("COMPLETE", "2 files", True)
    house.ended("i.b")

    house.act(Action.RESET, "i.f")
    house.act(Action.HOLD, "i.f")
    house.fired("i.f", files=("a.csv",), dry_run=True)
    house.fired("i.f", outcome=FireOutcome.PASSED, reason="blackout until noon")
    house.restart()

    assert house.act(Action.RELEASE, "i.f") == ["i.b"]
    passed = house.machine("i").copies[0]
    assert (house.status("i.f"), passed.reason, passed.dry_run) == ("SKIPPED_COMPLETE", "blackout until noon", False)
    assert not passed.passing


def test_a_person_who_submits_a_job_stands_in_for_the_fire_that_is_remembered_where_it_is_held() -> None:
    """There it is done on its release, not passed over, and names no file."""
    house = House()
    house.open("i", "P{C1[f:f a* | a<-and(f)], C2[f:f b* | b<-and(f)]}", held={"C2": "f"})
    house.act(Action.DISABLE, "i.f", context="C1")
    house.fired("i.f", outcome=FireOutcome.PASSED, files=("a.csv",))
    house.act(Action.ENABLE, "i.f", context="C1")
    house.act(Action.SUBMIT, "i.f", context="C1")

    assert house.act(Action.RELEASE, "i.f", context="C2") == ["i.b"]
    held = house.machine("i").copies[2]
    assert (held.stage, held.reason) == (Stage.COMPLETE, "")


def test_a_global_event_that_is_held_in_another_context_is_raised_once() -> None:
    """Released there, it happens there, and the other instances do not hear it again."""
    house = House()
    house.open("A", "A{C1[a g:g | g<-and(a)], C2[g:g b | b<-and(g)]}", held={"C2": "g"})
    house.open("B", LISTENER)
    house.act(Action.SUBMIT, "A.a")
    assert house.ended("A.a") == ["B.f"]
    house.ended("B.f")

    assert house.act(Action.RELEASE, "A.g", context="C2") == ["A.b"]


def test_a_global_event_that_two_contexts_make_due_at_once_is_raised_once() -> None:
    """One job is done in both of them."""
    house = House()
    house.open("A", "A{C1[a g:g | g<-and(a)], C2[a g:g | g<-and(a)]}")
    house.open("B", LISTENER)
    house.act(Action.SUBMIT, "A.a")
    assert house.ended("A.a") == ["B.f"]

    assert house.ended("B.f") == []


def test_a_global_event_that_is_still_held_when_its_context_may_start() -> None:
    """It had happened; it stays remembered as that, and is not raised when it is released."""
    house = House()
    house.open("A", "A{C0[z | z<-], C2[g:g b | b<-and(g)]}", held={"C2": "g"}, gates={"C2": "and(C0)"})
    house.open("B", LISTENER)
    assert house.raise_event("g") == ["B.f"]
    house.ended("B.f")
    house.act(Action.SUBMIT, "A.z")
    assert house.ended("A.z") == []

    assert house.act(Action.RELEASE, "A.g") == ["A.b"]


def test_a_held_retry_is_forgotten_with_what_made_the_job_due() -> None:
    """Reset of the job before it: nothing is tried again on the release, and it follows the next result."""
    tell(
        "P[a b | b<-and(a)]",
        """
        S(a) -> init{a}
        OK(a) -> init{b}
        KO(b) -> b=W
        hold(b) -> b=H
        reset(a) -> a=W b=H
        release(b) -> b=W
        S(a) -> init{a}
        OK(a) -> init{b}
        """,
        jobs={"b": {"retry": TWICE}},
    )


def test_contexts_that_may_start_at_once_do_so_in_the_order_of_the_plan() -> None:
    """Of two jobs that need one lock the earlier context's has it first, whichever order the gates were found open in."""
    remembered = "OK(f1) ->\n OK(f2) -> f1=W f2=W\n"

    tell(
        "P{C1[q:q], C2[q], C3[f:f1 x | x<-and(f1)], C4[f:f2 y | y<-and(f2)]}",
        remembered + "OK(q) -> init{x} y=Q",
        gates={"C3": "and(C1)", "C4": "and(C2)"},
        locks="L{x y}",
    )
    tell(
        "P{C1[q:q], C2{D1[f:f1 x | x<-and(f1)], D2[f:f2 y | y<-and(f2)]}}",
        remembered + "OK(q) -> init{x} y=Q",
        gates={"C2": "and(C1)"},
        locks="L{x y}",
    )


def test_a_context_inside_that_still_waits_keeps_its_own_jobs_alone() -> None:
    """Those after it in the plan start."""
    tell(
        "P{C0[z], C1{D1[f:f1 x | x<-and(f1)], D2[f:f2 y | y<-and(f2)]}, C2[w]}",
        "OK(f1) ->\n OK(f2) ->\n S(z) -> init{z}\n OK(z) -> init{y} f1=W f2=C\n S(w) -> init{w}\n OK(w) -> init{x} f1=C",
        gates={"C1": "and(C0)", "D1": "and(C2)"},
    )


def test_a_context_is_not_complete_while_a_run_is_about_to_be_asked_for() -> None:
    """Else the gate of another context would open for a moment."""
    tell(
        "P{C1[a b c z | c<-or(a,b), b<-and(z)], C2[q:q d | d<-and(q)]}",
        """
        OK(q) -> q=W
        S(a) -> init{a}
        OK(a) -> init{c}
        OK(c) -> C1=R
        S(z) -> init{z}
        OK(z) -> init{b} q=W
        OK(b) -> init{d} C1=C
        """,
        gates={"C2": "and(C1)"},
    )


def test_a_context_is_not_complete_while_an_event_is_about_to_be_raised() -> None:
    """What follows it here may have to run again first."""
    tell(
        "P{C1[a z g:g f* | f<-or(a,g), g<-and(z)], C2[q:q d | d<-and(q)]}",
        """
        OK(q) -> q=W
        S(a) -> init{a}
        OK(a) -> init{f}
        OK(f) -> C1=R
        S(z) -> init{z}
        OK(z) -> init{f} q=W
        OK(f) -> init{d} C1=C
        """,
        gates={"C2": "and(C1)"},
    )


def test_a_global_event_that_happened_twice_while_held_happens_here_alone_on_its_release() -> None:
    """Once; the other instances heard it both times."""
    house = House()
    house.open("A", "A{C2[g:g b* | g<-, b<-and(g)]}", held={"C2": "g"})
    house.open("B", LISTENER)
    for _ in range(2):
        assert house.raise_event("g") == ["B.f"]
        house.ended("B.f")

    assert house.act(Action.RELEASE, "A.g") == ["A.b"]


def test_an_event_that_somebody_else_raised_is_not_forgotten_with_what_made_it_due_before() -> None:
    """It is held, and remembered since a person raised it: reset of the job that had once made it due takes nothing back."""
    house = House()
    house.open("A", "A[a g:g b* | g<-and(a), b<-and(g)]")
    house.act(Action.HOLD, "A.g")
    house.act(Action.SUBMIT, "A.a")
    house.ended("A.a")
    assert house.act(Action.RELEASE, "A.g") == ["A.b"]
    house.ended("A.b")
    house.act(Action.RESET, "A.g")
    house.act(Action.HOLD, "A.g")
    house.raise_event("g")
    house.act(Action.RESET, "A.a")

    assert house.act(Action.RELEASE, "A.g") == ["A.b"]
