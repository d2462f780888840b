"""Row of an id: an open hash table of two columns, so that compiled code looks ids up without Python objects."""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.jit import entry, i64, jit

FREE = -1


def pair(first: int, second: int) -> int:
    """One key of two ids below 2^31."""
    return first << 31 | second


@jit
def find(table: Any, key: int) -> int:
    """Row of `key`, or -1. `table` has a power of two of places (key, row); a free place has row -1."""
    mask = len(table) - 1
    at = ((key ^ (key >> 31)) * 0x9E3779B1 >> 7) & mask
    while table[at, 1] != FREE:
        if table[at, 0] == key:
            return i64(table[at, 1])
        at = (at + 1) & mask
    return FREE


@entry
def look_up(table: Any, key: int) -> int:
    """`find`, for Python: kept on disk."""
    return find(table, key)


@entry
def enter(table: Any, new: Any, first: int) -> None:
    """Give the keys `new` the rows first, first + 1, ..."""
    mask = len(table) - 1
    for i in range(len(new)):
        key = i64(new[i])
        at = ((key ^ (key >> 31)) * 0x9E3779B1 >> 7) & mask
        while table[at, 1] != FREE:
            at = (at + 1) & mask
        table[at, 0] = key
        table[at, 1] = first + i


class Index:
    """Keys are int64 from 0 to 2^62, rows are 0, 1, 2, ... in the order of entering. 32 to 64 bytes per key."""

    __slots__ = ("count", "table")

    def __init__(self) -> None:
        self.count = 0
        self._resize(8)

    def get(self, key: int) -> int:
        return int(look_up(self.table, int(key)))

    def add(self, key: int) -> int:
        """Enter a key that is not there yet; its row."""
        if 2 * (self.count + 1) > len(self.table):
            old = self.table[self.table[:, 1] != FREE]
            self._resize(2 * len(self.table))
            enter(self.table, old[np.argsort(old[:, 1]), 0], 0)
        enter(self.table, np.array([key], np.int64), self.count)
        self.count += 1
        return self.count - 1

    def load(self, keys: npt.NDArray[np.int64]) -> None:
        """Begin anew with these keys for rows 0, 1, 2, ..."""
        size = 8
        while size < 2 * len(keys) + 2:
            size *= 2
        self._resize(size)
        enter(self.table, keys, 0)
        self.count = len(keys)

    def _resize(self, size: int) -> None:
        self.table: npt.NDArray[np.int64] = np.zeros((size, 2), np.int64)
        self.table[:, 1] = FREE
