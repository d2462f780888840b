"""Records to batches: consecutive frames are folded in one call, and effects of consecutive records go to the ledger
together."""

from collections.abc import Container, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import structlog

from journal import codec
from journal.merge import decode_merged
from models.effects import Decision, Effect, Shown, SlotView, UsageBooked
from models.frame import Frame
from models.records import AnyRecord, Kind, Tick
from models.stores import Record, Skip, StoreError
from streams.worker import poison
from streams.worker.aside import with_bytes
from streams.worker.ports import Fold, Outcome
from streams.worker.series_sink import SeriesSink

log = structlog.get_logger(__name__)
NONE: frozenset[int] = frozenset()
FRAME = bytes((Kind.FRAME,))
BAD_TICKS = 10


class OffsetGap(StoreError):
    """The journal's next record is not the one that the state expects."""

    def __init__(self, partition: int, expected: int, came: int) -> None:
        super().__init__(
            f"partition {partition}: record {expected} is next, but {came} came. Retention passed this worker, the "
            f"journal "
            "was created anew, or one store was restored without the others. Restore journal, ledger and state of the "
            "same time."
        )


class PoisonTick(StoreError):
    """Tick after tick fails: leaving them out would decide nothing any more, and nobody would notice."""

    def __init__(self, partition: int, offset: int, error: Exception) -> None:
        super().__init__(
            f"partition {partition}: {BAD_TICKS} ticks in a row could not be applied, and neither could that at offset "
            f"{offset}: {error!r}. Nothing was lost; this is a defect of this version: install one that can."
        )


@dataclass(slots=True)
class Unit:
    """Consecutive records that are folded in one call: frames, or one other record."""

    records: Sequence[Record]
    record: AnyRecord | None  # None: the bytes are damaged
    counts: tuple[int, ...] = ()  # how many readings each frame brought
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which records decided from number `first` on."""

    first: int
    records: Sequence[Record]


@dataclass(slots=True)
class Batch:
    """What records below `through` decided and the ledger does not know yet."""

    partition: int
    through: int
    now: int
    decisions: list[Decision] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    shown: dict[Hashable, Shown] = field(default_factory=dict)
    """Of each slot the newest view, of each of its days the newest total: both are absolute."""
    skips: list[Skip] = field(default_factory=list)
    records: int = 0
    readings: int = 0
    ticks: int = 0

    def take(self, effects: Sequence[Effect], records: Sequence[Record]) -> None:
        """What `records` decided."""
        first = len(self.decisions)
        for effect in effects:
            if isinstance(effect, SlotView):
                self.shown[effect.slot] = effect
            elif isinstance(effect, UsageBooked):
                self.shown[effect.slot, effect.day] = effect
            else:
                self.decisions.append(effect)
        if len(self.decisions) > first:
            self.origins.append(Origin(first, records))


def units(records: Sequence[Record], alone: Container[int], most: int) -> Iterator[Unit]:
    """Group consecutive frames up to `most` readings; records at offsets `alone` are not merged.

    Raises UnknownVersion: a newer Ullage wrote the record."""
    run: list[Record] = []
    readings = 0
    for record in records:
        count = frame_length(record.value)
        single = count < 0 or record.offset in alone
        if run and (single or readings + count > most):
            yield from _merged(run)
            run, readings = [], 0
        if single:
            yield _single(record)
        else:
            run.append(record)
            readings += count
    if run:
        yield from _merged(run)


def frame_length(value: bytes) -> int:
    """How many readings the frame says to have; -1 if it is another record."""
    return int.from_bytes(value[2:4], "little") if value[:1] == FRAME else -1


def _single(record: Record) -> Unit:
    try:
        decoded = codec.decode(record.value)
    except codec.UnknownVersion:
        raise
    except codec.DamagedRecord as error:
        return Unit([record], None, reason=str(error))
    return Unit([record], decoded)


def _merged(run: list[Record]) -> Iterator[Unit]:
    if len(run) > 1:
        values = [record.value for record in run]
        try:
            yield Unit(run, decode_merged(values), tuple(map(frame_length, values)))
        except codec.UnknownVersion:
            raise
        except codec.DamagedRecord:  # one of them: it is found by itself
            pass
        else:
            return
    yield from map(_single, run)


class Folder:
    """One partition's fold, its series sink and the offset that both have reached."""

    def __init__(self, partition: int, fold: Fold, sink: SeriesSink, offset: int, time: int, most: int) -> None:
        self.partition = partition
        self.fold = fold
        self.sink = sink
        self.offset = offset
        self.time = time
        self.skipped: Mapping[int, frozenset[int]] = {}
        self._most = most
        self._bad_ticks = 0

    def batch(self) -> Batch:
        return Batch(self.partition, self.offset, self.time)

    def feed(self, records: Sequence[Record], batch: Batch) -> None:
        """Fold consecutive records; what they decided is added to `batch`. Raises OffsetGap, PoisonTick,
        UnknownVersion."""
        for expected, record in enumerate(records, self.offset):
            if record.offset != expected:
                raise OffsetGap(self.partition, expected, record.offset)
        for unit in units(records, self.skipped, self._most):
            self._unit(unit, batch)
            self.offset = unit.records[-1].offset + 1
            batch.through, batch.now = self.offset, self.time
            batch.records += len(unit.records)

    def _unit(self, unit: Unit, batch: Batch) -> None:
        offset, record = unit.records[-1].offset, unit.record
        skipped = self.skipped.get(offset, NONE)
        if -1 in skipped:
            return
        if record is None:
            batch.skips.append(poison.skip_record(offset, unit.records[0].value, None, "damaged_record", unit.reason))
            return
        try:
            if len(unit.records) > 1:
                outcome = self.fold.step_merged(offset, cast("Frame", record), unit.counts)
            else:
                outcome = self.fold.step(offset, record, skipped)
        except Exception as error:  # noqa: BLE001  whatever it is: the state is as it was, and the cause is set aside
            self._poison(unit, record, error, batch)
            return
        self._took(unit.records, record, outcome, batch)
        if isinstance(record, Tick):
            self._bad_ticks = 0
            batch.ticks += 1
            self.time = max(self.time, record.time)
            self.sink.tick(self.time)

    def _took(self, records: Sequence[Record], record: AnyRecord, outcome: Outcome, batch: Batch) -> None:
        effects = with_bytes(outcome.effects, record) if isinstance(record, Frame) else list(outcome.effects)
        if isinstance(record, Frame) and outcome.verdicts is not None:
            batch.readings += len(record)
            self.sink.frame(record, outcome.verdicts)
        if effects:
            self.sink.effects(effects)
            batch.take(effects, records)

    def _poison(self, unit: Unit, record: AnyRecord, error: Exception, batch: Batch) -> None:
        first = unit.records[0]
        log.error(
            "record.poison",
            partition=self.partition,
            offset=first.offset,
            until=unit.records[-1].offset,
            error=repr(error),
        )
        if not isinstance(record, Frame):
            self._bad_ticks += isinstance(record, Tick)
            if self._bad_ticks > BAD_TICKS:
                raise PoisonTick(self.partition, first.offset, error) from error
            batch.skips.append(poison.skip_record(first.offset, first.value, record, "poison_record", repr(error)))
            return
        for one in unit.records:
            frame = cast("Frame", codec.decode(one.value))
            for piece in poison.isolate(self.fold, one.offset, frame, self.skipped.get(one.offset, NONE)):
                if isinstance(piece, Skip):
                    batch.skips.append(piece)
                else:
                    self._took([one], piece[0], piece[1], batch)
