"""Delegations: somebody approves in another's name for a while, within that person's limits. Times are domain ms."""

import msgspec
from sqlalchemy import Connection, delete, or_, select

from ledger import grants, people
from ledger.registry.common import PAGE, Invalid, missing, view, views
from ledger.roles import Permission
from ledger.scope import NotFound, Scope
from ledger.tables import delegation, person, person_account


class Delegation(msgspec.Struct, frozen=True):
    id: int
    person_id: int
    deputy_id: int
    starts: int
    ends: int


def delegate(tx: Connection, scope: Scope, person_id: int, deputy_id: int, starts: int, ends: int) -> Delegation:
    """Both approve; their limits are not added up. Raises NotFound, Invalid."""
    who, deputy = people.get(tx, scope, person_id), people.get(tx, scope, deputy_id)
    for one in (who, deputy):
        if Permission.APPROVE not in one.permissions or not one.live:
            raise Invalid(f"delegation: {one.name} does not approve orders: choose people who do")
    if person_id == deputy_id or ends <= starts:
        raise Invalid("delegation: choose somebody else, and an end after the start")
    values = {"person_id": person_id, "deputy_id": deputy_id, "starts": starts, "ends": ends}
    return view(Delegation, tx.execute(delegation.insert().values(values).returning(delegation)).one())


def list_delegations(
    tx: Connection, scope: Scope, *, of: int | None = None, before: int | None = None, limit: int = PAGE
) -> list[Delegation]:
    """Newest first, also past ones. `of`: those that this person gave or was given; `before`: the id to go on from."""
    seen = grants.seen(scope, person, person_account, "person_id")
    query = select(delegation).join(person, person.c.id == delegation.c.person_id)
    if of is None:
        query = query.where(seen)
    else:
        query = query.where(or_(delegation.c.person_id == of, delegation.c.deputy_id == of))
    if before is not None:
        query = query.where(delegation.c.id < before)
    return views(Delegation, tx.execute(query.order_by(delegation.c.id.desc()).limit(limit)))


def get(tx: Connection, scope: Scope, delegation_id: int) -> Delegation:
    """Raises NotFound, also where one of the two may not be seen."""
    row = tx.execute(select(delegation).where(delegation.c.id == delegation_id)).one_or_none()
    try:
        found = None if row is None else view(Delegation, row)
        if found is not None:
            people.get(tx, scope, found.person_id)
            people.get(tx, scope, found.deputy_id)
            return found
    except NotFound:
        pass
    raise missing("delegation", delegation_id)


def end(tx: Connection, delegation_id: int) -> None:
    """What was approved by it stays."""
    tx.execute(delete(delegation).where(delegation.c.id == delegation_id))
