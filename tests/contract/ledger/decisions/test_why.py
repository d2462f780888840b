"""`ullage why`: the receipt of an order, and why a slot has (not) been ordered for."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ledger import tables as t
from ledger import why
from ledger.scope import NotFound, Scope
from models.decide.layout import Status
from models.effects import Counted, SlotView, WouldOrder
from models.units import DAY, HOUR


def order_why(world: Any) -> why.OrderWhy:
    with world.ledger.read() as tx:
        return why.why_order(tx, world.scope, world.last(t.order).id, world.now)


def slot_why(world: Any, slot: int | None = None) -> why.SlotWhy:
    with world.ledger.read() as tx:
        return why.why_slot(tx, world.scope, slot or world.slots[0])


def seen(world: Any, status: str = "fine") -> SlotView:
    proof = world.need(world.slots[0]).evidence
    return SlotView(
        slot=world.slots[0], cycle=1, ts=world.now, level_low=11, level_high=20, level=15, rate=2.5,
        quantiles=proof.quantiles, probability=0.004, threshold=0.05, band=0, status=status, on_hand=0, on_order=0,
        last_heard=world.now - HOUR,
    )  # fmt: skip


def test_an_order_says_why_in_words(world: Any) -> None:
    world.change(t.account, monthly_budget=Decimal(200), limit_per_order=Decimal(150))
    world.placed(world.need(world.slots[0]))
    assert order_why(world).text().splitlines() == [
        "Order 1 of acme for hq, from papierwerk: 54.90 EUR, placed",
        "1. Black toner (TN-K): 1 x 54.90 EUR = 54.90 EUR from papierwerk",
        "   instead of 1 x 70.00 EUR = 70.00 EUR from dear",
        "   copier-0 black (slot 1, cycle 1): it would probably be empty before the goods arrive",
        "     level 12 %, falling 2.50 % per working day; last heard Thu 2025-10-09 09:53",
        "     as said Thu 2025-10-09 09:53 by reading 1042 of the machine's start 00000000000000b7",
        "     empty around Mon 2025-10-13 10:53 (from Sat 2025-10-11 10:53 to Thu 2025-10-16 10:53)",
        "     chance to be empty before goods arrive: 7.0 % (a day earlier 2.0 %, later 15 %); accepted: 5.0 %",
        "     goods take 2.2 days (between 6.0 hours and 4.0 days)",
        "     cover: 0 on the shelf, 0 on order, 0 machine(s) before this one",
        "budget of 2025-10: 200.00 EUR; 0.00 EUR before and 54.90 EUR after this order",
        "limit per order: 150.00 EUR",
        "approved automatically, Thu 2025-10-09 11:53: inside limits and budget",
        "frozen: Thu 2025-10-09 11:53; policy 1, logic 7",
    ]


def test_a_receipt_is_frozen_when_the_order_is_placed(world: Any) -> None:
    world.placed()
    before = order_why(world)
    world.change(t.offer, price=Decimal(999))
    world.change(t.product, name="Other")
    world.apply(after=DAY)
    after = order_why(world)
    assert msgspec.json.encode(after.receipt) == msgspec.json.encode(before.receipt)
    assert after.receipt.lines[0].needs[0].evidence == world.need(world.slots[0]).evidence


def test_before_that_it_is_a_view(world: Any) -> None:
    world.change(t.account, mode=2)
    world.proposed()
    world.apply(after=HOUR)
    said = order_why(world)
    assert said.receipt.frozen_at == 0
    assert "because: every order is asked for (mode ask)" in said.text()
    assert "not yet, this is how it stands" in said.text()


def test_a_minimum_and_a_price_break_are_explained(world: Any) -> None:
    world.change(t.offer, moq=3)
    with world.ledger.write() as tx:
        tx.execute(t.price_break.insert().values(offer_id=world.offer, quantity=4, price=Decimal("30.00")))
    world.placed()
    text = order_why(world).text()
    assert "4 x 30.00 EUR = 120.00 EUR from papierwerk (price from 4 on) [minimum 3]" in text
    assert "1 needed; the rest for a minimum, a multiple or a lower total price" in text


def test_why_not_yet(world: Any) -> None:
    assert "nothing was heard of it yet" in slot_why(world).verdict
    world.show(seen(world))
    said = slot_why(world)
    week = "Mon 1 Tue 1 Wed 1 Thu 1 Fri 1 Sat 0.1 Sun 0.1, holidays x 0.1"
    assert said.verdict == "not ordered: it will most probably last until goods that are ordered later arrive"
    assert said.text().splitlines() == [
        "Slot 1: black of copier-0 at hq (acme)",
        "not ordered: it will most probably last until goods that are ordered later arrive",
        "level 11 to 20 % (probably 15 %), falling 2.50 % per working day, cycle 1; as of Thu 2025-10-09 10:53",
        "empty around Mon 2025-10-13 10:53 (from Sat 2025-10-11 10:53 to Thu 2025-10-16 10:53)",
        "chance to be empty before goods arrive: 0.4 %; ordered from 5.0 % on",
        "cover: 0 on the shelf, 0 on order at this site",
        "last heard Thu 2025-10-09 09:53",
        "product TN-K, 2 offer(s)",
        "mode auto (account auto, site auto, SKU auto)",
        f"working days: {week}; given, since Thu 2025-10-09 10:53: the site is new",
        "guard: free, the slot never had a need",
    ]


def test_a_counter_that_is_the_clock_is_named(world: Any) -> None:
    world.change(t.device_model, counters=[{"name": "cups"}, {"name": "pages"}])
    world.change(t.slot, clock=1)
    world.show(replace(seen(world), counts_per_day=1250.0))
    pace = "falling 2.50 % per working day (1,250 pages per working day, 2.00 % per 1,000 pages)"
    assert pace in slot_why(world).text()
    need = world.need(world.slots[0])
    world.placed(replace(need, evidence=replace(need.evidence, counts_per_day=1250.0)))
    assert pace in order_why(world).text()


def test_a_level_that_nobody_reported_is_not_made_up(world: Any) -> None:
    silent = {"level_low": 0, "level_high": 100, "level": 50, "quantiles": (), "probability": 0.0, "last_heard": 0}
    world.show(replace(seen(world, "unknown"), **silent))
    said = slot_why(world).text()
    assert "not ordered: no level was ever reported" in said
    assert "level unknown, falling 2.50 % per working day" in said
    assert "chance to be empty before goods arrive: unknown; ordered from 5.0 % on" in said
    assert "last heard never" in said
    assert "probably" not in said.replace("most probably", "")


@pytest.mark.parametrize("status", [status.name.lower() for status in Status])
def test_every_status_is_explained(world: Any, status: str) -> None:
    world.show(seen(world, status))
    assert slot_why(world).verdict.startswith("not ordered")
    assert "see the figures" not in slot_why(world).verdict


def test_an_open_need_names_its_order(world: Any) -> None:
    world.proposed()
    said = slot_why(world)
    assert said.verdict == "ordered: need 1 is open, order 1 is proposed"
    assert "no second one until it is met" in said.text()


def test_the_cover_is_that_of_the_books_whenever_the_slot_was_looked_at(world: Any) -> None:
    world.show(seen(world))
    assert "cover: 0 on the shelf, 0 on order at this site\n" in slot_why(world).text()
    world.placed(world.need(world.slots[1]))
    world.apply(Counted("r", world.site, world.toner, 4.0, "anna"))
    said = slot_why(world).text()
    assert "cover: 4 on the shelf, 1 on order at this site (at its last look: 0 and 0)" in said


def test_a_refused_need_blocks_until_it_is_released_or_a_new_cycle_begins(world: Any) -> None:
    number = world.proposed()
    world.orders.cancel(world.scope, number, by="anna", now=world.now, reason="moving house")
    world.show(seen(world, "blocked"))
    said = slot_why(world)
    assert said.verdict == "not ordered: need 1 was refused (cancelled: moving house); release it to try again"
    assert "until a person releases it" in said.text()
    world.show(replace(seen(world), cycle=2))
    assert "most probably last" in slot_why(world).verdict


def test_mode_offers_retirement_and_mapping_are_reasons(world: Any) -> None:
    proof = world.need(world.slots[0]).evidence
    world.change(t.account, mode=1)
    world.change(t.site, paused=True)
    world.show(seen(world))
    world.apply(WouldOrder(world.slots[0], 1, world.site, world.toner, proof))
    said = slot_why(world)
    assert said.verdict.endswith("and the mode is observe")
    assert "mode observe (account observe, site auto, SKU auto, paused at site)" in said.text()
    assert "it would have been ordered, had the mode allowed it" in said.text()
    world.change(t.offer, retired=True)
    assert "nobody offers TN-K" in slot_why(world).verdict
    world.change(t.slot, product_id=None)
    assert "no product fits this slot" in slot_why(world).verdict
    world.change(t.slot, retired=True)
    assert "it is retired" in slot_why(world).verdict


def test_nobody_learns_of_another_accounts(world: Any) -> None:
    world.proposed()
    other = Scope.of(world.account + 1)
    with world.ledger.read() as tx:
        with pytest.raises(NotFound):
            why.why_order(tx, other, 1, world.now)
        with pytest.raises(NotFound):
            why.why_slot(tx, other, world.slots[0])


def test_both_are_data_too(world: Any) -> None:
    world.placed()
    assert msgspec.json.decode(msgspec.json.encode(order_why(world)))["receipt"]["total"] == "54.9"
    assert msgspec.json.decode(msgspec.json.encode(slot_why(world)))["need"]["order_state"] == "placed"
