"""Following an instance to its end."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from jobplan.client import Client, watching
from jobplan.client.feed import Feed, Link, News
from jobplan.client.live import Line, View
from jobplan.client.picture import Change
from jobplan.client.watching import Watching
from schemas.documents import InstanceStatus
from schemas.status import ContextStatus
from tests.support.pictures import INSTANCE, NOON, a_picture, a_presence, an_instance, where


class Lines:
    """A display that keeps what it is told."""

    pause = 0.0
    estimates = False

    def __init__(self) -> None:
        self.told: list[str] = []

    def line(self, line: Line, *, reason: str) -> None:
        """Keep it."""
        self.told.append(line.status + reason)

    def view(self, seen: View) -> None:
        """Nothing."""

    def doubt(self, reason: str) -> None:
        """Nothing."""


class LateFeed(Feed):
    """Something happens in the moment after it was waited for in vain."""

    def __init__(self, happens: list[InstanceStatus], client: SimpleNamespace) -> None:
        super().__init__()
        self._happens = happens
        self._client = client

    async def wait(self, seconds: float | None = None) -> list[News]:
        """Nothing at first."""
        heard = await super().wait(0.0 if self._happens else seconds)
        while self._happens:
            after = self._happens.pop()
            before = next(iter(self._client.picture.instances.values()))
            self._client.picture = a_picture(a_presence(), after)
            self.put(Change(address=where(after), before=before, after=after, at=NOON))
        return heard


async def test_the_end_is_told_before_it_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the instance was still running a long time before: what made it complete waits to be told."""
    monkeypatch.setattr(watching, "LAST_LINES", timedelta(0))
    client = SimpleNamespace(picture=a_picture(a_presence(), an_instance()), link=Link())
    feed = LateFeed([an_instance(status=ContextStatus.COMPLETE)], client)
    client.changes = lambda: feed
    display = Lines()

    completed = await Watching(cast("Client", client), INSTANCE, display).run(leave=True)

    assert completed
    assert display.told == ["RUNNING", "RUNNING", "COMPLETE", "COMPLETE"]  # its context, and itself
