"""Slots: how they stand, what happened to them, what is expected."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from api.shapes.common import Band, Shape, Share

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


class Usage(Shape):
    slot_id: int
    unit: str
    days: list[UsageDay]
