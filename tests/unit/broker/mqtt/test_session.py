"""What a session makes of a broker that has to prove its replays, on a wire in memory: it does, or all is asked for again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from functools import partial

import pytest

from broker.bus import Delivery, Publication
from broker.errors import BusError
from broker.model import BrokerModel, Sent
from broker.mqtt.patience import Patience
from broker.mqtt.servers import Servers
from broker.mqtt.session import MqttSession, Proof
from broker.mqtt.tombstones import KEPT, Tombstones, is_tombstone
from tests.support.broker_under_test import Box
from tests.support.waiting import pass_time

SYNC, AGAIN = "p/_sync/c", "p/_again/c"
STANDS = {"p/a": b"1", "p/b": b"1"}


class ModelWire:
    """A wire to the model of a broker, to the server whose list may stand still."""

    window = 100

    def __init__(self, model: BrokerModel) -> None:
        self.model = model
        self.session: MqttSession
        self.asked: list[Sequence[str]] = []
        self.sent: list[Publication] = []
        self.silent = False
        """Whether it passes nothing on; it answers."""
        self.meanwhile: Callable[[], object] = tuple
        """What happens while the broker carries out the first SUBSCRIBE: it has made its list, and hands nothing on yet."""
        self._number, _ = model.connect("c", None, server=1)
        self._message = 0

    def send(self, publication: Publication) -> int:
        """Publish."""
        self.sent.append(publication)
        return self._sent(self.model.publish(self._number, publication), 0)

    def send_subscribe(self, filters: Sequence[str]) -> int:
        """Subscribe."""
        self.asked.append(filters)
        replay = self.model.subscribe(self._number, filters)
        if len(self.asked) == 1:
            self.meanwhile()
        return self._sent(replay, *[1] * len(filters))

    def send_unsubscribe(self, filters: Sequence[str]) -> int:
        """Unsubscribe."""
        self.model.unsubscribe(self._number, filters)
        return self._sent([], *[0] * len(filters))

    def flush(self) -> None:
        """Everything has left already."""

    def hold_acknowledgments(self) -> None:
        """Nothing is acknowledged here."""

    def release_acknowledgments(self) -> None:
        """Likewise."""

    async def close(self) -> None:
        """Say goodbye."""

    async def drop(self) -> None:
        """Say nothing."""

    def _sent(self, outputs: Collection[object], *codes: int) -> int:
        self._message += 1
        loop = asyncio.get_running_loop()
        loop.call_soon(self.session.answered, self._message, codes)
        for output in () if self.silent else outputs:
            assert isinstance(output, Sent)
            loop.call_soon(partial(self._received, output.delivery))
        return self._message

    def _received(self, delivery: Delivery) -> None:
        self.session.received(delivery.topic, delivery.payload, retained=delivery.retained)


def a_session(
    model: BrokerModel, servers: Servers, stones: Tombstones | None = None, *, proof: Proof = Proof.MARK
) -> tuple[MqttSession, ModelWire, Box]:
    """A session, what it sends through, and what it hands on."""
    wire, box = ModelWire(model), Box()
    wire.session = MqttSession(
        wire,
        broker="b",
        sync=SYNC,
        again=AGAIN,
        on_delivery=box,
        patience=Patience(replay=1.0),
        servers=servers,
        proof=proof,
        tombstones=stones,
    )
    return wire.session, wire, box


async def test_broker_that_need_not_prove_anything_is_asked_once() -> None:
    """No mark, no second replay."""
    session, wire, box = a_session(BrokerModel(STANDS), Servers(1), proof=Proof.NONE)

    assert await session.subscribe(["p/+"])
    assert wire.asked == [("p/+", SYNC)]
    assert box.newest == STANDS


async def test_list_that_moves_is_proved() -> None:
    """What stands is handed on once, and the mark does not stay."""
    session, wire, box = a_session(BrokerModel(STANDS), Servers(2))

    assert await session.subscribe(["p/+"])
    assert [(one.topic, one.retained) for one in box.deliveries] == [("p/a", True), ("p/b", True)]
    assert wire.model.retained == STANDS


@pytest.mark.parametrize("proof", [Proof.TWICE, Proof.MARK])
async def test_what_was_published_while_the_broker_subscribed_us_is_in_the_replay_that_counts(proof: Proof) -> None:
    """It was not on the list any more, and did not come live yet."""
    model = BrokerModel(STANDS)
    session, wire, box = a_session(model, Servers(1), proof=proof)
    writer, _ = model.connect("writer", None)
    wire.meanwhile = lambda: model.publish(writer, Publication("p/c", b"1"))

    assert await session.subscribe(["p/+"])
    assert [(one.topic, one.retained) for one in box.deliveries] == [("p/a", True), ("p/b", True), ("p/c", True)]
    assert any(one.retain for one in wire.sent) is (proof is Proof.MARK)  # which may rise again when a server is killed


@pytest.mark.parametrize("clear", [b"", b'{"clearedBy":"writer"}'])
async def test_what_was_cleared_while_the_broker_subscribed_us_does_not_come_back(clear: bytes) -> None:
    """The clear came live, and before what the broker had on its list."""
    session, wire, box = a_session(BrokerModel(STANDS), Servers(1), proof=Proof.NONE)
    wire.meanwhile = lambda: session.received("p/a", clear, retained=False)

    assert await session.subscribe(["p/+"])
    assert box.payloads("p/a") == [b""]
    assert await session.subscribe(["p/+"])
    assert box.payloads("p/a") == [b"", b"1"]


@pytest.mark.looptime
async def test_only_server_whose_list_stands_still_is_not_left() -> None:
    """There is no better one: who writes is asked to show everything again."""
    model = BrokerModel(STANDS)
    model.stand_still(1)
    session, wire, _ = a_session(model, Servers(1))

    assert not await session.subscribe(["p/+"])
    assert wire.sent[-1] == Publication(AGAIN, b"", retain=False)


@pytest.mark.looptime
async def test_list_that_stands_still_is_left_for_another_server() -> None:
    """The connection is over, so that the next one is made to the next server; nothing old was handed on."""
    model, servers = BrokerModel(STANDS), Servers(2)
    model.stand_still(1)
    session, _, box = a_session(model, servers)

    with pytest.raises(BusError, match="does not show what is new"):
        await session.subscribe(["p/+"])
    assert "does not show what is new" in await session.lost()
    assert (servers.number, box.deliveries) == (1, [])


@pytest.mark.looptime
async def test_list_that_knows_an_earlier_mark_proves_nothing_with_it() -> None:
    """What it knows it looks up where everything stands, even if it stands still: so each mark has a topic of its own."""
    model = BrokerModel(STANDS | {f"{SYNC}/earlier": b"earlier"})
    model.stand_still(1)
    session, _, _ = a_session(model, Servers(2))

    with pytest.raises(BusError, match="does not show what is new"):
        await session.subscribe(["p/+"])


async def test_mark_of_a_connection_that_ended_too_soon_is_taken_away() -> None:
    """By the next one of the same client."""
    session, wire, _ = a_session(BrokerModel(STANDS | {f"{SYNC}/earlier": b"earlier"}), Servers(2))

    assert await session.subscribe(["p/+"])
    assert wire.model.retained == STANDS


@pytest.mark.looptime
async def test_when_no_server_is_better_all_is_asked_for_again() -> None:
    """What the last one shows is taken, as unproved, and who writes is asked to show it again."""
    model, servers = BrokerModel(STANDS), Servers(2)
    model.stand_still(1, {"p/a"})
    servers.stands_still()
    session, wire, box = a_session(model, servers)
    writer, _ = model.connect("writer", None)
    model.publish(writer, Publication("p/a", b"2"))

    assert not await session.subscribe(["p/+"])
    assert wire.sent[-1] == Publication(AGAIN, b"", retain=False)
    assert box.newest == STANDS


@pytest.mark.looptime
async def test_two_subscriptions_at_once_are_both_proved() -> None:
    """The later mark takes the place of the earlier one, and stands for both."""
    session, wire, box = a_session(BrokerModel(STANDS), Servers(2))

    proved = await asyncio.gather(session.subscribe(["p/a"]), session.subscribe(["p/b"]))

    assert all(proved)
    assert box.newest == STANDS
    assert wire.model.retained == STANDS


async def test_what_is_cleared_is_a_tombstone_that_nobody_sees() -> None:
    """Who listens hears that the topic was cleared; who comes later hears nothing of it."""
    model = BrokerModel(STANDS)
    session, _, heard = a_session(model, Servers(2), Tombstones("c"))
    await session.subscribe(["p/+"])
    await session.publish([Publication("p/a", b"")])
    late, _, told = a_session(model, Servers(2))
    await late.subscribe(["p/+"])

    assert is_tombstone(model.retained["p/a"])
    assert heard.deliveries[-1] == Delivery("p/a", b"", retained=False)
    assert [one.topic for one in told.deliveries] == ["p/b"]


async def test_who_has_no_tombstones_clears_at_once() -> None:
    """A broker that forgets no clear needs none, and who does not come back would leave them for ever."""
    session, wire, _ = a_session(BrokerModel(STANDS), Servers(1), proof=Proof.NONE)
    await session.publish([Publication("p/a", b"")])

    assert wire.model.retained == {"p/b": b"1"}


@pytest.mark.looptime
async def test_tombstone_goes_in_its_time_but_what_was_published_there_meanwhile_stays() -> None:
    """It is cleared by who left it, who leaves it once more where it has another connection by then."""
    model, stones = BrokerModel(STANDS), Tombstones("c")
    session, _, _ = a_session(model, Servers(2), stones)
    await session.publish([Publication("p/a", b""), Publication("p/b", b"")])
    await pass_time(KEPT / 2)
    session.lose("its server died")
    session, _, _ = a_session(model, Servers(2), stones)
    await session.publish([Publication("p/b", b"2")])

    await pass_time(KEPT / 2 + 1)
    assert is_tombstone(model.retained["p/a"])
    await pass_time(KEPT)
    assert model.retained == {"p/b": b"2"}


@pytest.mark.looptime
async def test_many_tombstones_go_as_there_is_room() -> None:
    """No more at once than may be under way."""
    topics = [f"p/{number}" for number in range(250)]
    session, wire, _ = a_session(BrokerModel(dict.fromkeys(topics, b"1")), Servers(2), Tombstones("c"))
    await session.publish([Publication(topic, b"") for topic in topics])

    await pass_time(KEPT + 1)
    assert wire.model.retained == {}


@pytest.mark.looptime
async def test_tombstones_of_an_earlier_life_are_known_by_its_name() -> None:
    """Who left them takes them away after its next start; those of others stay."""
    model = BrokerModel()
    for client, topic in (("c", "p/mine"), ("other", "p/other")):
        await a_session(model, Servers(2), Tombstones(client))[0].publish([Publication(topic, b"")])
    model = BrokerModel(model.retained)
    session, _, _ = a_session(model, Servers(2), Tombstones("c"))
    await session.subscribe(["p/+"])
    await pass_time(2 * KEPT + 1)

    assert list(model.retained) == ["p/other"]


@pytest.mark.looptime
async def test_connection_to_which_nothing_is_passed_on_is_given_up() -> None:
    """Its server lists what was published, and does not say so: the next connection hears of it. What is there is told once."""
    model = BrokerModel(STANDS)
    session, _, box = a_session(model, Servers(2))
    await session.subscribe(["p/+"])
    await session.subscribe(["q/+"])
    await session.unsubscribe(["q/+"])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(session.lost(), 5 * Patience().listen)
    assert [one.topic for one in box.deliveries] == ["p/a", "p/b"]
    writer, _ = model.connect("writer", None)
    model.publish(writer, Publication("p/a", b"2"))  # this wire passes on nothing but what it asks for

    assert await asyncio.wait_for(session.lost(), 3 * Patience().listen) == "its server does not pass everything on"
    assert box.newest == STANDS


@pytest.mark.looptime
async def test_connection_to_which_not_even_its_own_word_comes_is_given_up() -> None:
    """At the second time: once may be an election."""
    session, wire, _ = a_session(BrokerModel(STANDS), Servers(2))
    await session.subscribe(["p/+"])
    wire.silent = True

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(session.lost(), Patience().listen + 1.5)
    await session.publish([Publication("q/request", b"1", retain=False)])  # it is there still
    assert await session.lost() == "its server does not pass everything on"


@pytest.mark.looptime
async def test_broker_of_one_server_is_not_looked_at_again() -> None:
    """Who is connected to it hears all."""
    session, wire, _ = a_session(BrokerModel(STANDS), Servers(1))
    await session.subscribe(["p/+"])
    asked = len(wire.asked)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(session.lost(), 5 * Patience().listen)
    assert len(wire.asked) == asked
