from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.money import CurrencyMismatch, Money

amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=4)


@given(amounts)
def test_the_stored_integer_gives_the_amount_back(amount: Decimal) -> None:
    money = Money(amount, "EUR")
    assert Money.from_scaled(money.scaled, "EUR") == money


@given(amounts, amounts)
def test_sums_of_stored_integers_are_sums_of_money(a: Decimal, b: Decimal) -> None:
    assert (Money(a, "EUR") + Money(b, "EUR")).scaled == Money(a, "EUR").scaled + Money(b, "EUR").scaled


@pytest.mark.parametrize("amount", [1.5, 1])
def test_only_a_decimal_is_money(amount: object) -> None:
    with pytest.raises(TypeError, match="money is a Decimal"):
        Money(amount, "EUR")  # type: ignore[arg-type]


def test_no_float_slips_in() -> None:
    with pytest.raises(TypeError, match="never a float"):
        Money.of(0.1, "EUR")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="whole number"):
        Money.of("1", "EUR") * 1.5  # type: ignore[operator]


@pytest.mark.parametrize(
    ("amount", "currency"), [("NaN", "EUR"), ("Infinity", "EUR"), ("0.00001", "EUR"), ("1", "eur"), ("1", "")]
)
def test_bad_money_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"finite|four decimals|capital letters"):
        Money.of(amount, currency)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(CurrencyMismatch, match="EUR with USD"):
        Money.of(1, "EUR") + Money.of(1, "USD")
    with pytest.raises(CurrencyMismatch):
        _ = Money.of(1, "EUR") < Money.of(1, "USD")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("54.9", "EUR", "54.90 EUR"),
        ("0.0125", "EUR", "0.0125 EUR"),
        ("1200", "JPY", "1200 JPY"),
        ("1", "KWD", "1.000 KWD"),
    ],
)
def test_money_reads_as_people_write_it(amount: str, currency: str, text: str) -> None:
    assert str(Money.of(amount, currency)) == text


def test_halves_round_to_even() -> None:
    assert Money.of("0.125", "EUR").rounded() == Money.of("0.12", "EUR")
    assert Money.of("0.135", "EUR").rounded() == Money.of("0.14", "EUR")
