"""From folded frames to the series: one bucket of 15 minutes per slot, closed by ticks; refills, late readings,
measures apart.

Open buckets are part of the checkpoint, so after a crash the sink goes on from the checkpoint's offset and writes the
same rows again:
each is an absolute value under its own key, a second write changes nothing, and nothing is lost or counted twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast, overload

import numpy as np
import numpy.typing as npt

from models.effects import Effect, RefillSeen
from models.frame import Frame, SupplyFlag
from models.index import FREE, Index, find
from models.jit import COMPILED, entry, f64, fingerprint, i64, jit
from models.stores import Bucket, Point
from models.units import MINUTE
from streams.worker.ports import Verdicts

WIDTH = 15 * MINUTE
CHUNK = 10_000
IGNORED, LIVE, LATE = 0, 1, 2
NO_ROW, NOT_COUNTED = FREE, -2
BUCKET = np.dtype(
    [
        ("slot", "<i8"),
        ("start", "<i8"),
        ("hash", "<i8"),
        ("readings", "<i4"),  # 0: closed; a reading up to this start is late
        ("first", "<f4"),
        ("last", "<f4"),
        ("low", "<f4"),
    ]
)
Rows = npt.NDArray[np.void]
UNKNOWN = int(SupplyFlag.UNKNOWN)


@jit
def mix(x: Any) -> Any:
    """splitmix64's finaliser, within int64: spreads (device, boot, seq) so that XOR tells sets of readings apart.

    `x`: a number, or a column in plain Python, where only numpy multiplies within int64.
    """
    x = x ^ ((x >> 30) & 0x3FFFFFFFF)
    x = x * -0x40A7B892E31B1A47
    x = x ^ ((x >> 27) & 0x1FFFFFFFFF)
    x = x * -0x6B2FB644ECCEEE15
    return x ^ ((x >> 31) & 0x1FFFFFFFF)


def _entries(code: int) -> tuple[Any, Any, Any]:  # noqa: C901  three functions, each simple
    """`code` is captured: it stands for what they call in other files (models.jit.fingerprint)."""

    @entry
    def rows_of(readings: Any, supplies: Any, classes: Any, table: Any, out: Any) -> int:
        """Of each supply the row of its slot's bucket: NO_ROW if it has none yet, NOT_COUNTED if its reading is none
        to count. How many have no row yet."""
        missing = at = 0
        for i in range(len(readings)):
            end = at + readings[i].supplies
            counts = classes[i] != IGNORED
            for k in range(at, end):
                s = supplies[k]
                out[k] = find(table, i64(s.slot)) if counts and not s.flags & UNKNOWN else NOT_COUNTED
                missing += out[k] == NO_ROW
            at = end
        return missing + 0 * code

    @entry
    def accumulate(
        readings: Any, supplies: Any, hashes: Any, classes: Any, rows: Any, opened: Any, closed: Any, late: Any
    ) -> Any:
        """Fold one frame into `opened`; buckets that end go to `closed`, (reading, supply) indices of late ones to
        `late`."""
        n_closed = n_late = at = 0
        for i in range(len(readings)):
            r = readings[i]
            ts = i64(r.ts)
            start = ts - ts % WIDTH
            for k in range(at, at + r.supplies):
                if rows[k] == NOT_COUNTED:
                    continue
                s, b = supplies[k], opened[rows[k]]
                if classes[i] == LATE or start < b.start or (start == b.start and b.readings == 0):
                    late[n_late, 0] = i
                    late[n_late, 1] = k
                    n_late += 1
                    continue
                level = 0.5 * (f64(s.low) + f64(s.high))
                if start > b.start:
                    if b.readings > 0:
                        closed[n_closed] = b
                        n_closed += 1
                    b.start = start
                    b.hash = 0
                    b.readings = 0
                    b.first = level
                    b.low = level
                b.readings += 1
                b.hash ^= hashes[i]
                b.last = level
                b.low = min(f64(b.low), level)
            at += r.supplies
        return n_closed + 0 * code, n_late

    @entry
    def hash_into(readings: Any, out: Any) -> None:
        for i in range(len(readings)):
            r = readings[i]
            out[i] = mix(mix(mix(i64(r.device)) ^ i64(r.boot)) ^ i64(r.seq)) + 0 * code

    return rows_of, accumulate, hash_into


rows_of, accumulate, hash_into = _entries(fingerprint(find) ^ fingerprint(mix))


@dataclass(slots=True)
class Rowset:
    """What waits for the store: closed buckets as arrays (turned into rows by the writing thread), points as they
    are."""

    buckets: list[Rows] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(map(len, self.buckets)) + len(self.points)

    def rows(self) -> "BucketRows":
        return BucketRows(np.concatenate(self.buckets) if self.buckets else np.zeros(0, BUCKET))


class BucketRows(Sequence[Bucket]):
    """Rows made while they are read: a quarter of an hour of a million slots is too much to hold as tuples."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Bucket: ...

    @overload
    def __getitem__(self, at: slice) -> list[Bucket]: ...

    def __getitem__(self, at: int | slice) -> Bucket | list[Bucket]:
        return list(_tuples(self._rows[at])) if isinstance(at, slice) else next(_tuples(self._rows[at : at + 1]))

    def __iter__(self) -> Iterator[Bucket]:
        for at in range(0, len(self._rows), CHUNK):
            yield from _tuples(self._rows[at : at + CHUNK])


def _tuples(rows: Rows) -> Iterator[Bucket]:
    columns = (rows[name].tolist() for name in ("slot", "start", "readings", "hash", "first", "last", "low"))
    return map(Bucket, *columns)


class SeriesSink:
    """`classes` says of each verdict of the fold whether its reading is ignored, live or late."""

    __slots__ = ("_classes", "_close_at", "_index", "_opened", "_waiting")

    def __init__(self, classes: npt.NDArray[np.uint8]) -> None:
        self._classes = classes
        self._index = Index()
        self._opened = np.zeros(8, BUCKET)
        self._close_at = 0
        self._waiting = Rowset()

    def frame(self, frame: Frame, verdicts: Verdicts) -> None:
        readings, supplies = frame.readings, frame.supplies
        classes = self._classes[verdicts]
        rows = self._rows_of(frame, classes)
        hashes = reading_hashes(readings)
        closed = np.empty(len(supplies), BUCKET)
        late = np.empty((len(supplies), 2), np.int64)
        n_closed, n_late = accumulate(readings, supplies, hashes, classes, rows, self._opened, closed, late)
        if n_closed:
            self._waiting.buckets.append(closed[:n_closed].copy())
        for i, k in late[:n_late].tolist():
            supply = supplies[k]
            level = 0.5 * (float(supply["low"]) + float(supply["high"]))
            self._waiting.points.append(
                Point(f"slot/{supply['slot']}", "late", int(readings[i]["ts"]), level, int(hashes[i]))
            )
        if len(frame.measures):
            self._measures(frame, classes, hashes)

    def effects(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, RefillSeen):
                self._waiting.points.append(
                    Point(f"slot/{effect.slot}", "refill", effect.ts, effect.level_after, effect.cycle)
                )

    def tick(self, time: int) -> None:
        """Close what has ended. One look at all open buckets per quarter of an hour."""
        if time < self._close_at:
            return
        self._close_at = (time // WIDTH + 1) * WIDTH
        ended = (self._opened["readings"] > 0) & (self._opened["start"] + WIDTH <= time)
        if ended.any():
            self._waiting.buckets.append(self._opened[ended])
            self._opened["readings"][ended] = 0

    def waiting(self) -> int:
        return len(self._waiting)

    def take(self) -> Rowset:
        taken, self._waiting = self._waiting, Rowset()
        return taken

    def snapshot(self) -> bytes:
        """Open buckets, and up to when closed ones were closed. What waits is not part of it: take it first."""
        return self._close_at.to_bytes(8, "little") + self._opened[: self._index.count].tobytes()

    def restore(self, block: bytes) -> None:
        self._close_at = int.from_bytes(block[:8], "little")
        self._opened = np.frombuffer(bytearray(block[8:]), BUCKET).copy()
        self._index = Index()
        self._index.load(self._opened["slot"].astype(np.int64))
        if not len(self._opened):
            self._opened = np.zeros(8, BUCKET)
        self._waiting = Rowset()

    def _rows_of(self, frame: Frame, classes: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        rows = np.empty(len(frame.supplies), np.int64)
        while rows_of(frame.readings, frame.supplies, classes, self._index.table, rows):
            for slot in frame.supplies["slot"][rows == NO_ROW].tolist():  # as they came, however frames were merged
                self._add(slot)
        return rows

    def _add(self, slot: int) -> None:
        if self._index.get(slot) != NO_ROW:
            return
        row = self._index.add(slot)
        if row == len(self._opened):
            self._opened = np.concatenate((self._opened, np.zeros(row, BUCKET)))
        self._opened[row]["slot"] = slot

    def _measures(self, frame: Frame, classes: npt.NDArray[np.uint8], hashes: npt.NDArray[np.int64]) -> None:
        """A reading without measures owns no rows, so a running position finds everyone's."""
        at = 0
        for i in np.flatnonzero(frame.readings["measures"]).tolist():
            reading = frame.readings[i]
            rows = frame.measures[at : at + int(reading["measures"])]
            at += len(rows)
            if classes[i] == IGNORED:
                continue
            subject, ts, key = f"device/{reading['device']}", int(reading["ts"]), int(hashes[i])
            for measure in rows:
                name = frame.names[measure["name"]]
                self._waiting.points.append(Point(subject, name, ts, float(measure["value"]), key))


def reading_hashes(readings: Rows) -> npt.NDArray[np.int64]:
    """A 64-bit hash per reading, of (device, boot, seq): what an auditor recomputes from what devices sent."""
    if not COMPILED:
        device, boot, seq = (readings[name].astype(np.int64) for name in ("device", "boot", "seq"))
        return cast("npt.NDArray[np.int64]", mix(mix(mix(device) ^ boot) ^ seq))
    out = np.empty(len(readings), np.int64)
    hash_into(readings, out)
    return out
