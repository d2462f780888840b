"""Every list as CSV: the same rows, and nothing that a spreadsheet would calculate."""

import csv
import io
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from ledger import tables as t
from tests.api.test_isolation import LISTS
from tests.support.api_world import ApiWorld

EMPTY = {"/v1/delegations"}  # the world has none


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


@pytest.mark.parametrize("path", sorted(LISTS))
def test_every_list_is_a_table(still: ApiWorld, path: str) -> None:
    items = still.operator.get(path).json()["items"]
    table = rows(still.operator.get(path, format="csv"))
    assert len(table) == len(items)
    assert items or path in EMPTY
    for row, item in zip(table, items, strict=True):
        assert set(row) == set(item)
        assert row["id"] == str(item["id"])
        assert [name for name, value in item.items() if value is None and row[name] != ""] == []


def test_a_list_within_an_object_too(still: ApiWorld) -> None:
    path = f"/v1/sites/{still.site('acme')}/spares"
    assert still.operator.get(path, format="csv").text.startswith("product_id,sku,product,on_hand,changed_at\r\n")


def test_a_table_without_rows_has_its_columns(still: ApiWorld) -> None:
    empty = still.operator.get("/v1/orders", state="expired", format="csv")
    whole = still.operator.get("/v1/orders", format="csv")
    assert empty.text == whole.text.partition("\r\n")[0] + "\r\n"


@pytest.mark.parametrize(
    ("accept", "table"),
    [
        ("text/csv", True),
        ("text/csv, */*;q=0.1", True),
        ("application/json, text/csv;q=0.5", False),
        ("text/csv;q=0.2, application/json;q=0.9", False),
        ("text/csv;q=0", False),
        ("text/csv;q=x", False),
        ("image/png", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_accept_says_it_too(still: ApiWorld, accept: str, table: bool) -> None:
    answer = still.operator("GET", "/v1/accounts", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("text/csv") is table


def test_format_counts_more_than_accept(still: ApiWorld) -> None:
    answer = still.operator("GET", "/v1/accounts?format=json", headers={"Accept": "text/csv"})
    assert answer.json()["items"]


def test_another_format_is_refused(still: ApiWorld) -> None:
    answer = still.operator.get("/v1/accounts", format="xls")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_pages_are_joined_by_link(still: ApiWorld) -> None:
    whole = rows(still.operator.get("/v1/slots", format="csv", limit=500))
    found: list[Any] = []
    path: str | None = "/v1/slots?format=csv&limit=3"
    while path is not None:
        answer = still.operator.get(path)
        found += rows(answer)
        path = answer.links["next"]["url"] if "next" in answer.links else None
    assert found == whole
    assert len(found) > 3


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_is_calculated(world: ApiWorld, name: str) -> None:
    with world.ledger.write() as tx:
        tx.execute(update(t.site).where(t.site.c.id == world.site("acme")).values(address=name))
    table = rows(world.operator.get("/v1/sites", format="csv"))
    assert table[0]["address"] == f"'{name}"
    assert table[1]["address"] == "Main St 1"


def test_numbers_stay_numbers(world: ApiWorld) -> None:
    with world.ledger.write() as tx:
        tx.execute(update(t.stock).where(t.stock.c.product_id == world.products["TN-K"]).values(on_hand=-2))
    table = rows(world.operator.get(f"/v1/sites/{world.site('acme')}/spares", format="csv"))
    assert [float(row["on_hand"]) for row in table if row["sku"] == "TN-K"] == [-2.0]


def test_problems_stay_problems(still: ApiWorld) -> None:
    answer = still.operator.get("/v1/slots", format="csv", cursor="xyz")
    assert answer.headers["content-type"] == "application/problem+json"
