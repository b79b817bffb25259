"""What a doctor says of what is retained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from jobplan.client import diagnosis, symptoms
from jobplan.client.checkup import Checkup, Pulse
from jobplan.client.diagnosis import diagnose
from jobplan.client.limits import limits
from jobplan.client.picture import Picture
from jobplan.client.symptoms import SYMPTOMS, Grade
from schemas.addresses import Address, AgentInstanceAt, AgentPresenceAt, DashboardPresenceAt, InstanceAt, PlanAt
from schemas.codec import encode_body, stamp
from schemas.documents import AgentInstance, Condition, Document, InstanceStatus, PlanStatus, Presence
from schemas.names import InstanceId, NodeName, PlanName
from schemas.status import ContextStatus, JobStatus, NodeState
from tests.support.pictures import a_job, an_instance, where

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NORTH, NIGHTLY = NodeName("north"), PlanName("Nightly")


def _presence(node: str, state: NodeState = NodeState.ALIVE, **more: object) -> Presence:
    whole = {"complete": state is NodeState.ALIVE, **more}
    return Presence(node=NodeName(node), state=state, connection=1, since=NOW, **whole)  # type: ignore[arg-type]  # builder


def _picture(*more: tuple[Address, Document]) -> Picture:
    """A dashboard and an agent that are well, and what else is given, or stands in their place."""
    shown: dict[Address, Document] = {
        DashboardPresenceAt(): _presence("dashboard"),
        AgentPresenceAt(NORTH): _presence("north"),
        PlanAt(NIGHTLY): PlanStatus(plan=NIGHTLY, version=1, enabled=True, agents=(NORTH,)),
        **dict(more),
    }
    picture = Picture()
    for number, (address, document) in enumerate(shown.items()):
        picture.take(address, stamp(encode_body(document), epoch=1, revision=number + 1, at=NOW))
    return picture


def _said(picture: Picture) -> list[tuple[Grade, str]]:
    return [(one.grade, one.what) for one in diagnose(picture, NOW)]


def test_all_is_well() -> None:
    """Nothing is said where nothing is wrong."""
    assert _said(_picture()) == []


def test_nothing_was_ever_there() -> None:
    """A broker on which nobody ever was has no dashboard, and that is said with what to do."""
    found = diagnose(Picture(), NOW)

    assert [one.advice for one in found] == ["start it: jobplan serve dashboard"]


def test_who_is_gone_is_wrong() -> None:
    """Whether dashboard or agent."""
    gone = NodeState.GONE
    picture = _picture(
        (DashboardPresenceAt(), _presence("dashboard", gone)), (AgentPresenceAt(NORTH), _presence("north", gone))
    )

    assert _said(picture) == [(Grade.WRONG, "dashboard"), (Grade.WRONG, "agent north")]


def test_what_was_switched_on_purpose_is_a_note() -> None:
    """An agent that drains, or pretends; a full disk is wrong."""
    condition = Condition(draining=True, disk_full=True)
    picture = _picture((AgentPresenceAt(NORTH), _presence("north", dry_run=True, condition=condition)))

    assert [grade for grade, _ in _said(picture)] == [Grade.WRONG, Grade.NOTE, Grade.NOTE]


def test_what_nodes_have_set_aside() -> None:
    """Whichever it is; who is gone sets nothing aside."""
    picture = _picture(
        (DashboardPresenceAt(), _presence("dashboard", aside=1)),
        (AgentPresenceAt(NORTH), _presence("north", NodeState.GONE, aside=2)),
    )

    assert _said(picture) == [(Grade.WRONG, "dashboard"), (Grade.WRONG, "agent north")]
    assert [one.symptom for one in diagnose(picture, NOW)] == ["set-aside", "agent-gone"]


def test_every_symptom_is_looked_for() -> None:
    """The table, which the page tells, has no row that nothing finds; its names are all different."""
    source = (Path(diagnosis.__file__)).read_text(encoding="utf-8")
    rows = {name: row for name, row in vars(symptoms).items() if isinstance(row, symptoms.Symptom)}

    assert [name for name in rows if f"symptoms.{name}.found(" not in source] == []
    assert sorted(one.name for one in rows.values()) == sorted({one.name for one in SYMPTOMS})


def test_a_plan_without_its_agent() -> None:
    """One that never was, and a group in which nobody is."""
    agents = (NORTH, NodeName("south"), NodeName("any:db"))
    picture = _picture((PlanAt(NIGHTLY), PlanStatus(plan=NIGHTLY, version=1, enabled=True, agents=agents)))

    assert _said(picture) == [(Grade.WRONG, "plan Nightly")] * 2


def test_an_instance_past_its_end() -> None:
    """Nobody has ended it."""
    name = InstanceId("Nightly-20260301T010000Z")
    hour = timedelta(hours=1)
    late = InstanceStatus(
        instance=name,
        plan=NIGHTLY,
        version=1,
        status=ContextStatus.RUNNING,
        created=NOW - 2 * hour,
        opens=NOW - 2 * hour,
        closes=NOW - hour,
    )

    assert _said(_picture((InstanceAt(name), late))) == [(Grade.WRONG, f"instance {name}")]


def test_what_cannot_be_read_and_what_nobody_owns() -> None:
    """Garbage is named by its topic; what belongs to no instance, by that."""
    name = InstanceId("Nightly-20260301T010000Z")
    stray = AgentInstance(instance=name, plan=NIGHTLY, version=1, opens=NOW)
    picture = _picture((AgentInstanceAt(NORTH, name), stray))
    picture.unreadable["jobplan/v1/plan/x"] = "not JSON"

    assert _said(picture) == [(Grade.WRONG, "topic jobplan/v1/plan/x"), (Grade.NOTE, f"instance {name}")]


def _asked(**pulses: Pulse) -> list[tuple[str, str, str]]:
    """What is said when asking came to this."""
    found = diagnose(_picture(), NOW, Checkup(pulses=dict(pulses)))
    return [(one.symptom, one.what, one.detail) for one in found]


def _clock(ahead: float, within: float = 0.1) -> Pulse:
    return Pulse(answered=True, ahead=ahead, within=within)


def test_who_says_it_is_alive_and_does_not_answer() -> None:
    """It is named, and how long was waited."""
    assert _asked(dashboard=_clock(0), north=Pulse(answered=False)) == [
        ("silent", "north", "says that it is alive, and has not answered within 5 s")
    ]


def test_a_clock_that_is_off() -> None:
    """By more than can be put down to the way; either way round."""
    assert _asked(dashboard=_clock(0.3), north=_clock(-7), south=_clock(2.5, within=1.0)) == [
        ("clock-off", "north", "its clock is 7.0 s behind this host's, give or take 0.1 s")
    ]


def test_when_all_agree_it_is_this_hosts_clock() -> None:
    """One alone may be wrong as well as we; two that differ from each other are both named."""
    assert _asked(dashboard=_clock(60), north=_clock(61)) == [
        ("clock-here", "this host", "its clock is 60.5 s behind those of all nodes, which agree")
    ]
    assert [what for _, what, _ in _asked(north=_clock(60))] == ["north"]
    assert [what for _, what, _ in _asked(dashboard=_clock(60), north=_clock(-60))] == ["dashboard", "north"]


def test_a_broker_that_drops() -> None:
    """By its own count, and by what its configuration says."""
    found = diagnose(_picture(), NOW, Checkup(dropped=3), limits("memory_limit 5\nmax_queued_messages 1000000"))

    assert [one.symptom for one in found] == ["broker-drops", "broker-limit"]
    assert "messages: 3" in found[0].detail
    assert found[1].advice == "set memory_limit 0, and restart the broker"


def test_a_run_that_was_lost_is_told_apart_from_one_that_failed() -> None:
    """Nobody knows what it did: that is to be looked at before it is run again."""
    shown = an_instance()
    said: dict[str, str] = {}
    for reason in ("return code 3", "lost: the host went down"):
        job = replace(a_job(status=JobStatus.ERROR), reason=reason)
        found = diagnose(_picture((InstanceAt(shown.instance), shown), (where(job), job)), NOW)
        said |= {one.symptom: one.detail for one in found if one.what.startswith("job ")}

    assert list(said) == ["job-failed", "run-lost"]
    assert said["job-failed"] == "ERROR: return code 3"
    assert said["run-lost"] == "nobody knows how its run ended: the host went down"
