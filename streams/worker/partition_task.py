"""One partition at work: records are folded on the event loop, what they decided is written by a thread, one batch
behind.

`feed` folds and returns; a single task per partition writes batches, series and checkpoints in journal order. So the
fold of the next batch goes on
while the ledger commits, and nothing is ever written out of order.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from typing import TypeVar

import structlog

from models.stores import Fenced, Record
from streams.worker import checkpoints, metrics
from streams.worker.batching import Batch, Folder
from streams.worker.committing import Committer, Owned, Rewind
from streams.worker.config import WorkerConfig
from streams.worker.ports import Clocks, Logic, Stores
from streams.worker.recovery import Recovered, recover
from streams.worker.showing import Pace

log = structlog.get_logger(__name__)
_T = TypeVar("_T")
FAR_RECORDS, FAR_READINGS = 128, 5_000
"""A run of so much was not written just now: the worker is behind."""


class PartitionTask:
    """`failed` is called once with what ends the process; losing the partition to another worker is not such a
    thing."""

    def __init__(
        self,
        partition: int,
        stores: Stores,
        logic: Logic,
        config: WorkerConfig,
        clocks: Clocks,
        executor: Executor,
        failed: Callable[[BaseException], None],
        alive: Callable[[], None],
        pace: Pace | None = None,
    ) -> None:
        self.partition = partition
        self.lost = False
        self.progress = clocks.monotonic()
        """When a record was folded last (monotonic seconds)."""
        self._stores, self._logic, self._config, self._clocks = stores, logic, config, clocks
        self._executor, self._failed, self._alive = executor, failed, alive
        self._pace = pace or Pace(config.show_share)
        self._rested = float("-inf")  # the next commit is not before this moment, monotonic
        self._shows_next = False
        self._wake, self._room, self._ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._stopping = False
        self._saving: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._label = str(partition)
        self._behind = False

    @property
    def offset(self) -> int:
        """The next record to fold."""
        return self._folder.offset

    @property
    def committed(self) -> int:
        return self._committer.offset

    async def start(self) -> int:
        """Claim and recover; where to read from. Raises what streams.worker.recovery.recover raises."""
        self._take(await self._in_thread(self._recover))
        self._ready.set()
        self._writer = asyncio.create_task(self._write(), name=f"writer of partition {self.partition}")
        return self._folder.offset

    async def feed(self, records: Sequence[Record]) -> None:
        """Fold consecutive records. Waits while too much waits for the ledger. Raises OffsetGap, PoisonTick,
        StoreError."""
        for first in range(0, len(records), FAR_RECORDS):
            await self._admitted()
            if self.lost or self._stopping:
                return
            self._fold(records[first : first + FAR_RECORDS])
            if (
                len(records) > FAR_RECORDS
            ):  # hundreds of ticks take seconds on a busy machine: let the watch have a turn
                await asyncio.sleep(0)

    def _fold(self, records: Sequence[Record]) -> None:
        batch = self._batch
        before = batch.records, batch.readings
        self._folder.feed(records, batch)
        self._behind = len(records) >= FAR_RECORDS or batch.readings - before[1] >= FAR_READINGS
        self._schedule.folded(batch.readings - before[1])
        metrics.RECORDS.labels(self._label).inc(batch.records - before[0])
        metrics.READINGS.labels(self._label).inc(batch.readings - before[1])
        self.progress = now = self._clocks.monotonic()
        if batch.decisions or batch.skips or batch.ticks or self._schedule.due(now):
            self._wake.set()

    async def _admitted(self) -> None:
        """Returns when the state is where the reader is, and not too much waits; whoever waited for one of both looks
        at the other again."""
        while not self.lost:
            if not self._ready.is_set():
                await self._ready.wait()
            elif len(self._batch.decisions) >= self._config.pending_effects:
                self._room.clear()
                await self._room.wait()
            else:
                return

    async def stop(self, *, checkpoint: bool) -> None:
        """Write what waits; with `checkpoint` leave nothing to replay."""
        self._stopping = True
        self._last = checkpoint
        self._wake.set()
        if self._writer is not None:
            await self._writer

    def _recover(self) -> Recovered:
        return recover(self.partition, self._stores, self._logic, self._config, self._clocks, self._alive)

    def _take(self, recovered: Recovered) -> None:
        now = self._clocks.monotonic()
        self._owned: Owned = recovered.owned
        self._folder: Folder = recovered.folder
        self._committer: Committer = recovered.committer
        self._kept = recovered.kept
        self._schedule = checkpoints.Schedule(self._config, now)
        self._schedule.folded(recovered.replayed)
        self._batch: Batch = self._folder.batch()
        self._batch.take(recovered.repairs, ())
        self._series_written = self.progress = now
        self._last = False

    async def _write(self) -> None:
        try:
            while not self._stopping:
                await self._turn()
            await self._finish()
        except Fenced as error:
            self._drop(str(error))
        except Exception as error:  # noqa: BLE001  handed to the process, which ends with it
            self._failed(error)
        finally:
            if self._saving is not None:  # what ended the writer is told already
                self._saving.add_done_callback(lambda saving: saving.cancelled() or saving.exception())
            self.lost = True
            self._room.set()
            self._ready.set()

    async def _turn(self) -> None:
        """A commit if there is one to make; after it, or in the pauses, some of what is only shown."""
        now = self._clocks.monotonic()
        commits = self._wake.is_set() and now >= self._rested
        shows = len(self._committer.waiting) > 0 and now >= self._pace.free
        if shows and (self._shows_next or not commits):
            self._shows_next = False
            await self._show(now)
        elif commits:
            self._shows_next = True
            await self._commit(now)
        else:
            await self._idle(now)

    async def _commit(self, started: float) -> None:
        self._wake.clear()
        try:
            await self._round(final=False)
        except Rewind as error:
            await self._rewind(str(error))
        # The interval counts from the start of this commit: at low load a decision does not wait at all.
        interval = self._config.behind_interval if self._behind else self._config.commit_interval
        many = len(self._batch.decisions) >= self._config.commit_effects
        self._rested = started if many else started + interval

    async def _show(self, began: float) -> None:
        self._pace.begin(began)
        await self._in_thread(self._committer.show)
        self._pace.end(began, self._clocks.monotonic())

    async def _idle(self, now: float) -> None:
        """Until a commit or a show may be due."""
        ends = [self._rested] if self._wake.is_set() else []
        ends += [self._pace.free] if self._committer.waiting else []
        pause = max(0.0, min(ends) - now) if ends else None
        if self._wake.is_set():
            await asyncio.sleep(pause or 0.0)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), pause)

    async def _round(self, *, final: bool) -> None:
        """One batch, then series rows and a checkpoint if they are due."""
        batch, self._batch = self._batch, self._folder.batch()
        self._room.set()
        now = self._clocks.monotonic()
        saving = self._saving is not None and not self._saving.done()
        due = (final and self._last) or (self._schedule.due(now) and not saving)
        if self._kept[:1] == [self._folder.offset]:  # nothing came since: keep the two that differ
            due = False
        cut = None
        if due:
            cut = checkpoints.cut(self._folder, self._owned, self._stores.journal.id, self._logic.version, now)
            self._schedule.taken(now)
        await self._in_thread(partial(self._committer.commit, batch))
        if cut is not None:
            await self._in_thread(partial(checkpoints.settle, cut, self._committer, self.partition))
            await self._saved()
            self._saving = asyncio.get_running_loop().run_in_executor(
                self._executor,
                partial(checkpoints.save, cut, self._kept, self._owned, self._stores, self._config, self._clocks),
            )
        elif self._series_due(now):
            self._series_written = now
            through, rows = self._folder.offset, self._folder.sink.take()
            await self._in_thread(partial(self._committer.series, through, rows))
        if self._saving is not None and self._saving.done():
            await self._saved()

    def _series_due(self, now: float) -> bool:
        waiting = self._folder.sink.waiting()
        return waiting >= self._config.series_rows or (
            waiting > 0 and now - self._series_written >= self._config.series_interval
        )

    async def _finish(self) -> None:
        await self._saved()
        try:
            await self._round(final=True)
        except Rewind as error:  # the next start leaves it out
            log.warning("partition.rewind_at_stop", partition=self.partition, why=str(error))
        await self._saved()

    async def _saved(self) -> None:
        saving, self._saving = self._saving, None
        if saving is not None:
            await saving

    async def _rewind(self, why: str) -> None:
        """Go back to the checkpoint and come again to where we were, without what `why` tells of."""
        metrics.REWINDS.labels(self._label).inc()
        log.warning("partition.rewinds", partition=self.partition, why=why, offset=self._folder.offset)
        self._ready.clear()
        until = self._folder.offset
        await self._saved()
        self._take_again(await self._in_thread(self._recover), until)
        await self._in_thread(partial(self._catch_up, until))
        self._ready.set()
        self._wake.set()

    def _take_again(self, recovered: Recovered, until: int) -> None:
        self._take(recovered)
        self._schedule.soon = True
        log.info("partition.rewound", partition=self.partition, offset=self._folder.offset, until=until)

    def _catch_up(self, until: int) -> None:
        folder = self._folder
        while folder.offset < until:
            limit = min(1000, until - folder.offset)
            folder.feed(self._stores.journal.read(self.partition, folder.offset, limit), self._batch)
            self._alive()

    def _drop(self, why: str) -> None:
        self.lost = True
        metrics.FENCED.labels(self._label).inc()
        log.warning(
            "partition.fenced", partition=self.partition, why=why, what="another worker has it; it goes on there"
        )

    async def _in_thread(self, call: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)
