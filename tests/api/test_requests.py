"""Requests go into the journal; the call waits a moment for the outcome, else it says where to ask."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import select

from api import shapes
from api.app import create_app
from ledger import tables as t
from ledger.roles import Role
from models.effects import Counted, RequestAnswered
from models.records import AnyRequest, Count, Reorder, Reverse, Swapped
from tests.support.api_world import ApiWorld, Client


def sent(world: ApiWorld) -> list[Any]:
    """Requests on their way into the journal."""
    rows = world.rows(t.outbox, t.outbox.c.kind == "request")
    return [msgspec.msgpack.decode(row.payload, type=AnyRequest) for row in rows]


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/v1/slots/{slot}/reorder", None, Reorder),
        ("/v1/devices/{device}/slots/black/reorder", None, Reorder),
        ("/v1/slots/{slot}/swapped", None, Swapped),
        ("/v1/slots/{slot}/cycles/1/reverse", None, Reverse),
        ("/v1/sites/{site}/spares", {"sku": "TN-K", "units": 2}, Count),
    ],
)
def test_without_a_worker_it_says_202_and_where_to_ask(world: ApiWorld, path: str, body: Any, kind: type) -> None:
    slot = world.slots["acme"][0]
    device = world.rows(t.slot, t.slot.c.id == slot)[0].device_id
    buyer = world.client(Role.BUYER)
    answer = buyer.post(path.format(slot=slot, device=device, site=world.site("acme")), body)
    assert answer.status_code == 202, answer.text
    asked = shapes.Asked.model_validate_json(answer.content)
    assert asked.outcome is None
    assert answer.headers["location"] == asked.link
    (request,) = sent(world)
    assert isinstance(request, kind)
    assert (request.id, request.by) == (asked.id, "Ann")
    later = buyer.get(asked.link)
    assert later.status_code == 200
    assert later.json() == answer.json()


def test_the_outcome_is_waited_for(world: ApiWorld) -> None:
    """A worker answers while the call waits."""
    slot = world.slots["acme"][0]
    app = create_app(replace(world.services, answer_within_s=10.0))
    buyer = Client(app, world.token(Role.BUYER))

    async def both() -> httpx.Response:
        call = asyncio.create_task(buyer.call("POST", f"/v1/slots/{slot}/reorder", params={"test": "true"}))
        while not (requests := await asyncio.to_thread(sent, world)):
            await asyncio.sleep(0.01)
        assert requests[0].test
        evidence = world.need("acme", 0).evidence
        effect = RequestAnswered(requests[0].id, "guarded", "an open need answers it", slot, 1, 1, evidence)
        await asyncio.to_thread(world.apply, effect)
        return await call

    answer = asyncio.run(both())
    assert answer.status_code == 200
    asked = shapes.Asked.model_validate_json(answer.content)
    assert (asked.outcome, asked.reason) == ("guarded", "an open need answers it")
    assert asked.need_id == world.rows(t.need, t.need.c.slot_id == slot)[0].id
    assert asked.probability == 0.07


def test_a_count_reaches_the_shelf(world: ApiWorld) -> None:
    site = world.site("acme")
    buyer = world.client(Role.BUYER)
    asked = buyer.post(f"/v1/sites/{site}/spares", {"sku": "TN-K", "units": 3}).json()
    (request,) = sent(world)
    effect = Counted(request.id, request.site, request.product, request.units, request.by)
    world.apply(effect, RequestAnswered(request.id, "counted", "3 on hand"))
    assert buyer.get(asked["link"]).json()["outcome"] == "counted"
    shelf = {row["sku"]: row["on_hand"] for row in buyer.get(f"/v1/sites/{site}/spares").json()["items"]}
    assert shelf["TN-K"] == 3


@pytest.mark.parametrize("body", [{"sku": "TN-K", "units": -1}, {"sku": "TN-K", "units": "many"}, {"units": 1}, {}])
def test_a_count_that_is_none_is_refused(world: ApiWorld, body: dict[str, Any]) -> None:
    answer = world.client(Role.BUYER).post(f"/v1/sites/{world.site('acme')}/spares", body)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert sent(world) == []


def test_a_repeated_call_asks_once(world: ApiWorld) -> None:
    """Even if the answer of the first was lost with its process: the request's id comes from the key."""
    buyer, path = world.client(Role.BUYER), f"/v1/slots/{world.slots['acme'][0]}/swapped"
    first = buyer.post(path, key="k-1").json()
    with world.ledger.write() as tx:
        tx.execute(t.idempotency.delete())
    assert buyer.post(path, key="k-1").json() == first
    assert buyer.post(path, key="k-2").json()["id"] != first["id"]
    assert len(sent(world)) == 2
    with world.ledger.read() as tx:
        assert len(tx.execute(select(t.request.c.id)).all()) == 2
