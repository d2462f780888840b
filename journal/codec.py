"""Journal records as bytes: 1 byte kind, 1 byte version, payload.

A frame's payload, little endian: the rest of a 24-byte header (u2 readings, u4 each of supplies, counters, measures,
signals and bytes of names), then the packed blocks of models.frame in that order, then the names as a msgpack list.
Header and rows are multiples of 8 bytes, so every block is aligned. Facts, requests, refused input and ticks are
msgpack (https://msgpack.org), facts and requests tagged.
"""

import struct
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from models.facts import AnyFact
from models.frame import COUNTER, MAX_BYTES, MAX_READINGS, MEASURE, READING, SIGNAL, SUPPLY, Frame
from models.records import AnyRecord, AnyRequest, Kind, Refused, Tick
from models.stores import StoreError

VERSION = 1
FACT_HEADER = bytes((Kind.FACT, VERSION))  # before the msgpack of a fact that was packed elsewhere (the outbox)
REQUEST_HEADER = bytes((Kind.REQUEST, VERSION))
HEADER = struct.Struct("<BBHIIIII")
BLOCKS = (READING, SUPPLY, COUNTER, MEASURE, SIGNAL)
SIZES = tuple(dtype.itemsize for dtype in BLOCKS)
COUNTS = tuple(  # where a reading says how many rows of each block it owns: (block, offset in bytes)
    (name, field[1]) for name, field in (READING.fields or {}).items() if name in Frame.__dataclass_fields__
)


class TooLarge(StoreError):
    """A frame holds more than a record may."""


class DamagedRecord(StoreError):
    """The bytes are no record."""


class UnknownVersion(DamagedRecord):
    """The record was written by a newer version of Ullage."""


_encoder = msgspec.msgpack.Encoder()
_names = msgspec.msgpack.Decoder(tuple[str, ...])
_payloads: dict[int, msgspec.msgpack.Decoder[Any]] = {
    Kind.FACT: msgspec.msgpack.Decoder(AnyFact),
    Kind.REQUEST: msgspec.msgpack.Decoder(AnyRequest),
    Kind.TICK: msgspec.msgpack.Decoder(Tick),
    Kind.REFUSED: msgspec.msgpack.Decoder(Refused),
}


def encode_frame(frame: Frame) -> bytes:
    """Raises TooLarge above 500 readings or 256 KiB, ValueError when columns and counts do not match."""
    columns = (frame.readings, frame.supplies, frame.counters, frame.measures, frame.signals)
    for column, dtype in zip(columns, BLOCKS, strict=True):
        if column.dtype != dtype or column.ndim != 1:
            raise ValueError(f"a frame's column is {column.dtype}, not one row each of {dtype}")
    return join_frame([column.tobytes() for column in columns], frame.names)


def join_frame(blocks: Sequence[bytes], names: tuple[str, ...]) -> bytes:
    """The record of a frame whose rows are packed already: readings, supplies, counters, measures, signals.

    Raises TooLarge above 500 readings or 256 KiB, ValueError when blocks and counts do not match."""
    rows = [len(block) // size for block, size in zip(blocks, SIZES, strict=True)]
    if rows[0] > MAX_READINGS:
        raise TooLarge(f"a frame of {rows[0]} readings: split it, {MAX_READINGS} are the most")
    if problem := _mismatch(blocks[0], rows):
        raise ValueError(problem)
    table = _encoder.encode(names)
    value = b"".join((HEADER.pack(Kind.FRAME, VERSION, *rows, len(table)), *blocks, table))
    if len(value) > MAX_BYTES:
        raise TooLarge(f"a frame of {len(value)} bytes: split it, {MAX_BYTES} are the most")
    return value


def encode_fact(fact: AnyFact) -> bytes:
    return _packed(Kind.FACT, fact)


def encode_request(request: AnyRequest) -> bytes:
    return _packed(Kind.REQUEST, request)


def encode_tick(tick: Tick) -> bytes:
    return _packed(Kind.TICK, tick)


def encode_refused(refused: Refused) -> bytes:
    return _packed(Kind.REFUSED, refused)


def wrap(kind: Kind, payload: bytes) -> bytes:
    """A record from a payload that is encoded already (msgpack of a fact or request, as the outbox keeps it)."""
    return bytes((kind, VERSION)) + payload


def kind_of(value: bytes) -> Kind:
    """The kind of a record, without decoding it. Raises DamagedRecord, UnknownVersion."""
    if len(value) < 2:
        raise DamagedRecord(f"a record of {len(value)} bytes: kind and version are missing")
    try:
        kind = Kind(value[0])
    except ValueError:
        raise DamagedRecord(f"a record of unknown kind {value[0]}") from None
    if value[1] != VERSION:
        raise UnknownVersion(
            f"a {kind.name.lower()} record of version {value[1]}; this program reads version {VERSION}: update it"
        )
    return kind


def decode(value: bytes) -> AnyRecord:
    """The record in `value`. A frame's columns are aligned, contiguous, writable copies.

    Raises DamagedRecord (also for any garbage), UnknownVersion."""
    kind = kind_of(value)
    if kind is Kind.FRAME:
        return _decode_frame(value)
    try:
        record: AnyRecord = _payloads[kind].decode(memoryview(value)[2:])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise DamagedRecord(f"a {kind.name.lower()} record that cannot be read: {error}") from error
    return record


def _packed(kind: Kind, payload: object) -> bytes:
    return wrap(kind, _encoder.encode(payload))


def split_frame(value: bytes) -> tuple[list[int], list[slice], tuple[str, ...]]:
    """The rows of each block of a frame, where they lie in `value`, and the names. Raises DamagedRecord."""
    if len(value) < HEADER.size:
        raise DamagedRecord(f"a frame of {len(value)} bytes: its header takes {HEADER.size}")
    _, _, *rows, names_bytes = HEADER.unpack_from(value)
    at = HEADER.size
    places = []
    for count, size in zip(rows, SIZES, strict=True):
        places.append(slice(at, at := at + count * size))
    if at + names_bytes != len(value):
        raise DamagedRecord(f"a frame of {len(value)} bytes: its header says {at + names_bytes}")
    if problem := _mismatch(value[places[0]], rows):
        raise DamagedRecord(problem)
    try:
        return rows, places, _names.decode(memoryview(value)[at:])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise DamagedRecord(f"a frame whose names cannot be read: {error}") from error


def _decode_frame(value: bytes) -> Frame:
    rows, places, names = split_frame(value)
    # One copy: aligned and writable, so that compiled folds see one array type whether frames were merged or not.
    buffer = bytearray(value)
    readings, supplies, counters, measures, signals = (
        np.frombuffer(buffer, dtype, count, place.start)
        for dtype, count, place in zip(BLOCKS, rows, places, strict=True)
    )
    return Frame(readings, supplies, counters, measures, signals, names)


def _mismatch(readings: bytes | bytearray | memoryview, rows: Sequence[int]) -> str:
    """What is wrong between the readings' counts and the blocks' lengths: a fold would read beyond an array.

    Sums strided bytes: for the few readings of most frames faster than numpy, for 500 as fast."""
    for (name, at), length in zip(COUNTS, rows[1:], strict=True):
        said = sum(readings[at :: READING.itemsize])
        if said != length:
            return f"a frame whose readings own {said} {name}, but it holds {length}"
    return ""
