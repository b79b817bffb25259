"""Why not? What is said of a job that does not run."""

from __future__ import annotations

import pytest

from broker.runtime.core import Heard
from dashboard_node.core.blockers import blockers
from schemas.addresses import AgentPresenceAt, FireReportAt, RunReportAt
from schemas.blockers import BlockerKind
from schemas.documents import Condition, FireReport, Presence, RunReport
from schemas.names import NodeName, PlanName, job_id
from schemas.plan import Retry
from schemas.requests import Action, PrepareInstance
from schemas.status import ContextStatus, NodeState, RunPhase
from tests.scenarios.house import BEGINNING, House, mentioned
from tests.scenarios.notation import plan
from tests.scenarios.telling import Telling
from tests.support.groups import FIVE_MINUTES, GROUP, NORTH, SOUTH, Floor, a_floor
from tests.support.office import Shape, a_plan, at


def reasons(told: Telling, job: str, context: str = "") -> list[str]:
    """What is said."""
    machine = told.play.world.machine
    copy = next(
        copy
        for copy in machine.graph.copies
        if copy.name == job and context in {"", machine.graph.context_of(copy.index).name}
    )
    return [f"{blocker.kind}: {blocker.text}" for blocker in blockers(told.core.state, machine, copy)]


AFTER = "P[a b c d | c<-and(a) not(b), d<-and(a,b)]"


@pytest.mark.parametrize(
    ("text", "story", "job", "said"),
    [
        (AFTER, "", "a", ["notTriggered: nothing starts it but a person: submit it"]),
        (AFTER, "", "d", ["predecessor: a is WAITING", "predecessor: b is WAITING"]),
        (
            AFTER,
            "S(b) -> init{b}\n OK(b) ->",
            "c",
            ["predecessor: a is WAITING", "predecessor: b is COMPLETE, and this job runs only if it is not"],
        ),
        (AFTER, "hold(c) ->", "c", ["held: held; release it", "predecessor: a is WAITING"]),
        (AFTER, "disable(c) ->", "c", ["disabled: disabled; enable it", "predecessor: a is WAITING"]),
        (AFTER, "submit(a) -> init{a}", "a", ["agent: north has never been seen"]),
        (AFTER, "S(a) -> init{a}", "a", []),
        (
            "P[a b | b<-and(a)]",
            "S(a) -> init{a}\n OK(a) -> init{b}\n OK(b) ->\n reset(b) ->",
            "b",
            ["notTriggered: its dependency holds, but nothing has happened since that would start it: submit it"],
        ),
        (
            "P[q:q]",
            "",
            "q",
            [
                "clock: north has never been seen: nobody looks for its time until it is there, or somebody submits the job"
            ],
        ),
        (
            "P[a b c | c<-and(a) lg{and(b) not({and(a)})}]",
            "S(a) -> init{a}\n OK(a) ->\n S(b) -> init{b}\n OK(b) ->",
            "c",
            ["predecessor: a is COMPLETE, and this job runs only if it is not"],
        ),
        (
            "P[a b | b<-and(z)]",
            "",
            "b",
            ["predecessor: its dependency names a job that is not in its context: it never holds"],
        ),
    ],
)
def test_what_is_said(text: str, story: str, job: str, said: list[str]) -> None:
    """In the order in which one would ask."""
    told = Telling(text)
    told.tell(story)

    assert reasons(told, job) == said


def test_a_job_that_is_started_elsewhere() -> None:
    """Where, is said."""
    told = Telling("P{C1[u a | a<-and(u)], C2[a b | b<-and(a)]}")

    assert reasons(told, "a", "C2") == ["notTriggered: it is started in C1"]
    assert reasons(told, "a", "C1") == ["predecessor: u is WAITING"]


def test_a_context_that_may_not_begin() -> None:
    """The contexts it waits for are named, also those that should not be complete."""
    told = Telling("P{C1[a], C2[b], C3[u c | c<-and(u)]}", gates={"C3": "and(C1) not(C2)"})
    told.tell("S(b) -> init{b}\n OK(b) -> C2=C")

    assert reasons(told, "c") == [
        "context: context C1 is WAITING, not COMPLETE",
        "context: context C2 is COMPLETE, and this job runs only if it is not",
        "predecessor: u is WAITING",
    ]


def test_a_lock_and_a_retry() -> None:
    """The lock's name; the time of the next attempt."""
    told = Telling("P[a b]", locks="L{a b}", jobs={"b": {"retry": Retry(attempts=2)}})
    told.tell("S(a) -> init{a}\n submit(b) -> b=Q")
    assert reasons(told, "b") == ["lock: waits for lock L, held by a since 2026-01-01T00:00:00Z"]

    told.tell("OK(a) -> init{b}\n KO(b) -> b=W")
    assert reasons(told, "b") == ["retry: retry 2 at 2026-01-01T00:01:00Z"]


def test_an_agent() -> None:
    """Whether it is there, and whether it has the run."""
    house = House()
    house.open("i", "P[a]")
    house.act(Action.SUBMIT, "i.a")
    address = AgentPresenceAt(NodeName("north"))

    def said() -> list[str]:
        machine = house.machine("i")
        return [blocker.text for blocker in blockers(house.core.state, machine, machine.graph.copies[0])]

    house.step(
        Heard(
            house.now, address, Presence(node=NodeName("north"), state=NodeState.ALIVE, connection=1, since=BEGINNING)
        )
    )
    assert said() == ["handed to north, not started yet"]

    run = next(iter(house.core.state.runs))
    house.step(Heard(house.now, RunReportAt(NodeName("north"), run), RunReport(run=run, phase=RunPhase.ACCEPTED)))
    assert said() == ["north has it and will start it"]

    full = Presence(
        node=NodeName("north"),
        state=NodeState.ALIVE,
        connection=1,
        since=BEGINNING,
        condition=Condition(disk_full=True),
    )
    house.step(Heard(house.now, address, full))
    assert said() == ["north has it, but its disk is full: it starts nothing until there is space"]

    house.step(
        Heard(house.now, address, Presence(node=NodeName("north"), state=NodeState.GONE, connection=1, since=BEGINNING))
    )
    assert said() == ["north is gone"]


def test_what_keeps_a_clock_or_file_job_from_watching() -> None:
    """Its agent says it, and says when it is over; it is shown though nothing has to be saved for it."""
    floor = a_floor(NORTH)
    instance, job = floor.only.id, job_id(GROUP, "q")
    report = FireReport(instance=instance, job=job, problem="folder '/in' is missing")
    floor.step(Heard(floor.now, FireReportAt(NORTH, instance, job), report))
    assert floor.why("q") == "folder '/in' is missing"

    floor.step(Heard(floor.now, FireReportAt(NORTH, instance, job), None))
    assert floor.why("q") == "waits for its time, or for somebody to submit it"


def test_a_fire_that_a_blackout_puts_off() -> None:
    """Its agent says since when and until when; fires of before that it shows with it are not looked at for that."""
    floor = a_floor(NORTH)
    instance, job = floor.only.id, job_id(GROUP, "q")
    due, until = at("03-02 11:30"), at("03-02 14:00")
    report = FireReport(instance=instance, job=job, delayed=due, delayed_until=until)
    rows = len(floor.audit)

    floor.step(Heard(floor.now, FireReportAt(NORTH, instance, job), report))
    assert floor.why("q") == "its time came at 11:30:00Z; a blackout puts it off until 2026-03-02 14:00:00Z"
    assert floor.job("q").blockers[0].until == until
    assert len(floor.audit) == rows

    floor.step(Heard(floor.now, FireReportAt(NORTH, instance, job), None))
    assert floor.why("q") == "waits for its time, or for somebody to submit it"


def test_a_file_that_a_blackout_puts_off() -> None:
    """It has come: a file is not what the job waits for."""
    floor = a_floor(NORTH, plan=mentioned(plan("P[f:f]")))
    instance, job = floor.only.id, job_id("north", "f")
    report = FireReport(instance=instance, job=job, delayed=at("03-02 11:30"), delayed_until=at("03-02 14:00"))

    floor.step(Heard(floor.now, FireReportAt(NORTH, instance, job), report))

    assert floor.why("f") == "a file came at 11:30:00Z; a blackout puts it off until 2026-03-02 14:00:00Z"


def test_a_file_job_on_a_day_that_its_calendar_leaves_out() -> None:
    """Its agent says so, and that the day is over; a folder that is missing keeps it from nothing on such a day."""
    floor = a_floor(NORTH, plan=mentioned(plan("P[f:f]")))
    instance, job = floor.only.id, job_id("north", "f")
    report = FireReport(instance=instance, job=job, left_out="Bank Holiday (UK)", problem="/in is missing")

    floor.step(Heard(floor.now, FireReportAt(NORTH, instance, job), report))
    assert floor.why("f") == (
        "its calendar leaves out this day: Bank Holiday (UK); waits for one that runs, or for somebody to submit it"
    )

    floor.step(Heard(floor.now, FireReportAt(NORTH, instance, job), None))
    assert floor.why("f") == "waits for a file, or for somebody to submit it"


@pytest.mark.parametrize(("text", "awaited"), [("P[q:q]", "its time"), ("P[f:f]", "a file")])
def test_a_clock_or_file_job_whose_agent_is_gone(text: str, awaited: str) -> None:
    """Nobody looks for what it waits for."""
    house = House()
    house.open("i", text)
    machine = house.machine("i")

    def said(state: NodeState) -> str:
        presence = Presence(node=NORTH, state=state, connection=1, since=BEGINNING)
        house.step(Heard(house.now, AgentPresenceAt(NORTH), presence))
        [blocker] = blockers(house.core.state, machine, machine.graph.copies[0])
        return blocker.text

    assert said(NodeState.ALIVE) == f"waits for {awaited}, or for somebody to submit it"
    gone = f"north is gone: nobody looks for {awaited} until it is there, or somebody submits the job"
    assert said(NodeState.GONE) == gone


def test_an_agents_going_is_shown_with_its_clock_jobs() -> None:
    """At once, though nothing has to be saved for it; until it is back."""
    floor = Floor(at("03-02 12:00"))
    floor.hears(NodeName("a"))
    floor.imports(a_plan(shape=Shape(cron="")))
    assert floor.start("P").ok
    here = floor.why("q")
    floor.hears(NodeName("a"), alive=False)
    gone = floor.why("q")
    floor.hears(NodeName("a"))

    assert gone.startswith("a is gone: nobody looks for its time")
    assert floor.why("q") == here == "waits for its time, or for somebody to submit it"


def test_an_agents_going_is_shown_with_the_clock_jobs_of_a_prepared_instance() -> None:
    """They say what those of a running one say."""
    floor = Floor(at("03-02 12:00"))
    floor.hears(NodeName("a"))
    floor.imports(a_plan())
    assert floor.ask(PrepareInstance(plan=PlanName("P"))).ok
    floor.hears(NodeName("a"), alive=False)

    said = {job.instance: [why.text for why in job.blockers] for job in floor.jobs("q")}
    wanted = ["a is gone: nobody looks for its time until it is there, or somebody submits the job"]
    assert said == dict.fromkeys(floor.core.state.instances, wanted)
    assert ContextStatus.PREPARED in {one.status for one in floor.core.state.instances.values()}


def test_a_clock_job_of_a_group_whose_agent_is_gone() -> None:
    """It says when another one is chosen; then that one looks."""
    floor = a_floor(NORTH, SOUTH)
    floor.hears(NORTH, alive=False)
    assert floor.why("q").startswith("north is gone: nobody looks for its time")
    assert floor.why("q").endswith("; goes to another one at 12:05:00Z")

    floor.until(floor.now + FIVE_MINUTES)

    assert floor.job("q").agent == SOUTH
    assert floor.why("q") == "waits for its time, or for somebody to submit it"


def test_a_clock_job_of_a_group_without_an_agent_can_be_submitted() -> None:
    """What it says is not that a run is with an agent: of such a run only a kill is offered to people."""
    [blocker] = a_floor().job("q").blockers

    assert blocker.kind is BlockerKind.CLOCK
    assert blocker.text == "no agent with the label 'db' has ever been seen"
