"""Input that cannot be used: kept for a person, and left out by every replay."""

from sqlalchemy import Connection, delete, func, select

from ledger.change import Change
from ledger.clock import real_ms
from ledger.decisions import answers
from ledger.engine import insert_new
from ledger.tables import device, quarantine
from ledger.tables import skipped as skipped_rows
from models.effects import RequestAnswered
from models.stores import Skip

KEPT_PER_DEVICE = 200
"""A hostile or broken device cannot fill the disk: of what is held, its oldest goes first."""


def skipped(tx: Connection, partition: int) -> frozenset[tuple[int, int]]:
    query = select(skipped_rows.c.offset, skipped_rows.c.index).where(skipped_rows.c.partition == partition)
    return frozenset((offset, index) for offset, index in tx.execute(query))


def set_aside(change: Change, partition: int, skip: Skip) -> None:
    """Once. Whoever asked for it is told."""
    row = {"partition": partition, "offset": skip.offset, "index": skip.index, "code": skip.code, "reason": skip.reason}
    if not insert_new(change.tx, skipped_rows, row):
        return
    source = f"record/{partition}/{skip.offset}/{skip.index}"
    keep(change.tx, skip.device, real_ms(), skip.code, skip.reason, skip.raw, source=source)
    if skip.request:
        answers.answered(change, RequestAnswered(skip.request, "refused", skip.reason))


def keep(
    tx: Connection,
    device_id: int,
    ts: int,
    code: str,
    reason: str,
    raw: bytes,
    *,
    source: str,
    boot: int = 0,
    seq: int = 0,
) -> bool:
    """Quarantine; False if this was kept before. An unknown device (0) is nobody's."""
    account_id = tx.scalar(select(device.c.account_id).where(device.c.id == device_id))
    row = {
        "account_id": account_id,
        "device_id": device_id if account_id is not None else None,
        "ts": ts,
        "boot": boot,
        "seq": seq,
        "code": code,
        "reason": reason,
        "raw": raw,
        "source": source,
    }
    if not insert_new(tx, quarantine, row):
        return False
    _bound(tx, device_id)
    return True


def _bound(tx: Connection, device_id: int) -> None:
    mine = (quarantine.c.device_id == device_id, quarantine.c.state == "held")
    held = tx.scalar(select(func.count()).select_from(quarantine).where(*mine)) or 0
    if held > KEPT_PER_DEVICE:
        oldest = select(quarantine.c.id).where(*mine).order_by(quarantine.c.id).limit(held - KEPT_PER_DEVICE)
        tx.execute(delete(quarantine).where(quarantine.c.id.in_(oldest)))
