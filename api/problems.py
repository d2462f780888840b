"""Errors as RFC 9457 problem details: what happened, to what, and what to do."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from models.stores import Unavailable

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


def conflict(detail: str) -> Problem:
    return Problem(409, "conflict", detail)


def _answer(status: int, code: str, detail: str, headers: Mapping[str, str] | None, **extra: Any) -> JSONResponse:
    body = {"type": f"urn:ullage:problem:{code}", "title": HTTPStatus(status).phrase, "status": status}
    return JSONResponse(body | {"detail": detail, "code": code} | extra, status, dict(headers or {}), MEDIA_TYPE)


def install(app: FastAPI) -> None:
    @app.exception_handler(Problem)
    async def _problem(_: Request, error: Problem) -> JSONResponse:
        return _answer(error.status, error.code, error.detail, error.headers, **error.extra)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        return _answer(error.status_code, code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{"field": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
        first = errors[0]
        return _answer(422, "invalid", f"{first['field']}: {first['message']}", None, errors=errors)

    @app.exception_handler(Unavailable)
    async def _unavailable(_: Request, error: Unavailable) -> JSONResponse:
        return _answer(503, "unavailable", str(error), {"Retry-After": "1"})
