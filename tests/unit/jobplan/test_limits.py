"""Which settings of mosquitto drop something."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobplan.client.limits import limits

OURS = Path(__file__).resolve().parents[3] / "mosquitto.conf"


def test_our_own_configuration_drops_nothing() -> None:
    """The file that everybody is told to use."""
    assert list(limits(OURS.read_text(encoding="utf-8"))) == []


def test_mosquittos_own_defaults_drop_something() -> None:
    """Where nothing is set its queue of a thousand messages counts."""
    assert [(one.setting, one.value) for one in limits("# nothing\nlistener 1883\n")] == [
        ("max_queued_messages", "not set, so 1000")
    ]


@pytest.mark.parametrize(
    "line",
    [
        "max_queued_messages 0",
        "  max_queued_messages   5000",
        "max_queued_bytes 100000000",
        "max_packet_size 1000000",
        "message_size_limit 1000000",
        "memory_limit 1",
    ],
)
def test_each_limit_is_found_and_says_what_to_set(line: str) -> None:
    """The last line counts, as it does for mosquitto; one that is commented out does not."""
    text = f"max_queued_messages 1000000\n{line}\n#max_queued_messages 1\n"
    [found] = limits(text)

    assert f"{found.setting} {found.value}" == " ".join(line.split())
    assert found.wanted
    assert list(limits(f"max_queued_messages 1000000\n{found.setting} {found.wanted}")) == []
