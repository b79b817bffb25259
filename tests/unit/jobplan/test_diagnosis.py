"""What a doctor says of what is retained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from jobplan.client import diagnosis, symptoms
from jobplan.client.diagnosis import diagnose
from jobplan.client.picture import Picture
from jobplan.client.symptoms import SYMPTOMS, Grade
from schemas.addresses import Address, AgentInstanceAt, AgentPresenceAt, DashboardPresenceAt, InstanceAt, PlanAt
from schemas.codec import encode_body, stamp
from schemas.documents import AgentInstance, Condition, Document, InstanceStatus, PlanStatus, Presence
from schemas.names import InstanceId, NodeName, PlanName
from schemas.status import ContextStatus, NodeState

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
