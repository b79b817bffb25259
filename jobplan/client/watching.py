"""Following one instance from now to its end, and telling a display what happens."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final, Protocol

from msgspec.structs import replace

from jobplan.client import Client, JobsOf, Scope
from jobplan.client.estimates import estimate
from jobplan.client.feed import Link, News
from jobplan.client.live import Line, View, doubt, lines_of, note, view
from jobplan.clock import now
from jobplan.errors import JobplanError
from schemas.addresses import InstanceAt, JobAt
from schemas.documents import JobState
from schemas.estimates import Estimated
from schemas.names import InstanceId
from schemas.status import ContextStatus

LAST_LINES: Final = timedelta(seconds=0.4)
"""What follows within this time of the end belongs to it."""

LOOK_AHEAD: Final = timedelta(seconds=3)
"""The end is not estimated more often."""
LOOK_AHEAD_IN_VAIN: Final = timedelta(seconds=60)
"""Nor so soon again when nobody tells."""

SETTLING: Final = timedelta(seconds=3)
"""How long an instance must stand still in failure before it counts as over."""


class Display(Protocol):
    """Where what happens to an instance is shown."""

    pause: float
    """Seconds between two looks: what changes meanwhile is told, and drawn once."""

    estimates: bool
    """Whether it shows when the instance will be complete."""

    def line(self, line: Line, *, reason: str) -> None:
        """One status changed."""

    def view(self, seen: View) -> None:
        """Everything as it is now; called after each batch of changes and about every second."""

    def doubt(self, reason: str) -> None:
        """What is shown may be old from now on (a reason), or is current again (empty)."""


async def follow_started(client: Client, one: InstanceId) -> None:
    """Follow all of an instance that the dashboard said it has just started."""
    await client.follow(Scope.INSTANCES, Scope.LOCKS, JobsOf(one))
    if await client.until(lambda picture: picture.instances.get(one), client.patience) is None:
        raise JobplanError(f"the dashboard started {one} but does not show it")


class Watching:
    """One instance being followed: feeds a display, and tells when it is over."""

    def __init__(self, client: Client, one: InstanceId, display: Display) -> None:
        self.client = client
        self.one = one
        self.display = display
        self.feed = client.changes()
        self.completed = False
        self._doubt = ""
        self._said: dict[tuple[str, str, str], str] = {}
        self._estimate: Estimated | None = None
        self._estimate_due = 0.0
        self._seems_over_since: float | None = None

    async def run(self, *, leave: bool, even_if_stuck: bool = True) -> bool:
        """Until it is over or gone; without ``leave`` until it is gone. Says whether it completed.

        ``even_if_stuck``: a failure after which nothing moves counts as over, too.
        """
        self._say_first()
        try:
            while (seen := self._see()) is not None and not (leave and self._is_over(seen, even_if_stuck)):
                heard = await self.feed.wait(1.0)
                for news in heard:
                    self._say(news)
                await self._look_ahead(moved=bool(heard))
                await asyncio.sleep(self.display.pause)
            return self.completed
        finally:
            self.feed.close()

    def _say_first(self) -> None:
        """What stood there when we came, outermost first."""
        picture = self.client.picture
        jobs = (JobAt(job.instance, job.context, job.job) for job in picture.jobs(self.one))
        places: list[InstanceAt | JobAt] = [InstanceAt(self.one), *jobs]
        for place in places:
            change = picture.as_change(place)
            if change is not None:
                self._say(change)

    def _say(self, news: News) -> None:
        if isinstance(news, Link):
            return
        for line in lines_of(news, self.one):
            place = (line.kind, line.context, line.job)
            if self._said.get(place) == line.status:
                continue
            self._said[place] = line.status
            reason = note(news.after) if isinstance(news.after, JobState) else ""
            self.display.line(line, reason=reason)

    async def _look_ahead(self, *, moved: bool) -> None:
        """Ask for a new estimate when something has happened, but not all the time; without an answer, seldom."""
        time = asyncio.get_running_loop().time()
        if not self.display.estimates or time < self._estimate_due or (self._estimate is not None and not moved):
            return
        self._estimate = await estimate(self.client, self.one)
        self._estimate_due = time + (LOOK_AHEAD if self._estimate is not None else LOOK_AHEAD_IN_VAIN).total_seconds()

    def _see(self) -> View | None:
        client = self.client
        reason = doubt(client.picture, client.link.reason)
        if reason != self._doubt:
            self._doubt = reason
            self.display.doubt(reason)
        seen = view(client.picture, self.one, now(), link=client.link.reason)
        if seen is not None:
            status = seen.instance.result if seen.instance.status is ContextStatus.ENDED else seen.instance.status
            self.completed = status is ContextStatus.COMPLETE
            self.display.view(replace(seen, estimate=self._estimate))
        return seen

    def _is_over(self, seen: View, even_if_stuck: bool) -> bool:  # noqa: FBT001  # handed on
        """Over: COMPLETE or ENDED, and its last lines are in; or failed, and nothing has moved for a while."""
        over, stuck = seen.over and not seen.missing, seen.stuck and even_if_stuck
        if not (over or stuck):
            self._seems_over_since = None
            return False
        time = asyncio.get_running_loop().time()
        if self._seems_over_since is None:  # what made it so may still wait to be told
            self._seems_over_since = time
        return time - self._seems_over_since > (LAST_LINES if over else SETTLING).total_seconds()
