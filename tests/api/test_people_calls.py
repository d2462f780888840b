"""People and tokens over /v1: nobody gives more than is theirs, secrets are shown once, every change is on record."""

import re
from decimal import Decimal
from typing import Any

import pytest

from api.app import ROUTERS
from api.failures import FAILURES, MOST_KNOWN, Failures
from api.problems import Problem
from ledger import delegation, limits, people, tokens
from ledger import tables as t
from ledger.grants import OWNER
from ledger.ready import mark_ready
from ledger.roles import Permission, Role
from ledger.scope import Scope
from models.facts import NeedState
from models.units import DAY, HOUR, SECOND
from tests.api.test_isolation import BODIES, ids
from tests.support.api_world import ApiWorld, Client


def new(role: str = "buyer", accounts: Any = (), **more: Any) -> dict[str, Any]:
    return {"name": "Bea", "email": "Bea@Example.com", "role": role, "accounts": accounts} | more


def test_a_person_is_let_in_changed_and_kept_out(world: ApiWorld) -> None:
    admin, mine = world.client(Role.ACCOUNT_ADMIN), [world.accounts["acme"]]
    made = admin.post("/v1/people", new(accounts=mine)).json()
    assert (made["email"], made["accounts"]) == ("bea@example.com", mine)
    token = admin.post("/v1/tokens", {"name": "shop", "person_id": made["id"]}).json()
    theirs = Client(world.app, token["secret"])
    assert theirs.get("/v1/me").json()["person"] == "Bea"
    path = f"/v1/people/{made['id']}"
    assert admin.post(f"{path}/change", {"role": "viewer"}).json()["role"] == "viewer"
    world.real += SECOND
    assert theirs.get("/v1/me").json()["scopes"] == ["read"]
    assert admin.post(f"{path}/end").json()["ended_at"]
    world.real += SECOND
    assert theirs.get("/v1/me").status_code == 401
    assert [row.action for row in world.rows(t.audit)][-4:] == [
        "person.created",
        "token.created",
        "person.changed",
        "person.ended",
    ]
    changed = world.rows(t.audit, t.audit.c.action == "person.changed")[0]
    assert (changed.by, changed.before["role"], changed.after["role"]) == ("Ann", "buyer", "viewer")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (new("operator", None), 403, "not_yours"),
        (new("planner", None), 403, "not_yours"),
        (new("supplier", [], supplier_id=1), 403, "not_yours"),
        (new(accounts=[2]), 403, "not_yours"),
        (new(accounts=[1, 2]), 403, "not_yours"),
        (new(accounts=[1], email="nonsense"), 422, "invalid"),
        (new(accounts=[1], name=" "), 422, "invalid"),
        (new(accounts=None), 403, "not_yours"),
    ],
)
def test_nobody_gives_more_than_is_theirs(still: ApiWorld, body: dict[str, Any], status: int, code: str) -> None:
    answer = still.client(Role.ACCOUNT_ADMIN).post("/v1/people", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_an_address_is_one_persons(world: ApiWorld) -> None:
    assert world.operator.post("/v1/people", new(accounts=[1])).status_code == 200
    assert world.operator.post("/v1/people", new(accounts=[2])).json()["code"] == "taken"
    assert world.operator.post("/v1/people", new(accounts=[4711], email=None)).json()["code"] == "invalid"


def test_who_reaches_further_is_not_shown_to_an_accounts_administrator(world: ApiWorld) -> None:
    with world.ledger.write() as tx:
        both = people.create(tx, OWNER, "Cai", Role.BUYER, world.real, accounts=world.accounts.values())
        token = tokens.create_for(tx, "x", both.id, world.real).token
    admin = world.client(Role.ACCOUNT_ADMIN)
    for path in (f"/v1/people/{both.id}", f"/v1/tokens/{token.id}"):
        assert admin.get(path).status_code == 404
        assert world.operator.get(path).status_code == 200
    assert admin.post(f"/v1/people/{both.id}/end").status_code == 404
    assert both.id not in {one["id"] for one in admin.get("/v1/people").json()["items"]}


def test_a_token_has_less_than_its_role(world: ApiWorld) -> None:
    admin = world.client(Role.ACCOUNT_ADMIN)
    body = {"name": "report", "role": "buyer", "accounts": [world.accounts["acme"]], "scopes": ["read"]}
    made = admin.post("/v1/tokens", body).json()
    report = Client(world.app, made["secret"])
    assert report.get("/v1/orders").status_code == 200
    refused = report.post("/v1/orders/1/cancel")
    assert (refused.status_code, "scopes" in refused.json()["detail"]) == (403, True)
    assert admin.post("/v1/tokens", body | {"scopes": ["operate"]}).json()["code"] == "invalid"
    shown = admin.get(f"/v1/tokens/{made['id']}").json()
    assert (shown["prefix"], shown["scopes"]) == (made["secret"][:13], ["read"])
    assert made["secret"] not in str(admin.get("/v1/tokens").json())


def test_a_scoped_administrator_gives_only_its_own_scopes(world: ApiWorld) -> None:
    with world.ledger.write() as tx:
        scopes = [Permission.READ, Permission.ADMINISTER]
        made = tokens.create(tx, "x", Role.ACCOUNT_ADMIN, world.real, accounts=[1], scopes=scopes)
    narrow = Client(world.app, made.secret)
    body = {"name": "y", "role": "buyer", "accounts": [1]}
    assert narrow.post("/v1/tokens", body).json()["code"] == "not_yours"
    assert narrow.post("/v1/tokens", body | {"scopes": ["read"]}).status_code == 200


def test_a_service_approves_nothing(world: ApiWorld) -> None:
    with world.ledger.write() as tx:
        made = tokens.create(tx, "robot", Role.APPROVER, world.real, accounts=[world.accounts["umbra"]])
    answer = Client(world.app, made.secret).post("/v1/orders/1/approve")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "only a person" in answer.json()["detail"]


def test_who_makes_a_token_for_another_cannot_approve_with_it(world: ApiWorld) -> None:
    admin = world.client(Role.ACCOUNT_ADMIN)
    approver = admin.post("/v1/people", new("approver", [world.accounts["acme"]])).json()
    body = {"name": "x", "person_id": approver["id"]}
    assert admin.post("/v1/tokens", body).json()["code"] == "not_yours"
    made = admin.post("/v1/tokens", body | {"scopes": ["read", "order"]})
    assert "approve" not in made.json()["scopes"]
    me = admin.get("/v1/me").json()
    own = admin.post("/v1/tokens", {"name": "mine", "person_id": me["person_id"]})
    assert "approve" in own.json()["scopes"]
    with world.ledger.write() as tx:
        theirs = tokens.create_for(tx, "own", approver["id"], world.real)
    assert admin.post(f"/v1/tokens/{theirs.token.id}/rotate", {}).json()["code"] == "not_yours"
    assert Client(world.app, theirs.secret).post(f"/v1/tokens/{theirs.token.id}/rotate", {}).status_code == 200


def test_a_rotated_token_lives_on_for_a_while(world: ApiWorld) -> None:
    with world.ledger.write() as tx:
        old = tokens.create(tx, "x", Role.VIEWER, world.real, accounts=[1], expires=world.real + 90 * DAY)
    admin = world.client(Role.ACCOUNT_ADMIN)
    made = admin.post(f"/v1/tokens/{old.token.id}/rotate", {"overlap_s": 3600}).json()
    before, after = Client(world.app, old.secret), Client(world.app, made["secret"])
    world.real += HOUR - 1
    assert (before.get("/v1/me").status_code, after.get("/v1/me").status_code) == (200, 200)
    world.real += SECOND
    assert (before.get("/v1/me").status_code, after.get("/v1/me").status_code) == (401, 200)
    assert admin.post(f"/v1/tokens/{old.token.id}/rotate", {}).json()["code"] == "invalid"
    assert admin.post(f"/v1/tokens/{made['id']}/revoke").json()["revoked_at"]
    world.real += SECOND
    assert after.get("/v1/me").status_code == 401


def test_only_its_person_or_an_administrator_rotates_a_token(world: ApiWorld) -> None:
    with world.ledger.write() as tx:
        other = tokens.create(tx, "x", Role.VIEWER, world.real, accounts=[1]).token
    viewer = world.client(Role.VIEWER)
    assert viewer.post(f"/v1/tokens/{other.id}/rotate", {}).status_code == 404
    own = viewer.get("/v1/me").json()["token_id"]
    assert viewer.post(f"/v1/tokens/{own}/rotate", {}).status_code == 200


def test_a_prefix_that_is_guessed_at_waits_wherever_it_is_guessed(world: ApiWorld) -> None:
    """But the true token always gets through: a prefix is no secret."""
    good = world.token(Role.VIEWER)
    guess = good[:13] + "x" * 30
    answers = [Client(world.app, guess, client=(f"10.0.0.{n}", 1)).get("/v1/me") for n in range(FAILURES + 2)]
    assert [answer.status_code for answer in answers] == [401] * FAILURES + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert Client(world.app, good, client=("10.0.1.1", 1)).get("/v1/me").status_code == 200


def test_failures_are_kept_in_bounded_memory() -> None:
    failures = Failures()
    for _ in range(FAILURES):
        failures.add("first", 0)
    with pytest.raises(Problem):
        failures.check("first", 0)
    for n in range(MOST_KNOWN):
        failures.add(str(n), 0)
    failures.check("first", 0)  # forgotten, for the newer ones


def test_the_audit_is_shown_by_account(world: ApiWorld) -> None:
    admin, other = world.client(Role.ACCOUNT_ADMIN), world.client(Role.ACCOUNT_ADMIN, ["umbra"])
    admin.post("/v1/people", new(accounts=[world.accounts["acme"]]))
    found = admin.get("/v1/audit", by="Ann").json()["items"]
    assert found[0]["action"] == "person.created"
    assert admin.get("/v1/audit", subject=found[0]["subject"]).json()["items"] == found[:1]
    assert found[0] not in other.get("/v1/audit").json()["items"]
    first = world.operator.get("/v1/audit", limit=1).json()
    second = world.operator.get("/v1/audit", limit=1, cursor=first["next"]).json()
    assert second["items"][0]["id"] < first["items"][0]["id"]


# every call that changes something, with a body by which it does; the others say why they need no row
CALLS: dict[str, Any] = BODIES | {
    "/v1/people": new(accounts=[1]),
    "/v1/people/{person_id}/end": {},
    "/v1/tokens": {"name": "x", "role": "viewer", "accounts": [1]},
    "/v1/tokens/{token_id}/rotate": {},
    "/v1/tokens/{token_id}/revoke": {},
    "/v1/fleet": {"products": [{"sku": "NEW", "name": "New"}]},
    "/v1/orders/{order_id}/approve": {},
    "/v1/orders/{order_id}/cancel": {},
    "/v1/orders/{order_id}/lost": {},
    "/v1/needs/{need_id}/release": {},
    "/v1/slots/{slot_id}/swapped": {},
    "/v1/slots/{slot_id}/reorder": {},
    "/v1/slots/{slot_id}/cycles/{cycle}/reverse": {},
    "/v1/devices/{device_id}/slots/{slot}/reorder": {},
    "/v1/quarantine/{held_id}/discard": {},
    "/v1/quarantine/{held_id}/replay": {"fix": {"supplies": {"black": {"level": 0.42}, "beans": None}}},
    "/v1/quarantine/replay": {"ids": [1], "fix": {"supplies": {"black": {"level": 0.42}, "beans": None}}},
    "/v1/quarantine/discard": {"ids": [1], "reason": "a test"},
    "/v1/limits/{limit_id}": {},
    "/v1/delegations": {"starts_at": "2026-11-21T09:30:00Z", "ends_at": "2026-11-22T09:30:00Z"},
    "/v1/delegations/{delegation_id}": {},
    "/v1/subscriptions": {"name": "x", "channel": "email", "target": "ann@example.com", "kinds": ["order.placed"]},
    "/v1/subscriptions/{subscription_id}": {"paused": True},
    "/v1/accounts/{account_id}/products/{sku}/ordering": {"paused": True},
    "/v1/sites/{site_id}/ordering": {"paused": True},
    "/v1/subscriptions/{subscription_id}/secret": {},
    "/v1/subscriptions/{subscription_id}/test": {},
    "/v1/subscriptions/{subscription_id}/replay": {"after": 0},
}
PERSONS = {"/v1/orders/{order_id}/approve": "umbra", "/v1/orders/{order_id}/reject": "umbra", "/v1/delegations": "acme"}
PERSONS |= {"/v1/delegations/{delegation_id}": "acme", "/v1/orders/{order_id}/details": "umbra"}
STATES = {
    "/v1/orders/{order_id}/lost": "placed",
    "/v1/orders/{order_id}/approve": "awaiting",
    "/v1/orders/{order_id}/reject": "awaiting",
    "/v1/orders/{order_id}/details": "awaiting",
}
FIRST_ASKED = "/v1/purchase-orders/{number}/answer-cancel"  # asked by a cancellation of the order
MUTATING = sorted((method, r.path) for m in ROUTERS for r in m.router.routes for method in r.methods - {"GET", "HEAD"})


@pytest.mark.parametrize(("method", "path"), MUTATING)
def test_every_change_leaves_a_row_that_names_who_made_it(world: ApiWorld, method: str, path: str) -> None:
    with world.ledger.write() as tx:
        one, two = (
            people.create(tx, OWNER, x, Role.APPROVER, world.real, accounts=[world.accounts["acme"]]) for x in "BC"
        )
        delegation.delegate(tx, Scope.all(), one.id, two.id, world.now, world.now + DAY)
        limits.put(tx, Scope.all(), world.accounts["acme"], "", per_order=Decimal(1000))
        tokens.create(tx, "report", Role.VIEWER, world.real, accounts=[world.accounts["acme"]])
        if path.endswith("/release"):
            tx.execute(t.need.update().values(state=NeedState.REFUSED))
        tx.execute(t.outbox.delete())  # the journal knows the fleet
        mark_ready(tx)
    named = ids(world, "acme")
    body = CALLS[path] | ({"deputy_id": two.id} if path == "/v1/delegations" else {})
    if path in STATES:
        named["order_id"] = world.rows(t.order, t.order.c.state == STATES[path])[0].id
    if path == FIRST_ASKED:
        sent = world.rows(t.purchase_order, t.purchase_order.c.id == named["number"])[0]
        world.client(Role.BUYER).post(f"/v1/orders/{sent.order_id}/cancel")
    role, whose = (Role.ACCOUNT_ADMIN, [PERSONS[path]]) if path in PERSONS else (Role.OPERATOR, None)
    before = world.rows(t.audit)
    answer = world.client(role, whose, person="Zoe")(method, path.format(**named), json=body)
    assert answer.status_code in {200, 202}, answer.text
    new_rows = world.rows(t.audit)[len(before) :]
    assert {row.by for row in new_rows} == {"Zoe"}
    assert all(re.fullmatch(r"\w+/[\w-]+(/\w+/[\w-]+)?|fleet", row.subject) for row in new_rows)
