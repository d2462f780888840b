"""A person approves: price, limits and budget are checked again first, for days may have passed."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from ledger.change import Change
from ledger.offers import terms_of
from ledger.orders import book
from ledger.orders.authority import Authority, authority
from ledger.orders.close_window import begin_hold, decide
from ledger.people import Person
from ledger.scope import Scope
from ledger.tables import account
from models.money import Money
from models.orders import SENT, Event, Guard, OrderState, row_of
from models.pricing import quote

_APPROVED_BEFORE = SENT | {OrderState.APPROVED, OrderState.DELIVERED}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`code`: "approved", "price_changed", "no_price", "over_limit" or "over_budget"; only the first one approves."""

    code: str
    text: str  # for people: what happened, what to do
    state: OrderState


def approve(change: Change, scope: Scope, order_id: int, reason: str = "", person: Person | None = None) -> Outcome:
    """Approving again changes nothing. A dearer price is written down and shown: approve again to take it.

    `person`: whose limits count; None for whom none do.

    Raises NotFound, NotAllowed."""
    row = book.find(change, scope, order_id)
    state = OrderState(row.state)
    if state in _APPROVED_BEFORE:
        return Outcome("approved", f"order {order_id} was approved before", state)
    row_of(state, Event.APPROVED, frozenset({Guard.CHECKED}))
    obstacle = _price_again(change, row)
    row = book.lock(change, order_id)
    named = Authority(change.by, None) if person is None else authority(change.tx, row, person, change.now)
    if named.obstacle is not None and obstacle is None:
        obstacle = Outcome("over_limit", f"order {order_id}: {named.obstacle}: ask somebody else to approve", state)
    if not book.reserve(change, row) and obstacle is None:
        obstacle = Outcome("over_budget", f"the budget does not suffice for {Money(row.total, row.currency)}", state)
    if obstacle is not None:
        return obstacle
    decide(change, row, named.by, "approved", reason, limit_of=named.limit_of)
    change.close_tasks(f"order/{order_id}", "approval", "approval_late")
    buyer = change.tx.execute(select(account).where(account.c.id == row.account_id)).one()
    begin_hold(change, row, buyer, Event.APPROVED, Guard.CHECKED, named.by)
    return Outcome("approved", f"order {order_id} is approved", OrderState(book.lock(change, order_id).state))


def _price_again(change: Change, row: Row[Any]) -> Outcome | None:
    """Bring the lines to today's prices; what keeps the order from being approved, if anything."""
    before = Money(row.total, row.currency)
    for line in book.lines_of(change, row.id):
        offers = terms_of(change.tx, row.account_id, line.product_id, change.now)
        mine = next((x for x in offers if x.offer == line.offer_id and x.currency == row.currency), None)
        if mine is None:
            text = f"line {line.line} of order {row.id} is not offered any more: reject the order"
            return Outcome("no_price", text, OrderState.AWAITING)
        again = quote(mine, line.units_needed)
        if again.total.amount != line.amount:
            book.price(change, line, again, line.units_needed)
    after = Money(book.add_up(change, row.id), row.currency)
    if after <= before:
        return None
    text = f"order {row.id} costs {after} by now instead of {before}: approve it again to take that price"
    change.tell(row.account_id, "order.repriced", f"order/{row.id}", before=str(before), after=str(after))
    return Outcome("price_changed", text, OrderState.AWAITING)
