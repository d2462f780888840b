"""The receipt of an order: why it was made, frozen when it is placed, never computed again (LIFECYCLE.md rule 10)."""

from decimal import Decimal

import msgspec

from models.effects import Evidence

VERSION = 1
POLICY = "1"
"""Version of the rules in this package: prices, windows, approval. Part of every receipt."""


class NeedPart(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine said and what follows from it: one need that this line answers."""

    id: str
    slot: int
    slot_name: str
    device: str
    cycle: int
    attempt: int
    cause: str  # "probability", "signal", "request"
    channel: str
    urgent: bool
    deadline: int  # ms
    units: int
    evidence: Evidence
    request: str = ""
    proposed_at: int = 0


class OfferPart(msgspec.Struct, frozen=True, kw_only=True):
    """An offer that was looked at: what it would have cost."""

    supplier: str
    supplier_sku: str
    quantity: int
    unit_price: Decimal
    total: Decimal
    from_quantity: int = 0  # of the price break; 0: the base price
    moq: int = 1
    multiple: int = 1
    lead_ms: int = 0


class LinePart(msgspec.Struct, frozen=True, kw_only=True):
    line: int
    sku: str
    product: str
    chosen: OfferPart
    units_needed: int
    others: tuple[OfferPart, ...] = ()
    needs: tuple[NeedPart, ...] = ()


class BudgetPart(msgspec.Struct, frozen=True, kw_only=True):
    """The month's budget when the order was weighed. `amount` None: the account has none."""

    month: str
    amount: Decimal | None
    before: Decimal  # spent and reserved, without this order
    after: Decimal


class ApprovalPart(msgspec.Struct, frozen=True, kw_only=True):
    how: str  # "automatic" or "person"
    by: str
    at: int
    why: str  # for people: "inside the limit of 500.00 EUR and the budget"


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    version: int = VERSION
    order: int
    account: str
    site: str
    supplier: str
    currency: str
    total: Decimal
    frozen_at: int  # ms; 0: not frozen yet, a view of how it stands
    lines: tuple[LinePart, ...]
    budget: BudgetPart
    limit: Decimal | None  # per order
    approvals: tuple[ApprovalPart, ...]
    policy: str = POLICY
    logic: str = ""  # of the step that made the needs


def encode(receipt: Receipt) -> str:
    return msgspec.json.encode(receipt).decode()


def decode(text: str | bytes) -> Receipt:
    return msgspec.json.decode(text, type=Receipt)
