"""Idempotency-Key on every POST: the same call gets the same answer, another call under the key is refused."""

import asyncio
from typing import Any

import pytest

from api.app import ROUTERS
from api.description import SHOW_SECRETS
from api.once import OnceRoute
from ledger import idempotency
from ledger import tables as t
from ledger.roles import Role
from models.units import DAY, MINUTE
from tests.support.api_world import ApiWorld

POSTS = [route for module in ROUTERS for route in module.router.routes if "POST" in route.methods]


@pytest.mark.parametrize("route", POSTS, ids=lambda route: route.path)
def test_every_post_knows_the_key(route: Any) -> None:
    assert isinstance(route, OnceRoute) or route.path in SHOW_SECRETS, "a secret is not kept for a second answer"


def test_the_same_call_gets_the_same_answer(world: ApiWorld) -> None:
    buyer = world.client(Role.BUYER)
    number = world.rows(t.order)[0].id
    path = f"/v1/orders/{number}/cancel"
    first = buyer.post(path, {"reason": "x"}, key="a")
    assert first.status_code == 200
    events = len(world.rows(t.event))
    again = buyer.post(path, {"reason": "x"}, key="a")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert len(world.rows(t.event)) == events


def test_another_call_under_the_key_is_refused(world: ApiWorld) -> None:
    buyer, path = world.client(Role.BUYER), f"/v1/orders/{world.rows(t.order)[0].id}/cancel"
    buyer.post(path, {"reason": "x"}, key="a")
    answer = buyer.post(path, {"reason": "y"}, key="a")
    assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")


def test_a_call_that_is_under_way_is_not_begun_again(world: ApiWorld) -> None:
    buyer, path = world.client(Role.BUYER), f"/v1/orders/{world.rows(t.order)[0].id}/cancel"
    assert buyer.post(path, {}, key="a").status_code == 200
    with world.ledger.write() as tx:
        tx.execute(t.idempotency.update().values(status=0))
    answer = buyer.post(path, {}, key="a")
    assert (answer.status_code, answer.headers["retry-after"]) == (409, "1")
    world.real += 2 * MINUTE  # whoever began it has died
    assert buyer.post(path, {}, key="a").status_code == 200


def test_keys_belong_to_a_token_and_end(world: ApiWorld) -> None:
    path = f"/v1/orders/{world.rows(t.order)[0].id}/cancel"
    one, two = world.client(Role.BUYER), world.client(Role.BUYER)
    one.post(path, {"reason": "x"}, key="a")
    assert two.post(path, {"reason": "y"}, key="a").status_code == 200
    world.real += DAY + 1
    assert one.post(path, {"reason": "z"}, key="a").status_code == 200
    with world.ledger.write() as tx:
        assert idempotency.expire(tx, world.real + DAY + 1) == len(world.rows(t.idempotency))


def test_errors_are_not_kept(world: ApiWorld) -> None:
    buyer = world.client(Role.BUYER)
    assert buyer.post("/v1/orders/999/cancel", {}, key="a").status_code == 404
    assert world.rows(t.idempotency) == []
    assert buyer.post("/v1/orders/999/cancel", {}, key="k" * 129).status_code == 400


def test_a_delivery_is_booked_once(world: ApiWorld) -> None:
    purchase = world.rows(t.purchase_order)[0].id
    body = {"lines": [{"line": 1, "quantity": 1}]}
    for _ in range(3):
        assert world.operator.post(f"/v1/purchase-orders/{purchase}/deliver", body, key="d").status_code == 200
        with world.ledger.write() as tx:
            tx.execute(t.idempotency.delete())  # the process died before it could keep the answer
    assert len(world.rows(t.delivery, t.delivery.c.kind == "delivered")) == 1


def test_a_client_that_goes_away_within_its_body_is_no_fault_of_ours(world: ApiWorld) -> None:
    async def call() -> list[dict[str, Any]]:
        said: list[dict[str, Any]] = []
        headers = [(b"authorization", f"Bearer {world.token(Role.BUYER)}".encode()), (b"idempotency-key", b"gone")]
        scope = {
            "type": "http", "method": "POST", "path": "/v1/slots/1/swapped", "raw_path": b"/v1/slots/1/swapped",
            "query_string": b"", "headers": headers, "http_version": "1.1", "scheme": "http", "root_path": "",
            "server": ("test", 80), "client": ("test", 1),
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        await world.app(scope, receive, send)
        return said

    said = asyncio.run(call())
    assert said[0]["status"] == 400
