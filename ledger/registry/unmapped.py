"""Unmapped slots: a device named a supply that its model does not know. Tracked and shown, never ordered for."""

from typing import Final, NamedTuple

from sqlalchemy import Connection, func, select

from ledger.engine import insert_new
from ledger.facts import enqueue_slots
from ledger.registry.common import DEVICE_NAME
from ledger.registry.directory_change import touch
from ledger.scope import Scope
from ledger.tables import device, device_model, slot
from models.facts import Meter, Refill

MAX_UNMAPPED: Final = 16
"""Per device: a device that makes up names must not fill the ledger."""


class Unmapped(NamedTuple):
    """A name that devices of a model use, and the model does not know."""

    model: str
    name: str
    devices: int
    example: int  # number of one of these devices
    since: int  # ms


def list_unmapped(tx: Connection, scope: Scope) -> list[Unmapped]:
    """By model and name. A slot in the device model with this name maps them all."""
    query = (
        select(device_model.c.name, slot.c.name, func.count(), func.min(slot.c.device_id), func.min(slot.c.registered))
        .select_from(slot.join(device, device.c.id == slot.c.device_id))
        .join(device_model, device_model.c.id == device.c.model_id)
        .where(slot.c.model_slot_id.is_(None), ~slot.c.retired, scope.where(slot.c.account_id))
        .group_by(device_model.c.name, slot.c.name)
        .order_by(device_model.c.name, slot.c.name)
    )
    return [Unmapped(*row) for row in tx.execute(query)]


def add_unmapped(tx: Connection, device_id: int, name: str, ts: int) -> int | None:
    """The new slot's id; None if the slot is there already, the name cannot be one, the device is unknown or has
    MAX_UNMAPPED of them."""
    owner = tx.execute(select(device).where(device.c.id == device_id)).one_or_none()
    mine = select(slot.c.id).where(slot.c.device_id == device_id, slot.c.model_slot_id.is_(None))
    if owner is None or not DEVICE_NAME.fullmatch(name) or len(tx.scalars(mine).all()) >= MAX_UNMAPPED:
        return None
    row = {
        "account_id": owner.account_id,
        "site_id": owner.site_id,
        "device_id": device_id,
        "name": name,
        "meter": int(Meter.LEVEL),
        "refill": int(Refill.SWAP),
        "capacity": 100.0,
        "unit": "%",
        "registered": ts,
    }
    if not insert_new(tx, slot, row):
        return None
    new = tx.execute(select(slot.c.id).where(slot.c.device_id == device_id, slot.c.name == name)).scalar_one()
    enqueue_slots(tx, [new])
    touch(tx, [device_id])
    return int(new)
