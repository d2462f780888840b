"""What a device says (DESIGN.md section 4), typed. Bad input is a value, `Rejected`, never an exception.

The quick way is one typed decoding with every limit in it. Whoever fails there is looked at again by `explain`, which
is slow and knows why. Two things a typed decoder does not see: duplicate keys, and what is inside unknown fields.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ingest.explain import explain
from ingest.limits import MAX_BYTES, MAX_DEPTH, MAX_INTEGER, MAX_ITEMS, MAX_UNIT, Rejected

_Level = Annotated[float, Meta(ge=0, le=1)]
# msgspec 0.22 crashes on a constrained float in a union with a fixed tuple: hence a list of length 2.
_Interval = Annotated[list[_Level], Meta(min_length=2, max_length=2)]
_Number = Annotated[float, Meta(ge=-float(MAX_INTEGER), le=float(MAX_INTEGER))]
_Amount = Annotated[float, Meta(ge=0, le=float(MAX_INTEGER))]
_Count = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
_Short = Annotated[str, Meta(max_length=64)]
_Unit = Annotated[str, Meta(max_length=MAX_UNIT)]


class Supply(Struct, frozen=True, gc=False):
    level: _Level | _Interval | UnsetType = UNSET  # 0..1
    remaining: _Amount | UnsetType = UNSET
    unit: _Unit | UnsetType = UNSET
    state: _Short | UnsetType = UNSET


class Measure(Struct, frozen=True, gc=False):
    value: _Number
    unit: _Unit = ""


class Reading(Struct, gc=False):
    v: Literal[1] | UnsetType = UNSET
    ts: Annotated[datetime, Meta(tz=True)] | UnsetType = UNSET
    age_s: _Amount | UnsetType = UNSET
    boot: _Short | _Count | UnsetType = UNSET
    seq: _Count | UnsetType = UNSET
    account: str | UnsetType = UNSET
    device: str | UnsetType = UNSET
    supplies: Annotated[dict[str, Supply], Meta(max_length=MAX_ITEMS)] | UnsetType = UNSET
    counters: Annotated[dict[str, _Count], Meta(max_length=MAX_ITEMS)] | UnsetType = UNSET
    measures: Annotated[dict[str, Measure], Meta(max_length=MAX_ITEMS)] | UnsetType = UNSET
    signals: Annotated[list[str], Meta(max_length=MAX_ITEMS)] | UnsetType = UNSET


_DIGITS = b"0123456789.+-"
_MAX_SHAPE = 2_048

_typed = msgspec.json.Decoder(Reading).decode
_untyped = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Decoder:
    """Decodes one sender's JSON readings; names are checked where they are resolved (ingest/frames.py).

    It remembers the shape of the last message that was found sound, because the next one nearly always has the same:
    its bytes without digits, signs and points. A message of the same shape has the same keys but for digits in them.
    When its dicts have as many entries in all, no key of it comes twice, it has no escapes and it is not nested deeper.
    (Only messages without unknown fields are remembered: "level2" must not stand in for a second "level".)
    """

    __slots__ = ("_entries", "_shape")

    def __init__(self) -> None:
        self._shape = b""
        self._entries = 0

    def __call__(self, raw: bytes) -> Reading | Rejected:
        if len(raw) > MAX_BYTES:
            return Rejected("too_large", f"the message has {len(raw)} bytes: at most {MAX_BYTES}")
        try:
            reading = _typed(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return explain(raw) or Rejected("invalid", str(error))
        entries = len(reading.supplies or ()) + len(reading.counters or ()) + len(reading.measures or ())
        shape = raw.translate(None, _DIGITS)
        if shape == self._shape and entries == self._entries:
            return reading
        return self._look_closer(raw, reading, shape, entries)

    def _look_closer(self, raw: bytes, reading: Reading, shape: bytes, entries: int) -> Reading | Rejected:
        if not entries and not reading.signals:
            return Rejected("empty", "the message has none of supplies, counters, measures, signals")
        if (
            raw.count(b":") == _encode(reading).count(b":")
            and b"\\" not in raw
            # "+0100" is encoded with one colon more, which could hide a duplicate
            and (reading.ts is UNSET or reading.ts.tzinfo is UTC)
        ):
            if len(shape) <= _MAX_SHAPE:
                self._shape, self._entries = shape, entries
            return reading
        return _check_rest(raw) or reading


def decode(raw: bytes) -> Reading | Rejected:
    """One JSON reading of an unknown sender."""
    return Decoder()(raw)


def _check_rest(raw: bytes) -> Rejected | None:
    """Duplicate keys, depth and NUL in a message that has more than the typed decoder saw.

    Without escapes a text has a duplicate key exactly when decoding and encoding it again loses a colon.
    """
    if b"\\" not in raw:
        try:
            everything = _untyped(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return explain(raw)
        if raw.count(b":") == _encode(everything).count(b":") and raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
            return None
    return explain(raw)
