"""The doctor as people call it: real nodes, a real broker, and what may be wrong with them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.nodes import PATIENCE, Installation, an_installation
from tests.support.mosquitto import CONFIG, HOST
from tests.support.waiting import until

GARBAGE = "jobplan/v1/agent/north/instance/Nightly-20260301T010000Z"
NEWER = "jobplan/v1/plan/Weekly"
NOTHING = "jobplan/v1/agent/north/report/no-instance/nothing"
FROM_THE_FUTURE = b'{"v":9,"epoch":1,"revision":1,"at":"2026-01-01T00:00:00Z"}'


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Broker, dashboard, agents north and south."""
    with an_installation(tmp_path) as nodes:
        nodes.start("north", "south")
        yield nodes


def _found(installation: Installation) -> dict[str, tuple[str, str]]:
    """Detail and advice, by symptom and what it is of."""
    answer = json.loads(installation.run("doctor", "--json").stdout)
    assert answer["well"] is not any(one["grade"] == "wrong" for one in answer["findings"])
    return {f"{one['symptom']}: {one['what']}": (one["detail"], one["advice"]) for one in answer["findings"]}


def _publish(installation: Installation, topic: str, payload: bytes) -> None:
    """As anybody could; empty: clear the topic."""
    command = [
        "mosquitto_pub",
        "-h",
        HOST,
        "-p",
        str(installation.port),
        "-q",
        "1",
        "-r",
        "-t",
        topic,
        "-s" if payload else "-n",
    ]
    subprocess.run(command, input=payload, check=True, timeout=10)


def _wait(installation: Installation, *expected: str) -> dict[str, tuple[str, str]]:
    """Come back when the doctor finds just these; how each is and what to do."""
    until(
        lambda: sorted(_found(installation)) == sorted(expected),
        within=PATIENCE,
        what=lambda: f"{expected} are found, not {_found(installation)}; {installation.logs()}",
    )
    return _found(installation)


@pytest.mark.timeout(120)
def test_the_doctor_names_what_is_wrong_and_what_to_do(installation: Installation) -> None:
    """Garbage, a newer writer, a topic that stands for nothing, and an agent that was killed; before and after that nothing."""
    _wait(installation)
    well = installation.run("doctor")
    assert (well.returncode, well.stdout, well.stderr) == (0, "", "all is well\n")

    # 1. The agent reads this topic too; the next one only the doctor; the third stands for nothing, which the dashboard notices.
    for topic, payload in ((GARBAGE, b"garbage"), (NEWER, FROM_THE_FUTURE), (NOTHING, b"{}")):
        _publish(installation, topic, payload)
    installation.nodes["south"].kill()  # and its will is read out
    ill = _wait(
        installation,
        "agent-gone: agent south",
        "set-aside: agent north",
        "set-aside: dashboard",
        f"unreadable: topic {GARBAGE}",
        f"unreadable: topic {NEWER}",
    )
    table = installation.run("doctor")

    assert table.returncode == installation.run("doctor", "--json").returncode == 1
    assert all(word in table.stdout for word in ("south", "north", "dashboard", "Nightly", "Weekly"))
    assert ill["agent-gone: agent south"][1] == "start it: jobplan serve agent south"
    assert ill["set-aside: dashboard"][0] == "has set aside what it cannot read; topics: 1"
    assert "clear" in ill["set-aside: agent north"][1]
    assert "malformed" in ill[f"unreadable: topic {GARBAGE}"][0]
    assert "wire version 9" in ill[f"unreadable: topic {NEWER}"][0]
    assert "clear the topic" in ill[f"unreadable: topic {NEWER}"][1]

    # 2. What it said is done, and it is content.
    for topic in (GARBAGE, NEWER, NOTHING):
        _publish(installation, topic, b"")
    installation.nodes["south"].start()
    assert _wait(installation) == {}


@pytest.mark.timeout(120)
def test_who_is_stopped_says_nothing_though_its_presence_does(installation: Installation) -> None:
    """A process that was frozen is alive for the broker until its keep-alive is over; the doctor asks it."""
    _wait(installation)
    north = installation.nodes["north"]
    north.freeze()
    try:
        assert _found(installation)["silent: agent north"][0].endswith("has not answered within 5 s")
    finally:
        north.thaw()
    _wait(installation)


@pytest.mark.timeout(120)
def test_a_brokers_configuration_is_looked_at(installation: Installation) -> None:
    """Ours is well; another is told of, line by line; one that is not there is an error."""
    ours = installation.run("doctor", "--conf", str(CONFIG))
    assert (ours.returncode, ours.stderr) == (0, "all is well\n")

    theirs = installation.folder / "mosquitto.conf"
    theirs.write_text("max_queued_messages 500\n")
    found = json.loads(installation.run("doctor", "--json", "--conf", str(theirs)).stdout)["findings"]
    missing = installation.run("doctor", "--conf", str(installation.folder / "none"))

    assert [(one["symptom"], one["advice"]) for one in found] == [
        ("broker-limit", "set max_queued_messages 1000000, and restart the broker")
    ]
    assert (missing.returncode, "cannot be read" in missing.stderr) == (2, True)
