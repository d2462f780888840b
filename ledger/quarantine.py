"""Input that was acknowledged but cannot be used: kept with its reason until a person has decided."""

import msgspec
from sqlalchemy import Connection, select, update

from ledger.registry.common import PAGE, single, views
from ledger.scope import Scope
from ledger.tables import quarantine


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


def list_held(
    tx: Connection,
    scope: Scope,
    *,
    device_id: int | None = None,
    state: str = "held",
    after: int = 0,
    limit: int = PAGE,
) -> list[Held]:
    """By id; `state` is held, discarded or replayed."""
    query = select(quarantine).where(scope.where(quarantine.c.account_id), quarantine.c.state == state)
    if device_id is not None:
        query = query.where(quarantine.c.device_id == device_id)
    return views(Held, tx.execute(query.where(quarantine.c.id > after).order_by(quarantine.c.id).limit(limit)))


def get(tx: Connection, scope: Scope, quarantine_id: int) -> Held:
    mine = (quarantine.c.id == quarantine_id, scope.where(quarantine.c.account_id))
    return single(tx, Held, quarantine, *mine, called=("quarantined input", quarantine_id))


def discard(tx: Connection, scope: Scope, quarantine_id: int, by: str, now: int) -> bool:
    """It will not be looked at again, but stays on record; False if it was settled before. Raises NotFound."""
    return _settle(tx, scope, quarantine_id, "discarded", by, now)


def replayed(tx: Connection, scope: Scope, quarantine_id: int, by: str, now: int) -> bool:
    """It is in the journal once more, as a reading; False if it was settled before. Raises NotFound."""
    return _settle(tx, scope, quarantine_id, "replayed", by, now)


def _settle(tx: Connection, scope: Scope, quarantine_id: int, state: str, by: str, now: int) -> bool:
    get(tx, scope, quarantine_id)
    mine = (quarantine.c.id == quarantine_id, quarantine.c.state == "held")
    values = {"state": state, "settled_by": by, "settled_at": now}
    return bool(tx.execute(update(quarantine).where(*mine).values(values)).rowcount)
