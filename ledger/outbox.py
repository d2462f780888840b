"""What must leave the house: written in the transaction that decided it, delivered afterwards (ledger/deliver.py)."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, exists, func, literal_column, or_, select, update

from ledger import meta
from ledger.clock import real_ms
from ledger.engine import insert_new
from ledger.tables import outbox
from models.outbox import ALL, Kind, OutboxRow, Verdict
from models.stores import StoreError

ORDERED: Final = (Kind.PURCHASE_ORDER,)  # after a dead letter of these, later rows of the aggregate wait for a person
LEASE_MS: Final = 30_000
WAITING: Final[ColumnElement[str]] = literal_column(
    "'waiting'"
)  # literals, not parameters: only so a partial index is taken
DONE: Final[ColumnElement[str]] = literal_column("'done'")


class Waiting(NamedTuple):
    """How full the outbox is."""

    waiting: int
    retrying: int  # of these, at least one attempt failed
    dead: int
    oldest: int  # real ms when the oldest waiting row was written; 0: none


class NotDead(StoreError):
    """Only a dead letter can be tried again."""


def put(
    tx: Connection, kind: Kind, aggregate: str, payload: bytes, *, key: str, partition: int = ALL, target: str = ""
) -> bool:
    """Write one row; False if a row with this idempotency key is there already. No secrets in the payload."""
    return insert_new(tx, outbox, _row(kind, aggregate, payload, key, partition, target, real_ms()))


def put_many(tx: Connection, kind: Kind, rows: Iterable[tuple[str, bytes, str, int]]) -> None:
    """Rows of (aggregate, payload, key, partition) whose keys are known to be new."""
    now = real_ms()
    if values := [
        _row(kind, aggregate, payload, key, partition, "", now) for aggregate, payload, key, partition in rows
    ]:
        tx.execute(outbox.insert(), values)


def last_id(tx: Connection) -> int:
    return tx.scalar(select(func.max(outbox.c.id))) or 0


def claim(tx: Connection, owner: str, kinds: Sequence[Kind], now: int, limit: int) -> list[OutboxRow]:
    """Lease due rows, oldest first, for LEASE_MS.

    A row is left where an earlier one of its aggregate backs off, is held by somebody else, or is a dead letter of an
    ORDERED kind. Several facts of an aggregate may come in one batch; of the rest only the first."""
    meta.count(tx, "outbox.claim")  # locks: two claims at once would not see each other's leases
    earlier = outbox.alias()
    held = and_(earlier.c.state == WAITING, or_(earlier.c.next_attempt_at > now, earlier.c.leased_until > now))
    dead = and_(earlier.c.state == "dead", earlier.c.kind.in_(ORDERED))
    before = and_(earlier.c.aggregate == outbox.c.aggregate, earlier.c.id < outbox.c.id, earlier.c.state != DONE)
    blocked = exists().where(before, or_(held, dead))
    due = (
        select(outbox)
        .where(outbox.c.state == WAITING, outbox.c.next_attempt_at <= now, outbox.c.leased_until <= now)
        .where(outbox.c.kind.in_(kinds), ~blocked)
        .order_by(outbox.c.id)
        .limit(limit)
    )
    rows, seen = [], set()
    for row in tx.execute(due):
        if row.kind in {Kind.FACT, Kind.REQUEST} or row.aggregate not in seen:
            seen.add(row.aggregate)
            rows.append(_outbox_row(row))
    if rows:
        ids = [row.id for row in rows]
        tx.execute(update(outbox).where(outbox.c.id.in_(ids)).values(leased_until=now + LEASE_MS, leased_by=owner))
    return rows


def has_due(tx: Connection, kinds: Sequence[Kind], now: int) -> bool:
    """Whether `claim` is worth a write transaction."""
    due = select(outbox.c.id).where(
        outbox.c.state == WAITING,
        outbox.c.next_attempt_at <= now,
        outbox.c.leased_until <= now,
        outbox.c.kind.in_(kinds),
    )
    return tx.scalar(due.limit(1)) is not None


def release(tx: Connection, owner: str) -> int:
    """Give back what an earlier life of `owner` had leased; how many rows."""
    mine = and_(outbox.c.state == WAITING, outbox.c.leased_by == owner, outbox.c.leased_until > 0)
    return tx.execute(update(outbox).where(mine).values(leased_until=0, leased_by="")).rowcount


def settle_delivered(tx: Connection, rows: Sequence[OutboxRow], now: int) -> None:
    """Delivered. Facts and requests live on in the journal and go; what others got stays as a record of it."""
    gone = [row.id for row in rows if row.kind in {Kind.FACT, Kind.REQUEST}]
    kept = [row.id for row in rows if row.kind not in {Kind.FACT, Kind.REQUEST}]
    if gone:
        tx.execute(outbox.delete().where(outbox.c.id.in_(gone)))
    if kept:
        done = {
            "state": "done",
            "attempts": outbox.c.attempts + 1,
            "settled_at": now,
            "last_error": "",
            "leased_until": 0,
        }
        tx.execute(update(outbox).where(outbox.c.id.in_(kept)).values(done))


def settle_failed(
    tx: Connection, rows: Sequence[OutboxRow], error: str, next_attempt_at: int, *, maybe_sent: bool
) -> None:
    values = {
        "attempts": outbox.c.attempts + 1,
        "next_attempt_at": next_attempt_at,
        "last_error": error[:1000],
        "leased_until": 0,
    }
    if maybe_sent:
        values["maybe_sent"] = True
    ids = [row.id for row in rows]
    tx.execute(update(outbox).where(outbox.c.id.in_(ids), outbox.c.state == WAITING).values(values))


def settle_dead(tx: Connection, row: OutboxRow, error: str, verdict: Verdict, now: int) -> None:
    values = {
        "state": "dead",
        "attempts": outbox.c.attempts + 1,
        "last_error": error[:1000],
        "verdict": verdict,
        "settled_at": now,
        "leased_until": 0,
    }
    tx.execute(update(outbox).where(outbox.c.id == row.id, outbox.c.state == WAITING).values(values))


def retry_dead(tx: Connection, row_id: int) -> None:
    """Try a dead letter again at once, with the same idempotency key. Raises NotDead."""
    again = {
        "state": "waiting",
        "attempts": 0,
        "next_attempt_at": 0,
        "leased_until": 0,
        "verdict": "",
        "settled_at": None,
    }
    if not tx.execute(update(outbox).where(outbox.c.id == row_id, outbox.c.state == "dead").values(again)).rowcount:
        raise NotDead(f"outbox row {row_id} is no dead letter: nothing to try again")


def list_unsettled(tx: Connection, *, dead: bool = False, after: int = 0, limit: int = 100) -> list[OutboxRow]:
    """Dead letters, or what waits, by id."""
    state = "dead" if dead else "waiting"
    query = select(outbox).where(outbox.c.state == state, outbox.c.id > after).order_by(outbox.c.id).limit(limit)
    return [_outbox_row(row) for row in tx.execute(query)]


def waiting(tx: Connection) -> Waiting:
    row = tx.execute(
        select(
            func.count().filter(outbox.c.state == WAITING),
            func.count().filter(outbox.c.state == WAITING, outbox.c.attempts > 0),
            func.count().filter(outbox.c.state == "dead"),
            func.min(outbox.c.created).filter(outbox.c.state == WAITING),
        ).where(outbox.c.state != DONE)
    ).one()
    return Waiting(row[0], row[1], row[2], row[3] or 0)


def _row(kind: Kind, aggregate: str, payload: bytes, key: str, partition: int, target: str, now: int) -> dict[str, Any]:
    return {
        "kind": kind,
        "aggregate": aggregate,
        "partition": partition,
        "target": target,
        "payload": payload,
        "key": key,
        "state": "waiting",
        "created": now,
    }


def _outbox_row(row: Any) -> OutboxRow:
    return OutboxRow(
        id=row.id,
        kind=Kind(row.kind),
        aggregate=row.aggregate,
        partition=row.partition,
        target=row.target,
        payload=row.payload,
        key=row.key,
        attempts=row.attempts,
        maybe_sent=row.maybe_sent,
        last_error=row.last_error,
        verdict=Verdict(row.verdict),
        created=row.created,
    )
