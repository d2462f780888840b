"""What people and programs ask of `step`: remembered here, sent into the journal, answered by an effect.

LIFECYCLE.md rule 2: a reorder is a record in the journal like a device's signal.
"""

import msgspec
from sqlalchemy import Connection, select

from ledger import audit
from ledger.clock import real_ms
from ledger.engine import insert_new
from ledger.facts.requests import enqueue_request
from ledger.scope import NotFound, Scope
from ledger.tables import device, request, slot
from models.records import AnyRequest, Count, Reverse


def submit(tx: Connection, asked: AnyRequest, account_id: int, site_id: int, now: int) -> bool:
    """In one transaction with the outbox row. False if a request with this id was made before: nothing is sent."""
    body = msgspec.to_builtins(asked)
    row = {
        "id": asked.id,
        "kind": body["request"],
        "account_id": account_id,
        "site_id": site_id,
        "slot_id": None if isinstance(asked, Count) else asked.slot,
        "by": asked.by,
        "body": body,
        "cycle": asked.cycle if isinstance(asked, Reverse) else 0,
        "created": now,
    }
    if not insert_new(tx, request, row):
        return False
    audit.record(tx, asked.by, f"{row['kind']}.asked", _subject(asked), real_ms(), account_id=account_id, after=body)
    return enqueue_request(tx, site_id, asked)


def _subject(asked: AnyRequest) -> str:
    return f"site/{asked.site}" if isinstance(asked, Count) else f"slot/{asked.slot}"


def home(tx: Connection, scope: Scope, slot_id: int) -> tuple[int, int]:
    """Account and site of a slot. Raises NotFound."""
    where = (slot.c.id == slot_id, scope.where(slot.c.account_id))
    row = tx.execute(select(slot.c.account_id, slot.c.site_id).where(*where)).one_or_none()
    if row is None:
        raise NotFound(f"there is no slot {slot_id}")
    return row.account_id, row.site_id


def named(tx: Connection, scope: Scope, device_id: int, name: str) -> int:
    """The id of a slot by its name in a device. Raises NotFound."""
    where = (slot.c.device_id == device_id, slot.c.name == name, scope.where(slot.c.account_id))
    found = tx.scalar(select(slot.c.id).join(device, device.c.id == slot.c.device_id).where(*where))
    if found is None:
        raise NotFound(f"there is no slot {name!r} in device {device_id}")
    return int(found)
