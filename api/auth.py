"""Who calls: bearer tokens of the ledger, and what their role permits."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, Final

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from prometheus_client import Counter
from starlette.concurrency import run_in_threadpool

from api.failures import Failures
from api.problems import Problem
from api.services import Services, services
from ledger import tokens
from ledger.grants import Giver
from ledger.people import Person
from ledger.roles import PERMISSIONS, Permission, Role
from ledger.scope import Scope
from ledger.tokens import MARK, SHOWN, Token
from models.units import SECOND

log = structlog.get_logger()
KNOWN_FOR: Final = SECOND
"""How long a verified token is not looked up again: a revoked one ends within this."""
MOST_KNOWN: Final = 10_000
REFUSED: Final = Counter("ullage_api_refused_tokens_total", "Wrong, expired or revoked tokens and links.")

APPROVING: Final = frozenset(role for role, may in PERMISSIONS.items() if Permission.APPROVE in may)

bearer = HTTPBearer(auto_error=False, description="A token of `ullage token create`, or of an operator.")


@dataclass(frozen=True, slots=True)
class Caller:
    token_id: int  # 0: a person who is signed in on the page without one
    person: str  # whose name stands on approvals and in the audit
    role: Role
    scope: Scope
    permissions: frozenset[Permission]
    supplier_id: int | None = None
    person_id: int | None = None  # None: a service

    @classmethod
    def of(cls, found: Token | Person) -> "Caller":
        # a supplier is bound to its purchase orders, whose accounts may be any
        scope = found.scope if found.supplier_id is None else Scope.all()
        token_id, name, person_id = (
            (found.id, found.person, found.person_id) if isinstance(found, Token) else (0, found.name, found.id)
        )
        return cls(token_id, name, found.role, scope, found.permissions, found.supplier_id, person_id)

    @property
    def by(self) -> str:
        """As it is written down with what the caller did."""
        return self.person if self.supplier_id is None else f"supplier/{self.supplier_id}"

    @property
    def giver(self) -> Giver:
        return Giver(self.scope, self.permissions, self.person_id)

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def must(self, *permissions: Permission) -> None:
        """One of these. Raises Problem 403."""
        if any(self.may(permission) for permission in permissions):
            return
        wanted = " or ".join(permissions)
        if self.person_id is None and wanted == Permission.APPROVE and self.role in APPROVING:
            raise Problem(403, "forbidden", "only a person approves: use a token that belongs to one")
        have = "this token's scopes" if any(p in PERMISSIONS[self.role] for p in permissions) else f"role {self.role}"
        raise Problem(403, "forbidden", f"{have} may not {wanted}: ask for a token of another role or more scopes")


class Gate:
    """Verifies tokens, remembers verified ones for a moment, and slows down who guesses. One per application."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, tuple[int, Caller]] = OrderedDict()
        self._failures = Failures()

    async def caller(self, wired: Services, secret: str, client: str) -> Caller:
        """Raises Problem 401, 429."""
        now, digest = wired.real_now(), hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
        until, known = self._known.get(digest, (0, None))
        if known is not None and now < until:
            return known
        self.check(client, now)
        token = await run_in_threadpool(_verify, wired, secret, now)
        if token is None:
            self.failed(client, now, secret)
            raise unauthorized("this token is wrong, expired or revoked")
        found = Caller.of(token)
        self._known[digest] = (now + KNOWN_FOR, found)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return found

    def check(self, client: str, now: int) -> None:
        """Raises Problem 429 for who failed too often."""
        self._failures.check(client, now)

    def failed(self, client: str, now: int, secret: str = "") -> None:
        """Count it against the address, and against the token that `secret` claims to be. Raises Problem 429.

        The prefix is no secret: so it is only held against who fails, and the true token always gets through."""
        times = self._failures.add(client, now)
        REFUSED.inc()
        log.warning("api.refused", client=client, times=times)
        if secret.startswith(MARK):
            claimed = f"token {secret[:SHOWN]!r}"
            self._failures.check(claimed, now)
            self._failures.add(claimed, now)


def unauthorized(detail: str) -> Problem:
    return Problem(401, "unauthorized", detail, {"WWW-Authenticate": 'Bearer realm="ullage"'})


def _verify(wired: Services, secret: str, now: int) -> Token | None:
    with wired.ledger.read() as tx:
        found = tokens.verify(tx, secret, now)
    if found is not None and tokens.needs_use(found, now):
        with wired.ledger.write() as tx:
            tokens.used(tx, found.id, now)
    return found


def client_of(request: Request) -> str:
    return request.client.host if request.client else "unknown"


async def authenticate(request: Request) -> Caller:
    """The caller of this request, verified once."""
    known: Caller | None = getattr(request.state, "caller", None)
    if known is not None:
        return known
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise unauthorized("send a token: Authorization: Bearer ullage_...")
    gate: Gate = request.app.state.gate
    found = await gate.caller(services(request), secret.strip(), client_of(request))
    request.state.caller = found
    return found


def require(*permissions: Permission) -> Callable[..., Coroutine[Any, Any, Caller]]:
    """A dependency: a caller whose role has one of these permissions."""

    async def dependency(request: Request, _documented: Annotated[Any, Depends(bearer)]) -> Caller:
        found = await authenticate(request)
        found.must(*permissions)
        return found

    return dependency


Reader = Annotated[Caller, Depends(require(Permission.READ))]
Buyer = Annotated[Caller, Depends(require(Permission.ORDER))]
Approver = Annotated[Caller, Depends(require(Permission.APPROVE))]
Admin = Annotated[Caller, Depends(require(Permission.ADMINISTER))]
Operator = Annotated[Caller, Depends(require(Permission.OPERATE))]
Supplier = Annotated[Caller, Depends(require(Permission.SUPPLY))]
Partner = Annotated[Caller, Depends(require(Permission.SUPPLY, Permission.ORDER))]
AnyReader = Annotated[Caller, Depends(require(Permission.READ, Permission.SUPPLY))]
