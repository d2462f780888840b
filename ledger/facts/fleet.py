"""Devices and slots, each to the partition of its site."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from ledger import meta
from ledger.facts.outgoing import bump, chunks, put_facts
from ledger.tables import device, device_model, site, slot
from models.facts import DeviceFact, Meter, Refill, SlotFact


def enqueue_devices(tx: Connection, ids: Sequence[int]) -> None:
    bump(tx, device, ids)
    incarnation, partitions = meta.layout(tx)
    joined = device.join(site, site.c.id == device.c.site_id).join(device_model, device_model.c.id == device.c.model_id)
    for chunk in chunks(ids):
        query = select(device, site.c.shard, device_model.c.counters).select_from(joined).where(device.c.id.in_(chunk))
        put_facts(
            tx,
            (
                (f"device/{row.id}", row.shard % partitions, _device(row, incarnation))
                for row in tx.execute(query.order_by(device.c.id))
            ),
        )


def enqueue_slots(tx: Connection, ids: Sequence[int]) -> None:
    bump(tx, slot, ids)
    incarnation, partitions = meta.layout(tx)
    for chunk in chunks(ids):
        query = select(slot, site.c.shard).join(site, site.c.id == slot.c.site_id).where(slot.c.id.in_(chunk))
        put_facts(
            tx,
            (
                (f"slot/{row.id}", row.shard % partitions, _slot(row, incarnation))
                for row in tx.execute(query.order_by(slot.c.id))
            ),
        )


def _device(row: Row[Any], incarnation: int) -> DeviceFact:
    return DeviceFact(
        version=row.version,
        incarnation=incarnation,
        device=row.id,
        account=row.account_id,
        site=row.site_id,
        retired=row.retired,
        sandbox=row.sandbox,
        counters=len(row.counters),
        counter_wraps=tuple(counter["wrap"] for counter in row.counters),
        counter_limits=tuple(counter["per_day"] for counter in row.counters),
        counter_usuals=tuple(counter.get("usual", 0.0) for counter in row.counters),
    )


def _slot(row: Row[Any], incarnation: int) -> SlotFact:
    return SlotFact(
        version=row.version,
        incarnation=incarnation,
        slot=row.id,
        device=row.device_id,
        name=row.name,
        slot_class=row.slot_class_id or 0,
        product=row.product_id or 0,
        lane=row.lane_id or 0,
        meter=Meter(row.meter),
        counter=row.counter,
        clock=row.clock,
        refill=Refill(row.refill),
        capacity=row.capacity,
        pack_units=row.pack_units,
        quantum=row.quantum,
        ascending=row.ascending,
        retired=row.retired,
        registered=row.registered,
    )
