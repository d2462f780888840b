"""Group commit: what arrived within a few milliseconds becomes frames, one durable append, then acknowledgements.

The event loop fills batches, one thread encodes and appends them in order, the loop acknowledges. A batch is closed by
its size or by a linger that adapts to what a commit costs. A journal that is unavailable is tried again for ever; the
loop is told, so that it reads no more.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Protocol

import structlog

from ingest.config import GatewayConfig
from ingest.frames import Row, build
from ingest.metrics import GatewayMetrics
from journal.codec import encode_refused
from models.records import Refused
from models.stores import Journal, Unavailable

log = structlog.get_logger()


class Waiting(Protocol):
    """Who waits for its messages to become durable."""

    def durable(self, messages: int, acknowledged: int, acks: bytes) -> None:
        """So many of its messages are durable, `acknowledged` of them by the packets in `acks`."""

    def go_on(self) -> None:
        """There is room again."""


TOGETHER = 16
"""Batches that waited for an append share the next one, at most so many: its memory is bounded."""

Ack = tuple[Waiting, int, int, bytes]
"""(whose, messages, how many of them are acknowledged by, these packets)."""


def merged(acks: list[Ack]) -> Iterable[Ack]:
    """At most one for each: a write to a socket costs more than all else that is done for a message."""
    if len({ack[0] for ack in acks}) == len(acks):
        return acks
    parts: dict[Waiting, list[Ack]] = {}
    for ack in acks:
        parts.setdefault(ack[0], []).append(ack)
    return [
        (whose, sum([p[1] for p in own]), sum([p[2] for p in own]), b"".join([p[3] for p in own]))
        for whose, own in parts.items()
    ]


class Batch:
    __slots__ = ("acks", "began", "messages", "readings", "refused", "rows")

    def __init__(self, partitions: int, began: float) -> None:
        self.rows: list[list[Row]] = [[] for _ in range(partitions)]
        self.refused: list[tuple[int, Refused]] = []
        self.acks: list[Ack] = []
        self.messages = 0
        self.readings = 0
        self.began = began


def records_of(batches: Sequence[Batch]) -> list[tuple[int, bytes]]:
    """(partition, record): in each partition the batches' readings in order, in frames as full as may be."""
    records: list[tuple[int, bytes]] = []
    for partition, parts in enumerate(zip(*(batch.rows for batch in batches), strict=True)):
        rows = list(chain.from_iterable(parts))
        records.extend((partition, frame) for frame in build(rows))
    for batch in batches:
        records.extend((partition, encode_refused(refused)) for partition, refused in batch.refused)
    return records


class Committer:
    """All methods but the thread's own are called in the event loop."""

    def __init__(
        self,
        journal: Journal,
        config: GatewayConfig,
        metrics: GatewayMetrics,
        unavailable: Callable[[bool], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """`unavailable` hears when the journal stops and starts again to take records, `failed` of a lasting fault."""
        self._journal = journal
        self._config = config
        self._most, self._most_pending = config.batch, config.pending_high
        self._metrics = metrics
        self._unavailable = unavailable
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self.partitions = journal.partitions
        self.batch = Batch(self.partitions, 0.0)
        self.pending = 0
        self.full = False
        """More is pending than there should be."""
        self._flying = 0
        self._cost = config.linger / 4
        self._timer: asyncio.Handle | None = None
        self._held: set[Waiting] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._queue: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gateway-commit", daemon=True)
        self._thread.start()

    @property
    def linger(self) -> float:
        """Seconds that a batch now waits for more: half of what a commit costs, within the bound."""
        return min(self._config.linger, self._cost)

    def hold(self, waiting: Waiting) -> None:
        """Tell `waiting` when there is room again."""
        self._held.add(waiting)

    def forget(self, waiting: Waiting) -> None:
        self._held.discard(waiting)

    def added(self, waiting: Waiting, messages: int, acknowledged: int, acks: bytes) -> None:
        """`messages` were put into the batch's rows or refused; acknowledge them when it is durable."""
        batch = self.batch
        if not batch.messages:
            batch.began = self._loop.time()
            self._idle.clear()
        batch.acks.append((waiting, messages, acknowledged, acks))
        batch.messages += messages
        self.pending += messages
        self.full = self.pending >= self._most_pending
        if batch.messages >= self._most:
            self._flush()
        elif self._timer is None and not self._flying:
            self._timer = self._loop.call_later(self.linger, self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch = self.batch
        if not batch.messages:
            return
        self.batch = Batch(self.partitions, 0.0)
        self._flying += 1
        self._queue.put(batch)

    def _done(self, batches: Sequence[Batch]) -> None:
        self._flying -= len(batches)
        total = sum(batch.messages for batch in batches)
        self.pending -= total
        self.full = self.pending >= self._most_pending
        took = self._loop.time() - batches[0].began
        self._cost += 0.1 * (took / 2 - self._cost)
        self._measure(batches, total, took)
        for waiting, messages, acknowledged, acks in merged([ack for batch in batches for ack in batch.acks]):
            waiting.durable(messages, acknowledged, acks)
        if self._held and self.pending < self._config.pending_low:
            held, self._held = self._held, set()
            for waiting in held:
                waiting.go_on()
        if self.batch.messages:
            if not self._flying and self._timer is None:
                self._flush()
        elif not self._flying:
            self._idle.set()

    def _measure(self, batches: Sequence[Batch], messages: int, took: float) -> None:
        metrics = self._metrics
        metrics.accepted.inc(sum(len(rows) for batch in batches for rows in batch.rows))
        metrics.pending.set(self.pending)
        metrics.commit_seconds.observe(took)
        metrics.commit_readings.observe(messages)

    async def close(self, within: float) -> bool:
        """Flush, wait at most `within` seconds, end the thread; whether everything became durable."""
        self._flush()
        try:
            await asyncio.wait_for(self._idle.wait(), within)
        except TimeoutError:
            done = False
        else:
            done = True
        self._ending.set()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join, within)
        return done

    def _run(self) -> None:
        """The thread: encode, append, tell the loop."""
        try:
            while batches := self._next():
                records = records_of(batches)
                if records and not self._append(records):
                    return
                self._loop.call_soon_threadsafe(self._done, batches)
        except BaseException as error:  # noqa: BLE001  a thread has no caller: the loop ends the process
            self._loop.call_soon_threadsafe(self._failed, error)

    def _next(self) -> list[Batch]:
        """The batches that wait, at least one; empty when there will be no more."""
        batches: list[Batch] = []
        while len(batches) < TOGETHER and not (batches and self._queue.empty()):
            batch = self._queue.get()
            if batch is None:
                if batches:
                    self._queue.put(None)  # for the next time
                break
            batches.append(batch)
        return batches

    def _append(self, records: list[tuple[int, bytes]]) -> bool:
        """Until it succeeds; False when the gateway ends first."""
        pause = self._config.retry_first
        tries = 0
        while True:
            try:
                self._journal.append(records)
            except Unavailable as error:
                if not tries:
                    log.error("gateway.journal_unavailable", error=str(error), records=len(records))
                    self._loop.call_soon_threadsafe(self._unavailable, True)
                tries += 1
                if self._ending.wait(pause):
                    return False
                pause = min(2 * pause, self._config.retry_most)
                continue
            if tries:
                log.info("gateway.journal_back", tries=tries)
                self._loop.call_soon_threadsafe(self._unavailable, False)
            return True
