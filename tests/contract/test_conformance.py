"""The checks of a broker: the model and mosquitto pass them all, and each check fails on a broker that does not keep its rule."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from broker.access import access_rules, hash_password, write_passwords
from broker.address import BrokerUrl
from broker.bus import Acknowledged, Bus, Delivery, OnDelivery, Publication, Session
from broker.conformance.bench import Limits
from broker.conformance.findings import Finding, Verdict, conforms
from broker.conformance.run import UnderTest, check_broker
from broker.errors import BusError, RefusedError
from broker.memory import MemoryBroker
from broker.mqtt.bus import MqttBus, hang_up
from jobplan.cli.main import main
from schemas.names import UserName
from tests.support.broker_under_test import DEFAULT_LIMITS, PREFIX, SHORT_PATIENCE, Box
from tests.support.mosquitto import Mosquitto, running_mosquitto

FEW = Limits(many=1500, messages=50, wait=0.3)
TOKEN = "t"  # noqa: S105  # not a secret
PASSWORD = "word"  # noqa: S105  # of a broker that lives for seconds


def _bad(findings: Sequence[Finding]) -> dict[str, str]:
    return {
        finding.check: f"{finding.detail} {finding.advice}" for finding in findings if finding.verdict is Verdict.BAD
    }


def _memory(broker: MemoryBroker, bus: Bus) -> UnderTest:
    async def cut(_session: Session) -> None:
        broker.cut(f"check-{TOKEN}-b")

    return UnderTest(bus=bus, prefix=PREFIX, hang_up=cut)


async def test_model_conforms_and_is_left_clean() -> None:
    """The broker in memory keeps every rule that it is asked about; nothing of the checks stays on it."""
    broker = MemoryBroker(prefix=PREFIX)
    told: list[Finding] = []
    findings = await check_broker(_memory(broker, broker.bus()), TOKEN, limits=FEW, on_finding=told.append)

    assert (conforms(findings), told) == (True, findings)
    assert broker.retained == {}
    assert [one.check for one in findings if one.verdict is Verdict.SKIPPED] == ["access rules", "restart"]


async def test_mosquitto_conforms_with_our_configuration(tmp_path: Path) -> None:
    """Ten thousand topics, access rules with a second user, and a restart: every check is good."""
    passwords, rules = tmp_path / "passwords", tmp_path / "rules"
    write_passwords(passwords, {user: hash_password(PASSWORD) for user in ("dashboard", "bob")})
    rules.write_text(access_rules(agents=[], people=[UserName("bob")], prefix=PREFIX), encoding="utf-8")
    with running_mosquitto(tmp_path / "b", f"password_file {passwords}", f"acl_file {rules}") as mosquitto:

        async def restart() -> None:
            mosquitto.stop()
            mosquitto.start()

        def bus(user: str) -> MqttBus:
            login = BrokerUrl(host=mosquitto.host, port=mosquitto.port, user=user, password=PASSWORD, prefix=PREFIX)
            return MqttBus(login)

        broker = UnderTest(bus=bus("dashboard"), prefix=PREFIX, hang_up=hang_up, other=bus("bob"), restart=restart)
        findings = await check_broker(broker, TOKEN)
        box = Box()
        async with bus("dashboard").connect(client="look", will=None, on_delivery=box) as session:
            await session.subscribe([f"{PREFIX}/_check/#"])

    assert {one.check: one.verdict for one in findings if one.verdict is not Verdict.GOOD} == {}
    assert box.newest == {}


async def test_mosquittos_own_limits_are_found(tmp_path: Path) -> None:
    """With the defaults of mosquitto a replay is cut: the setting to change is named, and the other checks go on."""
    with running_mosquitto(tmp_path, *DEFAULT_LIMITS, "allow_anonymous true") as mosquitto:
        bus = MqttBus(_url(mosquitto), patience=SHORT_PATIENCE)
        findings = await check_broker(UnderTest(bus=bus, prefix=PREFIX, hang_up=hang_up), TOKEN, limits=FEW)

    assert list(_bad(findings)) == ["complete replays"]
    assert "max_queued_messages 1000000" in _bad(findings)["complete replays"]


async def test_open_broker_has_no_access_rules(mosquitto: Mosquitto) -> None:
    """A second user who may do everything is told of."""
    bus = MqttBus(_url(mosquitto))
    broker = UnderTest(bus=bus, prefix=PREFIX, hang_up=hang_up, other=bus)
    findings = await check_broker(broker, TOKEN, limits=FEW)

    assert list(_bad(findings)) == ["access rules"]


async def test_broker_that_is_not_there_is_an_error() -> None:
    """Nothing is checked on no broker."""
    broker = MemoryBroker(prefix=PREFIX)
    broker.kill()
    with pytest.raises(BusError):
        await check_broker(_memory(broker, broker.bus()), TOKEN, limits=FEW)


async def test_user_who_may_not_publish_there_is_told_so() -> None:
    """A broker is not judged by what its access rules keep one user from."""
    broker = MemoryBroker(prefix=PREFIX, may_publish=lambda _user, topic: "/_check/" not in topic)
    with pytest.raises(RefusedError, match="try it as a user who may"):
        await check_broker(_memory(broker, broker.bus()), TOKEN, limits=FEW)


def _url(mosquitto: Mosquitto) -> BrokerUrl:
    return BrokerUrl(host=mosquitto.host, port=mosquitto.port, prefix=PREFIX)


# ---------------------------------------------------------------------------------------------- brokers that break a rule


@dataclass
class Broken:
    """A bus that breaks rules: ``sent`` and ``came`` change what passes, or lose it (None)."""

    bus: Bus
    sent: Callable[[Publication], Publication | None] = lambda one: one
    came: Callable[[Delivery], Delivery | None] = lambda one: one
    will: bool = True
    own_ids: bool = False

    unheard = False

    def connect(
        self, *, client: str, will: Publication | None, on_delivery: OnDelivery
    ) -> AbstractAsyncContextManager[Session]:
        """See the port."""

        def take(delivery: Delivery) -> None:
            changed = self.came(delivery)
            if changed is not None:
                on_delivery(changed)

        name = f"{client}-{next(NUMBERS)}" if self.own_ids else client
        return _BrokenSession(self, self.bus.connect(client=name, will=will if self.will else None, on_delivery=take))


NUMBERS = itertools.count()


@dataclass
class _BrokenSession(AbstractAsyncContextManager[Session]):
    broken: Broken
    inner: AbstractAsyncContextManager[Session]
    session: Session | None = None

    async def __aenter__(self) -> Session:
        self.session = await self.inner.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.inner.__aexit__(None, None, None)

    async def send(self, publications: Sequence[Publication], acknowledged: Acknowledged) -> None:
        await self._known.send(self._changed(publications), acknowledged)

    async def publish(self, publications: Sequence[Publication]) -> None:
        await self._known.publish(self._changed(publications))

    async def subscribe(self, filters: Sequence[str]) -> bool:
        return await self._known.subscribe(filters)

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        await self._known.unsubscribe(filters)

    async def lost(self) -> str:
        return await self._known.lost()

    def _changed(self, publications: Sequence[Publication]) -> list[Publication]:
        changed = (self.broken.sent(one) for one in publications)
        return [one for one in changed if one is not None]

    @property
    def _known(self) -> Session:
        assert self.session is not None
        return self.session


def _unflagged(delivery: Delivery) -> Delivery:
    return msgspec.structs.replace(delivery, retained=False)


def _forgetful(publication: Publication) -> Publication:
    return msgspec.structs.replace(publication, retain=False)


def _never_clears(publication: Publication) -> Publication | None:
    return publication if publication.payload or not publication.retain else None


def _cut(publication: Publication) -> Publication:
    return msgspec.structs.replace(publication, payload=publication.payload[:65_000])


def _loses(part: str) -> Callable[[Delivery], Delivery | None]:
    return lambda delivery: None if part in delivery.topic else delivery


def _swapped() -> Callable[[Publication], Publication | None]:
    numbers = itertools.count()

    def sent(publication: Publication) -> Publication:
        is_tenth = publication.topic.endswith("/order") and next(numbers) == 10
        return msgspec.structs.replace(publication, payload=b"0") if is_tenth else publication

    return sent


@pytest.mark.parametrize(
    ("check", "broken"),
    [
        ("retained topics", {"sent": _forgetful}),
        ("retained topics", {"came": _unflagged}),
        ("clearing", {"sent": _never_clears}),
        ("complete replays", {"came": _loses("/many/7")}),
        ("subscribing", {"came": _loses("/meanwhile/7/0")}),
        ("order", {"sent": _swapped()}),
        ("will", {"will": False}),
        ("takeover", {"own_ids": True}),
        ("sizes", {"sent": _cut}),
        ("odd names", {"came": _loses("xxxxxxxx")}),
    ],
)
async def test_broken_rule_is_found(check: str, broken: dict[str, object]) -> None:
    """Each check fails on a broker that breaks its rule."""
    broker = MemoryBroker(prefix=PREFIX)
    bus = Broken(broker.bus(), **broken)  # type: ignore[arg-type]  # each value is what its name takes
    findings = await check_broker(_memory(broker, bus), TOKEN, limits=FEW)

    assert check in _bad(findings)
    assert not conforms(findings)


def test_command_prints_a_table_or_json(own_mosquitto: Mosquitto) -> None:
    """`jobplan broker check` ends with 0 and every check in a line; with no broker there, 1 and one line."""
    url = f"mqtt://{own_mosquitto.host}:{own_mosquitto.port}/{PREFIX}"
    table = CliRunner().invoke(main, ["broker", "check", url, "--topics", "100"])
    found = CliRunner().invoke(main, ["broker", "check", "--broker", url, "--topics", "100", "--json", "--user2", url])
    own_mosquitto.stop()
    missing = CliRunner().invoke(main, ["broker", "check", url])
    own_mosquitto.start()

    assert table.exit_code == 0, table.output
    assert "complete replays  good     100 topics" in table.stdout
    assert (found.exit_code, json.loads(found.stdout)["conforms"]) == (1, False)
    assert (missing.exit_code, missing.stdout, missing.stderr.count("\n")) == (1, "", 1)
