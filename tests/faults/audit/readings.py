"""Is what was acknowledged in the journal, and did each reading count exactly once?"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import numpy as np

from models.frame import ReadingFlag
from models.layout import Verdict
from streams.worker.series_sink import BUCKET
from tests.faults.audit.evidence import Evidence, Found, Key, mixed

WIDTH = 15 * 60_000
FOREVER = 1 << 50
NEAR = 1e-3
"""Levels travel as float32 per cent."""


@dataclass(frozen=True, slots=True)
class Slot:
    id: int
    capacity: float
    unit: str
    ascending: bool


@dataclass(frozen=True, slots=True)
class Device:
    id: int
    shard: int
    slots: dict[str, Slot]
    counters: tuple[str, ...]


def check(evidence: Evidence) -> Iterator[str]:
    devices = _devices(evidence)
    yield from _acknowledged(evidence, devices)
    yield from _own_partition(evidence, devices)
    yield from _once(evidence)
    yield from _buckets(evidence)


def _devices(evidence: Evidence) -> dict[tuple[str, str], Device]:
    slots: dict[int, dict[str, Slot]] = defaultdict(dict)
    for row in evidence.rows("select id, device_id, name, capacity, unit, ascending, model_slot_id from slot"):
        if row.model_slot_id is not None:
            slots[row.device_id][row.name] = Slot(row.id, row.capacity, row.unit, bool(row.ascending))
    found = evidence.rows(
        "select a.name as account, d.name, d.id, s.shard, m.counters from device d"
        " join account a on a.id = d.account_id join site s on s.id = d.site_id"
        " join device_model m on m.id = d.model_id"
    )
    return {
        (r.account, r.name): Device(r.id, r.shard, slots[r.id], tuple(c["name"] for c in json.loads(r.counters)))
        for r in found
    }


# acknowledged: in the journal
def _acknowledged(evidence: Evidence, devices: dict[tuple[str, str], Device]) -> Iterator[str]:
    journal: dict[Key, list[Found]] = defaultdict(list)
    for one in evidence.replayed.found:
        journal[one.key].append(one)
    refused = {(record.device, record.raw) for record in evidence.replayed.refused}
    for sent in evidence.sent:
        name = f"{sent.account}/{sent.device}"
        device = devices.get((sent.account, sent.device))
        if device is None:
            yield f"acknowledged to {name}, which the ledger does not know"
            continue
        if (device.id, sent.payload) in refused:
            continue
        try:
            message = json.loads(sent.payload)
            key = device.id, *_identity(message, sent.payload)
        except (ValueError, KeyError, TypeError):
            yield f"acknowledged to {name}, neither a reading nor refused in the journal: {sent.payload[:80]!r}"
            continue
        copies = journal.get(key)
        if copies is None:
            yield f"acknowledged to {name} and lost: boot {message.get('boot')} seq {message.get('seq')}"
        elif not any(_same(message, device, copy) for copy in copies):
            yield f"{name} boot {message.get('boot')} seq {message.get('seq')} is another reading in the journal"


def _identity(message: dict[str, Any], raw: bytes) -> tuple[int, int]:
    """(boot, seq) as docs/reference/mqtt.md says: sixteen hexadecimal digits as they are; else a hash."""
    if "boot" in message and "seq" in message:
        boot = message["boot"]
        if isinstance(boot, str) and len(boot) == 16 and int(boot, 16):
            return int(boot, 16), message["seq"]
        return int.from_bytes(blake2b(str(boot).encode(), digest_size=8).digest(), "little") or 1, message["seq"]
    salt = _ms(message["ts"]).to_bytes(8, "little", signed=True)
    return 0, int.from_bytes(blake2b(raw, digest_size=8, salt=salt).digest(), "little") >> 1


def _ms(stamp: str) -> int:
    return round(datetime.fromisoformat(stamp).timestamp() * 1000)


def _same(message: dict[str, Any], device: Device, found: Found) -> bool:
    moved = found.flags & (ReadingFlag.CLAMPED | ReadingFlag.NO_TIME)
    if "ts" in message and not moved and _ms(message["ts"]) != found.ts:
        return False
    supplies = {subject: (low, high) for subject, low, high in found.supplies}
    said = message.get("supplies", {})
    if len(said) != len(supplies):
        return False
    for name, supply in said.items():
        slot = device.slots.get(name)
        at = supplies.get(slot.id if slot else name)
        expected = _level(supply, slot)
        if at is None or (expected and max(abs(a - b) for a, b in zip(at, expected, strict=True)) > NEAR):
            return False
    numbers = {device.counters[index]: value for index, value in found.counters if index < len(device.counters)}
    return all(numbers.get(name, value) == value for name, value in message.get("counters", {}).items())


def _level(supply: dict[str, Any], slot: Slot | None) -> tuple[float, float] | None:
    """The interval in per cent that a device's words stand for; None where it said no number that can be compared."""
    if "level" in supply:
        level = supply["level"]
        low, high = level if isinstance(level, list) else (level, level)
        return (100 - high * 100, 100 - low * 100) if slot and slot.ascending else (low * 100, high * 100)
    if "remaining" in supply and slot and supply.get("unit") == slot.unit:
        amount = min(supply["remaining"] / slot.capacity, 1.0) * 100
        return amount, amount
    return None


def _own_partition(evidence: Evidence, devices: dict[tuple[str, str], Device]) -> Iterator[str]:
    home = {d.id: d.shard % evidence.journal.partitions for d in devices.values()}
    for one in evidence.replayed.found:
        device = one.key[0]
        if home.get(device) != one.partition:
            yield f"a reading of device {device} is in partition {one.partition}, not in its own ({home.get(device)})"


# counted once
def _once(evidence: Evidence) -> Iterator[str]:
    """A reading counts when it comes first, and never again; what a device sent without a number is left to `step`."""
    seen: set[Key] = set()
    for one in evidence.replayed.found:
        if one.offset >= evidence.replayed.reached[one.partition] or not one.key[1]:
            continue
        counted = one.verdict in {Verdict.LIVE, Verdict.LATE}
        if one.key in seen and counted:
            yield f"reading {_name(one.key)} counts twice"
        elif one.key not in seen and one.verdict == Verdict.OLD:
            yield f"reading {_name(one.key)} came for the first time and was taken for one seen before"
        seen.add(one.key)


def _name(key: Key) -> str:
    return f"device {key[0]} boot {key[1]:016x} seq {key[2]}"


def _buckets(evidence: Evidence) -> Iterator[str]:
    """Of every slot and quarter of an hour: as many readings as came, and just these, by count and XOR of hashes."""
    expected: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    first: dict[Key, Found] = {}
    for one in evidence.replayed.found:
        known = one.offset < evidence.replayed.reached[one.partition] and one.verdict in {Verdict.LIVE, Verdict.LATE}
        if known and (one.key not in first or not one.key[1]):
            first[one.key] = one
    hashes = mixed(list(first)).tolist()
    for one, hash_ in zip(first.values(), hashes, strict=True):
        for subject, _, _ in one.supplies:
            if isinstance(subject, int):
                _count(expected[subject, one.ts // WIDTH * WIDTH], 1, hash_)
    actual: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for slot in evidence.rows("select id from slot"):
        for bucket in evidence.series.buckets(slot.id, 0, FOREVER, 1_000_000):
            _count(actual[bucket.slot, bucket.start], bucket.readings, bucket.hash)
        for point in evidence.series.points(f"slot/{slot.id}", "late", 0, FOREVER, 1_000_000):
            _count(actual[slot.id, point.ts // WIDTH * WIDTH], 1, point.key)
    yield from _open_buckets(evidence, actual)
    for place in sorted(expected.keys() | actual.keys()):
        if expected[place] != actual[place]:
            slot_id, start = place
            came, has = expected[place], actual[place]
            what = f"{came[0]} readings came, {has[0]} counted" if came[0] != has[0] else "other readings counted"
            yield f"series of slot {slot_id}, quarter of an hour from {start}: {what}"


def _count(into: list[int], readings: int, hash_: int) -> None:
    into[0] += readings
    into[1] ^= hash_ % (1 << 64)


def _open_buckets(evidence: Evidence, actual: dict[tuple[int, int], list[int]]) -> Iterator[str]:
    """Those that have not ended are in the checkpoint, which must be where ledger and series are."""
    for partition, reached in evidence.replayed.reached.items():
        newest = evidence.state.load(partition, 1)
        offsets = reached, evidence.series.offset(partition), newest[0].offset if newest else 0
        if len(set(offsets)) > 1:
            yield f"partition {partition}: ledger, series and checkpoint are at {offsets}: it did not stop cleanly"
        elif newest:
            block = dict(newest[0].blocks)["worker.series"]
            for row in np.frombuffer(block[8:], BUCKET):
                if row["readings"]:
                    _count(actual[int(row["slot"]), int(row["start"])], int(row["readings"]), int(row["hash"]))
