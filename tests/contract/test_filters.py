"""Filters cover for us what they cover for mosquitto."""

from __future__ import annotations

from itertools import product

from broker.address import BrokerUrl
from broker.bus import Publication
from broker.filters import is_filter, matches
from broker.mqtt.bus import MqttBus
from tests.support.broker_under_test import Box
from tests.support.mosquitto import Mosquitto

LEVELS = ("", "a", "b")
WILD = ("", "a", "+", "#")
DEPTH = 3


def _texts(levels: tuple[str, ...]) -> list[str]:
    return ["/".join(parts) for depth in range(1, DEPTH + 1) for parts in product(levels, repeat=depth)]


async def test_filters_cover_what_they_do_for_mosquitto(own_mosquitto: Mosquitto) -> None:
    """Every filter of up to three levels replays exactly the topics of up to three levels that it matches."""
    topics = [topic for topic in _texts(LEVELS) if topic]
    bus = MqttBus(BrokerUrl(host=own_mosquitto.host, port=own_mosquitto.port, prefix="test"))
    box = Box()
    compared = 0
    async with bus.connect(client="a", will=None, on_delivery=box) as session:
        await session.publish([Publication(topic, b"1") for topic in topics])
        for pattern in filter(is_filter, _texts(WILD)):
            box.deliveries.clear()
            await session.subscribe([pattern])
            await session.unsubscribe([pattern])

            assert sorted(box.newest) == sorted(topic for topic in topics if matches(pattern, topic)), pattern
            compared += 1

    assert compared > 30
