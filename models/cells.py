"""Cells of a table (CSV) that a spreadsheet takes for what they are."""

import csv
from collections.abc import Iterable, Mapping
from typing import Any, Final, TextIO

import msgspec

FORMULA: Final = frozenset("=+-@\t\r")
"""A text that begins with one of these would be calculated (https://owasp.org/www-community/attacks/CSV_Injection)."""


def cell(value: Any) -> str | int | float:
    """Numbers stay numbers, nothing is an empty cell, what has parts is JSON; a text never becomes a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{text}" if text[:1] in FORMULA else text


def write_rows(columns: Iterable[str], rows: Iterable[Mapping[str, Any]], to: TextIO) -> int:
    """A line of names, then the rows as CSV (RFC 4180); how many. A row without a column has an empty cell there."""
    names = list(columns)
    writer = csv.writer(to, lineterminator="\r\n")
    writer.writerow([cell(name) for name in names])
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - it is what is given back
        writer.writerow([cell(row.get(name)) for name in names])
    return count
