"""Topics are spelt so that every address comes back, and filters cover what the specification says."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from broker.errors import TopicError
from broker.filters import covering, is_filter, matches
from broker.topic_table import TABLE, Role, document_type, filter_of
from broker.topics import RequestTopic, ResponseTopic, Topics
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
from schemas.names import ContextName, JobId, LockName, NodeName, PlanName, RequestId, UserName, instance_id, run_id

_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_odd = st.text(st.sampled_from("aZ0-_%~+#/. é\u0301☃$"), min_size=1, max_size=8)
names = (_text | _odd).map(lambda text: unicodedata.normalize("NFC", text))

nodes, plans, contexts = names.map(NodeName), names.map(PlanName), names.map(ContextName)
jobs, locks = names.map(JobId), names.map(LockName)
starts = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # zone is added
hexes = st.none() | st.text("0123456789abcdef", min_size=8, max_size=32)
instances = st.builds(instance_id, plans, starts, hexes)
runs = st.builds(run_id, instances, contexts, jobs, st.integers(1, 10**6))

addresses: st.SearchStrategy[Address] = st.one_of(
    st.just(DashboardPresenceAt()),
    st.builds(AgentPresenceAt, nodes),
    st.builds(AgentPlanAt, nodes, plans),
    st.builds(AgentInstanceAt, nodes, instances),
    st.builds(AssignmentAt, nodes, runs),
    st.builds(RunReportAt, nodes, runs),
    st.builds(FireReportAt, nodes, instances, jobs),
    st.builds(TakenAt, nodes, instances, jobs),
    st.builds(PlanAt, plans),
    st.builds(PlanVersionAt, plans, st.integers(1, 10**6)),
    st.builds(CalendarAt, names),
    st.builds(InstanceAt, instances),
    st.builds(JobAt, instances, contexts, jobs),
    st.builds(LockAt, locks, st.just("") | names),
    st.just(GrantsAt()),
    st.builds(AgentGrantsAt, nodes),
    st.builds(ShareAt, nodes),
)
levels = st.sampled_from(["", "a", "b", "$x", "+", "#", "ab"])
topics_of_levels = st.lists(levels, min_size=1, max_size=5).map("/".join)


@given(addresses, st.sampled_from(["jobplan/v1", "x", "a b/ü"]))
def test_parsing_a_spelt_address_gives_it_back(address: Address, prefix: str) -> None:
    """``address_of`` undoes ``topic_of``, whatever names hold."""
    topics = Topics(prefix)

    assert topics.address_of(topics.topic_of(address)) == address


@given(addresses, addresses)
def test_two_addresses_have_two_topics(one: Address, other: Address) -> None:
    """No two addresses share a topic."""
    assume(one != other)

    assert Topics().topic_of(one) != Topics().topic_of(other)


@given(addresses)
def test_table_has_one_row_for_an_address(address: Address) -> None:
    """Every document's topic is in exactly one retained row of the table, with its type, and is no filter."""
    topic = Topics("p").topic_of(address)
    rows = [row for row in TABLE if matches("p/" + filter_of(row.pattern), topic)]

    assert [document_type(address) in row.documents and row.retained for row in rows] == [True]
    assert not re.search(r"[+#\s.]", topic.removeprefix("p/"))


@given(addresses, nodes)
def test_filters_cover_what_a_node_writes_and_reads(address: Address, node: NodeName) -> None:
    """A topic is among a node's own or foreign ones as the table says, and never among both."""
    topics = Topics("p")
    topic = topics.topic_of(address)
    row = next(row for row in TABLE if matches("p/" + filter_of(row.pattern), topic))
    for role in (Role.DASHBOARD, Role.AGENT):
        mine = (
            role is Role.DASHBOARD or isinstance(address, DashboardPresenceAt) or getattr(address, "agent", "") == node
        )
        own = any(matches(pattern, topic) for pattern in topics.own_filters(role, node))
        foreign = any(matches(pattern, topic) for pattern in topics.foreign_filters(role, node))

        assert own == (mine and row.writer is role)
        assert foreign == (mine and role in row.readers)


@given(topics_of_levels)
def test_any_topic_is_an_address_or_an_error(topic: str) -> None:
    """Parsing ends with an address that spells the same topic, or with TopicError."""
    topics = Topics("p")
    for text in (topic, "p/" + topic):
        try:
            address = topics.address_of(text)
        except TopicError:
            continue
        assert topics.topic_of(address) == text


@given(addresses, st.integers(0), st.text(max_size=3))
def test_damaged_topic_is_another_address_or_an_error(address: Address, place: int, patch: str) -> None:
    """One address has one topic: what is written differently is an error, or means something else."""
    topics = Topics("p")
    topic = topics.topic_of(address)
    place %= len(topic)
    damaged = topic[:place] + patch + topic[place + 1 :]
    assume(damaged != topic)
    try:
        other = topics.address_of(damaged)
    except TopicError:
        return
    assert other != address
    assert topics.topic_of(other) == damaged


@given(names, names, st.none() | nodes, nodes, st.integers(0, 10**6))
def test_requests_and_responses_come_back(
    user: str, request: str, agent: NodeName | None, node: NodeName, part: int
) -> None:
    """Request and response topics give back who asked what of whom, and are covered by the asker's subscription."""
    topics = Topics("p")
    asked = RequestTopic(UserName(user), RequestId(request), agent)
    answered = ResponseTopic(UserName(user), RequestId(request), node, part)

    assert topics.request_of(topics.request(asked)) == asked
    assert topics.response_of(topics.response(answered)) == answered
    assert matches(topics.responses(asked.user), topics.response(answered))
    assert matches(topics.responses(asked.user, asked.request), topics.response(answered))
    for spelt in (topics.request(asked), topics.response(answered)):
        with pytest.raises(TopicError):
            topics.address_of(spelt)


def _naive(pattern: list[str], topic: list[str]) -> bool:
    """The specification, section 4.7, read aloud."""
    match pattern, topic:
        case ["#"], _:
            return True
        case [], []:
            return True
        case ["+", *more], [_, *rest]:
            return _naive(more, rest)
        case [level, *more], [same, *rest] if level == same:
            return _naive(more, rest)
        case _:
            return False


@given(topics_of_levels, topics_of_levels)
def test_filters_cover_what_the_specification_says(pattern: str, topic: str) -> None:
    """The filter matches as a naive recursive version does; wildcards first never match ``$`` topics."""
    assume(is_filter(pattern))
    assume(not set(topic) & {"+", "#"})
    system = topic.startswith("$") and pattern[0] in "+#"

    naive = not system and _naive(pattern.split("/"), topic.split("/"))
    assert matches(pattern, topic) == naive
    assert covering(["x/+/y", pattern])(topic) == (naive or matches("x/+/y", topic))


def test_every_address_is_generated() -> None:
    """These properties are about all addresses that there are."""
    generated = {
        DashboardPresenceAt, AgentPresenceAt, AgentPlanAt, AgentInstanceAt, AssignmentAt, RunReportAt,
        FireReportAt, TakenAt, PlanAt, PlanVersionAt, CalendarAt, InstanceAt, JobAt, LockAt,
        GrantsAt, AgentGrantsAt, ShareAt,
    }  # fmt: skip

    assert generated == set(Address.__args__)
    assert all(issubclass(kind, msgspec.Struct) for kind in generated)
