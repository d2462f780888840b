"""Another account's object is a 404, on every route that names one: as if it did not exist."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from api.app import ROUTERS
from ledger import delegation, limits, people, tokens
from ledger import tables as t
from ledger.grants import OWNER
from ledger.roles import Role
from ledger.scope import Scope
from models.units import DAY
from tests.support.api_world import LIVED, ApiWorld, api_world

ROUTES = sorted(
    (
        (method, route.path)
        for module in ROUTERS
        for route in module.router.routes
        for method in sorted(route.methods)
        if "{" in route.path
    ),
    key=lambda route: route[0] == "DELETE",  # last: the others need what it ends
)
BODIES: dict[str, Any] = {
    "/v1/subscriptions/{subscription_id}": {"paused": True},
    "/v1/subscriptions/{subscription_id}/replay": {"after": 0},
    "/v1/accounts/{account_id}/ordering": {"mode": "ask"},
    "/v1/sites/{site_id}/ordering": {"paused": False},
    "/v1/accounts/{account_id}/products/{sku}/ordering": {"paused": False},
    "/v1/orders/{order_id}/reject": {"reason": "no"},
    "/v1/sites/{site_id}/spares": {"sku": "TN-K", "units": 1},
    "/v1/accounts/{account_id}/budgets": {"amount": "100"},
    "/v1/accounts/{account_id}/limits": {"per_order": "100"},
    "/v1/accounts/{account_id}/purchasing": {"cost_centre": "4711"},
    "/v1/sites/{site_id}/purchasing": {"cost_centre": "4711"},
    "/v1/orders/{order_id}/details": {"cost_centre": "4711"},
    "/v1/people/{person_id}/change": {"name": "Bea"},
    "/v1/purchase-orders/{number}/acknowledge": {"lines": [{"line": 1}]},
    "/v1/purchase-orders/{number}/answer-cancel": {"granted": True},
    "/v1/purchase-orders/{number}/ship": {"lines": [{"line": 1, "quantity": 1}]},
    "/v1/purchase-orders/{number}/deliver": {"lines": [{"line": 1, "quantity": 1}]},
}
# who may call everything that names objects of an account, if the account were his
CALLERS = {
    "/v1/quarantine/{held_id}/discard": Role.OPERATOR,
    "/v1/quarantine/{held_id}/replay": Role.OPERATOR,
    "/v1/purchase-orders/{number}/acknowledge": Role.OPERATOR,
    "/v1/purchase-orders/{number}/answer-cancel": Role.OPERATOR,
    "/v1/purchase-orders/{number}/ship": Role.OPERATOR,
}


def ids(world: ApiWorld, account: str) -> dict[str, Any]:
    number = world.accounts[account]
    place = world.site(account)

    def first(table: Any, *where: Any) -> int:
        return next((int(row.id) for row in world.rows(table, *where)), 0)  # 0: it was deleted

    return {
        "account_id": number,
        "site_id": place,
        "device_id": first(t.device, t.device.c.account_id == number),
        "slot_id": world.slots[account][0],
        "slot": "black",
        "sku": "TN-K",
        "cycle": 1,
        "order_id": first(t.order, t.order.c.account_id == number),
        "need_id": first(t.need, t.need.c.account_id == number),
        "number": first(t.purchase_order, t.purchase_order.c.account_id == number),
        "held_id": first(t.quarantine, t.quarantine.c.account_id == number),
        "subscription_id": first(t.subscription, t.subscription.c.account_id == number),
        "request_id": "r-1",
        "limit_id": first(t.spending_limit, t.spending_limit.c.account_id == number),
        "delegation_id": first(
            t.delegation, t.delegation.c.person_id == _of(world, t.person_account, "person_id", number)
        ),
        "person_id": _of(world, t.person_account, "person_id", number),
        "token_id": _of(world, t.token_account, "token_id", number),
    }


def _of(world: ApiWorld, table: Any, key: str, account_id: int) -> int:
    """The first one that a grant gives the account to."""
    return int(world.rows(table, table.c.account_id == account_id)[0]._mapping[key])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[ApiWorld]:
    with api_world(tmp_path_factory.mktemp("isolation"), model) as world:
        give_all(world)
        yield world


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_the_other_account_sees_nothing(shared: ApiWorld, method: str, path: str) -> None:
    world = shared
    role = CALLERS.get(path, Role.ACCOUNT_ADMIN)
    mine, other = world.client(role, ["acme"]), world.client(role, ["umbra"])
    target = path.format(**ids(world, "acme"))
    body = BODIES.get(path, {}) if method in {"POST", "PATCH"} else None
    hidden = other(method, target, json=body)
    assert hidden.status_code == 404, hidden.text
    missing = other(method, re.sub(r"\{\w+\}", "987654", path, count=1).format(**ids(world, "umbra")), json=body)
    assert missing.status_code == 404, missing.text
    assert hidden.json()["detail"] == missing.json()["detail"].replace("987654", _named(path, world))
    assert mine(method, target, json=body).status_code != 404


def _named(path: str, world: ApiWorld) -> str:
    name = re.findall(r"\{(\w+)\}", path)[0]
    return str(ids(world, "acme")[name])


def give_all(world: ApiWorld) -> None:
    """acme has one of each: a request, a person and a service's token, too."""
    with world.ledger.write() as tx:
        for number in world.accounts.values():
            one, two = (people.create(tx, OWNER, name, Role.APPROVER, world.real, accounts=[number]) for name in "BC")
            delegation.delegate(tx, Scope.all(), one.id, two.id, world.now, world.now + DAY)
            limits.put(tx, Scope.all(), number, "", per_order=Decimal(1000))
            tokens.create(tx, "report", Role.VIEWER, world.real, accounts=[number])
        row = {"id": "r-1", "kind": "count", "account_id": world.accounts["acme"], "site_id": world.site("acme")}
        tx.execute(t.request.insert().values(row | {"by": "Ann", "body": {}, "created": world.now}))
    order = world.rows(t.order, t.order.c.account_id == world.accounts["umbra"])[0]
    world.orders.approve(Scope.all(), order.id, by="Ann", now=world.now)
    world.apply(after=LIVED)


LISTS = [
    route.path
    for module in ROUTERS
    for route in module.router.routes
    if "GET" in route.methods and "{" not in route.path and "Page" in str(route.response_model)
]
CATALOGUE = {"/v1/products", "/v1/device-models", "/v1/delegations"}  # delegations are a person's


@pytest.mark.parametrize("path", sorted(set(LISTS) - CATALOGUE))
def test_lists_show_only_what_is_mine(still: ApiWorld, path: str) -> None:
    number = still.accounts["umbra"]
    items = still.client(Role.OPERATOR, ["umbra"]).get(path).json()["items"]
    assert {number for item in items for number in item.get("accounts") or ()} <= {number}
    assert {item.get("account_id", item["id"]) for item in items if "accounts" not in item} <= {number}
    everything = still.operator.get(path).json()["items"]
    assert len(everything) > len(items)


@pytest.mark.parametrize("filters", ["site", "account", "device", "slot"])
def test_filters_find_nothing_of_others(still: ApiWorld, filters: str) -> None:
    theirs = {"site": still.site("acme"), "account": still.accounts["acme"], "device": 1, "slot": 1}[filters]
    mine = still.client(Role.VIEWER, ["umbra"])
    for path in ("/v1/slots", "/v1/orders", "/v1/needs", "/v1/devices", "/v1/alerts", "/v1/tasks"):
        items = mine.get(path, **{filters: theirs}).json()["items"]
        assert {item["account_id"] for item in items} <= {still.accounts["umbra"]}
    for place in ({"site": still.site("acme")}, {"account": still.accounts["acme"]}):
        assert mine.get("/v1/demand", sku="TN-K", **place).status_code == 404


def test_a_supplier_sees_its_own_purchase_orders_only(still: ApiWorld) -> None:
    theirs = still.client(Role.SUPPLIER, (), supplier="papierwerk")
    others = still.client(Role.SUPPLIER, (), supplier="zweitwerk")
    found = theirs.get("/v1/purchase-orders").json()["items"]
    assert found
    assert others.get("/v1/purchase-orders").json()["items"] == []
    path = f"/v1/purchase-orders/{found[0]['id']}"
    assert theirs.get(path).status_code == 200
    assert others.get(path).status_code == 404
    assert others.post(path + "/acknowledge", {"lines": [{"line": 1}]}).status_code == 404
    for path in ("/v1/slots", "/v1/orders", "/v1/accounts", "/v1/events"):
        assert theirs.get(path).status_code == 403
