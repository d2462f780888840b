"""An order of sandbox devices goes through every state: nobody outside hears of it, so the clock plays the supplier."""

from typing import Any

from sqlalchemy import Row, update

from ledger.change import Change
from ledger.orders import sent
from ledger.orders.acknowledge import Answer, acknowledge
from ledger.orders.cancel import answer_cancel
from ledger.orders.deliver import deliver
from ledger.orders.sent import Sent
from ledger.orders.ship import ship
from ledger.scope import Scope
from ledger.tables import order
from models.orders import OrderState

DUE_FOR = "rehearse"
KEY = "sandbox"


def first(now: int, expected: int) -> int:
    """When an order that is placed `now` (ms) is acknowledged: after a quarter of the way."""
    return now + (expected - now) // 4


def rehearse(change: Change, row: Row[Any]) -> None:
    """The next step: taken, then shipped half-way, then delivered when it is expected. A cancellation is granted."""
    goods, scope = sent.of_order(change, row.id), Scope.of(row.account_id)
    state = OrderState(row.state)
    if state is OrderState.CANCEL_REQUESTED:
        answer_cancel(change, scope, goods.number, granted=True)
    elif state is OrderState.PLACED:
        acknowledge(change, scope, goods.number, dict.fromkeys(goods.lines, Answer(accepted=True)))
        _again(change, row, row.due_at + (row.expected - row.due_at) // 3)
    elif state is OrderState.ACKNOWLEDGED:
        ship(change, scope, goods.number, _left(goods), key=KEY)
        _again(change, row, row.expected)
    else:
        deliver(change, scope, goods.number, _left(goods), key=KEY)


def _left(goods: Sent) -> dict[int, int]:
    return {number: line.books.under_way for number, line in goods.lines.items() if line.books.under_way}


def _again(change: Change, row: Row[Any], at: int) -> None:
    change.tx.execute(update(order).where(order.c.id == row.id).values(due_at=at, due_for=DUE_FOR))
