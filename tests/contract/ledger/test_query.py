"""Statements that are built once; moments as text."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Select, select

from ledger import tables as t
from ledger.engine import Ledger
from ledger.scope import Scope
from ledger.views.query import Query
from ledger.views.rows import LATEST, from_iso, iso


def names(result: Any) -> list[str]:
    return [row.name for row in result]


def test_a_statement_is_built_once_for_a_set_of_filters(ledger: Ledger) -> None:
    built: list[int] = []

    def chosen() -> Select[Any]:
        built.append(1)
        return select(t.product.c.id, t.product.c.name)

    query = Query(chosen, owner=None, keys=[t.product.c.id], name=t.product.c.name)
    with ledger.write() as tx:
        rows = [{"sku": name, "name": name, "unit": "g", "created": 1} for name in ("a", "b", "c")]
        tx.execute(t.product.insert(), rows)
        assert names(query.run(tx, Scope.all())) == ["a", "b", "c"]
        assert names(query.run(tx, Scope.all(), limit=2)) == ["a", "b"]
        assert names(query.run(tx, Scope.all(), name="b")) == ["b"]
        assert names(query.run(tx, Scope.all(), name="c")) == ["c"]
        assert names(query.run(tx, Scope.all(), position=[1])) == ["b", "c"]
    assert built == [1]


def test_newest_first_pages_backwards_and_a_scope_hides_other_accounts(ledger: Ledger) -> None:
    query = Query(
        lambda: select(t.account.c.id, t.account.c.name), owner=t.account.c.id, keys=[t.account.c.id], newest_first=True
    )
    with ledger.write() as tx:
        values = {"mode": 3, "currency": "EUR", "service_level": 0.95, "created": 1}
        tx.execute(t.account.insert(), [values | {"name": name} for name in ("a", "b", "c")])
        assert names(query.run(tx, Scope.all(), position=[3])) == ["b", "a"]
        assert names(query.run(tx, Scope.of(1, 3))) == ["c", "a"]
        assert names(query.run(tx, Scope.of())) == []


@given(st.integers(1, LATEST))
def test_a_moment_is_written_as_the_standard_library_writes_it(ms: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    assert iso(ms) == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert from_iso(iso(ms)) == ms
