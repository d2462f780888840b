"""Row of an id: an open hash table of two columns, so that compiled code looks ids up without Python objects.

In plain Python the table is a dict: there, a hash by arithmetic takes five times as long.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.jit import COMPILED, entry, i64, jit

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


def _find(table: dict[int, int], key: int) -> int:
    return table.get(key, FREE)


def _enter(table: dict[int, int], new: npt.NDArray[np.int64], first: int) -> None:
    table.update(zip(new.tolist(), range(first, first + len(new)), strict=True))


if not COMPILED:
    find, enter = _find, _enter


@entry
def look_up(table: Any, key: int) -> int:
    """`find`, for Python: kept on disk."""
    return find(table, key)


def blank(keys: int) -> Any:
    """A table without keys, with room for so many."""
    if not COMPILED:
        return {}
    size = 8
    while size < 2 * keys + 2:
        size *= 2
    table = np.zeros((size, 2), np.int64)
    table[:, 1] = FREE
    return table


class Index:
    """Keys are int64 from 0 to 2^62, rows are 0, 1, 2, ... in the order of entering. 32 to 64 bytes per key."""

    __slots__ = ("count", "table")

    def __init__(self) -> None:
        self.count = 0
        self.table = blank(0)

    def get(self, key: int) -> int:
        return int(look_up(self.table, int(key)))

    def add(self, key: int) -> int:
        """Enter a key that is not there yet; its row."""
        if COMPILED and 2 * (self.count + 1) > len(self.table):
            old = self.table[self.table[:, 1] != FREE]
            self.table = blank(len(old))
            enter(self.table, old[np.argsort(old[:, 1]), 0], 0)
        enter(self.table, np.array([key], np.int64), self.count)
        self.count += 1
        return self.count - 1

    def load(self, keys: npt.NDArray[np.int64]) -> None:
        """Begin anew with these keys for rows 0, 1, 2, ..."""
        self.table = blank(len(keys))
        enter(self.table, keys, 0)
        self.count = len(keys)
