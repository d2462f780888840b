"""In whose name somebody approves an order: their own, within their limits, or that of whose deputy they are."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select

from ledger import limits, people
from ledger.limits import Bill
from ledger.people import Person
from ledger.roles import Permission
from ledger.scope import Scope
from ledger.tables import account, delegation


class Authority(NamedTuple):
    by: str
    limit_of: int | None  # the person whose limits it uses
    obstacle: str | None = None  # why not


def authority(tx: Connection, row: Row[Any], who: Person, now: int) -> Authority:
    """`row`: of orders. Once it is escalated, the one who is asked then approves whatever the limits say."""
    bill = Bill.of(row)
    own = limits.of_person(tx, bill, who, now)
    if own is None or (row.escalated and _last(tx, row) == who.id):
        return Authority(who.name, who.id)
    for principal in _principals(tx, bill, who, now):
        if limits.of_person(tx, bill, principal, now) is None:
            return Authority(f"{who.name} for {principal.name}", principal.id)
    return Authority(who.name, None, own)


def _last(tx: Connection, row: Row[Any]) -> int | None:
    return tx.scalar(select(account.c.escalate_to).where(account.c.id == row.account_id))


def _principals(tx: Connection, bill: Bill, who: Person, now: int) -> Iterator[Person]:
    running = (delegation.c.deputy_id == who.id, delegation.c.starts <= now, delegation.c.ends > now)
    for number in tx.scalars(select(delegation.c.person_id).where(*running).order_by(delegation.c.id)).all():
        found = people.get(tx, Scope.all(), number)
        if found.live and Permission.APPROVE in found.permissions and found.scope.allows(bill.account_id):
            yield found
