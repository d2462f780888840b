"""What is only shown, views and usage: absolute rows that replace what is there, hundreds in a short transaction."""

from collections.abc import Sequence
from functools import cache
from math import isfinite
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Dialect, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from ledger.change import Change
from ledger.decisions.data_errors import is_data_error, reason_of
from ledger.decisions.refused import refused
from ledger.facts.outgoing import chunks
from ledger.tables import slot, slot_view, usage_day
from models.effects import Shown, SlotView, UsageBooked
from models.units import NEVER

_json = msgspec.json.Encoder().encode
VIEW: Final = (
    "slot_id",
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
    "counts_per_day",
    "account_id",
    "site_id",
)
USAGE: Final = ("slot_id", "day", "total")


class Rows:
    """Made ready before the ledger is locked."""

    def __init__(self, shown: Sequence[Shown]) -> None:
        """Of each slot at most one view, of each slot and day at most one total."""
        self.slots = {one.slot for one in shown}
        self.views = [_view(one) for one in shown if isinstance(one, SlotView)]
        self.usage = [(one.slot, one.day, one.total) for one in shown if isinstance(one, UsageBooked)]

    def write(self, tx: Connection) -> None:
        """All or nothing. Raises ValueError for a slot that nobody registered or a number that is none."""
        homes = _homes(tx, self.slots)
        if unknown := self.slots - homes.keys():
            raise ValueError(f"the ledger knows no slot {min(unknown)}")
        for row in (*self.views, *self.usage):
            if not all(isfinite(value) for value in row if isinstance(value, float)):
                raise ValueError(f"slot {row[0]} has a number that is not finite")
        _upsert(tx, slot_view, VIEW, 1, [row + homes[row[0]] for row in self.views])
        _upsert(tx, usage_day, USAGE, 2, self.usage)


def write_each(change: Change, shown: Sequence[Shown]) -> None:
    """After `Rows.write` has failed: one by one, and an alert for each that cannot be written."""
    for one in shown:
        try:
            with change.tx.begin_nested():
                Rows([one]).write(change.tx)
        except Exception as error:
            if not is_data_error(error):
                raise
            refused(change, one, reason_of(one, error))


def _homes(tx: Connection, slots: set[int]) -> dict[int, tuple[int, int]]:
    """Account and site of each."""
    found = {}
    for chunk in chunks(slots):
        query = select(slot.c.id, slot.c.account_id, slot.c.site_id).where(slot.c.id.in_(chunk))
        found.update({number: (account, site) for number, account, site in tx.execute(query)})
    return found


def _view(view: SlotView) -> tuple[Any, ...]:
    """In the order of VIEW, without account and site."""
    quantiles = view.quantiles
    return (
        view.slot,
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
        view.counts_per_day,
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
