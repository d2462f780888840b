"""What an order carries for the buyer's books: reference, blanket purchase order, cost centre."""

from typing import Final

from sqlalchemy import func, update

from ledger import audit
from ledger.change import Change
from ledger.clock import real_ms
from ledger.orders import book
from ledger.registry.common import Invalid
from ledger.scope import Scope
from ledger.tables import account, order, site
from models.orders import OrderState
from models.stores import StoreError

CARRIED: Final = ("reference", "blanket_order", "cost_centre")
DEFAULTS: Final = [func.coalesce(func.nullif(site.c[name], ""), account.c[name]).label(name) for name in CARRIED]
"""Of a new order: its site's, or else its account's."""
_OPEN: Final = frozenset({OrderState.PROPOSED, OrderState.AWAITING})


class Decided(StoreError):
    """What an order carries is settled when it is approved."""


def carry(change: Change, scope: Scope, order_id: int, **values: str | None) -> None:
    """Set some of CARRIED, before it is approved; another cost centre takes the money from another budget.

    Raises NotFound, Decided, Invalid."""
    row = book.find(change, scope, order_id)
    if row.state not in _OPEN:
        raise Decided(f"order {order_id} is {row.state}: what it carries is settled when it is approved")
    before = {name: row._mapping[name] for name in CARRIED}
    wanted = {name: check(name, value) for name, value in values.items() if value is not None}
    changed = {name: value for name, value in wanted.items() if value != before[name]}
    if not changed:
        return
    if "cost_centre" in changed:
        for line in book.lines_of(change, order_id):
            book.give_back(change, line)
    numbers = {"version": order.c.version + 1, "changed": change.now}
    change.tx.execute(update(order).where(order.c.id == order_id).values(changed | numbers))
    book.reserve(change, book.lock(change, order_id))
    subject, told = f"order/{order_id}", {"before": before, "after": before | changed}
    audit.record(change.tx, change.by, "order.described", subject, real_ms(), account_id=row.account_id, **told)
    change.tell(row.account_id, "order.described", subject, **changed)


def check(name: str, value: str) -> str:
    """Raises Invalid for what cannot stand on an order."""
    most = order.c[name].type.length  # type: ignore[attr-defined]
    if len(value) > most or not value.isprintable():
        raise Invalid(f"{name.replace('_', ' ')} {value[:100]!r}: use at most {most} printable characters")
    return value.strip()
