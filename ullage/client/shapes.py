"""What is sent and what comes back.

Made by tests/support/client_made.py from docs/reference/openapi.json: do not edit."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec


class Account(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    mode: str
    paused: bool
    currency: str
    service_level: float
    limit_per_order: Decimal | None
    monthly_budget: Decimal | None
    created_at: datetime


class AccountPurchasing(msgspec.Struct, frozen=True, kw_only=True):
    reference: str
    blanket_order: str
    cost_centre: str
    escalate_to: int | None


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    account_id: int | None
    site_id: int | None
    code: str
    subject: str
    text: str
    raised_at: datetime
    cleared_at: datetime | None


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    outcome: str
    text: str
    state: str


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request to `step`; `outcome` is null until it is answered."""

    id: str
    kind: str
    account_id: int
    site_id: int
    slot_id: int | None
    by: str
    outcome: str | None
    reason: str
    cycle: int
    attempt: int
    need_id: int | None
    order_id: int | None
    probability: float | None
    threshold: float | None
    created_at: datetime
    answered_at: datetime | None
    link: str


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    at: datetime
    by: str
    account_id: int | None
    action: str
    subject: str
    before: Any
    after: Any


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    account_id: int
    cost_centre: str
    month: str
    currency: str
    amount: Decimal
    reserved: Decimal
    spent: Decimal


class Delegation(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    person_id: int
    deputy_id: int
    starts_at: datetime
    ends_at: datetime


class DemandWeek(msgspec.Struct, frozen=True, kw_only=True):
    starts_at: datetime
    mean: float
    quantiles: dict[str, float]


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    sku: str
    where: str
    unit: str
    now_at: datetime
    weeks: list[DemandWeek]
    total: dict[str, float]
    history: list[float]


class Device(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    account_id: int
    account: str
    site_id: int
    site: str
    name: str
    model: str
    sandbox: bool
    retired: bool
    ready: bool
    created_at: datetime


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    product_id: int
    sku: str
    units: float


class SlotTemplate(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    meter: str
    refill: str
    capacity: float
    unit: str
    products: list[Fit]


class DeviceModel(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    slots: list[SlotTemplate]


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One place in a device that holds a supply. Levels are shares (0..1). Null: nothing was heard of it yet."""

    id: int
    name: str
    account_id: int
    account: str
    site_id: int
    site: str
    time_zone: str
    device_id: int
    device: str
    sandbox: bool
    product_id: int | None
    sku: str | None
    meter: str
    refill: str
    capacity: float
    unit: str
    retired: bool
    cycle: int | None
    level: float | None
    level_low: float | None
    level_high: float | None
    rate: float | None
    empty_at: datetime | None
    days_to_empty: dict[str, float | None] | None
    probability: float | None
    threshold: float | None
    band: str | None
    status: str | None
    on_hand: float | None
    on_order: float | None
    last_heard_at: datetime | None
    updated_at: datetime | None


class DeviceWithSlots(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    account_id: int
    account: str
    site_id: int
    site: str
    name: str
    model: str
    sandbox: bool
    retired: bool
    ready: bool
    created_at: datetime
    slots: list[Slot]


class DiscardedMany(msgspec.Struct, frozen=True, kw_only=True):
    discarded: list[int]


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    device: str
    device_id: int
    token: str


class FleetApplied(msgspec.Struct, frozen=True, kw_only=True):
    summary: dict[str, int]
    credentials: list[Credential]
    released: int


class EmptyBefore(msgspec.Struct, frozen=True, kw_only=True):
    before_at: datetime
    probability: float


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    slot_id: int
    as_of_at: datetime | None
    now_at: datetime
    days_to_empty: dict[str, float | None]
    empty_at: dict[str, datetime | None]
    p_empty_before: list[EmptyBefore]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    account_id: int | None
    account: str | None
    site_id: int | None
    site: str | None
    time_zone: str | None
    device_id: int | None
    device: str | None
    received_at: datetime | None
    code: str
    reason: str
    means: str
    hint: str
    state: str
    settled_by: str
    settled_at: datetime | None
    note: str
    partition: int | None
    offset: int | None
    size: int
    usable: bool


class HeldPart(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the message says."""

    path: str
    said: str
    taken: str
    fault: bool


class HeldDetail(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    account_id: int | None
    account: str | None
    site_id: int | None
    site: str | None
    time_zone: str | None
    device_id: int | None
    device: str | None
    received_at: datetime | None
    code: str
    reason: str
    means: str
    hint: str
    state: str
    settled_by: str
    settled_at: datetime | None
    note: str
    partition: int | None
    offset: int | None
    size: int
    usable: bool
    raw: str
    fixed: str | None
    parts: list[HeldPart]


class LevelBucket(msgspec.Struct, frozen=True, kw_only=True):
    start_at: datetime
    readings: int
    first: float | None
    last: float | None
    low: float | None


class Refill(msgspec.Struct, frozen=True, kw_only=True):
    cycle: int
    kind: str
    refilled_at: datetime
    level_before: float
    level_after: float
    units: float
    empty_since_at: datetime | None
    why: str
    reversed_by: str
    reversed_at: datetime | None


class UsageDay(msgspec.Struct, frozen=True, kw_only=True):
    day: date
    share: float
    amount: float


class History(msgspec.Struct, frozen=True, kw_only=True):
    slot_id: int
    unit: str
    since_at: datetime
    until_at: datetime
    truncated: bool
    levels: list[LevelBucket]
    refills: list[Refill]
    usage: list[UsageDay]


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    account_id: int
    subject: str
    cost_centre: str
    per_order: Decimal | None
    per_span: Decimal | None
    span_days: float | None
    currency: str


class LineAnswer(msgspec.Struct, frozen=True, kw_only=True):
    line: int
    accepted: bool = True
    reason: str | None = None


class LineQuantity(msgspec.Struct, frozen=True, kw_only=True):
    line: int
    quantity: int


class MadeToken(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    prefix: str
    role: str
    person: str
    person_id: int | None
    accounts: list[int] | None
    supplier_id: int | None
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    secret: str


class Me(msgspec.Struct, frozen=True, kw_only=True):
    person: str
    person_id: int | None
    token_id: int
    role: str
    scopes: list[str]
    accounts: list[int] | None
    supplier_id: int | None


class Need(msgspec.Struct, frozen=True, kw_only=True):
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
    state: str
    reason: str
    released: bool
    cause: str
    channel: str
    urgent: bool
    deadline_at: datetime | None
    opened_at: datetime
    closed_at: datetime | None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    account_id: int
    account: str
    site_id: int
    site: str
    supplier_id: int
    supplier: str
    state: str
    channel: str
    urgent: bool
    sandbox: bool
    currency: str
    total: Decimal
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
    blanket_order: str
    cost_centre: str


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    decision: str
    by: str
    reason: str
    amount: Decimal
    currency: str
    decided_at: datetime


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    line: int
    product_id: int
    product: str
    sku: str
    supplier_sku: str
    quantity: int
    pack: int
    units: float
    unit_price: Decimal
    currency: str
    amount: Decimal
    state: str
    delivered: float
    cancelled: float
    needed_by_at: datetime | None
    expected_at: datetime | None
    reason: str
    needs: list[Need]


class PurchaseOrderLine(msgspec.Struct, frozen=True, kw_only=True):
    line: int
    sku: str
    supplier_sku: str
    quantity: int
    unit_price: Decimal
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


class PurchaseOrderDetail(msgspec.Struct, frozen=True, kw_only=True):
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
    total: Decimal
    placed_at: datetime
    acknowledged_at: datetime | None
    lines: list[PurchaseOrderLine]


class OrderDetail(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    account_id: int
    account: str
    site_id: int
    site: str
    supplier_id: int
    supplier: str
    state: str
    channel: str
    urgent: bool
    sandbox: bool
    currency: str
    total: Decimal
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
    blanket_order: str
    cost_centre: str
    lines: list[OrderLine]
    purchase_orders: list[PurchaseOrderDetail]
    approvals: list[Approval]


class Ordering(msgspec.Struct, frozen=True, kw_only=True):
    mode: str
    paused: bool


class Person(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    email: str | None
    role: str
    accounts: list[int] | None
    supplier_id: int | None
    created_at: datetime
    ended_at: datetime | None


class Product(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    sku: str
    name: str
    unit: str
    created_at: datetime


class PurchaseOrder(msgspec.Struct, frozen=True, kw_only=True):
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
    total: Decimal
    placed_at: datetime
    acknowledged_at: datetime | None


class Purchasing(msgspec.Struct, frozen=True, kw_only=True):
    reference: str
    blanket_order: str
    cost_centre: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    order_id: int
    frozen_at: datetime | None
    text: str
    receipt: dict[str, Any]


class Stayed(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    code: str
    reason: str


class Went(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    partition: int
    offset: int


class ReplayedMany(msgspec.Struct, frozen=True, kw_only=True):
    replayed: list[Went]
    kept: list[Stayed]


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One message to a subscriber."""

    id: int
    message_id: str
    state: str
    attempts: int
    last_error: str
    created_at: datetime | None
    settled_at: datetime | None


class Site(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    account_id: int
    account: str
    name: str
    address: str
    time_zone: str
    mode: str
    paused: bool
    retired: bool
    created_at: datetime


class SiteCalendar(msgspec.Struct, frozen=True, kw_only=True):
    since_at: datetime
    cause: str
    why: str
    weeks: float
    slots: int
    weekdays: list[float]
    holiday: float


class SiteWithCalendars(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    account_id: int
    account: str
    name: str
    address: str
    time_zone: str
    mode: str
    paused: bool
    retired: bool
    created_at: datetime
    calendars: list[SiteCalendar]


class SlotDetail(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    account_id: int
    account: str
    site_id: int
    site: str
    time_zone: str
    device_id: int
    device: str
    sandbox: bool
    product_id: int | None
    sku: str | None
    meter: str
    refill: str
    capacity: float
    unit: str
    retired: bool
    cycle: int | None
    level: float | None
    level_low: float | None
    level_high: float | None
    rate: float | None
    empty_at: datetime | None
    days_to_empty: dict[str, float | None] | None
    probability: float | None
    threshold: float | None
    band: str | None
    status: str | None
    on_hand: float | None
    on_order: float | None
    last_heard_at: datetime | None
    updated_at: datetime | None
    refills: list[Refill]


class Spares(msgspec.Struct, frozen=True, kw_only=True):
    product_id: int
    sku: str
    product: str
    on_hand: float
    changed_at: datetime | None


class State(msgspec.Struct, frozen=True, kw_only=True):
    state: str


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    account_id: int | None
    name: str
    channel: str
    target: str
    kinds: list[str]
    digest_minutes: int | None
    position: int
    paused: bool
    created_at: datetime | None


class SubscriptionMade(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    account_id: int | None
    name: str
    channel: str
    target: str
    kinds: list[str]
    digest_minutes: int | None
    position: int
    paused: bool
    created_at: datetime | None
    secret: str


class Task(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    account_id: int | None
    site_id: int | None
    kind: str
    subject: str
    text: str
    state: str
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str


class TestSent(msgspec.Struct, frozen=True, kw_only=True):
    message_id: str


class Time(msgspec.Struct, frozen=True, kw_only=True):
    now: datetime
    now_ms: int
    speed: float


class Token(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    prefix: str
    role: str
    person: str
    person_id: int | None
    accounts: list[int] | None
    supplier_id: int | None
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    slot_id: int
    unit: str
    days: list[UsageDay]


class Why(msgspec.Struct, frozen=True, kw_only=True):
    slot_id: int
    verdict: str
    text: str
