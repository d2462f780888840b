"""Rows as text: CSV (RFC 4180) or JSON lines."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TextIO

import msgspec

from models.cells import write_rows

_encode = msgspec.json.Encoder(enc_hook=str).encode


def write_lines(rows: Iterable[dict[str, Any]], to: TextIO) -> int:
    """One JSON object a line; how many."""
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - it is what is given back
        to.write(_encode(row).decode() + "\n")
    return count


def write_table(rows: Callable[[], Iterator[dict[str, Any]]], to: TextIO) -> int:
    """A line of names, then the rows; how many. `rows` is called twice: first to see which columns there are."""
    columns: dict[str, None] = {}
    for row in rows():
        columns |= dict.fromkeys(row)
    return write_rows(columns, rows(), to)
