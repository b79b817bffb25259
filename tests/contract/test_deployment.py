"""A deployment that `jobplan broker init` makes is one that mosquitto runs, over TLS, and each user can do its part."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from broker.address import BrokerUrl
from broker.bus import Publication
from broker.deployment import Deployment, DeploymentError, Folder
from broker.errors import BusError, RefusedError
from broker.mqtt.bus import MqttBus
from broker.ports import free_port
from broker.server import RunningBroker, reload_running, running_broker
from schemas.names import NodeName, UserName
from tests.support.broker_under_test import PATIENCE, Box
from tests.support.mosquitto import HOST
from tests.support.waiting import eventually

NOW = datetime.now(UTC)  # noqa: TID251  # a certificate is valid by the real clock
PREFIX = "test/deployed"
WITHIN = 10.0
PARTS = {
    "dashboard": "plan/x",
    "agent-north": "agent/north/report/i/x",
    "anna": "request/anna/1",
    "bob": "_sync/a",
}
"""By user: a topic that only this one may write."""


def a_deployment() -> Deployment:
    """One agent, one operator, one viewer."""
    return Deployment(
        hosts=("localhost", HOST),
        port=free_port(),
        listen=HOST,
        prefix=PREFIX,
        agents=(NodeName("north"),),
        operators=(UserName("anna"),),
        viewers=(UserName("bob"),),
    )


def _bus(folder: Folder, user: str, password: str, *, host: str = HOST) -> MqttBus:
    url = msgspec.structs.replace(folder.read().url(user, password), host=host)
    return MqttBus(url, ca_file=folder.authority, patience=PATIENCE)


async def _may_write(bus: MqttBus, topic: str) -> bool:
    async with bus.connect(client="a", will=None, on_delivery=Box()) as session:
        try:
            await session.publish([Publication(f"{PREFIX}/{topic}", b"1", retain=False)])
        except RefusedError:
            return False
        return True


async def test_each_user_does_its_part_over_tls(tmp_path: Path) -> None:
    """With the authority's certificate and the password that was told, each logs in, under each name of the host."""
    folder = Folder(tmp_path / "made")
    passwords = folder.make(a_deployment(), NOW)
    assert set(passwords) == set(PARTS)
    async with running_broker(
        folder.path, port=folder.read().port, host=HOST, access=folder.access, prefix=PREFIX
    ) as broker:
        assert broker.url.tls
        for user, password in passwords.items():
            for other, topic in PARTS.items():
                bus = _bus(folder, user, password, host="localhost" if user == "bob" else HOST)

                assert await _may_write(bus, topic) == (other in {user, "bob"}), (user, topic)


async def test_stranger_and_plain_connection_are_kept_out(tmp_path: Path) -> None:
    """Without the authority's certificate, without TLS, or with a wrong password nobody gets in, and is told why."""
    folder = Folder(tmp_path / "made")
    passwords = folder.make(a_deployment(), NOW)
    made = folder.read()
    async with running_broker(folder.path, port=made.port, host=HOST, access=folder.access, prefix=PREFIX):
        login = made.url("anna", passwords["anna"])
        plain = BrokerUrl(host=HOST, port=made.port, user="anna", password=passwords["anna"], prefix=PREFIX)
        wrong = _bus(folder, "anna", "wrong")
        said = {
            MqttBus(login): (RefusedError, "not trusted .*: name the one that signed it, with JOBPLAN_CA_FILE"),
            MqttBus(plain): (BusError, "without: mqtts://"),
            wrong: (RefusedError, "refuses user 'anna'"),
        }
        for bus, (kind, why) in said.items():
            with pytest.raises(kind, match=why):
                async with bus.connect(client="a", will=None, on_delivery=Box()):
                    pass


async def test_users_come_and_go_while_the_broker_runs(tmp_path: Path) -> None:
    """After a reload a new agent gets in and a removed person does not; connections of others stay."""
    folder = Folder(tmp_path / "made")
    passwords = folder.make(a_deployment(), NOW)
    made = folder.read()
    dashboard = _bus(folder, "dashboard", passwords["dashboard"])
    async with (
        running_broker(folder.path, port=made.port, host=HOST, access=folder.access, prefix=PREFIX) as broker,
        dashboard.connect(client="d", will=None, on_delivery=Box()) as stays,
    ):
        west = folder.add(agents=["west"])["agent-west"]
        folder.remove("anna")
        assert reload_running(folder.path)
        await _until_reloaded(broker)

        assert await _may_write(_bus(folder, "agent-west", west), "agent/west/report/i/x")
        with pytest.raises(RefusedError):
            await _may_write(_bus(folder, "anna", passwords["anna"]), "request/anna/1")
        await stays.publish([Publication(f"{PREFIX}/plan/x", b"1")])


async def _until_reloaded(broker: RunningBroker) -> None:
    await eventually(
        lambda: "eloading config" in broker.log.read_text(encoding="utf-8"), within=WITHIN, what="it reads its files"
    )


async def test_making_it_again_is_refused_and_loses_nothing(tmp_path: Path) -> None:
    """Without force not a byte changes; with it the old files are put aside and what was retained is still there."""
    folder = Folder(tmp_path / "made")
    passwords = folder.make(a_deployment(), NOW)
    made = folder.read()
    async with running_broker(folder.path, port=made.port, host=HOST, access=folder.access, prefix=PREFIX):
        dashboard = _bus(folder, "dashboard", passwords["dashboard"])
        async with dashboard.connect(client="d", will=None, on_delivery=Box()) as session:
            await session.publish([Publication(f"{PREFIX}/plan/x", b"kept")])
    before = {file.name: file.read_bytes() for file in folder.path.iterdir() if file.is_file()}
    with pytest.raises(DeploymentError, match="--force"):
        folder.make(a_deployment(), NOW)
    assert {file.name: file.read_bytes() for file in folder.path.iterdir() if file.is_file()} == before

    again = folder.make(made, NOW, force=True)

    assert again["anna"] != passwords["anna"]
    aside = folder.path / "before-1"
    assert all((aside / name).read_bytes() == before[name] for name in ("passwords", "ca.key", "server.key", "rules"))
    box = Box()
    async with running_broker(folder.path, port=made.port, host=HOST, access=folder.access, prefix=PREFIX):
        viewer = _bus(folder, "bob", again["bob"])
        async with viewer.connect(client="b", will=None, on_delivery=box) as session:
            await session.subscribe([f"{PREFIX}/plan/+"])
    assert box.newest == {f"{PREFIX}/plan/x": b"kept"}


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Keys, passwords and rules can be read by nobody else; no password stands in any file; the CA's certificate is public."""
    folder = Folder(tmp_path / "made")
    passwords = folder.make(a_deployment(), NOW)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.path.iterdir() if file.is_file()}

    private = {"ca.key", "deployment.json", "passwords", "rules", "server.key", "server.pem", "mosquitto.log"}
    assert {name for name, mode in modes.items() if mode == 0o600} == private
    texts = [file.read_text(encoding="utf-8") for file in folder.path.iterdir() if file.is_file()]
    assert not [user for user, password in passwords.items() if any(password in text for text in texts)]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"agents": ["north"]}, "twice"),
        ({"agents": ["dashboard"]}, "no agent may be called"),
        ({"operators": ["bob"]}, "twice"),
        ({"viewers": ["a b"]}, "no space"),
        ({"operators": ["agent-x"]}, "names of nodes"),
    ],
)
def test_impossible_users_change_nothing(tmp_path: Path, names: dict[str, list[str]], said: str) -> None:
    """A name that is taken or may not be is refused in one line, and everything stays."""
    folder = Folder(tmp_path / "made")
    folder.make(a_deployment(), NOW)
    before = folder.read()
    with pytest.raises((DeploymentError, ValueError), match=said):
        folder.add(**names)

    assert folder.read() == before
    with pytest.raises(DeploymentError, match="there are agent-north, anna, bob"):
        folder.remove("dashboard")


def test_folder_without_a_deployment_says_how_to_make_one(tmp_path: Path) -> None:
    """Adding to nothing names the command; what is not a deployment is said too."""
    with pytest.raises(DeploymentError, match="jobplan broker init"):
        Folder(tmp_path).add(agents=["x"])
    (tmp_path / "deployment.json").write_text("{}")

    with pytest.raises(DeploymentError, match="cannot be read"):
        Folder(tmp_path).read()
    with pytest.raises(DeploymentError, match="is reached"):
        Folder(tmp_path / "other").make(Deployment(hosts=()), NOW)
