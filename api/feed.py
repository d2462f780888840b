"""What happens, as it happens: one poller reads the ledger's events for all streams of this process.

A stream holds a position, not a queue: it takes what it may see from the newest events in memory, or from the ledger if
it is further behind. So a slow reader costs nothing but its own delay.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

import structlog
from prometheus_client import Gauge

from ledger import events
from ledger.engine import Ledger
from ledger.events import Event
from ledger.scope import Scope
from models.stores import Unavailable

log = structlog.get_logger()
POLL_S: Final = 0.1
HEARTBEAT_S: Final = 15.0
REMEMBERED: Final = 2_000
PAGE: Final = 500
MOST_STREAMS: Final = 500


STREAMS: Final = Gauge("ullage_api_streams", "Event streams that are open.")


class Full(Exception):
    """As many streams are open as one process serves."""


class Feed:
    """Lives in one event loop. Nothing is polled while nobody reads."""

    def __init__(self, ledger: Ledger, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._ledger = ledger
        self._heartbeat_s = heartbeat_s
        self._recent: deque[Event] = deque(maxlen=REMEMBERED)
        self._start = 0  # everything above it, up to _last, is in _recent
        self._last = 0
        self._news = asyncio.Event()
        self._closed = False
        self._streams = 0
        self._starting = asyncio.Lock()
        self._poller: asyncio.Task[None] | None = None

    @property
    def full(self) -> bool:
        return self._streams >= MOST_STREAMS

    async def follow(self, scope: Scope, after: int | None) -> AsyncIterator[list[Event]]:
        """Events above id `after` (None: from now on), oldest first; an empty list is a heartbeat. Raises Full."""
        if self.full:
            raise Full
        self._streams += 1
        STREAMS.inc()
        try:
            await self._started()
            position = self._last if after is None else after
            while not self._closed:
                news = self._news
                position, found = await self._since(scope, position)
                if found:
                    yield found
                elif position >= self._last and not await self._wait(news):
                    yield []
        finally:
            self._streams -= 1
            STREAMS.dec()
            if not self._streams:
                await self._stop()

    async def close(self) -> None:
        """All streams end."""
        self._closed = True
        self._news.set()
        await self._stop()

    async def _wait(self, news: asyncio.Event) -> bool:
        """Whether something happened before the next heartbeat is due."""
        try:
            async with asyncio.timeout(self._heartbeat_s):
                await news.wait()
        except TimeoutError:
            return False
        return True

    async def _since(self, scope: Scope, position: int) -> tuple[int, list[Event]]:
        if position >= self._start:
            newest = self._last
            return newest, [e for e in self._recent if e.id > position and scope.allows(e.account_id)]
        return await asyncio.to_thread(self._page, scope, position)

    def _page(self, scope: Scope, position: int) -> tuple[int, list[Event]]:
        with self._ledger.read() as tx:
            newest = events.last_id(tx)
            found = events.read(tx, scope, after=position, limit=PAGE)
        return (found[-1].id if len(found) == PAGE else max(newest, position)), found

    async def _started(self) -> None:
        async with self._starting:
            if self._poller is None:
                self._last = self._start = await asyncio.to_thread(self._newest)
                self._recent.clear()
                self._poller = asyncio.create_task(self._poll())

    def _newest(self) -> int:
        with self._ledger.read() as tx:
            return events.last_id(tx)

    async def _stop(self) -> None:
        if self._poller is not None:
            poller, self._poller = self._poller, None
            poller.cancel()
            await asyncio.gather(poller, return_exceptions=True)

    async def _poll(self) -> None:
        while True:
            try:
                found = await asyncio.to_thread(self._read)
            except Unavailable as error:
                log.warning("api.events_wait", reason=str(error))
                found = []
            if found:
                self._take(found)
            await asyncio.sleep(0 if len(found) == PAGE else POLL_S)

    def _read(self) -> list[Event]:
        with self._ledger.read() as tx:
            return events.read(tx, Scope.all(), after=self._last, limit=PAGE)

    def _take(self, found: list[Event]) -> None:
        lost = len(self._recent) + len(found) - REMEMBERED
        if lost > 0:
            self._start = [*self._recent, *found][lost - 1].id
        self._recent.extend(found)
        self._last = found[-1].id
        self._news.set()
        self._news = asyncio.Event()
