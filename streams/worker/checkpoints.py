"""Checkpoints: when, what, in which order, and what of the journal may go afterwards.

A checkpoint is cut between two records. Before it is saved the ledger and the series have reached its offset, so that
of the four stores
none is ever behind one that is written later: journal, ledger, series, state.
"""

from dataclasses import dataclass

import structlog

from models.stores import Checkpoint
from streams.worker import metrics
from streams.worker.batching import Batch, Folder
from streams.worker.committing import Committer, Owned, patiently
from streams.worker.config import WorkerConfig
from streams.worker.ports import Blocks, Clocks, Stores
from streams.worker.series_sink import Rowset

log = structlog.get_logger(__name__)
SERIES_BLOCK = "worker.series"


@dataclass(slots=True)
class Cut:
    """State, and what the other stores must have before it may be saved."""

    checkpoint: Checkpoint
    rows: Rowset
    started: float


class Schedule:
    """When the next checkpoint is due."""

    def __init__(self, config: WorkerConfig, now: float) -> None:
        self._config = config
        self._debt = 0
        self._last = now
        self.soon = False
        """Set after a rewind: the same stretch must not be replayed again and again."""

    def folded(self, readings: int) -> None:
        self._debt += readings

    def due(self, now: float) -> bool:
        passed = now - self._last
        if passed < self._config.checkpoint_pause:
            return False
        return self.soon or passed >= self._config.checkpoint_interval or self._debt >= self._config.checkpoint_readings

    def taken(self, now: float) -> None:
        self._debt, self._last, self.soon = 0, now, False


def cut(folder: Folder, owned: Owned, journal: str, logic: str, started: float) -> Cut:
    rows = folder.sink.take()
    blocks = (*folder.fold.snapshot(), (SERIES_BLOCK, folder.sink.snapshot()))
    return Cut(Checkpoint(journal, owned.epoch, folder.offset, folder.time, logic, blocks), rows, started)


def split(blocks: Blocks) -> tuple[Blocks, bytes | None]:
    """The fold's own blocks, and the sink's."""
    ours = dict(blocks).get(SERIES_BLOCK)
    return tuple(block for block in blocks if block[0] != SERIES_BLOCK), ours


def settle(cut: Cut, committer: Committer, partition: int) -> None:
    """Bring ledger, all that is shown, and series to the cut. Raises Fenced, Unavailable."""
    committer.advance(Batch(partition, cut.checkpoint.offset, cut.checkpoint.time))
    while committer.waiting:
        committer.show()
    committer.series(cut.checkpoint.offset, cut.rows)


def save(cut: Cut, kept: list[int], owned: Owned, stores: Stores, config: WorkerConfig, clocks: Clocks) -> None:
    """Save a settled cut, then drop what no checkpoint needs of the journal. Raises Fenced, Unavailable, StoreError.

    `kept` are the offsets of the saved checkpoints, newest first; it is brought up to date."""
    checkpoint, partition = cut.checkpoint, owned.partition
    patiently(
        f"partition {partition}: saving a checkpoint", lambda: stores.state.save(partition, checkpoint), config, clocks
    )
    kept[:] = [checkpoint.offset, *kept[:1]]
    seconds = clocks.monotonic() - cut.started
    metrics.CHECKPOINT_SECONDS.labels(str(partition)).set(seconds)
    size = sum(len(block) for _, block in checkpoint.blocks)
    log.info("checkpoint.saved", partition=partition, offset=checkpoint.offset, bytes=size, seconds=round(seconds, 3))
    if len(kept) == 2:
        patiently(
            f"partition {partition}: truncating",
            lambda: _truncate(partition, kept[1], stores, config, clocks),
            config,
            clocks,
        )


def _truncate(partition: int, older: int, stores: Stores, config: WorkerConfig, clocks: Clocks) -> None:
    """Only below the older of two checkpoints, which `ullage replay` starts from: what is old enough and, while the
    journal is too large, the older half of what is not."""
    journal = stores.journal
    earliest = journal.earliest(partition)
    free = min(older, stores.series.offset(partition))
    before = min(free, journal.offset_at(partition, clocks.wall_ms() - config.keep_journal_ms))
    if journal.size_bytes() > config.keep_journal_bytes:
        before = max(before, (earliest + free + 1) // 2)
    if before > earliest:
        dropped = journal.truncate(partition, before)
        log.info("journal.truncated", partition=partition, before=before, records=dropped)
