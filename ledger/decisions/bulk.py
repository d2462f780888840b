"""Views and usage: thousands of rows in one transaction."""

from collections.abc import Sequence
from functools import cache
from math import isfinite
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Dialect, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from ledger.change import Change
from ledger.facts.outgoing import chunks
from ledger.tables import slot, slot_view, usage_day
from models.effects import SlotView, UsageBooked
from models.stores import BadEffect
from models.units import NEVER

_json = msgspec.json.Encoder().encode
VIEW: Final = (
    "slot_id",
    "account_id",
    "site_id",
    "cycle",
    "ts",
    "level_low",
    "level_high",
    "level",
    "rate",
    "quantiles",
    "empty_at",
    "probability",
    "threshold",
    "band",
    "status",
    "on_hand",
    "on_order",
    "last_heard",
)
USAGE: Final = ("slot_id", "day", "total")


def write_views(change: Change, views: Sequence[tuple[int, SlotView]]) -> None:
    """Of (index of the effect, view). Raises BadEffect for a slot that nobody registered or numbers that are none."""
    homes = _homes(change, [view.slot for _, view in views])
    rows = []
    for index, view in views:
        home = homes.get(view.slot)
        if home is None:
            raise BadEffect(index, f"SlotView: the ledger knows no slot {view.slot}")
        row = _view(view, *home)
        if not all(map(isfinite, (*row[5:9], *row[11:13], *row[15:17]))):
            raise BadEffect(index, f"SlotView: slot {view.slot} has a number that is not finite: {view}")
        rows.append(row)
    _upsert(change.tx, slot_view, VIEW, 1, rows)


def write_usage(change: Change, usage: Sequence[tuple[int, UsageBooked]]) -> None:
    """Absolute totals: writing one again changes nothing."""
    homes = _homes(change, [booked.slot for _, booked in usage])
    for index, booked in usage:
        if booked.slot not in homes or not isfinite(booked.total):
            raise BadEffect(index, f"UsageBooked: no slot {booked.slot}, or no number: {booked.total}")
    _upsert(change.tx, usage_day, USAGE, 2, [(booked.slot, booked.day, booked.total) for _, booked in usage])


def _homes(change: Change, slots: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Account and site of each."""
    found = {}
    for chunk in chunks(slots):
        query = select(slot.c.id, slot.c.account_id, slot.c.site_id).where(slot.c.id.in_(chunk))
        found.update({number: (account, site) for number, account, site in change.tx.execute(query)})
    return found


def _view(view: SlotView, account_id: int, site_id: int) -> tuple[Any, ...]:
    """In the order of VIEW."""
    quantiles = view.quantiles
    return (
        view.slot,
        account_id,
        site_id,
        view.cycle,
        view.ts,
        view.level_low,
        view.level_high,
        view.level,
        view.rate,
        _json(quantiles).decode(),
        quantiles[len(quantiles) // 2] if quantiles else NEVER,
        view.probability,
        view.threshold,
        view.band,
        view.status,
        view.on_hand,
        view.on_order,
        view.last_heard,
    )


def _upsert(tx: Connection, table: Table, columns: tuple[str, ...], keys: int, rows: list[tuple[Any, ...]]) -> None:
    """Straight to the driver: SQLAlchemy's handling of parameters would cost twice what the rows do."""
    if not rows:
        return
    statement, order = _statement(tx.dialect, table, columns, keys)
    if order is None:
        tx.exec_driver_sql(statement, [dict(zip(columns, row, strict=True)) for row in rows])
    else:
        places = [columns.index(name) for name in order]
        straight = places == list(range(len(columns)))
        tx.exec_driver_sql(statement, rows if straight else [tuple(row[i] for i in places) for row in rows])


@cache
def _statement(
    dialect: Dialect, table: Table, columns: tuple[str, ...], keys: int
) -> tuple[str, tuple[str, ...] | None]:
    """SQL, and the order of its parameters; None: they go by name. The first `keys` columns are the key."""
    insert = sqlite.insert(table) if dialect.name == "sqlite" else postgresql.insert(table)
    change = {name: insert.excluded[name] for name in columns[keys:]}
    whole = insert.on_conflict_do_update(index_elements=list(columns[:keys]), set_=change)
    compiled = whole.compile(dialect=dialect, column_keys=list(columns))
    order = compiled.positiontup
    return str(compiled), None if order is None else tuple(order)
