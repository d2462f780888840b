"""Errors as RFC 9457 problem details: what happened, to what, and what to do."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from ingest.release import RefusedStill
from ledger.fleet import BadFleet
from ledger.grants import NotYours
from ledger.orders.carried import Decided
from ledger.orders.release import NotRefused
from ledger.orders.sent import NoSuchLine
from ledger.quarantine import Settled
from ledger.registry.common import Invalid, Taken
from ledger.scope import NotFound
from models.orders import ImplausibleQuantity, NotAllowed
from models.stores import Unavailable

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer that is an error. `code` is stable, for programs; `detail` is for people."""

    def __init__(
        self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers, self.extra = status, code, detail, headers, extra


def not_found(what: str) -> Problem:
    """Also for another account's object: nobody learns that it exists."""
    return Problem(404, "not_found", f"there is no {what} that you may see")


def conflict(detail: str, headers: Mapping[str, str] | None = None) -> Problem:
    return Problem(409, "conflict", detail, headers)


def _answer(
    request: Request, status: int, code: str, detail: str, headers: Mapping[str, str] | None, **extra: Any
) -> Response:
    shown: Response | None = request.app.state.problem_page(request, status, HTTPStatus(status).phrase, detail)
    if shown is not None:
        return shown
    body = {"type": f"urn:ullage:problem:{code}", "title": HTTPStatus(status).phrase, "status": status}
    return JSONResponse(body | {"detail": detail, "code": code} | extra, status, dict(headers or {}), MEDIA_TYPE)


STATUS: Final[Mapping[type[Exception], tuple[int, str]]] = MappingProxyType(
    {
        NotFound: (404, "not_found"),
        NotYours: (403, "not_yours"),
        NotAllowed: (409, "not_allowed"),
        Decided: (409, "decided"),
        NotRefused: (409, "not_refused"),
        Settled: (409, "settled"),
        RefusedStill: (422, "refused_still"),
        Taken: (409, "taken"),
        Invalid: (422, "invalid"),
        BadFleet: (422, "bad_fleet"),
        NoSuchLine: (422, "no_such_line"),
        ImplausibleQuantity: (422, "implausible_quantity"),
        Unavailable: (503, "unavailable"),
    }
)
"""What the ledger's errors are over HTTP; their messages say what happened, to what, and what to do."""


def install(app: FastAPI) -> None:
    @app.exception_handler(Problem)
    async def _problem(request: Request, error: Problem) -> Response:
        return _answer(request, error.status, error.code, error.detail, error.headers, **error.extra)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        code = "too_large" if status == 413 else status.phrase.lower().replace(" ", "_")
        return _answer(request, error.status_code, code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        errors = [{"field": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
        first = errors[0]
        return _answer(request, 422, "invalid", f"{first['field']}: {first['message']}", None, errors=errors)

    async def _of_ledger(request: Request, error: Exception) -> Response:
        status, code = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
        return _answer(request, status, code, str(error), {"Retry-After": "1"} if status == 503 else None)

    for kind in STATUS:
        app.add_exception_handler(kind, _of_ledger)

    @app.exception_handler(ClientDisconnect)
    async def _gone(request: Request, _: Exception) -> Response:  # nobody reads it, but it is no fault of ours either
        return _answer(request, 400, "disconnected", "the connection broke within the body: send it again", None)

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> Response:
        log.error("api.failed", method=request.method, path=request.url.path, exc_info=error)
        return _answer(request, 500, "internal", "something unexpected happened; it is in the log of the API", None)
