"""Sheets (CSV): one kind of thing each, a line per thing. What a line names is created, or changed where it differs."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Connection

from ledger.fleet import document as fleet
from ledger.fleet.document import AccountName, Count, Currency, DeviceName, Name, Part, Price
from ledger.registry import accounts, device_models, devices, offers, products, sites, suppliers
from ledger.registry.calendars import CalendarSpec, get_spec
from ledger.registry.common import Invalid
from ledger.registry.devices import NewDevice
from ledger.scope import NotFound, Scope
from models.facts import Mode

ALL: Final = Scope.all()


class Outcome(NamedTuple):
    what: str  # "site acme/hq"
    verdict: str  # created, changed, unchanged
    product: int = 0  # whose offer it is
    device: NewDevice | None = None  # to be registered: all new ones together


class ProductLine(fleet.Product, kw_only=True, frozen=True):
    pass


class OfferLine(Part, kw_only=True, frozen=True):
    supplier: Name
    sku: DeviceName
    price: Price
    currency: Currency
    lead_days: str  # "1 2 2 3 5"
    supplier_sku: str = ""
    pack: Count = 1
    moq: Count = 1
    multiple: Count = 1
    breaks: str = ""  # "10:49.90 50:45.00"


class AccountLine(Part, kw_only=True, frozen=True):
    account: AccountName
    currency: Currency
    mode: fleet.ModeName | UnsetType = UNSET


class SiteLine(Part, kw_only=True, frozen=True):
    account: AccountName
    site: Name
    time_zone: str
    address: str | UnsetType = UNSET


class DeviceLine(Part, kw_only=True, frozen=True):
    account: AccountName
    site: Name
    device: DeviceName
    model: DeviceName
    sandbox: bool = False


def _product(tx: Connection, line: ProductLine, now: int) -> Outcome:
    before = _known(lambda: products.find(tx, line.sku))
    after = products.ensure(tx, line.sku, line.name, line.unit, now, shelf_life_days=line.shelf_life_days)
    return Outcome(f"product {line.sku}", _verdict(before, after))


def _offer(tx: Connection, line: OfferLine, now: int) -> Outcome:
    seller, bought = suppliers.find(tx, line.supplier), products.find(tx, line.sku)
    before = offers.of(tx, seller.id, bought.id)
    steps = offers.breaks_of(tx, before.id) if before else {}
    breaks = _breaks(line.breaks)
    after = offers.ensure(
        tx,
        seller.id,
        bought.id,
        now,
        supplier_sku=line.supplier_sku or line.sku,
        price=Decimal(line.price),
        currency=line.currency,
        lead_days=_days(line.lead_days),
        pack=line.pack,
        moq=line.moq,
        multiple=line.multiple,
        breaks=breaks,
    )
    verdict = "changed" if before and steps != breaks else _verdict(before, after)
    return Outcome(f"offer {line.supplier}/{line.sku}", verdict, product=bought.id)


def _account(tx: Connection, line: AccountLine, now: int) -> Outcome:
    settings: dict[str, Any] = {"currency": line.currency}
    if line.mode is not UNSET:
        settings["mode"] = int(Mode[line.mode.upper()])
    before = _known(lambda: accounts.find(tx, ALL, line.account))
    after = (
        accounts.change(tx, ALL, before.id, **settings)
        if before
        else accounts.create(tx, line.account, now=now, **settings)
    )
    return Outcome(f"account {line.account}", _verdict(before, after))


def _site(tx: Connection, line: SiteLine, now: int) -> Outcome:
    owner = accounts.find(tx, ALL, line.account)
    before = _known(lambda: sites.find(tx, ALL, owner.id, line.site))
    settings: dict[str, Any] = {} if line.address is UNSET else {"address": line.address}
    if before is None:
        spec = CalendarSpec(time_zone=line.time_zone)
        after = sites.create(tx, ALL, owner.id, line.site, spec, now, address=settings.get("address", ""))
    else:
        known = get_spec(tx, before.calendar_id)
        moved = None
        if known.time_zone != line.time_zone:
            moved = msgspec.structs.replace(known, time_zone=line.time_zone)
        after = sites.change(tx, ALL, before.id, now, calendar=moved, **settings)
    return Outcome(f"site {line.account}/{line.site}", _verdict(before, after))


def _device(tx: Connection, line: DeviceLine, now: int) -> Outcome:  # noqa: ARG001 - as all of them are called
    owner = accounts.find(tx, ALL, line.account)
    place, model = sites.find(tx, ALL, owner.id, line.site), device_models.find(tx, line.model)
    what = f"device {line.account}/{line.device}"
    known = _known(lambda: devices.find(tx, ALL, owner.id, line.device))
    if known is None:
        return Outcome(what, "created", device=NewDevice(place.id, line.device, model.id, line.sandbox))
    if (known.site_id, known.model_id, known.sandbox, known.retired) != (place.id, model.id, line.sandbox, False):
        raise Invalid(
            f"{what} is retired, at another site, of another model or sandbox flag: "
            "register it under a new name, or `ullage device replace`"
        )
    return Outcome(what, "unchanged")


class Sheet(NamedTuple):
    line: type[Part]
    apply: Callable[[Connection, Any, int], Outcome]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.line.__struct_fields__

    @property
    def must(self) -> tuple[str, ...]:
        return tuple(field.name for field in msgspec.structs.fields(self.line) if field.required)

    def parsed(self, cells: Mapping[str, str]) -> Part:
        """Empty cells are left out. Raises Invalid."""
        try:
            return msgspec.convert({k: v for k, v in cells.items() if v}, self.line, strict=False)
        except msgspec.ValidationError as error:
            raise Invalid(str(error).replace("`$.", "column `")) from error


SHEETS: Final[Mapping[str, Sheet]] = {
    "products": Sheet(ProductLine, _product),
    "offers": Sheet(OfferLine, _offer),
    "accounts": Sheet(AccountLine, _account),
    "sites": Sheet(SiteLine, _site),
    "devices": Sheet(DeviceLine, _device),
}


def _known(find: Callable[[], Any]) -> Any:
    try:
        return find()
    except NotFound:
        return None


def _verdict(before: msgspec.Struct | None, after: msgspec.Struct) -> str:
    if before is None:
        return "created"
    same = all(getattr(before, f) == getattr(after, f) for f in after.__struct_fields__ if f != "version")
    return "unchanged" if same else "changed"


def _days(text: str) -> list[float]:
    try:
        return [float(day) for day in text.split()]
    except ValueError:
        raise Invalid(f"lead_days {text!r}: use numbers of days with blanks between: 1 2 2 3 5") from None


def _breaks(text: str) -> dict[int, Decimal]:
    try:
        steps = [step.split(":") for step in text.split()]
        return {int(quantity): Decimal(price) for quantity, price in steps}
    except (ValueError, ArithmeticError):
        raise Invalid(f"breaks {text!r}: use packs:price with blanks between: 10:49.90 50:45.00") from None
