"""What a batch decided goes to the ledger, in journal order, from a thread: skips first, then decisions and offset in
one transaction; what is only shown follows."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import structlog

from models.effects import Shown
from models.stores import BadEffect, Skip, Unavailable
from streams.worker import metrics
from streams.worker.batching import Batch
from streams.worker.blaming import Causes
from streams.worker.config import WorkerConfig
from streams.worker.pieces import pieces
from streams.worker.ports import Clocks, Stores
from streams.worker.series_sink import Rowset
from streams.worker.showing import Waiting

log = structlog.get_logger(__name__)
_T = TypeVar("_T")


class Rewind(Exception):
    """Something that state has taken in already must be left out: go back to the checkpoint."""


@dataclass(frozen=True, slots=True)
class Owned:
    partition: int
    epoch: int


def patiently(what: str, call: Callable[[], _T], config: WorkerConfig, clocks: Clocks) -> _T:
    """Repeat a call to a store that is away, with growing pauses. Raises Unavailable when it stays away."""
    started, pause = clocks.monotonic(), 0.05
    while True:
        try:
            return call()
        except Unavailable as error:
            waited = clocks.monotonic() - started
            if waited + pause > config.unavailable:
                raise Unavailable(
                    f"{what} failed for {waited:.0f} s: {error}. The worker ends; it goes on where it was when "
                    f"started again."
                ) from error
            log.warning("store.unavailable", what=what, error=str(error), waited=round(waited, 2))
            clocks.sleep(pause)
            pause = min(2 * pause, 2.0)


class Committer:
    """Writes for one partition under one epoch. Every method blocks; one thread at a time calls it."""

    def __init__(self, owned: Owned, offset: int, stores: Stores, config: WorkerConfig, clocks: Clocks) -> None:
        self.offset = offset
        self.waiting = Waiting()
        self.series_offset = stores.series.offset(owned.partition)
        self._decided, self._now = offset, 0
        self._owned = owned
        self._stores = stores
        self._config = config
        self._clocks = clocks
        self._label = str(owned.partition)
        self._advanced = clocks.monotonic()

    def commit(self, batch: Batch) -> None:
        """Raises Fenced, Unavailable, Rewind."""
        for skip in batch.skips:
            self.set_aside(skip, batch.now)
        late = self._clocks.monotonic() - self._advanced >= self._config.position_interval
        if batch.decisions or late or (batch.ticks and self._due(batch.now)):
            for piece in pieces(batch, self._config.most_decisions, self._now):
                self.advance(piece)
        self.follow(batch.through, batch.now, batch.shown)

    def follow(self, through: int, now: int, shown: Mapping[Hashable, Shown]) -> None:
        """What records below `through` decided is written, or was nothing: what they show may be written now."""
        self.waiting.add(shown)
        self._decided, self._now = max(self._decided, through), now

    def advance(self, batch: Batch) -> None:
        """Bring the ledger to the batch's end, with its decisions if it has any."""
        if batch.through <= self.offset:
            return
        started = self._clocks.monotonic()
        try:
            self._apply(batch)
        except BadEffect as error:
            log.error("decision.refused", partition=self._owned.partition, reason=error.reason)
            self._salvage(batch)
        metrics.COMMIT_SECONDS.labels(self._label).observe(self._clocks.monotonic() - started)
        metrics.EFFECTS.labels(self._label).inc(len(batch.decisions))
        self._reached(batch.through)

    def show(self) -> None:
        """Write some of what waits to be shown. Raises Fenced, Unavailable."""
        rows = self.waiting.first(self._config.show_rows)
        partition, epoch = self._owned.partition, self._owned.epoch
        write, shown = self._stores.decisions.show, [one for _, one in rows]
        self._patiently("showing how slots stand", lambda: write(partition, epoch, self._decided, self._now, shown))
        self.waiting.written(rows)
        metrics.EFFECTS.labels(self._label).inc(len(rows))
        self._reached(self._decided)

    def series(self, through: int, rows: Rowset) -> None:
        """Write everything that records below `through` gave; what the store has from before is not written again.

        Raises Unavailable."""
        if through > self.series_offset:
            write = self._stores.series.write
            self._patiently("writing series", lambda: write(self._owned.partition, through, rows.rows(), rows.points))
            self.series_offset = through

    def set_aside(self, skip: Skip, now: int) -> None:
        """`now` is domain time, ms."""
        write, partition, epoch = self._stores.decisions.skip, self._owned.partition, self._owned.epoch
        self._patiently("setting a reading aside", lambda: write(partition, epoch, now, skip))
        self._tell(skip)

    def _reached(self, through: int) -> None:
        metrics.OFFSET.labels(self._label).set(through)
        self.offset = max(self.offset, through)
        self._advanced = self._clocks.monotonic()

    def _due(self, now: int) -> bool:
        return self._patiently(
            "asking for due rows", lambda: self._stores.decisions.has_due(self._owned.partition, now)
        )

    def _apply(self, batch: Batch) -> None:
        partition, epoch = self._owned.partition, self._owned.epoch
        apply = self._stores.decisions.apply
        self._patiently("writing decisions", lambda: apply(partition, epoch, batch.through, batch.now, batch.decisions))

    def _salvage(self, batch: Batch) -> None:
        """Write what can be written. Raises Rewind if a reading or a request had to be left out: state has it."""
        partition, epoch = self._owned.partition, self._owned.epoch
        causes, salvage = Causes(batch), self._stores.decisions.salvage
        skip = self._patiently(
            "writing decisions one by one",
            lambda: salvage(partition, epoch, batch.through, batch.now, causes.parts, causes.blame),
        )
        if skip is not None:
            self._tell(skip)
            raise Rewind(f"record {skip.offset} reading {skip.index}: {skip.reason}")

    def _tell(self, skip: Skip) -> None:
        metrics.QUARANTINED.labels(self._label).inc()
        log.error(
            "reading.set_aside", partition=self._owned.partition, offset=skip.offset, index=skip.index,
            device=skip.device, code=skip.code, reason=skip.reason,
        )  # fmt: skip

    def _patiently(self, what: str, call: Callable[[], _T]) -> _T:
        return patiently(f"partition {self._owned.partition}: {what}", call, self._config, self._clocks)
