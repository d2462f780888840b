"""Budgets of an account and month: reserved when proposed, spent when delivered, given back on every other way out.

What is free is checked and taken by one UPDATE, so two processes never take the same money.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import Connection, bindparam, select, update

from ledger.engine import insert_new
from ledger.tables import account, budget

ZERO = Decimal(0)
_OF_MONTH = select(budget).where(
    budget.c.account_id == bindparam("account"), budget.c.cost_centre == "", budget.c.month == bindparam("month")
)
_MONTHLY = select(account.c.monthly_budget, account.c.currency).where(account.c.id == bindparam("account"))


@dataclass(frozen=True, slots=True)
class Standing:
    id: int
    month: str
    amount: Decimal
    reserved: Decimal
    spent: Decimal


def month_of(now: int) -> str:
    """2026-11, in UTC."""
    return datetime.fromtimestamp(now / 1000, UTC).strftime("%Y-%m")


def standing(tx: Connection, account_id: int, month: str) -> Standing | None:
    """The account's budget of that month, made from its monthly budget when first asked for; None: none is kept."""
    mine = {"account": account_id, "month": month}
    found = tx.execute(_OF_MONTH, mine).one_or_none()
    if found is None:
        monthly, currency = tx.execute(_MONTHLY, mine).one()
        if monthly is None:
            return None
        insert_new(
            tx,
            budget,
            {"account_id": account_id, "cost_centre": "", "month": month, "currency": currency, "amount": monthly},
        )
        found = tx.execute(_OF_MONTH, mine).one()
    return Standing(found.id, month, found.amount, found.reserved, found.spent)


def reserve(tx: Connection, budget_id: int, amount: Decimal) -> bool:
    """Take `amount` if it is free; whether it was. A negative amount gives back."""
    change = update(budget).where(budget.c.id == budget_id).values(reserved=budget.c.reserved + amount)
    if amount > 0:
        change = change.where(budget.c.spent + budget.c.reserved + amount <= budget.c.amount)
    return bool(tx.execute(change).rowcount)


def spend(tx: Connection, budget_id: int, reserved: Decimal, spent: Decimal) -> None:
    """What was reserved is owed now; what came beyond it is owed as well."""
    tx.execute(
        update(budget)
        .where(budget.c.id == budget_id)
        .values(reserved=budget.c.reserved - reserved, spent=budget.c.spent + spent)
    )
