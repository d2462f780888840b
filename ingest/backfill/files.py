"""Lines of a file as messages: JSON lines as devices send them, or a table (CSV) with a column per supply.

Both give JSON messages with `account` and `device`; what is wrong in a line is said of this line.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from ingest.limits import Rejected
from models.stores import StoreError

FIRST: Final = ("account", "device", "ts")
KINDS: Final = ("supply", "counter", "measure")
_INTERVAL: Final = re.compile(r"([0-9.]+)\.\.([0-9.]+)")
_AMOUNT: Final = re.compile(r"([0-9.]+) +(\S+)")
_NUMBER: Final = re.compile(r"-?[0-9.]+(?:[eE][+-]?[0-9]+)?")

_encode = msgspec.json.Encoder().encode


class BadFile(StoreError):
    """The file as a whole cannot be imported."""


class Line(NamedTuple):
    number: int  # in the file, from 1
    message: bytes | Rejected


def lines_of(path: Path) -> Iterator[Line]:
    """By the file's ending: .csv, or .jsonl, .ndjson, .json. Raises BadFile, OSError."""
    ending = path.suffix.lower()
    if ending == ".csv":
        return _of_table(path)
    if ending in {".jsonl", ".ndjson", ".json"}:
        return _of_json(path)
    raise BadFile(f"{path}: what it holds is told by its ending: .csv or .jsonl")


def _of_json(path: Path) -> Iterator[Line]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield Line(number, line.strip())


def _of_table(path: Path) -> Iterator[Line]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file)
        columns = next(rows, [])
        _check(path, columns)
        try:
            for cells in rows:
                if any(cells):
                    yield Line(rows.line_num, _message(columns, cells))
        except (csv.Error, UnicodeDecodeError) as error:
            raise BadFile(f"{path}, line {rows.line_num}: {error}") from error


def _check(path: Path, columns: list[str]) -> None:
    if missing := [name for name in FIRST if name not in columns]:
        raise BadFile(f"{path}: the first line names the columns, and {', '.join(missing)} is not among them")
    for name in columns:
        kind, dot, rest = name.partition(".")
        if name not in FIRST and not (kind in KINDS and dot and rest):
            raise BadFile(f"{path}: column {name!r}: use {', '.join(FIRST)}, supply.NAME, counter.NAME, measure.NAME")
    if len(set(columns)) < len(columns):
        raise BadFile(f"{path}: a column is there twice")


def _message(columns: list[str], cells: list[str]) -> bytes | Rejected:
    if len(cells) != len(columns):
        return Rejected("invalid", f"{len(cells)} cells, the first line has {len(columns)}")
    message: dict[str, Any] = {}
    for name, text in zip(columns, map(str.strip, cells), strict=True):
        if not text:
            continue
        kind, _, rest = name.partition(".")
        if name in FIRST:
            message[name] = text
        elif kind == "supply":
            message.setdefault("supplies", {})[rest] = _supply(text)
        elif not _NUMBER.fullmatch(text):
            return Rejected("invalid", f"{name}: {text!r} is no number")
        elif kind == "counter":
            message.setdefault("counters", {})[rest] = int(float(text)) if float(text).is_integer() else float(text)
        else:
            message.setdefault("measures", {})[rest] = {"value": float(text)}
    return _encode(message)


def _supply(text: str) -> dict[str, Any]:
    """`0.42`, `0.1..0.25`, `830 g`, or a word such as `low`."""
    if bounds := _INTERVAL.fullmatch(text):
        return {"level": [_float(bounds[1]), _float(bounds[2])]}
    if amount := _AMOUNT.fullmatch(text):
        return {"remaining": _float(amount[1]), "unit": amount[2]}
    if _NUMBER.fullmatch(text):
        return {"level": _float(text)}
    return {"state": text}


def _float(text: str) -> float | str:
    """What is no number after all stays as it is, to be refused with its words."""
    try:
        return float(text)
    except ValueError:
        return text
