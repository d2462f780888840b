"""Taking a partition: claim it, check that the stores belong together, load the newest checkpoint, replay to where the
ledger is.

Replayed records decide again what the ledger has already: these effects are dropped. Then the open needs of both are
compared.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import structlog

from models.effects import Alert, Decision, Need, Shown
from models.stores import Checkpoint, Claim, DecisionLedger, Fenced, StoreError
from streams.worker import metrics
from streams.worker.batching import Folder
from streams.worker.checkpoints import split
from streams.worker.committing import Committer, Owned, patiently
from streams.worker.config import WorkerConfig
from streams.worker.ports import Clocks, Logic, Stores
from streams.worker.series_sink import SeriesSink

log = structlog.get_logger(__name__)
PAGE_RECORDS = 2_000


class StoresDisagree(StoreError):
    """Journal, ledger and state are not of the same time or installation."""


class OtherLogic(StoreError):
    """Another version of the logic decided what would have to be replayed."""


@dataclass(slots=True)
class Recovered:
    owned: Owned
    folder: Folder
    committer: Committer
    kept: list[int]
    """Offsets of the saved checkpoints, newest first."""
    replayed: int
    """Readings that were replayed: what the next crash would replay too."""
    repairs: list[Decision]
    """For the next batch: what the ledger should have and has not."""


def recover(
    partition: int, stores: Stores, logic: Logic, config: WorkerConfig, clocks: Clocks, alive: Callable[[], None]
) -> Recovered:
    """Take the partition and bring its state to the ledger's offset; `alive` is called now and then.

    Raises Fenced, StoresDisagree, OtherLogic, OffsetGap, Unavailable, StoreError. Blocks."""
    started = clocks.monotonic()
    journal = stores.journal

    def take() -> Claim:
        claim = stores.decisions.claim(partition, config.owner, journal.id)
        try:
            stores.state.claim(partition, claim.epoch)
        except Fenced as error:
            stores.decisions.apply(partition, claim.epoch, 0, 0, [])  # raises Fenced if another worker came between
            raise StoresDisagree(
                f"partition {partition}: the state store knows a later epoch than the ledger gives: {error}. The "
                "ledger was restored from an older copy than the state: restore ledger, state, journal of one backup."
            ) from error
        return claim

    claim = patiently(f"partition {partition}: claiming", take, config, clocks)
    checkpoints = patiently(f"partition {partition}: loading", lambda: stores.state.load(partition, 1), config, clocks)
    newest = checkpoints[0] if checkpoints else None
    check(partition, claim, newest, journal.id, journal.earliest(partition), journal.end(partition))
    _check_logic(partition, claim, newest, logic, config)

    owned = Owned(partition, claim.epoch)
    committer = Committer(owned, claim.offset, stores, config, clocks)
    folder = folder_of(partition, newest, logic, config.merge_readings)
    _check_series(partition, folder.offset, committer.series_offset)
    folder.skipped = skipped(stores.decisions, partition)
    replay = Replay(folder, committer, alive)
    replay.run(stores, claim.offset)
    committer.follow(folder.offset, folder.time, replay.shown)
    repairs = reconcile(folder, stores, replay.needs)
    seconds = clocks.monotonic() - started
    metrics.RECOVERY_SECONDS.labels(str(partition)).set(seconds)
    log.info(
        "partition.recovered", partition=partition, epoch=claim.epoch, checkpoint=newest.offset if newest else None,
        offset=claim.offset, readings=replay.readings, seconds=round(seconds, 3),
    )  # fmt: skip
    return Recovered(owned, folder, committer, [c.offset for c in checkpoints], replay.readings, repairs)


def check(partition: int, claim: Claim, newest: Checkpoint | None, journal: str, earliest: int, end: int) -> None:
    """checkpoint <= ledger <= end of the journal, all of one journal. Raises StoresDisagree."""
    where = f"partition {partition}"
    start = newest.offset if newest else 0
    if claim.journal not in ("", journal):
        raise StoresDisagree(
            f"{where}: the ledger follows journal {claim.journal}, but this is journal {journal}. Point ULLAGE_JOURNAL "
            "to the ledger's journal, or start with an empty data folder."
        )
    if newest is not None and newest.journal != journal:
        raise StoresDisagree(
            f"{where}: the checkpoint was made from journal {newest.journal}, but this is journal {journal}. Point "
            f"ULLAGE_STATE "
            "to the state of this journal, or remove it: it is rebuilt if the journal is whole."
        )
    if claim.offset > end:
        raise StoresDisagree(
            f"{where}: the ledger knows records up to {claim.offset}, but the journal ends at {end}: it was restored "
            f"from an "
            "older copy or lost its end. Restore journal, ledger and state of the same time."
        )
    if start > claim.offset:
        raise StoresDisagree(
            f"{where}: the checkpoint is at {start}, but the ledger is at {claim.offset}: the ledger was restored "
            f"from an older "
            "copy, and what was ordered since is unknown to it. Restore the ledger's newest copy."
        )
    if start < earliest:
        what = f"the checkpoint is at {start}" if newest else "there is no checkpoint"
        raise StoresDisagree(
            f"{where}: {what}, but the journal begins at {earliest}: what lies between is gone. Restore a newer copy "
            f"of "
            "the state store (ULLAGE_STATE) or an older one of the journal."
        )


def _check_logic(partition: int, claim: Claim, newest: Checkpoint | None, logic: Logic, config: WorkerConfig) -> None:
    if newest is None or newest.logic == logic.version or newest.offset == claim.offset:
        return
    if config.accept_logic:
        log.warning("recovery.other_logic", partition=partition, checkpoint=newest.logic, running=logic.version)
        return
    raise OtherLogic(
        f"partition {partition}: version {newest.logic} of the logic made the checkpoint at {newest.offset} and "
        f"decided on to "
        f"{claim.offset}; this is version {logic.version} and might decide otherwise. Start and stop the old version "
        f"once (a clean "
        "stop leaves nothing to replay), or start with --accept-logic to go on with differences reported."
    )


def _check_series(partition: int, offset: int, series: int) -> None:
    if series < offset:
        log.error(
            "series.behind", partition=partition, series=series, checkpoint=offset,
            what="the series store was restored or emptied: its history has a gap, orders do not depend on it",
        )  # fmt: skip


def folder_of(partition: int, newest: Checkpoint | None, logic: Logic, most: int) -> Folder:
    """The state of a checkpoint, or an empty one; at most `most` readings are folded in one call."""
    sink = SeriesSink(logic.classes)
    if newest is None:
        return Folder(partition, logic.new(partition), sink, 0, 0, most)
    blocks, series = split(newest.blocks)
    try:
        fold = logic.restore(partition, newest.time, blocks)
    except ValueError as error:
        raise StoresDisagree(
            f"partition {partition}: the checkpoint at {newest.offset} cannot be read by this version: {error}. Start "
            f"the "
            "version that made it, or remove the state store (ULLAGE_STATE): it is rebuilt if the journal is whole."
        ) from error
    if series is not None:
        sink.restore(series)
    return Folder(partition, fold, sink, newest.offset, newest.time, most)


def skipped(decisions: DecisionLedger, partition: int) -> dict[int, frozenset[int]]:
    by_offset: dict[int, set[int]] = {}
    for offset, index in decisions.skipped(partition):
        by_offset.setdefault(offset, set()).add(index)
    return {offset: frozenset(indices) for offset, indices in by_offset.items()}


class Replay:
    """Fold records whose decisions the ledger has; the series gets its rows again, and what they show is written
    again: some of it may have waited when the worker died."""

    def __init__(self, folder: Folder, committer: Committer, alive: Callable[[], None]) -> None:
        self.needs: dict[tuple[int, int, int], Need] = {}
        self.shown: dict[Hashable, Shown] = {}
        self.readings = 0
        self._folder = folder
        self._committer = committer
        self._alive = alive

    def run(self, stores: Stores, until: int) -> None:
        folder = self._folder
        while folder.offset < until:
            page = min(PAGE_RECORDS, until - folder.offset)
            records = stores.journal.read(folder.partition, folder.offset, page)
            batch = folder.batch()
            folder.feed(records, batch)
            for skip in batch.skips:  # another version of the logic may stumble where the one before did not
                self._committer.set_aside(skip, batch.now)
            self.needs |= {(e.slot, e.cycle, e.attempt): e for e in batch.decisions if isinstance(e, Need)}
            self.shown |= batch.shown
            self.readings += batch.readings
            self._alive()
        self._committer.series(folder.offset, folder.sink.take())


def reconcile(folder: Folder, stores: Stores, replayed: dict[tuple[int, int, int], Need]) -> list[Decision]:
    """Compare open needs at the ledger's offset, and repair.

    What only the state has may be closed in the ledger already, its fact under way; a need of the replayed stretch is
    offered again,
    which changes nothing if the ledger ever had it. What only the ledger has is an alert: step would not close it.
    """
    partition = folder.partition
    ours, theirs = folder.fold.open_needs(), stores.decisions.open_needs(partition)
    only_state, only_ledger = sorted(ours - theirs), sorted(theirs - ours)
    label = str(partition)
    metrics.DIFFERENCES.labels(label, "state").inc(len(only_state))
    metrics.DIFFERENCES.labels(label, "ledger").inc(len(only_ledger))
    if only_state:
        log.warning("recovery.needs_only_in_state", partition=partition, needs=only_state[:20], count=len(only_state))
    if only_ledger:
        log.error("recovery.needs_only_in_ledger", partition=partition, needs=only_ledger[:20], count=len(only_ledger))
    again: list[Decision] = [replayed[key] for key in only_state if key in replayed]
    again += [
        Alert(
            "need_unknown",
            f"slot/{slot}",
            0,
            folder.time,
            f"need {slot}/{cycle}/{attempt} is open in the ledger, not in the state",
        )
        for slot, cycle, attempt in only_ledger
    ]
    return again
