"""People: whose names stand on approvals. Tokens and sessions are theirs, or a service's."""

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, select, update

from ledger import grants, secret
from ledger.engine import insert_new
from ledger.grants import Giver
from ledger.registry.common import PAGE, Invalid, Taken, check_text, missing
from ledger.roles import PERMISSIONS, Permission, Role
from ledger.scope import Scope
from ledger.tables import person, person_account, person_link
from models.units import MINUTE

LINK_LIFE: Final = 15 * MINUTE
EMAIL: Final = re.compile(r"[^@\s,;<>\"]{1,64}@[a-z0-9.-]{1,185}")
_GRANTED = select(person_account.c.account_id).order_by(person_account.c.account_id)


class Person(msgspec.Struct, frozen=True):
    """All times are real, in ms."""

    id: int
    name: str
    email: str | None
    role: Role
    accounts: tuple[int, ...] | None  # None: all
    supplier_id: int | None
    created: int
    ended: int | None

    @property
    def scope(self) -> Scope:
        return Scope.all() if self.accounts is None else Scope.of(*self.accounts)

    @property
    def permissions(self) -> frozenset[Permission]:
        return PERMISSIONS[self.role]

    @property
    def live(self) -> bool:
        return self.ended is None


def create(
    tx: Connection,
    giver: Giver,
    name: str,
    role: Role,
    now: int,
    *,
    email: str | None = None,
    accounts: Iterable[int] | None = (),
    supplier_id: int | None = None,
) -> Person:
    """`accounts`: ids, or None for all of them (planner, operator). Raises Invalid, Taken, NotYours."""
    check_text("person's name", name, 128)
    granted = None if accounts is None else sorted(set(accounts))
    grants.check(giver, role, granted)
    grants.check_fits(tx, f"person {name}", role, granted, supplier_id)
    values = {"name": name, "email": _email(email), "role": role, "created": now, "all_accounts": granted is None}
    return get(tx, Scope.all(), _insert(tx, values | {"supplier_id": supplier_id}, granted))


def _insert(tx: Connection, values: dict[str, Any], granted: list[int] | None) -> int:
    if values["email"] and tx.scalar(select(person.c.id).where(person.c.email == values["email"])):
        raise Taken("person", values["email"])
    number = int(tx.execute(person.insert().values(values).returning(person.c.id)).scalar_one())
    _grant(tx, number, granted)
    return number


def change(
    tx: Connection,
    giver: Giver,
    person_id: int,
    *,
    name: str | None = None,
    email: str | None = None,
    role: Role | None = None,
    accounts: Iterable[int] | None = None,
) -> Person:
    """Set what is not None; another role or other accounts count from now on, also for sessions and tokens.

    Raises NotFound, Invalid, Taken, NotYours."""
    before = get(tx, giver.scope, person_id)
    role = role or before.role
    granted = before.accounts if accounts is None else tuple(sorted(set(accounts)))
    grants.check(giver, before.role, before.accounts)
    grants.check(giver, role, granted)
    grants.check_fits(tx, f"person {before.name}", role, granted, before.supplier_id)
    values: dict[str, Any] = {"role": role, "all_accounts": granted is None}
    if name is not None:
        check_text("person's name", name, 128)
        values["name"] = name
    if email is not None:
        values["email"] = _email(email)
        same = select(person.c.id).where(person.c.email == values["email"], person.c.id != person_id)
        if values["email"] and tx.scalar(same):
            raise Taken("person", values["email"])
    tx.execute(update(person).where(person.c.id == person_id).values(values))
    tx.execute(delete(person_account).where(person_account.c.person_id == person_id))
    _grant(tx, person_id, granted)
    return get(tx, Scope.all(), person_id)


def end(tx: Connection, giver: Giver, person_id: int, now: int) -> Person:
    """May not come in any more: tokens, links and sessions end with it. What was approved stays. Again: no change."""
    before = get(tx, giver.scope, person_id)
    grants.check(giver, before.role, before.accounts)
    tx.execute(update(person).where(person.c.id == person_id, person.c.ended.is_(None)).values(ended=now))
    return get(tx, Scope.all(), person_id)


def get(tx: Connection, scope: Scope, person_id: int) -> Person:
    """Raises NotFound, also for who has accounts outside of the scope."""
    mine = (person.c.id == person_id, grants.seen(scope, person, person_account, "person_id"))
    row = tx.execute(select(person).where(*mine)).one_or_none()
    if row is None:
        raise missing("person", person_id)
    return _person(tx, row)


def with_email(tx: Connection, email: str) -> Person | None:
    """Who signs in by this address, also when ended."""
    row = tx.execute(select(person).where(person.c.email == email.strip().lower())).one_or_none()
    return None if row is None else _person(tx, row)


def list_people(tx: Connection, scope: Scope, *, after: int = 0, limit: int = PAGE) -> list[Person]:
    mine = grants.seen(scope, person, person_account, "person_id")
    query = select(person).where(mine, person.c.id > after).order_by(person.c.id).limit(limit)
    return [_person(tx, row) for row in tx.execute(query).all()]


def make_link(tx: Connection, person_id: int, now: int, life_ms: int = LINK_LIFE) -> str:
    """A secret that signs this person in, once, within `life_ms`."""
    made = secret.made()
    row = {"hash": secret.digest(made), "person_id": person_id, "expires": now + life_ms}
    insert_new(tx, person_link, row)
    return made


def use_link(tx: Connection, code: str, now: int) -> Person | None:
    """Whose link it is, unless it was used; from now on it is used up."""
    mine = (person_link.c.hash == secret.digest(code), person_link.c.used.is_(None), person_link.c.expires > now)
    found = tx.scalar(update(person_link).where(*mine).values(used=now).returning(person_link.c.person_id))
    if found is None:
        return None
    who = get(tx, Scope.all(), found)
    return who if who.live else None


def forget_links(tx: Connection, now: int) -> None:
    """Those that nobody can use any more."""
    tx.execute(delete(person_link).where(person_link.c.expires <= now))


def _grant(tx: Connection, person_id: int, accounts: Iterable[int] | None) -> None:
    if rows := [{"person_id": person_id, "account_id": one} for one in accounts or ()]:
        tx.execute(person_account.insert(), rows)


def _person(tx: Connection, row: Row[Any]) -> Person:
    values = dict(row._mapping)
    accounts = tx.scalars(_GRANTED.where(person_account.c.person_id == values["id"]))
    values["accounts"] = None if values.pop("all_accounts") else tuple(accounts)
    values["role"] = Role(values["role"])
    return Person(**values)


def _email(email: str | None) -> str | None:
    """In small letters; none for an empty one. Raises Invalid."""
    address = (email or "").strip().lower()
    if address and not EMAIL.fullmatch(address):
        raise Invalid(f"e-mail {address[:100]!r}: use an address such as ann@example.com")
    return address or None
