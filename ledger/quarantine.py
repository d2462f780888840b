"""Input that was acknowledged but cannot be used: kept with its reason until a person has decided."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from ledger import audit
from ledger.change import Change
from ledger.clock import real_ms
from ledger.registry.common import PAGE, single, views
from ledger.scope import Scope
from ledger.tables import quarantine
from models.stores import StoreError


class Settled(StoreError):
    """It was discarded or replayed before: what was decided stays."""


class Held(msgspec.Struct, frozen=True):
    id: int
    account_id: int | None
    device_id: int | None
    ts: int
    boot: int
    seq: int
    code: str
    reason: str
    raw: bytes
    state: str
    settled_by: str
    settled_at: int | None
    note: str
    fixed: bytes | None
    partition: int | None
    offset: int | None


def list_held(
    tx: Connection,
    scope: Scope,
    *,
    device_id: int | None = None,
    code: str | None = None,
    state: str = "held",
    after: int = 0,
    limit: int = PAGE,
) -> list[Held]:
    """By id; `state` is held, discarded or replayed."""
    query = select(quarantine).where(scope.where(quarantine.c.account_id), quarantine.c.state == state)
    if device_id is not None:
        query = query.where(quarantine.c.device_id == device_id)
    if code is not None:
        query = query.where(quarantine.c.code == code)
    return views(Held, tx.execute(query.where(quarantine.c.id > after).order_by(quarantine.c.id).limit(limit)))


def get(tx: Connection, scope: Scope, quarantine_id: int) -> Held:
    mine = (quarantine.c.id == quarantine_id, scope.where(quarantine.c.account_id))
    return single(tx, Held, quarantine, *mine, called=("quarantined input", quarantine_id))


def some(tx: Connection, scope: Scope, ids: Collection[int], *, lock: bool = False) -> list[Held]:
    """Those of `ids` that are there, by id, whatever their state. `lock`: nobody settles them before this transaction
    ends."""
    query = select(quarantine).where(quarantine.c.id.in_(ids), scope.where(quarantine.c.account_id))
    query = query.order_by(quarantine.c.id)
    return views(Held, tx.execute(query.with_for_update() if lock else query))


def discard(change: Change, held: Held, note: str) -> bool:
    """It will not be looked at again, but stays on record; False if it was settled before."""
    if not _settle(change, held, "discarded", note=note):
        return False
    change.tell(held.account_id, "quarantine.discarded", f"quarantine/{held.id}", code=held.code, reason=note)
    return True


def replayed(
    change: Change, held: Held, partition: int, offset: int, *, note: str = "", fixed: bytes | None = None
) -> bool:
    """It is in the journal once more, as a reading; False if it was settled before. `fixed`: as it was corrected."""
    if not _settle(change, held, "replayed", note=note, fixed=fixed, partition=partition, offset=offset):
        return False
    change.tell(held.account_id, "quarantine.replayed", f"quarantine/{held.id}", code=held.code, fixed=bool(fixed))
    return True


def _settle(change: Change, held: Held, state: str, **how: Any) -> bool:
    values = {"state": state, "settled_by": change.by, "settled_at": change.now, **how}
    mine = (quarantine.c.id == held.id, quarantine.c.state == "held")
    if not change.tx.execute(update(quarantine).where(*mine).values(values)).rowcount:
        return False
    after = {name: value for name, value in how.items() if value not in {None, ""}}
    if fixed := how.get("fixed"):
        after["fixed"] = fixed.decode(errors="replace")
    audit.record(
        change.tx,
        change.by,
        f"quarantine.{state}",
        f"quarantine/{held.id}",
        real_ms(),
        account_id=held.account_id,
        before={"state": "held", "code": held.code, "reason": held.reason},
        after={"state": state, **after},
    )
    return True
