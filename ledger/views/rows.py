"""Rows as dicts of plain JSON values: times stay ms, money is a decimal string, names stand beside ids."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, Table, and_, or_

from ledger.scope import NotFound

Dict = dict[str, Any]


def columns(table: Table, names: str) -> list[Column[Any]]:
    """The columns of a table by their names, separated by blanks."""
    return [table.c[name] for name in names.split()]


def plain(row: Row[Any]) -> Dict:
    return {k: format(v, "f") if isinstance(v, Decimal) else v for k, v in row._mapping.items()}


def many(tx: Connection, statement: Select[Any]) -> list[Dict]:
    return [plain(row) for row in tx.execute(statement)]


def one(tx: Connection, statement: Select[Any], what: str) -> Dict:
    """The only row. Raises NotFound."""
    row = tx.execute(statement).one_or_none()
    if row is None:
        raise NotFound(f"there is no {what}")
    return plain(row)


def after(columns: Sequence[ColumnElement[Any]], position: Sequence[Any] | None) -> ColumnElement[bool]:
    """The condition that a row stands behind `position` in ascending order of `columns` (keyset paging)."""
    if position is None:
        return and_(True)
    terms = []
    for i, column in enumerate(columns):
        equal = [c == v for c, v in zip(columns[:i], position[:i], strict=True)]
        terms.append(and_(*equal, column > position[i]))
    return or_(*terms)
