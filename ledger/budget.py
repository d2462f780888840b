"""Budgets of account, cost centre and month: reserved when proposed, spent when delivered, else given back.

What is free is checked and taken by one UPDATE, so two processes never take the same money.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import Connection, bindparam, select, update

from ledger.engine import insert_new, upsert
from ledger.tables import account, budget, cost_centre

ZERO = Decimal(0)
_OF_MONTH = select(budget).where(
    budget.c.account_id == bindparam("account"),
    budget.c.cost_centre == bindparam("centre"),
    budget.c.month == bindparam("month"),
)
_CURRENCY = select(account.c.currency).where(account.c.id == bindparam("account"))
_OF_CENTRE = select(cost_centre.c.monthly_budget).where(
    cost_centre.c.account_id == bindparam("account"), cost_centre.c.name == bindparam("centre")
)
_OF_ACCOUNT = select(account.c.monthly_budget).where(account.c.id == bindparam("account"))


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


def standing(tx: Connection, account_id: int, month: str, centre: str = "") -> Standing | None:
    """The budget that orders of this cost centre spend: its own, or the account's where it has none.

    Made from the monthly budget when first asked for; None: none is kept."""
    return (_kept(tx, account_id, month, centre) if centre else None) or _kept(tx, account_id, month, "")


def _kept(tx: Connection, account_id: int, month: str, centre: str) -> Standing | None:
    mine = {"account": account_id, "month": month, "centre": centre}
    found = tx.execute(_OF_MONTH, mine).one_or_none()
    if found is None:
        monthly = tx.scalar(_OF_CENTRE if centre else _OF_ACCOUNT, mine)
        if monthly is None:
            return None
        new = {"account_id": account_id, "cost_centre": centre, "month": month, "amount": monthly}
        insert_new(tx, budget, new | {"currency": tx.scalar(_CURRENCY, mine)})
        found = tx.execute(_OF_MONTH, mine).one()
    return Standing(found.id, month, found.amount, found.reserved, found.spent)


def set_amount(tx: Connection, account_id: int, month: str, centre: str, amount: Decimal) -> Standing:
    """Of one month, also when more is spent already: then nothing is free."""
    owner = {"account_id": account_id, "cost_centre": centre, "month": month}
    currency = tx.scalar(_CURRENCY, {"account": account_id})
    insert_new(tx, budget, owner | {"currency": currency, "amount": amount})
    mine = (budget.c.account_id == account_id, budget.c.cost_centre == centre, budget.c.month == month)
    row = tx.execute(update(budget).where(*mine).values(amount=amount).returning(budget)).one()
    return Standing(row.id, month, row.amount, row.reserved, row.spent)


def set_monthly(tx: Connection, account_id: int, centre: str, amount: Decimal) -> None:
    """What the months that come start with, of a cost centre or ("") of the account."""
    if not centre:
        tx.execute(update(account).where(account.c.id == account_id).values(monthly_budget=amount))
        return
    key = {"account_id": account_id, "name": centre}
    upsert(tx, cost_centre, [key | {"monthly_budget": amount}], on=list(key))


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
