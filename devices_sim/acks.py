"""What was acknowledged: an append-only file, fsynced in batches, folded into ranges when it grows.

A record is 20 bytes: device index (u32), boot (u64), seq (u64), little-endian. A torn record at the end is ignored.
After FOLD_AT records the ranges go to a second file (index, boot, first, last), renamed into place, and the log starts
anew; records that are in both are harmless.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

RECORD = struct.Struct("<IQQ")
SPAN = struct.Struct("<IQQQ")
FOLD_AT = 1_000_000


class Ranges:
    """A set of integers as sorted, disjoint, closed ranges; cheap when they come mostly in order."""

    __slots__ = ("spans",)

    def __init__(self, spans: list[list[int]] | None = None) -> None:
        self.spans = spans or []

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.spans)

    def __contains__(self, number: int) -> bool:
        return any(first <= number <= last for first, last in reversed(self.spans))

    def add(self, number: int) -> bool:
        """Add a number; False if it was there."""
        spans = self.spans
        at = len(spans)
        while at and spans[at - 1][0] > number:
            at -= 1
        if at and spans[at - 1][1] >= number:
            return False
        left = at > 0 and spans[at - 1][1] == number - 1
        right = at < len(spans) and spans[at][0] == number + 1
        if left and right:
            spans[at - 1][1] = spans[at][1]
            del spans[at]
        elif left:
            spans[at - 1][1] = number
        elif right:
            spans[at][0] = number
        else:
            spans.insert(at, [number, number])
        return True


class AckLog:
    """Acknowledged (device, boot, seq). `write` and `sync` append; `ranges` is everything that is on record."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ranges = load(path)
        self._waiting = bytearray()
        self._records = path.stat().st_size // RECORD.size if path.exists() else 0
        whole = self._records * RECORD.size
        self._file = path.open("r+b" if path.exists() else "w+b", buffering=0)
        self._file.truncate(whole)
        self._file.seek(whole)

    def _fold(self, device: int, boot: int, seq: int) -> bool:
        found = self.ranges.get((device, boot))
        if found is None:
            found = self.ranges[device, boot] = Ranges()
        return found.add(seq)

    def add(self, device: int, boot: int, seq: int) -> bool:
        """Note an acknowledgement; False if this reading had one before (a duplicate)."""
        fresh = self._fold(device, boot, seq)
        if fresh:
            self._waiting += RECORD.pack(device, boot, seq)
        return fresh

    def write(self) -> bool:
        """Hand what waits to the operating system; True if there was something."""
        if not self._waiting:
            return False
        waiting, self._waiting = self._waiting, bytearray()
        self._file.write(waiting)
        self._records += len(waiting) // RECORD.size
        if self._records >= FOLD_AT:
            self._shorten()
        return True

    def _shorten(self) -> None:
        rows = [(*key, *span) for key, ranges in self.ranges.items() for span in ranges.spans]
        temporary = spans_path(self.path).with_suffix(".new")
        with temporary.open("wb") as file:
            file.write(b"".join(SPAN.pack(*row) for row in rows))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(spans_path(self.path))
        self._file.truncate(0)
        self._file.seek(0)
        self._records = 0

    def sync(self) -> None:
        """fsync; safe to call in another thread than `write`."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self.write()
        self.sync()
        self._file.close()


def spans_path(path: Path) -> Path:
    return path.with_suffix(".ranges")


def load(path: Path) -> dict[tuple[int, int], Ranges]:
    """Everything on record at `path`: (device index, boot) -> ranges of seq."""
    ranges: dict[tuple[int, int], Ranges] = {}
    for device, boot, first, last in _records(spans_path(path), SPAN):
        ranges.setdefault((device, boot), Ranges()).spans.append([first, last])
    for device, boot, seq in _records(path, RECORD):
        ranges.setdefault((device, boot), Ranges()).add(seq)
    return ranges


def _records(path: Path, record: struct.Struct) -> Iterator[tuple[int, ...]]:
    if not path.exists():
        return
    with path.open("rb") as file:
        while len(block := file.read(record.size * 4_096)) >= record.size:
            yield from record.iter_unpack(block[: len(block) // record.size * record.size])
