"""Problems, pages, bounds and headers: the same on every route."""

from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from api import paging
from api.app import create_app
from api.description import SHOW_SECRETS
from ledger import tables as t
from ledger.roles import Role
from models.stores import Unavailable
from tests.support.api_world import ApiWorld, Client


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/slots/999", 404, "not_found"),
        ("/v1/nothing", 404, "not_found"),
        ("/v1/slots/x", 422, "invalid"),
        ("/v1/slots/99999999999999999999", 422, "invalid"),
        ("/v1/slots?limit=0", 422, "invalid"),
        ("/v1/slots?sort=name", 422, "invalid"),
        ("/v1/slots?cursor=xyz", 400, "bad_cursor"),
        ("/v1/orders?state=lost", 422, "invalid"),
        ("/v1/demand?sku=NONE", 404, "not_found"),
        ("/v1/demand?sku=TN-K&quantiles=2", 422, "invalid"),
        ("/v1/slots/1/forecast?before=2026-11-21T09:30:00", 422, "invalid"),
    ],
)
def test_errors_are_problems(still: ApiWorld, path: str, status: int, code: str) -> None:
    answer = still.operator.get(path)
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["type"] == f"urn:ullage:problem:{code}"
    assert body["detail"]


def test_methods_that_are_none(still: ApiWorld) -> None:
    answer = still.operator("DELETE", "/v1/slots")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_what_an_orders_state_forbids_is_a_conflict(still: ApiWorld) -> None:
    placed = still.rows(t.order, t.order.c.state == "placed")[0].id
    admin = still.client(Role.ACCOUNT_ADMIN)
    answer = admin.post(f"/v1/orders/{placed}/reject", {"reason": "late"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_allowed")


@pytest.mark.parametrize("path", ["/v1/slots", "/v1/slots?sort=empty_at", "/v1/orders", "/v1/needs", "/v1/devices"])
def test_pages_join_without_gap_or_overlap(still: ApiWorld, path: str) -> None:
    joint = "&" if "?" in path else "?"
    whole = still.operator.get(f"{path}{joint}limit=500").json()
    assert whole["next"] is None
    found, cursor = [], ""
    while True:
        page = still.operator.get(f"{path}{joint}limit=3{cursor}").json()
        assert len(page["items"]) <= 3
        found += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == whole["items"]
    assert len(found) > 3


def test_slots_are_sorted_by_empty(still: ApiWorld) -> None:
    items = still.operator.get("/v1/slots", sort="empty_at").json()["items"]
    assert [i["empty_at"] for i in items] == sorted(i["empty_at"] for i in items)
    assert len(items) == 8  # those with a view


@pytest.mark.parametrize("position", [[1, 2], ["1"], [None], [1.5], [True], [1 << 70], {"a": 1}])
def test_a_cursor_of_somebody_else_is_refused(still: ApiWorld, position: Any) -> None:
    cursor = paging.encode(position) if isinstance(position, list) else "eyJhIjoxfQ"
    assert still.operator.get("/v1/slots", cursor=cursor).status_code == 400


def test_bodies_are_bounded(still: ApiWorld) -> None:
    path = f"/v1/orders/{still.rows(t.order)[0].id}/cancel"
    answer = still.operator("POST", path, content=b" " * (1 << 20) + b"{}")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    async def chunks() -> Any:
        for _ in range(20):
            yield b" " * 100_000

    answer = still.operator("POST", path, content=chunks())
    assert answer.status_code == 413


def test_answers_carry_security_headers(still: ApiWorld) -> None:
    for path in ("/v1/time", "/v1/slots/999", "/v1/slots"):
        headers = still.operator.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"


def test_a_store_that_is_away_is_503(world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise Unavailable("ledger: locked: try again")

    client = world.operator
    assert client.get("/v1/slots").status_code == 200
    monkeypatch.setattr(world.ledger, "read", away)
    answer = client.get("/v1/slots")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "unavailable", "1")


def test_an_unexpected_error_tells_nothing(world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise RuntimeError("a secret")

    monkeypatch.setattr(world.ledger, "read", broken)
    answer = Client(world.app, "ullage_x", raise_app_exceptions=False).get("/v1/slots")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text


def test_not_ready_says_why(still: ApiWorld) -> None:
    app = create_app(replace(still.services, not_ready=lambda: ["the journal is locked"]))
    answer = Client(app, None).get("/readyz")
    assert (answer.status_code, answer.json()["detail"]) == (503, "the journal is locked")


def test_every_operation_is_documented(still: ApiWorld) -> None:
    document = still.operator.get("/v1/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            content = answers["200"].get("content", {})
            assert content, f"{method} {path}: what does it answer?"
            schema = content.get("application/json", {}).get("schema", {"$ref": ""})
            assert schema, f"{method} {path}: a bare object is no documentation"
            names = [p["name"] for p in operation.get("parameters", [])]
            assert method != "post" or path in SHOW_SECRETS or "Idempotency-Key" in names


def test_every_parameter_body_and_answer_has_an_example_that_fits(still: ApiWorld) -> None:
    document = still.operator.get("/v1/openapi.json").json()
    told = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts = [(p["schema"], p["example"]) for p in operation.get("parameters", [])]
            for part in (operation.get("requestBody", {}), *operation["responses"].values()):
                parts += [(c["schema"], c["example"]) for c in part.get("content", {}).values() if "schema" in c]
            for schema, example in parts:
                check = jsonschema.Draft202012Validator(schema | {"components": document["components"]})
                faults = [error.message for error in check.iter_errors(example)]
                assert not faults, f"{method} {path}: {example}"
            told += len(parts)
    assert told > 200


def test_examples_look_like_what_is_sent(still: ApiWorld) -> None:
    document = still.operator.get("/v1/openapi.json").json()
    listed = document["paths"]["/v1/orders/{order_id}"]["get"]["responses"]["200"]["content"]["application/json"]
    line = listed["example"]["lines"][0]
    assert (line["sku"], line["unit_price"], line["currency"]) == ("TN-K", "54.90", "EUR")
    assert line["needs"][0]["device"] == "copier-01"
