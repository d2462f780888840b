"""Row of an id: an open hash table of two columns, so that compiled code looks ids up without Python objects."""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.jit import entry, i64

FREE = -1


def pair(first: int, second: int) -> int:
    """One key of two ids below 2^31."""
    return first << 31 | second


@entry
def find(keys: Any, rows: Any, key: int) -> int:
    """Row of `key`, or -1. The columns' length is a power of two; a free place holds row -1."""
    mask = len(keys) - 1
    at = ((key ^ (key >> 31)) * 0x9E3779B1 >> 7) & mask
    while rows[at] != FREE:
        if keys[at] == key:
            return i64(rows[at])
        at = (at + 1) & mask
    return FREE


@entry
def enter(keys: Any, rows: Any, new: Any, first: int) -> None:
    """Give the keys `new` the rows first, first + 1, ..."""
    mask = len(keys) - 1
    for i in range(len(new)):
        key = i64(new[i])
        at = ((key ^ (key >> 31)) * 0x9E3779B1 >> 7) & mask
        while rows[at] != FREE:
            at = (at + 1) & mask
        keys[at] = key
        rows[at] = first + i


class Index:
    """Keys are int64 from 0 to 2^62, rows are 0, 1, 2, ... in the order of entering. 24 to 48 bytes per key."""

    __slots__ = ("count", "keys", "rows")

    def __init__(self) -> None:
        self.count = 0
        self._resize(8)

    def get(self, key: int) -> int:
        return int(find(self.keys, self.rows, key))

    def add(self, key: int) -> int:
        """Enter a key that is not there yet; its row."""
        if 2 * (self.count + 1) > len(self.keys):
            old, rows = self.keys, self.rows
            taken = rows != FREE
            order = np.argsort(rows[taken])
            self._resize(2 * len(old))
            enter(self.keys, self.rows, old[taken][order], 0)
        enter(self.keys, self.rows, np.array([key], np.int64), self.count)
        self.count += 1
        return self.count - 1

    def load(self, keys: npt.NDArray[np.int64]) -> None:
        """Begin anew with these keys for rows 0, 1, 2, ..."""
        size = 8
        while size < 2 * len(keys) + 2:
            size *= 2
        self._resize(size)
        enter(self.keys, self.rows, keys, 0)
        self.count = len(keys)

    def _resize(self, size: int) -> None:
        self.keys = np.zeros(size, np.int64)
        self.rows = np.full(size, FREE, np.int32)
