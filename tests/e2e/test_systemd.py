"""The units for systemd: they are valid, and what they promise of our programs is so."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from jobplan.nodes import supervisor
from tests.support.waiting import eventually

UNITS = sorted((Path(__file__).parents[2] / "packaging" / "systemd").glob("*.service"))


def read(unit: Path) -> ConfigParser:
    """A unit as keys and values."""
    parser = ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys have capitals
    parser.read_string(unit.read_text())
    return parser


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_unit_restarts_its_node_alone_and_waits_until_it_is_there(unit: Path) -> None:
    """What jobs rely on: a stop ends the node, never what it has started."""
    service = read(unit)["Service"]

    assert (service["Type"], service["KillMode"], service["Restart"]) == ("notify", "process", "always")
    assert service["ExecStart"].split()[:3] == [
        "/opt/jobplan/bin/jobplan",
        "serve",
        unit.name.split("-")[1].split("@")[0].removesuffix(".service"),
    ]
    assert "WantedBy" in read(unit)["Install"]


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed: only its keys are looked at"
)
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_unit_is_valid_to_systemd(unit: Path, tmp_path: Path) -> None:
    """Not a word of complaint, but that the program is installed elsewhere."""
    name = unit.name.replace("@", "@north")
    text = unit.read_text().replace("/opt/jobplan/bin/jobplan", "/bin/true")
    (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / name)],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip

    assert [line for line in done.stderr.splitlines() if name in line] == []


def test_supervisor_that_is_not_there_is_no_trouble(tmp_path: Path) -> None:
    """Without systemd, or with one that has gone."""
    environment = {"NOTIFY_SOCKET": "@x", "HOME": "/"}

    assert supervisor.take_address(environment) == "@x"
    assert environment == {"HOME": "/"}
    assert supervisor.take_address(environment) == ""
    assert not supervisor.tell("", supervisor.READY)
    assert not supervisor.tell(str(tmp_path / "none"), supervisor.READY)


async def test_agent_tells_its_supervisor_when_it_is_there_and_when_it_stops(tmp_path: Path) -> None:
    """Whether or not a broker is."""
    address = tmp_path / "notify"
    told: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(address))
        line.setblocking(False)
        asyncio.get_running_loop().add_reader(line, lambda: told.append(line.recv(100)))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "jobplan", "serve", "agent", "north", "--data", str(tmp_path), "--broker", "mqtt://127.0.0.1:9",
            env={**os.environ, "NOTIFY_SOCKET": str(address)}, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await eventually(lambda: told == [b"READY=1"], within=20, what="it is there")
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()
        await eventually(lambda: told == [b"READY=1", b"STOPPING=1"], within=5, what="it stops")
        asyncio.get_running_loop().remove_reader(line)
