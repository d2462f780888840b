"""Who sells to an account, and for how much."""

from decimal import Decimal
from typing import Any

import pytest

from ledger import tables as t
from ledger.offers import latest, median, terms_of
from models.pricing import PriceBreak, Terms
from models.units import DAY


def terms(world: Any) -> list[Terms]:
    with world.ledger.read() as tx:
        return terms_of(tx, world.account, world.toner, world.now)


def price_list(world: Any, *items: tuple[int, str], **more: Any) -> None:
    with world.ledger.write() as tx:
        values = {"account_id": world.account, "supplier_id": world.supplier, "currency": "EUR"} | more
        number = tx.execute(t.price_list.insert().values(values)).inserted_primary_key[0]
        for quantity, price in items:
            row = {"price_list_id": number, "product_id": world.toner, "quantity": quantity, "price": Decimal(price)}
            tx.execute(t.price_list_item.insert().values(row))


def test_without_a_price_list_the_suppliers_price_and_breaks_count(world: Any) -> None:
    with world.ledger.write() as tx:
        tx.execute(t.price_break.insert().values(offer_id=world.offer, quantity=10, price=Decimal("49.90")))
    mine, dear = terms(world)
    assert (mine.price, mine.breaks, mine.price_list) == (
        Decimal("54.90"),
        (PriceBreak(10, Decimal("49.90")),),
        0,
    )
    assert (dear.supplier, dear.price) == (world.dear, Decimal(70))


def test_the_newest_valid_price_list_of_the_account_takes_its_place(world: Any) -> None:
    price_list(world, (1, "52.00"), name="old")
    price_list(world, (1, "50.00"), (5, "45.00"), name="new", valid_from=world.now)
    price_list(world, (1, "1.00"), name="future", valid_from=world.now + 1)
    price_list(world, (1, "2.00"), name="past", valid_from=world.now - 1, valid_until=world.now)
    mine = terms(world)[0]
    assert (mine.price, mine.breaks) == (Decimal(50), (PriceBreak(5, Decimal(45)),))
    assert mine.price_list > 0


def test_a_list_for_larger_quantities_leaves_the_suppliers_price_below(world: Any) -> None:
    price_list(world, (5, "45.00"), name="bulk")
    mine = terms(world)[0]
    assert (mine.price, mine.breaks) == (Decimal("54.90"), (PriceBreak(5, Decimal(45)),))


def test_what_is_retired_is_not_offered(world: Any) -> None:
    with world.ledger.write() as tx:
        tx.execute(t.supplier.update().where(t.supplier.c.id == world.dear).values(retired=True))
        tx.execute(t.offer.update().where(t.offer.c.id == world.offer).values(retired=True))
    assert terms(world) == []


@pytest.mark.parametrize(
    ("grid", "middle", "late"),
    [([], 0, 0), ([DAY], DAY, DAY), ([DAY] * 16, DAY, DAY), (list(range(0, 1600, 100)), 800, 1534)],
)
def test_quantiles_of_a_lead_time_grid(grid: list[int], middle: int, late: int) -> None:
    assert (median(grid), latest(grid)) == (middle, late)
