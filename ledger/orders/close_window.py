"""The window of a draft closes: approved inside limits and budget, else it waits for a person."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Row, insert, select

from ledger import budget, limits, mode
from ledger.change import Change
from ledger.orders import book
from ledger.orders.place import place
from ledger.orders.surge import surge
from ledger.tables import account, account_product, approval, site
from models.facts import Mode
from models.money import Money
from models.orders import Event, Guard

AUTOMATIC = limits.POLICY
"""Who approved an order that no person had to look at."""


def close_window(change: Change, row: Row[Any]) -> None:
    """`row` is a locked draft."""
    reserved = book.reserve(change, row)
    buyer = change.tx.execute(select(account).where(account.c.id == row.account_id)).one()
    obstacles = _obstacles(change, row, buyer, reserved)
    if obstacles:
        within = change.rules.approve_within_ms if buyer.approve_within_ms is None else buyer.approve_within_ms
        approve_by = change.now + within
        text = f"order {row.id} waits for approval: {'; '.join(obstacles)}"
        book.move(
            change,
            row,
            Event.WINDOW_CLOSED,
            text=text,
            reason="; ".join(obstacles),
            approve_by=approve_by,
            due_at=approve_by,
            due_for="approve_by",
        )
        change.ask_person(row.account_id, row.site_id, "approval", f"order/{row.id}", text)
        return
    decide(change, row, AUTOMATIC, "approved", "inside limits and budget")
    begin_hold(change, row, buyer, Event.WINDOW_CLOSED, Guard.INSIDE, AUTOMATIC)


def decide(change: Change, row: Row[Any], by: str, decision: str, reason: str, *, limit_of: int | None = None) -> None:
    """Keep who decided what, whose limits it used, and the budget that they saw."""
    kept = budget.standing(change.tx, row.account_id, budget.month_of(row.created), row.cost_centre)
    detail = {} if kept is None else {"month": kept.month, "amount": str(kept.amount), "reserved": str(kept.reserved)}
    change.tx.execute(
        insert(approval).values(
            order_id=row.id,
            decision=decision,
            by=by,
            reason=reason,
            amount=row.total,
            currency=row.currency,
            detail=detail,
            limit_of=limit_of,
            ts=change.now,
        )
    )


def begin_hold(change: Change, row: Row[Any], buyer: Row[Any], event: Event, guard: Guard, by: str) -> None:
    """Approved: the cancel window runs, and if there is none the order is placed now."""
    hold = change.rules.hold_ms if buyer.hold_ms is None else buyer.hold_ms
    until = change.now + (0 if row.urgent else hold)
    book.move(
        change,
        row,
        event,
        frozenset({guard}),
        approved_by=by,
        approved_at=change.now,
        hold_until=until,
        due_at=until,
        due_for="place",
        reason="",
    )
    if until <= change.now:
        place(change, book.lock(change, row.id))


def _obstacles(change: Change, row: Row[Any], buyer: Row[Any], reserved: bool) -> list[str]:
    """Why this cannot go by itself, in words; empty: it can."""
    found = []
    counts = _mode(change, row, buyer)
    if counts is Mode.ASK:
        found.append("every order is asked for (mode ask)")
    elif counts < Mode.ASK:
        found.append("ordering was paused or switched off since it was proposed")
    above = _above(Money(row.total, row.currency), buyer.limit_per_order) or limits.obstacle(
        change.tx, limits.Bill.of(row), limits.AUTOMATIC, change.now
    )
    if above:
        found.append(above)
    if surging := surge(change, row, buyer):
        found.append(surging)
    if not reserved:
        found.append(f"the budget of {budget.month_of(row.created)} does not suffice")
    return found


def _above(total: Money, most: Decimal | None) -> str | None:
    if most is None or total.amount <= most:
        return None
    return f"{total} is above the limit per order of {Money(most, total.currency)}"


def _mode(change: Change, row: Row[Any], buyer: Row[Any]) -> Mode:
    where = change.tx.execute(select(site.c.mode, site.c.paused).where(site.c.id == row.site_id)).one()
    products = [line.product_id for line in book.lines_of(change, row.id)]
    mine = account_product.c.account_id == row.account_id
    skus = change.tx.execute(
        select(account_product.c.mode, account_product.c.paused).where(mine, account_product.c.product_id.in_(products))
    ).all()
    return mode.effective([(buyer.mode, buyer.paused), (where.mode, where.paused), *((s.mode, s.paused) for s in skus)])
