"""Accounts, sites, devices and the catalogue."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.shapes.common import Mode, Money, Shape, Share
from api.shapes.slots import Slot


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


class Ordering(Shape):
    mode: Mode = Field(description="The least of account, site and SKU counts.")
    paused: bool


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


class SiteCalendar(Shape):
    since_at: datetime
    cause: Literal["given", "learned"] = Field(examples=["learned"])
    why: str = Field(examples=["14 slots over 12 weeks show it"])
    weeks: float = Field(description="How long the use was seen.", examples=[12])
    slots: int = Field(examples=[14])
    weekdays: list[float] = Field(
        description="Use on Monday .. Sunday; 1 is a business day.", examples=[[1, 1, 1, 1, 0.9, 0.2, 0.1]]
    )
    holiday: float = Field(description="Use on a holiday as a share of its weekday's.", examples=[0.1])


class SiteWithCalendars(Site):
    calendars: list[SiteCalendar] = Field(description="The newest one counts; at most 20.")


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
    slots: list[Slot]


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
