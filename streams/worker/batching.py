"""Records to batches: consecutive frames are folded in one call, and effects of consecutive records go to the ledger
together."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from journal import codec
from journal.merge import merge_frames
from models.effects import Effect
from models.frame import Frame
from models.records import AnyRecord, Tick
from models.stores import Record, StoreError
from streams.worker import poison
from streams.worker.ports import Fold, Outcome
from streams.worker.series_sink import SeriesSink

log = structlog.get_logger(__name__)
NONE: frozenset[int] = frozenset()


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
    """A tick or a fact failed; leaving it out would change what follows."""


@dataclass(slots=True)
class Unit:
    """Consecutive records that are folded in one call: frames, or one other record."""

    records: list[Record]
    record: AnyRecord | None  # None: the bytes are damaged
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which records caused the effects from number `first` on."""

    first: int
    records: Sequence[Record]


@dataclass(slots=True)
class Batch:
    """What records below `through` decided and the ledger does not know yet."""

    partition: int
    through: int
    now: int
    effects: list[Effect] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    skips: list[poison.Skip] = field(default_factory=list)
    records: int = 0
    readings: int = 0
    ticks: int = 0

    def origin(self, effect: int) -> Origin:
        return next(o for o in reversed(self.origins) if o.first <= effect)


def units(records: Sequence[Record], alone: Collection[int], most: int) -> Iterator[Unit]:
    """Group consecutive frames up to `most` readings; records at offsets `alone` are not merged.

    Raises UnknownVersion: a newer Ullage wrote the record."""
    frames: list[Frame] = []
    raw: list[Record] = []
    readings = 0
    for record in records:
        decoded, reason = _decoded(record)
        single = not isinstance(decoded, Frame) or record.offset in alone
        if raw and (single or readings + len(decoded) > most):  # type: ignore[arg-type]  # not single: a frame
            yield Unit(raw, _merged(frames))
            frames, raw, readings = [], [], 0
        if single:
            yield Unit([record], decoded, reason)
        else:
            frames.append(decoded)  # type: ignore[arg-type]
            raw.append(record)
            readings += len(decoded)  # type: ignore[arg-type]
    if raw:
        yield Unit(raw, _merged(frames))


def _decoded(record: Record) -> tuple[AnyRecord | None, str]:
    try:
        return codec.decode(record.value), ""
    except codec.UnknownVersion:
        raise
    except codec.DamagedRecord as error:
        return None, str(error)


def _merged(frames: list[Frame]) -> Frame:
    return frames[0] if len(frames) == 1 else merge_frames(frames)


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
        if record is None:
            if -1 not in skipped:
                batch.skips.append(
                    poison.skip_record(offset, unit.records[0].value, None, "damaged_record", unit.reason)
                )
            return
        try:
            if isinstance(record, Frame) and len(unit.records) > 1:
                outcome = self.fold.step_merged(offset, record)
            else:
                outcome = self.fold.step(offset, record, skipped)
        except Exception as error:  # noqa: BLE001  whatever it is: the state is as it was, and the cause is set aside
            self._poison(unit, record, error, batch)
        else:
            self._took(unit.records, record, outcome, batch)
        if isinstance(record, Frame):
            batch.readings += len(record)
        elif isinstance(record, Tick):
            batch.ticks += 1
            self.time = max(self.time, record.time)
            self.sink.tick(self.time)

    def _took(self, records: Sequence[Record], record: AnyRecord, outcome: Outcome, batch: Batch) -> None:
        effects = list(outcome.effects)
        if isinstance(record, Frame):
            self.sink.frame(record, outcome.verdicts)
        if effects:
            self.sink.effects(effects)
            batch.origins.append(Origin(len(batch.effects), records))
            batch.effects += effects

    def _poison(self, unit: Unit, record: AnyRecord, error: Exception, batch: Batch) -> None:
        first = unit.records[0]
        log.error(
            "record.poison",
            partition=self.partition,
            offset=first.offset,
            until=unit.records[-1].offset,
            error=repr(error),
        )
        if not poison.may_leave_out(record):
            raise PoisonTick(
                f"partition {self.partition}: the {type(record).__name__} at offset {first.offset} cannot be applied: "
                f"{error!r}. "
                "Nothing was lost; this is a defect of this version: install a version that can."
            ) from error
        if not isinstance(record, Frame):
            batch.skips.append(poison.skip_record(first.offset, first.value, record, "poison_record", repr(error)))
            return
        for one in unit.records:
            frame = codec.decode(one.value)
            assert isinstance(frame, Frame)  # noqa: S101  it was decoded as one a moment ago
            for piece in poison.isolate(self.fold, one.offset, frame, self.skipped.get(one.offset, NONE)):
                if isinstance(piece, poison.Skip):
                    batch.skips.append(piece)
                else:
                    self._took([one], piece[0], piece[1], batch)
