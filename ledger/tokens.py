"""API tokens and one-time links. A secret is shown once; only its SHA-256 is kept."""

import hmac
from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, exists, or_, select, true, update

from ledger import grants, people, secret
from ledger.grants import OWNER, Giver, NotYours
from ledger.registry.common import PAGE, Invalid, check_text, missing
from ledger.roles import PERMISSIONS, Permission, Role
from ledger.scope import Scope
from ledger.tables import link, person, person_account, token, token_account, token_person
from models.units import DAY, MINUTE

MARK: Final = "ullage_"  # so that scanners of leaked secrets know it
SHOWN: Final = len(MARK) + 6
USE_EVERY: Final = MINUTE  # last use is kept so exactly
LINK_LIFE: Final = 15 * MINUTE
OVERLAP: Final = DAY
"""How long the old secret lives on after a rotation, unless it is said."""
_COLUMNS = select(token, token_person.c.person_id).outerjoin(token_person, token_person.c.token_id == token.c.id)
_GRANTED = select(token_account.c.account_id).order_by(token_account.c.account_id)


class Token(msgspec.Struct, frozen=True):
    """All times are real, in ms. Of a person: role, accounts and supplier are the person's, as they are now."""

    id: int
    name: str
    prefix: str
    role: Role
    person: str
    person_id: int | None  # None: a service's, which approves nothing
    accounts: tuple[int, ...] | None  # None: all
    supplier_id: int | None
    scopes: tuple[Permission, ...]  # empty: all of the role
    created: int
    expires: int | None
    last_used: int | None
    revoked: int | None  # or when the person ended

    @property
    def scope(self) -> Scope:
        return Scope.all() if self.accounts is None else Scope.of(*self.accounts)

    @property
    def permissions(self) -> frozenset[Permission]:
        of_role = PERMISSIONS[self.role] & frozenset(self.scopes or Permission)
        return of_role if self.person_id is not None else of_role - {Permission.APPROVE}

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def live(self, now: int) -> bool:
        return self.revoked is None and (self.expires is None or now < self.expires)


class Made(NamedTuple):
    token: Token
    secret: str  # shown this once


def create(
    tx: Connection,
    name: str,
    role: Role,
    now: int,
    *,
    giver: Giver = OWNER,
    by: str = "",
    accounts: Iterable[int] | None = (),
    supplier_id: int | None = None,
    scopes: Collection[Permission] = (),
    expires: int | None = None,
) -> Made:
    """A service's. `accounts`: ids, or None for all of them (planner, operator). `by`: what stands in the audit.

    Raises Invalid, NotYours."""
    granted = None if accounts is None else sorted(set(accounts))
    grants.check(giver, role, granted)
    grants.check_fits(tx, f"token {name}", role, granted, supplier_id)
    _check_scopes(giver, name, role, scopes, PERMISSIONS[role] - {Permission.APPROVE})
    values = {"role": role, "person": by or name, "all_accounts": granted is None, "supplier_id": supplier_id}
    number, made = _insert(tx, name, now, values, scopes, expires)
    if granted:
        tx.execute(token_account.insert(), [{"token_id": number, "account_id": one} for one in granted])
    return Made(get(tx, number), made)


def create_for(
    tx: Connection,
    name: str,
    person_id: int,
    now: int,
    *,
    giver: Giver = OWNER,
    scopes: Collection[Permission] = (),
    expires: int | None = None,
) -> Made:
    """A person's, who alone makes one that approves: whoever makes it sees its secret. Raises NotFound, NotYours,
    Invalid."""
    who = people.get(tx, giver.scope, person_id)
    if not who.live:
        raise Invalid(f"token {name}: {who.name} may not come in any more")
    _check_own(giver, person_id, scopes or who.permissions)
    _check_scopes(giver, name, who.role, scopes, who.permissions)
    values = {"role": who.role, "person": who.name, "all_accounts": who.accounts is None}
    number, made = _insert(tx, name, now, values | {"supplier_id": who.supplier_id}, scopes, expires)
    tx.execute(token_person.insert().values(token_id=number, person_id=person_id))
    return Made(get(tx, number), made)


def rotate(tx: Connection, token_id: int, now: int, *, giver: Giver = OWNER, overlap_ms: int = OVERLAP) -> Made:
    """The same with a new secret; the old one lives on for `overlap_ms` at most. Raises NotFound, Invalid, NotYours."""
    old = get(tx, token_id, giver.scope)
    if not old.live(now):
        raise Invalid(f"token {token_id} has ended: make a new one")
    expires = None if old.expires is None else now + (old.expires - old.created)
    more: dict[str, Any] = {"giver": giver, "scopes": old.scopes, "expires": expires}
    if old.person_id is not None:
        made = create_for(tx, old.name, old.person_id, now, **more)
    else:
        bound: dict[str, Any] = {"by": old.person, "accounts": old.accounts, "supplier_id": old.supplier_id}
        made = create(tx, old.name, old.role, now, **bound, **more)
    ends = min(now + overlap_ms, old.expires or now + overlap_ms)
    tx.execute(update(token).where(token.c.id == token_id).values(expires=ends))
    return made


def verify(tx: Connection, given: str, now: int) -> Token | None:
    """The live token with this secret. It is found by its digest, which tells nothing about the secret."""
    digest = secret.digest(given)
    row = tx.execute(_COLUMNS.where(token.c.hash == digest)).one_or_none()
    if row is None or not hmac.compare_digest(row.hash, digest):
        return None
    found = _token(tx, row)
    return found if found.live(now) else None


def used(tx: Connection, token_id: int, now: int) -> None:
    """Remember the last use; call it if `needs_use`, so that not every read becomes a write."""
    tx.execute(update(token).where(token.c.id == token_id).values(last_used=now))


def needs_use(found: Token, now: int) -> bool:
    return found.last_used is None or now - found.last_used >= USE_EVERY


def get(tx: Connection, token_id: int, scope: Scope | None = None) -> Token:
    """Raises NotFound, also for one that reaches beyond the scope."""
    row = tx.execute(_COLUMNS.where(token.c.id == token_id, _seen(scope or Scope.all()))).one_or_none()
    if row is None:
        raise missing("token", token_id)
    return _token(tx, row)


def list_tokens(tx: Connection, *, scope: Scope | None = None, after: int = 0, limit: int = PAGE) -> list[Token]:
    """In the order in which they were made, behind the id `after`."""
    mine = _COLUMNS.where(_seen(scope or Scope.all()), token.c.id > after)
    return [_token(tx, row) for row in tx.execute(mine.order_by(token.c.id).limit(limit)).all()]


def revoke(tx: Connection, token_id: int, now: int, scope: Scope | None = None) -> Token:
    """At once and for ever, with its links. Raises NotFound."""
    get(tx, token_id, scope)
    tx.execute(update(token).where(token.c.id == token_id, token.c.revoked.is_(None)).values(revoked=now))
    return get(tx, token_id)


def make_link(tx: Connection, token_id: int, now: int, life_ms: int = LINK_LIFE) -> str:
    """A secret that signs somebody in as this token, once, within `life_ms`. Raises NotFound."""
    get(tx, token_id)
    made = secret.made()
    tx.execute(link.insert().values(hash=secret.digest(made), token_id=token_id, expires=now + life_ms))
    return made


def use_link(tx: Connection, code: str, now: int) -> Token | None:
    """The token of a link that nobody has used yet; from now on it is used up."""
    mine = (link.c.hash == secret.digest(code), link.c.used.is_(None), link.c.expires > now)
    token_id = tx.scalar(update(link).where(*mine).values(used=now).returning(link.c.token_id))
    if token_id is None:
        return None
    found = get(tx, token_id)
    return found if found.live(now) else None


def _insert(
    tx: Connection, name: str, now: int, values: dict[str, Any], scopes: Collection[Permission], expires: int | None
) -> tuple[int, str]:
    check_text("token's name", name, 64)
    if expires is not None and expires <= now:
        raise Invalid(f"token {name}: it would have expired already")
    made = MARK + secret.made()
    kept = {"name": name, "prefix": made[:SHOWN], "hash": secret.digest(made), "created": now, "expires": expires}
    row = values | kept | {"scopes": " ".join(sorted(scopes))}
    return int(tx.execute(token.insert().values(row).returning(token.c.id)).scalar_one()), made


def _check_scopes(
    giver: Giver, name: str, role: Role, scopes: Collection[Permission], most: frozenset[Permission]
) -> None:
    if beyond := frozenset(scopes) - most:
        raise Invalid(f"token {name}: role {role} has no scope {min(beyond)}: it has {', '.join(sorted(most))}")
    if beyond := frozenset(scopes or most) - giver.permissions - {Permission.APPROVE}:
        raise NotYours(f"token {name}: scope {min(beyond)} is not yours to give: say fewer scopes")


def _check_own(giver: Giver, person_id: int, scopes: Collection[Permission]) -> None:
    if Permission.APPROVE in scopes and giver is not OWNER and giver.person_id != person_id:
        raise NotYours("only the person makes or rotates a token that approves: leave the scope approve out")


def _seen(scope: Scope) -> ColumnElement[bool]:
    """Of a person: whose person may be seen."""
    if scope.accounts is None:
        return true()
    theirs = exists().where(
        person.c.id == token_person.c.person_id, grants.seen(scope, person, person_account, "person_id")
    )
    service = and_(token_person.c.person_id.is_(None), grants.seen(scope, token, token_account, "token_id"))
    return or_(service, theirs.correlate(token_person))


def _token(tx: Connection, row: Row[Any]) -> Token:
    values = dict(row._mapping)
    del values["hash"]
    values["scopes"] = tuple(Permission(scope) for scope in values["scopes"].split())
    all_accounts = values.pop("all_accounts")
    if values["person_id"] is not None:
        return Token(**values | _of_person(tx, values))
    granted = tx.scalars(_GRANTED.where(token_account.c.token_id == values["id"]))
    return Token(**values | {"accounts": None if all_accounts else tuple(granted), "role": Role(values["role"])})


def _of_person(tx: Connection, values: dict[str, Any]) -> dict[str, Any]:
    who = people.get(tx, Scope.all(), values["person_id"])
    ended = [at for at in (values["revoked"], who.ended) if at is not None]
    mine = {"person": who.name, "role": who.role, "accounts": who.accounts, "supplier_id": who.supplier_id}
    return mine | {"revoked": min(ended, default=None)}
