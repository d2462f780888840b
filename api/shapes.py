"""What answers look like: the models behind the documentation. Answers are sent as the ledger's views give them;
tests hold every one to its model."""

from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")
Money = Annotated[str, Field(pattern=r"^-?\d+\.\d{2,4}$", examples=["54.90"], description="Decimal, in `currency`.")]
Share = Annotated[float, Field(ge=0, le=1)]
Band = Literal["fine", "watch", "at_risk", "empty"]
Mode = Literal["off", "observe", "ask", "auto"]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Page(Shape, Generic[Item]):
    items: list[Item]
    next: str | None = Field(description="Give it as `cursor` to get the next page; null on the last one.")


class Problem(Shape):
    """RFC 9457 problem details."""

    model_config = ConfigDict(extra="allow")
    type: str = Field(examples=["urn:ullage:problem:not_found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(description="For people.", examples=["there is no slot 40"])
    code: str = Field(description="For programs; stable.", examples=["not_found"])


class Account(Shape):
    id: int
    name: str = Field(examples=["acme"])
    mode: Mode = Field(description="The least of account, site and SKU counts.")
    paused: bool
    currency: str = Field(examples=["EUR"])
    service_level: Share
    limit_per_order: Money | None
    monthly_budget: Money | None
    created_at: datetime


class Site(Shape):
    id: int
    account_id: int
    account: str
    name: str = Field(examples=["hq"])
    address: str
    time_zone: str = Field(examples=["Europe/Berlin"])
    mode: Mode
    paused: bool
    retired: bool
    created_at: datetime


class Spares(Shape):
    product_id: int
    sku: str = Field(examples=["TN-K"])
    product: str
    on_hand: float = Field(description="Stock units on the shelf.")
    changed_at: datetime | None


class Device(Shape):
    id: int
    account_id: int
    account: str
    site_id: int
    site: str
    name: str = Field(examples=["copier-01"])
    model: str = Field(examples=["copier-c4"])
    sandbox: bool
    retired: bool
    ready: bool = Field(description="Its registration is in the journal: it may connect.")
    created_at: datetime


class DeviceWithSlots(Device):
    slots: list["Slot"]


class Fit(Shape):
    product_id: int
    sku: str
    units: float = Field(description="Refills (swap) or capacity units (topup) of one unit of stock.")


class SlotTemplate(Shape):
    name: str = Field(examples=["black"])
    meter: Literal["level", "counter", "age"]
    refill: Literal["swap", "topup"]
    capacity: float
    unit: str
    products: list[Fit]


class DeviceModel(Shape):
    id: int
    name: str
    slots: list[SlotTemplate]


class Product(Shape):
    id: int
    sku: str
    name: str
    unit: str
    created_at: datetime


Days = Annotated[
    dict[str, float | None] | None,
    Field(description="Quantiles of days until empty, from now.", examples=[{"0.05": 2.1, "0.5": 4.0, "0.95": 7.7}]),
]


class Slot(Shape):
    """One place in a device that holds a supply. Levels are shares (0..1). Null: nothing was heard of it yet."""

    id: int
    name: str = Field(examples=["black"])
    account_id: int
    account: str
    site_id: int
    site: str
    time_zone: str
    device_id: int
    device: str
    sandbox: bool
    product_id: int | None
    sku: str | None = Field(description="Null: no product fits; tracked and shown, never ordered.")
    meter: Literal["level", "counter", "age"]
    refill: Literal["swap", "topup"]
    capacity: float
    unit: str
    retired: bool
    cycle: int | None
    level: float | None
    level_low: float | None
    level_high: float | None
    rate: float | None = Field(description="Share used per business day.")
    empty_at: datetime | None = Field(description="Median; null: not in sight.")
    days_to_empty: Days
    probability: Share | None = Field(description="P(empty before goods arrive) if ordered now.")
    threshold: Share | None = Field(description="It is ordered from this probability on.")
    band: Band | None
    status: str | None = Field(description="Why it is (not) ordered.", examples=["covered"])
    on_hand: float | None
    on_order: float | None
    last_heard_at: datetime | None
    updated_at: datetime | None


class Refill(Shape):
    cycle: int
    kind: Literal["new", "part_used", "topup", "counter_reset", "said"]
    refilled_at: datetime
    level_before: float
    level_after: float
    units: float
    empty_since_at: datetime | None = Field(description="Since when it had been empty; null: it was refilled in time.")
    why: str
    reversed_by: str
    reversed_at: datetime | None


class Why(Shape):
    slot_id: int
    verdict: str = Field(description="One sentence.")
    text: str = Field(description="All that counts, for a planner.")


class SlotDetail(Slot):
    refills: list[Refill]


class LevelBucket(Shape):
    start_at: datetime
    readings: int
    first: float | None
    last: float | None
    low: float | None


class UsageDay(Shape):
    day: date = Field(description="Local day of the site.")
    share: float = Field(description="Of a full supply.")
    amount: float = Field(description="In the slot's unit.")


class History(Shape):
    slot_id: int
    unit: str
    since_at: datetime
    until_at: datetime
    truncated: bool = Field(description="There are more buckets than `limit`: ask for a shorter time.")
    levels: list[LevelBucket]
    refills: list[Refill]
    usage: list[UsageDay]


class EmptyBefore(Shape):
    before_at: datetime
    probability: Share


class Forecast(Shape):
    slot_id: int
    as_of_at: datetime | None
    now_at: datetime
    days_to_empty: dict[str, float | None]
    empty_at: dict[str, datetime | None]
    p_empty_before: list[EmptyBefore]


class DemandWeek(Shape):
    starts_at: datetime
    mean: float
    quantiles: dict[str, float]


class Demand(Shape):
    sku: str
    where: str = Field(examples=["site/3"])
    unit: Literal["stock units"]
    now_at: datetime
    weeks: list[DemandWeek]
    total: dict[str, float] = Field(description="Quantiles of the whole horizon: those of weeks do not add up.")
    history: list[float] = Field(description="Units used per week, oldest first; the last one ended now.")


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


class State(Shape):
    state: str = Field(examples=["cancelled"])


class Approved(Shape):
    outcome: Literal["approved", "price_changed", "no_price", "over_budget"]
    text: str
    state: str


class Asked(Shape):
    """A request to `step`; `outcome` is null until it is answered."""

    id: str
    kind: Literal["reorder", "count", "swapped", "reverse"]
    account_id: int
    site_id: int
    slot_id: int | None
    by: str
    outcome: Literal["need", "guarded", "would_order", "counted", "swapped", "reversed", "refused"] | None
    reason: str
    cycle: int
    attempt: int
    need_id: int | None
    order_id: int | None
    probability: Share | None
    threshold: Share | None
    created_at: datetime
    answered_at: datetime | None
    link: str = Field(description="Where to ask for the outcome.")


class Alert(Shape):
    id: int
    account_id: int | None
    site_id: int | None
    code: str = Field(examples=["silent"])
    subject: str = Field(examples=["device/12"])
    text: str
    raised_at: datetime
    cleared_at: datetime | None


class Task(Shape):
    id: int
    account_id: int | None
    site_id: int | None
    kind: str
    subject: str
    text: str
    state: Literal["open", "done"]
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str


class Held(Shape):
    id: int
    account_id: int | None
    device_id: int | None
    received_at: datetime | None
    code: str = Field(examples=["level_out_of_range"])
    reason: str
    state: Literal["held", "discarded", "replayed"]
    settled_by: str
    settled_at: datetime | None
    size: int = Field(description="Bytes of the raw input.")


class HeldDetail(Held):
    raw: str = Field(description="As text, what is no UTF-8 replaced.")


class Usage(Shape):
    slot_id: int
    unit: str
    days: list[UsageDay]


class Time(Shape):
    now: datetime
    now_ms: int = Field(description="The same in ms since 1970, UTC.", examples=[1_795_000_000_000])
    speed: float = Field(description="Domain seconds per real second.", examples=[1.0])
