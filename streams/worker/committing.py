"""What a batch decided goes to the ledger, in journal order, from a thread: skips first, then effects and offset in
one transaction."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar

import structlog

from journal import codec
from models.effects import Alert, Effect, Quarantined, RefillSeen, SlotView, UnmappedSeen, UsageBooked
from models.frame import Frame
from models.records import AnyRequest
from models.stores import BadEffect, Unavailable
from streams.worker import metrics, poison
from streams.worker.batching import Batch, Origin
from streams.worker.config import WorkerConfig
from streams.worker.ports import Clocks, Stores
from streams.worker.series_sink import Rowset

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
        self.series_offset = stores.series.offset(owned.partition)
        self._owned = owned
        self._stores = stores
        self._config = config
        self._clocks = clocks
        self._label = str(owned.partition)
        self._advanced = clocks.monotonic()

    def commit(self, batch: Batch) -> None:
        """Raises Fenced, Unavailable, Rewind."""
        for skip in batch.skips:
            self.set_aside(skip)
        coalesce(batch)
        late = self._clocks.monotonic() - self._advanced >= self._config.position_interval
        if batch.effects or late or (batch.ticks and self._due(batch.now)):
            self.advance(batch)

    def advance(self, batch: Batch) -> None:
        """Bring the ledger to the batch's end, with its effects if it has any."""
        if batch.through <= self.offset:
            return
        while True:
            started = self._clocks.monotonic()
            try:
                self._apply(batch)
                break
            except BadEffect as error:
                self._refused(batch, error)
        metrics.COMMIT_SECONDS.labels(self._label).observe(self._clocks.monotonic() - started)
        metrics.EFFECTS.labels(self._label).inc(len(batch.effects))
        metrics.OFFSET.labels(self._label).set(batch.through)
        self.offset = batch.through
        self._advanced = self._clocks.monotonic()

    def series(self, through: int, rows: Rowset) -> None:
        """Write everything that records below `through` gave; what the store has from before is not written again.

        Raises Unavailable."""
        if through > self.series_offset:
            write = self._stores.series.write
            self._patiently("writing series", lambda: write(self._owned.partition, through, rows.rows(), rows.points))
            self.series_offset = through

    def _due(self, now: int) -> bool:
        return self._patiently(
            "asking for due rows", lambda: self._stores.decisions.has_due(self._owned.partition, now)
        )

    def _apply(self, batch: Batch) -> None:
        partition, epoch = self._owned.partition, self._owned.epoch
        apply = self._stores.decisions.apply
        self._patiently("writing decisions", lambda: apply(partition, epoch, batch.through, batch.now, batch.effects))

    def set_aside(self, skip: poison.Skip) -> None:
        write = self._stores.decisions.skip
        partition, epoch = self._owned.partition, self._owned.epoch
        self._patiently(
            "setting a reading aside",
            lambda: write(partition, epoch, skip.offset, skip.index, skip.device, skip.code, skip.reason, skip.raw),
        )
        metrics.QUARANTINED.labels(self._label).inc()
        log.error(
            "reading.set_aside", partition=partition, offset=skip.offset, index=skip.index, device=skip.device,
            code=skip.code, reason=skip.reason,
        )  # fmt: skip

    def _refused(self, batch: Batch, error: BadEffect) -> None:
        """Leave out the reading or request behind a bad effect and rewind; of a tick or a fact drop the effect, with
        an alert."""
        effect = batch.effects[error.index]
        log.error("effect.refused", partition=self._owned.partition, effect=repr(effect), reason=error.reason)
        skip = cause_of(effect, batch.origin(error.index), error.reason)
        if skip is not None:
            self.set_aside(skip)
            raise Rewind(f"record {skip.offset} reading {skip.index}: {error.reason}")
        metrics.QUARANTINED.labels(self._label).inc()
        if isinstance(effect, Alert):
            del batch.effects[error.index]
            batch.origins = [Origin(o.first - (o.first > error.index), o.records) for o in batch.origins]
        else:
            subject = f"slot/{slot}" if (slot := getattr(effect, "slot", 0)) else f"partition/{self._owned.partition}"
            text = f"{type(effect).__name__} could not be written: {error.reason}"
            batch.effects[error.index] = Alert("effect_refused", subject, getattr(effect, "site", 0), batch.now, text)

    def _patiently(self, what: str, call: Callable[[], _T]) -> _T:
        return patiently(f"partition {self._owned.partition}: {what}", call, self._config, self._clocks)


def coalesce(batch: Batch) -> None:
    """Of each slot only the last view, of each day only the last total: both are absolute, and a worker that is behind
    has many.

    Order and causes of the rest stay."""
    last: dict[Hashable, int] = {}
    superseded = set()
    for i, effect in enumerate(batch.effects):
        if isinstance(effect, SlotView):
            key: Hashable = effect.slot
        elif isinstance(effect, UsageBooked):
            key = (effect.slot, effect.day)
        else:
            continue
        if key in last:
            superseded.add(last[key])
        last[key] = i
    if superseded:
        before = list(accumulate((i in superseded for i in range(len(batch.effects))), initial=0))
        batch.effects = [effect for i, effect in enumerate(batch.effects) if i not in superseded]
        batch.origins = [Origin(o.first - before[o.first], o.records) for o in batch.origins]


def cause_of(effect: Effect, origin: Origin, reason: str) -> poison.Skip | None:
    """The reading or request that caused an effect; None if time or a fact did."""
    for record in origin.records:
        decoded = codec.decode(record.value)
        if isinstance(decoded, AnyRequest):
            return poison.skip_record(record.offset, record.value, 0, "bad_effect", reason)
        if not isinstance(decoded, Frame):
            return None
        index = _reading(effect, decoded)
        if index is not None:
            one = poison.cut(decoded, index, index + 1)
            return poison.skip_reading(record.offset, index, one, "bad_effect", reason)
    return None


def _reading(effect: Effect, frame: Frame) -> int | None:
    for i, reading in enumerate(frame.readings):
        if isinstance(effect, RefillSeen | Quarantined):
            if (effect.boot, effect.seq) != (int(reading["boot"]), int(reading["seq"])):
                continue
            if isinstance(effect, Quarantined):
                if effect.device == int(reading["device"]):
                    return i
            elif effect.slot in poison.cut(frame, i, i + 1).supplies["slot"].tolist():
                return i
        elif isinstance(effect, UnmappedSeen) and (effect.device, effect.ts) == (
            int(reading["device"]),
            int(reading["ts"]),
        ):
            return i
    return None
