"""Peers are measured in turn with jobplan, and one that cannot be is named while the run goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.peers.__main__ import measured
from benchmarks.peers.place import Play, UnavailableError, is_alive, process, until
from benchmarks.peers.plays import CHAIN, FAN, commands, gap, names, rate


class Fake:
    """Runs every job at once, and writes stamps so many seconds apart."""

    setup = "as it comes"

    def __init__(self, name: str, apart: float, said: list[str]) -> None:
        self.name = name
        self._apart = apart
        self._said = said

    @contextmanager
    def running(self, _: Path) -> Iterator[Play]:
        """Nothing has to be there."""
        yield self._play

    def _play(self, kind: str, jobs: int, stamps: Path) -> None:
        self._said.append(f"{self.name} {kind}")
        for place, name in enumerate(names(kind, jobs)):
            (stamps / name).write_text(f"{1_000 + place * self._apart}\n")


class Missing(Fake):
    """One that is not here."""

    @contextmanager
    def running(self, _: Path) -> Iterator[Play]:
        """It cannot be."""
        raise UnavailableError("postgres is missing: apt-get install postgresql")
        yield self._play


def test_a_peer_is_measured_in_turn_with_jobplan(tmp_path: Path) -> None:
    """Each of its figures stands beside ours of the same moment."""
    said: list[str] = []
    ours, theirs = Fake("jobplan", 0.5, said), Fake("Other", 2.0, said)

    [[chain, fan]] = measured([theirs], ours, tmp_path, rounds=2)

    assert chain.values == pytest.approx((500, 500))
    assert chain.floors == pytest.approx((2_000, 2_000))
    assert fan.values == pytest.approx((FAN / (0.5 * (FAN + 1)),) * 2)
    assert fan.ratios == pytest.approx([4, 4])
    warm = ["jobplan chain", "jobplan fan", "Other chain", "Other fan"]
    assert said == [*warm, *warm, *warm]


def test_a_peer_that_cannot_be_measured_is_named_and_the_next_one_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the reason, on standard error."""
    [figures] = measured([Missing("Gone", 1, []), Fake("Other", 1, [])], Fake("jobplan", 1, []), tmp_path, rounds=1)

    assert [figure.floor for figure in figures] == ["Other", "Other"]
    assert "Gone is not measured: postgres is missing: apt-get install postgresql" in capsys.readouterr().err


def test_what_a_peer_started_ends_with_it(tmp_path: Path) -> None:
    """Its own processes, and those that they started and forgot."""
    log = tmp_path / "log"
    with process(["/bin/bash", "-c", "sleep 300 & echo $!; wait"], log, os.environ) as started:
        until(lambda: log.read_text().endswith("\n"), "bash did not speak")
        child = int(log.read_text())
        assert is_alive(child)

    assert not is_alive(started.pid)
    until(lambda: not is_alive(child), "sleep did not end")


def test_stamps_are_read_in_the_order_of_the_jobs(tmp_path: Path) -> None:
    """A chain has so many jobs, a fan so many between two."""
    for kind, jobs in (("chain", CHAIN), ("fan", FAN)):
        assert len(commands(kind, jobs, tmp_path)) == len(set(names(kind, jobs))) == jobs + (2 if kind == "fan" else 0)
        assert sorted(names(kind, jobs)) == names(kind, jobs)
    for place, name in enumerate(names("fan", 10)):
        (tmp_path / name).write_text(str(place * 0.1))

    assert gap(tmp_path, 10) == pytest.approx(100)
    assert rate(tmp_path, 10) == pytest.approx(10 / 1.1)
