"""Packs that move, line by line: each movement is a row of `delivery`, whose key makes it count once."""

from collections.abc import Callable, Mapping
from uuid import uuid4

from sqlalchemy import func, select

from ledger.change import Change
from ledger.engine import insert_new
from ledger.orders.sent import Line, Sent
from ledger.tables import delivery


def by_line(
    goods: Sent, kind: str, quantities: Mapping[int, int], key: str, move: Callable[[Line, int, str], bool]
) -> bool:
    """`move(line, packs, its key)` for each line number; whether any of it was new. Without a key everything is new.

    Raises NoSuchLine."""
    key = key or uuid4().hex
    moved = [
        move(goods.line(number), packs, f"{kind}/{goods.number}/{number}/{key}") for number, packs in quantities.items()
    ]
    return any(moved)


def record(change: Change, line: Line, kind: str, packs: int, key: str) -> bool:
    """False if it is there already. `kind`: "shipped", "delivered", "inferred", or what only tells of goods that the
    books have already: "announced" (shipped), "confirmed" (delivered)."""
    row = {"purchase_order_line_id": line.row.id, "kind": kind, "quantity": packs, "by": change.by, "ts": change.now}
    return insert_new(change.tx, delivery, row | {"key": key})


def total(change: Change, line: Line, *kinds: str) -> int:
    """Packs of all movements of these kinds."""
    mine = (delivery.c.purchase_order_line_id == line.row.id, delivery.c.kind.in_(kinds))
    return int(change.tx.scalar(select(func.sum(delivery.c.quantity)).where(*mine)) or 0)
