"""What the OpenAPI document says beyond the routes: conventions, errors, the Idempotency-Key."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from api import examples, shapes

TEXT: Final = """
Real-time replenishment for connected machines.

* **Times** end in `_at`: RFC 3339, UTC, with milliseconds (`2026-11-21T09:30:00.250Z`), in domain time (`/v1/time`).
* **Money** is a decimal string beside its `currency`; **levels** are shares of a full supply (0..1).
* **Lists** are pages: `{"items": [...], "next": "..."}`; give `next` as `cursor`, null is the end.
* **Errors** are RFC 9457 problems (`application/problem+json`) with a stable `code`.
  Another account's object is a 404, as if it did not exist.
* **POST** takes an `Idempotency-Key`: the same call again gets the same answer, for a day.
"""

_PROBLEM: Final = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_MEANINGS: Final = {
    "401": "No token, or a wrong one.",
    "403": "The token's role does not permit it.",
    "404": "There is no such object that the caller may see.",
    "409": "Its state does not permit it.",
    "422": "The call does not say what it must.",
    "429": "Too many wrong tokens.",
    "503": "A store is not available: try again.",
}
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {}
OPEN: Final = ("/healthz", "/readyz", "/metrics", "/v1/time")
"""Need no token."""


SHOW_SECRETS: Final = ("/v1/fleet", "/v1/tokens", "/v1/tokens/{token_id}/rotate", "/v1/tokens/{token_id}/revoke")
"""Take no Idempotency-Key: an answer with a secret is not kept; revoking twice is revoking."""


def operation_id(route: APIRoute) -> str:
    return route.name


def install(app: FastAPI) -> None:
    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _finish(
                get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            )
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way


def _finish(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    schemas["Problem"] = shapes.Problem.model_json_schema()
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            answers.pop("422", None)
            for status, meaning in _MEANINGS.items():
                if _possible(status, method, path, operation):
                    answers.setdefault(status, {"description": meaning} | _PROBLEM)
            if method == "post" and path not in SHOW_SECRETS:
                operation.setdefault("parameters", []).append(
                    {
                        "name": "Idempotency-Key",
                        "in": "header",
                        "required": False,
                        "description": "Any text of your own, new for each call: a repeated call changes nothing.",
                        "schema": {"type": "string", "maxLength": 128},
                        "example": "7d1f0c9e-swap-40",
                    }
                )
    examples.illustrate(document)
    return document


def _possible(status: str, method: str, path: str, operation: dict[str, Any]) -> bool:
    if path in OPEN:
        return status == "503" and path == "/readyz"
    if status == "404":
        return "{" in path or path == "/v1/demand"
    if status == "409":
        return method in {"post", "patch"}
    if status == "422":
        return bool(operation.get("parameters") or operation.get("requestBody"))
    return True
