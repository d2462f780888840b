"""Unmapped slots: a device named a supply that its model does not know. Tracked and shown, never ordered for."""

from typing import Final

from sqlalchemy import Connection, select

from ledger.engine import insert_new
from ledger.facts import enqueue_slots
from ledger.registry.common import DEVICE_NAME
from ledger.registry.directory_change import touch
from ledger.tables import device, slot
from models.facts import Meter, Refill

MAX_UNMAPPED: Final = 16
"""Per device: a device that makes up names must not fill the ledger."""


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
