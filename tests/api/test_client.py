"""Our own client against the application: what it decodes is what is sent."""

import inspect
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from ledger import tables as t
from ledger.roles import Role
from tests.support import client_made
from tests.support.api_world import ApiWorld
from tests.support.bridge import Bridge
from ullage.client import Client, Conflict, Forbidden, NotFound, Retry, calls
from ullage.client.shapes import LineQuantity


def client(world: ApiWorld, role: Role = Role.OPERATOR, accounts: Any = None) -> tuple[Client, Bridge]:
    bridge = Bridge(world.app)
    token = world.token(role, accounts)
    return Client("http://ullage", token, transport=bridge, retry=Retry(first_s=0.0)), bridge


def test_it_is_made_from_the_contract_as_it_is() -> None:
    for path, text in client_made.made().items():
        assert path.read_text() == text, "make it anew: .venv/bin/python -m tests.support.client_made"


def reads() -> list[str]:
    """Calls that only read, by the names of what they take."""
    found = inspect.getmembers(calls.Calls, inspect.isfunction)
    return [name for name, _ in found if name.startswith(("list_", "show_")) or name == "time"]


EMPTY = {"list_budgets", "list_delegations", "list_limits"}  # the world has none of these
OWN_IDS = {
    "order_id": t.order,
    "need_id": t.need,
    "number": t.purchase_order,
    "held_id": t.quarantine,
    "subscription_id": t.subscription,
    "person_id": t.person,
    "token_id": t.token,
}


@pytest.mark.parametrize("name", sorted(set(reads()) - {"show_request"}))
def test_everything_that_can_be_read_is_understood(still: ApiWorld, name: str) -> None:
    ullage, _ = client(still)
    method = getattr(ullage, name)
    given: list[Any] = []
    for parameter in inspect.signature(method).parameters.values():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            table = OWN_IDS.get(parameter.name)
            number = 1 if table is None else still.rows(table)[0].id
            given.append("TN-K" if parameter.name == "sku" else number)
    named = {"sku": "TN-K"} if name == "show_demand" else {}
    answer = method(*given, **named)
    if isinstance(answer, Iterator):
        assert list(answer) or name in EMPTY
    else:
        assert answer.__struct_fields__


def test_pages_join(still: ApiWorld) -> None:
    ullage, bridge = client(still)
    found = list(ullage.list_slots(sort="empty_at", limit=3))
    assert len(found) == 8
    assert [slot.empty_at for slot in found] == sorted(slot.empty_at for slot in found if slot.empty_at)
    assert len(bridge.sent) == 3


def test_money_is_decimal(still: ApiWorld) -> None:
    ullage, _ = client(still)
    order = ullage.show_order(still.rows(t.order)[0].id)
    assert order.total == Decimal("54.90") * order.lines[0].quantity


def test_what_was_done_before_the_line_broke_is_not_done_twice(world: ApiWorld) -> None:
    ullage, bridge = client(world, Role.ACCOUNT_ADMIN, ["acme"])
    number = next(iter(ullage.list_purchase_orders())).id
    line = ullage.show_purchase_order(number).lines[0]
    bridge.fail = 2
    done = ullage.deliver(number, [LineQuantity(line=line.line, quantity=line.quantity)])
    assert done.state == "delivered"
    after = ullage.show_purchase_order(number).lines[0]
    assert (after.delivered, after.over) == (line.quantity, 0)
    assert [request.method for request in bridge.sent].count("POST") == 3


def test_problems_are_exceptions(world: ApiWorld) -> None:
    ullage, _ = client(world, Role.ACCOUNT_ADMIN, ["umbra"])
    placed = world.rows(t.order, t.order.c.account_id == world.accounts["acme"])[0].id
    with pytest.raises(NotFound, match=f"order {placed}"):
        ullage.show_order(placed)
    with pytest.raises(Forbidden):
        ullage.apply({})
    own = next(iter(ullage.list_orders(state="awaiting")))
    assert ullage.reject(own.id, "no").state == "rejected"
    with pytest.raises(Conflict):
        ullage.approve(own.id)


def test_only_what_is_given_is_sent(world: ApiWorld) -> None:
    ullage, bridge = client(world, Role.ACCOUNT_ADMIN, ["acme"])
    made = ullage.subscribe("ERP", "webhook", "https://acme.example/hook", account="acme")
    bridge.sent.clear()
    assert ullage.change_subscription(made.id, paused=True).paused
    assert bridge.sent[0].content == b'{"paused":true}'
