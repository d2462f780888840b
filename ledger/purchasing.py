"""What new orders of an account or site carry, and who is asked when nobody approved in time."""

from typing import Any

from sqlalchemy import Connection, Table, select, update

from ledger import people
from ledger.orders.carried import CARRIED, check
from ledger.registry.common import Invalid, missing
from ledger.roles import Permission
from ledger.scope import Scope
from ledger.tables import account, site


def of_account(tx: Connection, scope: Scope, account_id: int) -> dict[str, Any]:
    """Raises NotFound."""
    return _shown(tx, account, account_id, scope.where(account.c.id), (*CARRIED, "escalate_to"))


def of_site(tx: Connection, scope: Scope, site_id: int) -> dict[str, Any]:
    """Raises NotFound."""
    return _shown(tx, site, site_id, scope.where(site.c.account_id), CARRIED)


def set_account(tx: Connection, scope: Scope, account_id: int, **values: Any) -> dict[str, Any]:
    """Some of CARRIED, and `escalate_to`: a person, 0 for nobody. Raises NotFound, Invalid."""
    of_account(tx, scope, account_id)
    last = values.pop("escalate_to", None)
    changed: dict[str, Any] = _checked(values)
    if last is not None:
        changed["escalate_to"] = last or None
    if last:
        who = people.get(tx, scope, last)
        if Permission.APPROVE not in who.permissions or not who.scope.allows(account_id):
            raise Invalid(f"purchasing: {who.name} does not approve orders of this account: choose somebody who does")
    if changed:
        tx.execute(update(account).where(account.c.id == account_id).values(changed))
    return of_account(tx, scope, account_id)


def set_site(tx: Connection, scope: Scope, site_id: int, **values: Any) -> dict[str, Any]:
    """Some of CARRIED; an empty one is the account's again. Raises NotFound, Invalid."""
    of_site(tx, scope, site_id)
    if changed := _checked(values):
        tx.execute(update(site).where(site.c.id == site_id).values(changed))
    return of_site(tx, scope, site_id)


def _checked(values: dict[str, Any]) -> dict[str, str]:
    return {name: check(name, value) for name, value in values.items() if value is not None}


def _shown(tx: Connection, table: Table, number: int, mine: Any, names: tuple[str, ...]) -> dict[str, Any]:
    row = tx.execute(select(*(table.c[name] for name in names)).where(table.c.id == number, mine)).one_or_none()
    if row is None:
        raise missing(table.name, number)
    return dict(row._mapping)
