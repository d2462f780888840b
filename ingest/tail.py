"""One device's input live, decoded and refused, read from the journal: what `ullage device tail` shows."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from journal.codec import DamagedRecord, decode, kind_of
from journal.routing import partition_of
from models.frame import NO_SLOT, UNKNOWN_COUNTER, Frame, ReadingFlag, Signal, SupplyFlag
from models.identity import DeviceIdentity
from models.records import Kind, Refused
from models.stores import Journal

POLL = 0.2
"""Seconds between two looks at a journal that has nothing new."""
_RAW_SHOWN = 500

Line = dict[str, Any]


def follow(
    journal: Journal,
    identity: DeviceIdentity,
    *,
    start: int | None = None,
    ended: Callable[[], bool] = lambda: False,
    poll: float = POLL,
) -> Iterator[Line]:
    """Lines as they come, for ever or until `ended` at the end of the journal. `start`: a journal offset; None: now.

    {"kind": "reading", "offset", "ts", "boot", "seq", "flags", "supplies", "counters", "measures", "signals"} or
    {"kind": "refused", "offset", "received", "code", "reason", "raw"}. Raises StoreError as the journal does.
    """
    partition = partition_of(identity.shard, journal.partitions)
    offset = journal.end(partition) if start is None else start
    names = {slot.slot: name for name, slot in identity.slots.items()}
    while True:
        records = journal.read(partition, offset)
        for record in records:
            for line in lines(record.value, identity, names):
                yield {**line, "offset": record.offset}
        if records:
            offset = records[-1].offset + 1
        elif ended():
            return
        else:
            time.sleep(poll)


def lines(value: bytes, identity: DeviceIdentity, names: Mapping[int, str]) -> Iterator[Line]:
    """What one journal record says of one device. `names`: slot -> name. A damaged record says nothing."""
    try:
        record = decode(value) if kind_of(value) in {Kind.FRAME, Kind.REFUSED} else None
    except DamagedRecord:
        return  # the worker stops at it and says so; this is only a view
    if isinstance(record, Frame):
        yield from _readings(record, identity, names)
    elif isinstance(record, Refused) and record.device == identity.device_id:
        raw = record.raw[:_RAW_SHOWN].decode(errors="replace")
        yield {"kind": "refused", "received": record.received, "code": record.code, "reason": record.reason, "raw": raw}


def _readings(frame: Frame, identity: DeviceIdentity, names: Mapping[int, str]) -> Iterator[Line]:
    supply = counter = measure = signal = 0
    for row in frame.readings:
        parts = (
            frame.supplies[supply : (supply := supply + int(row["supplies"]))],
            frame.counters[counter : (counter := counter + int(row["counters"]))],
            frame.measures[measure : (measure := measure + int(row["measures"]))],
            frame.signals[signal : (signal := signal + int(row["signals"]))],
        )
        if row["device"] != identity.device_id:
            continue
        yield {
            "kind": "reading",
            "ts": int(row["ts"]),
            "boot": f"{int(row['boot']):016x}",
            "seq": int(row["seq"]),
            "flags": _flags(ReadingFlag, int(row["flags"])),
            "supplies": dict(_supply(one, frame.names, names) for one in parts[0]),
            "counters": dict(_counter(one, frame.names, identity.counters) for one in parts[1]),
            "measures": {
                frame.names[one["name"]]: {"value": float(one["value"]), "unit": frame.names[one["unit"]]}
                for one in parts[2]
            },
            "signals": [_signal(one, frame.names, names) for one in parts[3]],
        }


def _flags(kind: type[ReadingFlag] | type[SupplyFlag], value: int) -> list[str]:
    return [flag.name.lower() for flag in kind if value & flag and flag.name]


def _supply(row: Any, table: tuple[str, ...], names: Mapping[int, str]) -> tuple[str, Line]:
    number, flags = int(row["slot"]), int(row["flags"])
    name = table[number] if flags & SupplyFlag.UNKNOWN else names.get(number, f"slot {number}")
    level = [round(float(row["low"]) / 100, 4), round(float(row["high"]) / 100, 4)]
    return name, {"level": level, "flags": _flags(SupplyFlag, flags)}


def _counter(row: Any, table: tuple[str, ...], counters: tuple[str, ...]) -> tuple[str, int]:
    index = int(row["index"])
    if index == UNKNOWN_COUNTER:
        return table[row["name"]], int(row["value"])
    return counters[index] if index < len(counters) else f"counter {index}", int(row["value"])


def _signal(row: Any, table: tuple[str, ...], names: Mapping[int, str]) -> str:
    code, slot = int(row["code"]), int(row["slot"])
    if code == Signal.OTHER:
        return table[int(row["name"])]
    word = Signal(code).name.lower()
    return word if slot == NO_SLOT else f"{word}:{names.get(slot, f'slot {slot}')}"
