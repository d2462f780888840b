"""Notices: every event reaches who subscribed once, in the words of people, and nothing of other accounts."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from ledger import events, outbox
from ledger import tables as t
from ledger.engine import Ledger
from ledger.fleet import apply_fleet, parse_fleet
from ledger.notices import risks, subscriptions
from ledger.notices.collect import PAGE, collect, message_id, sample
from ledger.registry.common import Invalid
from ledger.scope import NotFound, Scope
from models.units import DAY, HOUR, MINUTE

from .world import NOW, fleet_content

ALL = Scope.all()


@pytest.fixture
def fleet(ledger: Ledger) -> Ledger:
    apply_fleet(ledger, parse_fleet(fleet_content()), NOW)
    return ledger


def account(ledger: Ledger, name: str = "acme") -> int:
    with ledger.read() as tx:
        return int(tx.scalar(select(t.account.c.id).where(t.account.c.name == name)) or 0)


def subscribe(ledger: Ledger, **more: Any) -> int:
    values = {"account_id": account(ledger), "kinds": ["*"]} | more
    with ledger.write() as tx:
        made = subscriptions.create(tx, ALL, "ERP", "webhook", "https://erp.example/hook", NOW, **values)
    return made.subscription.id


def happen(ledger: Ledger, *kinds: str, account_id: int | None = None, subject: str = "test/1") -> None:
    with ledger.write() as tx:
        for kind in kinds:
            events.append(tx, account_id or account(ledger), kind, subject, {"by": "test", "text": f"a {kind}"}, NOW)


def messages(ledger: Ledger) -> list[tuple[str, dict[str, Any]]]:
    """(message id, body) of all that is in the outbox for subscribers, in order."""
    with ledger.read() as tx:
        rows = tx.execute(select(t.outbox).where(t.outbox.c.kind == "webhook").order_by(t.outbox.c.id)).all()
    return [(message_id(row.key), json.loads(row.payload)) for row in rows]


def types(ledger: Ledger) -> list[str]:
    return [body["type"] for _, body in messages(ledger)]


def test_what_happens_from_now_on_is_told_once(fleet: Ledger) -> None:
    happen(fleet, "order.before")
    number = subscribe(fleet)
    happen(fleet, "order.placed", "task.opened")
    assert collect(fleet, NOW) == 2
    assert collect(fleet, NOW) == 0
    (name, first), (_, second) = messages(fleet)
    assert name.startswith(f"msg_{number}_")
    assert [first["type"], second["type"]] == ["order.placed", "task.opened"]
    assert first["data"]["text"] == "test/1: placed (a order.placed)"
    assert first["data"]["account_id"] == account(fleet)
    assert first["timestamp"] == first["data"]["happened_at"]


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        (["*"], ["order.placed", "order.shipped", "task.opened"]),
        (["order.*"], ["order.placed", "order.shipped"]),
        (["order.placed", "task.opened"], ["order.placed", "task.opened"]),
        (["order"], None),
        (["orders.*"], []),
        ([], None),
        (["order.placed; drop"], None),
    ],
)
def test_only_the_kinds_that_were_asked_for(fleet: Ledger, kinds: list[str], told: list[str] | None) -> None:
    if told is None:
        with pytest.raises(Invalid, match="kind"):
            subscribe(fleet, kinds=kinds)
        return
    subscribe(fleet, kinds=kinds)
    happen(fleet, "order.placed", "order.shipped", "task.opened")
    collect(fleet, NOW)
    assert types(fleet) == told


def test_nothing_of_other_accounts(fleet: Ledger) -> None:
    subscribe(fleet)
    other = account(fleet, "umbra")
    happen(fleet, "order.placed", account_id=other)
    assert collect(fleet, NOW) == 0
    subscribe(fleet, account_id=None)
    happen(fleet, "order.shipped", account_id=other)
    collect(fleet, NOW)
    assert types(fleet) == ["order.shipped"]  # the operator's


def test_many_pages_of_events_come_whole(fleet: Ledger) -> None:
    subscribe(fleet)
    happen(fleet, *["slot.refilled"] * (2 * PAGE + 3))
    assert collect(fleet, NOW) == 2 * PAGE + 3
    ids = [name for name, _ in messages(fleet)]
    assert len(set(ids)) == len(ids)


def test_a_digest_gathers_until_it_is_due(fleet: Ledger) -> None:
    subscribe(fleet, digest_ms=HOUR)
    happen(fleet, "order.placed", "order.shipped")
    assert collect(fleet, NOW + HOUR - 1) == 0
    assert collect(fleet, NOW + HOUR) == 1
    assert collect(fleet, NOW + 2 * HOUR) == 0  # nothing happened
    (_, body), *rest = messages(fleet)
    assert not rest
    assert [one["kind"] for one in body["data"]["events"]] == ["order.placed", "order.shipped"]
    assert body["data"]["left_out"] == 0


def test_a_digest_is_bounded_and_says_what_it_leaves_out(fleet: Ledger) -> None:
    subscribe(fleet, digest_ms=HOUR)
    happen(fleet, *["slot.refilled"] * 510)
    assert collect(fleet, NOW + HOUR) == 1
    ((_, body),) = messages(fleet)
    assert (len(body["data"]["events"]), body["data"]["left_out"]) == (500, 10)


def test_paused_it_misses_what_happens(fleet: Ledger) -> None:
    number = subscribe(fleet)
    with fleet.write() as tx:
        subscriptions.change(tx, ALL, number, NOW, paused=True)
    happen(fleet, "order.placed")
    assert collect(fleet, NOW) == 0
    with fleet.write() as tx:
        subscriptions.change(tx, ALL, number, NOW, paused=False)
    happen(fleet, "order.shipped")
    collect(fleet, NOW)
    assert types(fleet) == ["order.shipped"]


def test_told_again_with_the_same_ids(fleet: Ledger) -> None:
    number = subscribe(fleet)
    happen(fleet, "order.placed", "order.shipped")
    collect(fleet, NOW)
    first = messages(fleet)
    with fleet.write() as tx:
        subscriptions.replay(tx, ALL, number, first[0][1]["data"]["id"])
    assert collect(fleet, NOW) == 1
    assert messages(fleet)[2:] == first[1:]
    with fleet.write() as tx, pytest.raises(Invalid, match="told events up to"):
        subscriptions.replay(tx, ALL, number, 10**9)


def test_what_is_wrong_is_refused_with_a_reason(fleet: Ledger) -> None:
    for channel, target in (
        ("webhook", "ftp://example.com"),
        ("webhook", "https://user:pw@example.com"),
        ("webhook", "https://"),
        ("webhook", "https://example.com:99999"),
        ("webhook", "https://example.com/a b"),
        ("email", "not an address"),
        ("email", "a@example.com\nBcc: b@example.com"),
        ("pigeon", "coo"),
    ):
        with fleet.write() as tx, pytest.raises(Invalid):
            subscriptions.create(tx, ALL, "x", channel, target, NOW, account_id=account(fleet))
    with pytest.raises(Invalid, match="5 minutes"):
        subscribe(fleet, digest_ms=MINUTE)


def test_a_tenant_subscribes_for_itself_only(fleet: Ledger) -> None:
    mine, other = account(fleet), account(fleet, "umbra")
    with fleet.write() as tx:
        for wanted in (None, other):
            with pytest.raises(NotFound):
                subscriptions.create(tx, Scope.of(mine), "x", "webhook", "https://x.example", NOW, account_id=wanted)
    number = subscribe(fleet)
    with fleet.read() as tx:
        assert subscriptions.list_subscriptions(tx, Scope.of(other)) == []
        with pytest.raises(NotFound):
            subscriptions.get(tx, Scope.of(other), number)


def test_a_test_message_is_another_one_each_time(fleet: Ledger) -> None:
    number = subscribe(fleet)
    with fleet.write() as tx:
        assert sample(tx, number, NOW, 1) != sample(tx, number, NOW, 2)
    assert types(fleet) == ["test", "test"]
    with fleet.read() as tx:
        assert outbox.waiting(tx).waiting >= 2


def slot_view(ledger: Ledger, *, device: str = "copier-01", **more: Any) -> int:
    values = {"band": 2, "probability": 0.7, "on_hand": 0.0, "on_order": 0.0, "cycle": 1}
    with ledger.write() as tx:
        row = tx.execute(
            select(t.slot).join(t.device, t.device.c.id == t.slot.c.device_id).where(t.device.c.name == device)
        ).first()
        assert row is not None
        columns = {c.name: 0 for c in t.slot_view.c if not c.nullable and c.server_default is None}
        columns |= {"slot_id": row.id, "account_id": row.account_id, "site_id": row.site_id, "quantiles": []}
        columns |= {"status": "fine", "empty_at": NOW + DAY} | values | more
        tx.execute(t.slot_view.delete().where(t.slot_view.c.slot_id == row.id))
        tx.execute(t.slot_view.insert().values(columns))
    return int(row.id)


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ({}, 1),
        ({"probability": 0.4}, 0),
        ({"on_order": 1.0}, 0),
        ({"on_hand": 1.0}, 0),
        ({"band": 3, "on_order": 1.0}, 1),
        ({"band": 3, "on_hand": 1.0}, 0),
        ({"band": 1, "probability": 0.9}, 0),
    ],
)
def test_a_stock_out_risk_is_told_once_in_a_cycle(fleet: Ledger, seen: dict[str, Any], told: int) -> None:
    subscribe(fleet, kinds=["slot.stock_out_risk"])
    number = slot_view(fleet, **seen)
    assert risks.tell(fleet, NOW) == told
    assert risks.tell(fleet, NOW + HOUR) == 0
    slot_view(fleet, **(seen | {"cycle": 2}))
    assert risks.tell(fleet, NOW + DAY) == told
    collect(fleet, NOW)
    assert [body["data"]["subject"] for _, body in messages(fleet)] == [f"slot/{number}"] * 2 * told
    for _, body in messages(fleet):
        assert "copier-01 at " in body["data"]["text"]


def test_nothing_of_a_sandbox_device_is_told(fleet: Ledger) -> None:
    subscribe(fleet)
    number = slot_view(fleet)
    with fleet.write() as tx:
        tx.execute(t.device.update().values(sandbox=True))
    assert risks.tell(fleet, NOW) == 0
    happen(fleet, "slot.refilled", subject=f"slot/{number}")
    assert collect(fleet, NOW) == 0
