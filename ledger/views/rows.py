"""Rows as dicts of plain JSON values, as the API shows them.

Moments end in `_at` and are RFC 3339 text in UTC with ms ("2026-11-21T09:30:00.250Z"), None where there is none.
Money is a decimal string, levels are shares (0..1), names stand beside ids, enumerations are words.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Label, Result, Select, Table

from ledger.scope import NotFound
from models.units import DAY, MINUTE, NEVER

Dict = dict[str, Any]
LATEST = 253_402_300_799_999
"""The last ms that RFC 3339 can write."""
_EPOCH = date(1970, 1, 1).toordinal()
_MINUTES = tuple(f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(24 * 60))


def columns(table: Table, names: str) -> list[Column[Any] | Label[Any]]:
    """The columns of a table by their names, separated by blanks; `created=created_at` gives one another name."""
    out: list[Column[Any] | Label[Any]] = []
    for word in names.split():
        name, _, shown = word.partition("=")
        out.append(table.c[name].label(shown) if shown else table.c[name])
    return out


def iso(ms: int | None) -> str | None:
    """0 and what never comes have no date. Put together from parts: a page has hundreds of moments."""
    if ms is None or not 0 < ms <= LATEST:
        return None
    day, rest = divmod(ms, DAY)
    minute, rest = divmod(rest, MINUTE)
    return "%sT%s:%06.3fZ" % (_day(day), _MINUTES[minute], rest / 1000)  # noqa: UP031 - a third quicker than f""


@lru_cache(4096)
def _day(number: int) -> str:
    """The date of a day since 1970-01-01."""
    return date.fromordinal(_EPOCH + number).isoformat()


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


def shown(result: Result[Any]) -> list[Dict]:
    """All rows of a result as JSON knows them."""
    names = list(result.keys())
    moments = [name for name in names if name.endswith("_at")]
    rows = [dict(zip(names, row, strict=True)) for row in result.all()]
    if not rows:
        return rows
    amounts = [name for name in names if any(isinstance(row[name], Decimal) for row in rows)]
    for row in rows:
        for name in moments:
            row[name] = iso(row[name])
        for name in amounts:
            row[name] = None if row[name] is None else money(row[name])
    return rows


def many(tx: Connection, statement: Select[Any], values: Mapping[str, Any] | None = None) -> list[Dict]:
    return shown(tx.execute(statement, values))


def only(rows: list[Dict], what: str) -> Dict:
    """The only row. Raises NotFound."""
    if not rows:
        raise NotFound(f"there is no {what}")
    return rows[0]
