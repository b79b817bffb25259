"""What a doctor asks: who answers, and what time it has."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from broker.memory import MemoryBroker
from broker.topics import RequestTopic, Topics
from jobplan.client import Scope, client_on
from jobplan.client.checkup import Checkup, Pulse, check_up
from jobplan.client.wire import Wire
from jobplan.clock import now
from schemas.names import UserName
from schemas.queries import NodeTime
from schemas.requests import Answer
from tests.support.pictures import FakeDashboard, Reaction

pytestmark = pytest.mark.looptime
AHEAD = timedelta(seconds=7)


async def _checked(react: Reaction) -> Checkup:
    """What is found of a dashboard that answers so."""
    broker = MemoryBroker()
    async with (
        FakeDashboard(broker, react).alive(),
        client_on(broker.bus("anna"), Wire(Topics(), UserName("anna"))) as client,
    ):
        await client.follow(Scope.ALL)
        return await check_up(client)


async def test_how_far_its_clock_is_ahead() -> None:
    """As far as that can be told: by half of the way there and back."""

    def fast(_asked: RequestTopic, body: bytes) -> Answer:
        assert msgspec.json.decode(body) == {"ask": "time.read"}
        return Answer(ok=True, data=msgspec.Raw(msgspec.json.encode(NodeTime(at=now() + AHEAD))))

    pulse = (await _checked(fast)).pulses["dashboard"]

    assert pulse.answered
    assert pulse.ahead is not None
    assert abs(pulse.ahead - AHEAD.total_seconds()) <= pulse.within


async def test_who_does_not_answer_is_silent() -> None:
    """Though its presence says that it is alive."""
    assert (await _checked(lambda *_: None)).pulses == {"dashboard": Pulse(answered=False)}


async def test_an_older_node_lives_though_it_does_not_know_the_question() -> None:
    """Any answer is one."""
    older = Answer(ok=False, reason="not a request an agent knows")

    assert (await _checked(lambda *_: older)).pulses == {"dashboard": Pulse(answered=True)}


async def test_who_is_not_there_is_not_asked() -> None:
    """Nor is anything counted where the broker shows no counter."""
    broker = MemoryBroker()
    async with client_on(broker.bus("anna"), Wire(Topics(), UserName("anna"))) as client:
        await client.follow(Scope.ALL)

        assert await check_up(client) == Checkup()
