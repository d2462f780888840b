"""Who may give what: nobody gives away more than is theirs to give."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, and_, exists, select, true

from ledger.registry.common import Invalid
from ledger.roles import ALL_ACCOUNTS, Permission, Role
from ledger.scope import Scope
from ledger.tables import account, supplier
from models.stores import StoreError

OF_ACCOUNTS: Final = frozenset({Role.VIEWER, Role.BUYER, Role.APPROVER, Role.ACCOUNT_ADMIN})
"""Roles that an account's administrator may give."""


class NotYours(StoreError):
    """Whoever gives has not the right to give that."""


@dataclass(frozen=True, slots=True)
class Giver:
    """Who makes people and tokens; `person_id` if it is a person."""

    scope: Scope
    permissions: frozenset[Permission]
    person_id: int | None = None


OWNER: Final = Giver(Scope.all(), frozenset(Permission))
"""Whoever has the ledger's file: the command line."""


def check(giver: Giver, role: Role, accounts: Iterable[int] | None) -> None:
    """Raises NotYours for a role or accounts (None: all) that are not the giver's to give."""
    if role not in OF_ACCOUNTS and Permission.OPERATE not in giver.permissions:
        raise NotYours(f"role {role} is given by an operator: choose one of {', '.join(sorted(OF_ACCOUNTS))}")
    everywhere = accounts is None or role is Role.SUPPLIER
    if giver.scope.accounts is not None and (everywhere or not giver.scope.accounts.issuperset(accounts or ())):
        raise NotYours("these accounts are not yours to give: choose some of your own")


def check_fits(
    tx: Connection, whose: str, role: Role, accounts: Iterable[int] | None, supplier_id: int | None
) -> list[int] | None:
    """The accounts, sorted; None: all. Raises Invalid for what the role cannot have, and for what is not there."""
    granted = None if accounts is None else sorted(set(accounts))
    if granted is None and role not in ALL_ACCOUNTS:
        raise Invalid(f"{whose}: role {role} needs a list of accounts")
    if (role is Role.SUPPLIER) != (supplier_id is not None):
        raise Invalid(f"{whose}: role supplier, and no other, is bound to a supplier")
    known = set(tx.scalars(select(account.c.id).where(account.c.id.in_(granted or ()))))
    if missing := set(granted or ()) - known:
        raise Invalid(f"{whose}: there is no account {min(missing)}")
    if supplier_id is not None and tx.scalar(select(supplier.c.id).where(supplier.c.id == supplier_id)) is None:
        raise Invalid(f"{whose}: there is no supplier {supplier_id}")
    return granted


def seen(scope: Scope, owner: Table, granted: Table, key: str) -> ColumnElement[bool]:
    """The condition on rows of `owner`: accounts are granted to it (in `granted`, by `key`), none outside of the scope.

    What reaches beyond the caller's accounts is not theirs to change, so it is not shown either."""
    if scope.accounts is None:
        return true()
    theirs = granted.c[key] == owner.c.id
    inside = scope.where(granted.c.account_id)
    return and_(~owner.c.all_accounts, exists().where(theirs, inside), ~exists().where(theirs, ~inside))
