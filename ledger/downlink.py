"""What a device is told about its orders (for which slot, in which state, when the goods come), and which of its
readings could not be used though the gateway took them (ingest.downlink)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, or_, select

from ledger.engine import Ledger
from ledger.tables import event, need, order, order_line, product, slot
from models.facts import NeedState

BATCH: Final = 1_000  # events read at once
Message = dict[str, Any]

_NEEDS = (
    select(
        need.c.id,
        need.c.state,
        need.c.units,
        need.c.opened,
        need.c.reason,
        slot.c.device_id,
        slot.c.name.label("slot"),
        product.c.sku,
        order.c.id.label("order"),
        order.c.state.label("order_state"),
        func.coalesce(order_line.c.expected, order.c.expected).label("expected"),
    )
    .join(slot, slot.c.id == need.c.slot_id)
    .join(product, product.c.id == need.c.product_id)
    .outerjoin(order_line, order_line.c.id == need.c.order_line_id)
    .outerjoin(order, order.c.id == order_line.c.order_id)
    .order_by(need.c.id)
)


class LedgerDownlink:
    """Reads in short transactions; safe to call from several threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def snapshot(self, device_id: int) -> list[Message]:
        """The open needs of a device's slots, oldest first. Raises Unavailable."""
        with self._ledger.read() as tx:
            mine = _NEEDS.where(slot.c.device_id == device_id, need.c.state == NeedState.OPEN)
            return [_message(row) for row in tx.execute(mine)]

    def changes(self, since_event_id: int) -> tuple[int, list[tuple[int, Message]]]:
        """(last event id, [(device id, message)]) of the needs and orders that events above `since_event_id` are about,
        as they are now; below 0: the last id only. Raises Unavailable."""
        with self._ledger.read() as tx:
            if since_event_id < 0:
                return tx.scalar(select(func.max(event.c.id))) or 0, []
            query = select(event.c.id, event.c.subject).where(event.c.id > since_event_id).order_by(event.c.id)
            events = tx.execute(query.limit(BATCH)).all()
            if not events:
                return since_event_id, []
            return events[-1].id, _touched(tx, (row.subject for row in events))

    def refusals(self, since_event_id: int) -> tuple[int, list[tuple[int, Message]]]:
        """(last event id, [(device id, message)]) of what was quarantined by events above `since_event_id` and the
        gateway has not told; below 0: the last id only. Raises Unavailable."""
        with self._ledger.read() as tx:
            reached = tx.scalar(select(func.max(event.c.id))) or 0
            if since_event_id < 0 or reached <= since_event_id:
                return max(reached, since_event_id), []
            mine = (event.c.id > since_event_id, event.c.id <= reached, event.c.kind == "device.quarantined")
            query = select(event.c.id, event.c.subject, event.c.data, event.c.ts).where(*mine).order_by(event.c.id)
            rows = tx.execute(query.limit(BATCH)).all()
        found = [(int(row.subject.partition("/")[2]), _refusal(row)) for row in rows if not row.data.get("told")]
        return rows[-1].id if len(rows) == BATCH else reached, found


def _refusal(row: Row[*tuple[Any, ...]]) -> Message:
    return {"v": 1, "ts": row.ts, "code": row.data["code"], "reason": row.data["reason"]}


def _touched(tx: Connection, subjects: Iterable[str]) -> list[tuple[int, Message]]:
    numbers: dict[str, set[int]] = {"need": set(), "order": set()}
    for subject in subjects:
        noun, _, number = subject.partition("/")
        if noun in numbers and number.isdecimal():
            numbers[noun].add(int(number))
    if not any(numbers.values()):
        return []
    # an order tells of the needs that it still serves; what ended has an event of its own
    live = order.c.id.in_(sorted(numbers["order"])) & (need.c.state == NeedState.OPEN)
    rows = tx.execute(_NEEDS.where(or_(need.c.id.in_(sorted(numbers["need"])), live)))
    return [(row.device_id, _message(row)) for row in rows]


def _message(row: Row[*tuple[Any, ...]]) -> Message:
    still_open = row.state == NeedState.OPEN
    message: Message = {
        "v": 1,
        "need": row.id,
        "slot": row.slot,
        "sku": row.sku,
        "units": row.units,
        "state": (row.order_state or "open") if still_open else NeedState(row.state).name.lower(),
        "order": row.order,
        "since": _iso(row.opened),
        "expected": _iso(row.expected) if still_open else None,
    }
    return message | {"reason": row.reason} if row.reason else message


def _iso(ms: int | None) -> str | None:
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
