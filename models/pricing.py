"""What to buy from whom: quantities by MOQ and multiple, price breaks, and the cheapest offer.

A *unit* is what lies on the shelf and fills a slot; a *pack* is what the supplier sells, `pack` units in one.
Quantities, MOQ, multiples, breaks and prices are in packs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from models.money import Money


@dataclass(frozen=True, slots=True)
class PriceBreak:
    quantity: int  # from this quantity on
    price: Decimal  # a pack


@dataclass(frozen=True, slots=True)
class Terms:
    """One supplier's offer of one product, at the account's price."""

    offer: int
    supplier: int
    supplier_sku: str
    currency: str
    price: Decimal
    pack: int = 1  # units
    moq: int = 1
    multiple: int = 1
    breaks: tuple[PriceBreak, ...] = ()
    price_list: int = 0  # of the account; 0: the supplier's own price
    lead_ms: int = 0  # median


@dataclass(frozen=True, slots=True)
class Quote:
    """A quantity of packs at its price. `from_quantity` is that of the price break, 0 for the base price."""

    terms: Terms
    quantity: int
    unit_price: Money
    total: Money
    from_quantity: int

    @property
    def units(self) -> int:
        return self.quantity * self.terms.pack


def order_quantity(packs: int, moq: int, multiple: int) -> int:
    """m ceil(max(packs, MOQ) / m): the least quantity that the supplier takes. Raises ValueError below one."""
    if packs < 1 or moq < 1 or multiple < 1:
        raise ValueError(f"packs {packs}, moq {moq} and multiple {multiple} must all be at least 1")
    return multiple * -(-max(packs, moq) // multiple)


def price_at(terms: Terms, quantity: int) -> tuple[Decimal, int]:
    """The price of a pack at a quantity, and the break that gives it (0: the base price)."""
    reached = [b for b in terms.breaks if b.quantity <= quantity]
    if not reached:
        return terms.price, 0
    best = max(reached, key=lambda b: b.quantity)
    return best.price, best.quantity


def _quote(terms: Terms, quantity: int) -> Quote:
    price, from_quantity = price_at(terms, quantity)
    unit_price = Money(price, terms.currency)
    return Quote(terms, quantity, unit_price, unit_price * quantity, from_quantity)


def quote(terms: Terms, units: float) -> Quote:
    """At least `units`, for the least money: a price break is reached for when more goods then cost less in total."""
    packs = max(1, ceil(units / terms.pack - 1e-6))  # four quarters of a pack are one pack
    wanted = {order_quantity(packs, terms.moq, terms.multiple)}
    wanted |= {order_quantity(max(packs, b.quantity), terms.moq, terms.multiple) for b in terms.breaks}
    return min((_quote(terms, q) for q in wanted), key=lambda q: (q.total.amount, q.quantity))


def choose(offers: Iterable[Terms], units: float, currency: str) -> Quote | None:
    """The cheapest way to get `units` in the account's currency; of two equal ones the sooner, then the older offer."""
    quotes = [quote(t, units) for t in offers if t.currency == currency]
    return min(quotes, key=lambda q: (q.total.amount, q.terms.lead_ms, q.terms.offer), default=None)
