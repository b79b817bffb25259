"""A broker of our own: started, kept, ended, and what is said when that fails."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import pytest

from broker.access import access_rules, hash_password, write_passwords, write_private
from broker.bus import Publication
from broker.errors import BusError, RefusedError
from broker.mqtt.bus import MqttBus
from broker.server import AccessFiles, RunningBroker, running_broker
from tests.support.broker_under_test import Box
from tests.support.mosquitto import CONFIG
from tests.support.waiting import eventually, until

WITHIN = 10.0
ANNAS = "word"
PLACES = ("store", "mosquitto.conf", "mosquitto.log", "lock")


async def _publish(broker: RunningBroker, payload: bytes) -> None:
    async with MqttBus(broker.url).connect(client="a", will=None, on_delivery=Box()) as session:
        await session.publish([Publication("x", payload)])


async def _retained(broker: RunningBroker) -> dict[str, bytes]:
    box = Box()
    async with MqttBus(broker.url).connect(client="b", will=None, on_delivery=box) as session:
        await session.subscribe(["#"])
    return box.newest


def _runs(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False


async def test_broker_keeps_what_is_retained_from_one_run_to_the_next(tmp_path: Path) -> None:
    """It answers when it is there, ends when it is left, and finds everything again in its folder."""
    folder = tmp_path / "new" / "broker"
    async with running_broker(folder) as broker:
        await _publish(broker, b"1")
        pid = broker.pid
        assert broker.url.host == "127.0.0.1"
    assert not _runs(pid)
    assert sorted(path.name for path in folder.iterdir()) == sorted(PLACES)
    async with running_broker(folder) as broker:
        assert await _retained(broker) == {"x": b"1"}


async def test_configuration_is_the_projects_own(tmp_path: Path) -> None:
    """The configuration in effect is the one file of the project, and lines of this place after it."""
    async with running_broker(tmp_path / "b", lines=["max_connections 5"]) as broker:
        text = broker.config.read_text(encoding="utf-8")

    assert text.startswith(CONFIG.read_text(encoding="utf-8"))
    assert f"\nlistener {broker.url.port} 127.0.0.1\n" in text
    assert text.endswith("max_connections 5\n")


async def test_given_port_is_used(tmp_path: Path) -> None:
    """A port that was asked for is the one it listens on, or nothing is."""
    async with running_broker(tmp_path / "a") as broker:
        port = broker.url.port
        with pytest.raises(BusError, match=f"did not start on 127.0.0.1:{port}: Error: Address already in use"):
            async with running_broker(tmp_path / "b", port=port):
                pass
    async with running_broker(tmp_path / "b", port=port) as broker:
        assert broker.url.port == port


async def test_folder_has_one_broker(tmp_path: Path) -> None:
    """Two programs cannot run a broker in the same folder."""
    async with running_broker(tmp_path) as broker:
        with pytest.raises(BusError, match="another program"):
            async with running_broker(tmp_path):
                pass
        await _publish(broker, b"1")


async def test_broker_that_dies_says_so(tmp_path: Path) -> None:
    """Its end is told with the code; leaving is harmless then."""
    async with running_broker(tmp_path) as broker, asyncio.timeout(WITHIN):
        os.kill(broker.pid, signal.SIGKILL)

        assert "ended with -9" in await broker.ended()


async def test_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    """The line in which mosquitto complains is in the error."""
    with pytest.raises(BusError, match="no_such_setting"):
        async with running_broker(tmp_path, lines=["no_such_setting true"]):
            pass


async def test_missing_program_is_an_error_that_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without mosquitto one line says how to get it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("broker.server._ELSEWHERE", ())

    with pytest.raises(BusError, match="apt install mosquitto"):
        async with running_broker(tmp_path):
            pass


async def test_open_broker_stays_on_the_loopback_address(tmp_path: Path) -> None:
    """Without access rules it is not started on an address that others reach."""
    with pytest.raises(BusError, match="loopback"):
        async with running_broker(tmp_path, host="0.0.0.0"):  # noqa: S104  # that is refused
            pass


async def test_access_files_are_enforced_and_read_again(tmp_path: Path) -> None:
    """Only those in the files get in; after a reload also those that were added."""
    access = AccessFiles(passwords=tmp_path / "passwords", rules=tmp_path / "rules")
    hashed = {"dashboard": hash_password("d")}
    write_passwords(access.passwords, hashed)
    write_private(access.rules, access_rules(agents=[], people=[]))
    async with running_broker(tmp_path / "b", access=access) as broker:
        anna = MqttBus(msgspec.structs.replace(broker.url, user="anna", password=ANNAS))
        for bus in (MqttBus(broker.url), anna):
            with pytest.raises(RefusedError):
                async with bus.connect(client="a", will=None, on_delivery=Box()):
                    pass
        write_passwords(access.passwords, hashed | {"anna": hash_password(ANNAS)})
        broker.reload()
        await eventually(lambda: "Reloading config" in broker.log.read_text(), within=WITHIN, what="it reads them")
        async with anna.connect(client="a", will=None, on_delivery=Box()):
            pass


async def test_cancelled_start_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is cancelled while the broker starts leaves none behind."""
    monkeypatch.setattr("broker.server._READY", "what no broker says")
    await _cancelled_once_it_runs(tmp_path)


async def test_cancelled_end_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is cancelled again while the broker ends does not wait for it, and leaves none behind."""
    monkeypatch.setattr("broker.server._READY", "what no broker says")
    await _cancelled_once_it_runs(tmp_path, times=2)


async def _cancelled_once_it_runs(folder: Path, times: int = 1) -> None:
    async def start() -> None:
        async with running_broker(folder):
            raise AssertionError("it never gets here")

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(start(), name="start")
        await eventually((folder / "mosquitto.pid").exists, within=WITHIN, what="it is started")
        pid = int((folder / "mosquitto.pid").read_text())
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)

    assert not _runs(pid)


_OWNER = """
import asyncio, pathlib, sys
from broker.server import running_broker

async def main():
    async with running_broker(pathlib.Path(sys.argv[1])) as broker:
        print(broker.pid, flush=True)
        await broker.ended()

asyncio.run(main())
"""


def _orphan(folder: Path) -> int:
    """The process of a broker whose owner was killed."""
    with subprocess.Popen([sys.executable, "-c", _OWNER, str(folder)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.kill()
    return pid


async def test_orphan_is_ended_by_the_next_owner(tmp_path: Path) -> None:
    """The broker of a program that was killed goes on; the next program in that folder ends it, and keeps its data."""
    orphan = _orphan(tmp_path)
    assert _runs(orphan)
    async with running_broker(tmp_path) as broker:
        assert broker.pid != orphan
        until(lambda: not _runs(orphan), within=WITHIN, what="the orphan has ended")
        await _publish(broker, b"1")


async def test_broker_of_root_runs_as_the_service(tmp_path: Path) -> None:
    """Started by root it becomes the service's user when that one can reach the folder; nobody else can read the store."""
    if os.geteuid() != 0:
        pytest.skip("only root can start a program as somebody else")
    async with running_broker(tmp_path / "private") as broker:
        assert _user(broker.pid) == 0  # the folders of pytest are root's alone
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        os.chmod(name, 0o755)  # noqa: PTH101, S103  # so that the service's user gets there
        async with running_broker(Path(name)) as broker:
            await _publish(broker, b"1")
            store = (Path(name) / "store").stat()

            assert _user(broker.pid) == store.st_uid != 0
            assert stat.S_IMODE(store.st_mode) == 0o700


def _user(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


async def test_port_that_is_taken_in_between_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When somebody takes the free port before mosquitto does, another one is tried."""
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as probe:
        ports = [taken.getsockname()[1], probe.getsockname()[1]]
        probe.close()
        monkeypatch.setattr("broker.server.free_port", lambda _host: ports.pop(0))
        async with running_broker(tmp_path) as broker:
            assert ports == []
            await _publish(broker, b"1")
