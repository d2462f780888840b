"""Spending limits: per order and per time span, of persons, of roles, and of what is ordered automatically.

A person's own limit counts before their role's, one for the cost centre before one for all. Who has limits, but none
that fits the cost centre, approves nothing there; where there are no limits at all, nothing is limited.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Self

import msgspec
from sqlalchemy import Connection, Row, delete, func, select

from ledger.engine import upsert
from ledger.people import Person
from ledger.registry.common import Invalid, check_account, missing, view, views
from ledger.scope import Scope
from ledger.tables import account, approval, order, spending_limit
from models.money import Money
from models.orders import OrderState
from models.units import DAY

AUTOMATIC: Final = ""
"""As a subject: what no person looks at."""
POLICY: Final = "policy"
"""Who approved what no person looked at."""
NOT_SPENT: Final = (OrderState.REJECTED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.FAILED)


class Limit(msgspec.Struct, frozen=True):
    id: int
    account_id: int
    subject: str  # "person/4", "role/approver", AUTOMATIC
    cost_centre: str  # "": all that have none of their own
    per_order: Decimal | None
    per_span: Decimal | None
    span_ms: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class Bill:
    """What is to be approved."""

    account_id: int
    cost_centre: str
    total: Money

    @classmethod
    def of(cls, row: Row[Any]) -> Self:
        """`row`: of orders."""
        return cls(row.account_id, row.cost_centre, Money(row.total, row.currency))


def put(
    tx: Connection,
    scope: Scope,
    account_id: int,
    subject: str,
    *,
    cost_centre: str = "",
    per_order: Decimal | None = None,
    per_span: Decimal | None = None,
    span_ms: int | None = None,
) -> Limit:
    """In the account's currency; replaces the one of the same subject and cost centre. Raises NotFound, Invalid."""
    check_account(scope, account_id)
    currency = tx.scalar(select(account.c.currency).where(account.c.id == account_id))
    if currency is None:
        raise missing("account", account_id)
    if (per_span is None) != (span_ms is None) or (span_ms is not None and span_ms <= 0):
        raise Invalid("limit: give both an amount per span and the span's length, or neither")
    if per_order is None and per_span is None:
        raise Invalid("limit: give an amount per order, per span, or both")
    key = {"account_id": account_id, "subject": subject, "cost_centre": cost_centre}
    most = {"per_order": per_order, "per_span": per_span, "span_ms": span_ms, "currency": currency}
    upsert(tx, spending_limit, [key | most], on=list(key))
    mine = [spending_limit.c[name] == value for name, value in key.items()]
    return view(Limit, tx.execute(select(spending_limit).where(*mine)).one())


def list_limits(tx: Connection, scope: Scope, account_id: int, *, after: int = 0, limit: int = 100) -> list[Limit]:
    check_account(scope, account_id)
    mine = select(spending_limit).where(spending_limit.c.account_id == account_id, spending_limit.c.id > after)
    return views(Limit, tx.execute(mine.order_by(spending_limit.c.id).limit(limit)))


def remove(tx: Connection, scope: Scope, limit_id: int) -> Limit:
    """Raises NotFound."""
    mine = (spending_limit.c.id == limit_id, scope.where(spending_limit.c.account_id))
    row = tx.execute(delete(spending_limit).where(*mine).returning(spending_limit)).one_or_none()
    if row is None:
        raise missing("limit", limit_id)
    return view(Limit, row)


def of_person(tx: Connection, bill: Bill, who: Person, now: int) -> str | None:
    """Why this person may not approve it, in words; None: may."""
    theirs = (f"person/{who.id}", f"role/{who.role}")
    for subject in theirs:
        if found := _fitting(tx, bill, subject):
            return _above(tx, bill, found, who.id, now)
        if _has_any(tx, bill, subject):
            return f"{who.name} approves nothing of cost centre {bill.cost_centre or '(none)'}"
    return None


def obstacle(tx: Connection, bill: Bill, subject: str, now: int) -> str | None:
    """The same for a subject that is no person."""
    found = _fitting(tx, bill, subject)
    return None if found is None else _above(tx, bill, found, None, now)


def _fitting(tx: Connection, bill: Bill, subject: str) -> Limit | None:
    """Locked, so that two approvals cannot both take what is left of a span."""
    mine = spending_limit.c
    query = select(spending_limit).where(
        mine.account_id == bill.account_id,
        mine.subject == subject,
        mine.cost_centre.in_({"", bill.cost_centre}),
        mine.currency == bill.total.currency,
    )
    row = tx.execute(query.order_by(mine.cost_centre.desc()).limit(1).with_for_update()).one_or_none()
    return None if row is None else view(Limit, row)


def _has_any(tx: Connection, bill: Bill, subject: str) -> bool:
    mine = (spending_limit.c.account_id == bill.account_id, spending_limit.c.subject == subject)
    return tx.scalar(select(spending_limit.c.id).where(*mine).limit(1)) is not None


def _above(tx: Connection, bill: Bill, found: Limit, person_id: int | None, now: int) -> str | None:
    whose = {AUTOMATIC: "for automatic orders"}.get(found.subject, f"of {found.subject}")
    if found.per_order is not None and bill.total.amount > found.per_order:
        return f"{bill.total} is above the limit per order of {Money(found.per_order, found.currency)} {whose}"
    if found.per_span is None or found.span_ms is None:
        return None
    spent = _spent(tx, found, person_id, now - found.span_ms)
    if spent + bill.total.amount <= found.per_span:
        return None
    days = round(found.span_ms / DAY, 1)
    most, so_far = Money(found.per_span, found.currency), Money(spent, found.currency)
    return f"{bill.total} with {so_far} before is above the limit of {most} in {days:g} days {whose}"


def _spent(tx: Connection, found: Limit, person_id: int | None, since: int) -> Decimal:
    """What was approved under this limit since, without what came to nothing."""
    query = (
        select(func.sum(approval.c.amount))
        .join(order, order.c.id == approval.c.order_id)
        .where(
            order.c.account_id == found.account_id,
            ~order.c.sandbox,
            order.c.state.not_in(NOT_SPENT),
            approval.c.decision == "approved",
            approval.c.ts > since,
            approval.c.by == POLICY if person_id is None else approval.c.limit_of == person_id,
        )
    )
    if found.cost_centre:
        query = query.where(order.c.cost_centre == found.cost_centre)
    return tx.scalar(query) or Decimal(0)
