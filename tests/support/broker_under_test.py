"""A broker that one suite can run on, in memory or a real mosquitto: sessions with it, and what may befall it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from broker.access import hash_password, write_passwords, write_private
from broker.address import BrokerUrl
from broker.bus import Bus, Delivery, Publication
from broker.filters import matches
from broker.memory import MemoryBroker
from broker.mqtt.bus import MqttBus
from broker.mqtt.patience import Patience
from tests.support.line import Line, Mqtt5, line_to
from tests.support.mosquitto import Mosquitto, running_mosquitto
from tests.support.nats import MQTT, Nats, running_nats

Kind = Literal["memory", "mosquitto", "mosquitto-3.1.1", "nats"]
"""The last two let clients speak MQTT 3.1.1 only."""
KINDS: tuple[Kind, ...] = ("memory", "mosquitto", "mosquitto-3.1.1", "nats")
TELLING: tuple[Kind, ...] = ("memory", "mosquitto")
"""Those that say when they deny a publish."""
PREFIX = "test/bus"
PATIENCE = Patience(connect=5.0, acknowledge=5.0, replay=5.0)
SHORT_PATIENCE = Patience(connect=5.0, acknowledge=5.0, replay=0.5)
"""For tests in which the end of a replay does not come, which is waited for."""
DEFAULT_LIMITS = ("max_queued_messages 1000", "max_inflight_messages 20")
"""mosquitto's own defaults."""


@dataclass(frozen=True)
class Setting:
    """What differs from a broker that lets anybody do anything."""

    accounts: Mapping[str, str] | None = None
    """Password by user; None: nobody needs one."""
    forbidden: str = ""
    """Filter of topics on which those users may not publish; empty: none."""
    default_limits: bool = False
    """Whether it drops what a subscriber of many topics cannot take at once."""


OPEN = Setting()


class BrokerUnderTest(Protocol):
    """Sessions with a broker, and what may befall it."""

    def bus(self, client: str, user: str = "", password: str = "") -> Bus:
        """The bus for sessions under one client id."""

    def cut(self, client: str) -> None:
        """Break the client's connection."""

    def freeze(self) -> None:
        """The broker answers nothing from now on."""

    def stop(self) -> None:
        """Shut down in order."""

    def kill(self) -> None:
        """Power off; ``freeze`` may have come before."""

    def start(self, *, empty: bool = False) -> None:
        """Start again, ``empty``: without what was saved."""


@dataclass
class Box:
    """What a session has received."""

    deliveries: list[Delivery] = field(default_factory=list)

    def __call__(self, delivery: Delivery) -> None:
        """Take one."""
        self.deliveries.append(delivery)

    @property
    def newest(self) -> dict[str, bytes]:
        """The last payload of each topic."""
        return {delivery.topic: delivery.payload for delivery in self.deliveries}

    def payloads(self, topic: str) -> list[bytes]:
        """All that came on a topic, in order."""
        return [delivery.payload for delivery in self.deliveries if delivery.topic == topic]


def topic(name: str) -> str:
    """A topic of the tests."""
    return f"{PREFIX}/{name}"


def show(name: str, payload: str = "1") -> Publication:
    """A retained publication."""
    return Publication(topic(name), payload.encode())


async def retained(broker: BrokerUnderTest) -> dict[str, bytes]:
    """What a newcomer is shown, by the last part of the topic."""
    box = Box()
    bus = broker.bus("newcomer")
    async with bus.connect(client="newcomer", will=None, on_delivery=box) as session:
        await session.subscribe([topic("#")])
        assert all(delivery.retained for delivery in box.deliveries)
        return {name.removeprefix(PREFIX + "/"): payload for name, payload in box.newest.items()}


@contextmanager
def broker_under_test(kind: Kind, folder: Path, setting: Setting = OPEN) -> Iterator[BrokerUnderTest]:
    """Run a broker of the kind."""
    if kind == "memory":
        yield _InMemory(setting)
        return
    folder.mkdir()
    patience = SHORT_PATIENCE if setting.default_limits else PATIENCE
    with ExitStack() as lines:
        server: Mosquitto | Nats
        if kind == "nats":
            mqtt = 'ack_wait: "30s"' if setting.default_limits else MQTT
            server = lines.enter_context(running_nats(folder, *_nats_lines(setting), mqtt=mqtt))
        else:
            server = lines.enter_context(running_mosquitto(folder, *_lines(folder, setting)))
        mqtt5: Mqtt5 = "is refused" if kind == "mosquitto-3.1.1" else "passes"
        yield _OnServer(server, lines, mqtt5=mqtt5, patience=patience)


class _InMemory:
    def __init__(self, setting: Setting) -> None:
        self._broker = MemoryBroker(
            prefix=PREFIX,
            accounts=setting.accounts,
            may_publish=lambda _user, topic: not (setting.forbidden and matches(setting.forbidden, topic)),
            queue_limit=1000 if setting.default_limits else None,
        )

    def bus(self, client: str, user: str = "", password: str = "") -> Bus:  # noqa: ARG002  # the other needs it
        return self._broker.bus(user, password)

    def cut(self, client: str) -> None:
        self._broker.cut(client)

    def freeze(self) -> None:
        self._broker.freeze()

    def stop(self) -> None:
        self._broker.stop()

    def kill(self) -> None:
        self._broker.kill()

    def start(self, *, empty: bool = False) -> None:
        self._broker.start({} if empty else None)


class _OnServer:
    def __init__(self, server: Mosquitto | Nats, stack: ExitStack, *, mqtt5: Mqtt5, patience: Patience) -> None:
        self._patience = patience
        self._mqtt5 = mqtt5
        self._server = server
        self._stack = stack
        self._lines: dict[str, Line] = {}

    def bus(self, client: str, user: str = "", password: str = "") -> Bus:
        if client not in self._lines:
            self._lines[client] = self._stack.enter_context(line_to(self._server.port, self._mqtt5))
        port = self._lines[client].port
        url = BrokerUrl(host=self._server.host, port=port, user=user, password=password, prefix=PREFIX)
        return MqttBus(url, patience=self._patience)

    def cut(self, client: str) -> None:
        self._lines[client].cut()

    def freeze(self) -> None:
        self._server.freeze()

    def stop(self) -> None:
        self._server.stop()

    def kill(self) -> None:
        self._server.kill()

    def start(self, *, empty: bool = False) -> None:
        if empty:
            self._server.forget()
        self._server.start()


def _nats_lines(setting: Setting) -> Sequence[str]:
    if setting.accounts is None:
        return []
    users = ", ".join(f"{{user: {user}, password: {password}}}" for user, password in setting.accounts.items())
    return [f"authorization {{ users: [{users}] }}"]


def _lines(folder: Path, setting: Setting) -> Sequence[str]:
    lines = [*(DEFAULT_LIMITS if setting.default_limits else ())]
    if setting.accounts is None:
        return [*lines, "allow_anonymous true"]
    passwords, rules = folder / "passwords", folder / "rules"
    write_passwords(passwords, {user: hash_password(password) for user, password in setting.accounts.items()})
    denied = f"topic deny {setting.forbidden}\n" if setting.forbidden else ""
    write_private(rules, "".join(f"user {user}\ntopic readwrite #\n{denied}" for user in setting.accounts))
    return [*lines, f"password_file {passwords}", f"acl_file {rules}"]
