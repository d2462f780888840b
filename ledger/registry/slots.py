"""Slots: made from the device model's template, or unmapped when a device names a supply that the model lacks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, select, update

from ledger.facts import enqueue_slots, enqueue_stocks
from ledger.facts.outgoing import chunks
from ledger.registry.common import PAGE, single, views
from ledger.registry.device_models import DeviceModel, SlotTemplate
from ledger.registry.directory_change import touch
from ledger.registry.lanes import Lanes, Source, sources
from ledger.scope import Scope
from ledger.tables import slot, stock


class Slot(msgspec.Struct, frozen=True):
    id: int
    account_id: int
    site_id: int
    device_id: int
    name: str
    model_slot_id: int | None
    slot_class_id: int | None
    product_id: int | None
    lane_id: int | None
    meter: int
    counter: int
    clock: int
    refill: int
    capacity: float
    unit: str
    pack_units: float
    quantum: float
    ascending: bool
    retired: bool
    registered: int
    version: int


def get(tx: Connection, scope: Scope, slot_id: int) -> Slot:
    mine = (slot.c.id == slot_id, scope.where(slot.c.account_id))
    return single(tx, Slot, slot, *mine, called=("slot", slot_id))


def list_slots(
    tx: Connection, scope: Scope, *, device_id: int | None = None, after: int = 0, limit: int = PAGE
) -> list[Slot]:
    query = select(slot).where(scope.where(slot.c.account_id), slot.c.id > after).order_by(slot.c.id).limit(limit)
    if device_id is not None:
        query = query.where(slot.c.device_id == device_id)
    return views(Slot, tx.execute(query))


def reconcile(tx: Connection, models: Mapping[int, DeviceModel], devices: Sequence[Row[Any]], now: int) -> list[int]:
    """Make the slots of `devices` what their models' templates and today's offers say; the ids of those that changed.

    A new slot opens its first cycle `now`; an unmapped slot becomes mapped when the template has learned its name.
    A slot that is not in the template any more stays as it is."""
    offered = sources(tx, (fit.product_id for model in models.values() for one in model.slots for fit in one.fits))
    lanes = Lanes(tx, (one.site_id for one in devices))
    there = _existing(tx, [one.id for one in devices])
    new, changed = [], []
    for one in devices:
        for template in models[one.model_id].slots:
            wanted = _from_template(one, template, offered, lanes)
            known = there.get((one.id, template.name))
            if known is None:
                new.append(wanted | {"registered": now})
            elif any(known[name] != value for name, value in wanted.items()):
                changed.append(wanted | {"b_id": known["id"]})
    lanes.send()
    if new:
        tx.execute(slot.insert(), new)
    if changed:
        values: dict[str, Any] = {name: bindparam(name) for name in changed[0] if name != "b_id"}
        tx.execute(update(slot).where(slot.c.id == bindparam("b_id")).values(values), changed)
    ids = _ids_of(tx, new) + [row["b_id"] for row in changed]
    ensure_stock(tx, ((row["site_id"], row["product_id"]) for row in new + changed if row["product_id"] is not None))
    enqueue_slots(tx, sorted(ids))
    touch(tx, sorted({row["device_id"] for row in changed} | {one.id for one in devices if one.ready} & _owners(new)))
    return sorted(ids)


def _from_template(
    owner: Row[Any], template: SlotTemplate, offered: Mapping[int, Source], lanes: Lanes
) -> dict[str, Any]:
    """Of the products that fit, the first that somebody offers, else the first."""
    fits = sorted(template.fits, key=lambda fit: fit.product_id not in offered)
    product_id = fits[0].product_id if fits else None
    source = offered.get(product_id) if product_id is not None else None
    return {
        "account_id": owner.account_id,
        "site_id": owner.site_id,
        "device_id": owner.id,
        "name": template.name,
        "model_slot_id": template.id,
        "slot_class_id": template.class_id,
        "product_id": product_id,
        "lane_id": lanes.ensure(owner.site_id, source) if source else None,
        "meter": int(template.meter),
        "counter": template.counter,
        "clock": template.clock,
        "refill": int(template.refill),
        "capacity": template.capacity,
        "unit": template.unit,
        "pack_units": fits[0].units if fits else 1.0,
        "quantum": template.quantum,
        "ascending": template.ascending,
    }


def _existing(tx: Connection, device_ids: Sequence[int]) -> dict[tuple[int, str], Mapping[str, Any]]:
    found: dict[tuple[int, str], Mapping[str, Any]] = {}
    for chunk in chunks(device_ids):
        for row in tx.execute(select(slot).where(slot.c.device_id.in_(chunk))).mappings():
            found[row["device_id"], row["name"]] = dict(row)
    return found


def _owners(rows: Sequence[dict[str, Any]]) -> set[int]:
    return {row["device_id"] for row in rows}


def _ids_of(tx: Connection, rows: Sequence[dict[str, Any]]) -> list[int]:
    names = {(row["device_id"], row["name"]) for row in rows}
    query = select(slot.c.id, slot.c.device_id, slot.c.name)
    found = []
    for chunk in chunks(sorted(_owners(rows))):
        rows_of = tx.execute(query.where(slot.c.device_id.in_(chunk)))
        found += [row.id for row in rows_of if (row.device_id, row.name) in names]
    return found


def ensure_stock(tx: Connection, pairs: Iterable[tuple[int, int]]) -> None:
    """A shelf of each (site, product), empty at first."""
    wanted = set(pairs)
    known = select(stock.c.site_id, stock.c.product_id)
    for chunk in chunks(sorted({site_id for site_id, _ in wanted})):
        wanted -= {(row.site_id, row.product_id) for row in tx.execute(known.where(stock.c.site_id.in_(chunk)))}
    enqueue_stocks(tx, wanted)
