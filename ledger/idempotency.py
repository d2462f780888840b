"""Answers that were given under an Idempotency-Key: the same call again gets the same answer, nothing happens twice."""

from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, select, update

from ledger.engine import insert_new
from ledger.tables import idempotency
from models.units import DAY, MINUTE

KEPT_FOR: Final = DAY
UNDER_WAY_FOR: Final = MINUTE
"""A call that has not ended by then died with its process: the next one with its key may begin."""


class Kept(NamedTuple):
    fingerprint: bytes
    status: int  # 0: under way
    media_type: str
    body: bytes


def begin(tx: Connection, token_id: int, key: str, fingerprint: bytes, now: int) -> Kept | None:
    """None: go ahead, and then `keep` or `forget`. Else what is known of this key. `now` is real time, ms."""
    row = {"token_id": token_id, "key": key, "fingerprint": fingerprint, "created": now}
    row |= {"status": 0, "media_type": "", "body": b""}
    if insert_new(tx, idempotency, row):
        return None
    mine = (idempotency.c.token_id == token_id, idempotency.c.key == key)
    known = tx.execute(select(idempotency).where(*mine)).one()
    died = known.status == 0 and now - known.created > UNDER_WAY_FOR
    if died or now - known.created > KEPT_FOR:
        tx.execute(update(idempotency).where(*mine).values(row))
        return None
    return Kept(known.fingerprint, known.status, known.media_type, known.body)


def keep(tx: Connection, token_id: int, key: str, status: int, media_type: str, body: bytes) -> None:
    mine = (idempotency.c.token_id == token_id, idempotency.c.key == key)
    tx.execute(update(idempotency).where(*mine).values(status=status, media_type=media_type, body=body))


def forget(tx: Connection, token_id: int, key: str) -> None:
    """The call changed nothing: it may be made again."""
    tx.execute(delete(idempotency).where(idempotency.c.token_id == token_id, idempotency.c.key == key))


def expire(tx: Connection, now: int, limit: int = 10_000) -> int:
    """Drop answers older than KEPT_FOR, at most `limit`; how many went."""
    old = select(idempotency.c.token_id, idempotency.c.key).where(idempotency.c.created < now - KEPT_FOR).limit(limit)
    rows = tx.execute(old).all()
    for row in rows:
        forget(tx, row.token_id, row.key)
    return len(rows)
