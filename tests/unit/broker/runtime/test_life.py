"""One life of a node without any I/O: requests that no core should see, our own presence, and what ends a life."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from broker.bus import Delivery
from broker.runtime.again import PAUSE
from broker.runtime.aside import Aside
from broker.runtime.core import Heard, Recovered, Reply
from broker.runtime.errors import EpochTakenError, FencedError
from broker.runtime.inbox import LARGEST_REQUEST, MOST_REQUESTS
from broker.runtime.life import Life
from broker.runtime.reconciler import Mark
from broker.runtime.saved import MARK
from broker.runtime.selfwatch import Identity
from broker.runtime.words import REFRESH
from broker.topic_table import Role
from broker.topics import RequestTopic
from schemas.addresses import DashboardPresenceAt
from schemas.codec import decode, encode_body, stamp
from schemas.documents import FireReport, Presence
from schemas.names import InstanceId, RequestId, UserName
from schemas.status import NodeState
from tests.fakes.toy_core import JOB, ME, Bump, Effect, Event, ToyCore
from tests.fakes.toy_node import FIRST, PRESENCE, REPORT, START, TOPICS

EPOCH = 7


class FaultyCore(ToyCore):
    """One with a mistake in it."""

    def count(self, instance: InstanceId) -> int | None:
        """Make the mistake."""
        raise KeyError(instance)


def a_life(core: ToyCore | None = None, *, own: dict[str, bytes] | None = None) -> Life[Event, Effect]:
    """A life after its first replay, which brought this."""
    life: Life[Event, Effect] = Life(core or ToyCore(), Identity(role=Role.AGENT, node=ME), TOPICS)
    life.restore([])
    life.look(None)
    life.begin(EPOCH)
    reconnect(life, own)
    return life


def reconnect(life: Life[Event, Effect], own: dict[str, bytes] | None = None) -> None:
    """A connection whose replay brings this of our own."""
    life.connecting(START)
    life.hello(START)
    for topic, payload in (own or {}).items():
        life.deliver(Delivery(topic, payload, retained=True))
    life.replayed()
    life.turn(START)


def a_report(epoch: int) -> dict[str, bytes]:
    """Our own report as it stands on the broker."""
    body = encode_body(FireReport(instance=FIRST, job=JOB, problem="1"))
    return {REPORT: stamp(body, epoch=epoch, revision=1, at=START)}


def a_presence(epoch: int, *, connection: int = 1, late: int = 0, complete: bool = False) -> bytes:
    """Somebody's word, at our own address perhaps."""
    since = START + timedelta(seconds=late)
    word = Presence(node=ME, state=NodeState.ALIVE, connection=connection, since=since, host="there", complete=complete)
    return stamp(encode_body(word), epoch=epoch, revision=1, at=START)


def ask(life: Life[Event, Effect], payload: bytes, *, number: int = 1, retained: bool = False) -> None:
    """A request comes in."""
    topic = TOPICS.request(RequestTopic(UserName("mary"), RequestId(f"r{number}"), ME))
    life.deliver(Delivery(topic, payload, retained))


def answers(life: Life[Event, Effect]) -> list[Reply]:
    """What the next turn answers."""
    turn = life.turn(START)
    return [effect for effect in turn.effects if isinstance(effect, Reply)] if turn is not None else []


def test_a_retained_request_is_set_aside() -> None:
    """It would be asked again at each connection, so it is not asked at all."""
    life = a_life()
    ask(life, b"{}", retained=True)

    assert answers(life) == []
    assert [complaint.count for complaint in life.aside.topics.values()] == [1]


def test_a_request_too_large_is_refused() -> None:
    """Who asked is told the limit."""
    life = a_life()
    ask(life, b"x" * (LARGEST_REQUEST + 1))

    assert [str(LARGEST_REQUEST) in reply.answer.reason for reply in answers(life)] == [True]


def test_too_many_requests_are_refused() -> None:
    """The inbox is bounded, and whoever finds it full is told so; after a turn there is room again."""
    life = a_life()
    for number in range(MOST_REQUESTS + 1):
        ask(life, b"{}", number=number)
    refused = [reply for reply in answers(life) if not reply.answer.ok]
    ask(life, b"{}")
    later = answers(life)

    assert [reply.request for reply in refused] == [f"r{MOST_REQUESTS}"]
    assert [reply.answer.ok for reply in later] == [True]


def test_the_newest_document_of_an_address_is_heard_alone() -> None:
    """A slow node hears the last of many snapshots, once."""
    core = ToyCore()
    life = a_life(core)
    topic = TOPICS.topic_of(life.wire.address_of("test/dashboard/presence") or life.wire.me)
    for connection in (1, 2, 3):
        life.deliver(Delivery(topic, a_presence(1, connection=connection), retained=False))
    life.turn(START)
    heard = [event.document for event in core.events if isinstance(event, Heard)]

    assert [document.connection for document in heard if isinstance(document, Presence)] == [3]


def test_a_presence_that_somebody_cleared_is_said_again() -> None:
    """Within a second."""
    life = a_life()
    life.deliver(Delivery(PRESENCE, b"", retained=False))
    turn = life.turn(START + timedelta(seconds=1))

    assert turn is not None
    assert [decode(publication.payload, Presence).complete for publication in turn.publications] == [True]


@pytest.mark.parametrize(
    "payload",
    [a_presence(EPOCH + 1), a_presence(EPOCH, connection=2), a_presence(EPOCH, late=1)],
    ids=["epoch", "connection", "same epoch drawn twice"],
)
def test_somebody_newer_in_our_name_fences_us(payload: bytes) -> None:
    """The error says where it lives."""
    life = a_life()
    life.deliver(Delivery(PRESENCE, payload, retained=False))

    assert isinstance(life.trouble, FencedError)
    assert "on there" in str(life.trouble)
    with pytest.raises(FencedError):
        life.look(payload)


@pytest.mark.parametrize("payload", [a_presence(EPOCH - 1, connection=9), a_presence(EPOCH, late=-1)])
def test_somebody_older_in_our_name_is_said_over(payload: bytes) -> None:
    """Our word stands."""
    life = a_life()
    life.deliver(Delivery(PRESENCE, payload, retained=False))

    assert life.trouble is None
    assert life.next_wakeup() == START + timedelta(seconds=1)


def test_documents_of_a_newer_life_fence_us() -> None:
    """Whoever wrote them lives, or lived, after us."""
    life = a_life()

    with pytest.raises(FencedError, match=f"epoch {EPOCH + 1}"):
        reconnect(life, a_report(EPOCH + 1))


@pytest.mark.parametrize(("published", "left"), [(1, True), (5, False)])
def test_what_an_earlier_life_left_stands_only_if_its_newest_does(*, published: int, left: bool) -> None:
    """A broker may have gone back, also since we looked at what that life said of itself: readers may know something newer."""
    life: Life[Event, Effect] = Life(ToyCore(), Identity(role=Role.AGENT, node=ME), TOPICS)
    life.restore([(MARK, msgspec.json.encode(Mark(EPOCH - 1, published)))])
    word = Presence(node=ME, state=NodeState.ALIVE, connection=1, since=START, complete=True, documents=1)
    life.look(stamp(encode_body(word), epoch=EPOCH - 1, revision=6, at=START))
    life.begin(EPOCH)
    life.connecting(START)
    life.deliver(Delivery(REPORT, a_report(EPOCH - 1)[REPORT], retained=True))
    life.replayed()
    life.offer(Bump(START, FIRST))
    turn = life.turn(START)

    assert turn is not None
    assert (REPORT not in [publication.topic for publication in turn.publications]) is left


def test_documents_that_we_would_not_outrank() -> None:
    """Before the first turn another epoch can still be drawn."""
    with pytest.raises(EpochTakenError) as caught:
        a_life(own=a_report(EPOCH))

    assert caught.value.floor == EPOCH + 1


def test_a_mistake_names_its_event() -> None:
    """The error of a core carries the event that it stumbled over."""
    life = a_life(FaultyCore())
    life.offer(Bump(START, FIRST))

    with pytest.raises(KeyError) as caught:
        life.turn(START)
    assert "Bump" in caught.value.__notes__[0]


def test_aside_is_bounded() -> None:
    """The oldest complaint is forgotten when there are too many, and still counted."""
    aside = Aside()
    for number in range(1_500):
        aside.add(f"t{number}", "bad" * 500)

    assert (len(aside.topics), aside.total) == (1_000, 1_500)
    assert "t0" not in aside.topics
    assert max(len(complaint.reason) for complaint in aside.topics.values()) == 200


@pytest.mark.parametrize(("marked", "newer"), [((3, 1), []), ((3, 0), [REPORT]), ((2, 9), [REPORT])])
def test_what_was_shown_after_the_records_were_saved(marked: tuple[int, int], newer: list[str]) -> None:
    """The records are those of a copy when more was published than they know of: the core is told which documents those are."""
    core = ToyCore()
    life: Life[Event, Effect] = Life(core, Identity(role=Role.AGENT, node=ME), TOPICS)
    life.restore([(MARK, msgspec.json.encode(Mark(*marked)))])
    life.look(None)
    life.begin(EPOCH)
    reconnect(life, a_report(epoch=3))
    [recovered] = [event for event in core.events if isinstance(event, Recovered)]

    assert list(recovered.shown) == [TOPICS.address_of(REPORT)]
    assert [TOPICS.topic_of(address) for address in recovered.newer] == newer


def again(life: Life[Event, Effect], late: timedelta = timedelta()) -> list[str]:
    """Where the next turn publishes."""
    turn = life.turn(START + late)
    return [publication.topic for publication in turn.publications] if turn is not None else []


def test_everything_is_shown_again_to_who_asks() -> None:
    """Whatever stands, our presence last; once for all who ask within the pause, and by itself when that is over."""
    life = a_life()
    life.offer(Bump(START, FIRST))
    first = life.turn(START)
    assert first is not None
    life.acknowledged(first)
    life.deliver(Delivery(TOPICS.again("somebody"), b"", retained=False))
    assert again(life) == [REPORT, PRESENCE]

    life.deliver(Delivery(TOPICS.again("somebody else"), b"", retained=False))
    assert REPORT not in again(life, REFRESH)
    assert life.next_wakeup() == START + PAUSE
    assert again(life, PAUSE) == [REPORT, PRESENCE]
    assert life.aside.topics == {}


def test_a_node_whose_replay_was_not_proved_asks_who_comes_later() -> None:
    """As soon as it is complete; not on the next connection, whose replay is proved."""
    life = a_life()
    life.lost()
    life.connecting(START)
    life.replayed(proved=False)
    life.turn(START)
    asked, there = TOPICS.again(life.wire.client), TOPICS.topic_of(DashboardPresenceAt())
    life.deliver(Delivery(there, a_presence(1), retained=False))
    assert asked not in again(life)

    life.deliver(Delivery(there, a_presence(1, connection=2, complete=True), retained=False))
    assert again(life).count(asked) == 1
    assert asked not in again(life)

    reconnect(life)
    life.deliver(Delivery(there, a_presence(1, connection=3, complete=True), retained=False))
    assert asked not in again(life)


def test_what_was_to_be_asked_goes_with_the_connection() -> None:
    """There is nobody to ask, and no turn to take for that."""
    life = a_life()
    life.lost()
    life.connecting(START)
    life.deliver(Delivery(TOPICS.topic_of(DashboardPresenceAt()), a_presence(1, complete=True), retained=False))
    life.replayed(proved=False)
    life.lost()

    assert again(life, REFRESH) == []
    assert life.turn(START + REFRESH) is None


def test_who_is_not_connected_shows_nothing_again() -> None:
    """It does as soon as it is known what stands."""
    life = a_life()
    life.offer(Bump(START, FIRST))
    life.turn(START)
    life.lost()
    life.deliver(Delivery(TOPICS.again("somebody"), b"", retained=False))

    assert again(life) == []
    assert life.next_wakeup() is None


def test_what_nobody_acknowledged_is_published_again() -> None:
    """The acknowledgment of an earlier connection counts for nothing."""
    life = a_life()
    life.offer(Bump(START, FIRST))
    turn = life.turn(START)
    assert turn is not None
    reconnect(life, {publication.topic: publication.payload for publication in turn.publications[:1]})
    life.acknowledged(turn)
    (standing, *_) = turn.publications
    life.lost()
    life.connecting(START)
    life.deliver(Delivery(standing.topic, standing.payload, retained=True))
    life.replayed()

    assert again(life) == [REPORT, PRESENCE]
