"""The supplier answers, line by line: it takes it or refuses it. What surely never reached it counts as refused."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import update

from ledger.change import Change
from ledger.orders import sent
from ledger.orders.sent import Sent
from ledger.scope import Scope
from ledger.tables import purchase_order
from models.facts import NeedState
from models.orders import Event, OrderState


@dataclass(frozen=True, slots=True)
class Answer:
    accepted: bool
    reason: str = ""


def acknowledge(
    change: Change, scope: Scope, number: int, answers: Mapping[int, Answer], *, supplier_id: int | None = None
) -> OrderState:
    """Answers by line of purchase order `number`; the same ones again change nothing. Raises NotFound, NoSuchLine,
    NotAllowed (a line that was shipped cannot be refused any more)."""
    goods = sent.find(change, scope, number, supplier_id)
    taken = [goods.line(n) for n, answer in answers.items() if answer.accepted]
    taken = [line for line in taken if not line.books.accepted and line.books.under_way]
    refused = {n: answer.reason for n, answer in answers.items() if not answer.accepted}
    refused = {n: why for n, why in refused.items() if not goods.line(n).books.refused}
    for line in taken:
        sent.save(change, line, line.books.accept(), otherwise=NeedState.FAILED)
    if taken and OrderState(goods.order.state) is not OrderState.CANCEL_REQUESTED:
        silent_no_more = all(line.books.accepted or not line.books.under_way for line in goods.lines.values())
        late = {"due_at": goods.order.overdue_at, "due_for": "overdue"} if silent_no_more else {}
        if silent_no_more:
            change.close_tasks(f"order/{goods.order.id}", "supplier_silent")
        sent.move(change, goods, Event.ACCEPTED, **({} if goods.order.overdue else late))
    if refused:
        _refuse(change, goods, refused)
    _note(change, number)
    return OrderState(goods.order.state)


def never_sent(change: Change, scope: Scope, number: int, reason: str) -> OrderState:
    """The purchase order is a dead letter that surely did not reach the supplier: its needs failed, order anew.

    Raises NotFound, NotAllowed."""
    goods = sent.find(change, scope, number)
    open_lines = {n: reason for n, line in goods.lines.items() if line.books.under_way}
    if open_lines:
        _refuse(change, goods, open_lines)
    return OrderState(goods.order.state)


def _refuse(change: Change, goods: Sent, reasons: Mapping[int, str]) -> None:
    """While a cancellation is asked for, a refusal is its yes."""
    asked = OrderState(goods.order.state) is OrderState.CANCEL_REQUESTED
    for number, why in reasons.items():
        line = goods.line(number)
        after = line.books.cancel() if asked else line.books.refuse()
        state = NeedState.REFUSED if asked else NeedState.FAILED
        sent.save(change, line, after, otherwise=state, reason=why or "the supplier refused")
    if not asked:
        sent.move(change, goods, Event.REFUSED, text="; ".join(filter(None, reasons.values())))
    elif not sent.under_way(goods.lines.values()):
        sent.move(change, goods, Event.CANCEL_GRANTED)


def _note(change: Change, number: int) -> None:
    first = (purchase_order.c.id == number, purchase_order.c.acknowledged_at.is_(None))
    change.tx.execute(update(purchase_order).where(*first).values(acknowledged_at=change.now))
