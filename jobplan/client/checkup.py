"""What a doctor asks of who is there, and of the broker: who answers, what time each has, what was dropped. Judges nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from msgspec import Struct

from jobplan.client.client import Client
from jobplan.clock import now
from jobplan.errors import BrokerError, NobodyAnswersError, RefusedByNodeError
from schemas.codec import decode
from schemas.names import NodeName
from schemas.queries import NodeTime, ReadTime
from schemas.status import NodeState

PATIENCE: Final = timedelta(seconds=5)
"""How long whoever says that it is alive may take to answer."""
DROPPED: Final = "$SYS/broker/publish/messages/dropped"
"""Where mosquitto shows how many messages it has dropped since it started; nothing stands there until there is one."""
_AT_ONCE: Final = 32


class Pulse(Struct, frozen=True, kw_only=True):
    """What came of asking a node for its time."""

    answered: bool
    ahead: float | None = None
    """Seconds by which its clock is ahead of this host's; None: it did not say."""
    within: float = 0.0
    """By so many seconds that may be wrong: half of the way there and back."""


class Checkup(Struct, frozen=True, kw_only=True):
    """All that was asked."""

    pulses: dict[str, Pulse] = {}
    """By node, of those that say they are alive, as a finding names it; empty, too, when this user may ask nothing."""
    dropped: int = 0
    """Messages that the broker says it has dropped."""


async def check_up(client: Client) -> Checkup:
    """Ask everybody who says that it is alive, all at once."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def ask(agent: NodeName | None) -> Pulse | None:
        async with room:
            return await _pulse(client, agent)

    names: dict[str, NodeName | None] = {}
    if client.picture.dashboard is not None and client.picture.dashboard.state is NodeState.ALIVE:
        names["dashboard"] = None
    names |= {f"agent {name}": name for name, one in client.picture.agents.items() if one.state is NodeState.ALIVE}
    async with asyncio.TaskGroup() as group:
        counted = group.create_task(client.counter(DROPPED), name="counter")
        asked = {who: group.create_task(ask(name), name=f"ask {who}") for who, name in names.items()}
    found = {who: pulse for who, task in asked.items() if (pulse := task.result()) is not None}
    return Checkup(pulses=found, dropped=counted.result())


async def _pulse(client: Client, agent: NodeName | None) -> Pulse | None:
    """None: this user may ask nothing here."""
    asked = now()
    try:
        async for answer in client.answers(ReadTime(), to=agent, patience=PATIENCE):
            way = (now() - asked) / 2
            ahead = decode(bytes(answer.data), NodeTime).at - (asked + way)
            return Pulse(answered=True, ahead=ahead.total_seconds(), within=way.total_seconds())
    except RefusedByNodeError:  # of an older version, which does not know the question
        return Pulse(answered=True)
    except NobodyAnswersError:
        return Pulse(answered=False)
    except BrokerError:
        return None
    return Pulse(answered=False)
