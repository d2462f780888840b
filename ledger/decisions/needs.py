"""What else `step` says about needs: one became unnecessary, or would have been opened if ordering were on."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, select, update

from ledger.change import Change
from ledger.engine import insert_new
from ledger.offers import terms_of
from ledger.orders import book
from ledger.tables import need, order_line, slot
from ledger.tables import would_order as would_order_table
from models import orders
from models.effects import NeedUnnecessary, WouldOrder
from models.facts import NeedState
from models.orders import Event, Guard, LineState, OrderState
from models.pricing import quote


def unnecessary(change: Change, effect: NeedUnnecessary) -> None:
    """Before it is placed its line goes; afterwards the need stays with the order, whose goods cover the next cycle."""
    row = change.tx.execute(
        select(need).where(
            need.c.slot_id == effect.slot,
            need.c.cycle == effect.cycle,
            need.c.attempt == effect.attempt,
            need.c.state == NeedState.OPEN,
        )
    ).one_or_none()
    if row is None:
        return
    line = change.tx.execute(select(order_line).where(order_line.c.id == row.order_line_id)).one()
    bought = book.lock(change, line.order_id)
    if OrderState(bought.state) in orders.PRE_PLACED:
        withdraw(change, bought, line, row, effect.reason)


def withdraw(change: Change, bought: Row[Any], line: Row[Any], row: Row[Any], reason: str) -> None:
    """Take one need off an order that was not placed; `bought` is locked."""
    book.settle(change, [row], NeedState.WITHDRAWN, reason)
    left = book.open_needs(change, line_id=line.id)
    if left:
        _shrink(change, bought, line, left)
    else:
        book.retire_lines(change, [line], LineState.WITHDRAWN)
    book.reserve(change, bought)
    book.add_up(change, bought.id)
    if book.lines_of(change, bought.id):
        book.move(change, bought, Event.UNNECESSARY, text=reason)
        return
    book.move(
        change, bought, Event.UNNECESSARY, frozenset({Guard.EMPTY}), text=reason, reason=reason, due_at=None, due_for=""
    )
    change.close_tasks(f"order/{bought.id}")


def _shrink(change: Change, bought: Row[Any], line: Row[Any], left: Sequence[Row[Any]]) -> None:
    """Price the rest again, with what it costs now; where that were dearer, the line stays as it is."""
    needed = sum(row.units for row in left)
    offers = terms_of(change.tx, bought.account_id, line.product_id, change.now)
    mine = next((x for x in offers if x.offer == line.offer_id and x.currency == line.currency), None)
    again = None if mine is None else quote(mine, needed)
    if again is not None and again.total.amount <= line.amount:
        book.price(change, line, again, needed)
        return
    change.tx.execute(update(order_line).where(order_line.c.id == line.id).values(units_needed=needed))


def would_order(change: Change, effect: WouldOrder) -> None:
    account_id = change.tx.execute(select(slot.c.account_id).where(slot.c.id == effect.slot)).scalar_one_or_none()
    if account_id is None:
        raise ValueError(f"the ledger knows no slot {effect.slot}")
    row = {
        "slot_id": effect.slot,
        "cycle": effect.cycle,
        "account_id": account_id,
        "site_id": effect.site,
        "product_id": effect.product,
        "evidence": msgspec.to_builtins(effect.evidence),
        "ts": change.now,
    }
    if insert_new(change.tx, would_order_table, row):
        change.tell(account_id, "slot.would_order", f"slot/{effect.slot}", cycle=effect.cycle, product=effect.product)
