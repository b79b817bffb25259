"""News of folders from the kernel (inotify and its like), to look sooner than planned. Never the only way to see a file.

Looking at times stays the truth: network file systems tell nothing of what other hosts do, folders may appear later, and a
kernel may drop news. So whatever fails here is logged and costs no more than patience.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Hashable, Iterable
from functools import partial
from pathlib import Path
from typing import Final

from agent_node.threads import in_own_thread

_GATHERED: Final = 500
"""Milliseconds: what changes in a row is told once; a folder that never rests, twice a second."""
_AGAIN: Final = 30.0
"""Seconds until folders that were missing, or a kernel that refused, are tried again."""

log = logging.getLogger(__name__)


class FolderNews:
    """Who wants to hear of which folders, and one watch over all of them."""

    def __init__(self, tell: Callable[[Hashable], None]) -> None:
        self._tell = tell
        self._wanted: dict[Hashable, frozenset[str]] = {}
        self._changed = asyncio.Event()
        self.watched: frozenset[str] = frozenset()
        """The folders of which news would come now."""

    def want(self, who: Hashable, folders: Iterable[str]) -> None:
        """Tell ``who`` whenever something changes in one of these folders themselves (not below them)."""
        self._wanted[who] = frozenset(str(Path(folder).absolute()) for folder in folders)
        self._changed.set()

    def drop(self, who: Hashable) -> None:
        """Tell them no more."""
        if self._wanted.pop(who, None) is not None:
            self._changed.set()

    async def run(self) -> None:
        """Listen; for ever."""
        while True:
            self._changed.clear()
            wanted = frozenset().union(*self._wanted.values())
            self.watched = await in_own_thread("folders", partial(_there, wanted))
            if not self.watched:
                await self._until_changed(_AGAIN if wanted else None)
                continue
            try:
                await self._listen(partial=self.watched != wanted)
            except* OSError as errors:
                log.warning("no news of folders, they are looked at by time: %s", errors.exceptions[0])
                self.watched = frozenset()
                await self._until_changed(_AGAIN)

    async def _listen(self, *, partial: bool) -> None:
        """Tell of what happens until other folders are wanted; now and then look whether one that was missing is there."""
        from watchfiles import awatch  # noqa: PLC0415  # only an agent with the setting `notify` needs it

        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            seconds = _AGAIN if partial else None
            ending = tasks.create_task(self._end_when_changed(stop, seconds), name="other folders")
            try:
                async for changes in awatch(
                    *sorted(self.watched),
                    watch_filter=None,
                    debounce=_GATHERED,
                    stop_event=stop,
                    recursive=False,
                    ignore_permission_denied=True,
                ):
                    self._spread([Path(path) for _, path in changes])
            finally:
                stop.set()
                ending.cancel()

    def _spread(self, changed: Collection[Path]) -> None:
        folders = {str(path.parent) for path in changed} | {str(path) for path in changed}
        for who, wanted in list(self._wanted.items()):
            if wanted & folders:
                self._tell(who)
        if self.watched.intersection(map(str, changed)):
            self._changed.set()  # a folder itself: the kernel watches what it was, perhaps under another name now

    async def _end_when_changed(self, stop: asyncio.Event, seconds: float | None) -> None:
        await self._until_changed(seconds)
        stop.set()

    async def _until_changed(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass


def _there(folders: Iterable[str]) -> frozenset[str]:
    return frozenset(folder for folder in folders if Path(folder).is_dir())
