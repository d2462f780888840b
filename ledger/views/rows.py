"""Rows as dicts of plain JSON values, as the API shows them.

Moments end in `_at` and are RFC 3339 text in UTC with ms ("2026-11-21T09:30:00.250Z"), None where there is none.
Money is a decimal string, levels are shares (0..1), names stand beside ids, enumerations are words.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Label, RowMapping, Select, Table, and_, tuple_

from ledger.scope import NotFound
from models.units import NEVER

Dict = dict[str, Any]
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - in UTC; without a zone `isoformat` is twice as quick
LATEST = 253_402_300_799_999
"""The last ms that RFC 3339 can write."""


def columns(table: Table, names: str) -> list[Column[Any] | Label[Any]]:
    """The columns of a table by their names, separated by blanks; `created=created_at` gives one another name."""
    out: list[Column[Any] | Label[Any]] = []
    for word in names.split():
        name, _, shown = word.partition("=")
        out.append(table.c[name].label(shown) if shown else table.c[name])
    return out


def iso(ms: int | None) -> str | None:
    """0 and what never comes have no date."""
    if ms is None or not 0 < ms <= LATEST:
        return None
    return (EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds") + "Z"


def from_iso(text: str | None) -> int:
    """The other way round, exactly; NEVER for None. Raises ValueError."""
    if text is None:
        return NEVER
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text}: without a time zone; write it as 2026-11-21T09:30:00Z")
    whole = moment.replace(microsecond=0)
    return int(whole.timestamp()) * 1000 + moment.microsecond // 1000


def money(amount: Decimal) -> str:
    """At least two places, more only where there are more."""
    cents = amount.quantize(Decimal("0.01"))
    return format(cents if cents == amount else amount, "f")


def plain(row: RowMapping | Mapping[str, Any]) -> Dict:
    out: Dict = {}
    for name, value in row.items():
        if value is not None and name.endswith("_at"):
            out[name] = iso(value)
        else:
            out[name] = money(value) if isinstance(value, Decimal) else value
    return out


def many(tx: Connection, statement: Select[Any]) -> list[Dict]:
    return [plain(row) for row in tx.execute(statement).mappings().all()]


def one(tx: Connection, statement: Select[Any], what: str) -> Dict:
    """The only row. Raises NotFound."""
    row = tx.execute(statement).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no {what}")
    return plain(row)


def after(keys: Sequence[ColumnElement[Any]], position: Sequence[Any] | None) -> ColumnElement[bool]:
    """The condition that a row stands behind `position` in ascending order of `keys` (keyset paging)."""
    if position is None:
        return and_(True)
    return keys[0] > position[0] if len(keys) == 1 else tuple_(*keys) > tuple(position)


def equal(statement: Select[Any], *pairs: tuple[ColumnElement[Any], Any]) -> Select[Any]:
    """Only rows whose columns have these values; None: any."""
    wanted = [column == value for column, value in pairs if value is not None]
    return statement.where(*wanted) if wanted else statement
