from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.money import Money
from models.pricing import PriceBreak, Terms, choose, order_quantity, price_at, quote


def terms(offer: int = 1, price: str = "54.90", currency: str = "EUR", **more: object) -> Terms:
    return Terms(offer, 1, f"P-{offer}", currency, Decimal(price), **more)  # type: ignore[arg-type]


@given(st.integers(1, 500), st.integers(1, 100), st.integers(1, 50))
def test_a_quantity_is_the_least_that_moq_and_multiple_allow(units: int, moq: int, multiple: int) -> None:
    quantity = order_quantity(units, moq, multiple)
    allowed = [q for q in range(multiple, units + moq + multiple + 1, multiple) if q >= max(units, moq)]
    assert quantity == allowed[0]


@pytest.mark.parametrize("bad", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_numbers_below_one_are_refused(bad: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        order_quantity(*bad)


def test_packs_are_what_is_counted() -> None:
    assert quote(terms(pack=4, multiple=6), 5).quantity == 6
    assert quote(terms(pack=4), 5).units == 8


@pytest.mark.parametrize(
    ("units", "quantity", "unit", "from_quantity"),
    [(1, 1, "54.90", 0), (8, 8, "54.90", 0), (10, 10, "49.90", 10), (12, 12, "49.90", 10)],
)
def test_a_reached_break_gives_its_price(units: int, quantity: int, unit: str, from_quantity: int) -> None:
    got = quote(terms(breaks=(PriceBreak(10, Decimal("49.90")),)), units)
    assert (got.quantity, got.unit_price, got.from_quantity) == (quantity, Money.of(unit, "EUR"), from_quantity)


def test_a_break_is_reached_for_when_more_costs_less() -> None:
    got = quote(terms(breaks=(PriceBreak(10, Decimal("40.00")),)), 9)
    assert (got.quantity, got.total) == (10, Money.of("400", "EUR"))


@given(
    st.integers(1, 60),
    st.integers(1, 20),
    st.integers(1, 7),
    st.integers(1, 6),
    st.lists(st.tuples(st.integers(2, 50), st.integers(1, 60)), max_size=3),
)
def test_no_allowed_quantity_near_is_cheaper(
    units: int, moq: int, multiple: int, pack: int, steps: list[tuple[int, int]]
) -> None:
    offer = terms(
        price="50", moq=moq, multiple=multiple, pack=pack, breaks=tuple(PriceBreak(q, Decimal(p)) for q, p in steps)
    )
    best = quote(offer, units)
    assert best.units >= units
    assert best.quantity >= moq
    assert best.quantity % multiple == 0
    for q in range(multiple, 200, multiple):
        if q >= moq and q * pack >= units:
            assert best.total.amount <= price_at(offer, q)[0] * q


def test_the_cheapest_offer_wins_then_the_sooner_then_the_older() -> None:
    assert choose([terms(1, "50"), terms(2, "40")], 1, "EUR").terms.offer == 2  # type: ignore[union-attr]
    assert choose([terms(1, lead_ms=5), terms(2, lead_ms=3)], 1, "EUR").terms.offer == 2  # type: ignore[union-attr]
    assert choose([terms(2), terms(1)], 1, "EUR").terms.offer == 1  # type: ignore[union-attr]


def test_a_small_need_prefers_the_small_minimum() -> None:
    bulk, single = terms(1, "10", moq=20), terms(2, "30")
    assert choose([bulk, single], 1, "EUR").terms.offer == 2  # type: ignore[union-attr]
    assert choose([bulk, single], 20, "EUR").terms.offer == 1  # type: ignore[union-attr]


def test_another_currency_is_no_offer() -> None:
    assert choose([terms(currency="USD")], 1, "EUR") is None
    assert choose([], 1, "EUR") is None
