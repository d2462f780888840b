"""What to buy from whom: quantities by MOQ and multiple, price breaks, and the cheapest offer.

All quantities are units of the product: an offer's `pack` units come in one box, `moq` and `multiple` are its
supplier's rules, `price` is for one unit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from math import lcm

from models.money import Money


@dataclass(frozen=True, slots=True)
class PriceBreak:
    quantity: int  # from this quantity on
    price: Decimal  # a unit


@dataclass(frozen=True, slots=True)
class Terms:
    """One supplier's offer of one product, at the account's price."""

    offer: int
    supplier: int
    supplier_sku: str
    currency: str
    price: Decimal
    pack: int = 1
    moq: int = 1
    multiple: int = 1
    breaks: tuple[PriceBreak, ...] = ()
    lead_ms: int = 0  # median


@dataclass(frozen=True, slots=True)
class Quote:
    """A quantity at its price. `from_quantity` is that of the price break, 0 for the base price."""

    terms: Terms
    quantity: int
    unit_price: Money
    total: Money
    from_quantity: int


def order_quantity(units: int, moq: int, multiple: int) -> int:
    """m ceil(max(units, MOQ) / m), SCIENCE.md section 3.3. Raises ValueError for numbers below one."""
    if units < 1 or moq < 1 or multiple < 1:
        raise ValueError(f"units {units}, moq {moq} and multiple {multiple} must all be at least 1")
    return multiple * -(-max(units, moq) // multiple)


def price_at(terms: Terms, quantity: int) -> tuple[Decimal, int]:
    """The unit price at a quantity, and the break that gives it (0: the base price)."""
    reached = [b for b in terms.breaks if b.quantity <= quantity]
    if not reached:
        return terms.price, 0
    best = max(reached, key=lambda b: b.quantity)
    return best.price, best.quantity


def _quote(terms: Terms, quantity: int) -> Quote:
    price, from_quantity = price_at(terms, quantity)
    unit_price = Money(price, terms.currency)
    return Quote(terms, quantity, unit_price, unit_price * quantity, from_quantity)


def quote(terms: Terms, units: int) -> Quote:
    """At least `units`, for the least money: a price break is reached for when more goods then cost less in total."""
    multiple = lcm(terms.pack, terms.multiple)
    wanted = {order_quantity(units, terms.moq, multiple)}
    wanted |= {order_quantity(max(units, b.quantity), terms.moq, multiple) for b in terms.breaks}
    return min((_quote(terms, q) for q in wanted), key=lambda q: (q.total.amount, q.quantity))


def choose(offers: Iterable[Terms], units: int, currency: str) -> Quote | None:
    """The cheapest way to get `units` in the account's currency; of two equal ones the sooner, then the older offer."""
    quotes = [quote(t, units) for t in offers if t.currency == currency]
    return min(quotes, key=lambda q: (q.total.amount, q.terms.lead_ms, q.terms.offer), default=None)
