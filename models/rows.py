"""Rows of records by position. numpy copies records that an index array names field by field; as plain bytes it takes
each in one go, some twenty times as fast."""

from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[Any]
"""One dimension, of a record dtype, contiguous."""


def gather(rows: Rows, at: npt.NDArray[Any]) -> Rows:
    """A copy of rows[at], for positions or a mask `at`."""
    if at.dtype == np.bool_:
        at = np.flatnonzero(at)
    taken: Rows = _bytes_of(rows).take(at, axis=0).reshape(-1).view(rows.dtype)
    return taken


def scatter(rows: Rows, at: npt.NDArray[np.int64], new: Rows) -> None:
    """rows[at] = new, for positions `at`."""
    _bytes_of(rows)[at] = _bytes_of(new)


def _bytes_of(rows: Rows) -> npt.NDArray[np.uint8]:
    return rows.view(np.uint8).reshape(len(rows), rows.dtype.itemsize)
