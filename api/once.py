"""Idempotency-Key: the same POST with the same key gets the first one's answer, and nothing happens twice."""

import hashlib
from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction
from typing import Any, Final

from fastapi import Request, Response

from api.auth import Caller, authenticate
from api.problems import Problem, conflict
from api.services import Services, services
from api.tables import TableRoute
from api.threads import write, writing
from ledger import idempotency
from ledger.idempotency import Kept
from models.units import MINUTE

HEADER: Final = "idempotency-key"
LONGEST: Final = 128
EXPIRE_EVERY: Final = 10 * MINUTE

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class OnceRoute(TableRoute):
    """Only answers of success are kept: after an error nothing has changed, and the call may be made again."""

    def __init__(
        self, path: str, endpoint: Callable[..., Any], *, methods: set[str] | list[str] | None = None, **more: Any
    ) -> None:
        if "POST" in (methods or ()) and not iscoroutinefunction(endpoint):
            endpoint = writing(endpoint)
        super().__init__(path, endpoint, methods=methods, **more)

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        if "POST" not in (self.methods or ()):
            return handle

        async def once(request: Request) -> Response:
            key = request.headers.get(HEADER)
            if not key:
                return await handle(request)
            if len(key) > LONGEST:
                raise Problem(400, "bad_key", f"Idempotency-Key has {len(key)} characters: use at most {LONGEST}")
            caller, wired = await authenticate(request), services(request)
            fingerprint = await _fingerprint(request)
            known = await write(_begin, wired, caller, key, fingerprint)
            if known is not None:
                return _again(known, key, fingerprint)
            try:
                answer = await handle(request)
            except Exception:
                await write(_end, wired, caller, key, None)
                raise
            await write(_end, wired, caller, key, answer if answer.status_code < 300 else None)
            return answer

        return once


def _again(known: Kept, key: str, fingerprint: bytes) -> Response:
    if known.fingerprint != fingerprint:
        detail = f"Idempotency-Key {key} was used for another call: use a new one for each call"
        raise Problem(422, "key_reused", detail)
    if known.status == 0:
        raise conflict(f"the call with Idempotency-Key {key} is still under way: ask again", {"Retry-After": "1"})
    headers = {"Idempotent-Replayed": "true"}
    return Response(known.body, known.status, headers, known.media_type)


async def _fingerprint(request: Request) -> bytes:
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    digest.update(await request.body())
    return digest.digest()


def _begin(wired: Services, caller: Caller, key: str, fingerprint: bytes) -> Kept | None:
    now = wired.real_now()
    with wired.ledger.write() as tx:
        if wired.due("idempotency", EXPIRE_EVERY):
            idempotency.expire(tx, now)
        return idempotency.begin(tx, caller.token_id, key, fingerprint, now)


def _end(wired: Services, caller: Caller, key: str, answer: Response | None) -> None:
    with wired.ledger.write() as tx:
        if answer is None:
            idempotency.forget(tx, caller.token_id, key)
        else:
            media_type = answer.headers.get("content-type", "application/json")
            idempotency.keep(tx, caller.token_id, key, answer.status_code, media_type, bytes(answer.body))
