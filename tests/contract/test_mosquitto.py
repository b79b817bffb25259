"""The broker that the tests use is a real one, with the repository's configuration, and goes through what is done to it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from broker.runtime.inbox import LARGEST_REQUEST
from tests.support.mosquitto import CONFIG, Mosquitto, running_mosquitto

MANY = 3000
"""More messages than mosquitto's default keeps for one subscriber (1000, and 20 on their way)."""


def _publish(broker: Mosquitto, topic: str, lines: str) -> None:
    command = ["mosquitto_pub", "-h", broker.host, "-p", str(broker.port), "-q", "1", "-r", "-t", topic]
    subprocess.run([*command, "-m", lines], check=True, timeout=10)


def _retained(broker: Mosquitto, topic: str, *, count: int = 1) -> list[str]:
    """What the broker retains; fewer than `count` lines if it does not have them within seconds."""
    command = ["mosquitto_sub", "-h", broker.host, "-p", str(broker.port), "-q", "1", "-t", topic]
    answer = subprocess.run(
        [*command, "-v", "-W", "2", "-C", str(count), "--retained-only"],
        check=False,
        capture_output=True,
        text=True,
        timeout=10,
    )
    return answer.stdout.splitlines()


def test_shared_broker_takes_messages(mosquitto: Mosquitto, prefix: str) -> None:
    """The session's broker retains what a test publishes."""
    _publish(mosquitto, f"{prefix}/a", "1")

    assert _retained(mosquitto, f"{prefix}/#") == [f"{prefix}/a 1"]


def test_saved_topics_survive_a_kill(own_mosquitto: Mosquitto) -> None:
    """What was saved is there after kill -9; what came later is lost."""
    _publish(own_mosquitto, "saved", "1")
    own_mosquitto.save()
    _publish(own_mosquitto, "late", "1")
    own_mosquitto.kill()
    own_mosquitto.start()

    assert _retained(own_mosquitto, "#", count=2) == ["saved 1"]


def test_topics_survive_an_orderly_restart(own_mosquitto: Mosquitto) -> None:
    """A broker that is asked to end saves first."""
    _publish(own_mosquitto, "a", "1")
    own_mosquitto.stop()
    own_mosquitto.start()

    assert _retained(own_mosquitto, "#") == ["a 1"]


def test_nothing_is_retained_without_the_store(own_mosquitto: Mosquitto) -> None:
    """A broker whose disk was lost starts empty."""
    _publish(own_mosquitto, "a", "1")
    own_mosquitto.stop()
    own_mosquitto.store.unlink()
    own_mosquitto.start()

    assert _retained(own_mosquitto, "#") == []


def test_a_long_queue_is_not_cut(own_mosquitto: Mosquitto) -> None:
    """The limit at which mosquitto silently drops what waits for a subscriber is lifted by mosquitto.conf."""
    session = [
        "mosquitto_sub",
        "-h",
        own_mosquitto.host,
        "-p",
        str(own_mosquitto.port),
        "-i",
        "s",
        "-c",
        "-q",
        "1",
        "-t",
        "many",
    ]
    subprocess.run([*session, "-E"], check=True, timeout=10)
    command = ["mosquitto_pub", "-h", own_mosquitto.host, "-p", str(own_mosquitto.port), "-q", "1", "-t", "many", "-l"]
    subprocess.run(command, input="".join(f"{number}\n" for number in range(MANY)), text=True, check=True, timeout=30)
    # The session was away, so all of them are queued for it.
    answer = subprocess.run(
        [*session, "-W", "5", "-C", str(MANY)], check=False, capture_output=True, text=True, timeout=20
    )

    assert [int(line) for line in answer.stdout.splitlines()] == list(range(MANY))


def test_without_a_word_on_it_nobody_is_let_in(tmp_path: Path) -> None:
    """The configuration alone lets nobody in who has no name: who wants that says so."""
    with running_mosquitto(tmp_path, "# nothing of its own") as broker:
        answer = subprocess.run(
            ["mosquitto_pub", "-h", broker.host, "-p", str(broker.port), "-t", "a", "-m", "1"],
            check=False,
            capture_output=True,
            timeout=10,
        )

    assert answer.returncode != 0


def test_every_setting_says_why() -> None:
    """Each setting in mosquitto.conf stands in a block that begins with a comment."""
    blocks = [block.splitlines() for block in CONFIG.read_text(encoding="utf-8").split("\n\n")]

    assert [block[0] for block in blocks if not block[0].startswith("#")] == []


def test_broker_that_cannot_start_says_so(tmp_path: Path) -> None:
    """A line that mosquitto does not know ends in an error with mosquitto's own words."""
    with pytest.raises(RuntimeError, match="no_such_setting"), running_mosquitto(tmp_path, "no_such_setting 1"):
        pass


def test_configuration_lets_the_largest_request_through() -> None:
    """What the dashboard would read, the broker does not cut off: a plan of ten thousand jobs is one request."""
    (limit,) = re.findall(r"^max_packet_size (\d+)$", CONFIG.read_text(encoding="utf-8"), re.MULTILINE)

    assert int(limit) > LARGEST_REQUEST + 1_000  # its header and topic
