"""Modes and pauses at every level: who may set them, what is asked first, what is told to whom."""

from typing import Any

import pytest
from sqlalchemy import update

from ledger import tables as t
from ledger.roles import Role
from ledger.tables import stock_movement
from tests.support.api_world import ApiWorld, Client


def places(world: ApiWorld) -> dict[str, str]:
    number = world.accounts["acme"]
    return {
        "account": f"/v1/accounts/{number}/ordering",
        "site": f"/v1/sites/{world.site('acme')}/ordering",
        "product": f"/v1/accounts/{number}/products/TN-K/ordering",
    }


def patch(client: Client, path: str, **body: Any) -> Any:
    return client("PATCH", path, json=body)


levels = pytest.mark.parametrize("level", ["account", "site", "product"])


@levels
def test_mode_and_pause_are_set_shown_and_audited(world: ApiWorld, level: str) -> None:
    path, admin = places(world)[level], world.client(Role.ACCOUNT_ADMIN)
    assert admin.get(path).json() == {"mode": "auto", "paused": False}
    assert patch(admin, path, paused=True).json() == {"mode": "auto", "paused": True}
    assert patch(admin, path, mode="ask").json() == {"mode": "ask", "paused": True}
    assert admin.get(path).json() == {"mode": "ask", "paused": True}
    entries = world.rows(t.audit, t.audit.c.action == "ordering.changed")
    assert [entry.by for entry in entries] == ["Ann", "Ann"]
    assert (entries[-1].before, entries[-1].after) == (
        {"mode": "auto", "paused": True},
        {"mode": "ask", "paused": True},
    )
    assert entries[-1].account_id == world.accounts["acme"]


@levels
def test_step_learns_of_it(world: ApiWorld, level: str) -> None:
    before = len(world.rows(t.outbox))
    patch(world.client(Role.ACCOUNT_ADMIN), places(world)[level], paused=True)
    assert len(world.rows(t.outbox)) == before + 1


@levels
def test_what_is_so_already_changes_nothing(world: ApiWorld, level: str) -> None:
    before = len(world.rows(t.outbox))
    assert patch(world.client(Role.ACCOUNT_ADMIN), places(world)[level], mode="auto", paused=False).status_code == 200
    assert len(world.rows(t.outbox)) == before
    assert world.rows(t.audit, t.audit.c.action == "ordering.changed") == []


@levels
def test_auto_asks_for_counts(world: ApiWorld, level: str) -> None:
    path, admin = places(world)[level], world.client(Role.ACCOUNT_ADMIN)
    patch(admin, path, mode="observe")
    refused = patch(admin, path, mode="auto")
    assert (refused.status_code, refused.json()["code"]) == (409, "uncounted")
    assert {"site": "hq", "sku": "TN-K"} in refused.json()["uncounted"]
    assert ({"site": "hq", "sku": "BEANS"} in refused.json()["uncounted"]) is (level != "product")
    assert admin.get(path).json()["mode"] == "observe"
    assert patch(admin, path, mode="auto", counted=True).json()["mode"] == "auto"


@levels
def test_auto_asks_not_for_what_was_counted(world: ApiWorld, level: str) -> None:
    path, admin = places(world)[level], world.client(Role.ACCOUNT_ADMIN)
    patch(admin, path, mode="observe")
    row = {"site_id": world.site("acme"), "kind": "counted", "units": 0, "on_hand": 0, "by": "Ann", "ts": world.now}
    with world.ledger.write() as tx:
        for product in world.products.values():
            tx.execute(stock_movement.insert().values(row | {"product_id": product, "source": f"test/{product}"}))
    assert patch(admin, path, mode="auto").json() == {"mode": "auto", "paused": False}


@levels
def test_only_administrators_set_it(world: ApiWorld, level: str) -> None:
    path = places(world)[level]
    for role in (Role.VIEWER, Role.BUYER, Role.APPROVER):
        client = world.client(role)
        assert client.get(path).status_code == 200
        assert patch(client, path, paused=True).status_code == 403


def test_retired_slots_are_not_asked_about(world: ApiWorld) -> None:
    with world.ledger.write() as tx:
        tx.execute(update(t.slot).where(t.slot.c.account_id == world.accounts["acme"]).values(retired=True))
    path, admin = places(world)["site"], world.client(Role.ACCOUNT_ADMIN)
    patch(admin, path, mode="off")
    assert patch(admin, path, mode="auto").json()["mode"] == "auto"


@pytest.mark.parametrize("body", [{"mode": "always"}, {"paused": "perhaps"}])
def test_what_is_no_mode(world: ApiWorld, body: dict[str, Any]) -> None:
    assert patch(world.client(Role.ACCOUNT_ADMIN), places(world)["account"], **body).status_code == 422
