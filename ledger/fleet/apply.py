"""Apply a fleet document: create what is new, change what differs, leave what is not mentioned."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET
from sqlalchemy import Connection, select

from ledger import audit, meta
from ledger.clock import real_ms
from ledger.engine import Ledger, insert_new
from ledger.facts import enqueue_stocks
from ledger.fleet import document as fleet
from ledger.fleet.document import BadFleet
from ledger.fleet.undo import undoable
from ledger.registry import accounts, device_models, devices, offers, products, sites, suppliers
from ledger.registry.calendars import CalendarSpec
from ledger.registry.common import Invalid, Taken
from ledger.registry.device_models import Counter, Fit, SlotTemplate
from ledger.registry.devices import Issued, NewDevice
from ledger.registry.slots import ensure_stock
from ledger.scope import NotFound, Scope
from ledger.tables import (
    account,
    device,
    device_model,
    model_slot,
    model_slot_product,
    product,
    site,
    stock,
    stock_movement,
)
from models.facts import Meter, Mode, Refill

ALL = Scope.all()
Value = TypeVar("Value")


class FleetResult(NamedTuple):
    summary: dict[str, int]  # how many of each noun the document has, and "new_devices"
    credentials: list[Issued]  # of the new devices, shown this once


def apply_fleet(
    ledger: Ledger, document: fleet.Document, now: int, *, dry_run: bool = False, by: str = "fleet document"
) -> FleetResult:
    """All of it in one transaction; a second time it changes nothing. `dry_run`: only look whether it could be applied;
    `by`: who stands in the audit.

    Raises BadFleet, Unavailable."""
    _check_names(document)
    with undoable(ledger) as (tx, undo):
        meta.count(tx, "fleet")  # locks: of two that come at once the second finds what the first has made
        skus = _products(tx, document, now)
        _suppliers(tx, document, skus, now)
        models = _models(tx, document, skus, now)
        _reconcile(tx, models, skus, now)
        places = _places(tx, document, now)
        issued = _devices(tx, document, places, now)
        _spares(tx, document, places, now)
        summary = _summary(document, len(issued))
        audit.record(tx, by, "fleet.applied", "fleet", real_ms(), after=summary)
        if dry_run:
            undo()
    return FleetResult(summary, [] if dry_run else issued)


def _products(tx: Connection, document: fleet.Document, now: int) -> dict[str, int]:
    """The ids of all products of the ledger by SKU, those of the document among them."""
    for part in document.products:
        products.ensure(tx, part.sku, part.name, part.unit, now, shelf_life_days=part.shelf_life_days)
    return {row.sku: row.id for row in tx.execute(select(product.c.sku, product.c.id))}


def _suppliers(tx: Connection, document: fleet.Document, skus: Mapping[str, int], now: int) -> None:
    for i, part in enumerate(document.suppliers):
        path = f"suppliers[{i}]"
        try:
            stored = suppliers.ensure(
                tx,
                part.name,
                now,
                channel=part.channel,
                url=part.url,
                secret=part.secret,
                cutoff_ms=fleet.time_of_day(part.cutoff),
            )
            for j, offer in enumerate(part.offers):
                path = f"suppliers[{i}].offers[{j}]"
                offers.ensure(
                    tx,
                    stored.id,
                    _known(skus, offer.sku, f"{path}.sku", "product"),
                    now,
                    supplier_sku=offer.supplier_sku or offer.sku,
                    price=Decimal(offer.price),
                    currency=offer.currency,
                    lead_days=offer.lead_days,
                    pack=offer.pack,
                    moq=offer.moq,
                    multiple=offer.multiple,
                    breaks={step.quantity: Decimal(step.price) for step in offer.breaks},
                )
        except Invalid as error:
            raise BadFleet(f"fleet: {path}: {error}") from error


def _models(tx: Connection, document: fleet.Document, skus: Mapping[str, int], now: int) -> list[int]:
    ids = []
    for i, part in enumerate(document.device_models):
        counters = {counter.name: place for place, counter in enumerate(part.counters)}
        templates = []
        for j, one in enumerate(part.slots):
            path = f"device_models[{i}].slots[{j}]"
            index = 0
            if one.counter is not None:
                index = _known(counters, one.counter, f"{path}.counter", "counter of this model")
            elif one.meter == "counter":
                raise BadFleet(f"fleet: {path}: a slot that is metered by a counter names it: counter: pages")
            clock = -1
            if one.clock is not None:
                clock = _known(counters, one.clock, f"{path}.clock", "counter of this model")
            fits = tuple(
                Fit(_known(skus, fit.sku, f"{path}.products[{k}].sku", "product"), fit.units)
                for k, fit in enumerate(one.products)
            )
            templates.append(
                SlotTemplate(
                    name=one.name,
                    meter=Meter[one.meter.upper()],
                    refill=Refill[one.refill.upper()],
                    capacity=one.capacity,
                    unit=one.unit,
                    counter=index,
                    clock=clock,
                    quantum=one.quantum,
                    days=one.days,
                    ascending=one.ascending,
                    fits=fits,
                )
            )
        try:
            stored = device_models.ensure(
                tx, part.name, [msgspec.convert(msgspec.to_builtins(c), Counter) for c in part.counters], templates, now
            )
        except Invalid as error:
            raise BadFleet(f"fleet: device_models[{i}]: {error}") from error
        ids.append(stored.id)
    return ids


def _reconcile(tx: Connection, model_ids: list[int], skus: Mapping[str, int], now: int) -> None:
    """Devices that are there already follow what changed in models and offers."""
    affected = (
        select(model_slot.c.model_id)
        .join(model_slot_product, model_slot_product.c.model_slot_id == model_slot.c.id)
        .where(model_slot_product.c.product_id.in_(sorted(skus.values())))
    )
    devices.reconcile(tx, {*model_ids, *tx.scalars(affected)}, now)


def _places(tx: Connection, document: fleet.Document, now: int) -> dict[tuple[str, str], sites.Site]:
    """Accounts and sites; the sites of the document by (account, site)."""
    places = {}
    for i, part in enumerate(document.accounts):
        account_id = _account(tx, part, now)
        for j, one in enumerate(part.sites):
            spec = CalendarSpec(one.time_zone, one.weekdays, one.holidays, one.open_days, one.holiday_use)
            try:
                places[part.name, one.name] = _site(tx, account_id, one, spec, now)
            except Invalid as error:
                raise BadFleet(f"fleet: accounts[{i}].sites[{j}]: {error}") from error
    return places


def _account(tx: Connection, part: fleet.Account, now: int) -> int:
    settings: dict[str, Any] = {"currency": part.currency}
    if part.mode is not UNSET:
        settings["mode"] = Mode[part.mode.upper()]
    if part.service_level is not UNSET:
        settings["service_level"] = part.service_level
    if part.limit_per_order is not UNSET:
        settings["limit_per_order"] = fleet.money(part.limit_per_order)
    if part.monthly_budget is not UNSET:
        settings["monthly_budget"] = fleet.money(part.monthly_budget)
    if part.surge_factor is not UNSET:
        settings["surge_factor"] = part.surge_factor
    known = tx.scalar(select(account.c.id).where(account.c.name == part.name))
    if known is None:
        return accounts.create(tx, part.name, now=now, **settings).id
    return accounts.change(tx, ALL, known, **settings).id


def _site(tx: Connection, account_id: int, part: fleet.Site, spec: CalendarSpec, now: int) -> sites.Site:
    known = tx.scalar(select(site.c.id).where(site.c.account_id == account_id, site.c.name == part.name))
    if known is None:
        return sites.create(tx, ALL, account_id, part.name, spec, now, address=part.address, pinned=not part.learn)
    return sites.change(tx, ALL, known, now, calendar=spec, pinned=not part.learn, address=part.address)


def _devices(
    tx: Connection, document: fleet.Document, places: Mapping[tuple[str, str], sites.Site], now: int
) -> list[Issued]:
    models = {row.name: row.id for row in tx.execute(select(device_model.c.name, device_model.c.id))}
    wanted = sorted({place.account_id for place in places.values()})
    there = {
        (row.account_id, row.name): row for row in tx.execute(select(device).where(device.c.account_id.in_(wanted)))
    }
    new = []
    for i, part in enumerate(document.accounts):
        for j, one in enumerate(part.sites):
            place = places[part.name, one.name]
            for k, machine in enumerate(one.devices):
                path = f"accounts[{i}].sites[{j}].devices[{k}]"
                model_id = _known(models, machine.model, f"{path}.model", "device model")
                known = there.get((place.account_id, machine.name))
                if known is None:
                    new.append(NewDevice(place.id, machine.name, model_id, machine.sandbox))
                elif (known.site_id, known.model_id, known.sandbox) != (place.id, model_id, machine.sandbox):
                    raise BadFleet(
                        f"fleet: {path}: {machine.name} is registered at another site, as another model or with "
                        "another sandbox flag: retire it and register the machine under a new name"
                    )
    try:
        return devices.register(tx, ALL, new, now)
    except (Taken, Invalid, NotFound) as error:
        raise BadFleet(f"fleet: {error}") from error


def _spares(tx: Connection, document: fleet.Document, places: Mapping[tuple[str, str], sites.Site], now: int) -> None:
    """The first count of a shelf. Later counts are a person's: a document applied again does not undo them."""
    skus = {row.sku: row.id for row in tx.execute(select(product.c.sku, product.c.id))}
    shelves = []
    for i, part in enumerate(document.accounts):
        for j, one in enumerate(part.sites):
            for sku, units in one.spares.items():
                path = f"accounts[{i}].sites[{j}].spares"
                shelves.append((places[part.name, one.name].id, _known(skus, sku, path, "product"), units))
    ensure_stock(tx, ((site_id, product_id) for site_id, product_id, _ in shelves))
    counted = []
    for site_id, product_id, units in shelves:
        mine = (stock_movement.c.site_id == site_id, stock_movement.c.product_id == product_id)
        if tx.scalar(select(stock_movement.c.id).where(*mine).limit(1)) is not None:
            continue
        row = {"site_id": site_id, "product_id": product_id, "kind": "counted", "units": units, "on_hand": units}
        if insert_new(tx, stock_movement, row | {"source": "fleet", "by": "fleet", "ts": now}):
            shelf = (stock.c.site_id == site_id, stock.c.product_id == product_id)
            tx.execute(stock.update().where(*shelf).values(on_hand=units, changed=now))
            counted.append((site_id, product_id))
    enqueue_stocks(tx, counted)


def _known(names: Mapping[str, Value], name: str, path: str, noun: str) -> Value:
    if name not in names:
        raise BadFleet(f"fleet: {path}: there is no {noun} {name!r}: list it in the document, or check the spelling")
    return names[name]


def _check_names(document: fleet.Document) -> None:
    """A name that is there twice is a mistake, not a change of the first by the second."""
    _once([part.sku for part in document.products], "products", "SKU")
    _once([part.name for part in document.suppliers], "suppliers", "name")
    _once([part.name for part in document.device_models], "device_models", "name")
    _once([part.name for part in document.accounts], "accounts", "name")
    for i, supplier in enumerate(document.suppliers):
        _once([offer.sku for offer in supplier.offers], f"suppliers[{i}].offers", "SKU")
    for i, part in enumerate(document.accounts):
        _once([one.name for one in part.sites], f"accounts[{i}].sites", "name")
        _once([machine.name for one in part.sites for machine in one.devices], f"accounts[{i}]", "device name")


def _once(names: list[str], path: str, noun: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise BadFleet(f"fleet: {path}: the {noun} {name!r} is there twice")
        seen.add(name)


def _summary(document: fleet.Document, new_devices: int) -> dict[str, int]:
    places = [one for part in document.accounts for one in part.sites]
    return {
        "products": len(document.products),
        "suppliers": len(document.suppliers),
        "offers": sum(len(part.offers) for part in document.suppliers),
        "device_models": len(document.device_models),
        "accounts": len(document.accounts),
        "sites": len(places),
        "devices": sum(len(one.devices) for one in places),
        "new_devices": new_devices,
    }
