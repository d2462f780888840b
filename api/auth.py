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

from api.problems import Problem
from api.services import Services, services
from ledger import tokens
from ledger.roles import PERMISSIONS, Permission, Role
from ledger.scope import Scope
from ledger.tokens import Token
from models.units import MINUTE, SECOND

log = structlog.get_logger()
KNOWN_FOR: Final = SECOND
"""How long a verified token is not looked up again: a revoked one ends within this."""
MOST_KNOWN: Final = 10_000
REFUSED: Final = Counter("ullage_api_refused_tokens_total", "Wrong, expired or revoked tokens and links.")
FAILURES: Final = 20
"""Wrong tokens per client address and FAILURES_IN, then 429."""
FAILURES_IN: Final = MINUTE

bearer = HTTPBearer(auto_error=False, description="A token of `ullage token create`, or of an operator.")


@dataclass(frozen=True, slots=True)
class Caller:
    token_id: int
    person: str  # whose name stands on approvals
    role: Role
    scope: Scope
    supplier_id: int | None = None

    @classmethod
    def of(cls, token: Token) -> "Caller":
        # a supplier is bound to its purchase orders, whose accounts may be any
        scope = token.scope if token.supplier_id is None else Scope.all()
        return cls(token.id, token.person, token.role, scope, token.supplier_id)

    @property
    def by(self) -> str:
        """As it is written down with what the caller did."""
        return self.person if self.supplier_id is None else f"supplier/{self.supplier_id}"

    def may(self, permission: Permission) -> bool:
        return permission in PERMISSIONS[self.role]


class Gate:
    """Verifies tokens, remembers verified ones for a moment, and slows down who guesses. One per application."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, tuple[int, Caller]] = OrderedDict()
        self._failed: OrderedDict[str, tuple[int, int]] = OrderedDict()  # client -> (since, how often)

    async def caller(self, wired: Services, secret: str, client: str) -> Caller:
        """Raises Problem 401, 429."""
        now, digest = wired.real_now(), hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
        until, known = self._known.get(digest, (0, None))
        if known is not None and now < until:
            return known
        self.check(client, now)
        token = await run_in_threadpool(_verify, wired, secret, now)
        if token is None:
            self.failed(client, now)
            raise unauthorized("this token is wrong, expired or revoked")
        found = Caller.of(token)
        self._known[digest] = (now + KNOWN_FOR, found)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return found

    def check(self, client: str, now: int) -> None:
        """Raises Problem 429 for who failed too often."""
        since, times = self._failed.get(client, (0, 0))
        if times >= FAILURES and now - since < FAILURES_IN:
            wait = -((now - since - FAILURES_IN) // SECOND)
            detail = f"too many wrong tokens from {client}: try again in {wait} s"
            raise Problem(429, "too_many_failures", detail, {"Retry-After": str(wait)})

    def failed(self, client: str, now: int) -> None:
        since, times = self._failed.pop(client, (now, 0))
        if now - since >= FAILURES_IN:
            since, times = now, 0
        self._failed[client] = (since, times + 1)
        while len(self._failed) > MOST_KNOWN:
            self._failed.popitem(last=False)
        REFUSED.inc()
        log.warning("api.refused", client=client, times=times + 1)


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
        if not any(found.may(permission) for permission in permissions):
            wanted = " or ".join(permissions)
            raise Problem(403, "forbidden", f"role {found.role} may not {wanted}: ask for a token of another role")
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
