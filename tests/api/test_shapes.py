"""What is sent is what the documentation says: every read route's answer fits its model, times and money included."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from api.app import ROUTERS
from ledger import audit, delegation, people
from ledger.grants import OWNER
from ledger.roles import Role
from ledger.scope import Scope
from tests.support.api_world import ApiWorld

READS = [route for module in ROUTERS for route in module.router.routes if "GET" in route.methods]
MODELLED = {route.path: route for route in READS if route.response_model and "{request_id}" not in route.path}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def paths(world: ApiWorld, account: str) -> dict[str, str]:
    """A path of the account for each route that reads."""
    number, site, slot = world.accounts[account], world.site(account), world.slots[account][0]
    first = {name: _first(world, path, number) for name, path in _LISTS.items()}
    values = {
        "account_id": number,
        "site_id": site,
        "slot_id": slot,
        "slot": "black",
        "sku": "TN-K",
        "cycle": 1,
    } | first
    extra = {"/v1/demand": f"?sku=TN-K&site={site}"}
    return {path: path.format(**values) + extra.get(path, "") for path in MODELLED}


_LISTS = {
    "device_id": "/v1/devices",
    "order_id": "/v1/orders",
    "need_id": "/v1/needs",
    "number": "/v1/purchase-orders",
    "held_id": "/v1/quarantine",
    "subscription_id": "/v1/subscriptions",
    "person_id": "/v1/people",
    "token_id": "/v1/tokens",
}


def _first(world: ApiWorld, path: str, account: int) -> int:
    """The id of the account's first object in a list; 0 if it has none."""
    items = world.operator.get(path).json()["items"]
    return next((item["id"] for item in items if account in _accounts(item)), 0)


def _accounts(item: dict[str, Any]) -> list[int]:
    return item["accounts"] or [] if "accounts" in item else [item["account_id"]]


@pytest.fixture(scope="module")
def still(still: ApiWorld) -> ApiWorld:
    """Somebody may come in, and it was said who let him."""
    still.token(Role.BUYER)
    acme = still.accounts["acme"]
    admin = still.client(Role.ACCOUNT_ADMIN)
    admin.post(f"/v1/accounts/{acme}/limits", {"per_order": "900"})
    admin.post(f"/v1/accounts/{acme}/budgets", {"amount": "9000"})
    with still.ledger.write() as tx:
        one, two = (people.create(tx, OWNER, name, Role.APPROVER, still.real, accounts=[acme]) for name in "BC")
        delegation.delegate(tx, Scope.all(), one.id, two.id, still.now, still.now + 1)
        audit.record(tx, "Ann", "person.created", "person/1", still.real, account_id=still.accounts["acme"])
    return still


@pytest.mark.parametrize("path", sorted(MODELLED))
def test_an_answer_fits_its_model(still: ApiWorld, path: str) -> None:
    answer = still.operator.get(paths(still, "acme")[path])
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body.get("items", True), f"{path} shows nothing: the world of the test should have some"
    TypeAdapter(MODELLED[path].response_model).validate_json(answer.content, strict=True)
    for name, value in moments(body):
        assert value is None or MOMENT.fullmatch(value), f"{name} is {value}"


def moments(body: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Everything whose name says that it is a moment; a receipt's inside keeps the figures as they were used."""
    if isinstance(body, dict):
        for key, value in body.items():
            if key != "receipt":
                yield from moments(value, key)
    elif isinstance(body, list):
        for value in body:
            yield from moments(value, name)
    elif name.endswith("_at"):
        yield name, body


def test_moments_are_exact(still: ApiWorld) -> None:
    body = still.operator.get("/v1/time").json()
    assert int(datetime.fromisoformat(body["now"]).timestamp() * 1000) == body["now_ms"] == still.now
