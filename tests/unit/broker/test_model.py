"""The model of a broker, by example; that it is like mosquitto, the contract of the bus shows."""

from __future__ import annotations

from broker.bus import Delivery, Publication
from broker.model import BrokerModel, Closed, Sent

WILL = Publication("will", b"gone")


def test_replay_is_marked_and_live_messages_are_not() -> None:
    """What stood there is delivered as retained, what comes later is not, though it is retained."""
    model = BrokerModel({"a": b"1", "b": b"2"})
    number, _ = model.connect("c", None)

    assert model.subscribe(number, ["+"]) == [
        Sent(number, Delivery("a", b"1", retained=True)),
        Sent(number, Delivery("b", b"2", retained=True)),
    ]
    assert model.publish(number, Publication("a", b"3")) == [Sent(number, Delivery("a", b"3", retained=False))]
    assert model.retained == {"a": b"3", "b": b"2"}


def test_empty_payload_clears_and_is_delivered() -> None:
    """Clearing is a message to who listens, and nothing to who comes later; clearing nothing is harmless."""
    model = BrokerModel({"a": b"1"})
    number, _ = model.connect("c", None)
    model.subscribe(number, ["a"])

    for _ in range(2):
        assert model.publish(number, Publication("a", b"")) == [Sent(number, Delivery("a", b"", retained=False))]
        assert model.retained == {}


def test_publication_without_retain_is_delivered_and_forgotten() -> None:
    """It changes nothing of what is retained, not even with an empty payload."""
    model = BrokerModel({"a": b"1"})
    number, _ = model.connect("c", None)
    model.subscribe(number, ["a"])

    for payload in (b"2", b""):
        assert len(model.publish(number, Publication("a", payload, retain=False))) == 1
    assert model.retained == {"a": b"1"}


def test_overlapping_filters_deliver_once_live() -> None:
    """Two filters that cover a topic mean one live message, but a replay each."""
    model = BrokerModel({"a": b"1"})
    number, _ = model.connect("c", None)

    assert len(model.subscribe(number, ["a", "+"])) == 2
    assert len(model.publish(number, Publication("a", b"2"))) == 1


def test_unsubscribed_filter_is_silent() -> None:
    """Only what is still subscribed to is delivered; ending it for a connection that is gone is harmless."""
    model = BrokerModel()
    number, _ = model.connect("c", None)
    model.subscribe(number, ["a", "b"])
    model.unsubscribe(number, ["a"])

    assert model.publish(number, Publication("a", b"1")) == []
    assert len(model.publish(number, Publication("b", b"1"))) == 1
    model.leave(number)
    model.unsubscribe(number, ["b"])


def test_duplicate_is_delivered_again() -> None:
    """A publish whose acknowledgment was lost arrives twice, in its place."""
    model = BrokerModel()
    number, _ = model.connect("c", None)
    model.subscribe(number, ["a"])

    assert len(model.publish(number, Publication("a", b"1"), copies=2)) == 2


def test_clean_end_publishes_no_will() -> None:
    """Leaving is silent, and leaving twice is harmless."""
    model = BrokerModel()
    number, _ = model.connect("c", WILL)
    model.leave(number)
    model.leave(number)

    assert model.retained == {}
    assert model.connections == {}


def test_lost_connection_publishes_its_will_once() -> None:
    """The will is retained and goes to others; losing it again says nothing."""
    model = BrokerModel()
    watcher, _ = model.connect("watcher", None)
    model.subscribe(watcher, ["#"])
    number, _ = model.connect("c", WILL)

    assert model.lose(number) == [
        Closed(number, "the network ended it"),
        Sent(watcher, Delivery("will", b"gone", retained=False)),
    ]
    assert model.lose(number) == []
    assert model.retained == {"will": b"gone"}


def test_takeover_ends_the_former_connection_first() -> None:
    """A second connection of a client ends the first, will and all, before it hears anything."""
    model = BrokerModel()
    former, _ = model.connect("c", WILL)
    latter, outputs = model.connect("c", None)

    assert outputs == [Closed(former, "another client took its id")]
    assert model.connections == {latter: "c"}
    assert model.retained == {"will": b"gone"}


def test_connection_that_is_gone_is_ignored() -> None:
    """What was under way from a lost connection never reaches the broker."""
    model = BrokerModel({"a": b"1"})
    number, _ = model.connect("c", None)
    model.lose(number)
    model.acknowledge(number)

    assert model.publish(number, Publication("a", b"2")) == []
    assert model.subscribe(number, ["#"]) == []
    assert model.retained == {"a": b"1"}


def test_orderly_stop_retains_wills() -> None:
    """Before a broker that shuts down ends, it publishes the wills of its connections."""
    model = BrokerModel()
    number, _ = model.connect("c", WILL)

    assert model.stop() == [Closed(number, "the broker shut down")]
    assert model.retained == {"will": b"gone"}


def test_killed_broker_publishes_nothing() -> None:
    """After a power cut only what was retained before is there, if it was saved."""
    model = BrokerModel()
    number, _ = model.connect("c", WILL)

    assert model.kill() == [Closed(number, "the broker died")]
    assert model.retained == {}
    assert model.connections == {}


def test_restart_with_an_old_store_brings_old_topics_back() -> None:
    """A store that was saved earlier is older in every respect: values, and what had been cleared."""
    model = BrokerModel({"a": b"1", "b": b"1"})
    saved = model.retained
    number, _ = model.connect("c", None)
    model.publish(number, Publication("a", b"2"))
    model.publish(number, Publication("b", b""))

    assert BrokerModel(saved).retained == {"a": b"1", "b": b"1"}


def test_full_queue_drops_until_acknowledged() -> None:
    """With a limit, what a client has not acknowledged keeps further messages from it."""
    model = BrokerModel({"a": b"1", "b": b"1", "c": b"1"}, queue_limit=2)
    number, _ = model.connect("c", None)

    assert len(model.subscribe(number, ["+"])) == 2
    assert model.publish(number, Publication("x", b"1")) == []
    model.acknowledge(number)
    assert len(model.publish(number, Publication("x", b"1"))) == 1


def test_list_that_stands_still_is_replayed_and_what_is_new_comes_live() -> None:
    """A server that hears of nothing shows what it knows: an old payload, the newest one, nothing of what is new or cleared."""
    model = BrokerModel({"a": b"1", "b": b"1", "c": b"1", "d": b"1"})
    model.stand_still(1, {"a", "d"})
    writer, _ = model.connect("writer", None)
    early, _ = model.connect("early", None, server=1)
    model.subscribe(early, ["+"])

    for publication in (Publication("a", b"2"), Publication("b", b"2"), Publication("new", b"2")):
        assert Sent(early, Delivery(publication.topic, b"2", retained=False)) in model.publish(writer, publication)
    for cleared in ("c", "d"):
        model.publish(writer, Publication(cleared, b""))
    assert model.shown() == model.retained == {"a": b"2", "b": b"2", "new": b"2"}
    assert model.shown(1) == {"a": b"1", "b": b"2", "d": b"1"}

    late, _ = model.connect("late", None, server=1)
    assert {output.delivery.topic for output in model.subscribe(late, ["+"]) if isinstance(output, Sent)} == {
        "a",
        "b",
        "d",
    }
    assert not model.moves(1)
    model.move_on()
    assert model.moves(1)
    assert model.shown(1) == model.retained | {"d": b"1"}
    model.publish(writer, Publication("d", b""))
    assert model.shown(1) == model.retained


def test_what_was_cleared_rises_again_until_something_is_published_there() -> None:
    """A server that was killed shows what stood there before, whatever the others show."""
    model = BrokerModel({"a": b"1", "b": b"1", "c": b"1"})
    writer, _ = model.connect("writer", None)
    for topic in ("a", "b", "none"):
        model.publish(writer, Publication(topic, b""))
    model.rise(1, ["a", "b", "c", "none"])

    assert model.cleared == ["a", "b"]
    assert model.shown() == model.retained == {"c": b"1"}
    assert model.shown(1) == {"a": b"1", "b": b"1", "c": b"1"}
    model.publish(writer, Publication("a", b"2"))
    model.publish(writer, Publication("b", b""))
    assert model.shown(1) == model.retained == {"a": b"2", "c": b"1"}


def test_not_all_that_was_cleared_is_remembered() -> None:
    """The newest thousand are."""
    topics = [f"t{number}" for number in range(1_001)]
    model = BrokerModel(dict.fromkeys(topics, b"1"))
    writer, _ = model.connect("writer", None)
    for topic in topics:
        model.publish(writer, Publication(topic, b""))

    assert model.cleared == topics[1:]


def test_what_a_dying_server_stores_is_heard_by_nobody() -> None:
    """It is retained, or cleared, all the same."""
    model = BrokerModel({"a": b"1"})
    model.retain(Publication("b", b"2"))
    model.retain(Publication("a", b""))

    assert model.retained == {"b": b"2"}


def test_server_that_dies_takes_its_connections_along() -> None:
    """Those of the others stay; no will is read out."""
    model = BrokerModel()
    here, _ = model.connect("here", WILL)
    there, _ = model.connect("there", WILL, server=1)

    assert model.kill(1) == [Closed(there, "the broker died")]
    assert model.connections == {here: "here"}
    assert model.retained == {}
