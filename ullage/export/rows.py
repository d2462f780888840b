"""Rows of each kind, page by page: no long read holds the ledger's log open."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from ingest.tail import lines
from journal.codec import decode, kind_of
from ledger.directory import LedgerDirectory
from ledger.engine import Ledger
from ledger.scope import Scope
from ledger.views import orders as order_views
from ledger.views import places
from ledger.views import slots as slot_views
from ledger.views.rows import iso
from models.frame import Frame
from models.identity import DeviceIdentity
from models.records import Kind
from models.stores import Journal, Series

Row = dict[str, Any]
Page = Callable[[Connection, Sequence[int] | None], list[Row]]
PAGE: Final = 500
FOREVER: Final = 1 << 50  # ms


def devices(ledger: Ledger, scope: Scope) -> Iterator[Row]:
    return _paged(ledger, lambda tx, position: places.devices(tx, scope, position=position, limit=PAGE))


def slots(ledger: Ledger, scope: Scope, now: int) -> Iterator[Row]:
    return _paged(ledger, lambda tx, position: slot_views.slots(tx, scope, now, position=position, limit=PAGE))


def needs(ledger: Ledger, scope: Scope) -> Iterator[Row]:
    return _paged(ledger, lambda tx, position: order_views.needs(tx, scope, position=position, limit=PAGE))


def orders(ledger: Ledger, scope: Scope) -> Iterator[Row]:
    """Newest first."""
    return _paged(ledger, lambda tx, position: order_views.orders(tx, scope, position=position, limit=PAGE))


def series(ledger: Ledger, store: Series, scope: Scope, since: int, until: int) -> Iterator[Row]:
    """A row per slot and quarter of an hour in which it said something. Levels 0..1."""
    for slot in slots(ledger, scope, 0):
        home = {"account_id": slot["account_id"], "device_id": slot["device_id"], "slot_id": slot["id"]}
        start = since
        while found := store.buckets(slot["id"], start, until):
            for bucket in found:
                levels = {"first": bucket.first, "last": bucket.last, "low": bucket.low}
                yield (
                    home
                    | {"slot": slot["name"], "start_at": iso(bucket.start), "readings": bucket.readings}
                    | {name: slot_views.share(level) for name, level in levels.items()}
                )
            start = found[-1].start + 1


def readings(ledger: Ledger, journal: Journal, scope: Scope, since: int, until: int) -> Iterator[Row]:
    """Messages as `ullage import-readings` takes them, of those that the journal still has."""
    mine = {device["id"] for device in devices(ledger, scope)}
    known = {one.device_id: one for one in LedgerDirectory(ledger).changes(0)[1] if one.device_id in mine}
    for partition in range(journal.partitions):
        offset = journal.earliest(partition)
        while records := journal.read(partition, offset):
            for record in records:
                for device in _devices_in(record.value) & known.keys():
                    yield from _said(record.value, known[device], since, until)
            offset = records[-1].offset + 1


def _devices_in(record: bytes) -> set[int]:
    found = decode(record) if kind_of(record) is Kind.FRAME else None
    return set(found.readings["device"].tolist()) if isinstance(found, Frame) else set()


def _said(record: bytes, identity: DeviceIdentity, since: int, until: int) -> Iterator[Row]:
    names = {slot.slot: name for name, slot in identity.slots.items()}
    rising = {name for name, slot in identity.slots.items() if slot.ascending}
    for line in lines(record, identity, names):
        if since <= line["ts"] < until:
            yield {"account": identity.account, "device": identity.device} | _message(line, rising)


def _message(line: Row, rising: set[str]) -> Row:
    supplies = {name: {"level": _level(one["level"], name in rising)} for name, one in line["supplies"].items()}
    parts = {"supplies": supplies, "counters": line["counters"], "measures": line["measures"]}
    return {"ts": iso(line["ts"])} | {name: part for name, part in parts.items() if part}


def _level(bounds: Sequence[float], rising: bool) -> float | list[float]:
    """As the device says it: how full a waste box is, of everything else how much is left."""
    low, high = (round(1 - bounds[1], 4), round(1 - bounds[0], 4)) if rising else bounds
    return low if low == high else [low, high]


def _paged(ledger: Ledger, page: Page) -> Iterator[Row]:
    position: Sequence[int] | None = None
    while True:
        with ledger.read() as tx:
            found = page(tx, position)
        yield from found
        if len(found) < PAGE:
            return
        position = (found[-1]["id"],)


def flat(row: Mapping[str, Any]) -> Row:
    """A reading as a row of a table that `ullage import-readings` takes."""
    out = {name: row[name] for name in ("account", "device", "ts")}
    for name, supply in row.get("supplies", {}).items():
        level = supply["level"]
        out[f"supply.{name}"] = f"{level[0]}..{level[1]}" if isinstance(level, list) else level
    out |= {f"counter.{name}": value for name, value in row.get("counters", {}).items()}
    return out | {f"measure.{name}": one["value"] for name, one in row.get("measures", {}).items()}
