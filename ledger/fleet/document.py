"""What a fleet document may say, checked strictly. What it refers to is checked when it is applied."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from models.stores import StoreError
from models.week.shape import HOLIDAY, WEEKDAYS

Name = Annotated[str, Meta(min_length=1, max_length=64)]
DeviceName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
AccountName = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,64}$")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]
Price = Annotated[str, Meta(pattern=r"^\d{1,12}(\.\d{1,4})?$")]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
ModeName = Literal["off", "observe", "ask", "auto"]


class Part(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Unknown names are errors: a misspelt setting must not be ignored."""


class Product(Part, kw_only=True, frozen=True):
    sku: DeviceName
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    unit: str = ""
    shelf_life_days: Count | None = None


class Break(Part, kw_only=True, frozen=True):
    quantity: Annotated[int, Meta(ge=2)]
    price: Price


class Offer(Part, kw_only=True, frozen=True):
    sku: DeviceName
    price: Price
    currency: Currency
    supplier_sku: str = ""  # "": the SKU
    pack: Count = 1
    moq: Count = 1
    multiple: Count = 1
    breaks: tuple[Break, ...] = ()
    lead_days: Annotated[tuple[Annotated[float, Meta(ge=0, le=3650)], ...], Meta(min_length=1)]


class Supplier(Part, kw_only=True, frozen=True):
    name: Name
    channel: Literal["file", "webhook"] = "file"
    url: str = ""
    secret: str = ""
    cutoff: TimeOfDay | None = None
    offers: tuple[Offer, ...] = ()


class CounterPart(Part, kw_only=True, frozen=True):
    name: DeviceName
    wrap: Annotated[int, Meta(ge=0)] = 0
    per_day: Positive = 1e9
    usual: NotNegative = 0.0


class FitPart(Part, kw_only=True, frozen=True):
    sku: DeviceName
    units: Positive = 1.0


class SlotPart(Part, kw_only=True, frozen=True):
    name: DeviceName
    meter: Literal["level", "counter", "age"] = "level"
    refill: Literal["swap", "topup"] = "swap"
    capacity: Positive
    unit: Annotated[str, Meta(max_length=32)] = ""
    counter: DeviceName | None = None
    clock: DeviceName | None = None
    quantum: Annotated[float, Meta(gt=0, le=100)] = 1.0
    days: NotNegative = 0.0
    ascending: bool = False
    products: tuple[FitPart, ...] = ()


class DeviceModel(Part, kw_only=True, frozen=True):
    name: DeviceName
    counters: Annotated[tuple[CounterPart, ...], Meta(max_length=4)] = ()
    slots: tuple[SlotPart, ...]


class Device(Part, kw_only=True, frozen=True):
    name: DeviceName
    model: DeviceName
    sandbox: bool = False


class Site(Part, kw_only=True, frozen=True):
    name: Name
    address: str = ""
    time_zone: str
    weekdays: Annotated[tuple[NotNegative, ...], Meta(min_length=7, max_length=7)] = WEEKDAYS
    holidays: tuple[date, ...] = ()
    holiday_use: NotNegative = HOLIDAY
    learn: bool = True
    open_days: Annotated[tuple[NotNegative, ...], Meta(min_length=7, max_length=7)] = (1, 1, 1, 1, 1, 0, 0)
    spares: dict[str, NotNegative] = {}
    devices: tuple[Device, ...] = ()


class Account(Part, kw_only=True, frozen=True):
    """What is left out keeps its value; a new account takes the default."""

    name: AccountName
    currency: Currency
    mode: ModeName | UnsetType = UNSET
    service_level: Annotated[float, Meta(gt=0, lt=1)] | UnsetType = UNSET
    limit_per_order: Price | UnsetType | None = UNSET
    monthly_budget: Price | UnsetType | None = UNSET
    surge_factor: NotNegative | UnsetType | None = UNSET
    sites: tuple[Site, ...] = ()


class Document(Part, kw_only=True, frozen=True):
    products: tuple[Product, ...] = ()
    suppliers: tuple[Supplier, ...] = ()
    device_models: tuple[DeviceModel, ...] = ()
    accounts: tuple[Account, ...] = ()


class BadFleet(StoreError):
    """The document cannot be applied, nothing of it was; the message says where in it the fault is."""


def parse_fleet(content: Any) -> Document:
    """From what a YAML or JSON parser gave (dicts, lists, texts, numbers). Raises BadFleet with the path."""
    try:
        return msgspec.convert(content, Document)
    except msgspec.ValidationError as error:
        raise BadFleet(f"fleet: {error}") from error


def money(text: str | UnsetType | None) -> Decimal | None:
    return Decimal(text) if isinstance(text, str) else None


def time_of_day(text: str | None) -> int:
    """ms since midnight; 0 if there is none."""
    if text is None:
        return 0
    hours, minutes = text.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000
