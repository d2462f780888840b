"""Needs, orders, purchase orders and receipts."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from api.shapes.common import Money, Shape


class Need(Shape):
    id: int
    uuid: str
    slot_id: int
    slot: str
    device_id: int
    device: str
    cycle: int
    attempt: int
    account_id: int
    site_id: int
    product_id: int
    sku: str
    units: float
    order_id: int | None
    state: Literal["open", "met", "withdrawn", "refused", "failed"]
    reason: str
    released: bool
    cause: Literal["probability", "signal", "request"]
    channel: str
    urgent: bool
    deadline_at: datetime | None
    opened_at: datetime
    closed_at: datetime | None


class Order(Shape):
    id: int
    account_id: int
    account: str
    site_id: int
    site: str
    supplier_id: int
    supplier: str
    state: str = Field(examples=["proposed"])
    channel: str
    urgent: bool
    sandbox: bool
    currency: str
    total: Money
    created_at: datetime
    changed_at: datetime
    window_ends_at: datetime | None
    approve_by_at: datetime | None
    hold_ends_at: datetime | None
    escalated: bool
    approved_by: str
    approved_at: datetime | None
    placed_at: datetime | None
    expected_at: datetime | None
    overdue: bool
    reason: str
    reference: str
    blanket_order: str = Field(examples=["BPO-7"])
    cost_centre: str = Field(examples=["4711"])


class OrderLine(Shape):
    id: int
    line: int
    product_id: int
    product: str
    sku: str
    supplier_sku: str
    quantity: int = Field(description="Packs.")
    pack: int = Field(description="Stock units in one.")
    units: float
    unit_price: Money
    currency: str
    amount: Money
    state: str
    delivered: float
    cancelled: float
    needed_by_at: datetime | None
    expected_at: datetime | None
    reason: str
    needs: list[Need]


class PurchaseOrder(Shape):
    id: int
    order_id: int
    account_id: int
    account: str
    supplier_id: int
    supplier: str
    site_id: int
    site: str
    address: str
    state: str
    channel: str
    currency: str
    total: Money
    placed_at: datetime
    acknowledged_at: datetime | None


class PurchaseOrderLine(Shape):
    line: int
    sku: str
    supplier_sku: str
    quantity: int
    unit_price: Money
    currency: str
    state: str
    shipped: int
    delivered: int
    cancelled: int
    lost: int
    over: int
    reason: str
    needed_by_at: datetime | None
    expected_at: datetime | None


class PurchaseOrderDetail(PurchaseOrder):
    lines: list[PurchaseOrderLine]


class Approval(Shape):
    decision: Literal["approved", "rejected", "escalated", "expired"]
    by: str
    reason: str
    amount: Money
    currency: str
    decided_at: datetime


class OrderDetail(Order):
    lines: list[OrderLine]
    purchase_orders: list[PurchaseOrderDetail]
    approvals: list[Approval]


class Receipt(Shape):
    order_id: int
    frozen_at: datetime | None = Field(description="When it was frozen; null: not placed yet, this is how it stands.")
    text: str = Field(description="For a planner.")
    receipt: dict[str, Any] = Field(description="All figures, as docs/reference/receipt.md describes them.")


class Approved(Shape):
    outcome: Literal["approved", "price_changed", "no_price", "over_limit", "over_budget"]
    text: str
    state: str
