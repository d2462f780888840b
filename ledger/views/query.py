"""Statements that are built once: with SQLAlchemy building one takes longer than running it."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Result, Select, bindparam, tuple_

from ledger.scope import Scope


class Query:
    """One kind of list: what is selected, whose rows a caller may see, in which order, and what it may be narrowed to.

    `select` gives columns and joins and is called at the first use. `owner` is the account_id that the scope is held
    against, None where rows are everybody's. `filters` are columns by the name under which a caller gives a value that
    they must equal. There is one statement for every set of filters that was ever asked for; values are parameters."""

    def __init__(
        self,
        select: Callable[[], Select[Any]],
        *,
        owner: ColumnElement[int] | None,
        keys: Sequence[ColumnElement[Any]],
        newest_first: bool = False,
        **filters: ColumnElement[Any],
    ) -> None:
        self._select = cache(select)
        self._owner = owner
        self._keys = keys
        self._newest_first = newest_first
        self._filters = filters
        self._statement = cache(self._build)

    def run(
        self,
        tx: Connection,
        scope: Scope,
        *,
        position: Sequence[Any] | None = None,
        limit: int | None = None,
        own: Mapping[str, Any] | None = None,
        **wanted: Any,
    ) -> Result[Any]:
        """Rows behind `position` (values of the keys), at most `limit`, with the `wanted` values; None: any.

        `own`: of parameters that the select itself has."""
        values = {name: value for name, value in wanted.items() if value is not None}
        scoped = self._owner is not None and scope.accounts is not None
        statement = self._statement(frozenset(values), scoped, position is not None, limit is not None)
        if scoped:
            values["accounts"] = sorted(scope.accounts or ())
        if position is not None:
            values |= {f"position_{n}": value for n, value in enumerate(position)}
        if limit is not None:
            values["limit"] = limit
        if own is not None:
            values |= own
        return tx.execute(statement, values)

    def _build(self, wanted: frozenset[str], scoped: bool, paged: bool, limited: bool) -> Select[Any]:
        statement = self._select()
        if scoped and self._owner is not None:
            statement = statement.where(self._owner.in_(bindparam("accounts", expanding=True)))
        for name in sorted(wanted):
            statement = statement.where(self._filters[name] == bindparam(name))
        if paged:
            statement = statement.where(self._behind())
        ordered = statement.order_by(*(key.desc() if self._newest_first else key for key in self._keys))
        return ordered.limit(bindparam("limit")) if limited else ordered

    def _behind(self) -> ColumnElement[bool]:
        position = [bindparam(f"position_{n}", type_=key.type) for n, key in enumerate(self._keys)]
        if len(position) > 1:
            return tuple_(*self._keys) > tuple_(*position)
        return self._keys[0] < position[0] if self._newest_first else self._keys[0] > position[0]
