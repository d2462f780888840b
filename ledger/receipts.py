"""The receipt of an order: why it was made, frozen when it is placed, never computed again (LIFECYCLE.md rule 10)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, select

from ledger import budget
from ledger.offers import terms_of
from ledger.tables import (
    account,
    approval,
    device,
    device_model,
    need,
    order,
    order_line,
    product,
    site,
    slot,
    supplier,
)
from models.effects import Cause, Evidence
from models.orders import LineState
from models.pricing import Quote, quote

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
    units: float  # of stock
    evidence: Evidence
    request: str = ""
    proposed_at: int = 0
    clock: str = ""  # the counter that is the slot's clock; "": the calendar is


class OfferPart(msgspec.Struct, frozen=True, kw_only=True):
    """An offer that was looked at: what it would have cost."""

    supplier: str
    supplier_sku: str
    quantity: int  # packs
    unit_price: Decimal  # of a pack
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
    pack: int  # units in one
    units_needed: float
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
    decision: str  # "approved", "rejected", "escalated", "expired"
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


_HEAD = (
    select(
        order,
        account.c.name.label("account"),
        account.c.limit_per_order,
        site.c.name.label("site"),
        supplier.c.name.label("supplier"),
    )
    .join(account, account.c.id == order.c.account_id)
    .join(site, site.c.id == order.c.site_id)
    .join(supplier, supplier.c.id == order.c.supplier_id)
    .where(order.c.id == bindparam("order"))
)
_LINES = (
    select(order_line, product.c.sku, product.c.name.label("product"))
    .join(product, product.c.id == order_line.c.product_id)
    .where(order_line.c.order_id == bindparam("order"), order_line.c.state != LineState.WITHDRAWN)
    .order_by(order_line.c.line)
)
_NEEDS = (
    select(need, slot.c.name.label("slot_name"), slot.c.clock, device.c.name.label("device"), device_model.c.counters)
    .join(slot, slot.c.id == need.c.slot_id)
    .join(device, device.c.id == slot.c.device_id)
    .join(device_model, device_model.c.id == device.c.model_id)
    .where(need.c.order_line_id == bindparam("line"))
    .order_by(need.c.deadline, need.c.id)
)
_APPROVALS = select(approval).where(approval.c.order_id == bindparam("order")).order_by(approval.c.id)


def load(document: Any) -> Receipt:
    """A frozen one, from the ledger's JSON."""
    return msgspec.convert(document, Receipt)


def build(tx: Connection, order_id: int, now: int, logic: str, *, frozen_at: int = 0) -> Receipt:
    """The receipt as it stands: what `place` freezes; before that, a view."""
    head = tx.execute(_HEAD, {"order": order_id}).one()
    lines = tx.execute(_LINES, {"order": order_id}).all()
    return Receipt(
        order=order_id,
        account=head.account,
        site=head.site,
        supplier=head.supplier,
        currency=head.currency,
        total=head.total,
        frozen_at=frozen_at,
        lines=tuple(_line(tx, head, line, now) for line in lines),
        budget=_budget(tx, head, sum((line.reserved for line in lines), Decimal(0))),
        limit=head.limit_per_order,
        approvals=_approvals(tx, order_id),
        logic=logic,
    )


def _line(tx: Connection, head: Row[Any], line: Row[Any], now: int) -> LinePart:
    offers = terms_of(tx, head.account_id, line.product_id, now)
    sellers = select(supplier.c.id, supplier.c.name).where(supplier.c.id.in_({terms.supplier for terms in offers}))
    names: dict[int, str] = {row.id: row.name for row in tx.execute(sellers)}
    mine = next((terms for terms in offers if terms.offer == line.offer_id), None)
    chosen = OfferPart(
        supplier=head.supplier,
        supplier_sku=line.supplier_sku,
        quantity=line.quantity,
        unit_price=line.unit_price,
        total=line.amount,
        from_quantity=line.price_break if line.price_break > 1 else 0,
        moq=mine.moq if mine else 1,
        multiple=mine.multiple if mine else 1,
        lead_ms=mine.lead_ms if mine else 0,
    )
    others = [
        quote(terms, line.units_needed)
        for terms in offers
        if terms.offer != line.offer_id and terms.currency == line.currency
    ]
    return LinePart(
        line=line.line,
        sku=line.sku,
        product=line.product,
        chosen=chosen,
        pack=line.pack,
        units_needed=line.units_needed,
        others=tuple(_offer(other, names[other.terms.supplier]) for other in others),
        needs=tuple(_need(row) for row in _needs(tx, line.id)),
    )


def _offer(other: Quote, name: str) -> OfferPart:
    return OfferPart(
        supplier=name,
        supplier_sku=other.terms.supplier_sku,
        quantity=other.quantity,
        unit_price=other.unit_price.amount,
        total=other.total.amount,
        from_quantity=other.from_quantity,
        moq=other.terms.moq,
        multiple=other.terms.multiple,
        lead_ms=other.terms.lead_ms,
    )


def _needs(tx: Connection, line_id: int) -> Sequence[Row[Any]]:
    return tx.execute(_NEEDS, {"line": line_id}).all()


def _need(row: Row[Any]) -> NeedPart:
    return NeedPart(
        id=row.uuid,
        slot=row.slot_id,
        slot_name=row.slot_name,
        device=row.device,
        cycle=row.cycle,
        attempt=row.attempt,
        cause=Cause(row.cause).name.lower(),
        channel=row.channel,
        urgent=row.urgent,
        deadline=row.deadline,
        units=row.units,
        evidence=msgspec.convert(row.evidence, Evidence),
        request=row.request,
        proposed_at=row.opened,
        clock=clock_name(row),
    )


def clock_name(row: Row[Any]) -> str:
    """Of a row with a slot's `clock` and its model's `counters`; empty where the calendar is the clock."""
    return str(row.counters[row.clock]["name"]) if 0 <= row.clock < len(row.counters) else ""


def _budget(tx: Connection, head: Row[Any], reserved: Decimal) -> BudgetPart:
    month = budget.month_of(head.created)
    kept = budget.standing(tx, head.account_id, month, head.cost_centre)
    if kept is None:
        return BudgetPart(month=month, amount=None, before=Decimal(0), after=Decimal(0))
    used = kept.spent + kept.reserved
    return BudgetPart(month=month, amount=kept.amount, before=used - reserved, after=used)


def _approvals(tx: Connection, order_id: int) -> tuple[ApprovalPart, ...]:
    rows = tx.execute(_APPROVALS, {"order": order_id})
    return tuple(
        ApprovalPart(
            how="automatic" if row.by == "policy" else "person",
            decision=row.decision,
            by=row.by,
            at=row.ts,
            why=row.reason,
        )
        for row in rows
    )
