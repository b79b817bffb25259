"""How topics are spelt, by example."""

from __future__ import annotations

import pytest

from broker.errors import TopicError
from broker.topic_table import TABLE, Role, document_type
from broker.topics import DASHBOARD, RequestTopic, ResponseTopic, Topics
from schemas.addresses import (
    Address,
    AgentGrantsAt,
    AgentInstanceAt,
    AgentPlanAt,
    AgentPresenceAt,
    AssignmentAt,
    CalendarAt,
    DashboardPresenceAt,
    FireReportAt,
    GrantsAt,
    InstanceAt,
    JobAt,
    LockAt,
    PlanAt,
    PlanVersionAt,
    RunReportAt,
    ShareAt,
    TakenAt,
)
from schemas.documents import (
    AgentInstance,
    AgentPlan,
    Assignment,
    CalendarDays,
    Document,
    FireReport,
    Grants,
    InstanceStatus,
    JobState,
    LockState,
    PlanStatus,
    PlanVersion,
    Presence,
    RunReport,
    Share,
    Taken,
)
from schemas.names import ContextName, InstanceId, JobId, LockName, NodeName, PlanName, RequestId, RunId, UserName

DAY = InstanceId("nightly-20260101T010000Z")
NORTH = NodeName("north")
SPELLINGS: list[tuple[Address, str]] = [
    (DashboardPresenceAt(), "dashboard/presence"),
    (GrantsAt(), "dashboard/grants"),
    (AgentGrantsAt(NORTH), "agent/north/grants"),
    (ShareAt(NORTH), "agent/north/share"),
    (AssignmentAt(NORTH, RunId(f"{DAY}~main~north-load~1")), f"agent/north/assignment/{DAY}/main~north-load~1"),
    (RunReportAt(NORTH, RunId(f"{DAY}~main~north-load~2")), f"agent/north/report/{DAY}/main~north-load~2"),
    (FireReportAt(NORTH, DAY, JobId("north-file.csv")), f"agent/north/report/{DAY}/north-file%2Ecsv"),
    (FireReportAt(NORTH, DAY, JobId("a~b~1")), f"agent/north/report/{DAY}/a%7Eb%7E1"),
    (JobAt(DAY, ContextName("End of day"), JobId("x-y")), f"instance/{DAY}/job/End%20of%20day/x-y"),
    (PlanVersionAt(PlanName("End of day"), 12), "plan/End%20of%20day/version/12"),
    (CalendarAt("UK holidays"), "calendar/UK%20holidays"),
    (LockAt(LockName("ledger"), ""), "lock/ledger"),
    (LockAt(LockName("ledger"), "prod/eu"), "lock/prod%2Feu~ledger"),
]
DOCUMENTS: list[tuple[Address, type[Document]]] = [
    (DashboardPresenceAt(), Presence),
    (AgentPresenceAt(NORTH), Presence),
    (AgentPlanAt(NORTH, PlanName("p")), AgentPlan),
    (AgentInstanceAt(NORTH, DAY), AgentInstance),
    (AssignmentAt(NORTH, RunId(f"{DAY}~c~j~1")), Assignment),
    (RunReportAt(NORTH, RunId(f"{DAY}~c~j~1")), RunReport),
    (FireReportAt(NORTH, DAY, JobId("j")), FireReport),
    (TakenAt(NORTH, DAY, JobId("j")), Taken),
    (PlanAt(PlanName("p")), PlanStatus),
    (PlanVersionAt(PlanName("p"), 3), PlanVersion),
    (CalendarAt("UK holidays"), CalendarDays),
    (InstanceAt(DAY), InstanceStatus),
    (JobAt(DAY, ContextName("c"), JobId("j")), JobState),
    (LockAt(LockName("l"), ""), LockState),
    (GrantsAt(), Grants),
    (AgentGrantsAt(NORTH), Grants),
    (ShareAt(NORTH), Share),
]
FOREIGN = [
    "",
    "jobplan/v1",
    "jobplan/v2/plan/a",
    "other/plan/a",
    "jobplan/v1/",
    "jobplan/v1/plan",
    "jobplan/v1/plan/",
    "jobplan/v1/plan//a",
    "jobplan/v1/plan/a/b",
    "jobplan/v1/plan/a b",
    "jobplan/v1/plan/%c3%a4",
    "jobplan/v1/plan/%41",
    "jobplan/v1/plan/%FF",
    "jobplan/v1/plan/e%CC%81",
    "jobplan/v1/lock/~a",
    "jobplan/v1/lock/a~",
    "jobplan/v1/lock/a~b~c",
    "jobplan/v1/instance/nightly",
    "jobplan/v1/instance/-20260101T010000Z",
    f"jobplan/v1/agent/a/report/{DAY}/~x~1",
    "jobplan/v1/instance/a b-20260101T010000Z",
    f"jobplan/v1/agent/a/report/{DAY}/x~y",
    f"jobplan/v1/agent/a/report/{DAY}/x~y~z",
    f"jobplan/v1/agent/a/report/{DAY}/x~y~01",
    f"jobplan/v1/agent/a/report/{DAY}/x~y~0",
    f"jobplan/v1/agent/a/report/{DAY}/x y~z~1",
    "jobplan/v1/agent/a/report/nightly/x~y~1",
    "jobplan/v1/agent/a/grants/b",
    "jobplan/v1/request/u/1",
    "jobplan/v1/_sync/x",
]


@pytest.mark.parametrize(("address", "topic"), SPELLINGS)
def test_address_is_spelt_readably(address: Address, topic: str) -> None:
    """A person sees in a topic what it is about."""
    assert Topics().topic_of(address) == f"jobplan/v1/{topic}"
    assert Topics().address_of(f"jobplan/v1/{topic}") == address


@pytest.mark.parametrize(("address", "document"), DOCUMENTS)
def test_each_address_has_its_document(address: Address, document: type[Document]) -> None:
    """One type of document stands at an address, and its topic is parsed to that address."""
    assert document_type(address) is document
    assert Topics().address_of(Topics().topic_of(address)) == address


@pytest.mark.parametrize("topic", FOREIGN)
def test_other_topic_is_an_error(topic: str) -> None:
    """What is not exactly one of our spellings is refused, and named."""
    with pytest.raises(TopicError):
        Topics().address_of(topic)


@pytest.mark.parametrize("prefix", ["", "/a", "a/", "a//b", "a/+", "a/#", "$SYS", "a\0"])
def test_prefix_that_cannot_be_is_an_error(prefix: str) -> None:
    """A prefix is plain levels."""
    with pytest.raises(TopicError, match="prefix"):
        Topics(prefix)


def test_requests_and_responses_are_spelt_readably() -> None:
    """A request to the dashboard, one to an agent, and a part of an answer."""
    topics, user, request = Topics("p"), UserName("anna@x.org"), RequestId("42")

    assert topics.request(RequestTopic(user, request)) == "p/request/anna%40x%2Eorg/42"
    assert topics.request(RequestTopic(user, request, NORTH)) == "p/agent/north/request/anna%40x%2Eorg/42"
    assert topics.response(ResponseTopic(user, request, DASHBOARD, 3)) == "p/response/anna%40x%2Eorg/42/dashboard/3"
    assert topics.responses(user) == "p/response/anna%40x%2Eorg/#"
    assert topics.responses(user, request) == "p/response/anna%40x%2Eorg/42/#"
    assert topics.sync("a b") == "p/_sync/a%20b"


@pytest.mark.parametrize(
    "topic",
    ["p/request/a", "p/request/a/b/c", "p/request/a b/c", "p/plan/a", "q/request/a/b", "p/agent/a.b/request/u/1"],
)
def test_topic_that_is_no_request_is_an_error(topic: str) -> None:
    """Only requests are read as requests."""
    with pytest.raises(TopicError):
        Topics("p").request_of(topic)


@pytest.mark.parametrize(
    "topic",
    ["p/response/a/b/c", "p/response/a/b/c/x", "p/response/a/b/c/-1", "p/response/a/b/c/01", "p/response/a.b/b/c/1"],
)
def test_topic_that_is_no_response_is_an_error(topic: str) -> None:
    """Only parts of answers are read as answers."""
    with pytest.raises(TopicError):
        Topics("p").response_of(topic)


def test_agent_reads_its_own_subtree_and_the_dashboard() -> None:
    """An agent's subscriptions name it, but for the dashboard's presence and whoever asks to be shown all again."""
    topics = Topics("p")
    foreign = topics.foreign_filters(Role.AGENT, NodeName("a b"))

    assert topics.own_filters(Role.AGENT, NodeName("a b")) == ("p/agent/a%20b/presence", "p/agent/a%20b/report/+/+")
    assert [pattern for pattern in foreign if not pattern.startswith("p/agent/a%20b/")] == [
        "p/dashboard/presence",
        "p/_again/+",
    ]
    assert "p/agent/a%20b/request/+/+" in foreign


def test_dashboard_reads_all_agents_and_its_requests() -> None:
    """The dashboard's subscriptions to what others write."""
    assert Topics("p").foreign_filters(Role.DASHBOARD, DASHBOARD) == (
        "p/agent/+/presence",
        "p/agent/+/report/+/+",
        "p/request/+/+",
        "p/_again/+",
    )


def test_table_says_who_writes_what_in_sentences() -> None:
    """No pattern twice; every row says in a sentence what it shows; only retained topics have documents."""
    assert len({row.pattern for row in TABLE}) == len(TABLE)
    assert all(row.shows.endswith(".") for row in TABLE)
    assert all(row.retained for row in TABLE if row.documents)
