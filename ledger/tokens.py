"""API tokens and one-time links. A secret is shown once; only its SHA-256 is kept."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, select, update

from ledger.registry.common import PAGE, Invalid, check_text, missing
from ledger.roles import ALL_ACCOUNTS, PERMISSIONS, Permission, Role
from ledger.scope import Scope
from ledger.tables import link, token, token_account
from models.units import MINUTE

MARK: Final = "ullage_"  # so that scanners of leaked secrets know it
SHOWN: Final = len(MARK) + 6
USE_EVERY: Final = MINUTE  # last use is kept so exactly
LINK_LIFE: Final = 15 * MINUTE


class Token(msgspec.Struct, frozen=True):
    """All times are real, in ms."""

    id: int
    name: str
    prefix: str
    role: Role
    person: str
    accounts: tuple[int, ...] | None  # None: all
    supplier_id: int | None
    created: int
    expires: int | None
    last_used: int | None
    revoked: int | None

    @property
    def scope(self) -> Scope:
        return Scope.all() if self.accounts is None else Scope.of(*self.accounts)

    def may(self, permission: Permission) -> bool:
        return permission in PERMISSIONS[self.role]

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
    person: str = "",
    accounts: Iterable[int] | None = (),
    supplier_id: int | None = None,
    expires: int | None = None,
) -> Made:
    """`accounts`: ids, or None for all of them (planner, operator). `person` stands on approvals. Raises Invalid."""
    check_text("token's name", name, 64)
    granted = None if accounts is None else sorted(set(accounts))
    if granted is None and role not in ALL_ACCOUNTS:
        raise Invalid(f"token {name}: role {role} needs a list of accounts")
    if (role is Role.SUPPLIER) != (supplier_id is not None):
        raise Invalid(f"token {name}: role supplier, and no other, is bound to a supplier")
    if expires is not None and expires <= now:
        raise Invalid(f"token {name}: it would have expired already")
    secret = MARK + _random()
    values = {
        "name": name,
        "prefix": secret[:SHOWN],
        "hash": _digest(secret),
        "role": role,
        "person": person or name,
        "all_accounts": granted is None,
        "supplier_id": supplier_id,
        "created": now,
        "expires": expires,
    }
    number = tx.execute(token.insert().values(values).returning(token.c.id)).scalar_one()
    if granted:
        tx.execute(token_account.insert(), [{"token_id": number, "account_id": one} for one in granted])
    return Made(get(tx, number), secret)


def verify(tx: Connection, secret: str, now: int) -> Token | None:
    """The live token with this secret. It is found by its digest, which tells nothing about the secret."""
    digest = _digest(secret)
    row = tx.execute(select(token).where(token.c.hash == digest)).one_or_none()
    if row is None or not hmac.compare_digest(row.hash, digest):
        return None
    found = _token(tx, row)
    return found if found.live(now) else None


def used(tx: Connection, token_id: int, now: int) -> None:
    """Remember the last use; call it if `needs_use`, so that not every read becomes a write."""
    tx.execute(update(token).where(token.c.id == token_id).values(last_used=now))


def needs_use(found: Token, now: int) -> bool:
    return found.last_used is None or now - found.last_used >= USE_EVERY


def get(tx: Connection, token_id: int) -> Token:
    row = tx.execute(select(token).where(token.c.id == token_id)).one_or_none()
    if row is None:
        raise missing("token", token_id)
    return _token(tx, row)


def list_tokens(tx: Connection, *, after: int = 0, limit: int = PAGE) -> list[Token]:
    query = select(token).where(token.c.id > after).order_by(token.c.id).limit(limit)
    return [_token(tx, row) for row in tx.execute(query).all()]


def revoke(tx: Connection, token_id: int, now: int) -> None:
    """At once and for ever, with its links. Raises NotFound."""
    get(tx, token_id)
    tx.execute(update(token).where(token.c.id == token_id, token.c.revoked.is_(None)).values(revoked=now))


def make_link(tx: Connection, token_id: int, now: int, life_ms: int = LINK_LIFE) -> str:
    """A secret that signs somebody in as this token, once, within `life_ms`. Raises NotFound."""
    get(tx, token_id)
    secret = _random()
    tx.execute(link.insert().values(hash=_digest(secret), token_id=token_id, expires=now + life_ms))
    return secret


def use_link(tx: Connection, secret: str, now: int) -> Token | None:
    """The token of a link that nobody has used yet; from now on it is used up."""
    mine = (link.c.hash == _digest(secret), link.c.used.is_(None), link.c.expires > now)
    token_id = tx.scalar(update(link).where(*mine).values(used=now).returning(link.c.token_id))
    if token_id is None:
        return None
    found = get(tx, token_id)
    return found if found.live(now) else None


def _token(tx: Connection, row: Row[*tuple[object, ...]]) -> Token:
    values = dict(row._mapping)
    granted = select(token_account.c.account_id).where(token_account.c.token_id == values["id"])
    values["accounts"] = None if values.pop("all_accounts") else tuple(tx.scalars(granted.order_by("account_id")))
    values["role"] = Role(str(values["role"]))
    del values["hash"]
    return Token(**values)


def _random() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
