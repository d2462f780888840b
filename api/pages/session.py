"""Who looks at the page: a signed cookie that names a token or a person, and forms that only our own pages can send."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from api.auth import Caller
from api.problems import Problem
from api.services import Services, services
from ledger import meta, people, tokens
from ledger.engine import insert_new
from ledger.people import Person
from ledger.roles import Permission
from ledger.scope import NotFound, Scope
from ledger.tables import meta as meta_table
from ledger.tokens import Token
from models.units import HOUR, SECOND

COOKIE: Final = "ullage_session"
LIFE: Final = 12 * HOUR
KEY: Final = "page_key"
PERSON: Final = "p"
"""Before a number: a person's, not a token's."""


class SignedOut(Exception):
    """Nobody is signed in, or not any more: the page asks to sign in."""


@dataclass(frozen=True, slots=True)
class Session:
    caller: Caller
    csrf: str

    def may(self, permission: str) -> bool:
        return self.caller.may(Permission(permission))

    def must(self, permission: Permission) -> "Session":
        """Raises Problem 403."""
        self.caller.must(permission)
        return self


def begin(wired: Services, response: Response, who: Token | Person, *, secure: bool) -> None:
    """Sign in: the cookie lasts LIFE, or as long as the token or the person may come in."""
    whose = who.id if isinstance(who, Token) else f"{PERSON}{who.id}"
    value = f"{whose}.{wired.real_now() + LIFE}.{secrets.token_urlsafe(12)}"
    signed = f"{value}.{_sign(_key(wired), value)}"
    response.set_cookie(COOKIE, signed, LIFE // SECOND, httponly=True, samesite="strict", secure=secure)


def end(response: Response) -> None:
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")


def of_request(request: Request) -> Session:
    """Reads the ledger. Raises SignedOut."""
    wired = services(request)
    value, _, signature = request.cookies.get(COOKIE, "").rpartition(".")
    key = _key(wired)
    if not value or not hmac.compare_digest(signature.encode(), _sign(key, value).encode()):
        raise SignedOut
    whose, expires, _ = value.split(".", 2)
    now = wired.real_now()
    if now >= int(expires):
        raise SignedOut
    try:
        with wired.ledger.read() as tx:
            caller = _live(tx, whose, now)
    except NotFound as error:
        raise SignedOut from error
    if caller is None or not caller.may(Permission.READ):
        raise SignedOut
    return Session(caller, _sign(key, f"csrf.{value}"))


def _live(tx: Connection, whose: str, now: int) -> Caller | None:
    if whose.startswith(PERSON):
        who = people.get(tx, Scope.all(), int(whose.removeprefix(PERSON)))
        return Caller.of(who) if who.live else None
    token = tokens.get(tx, int(whose))
    return Caller.of(token) if token.live(now) else None


async def _session(request: Request) -> Session:
    return await run_in_threadpool(of_request, request)


Viewer = Annotated[Session, Depends(_session)]


@dataclass(frozen=True, slots=True)
class Sent:
    """A form of our own page, and who sent it."""

    session: Session
    fields: FormData

    def text(self, name: str, most: int = 1000) -> str:
        value = self.fields.get(name, "")
        if not isinstance(value, str) or len(value) > most:
            raise Problem(422, "invalid", f"{name}: use at most {most} characters")
        return value.strip()


async def _sent(request: Request, session: Viewer) -> Sent:
    check_origin(request)
    fields = await request.form(max_files=0, max_fields=50)
    sent = fields.get("csrf")
    if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), session.csrf.encode()):
        raise Problem(403, "forbidden", "this form is too old: load the page again, then repeat what you did")
    return Sent(session, fields)


Form = Annotated[Sent, Depends(_sent)]


def check_origin(request: Request) -> None:
    """Browsers say where a form comes from. Raises Problem 403 for another site's."""
    origin = request.headers.get("origin")
    if origin not in {None, f"{request.url.scheme}://{request.url.netloc}"}:
        raise Problem(403, "forbidden", f"a form of {origin} cannot be sent here: use the page itself")


def _key(wired: Services) -> str:
    """Made once per installation; whoever knows it can sign in as anybody, like whoever reads the ledger."""
    with wired.ledger.read() as tx:
        found = meta.get(tx, KEY)
    if found is None:
        with wired.ledger.write() as tx:
            insert_new(tx, meta_table, {"key": KEY, "value": secrets.token_hex(32)})
            found = meta.get(tx, KEY) or ""
    return found


def _sign(key: str, value: str) -> str:
    return hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()
