"""Every list as a table, too: `?format=csv`, or `Accept: text/csv`, for spreadsheets (RFC 4180)."""

import io
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final, Literal, get_args

from fastapi import Depends, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.answer import Answer
from api.shapes.common import Page
from models.cells import write_rows

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
CSV: Final = "text/csv"
JSON: Final = frozenset({"application/json", "application/*", "*/*"})
FORMAT = Annotated[
    Literal["json", "csv"] | None, Query(alias="format", description="Else what `Accept` says; csv: `text/csv`.")
]
RESPONSE: Final = {"content": {CSV: {"schema": {"type": "string"}, "example": "id,name\r\n1,acme\r\n"}}}


async def _told(form: FORMAT = None) -> None:
    """So that it is checked and documented; the route reads it."""


class TableRoute(APIRoute):
    """A route whose answer is a page of rows gives them as CSV to who wants it.

    A column per field of the answer's shape, also when there is no row; what has parts is JSON in its cell, and a text
    that a spreadsheet would calculate gets an apostrophe in front. The next page is in the header `Link`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        self._columns = _columns(more.get("response_model"))
        if self._columns:
            more["dependencies"] = [*(more.get("dependencies") or ()), Depends(_told)]
            more["responses"] = {200: RESPONSE} | (more.get("responses") or {})
        super().__init__(path, endpoint, **more)

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        if not self._columns:
            return handle

        async def tabled(request: Request) -> Response:
            answer = await handle(request)
            if isinstance(answer, Answer) and wants_table(request):
                return _table(request, self._columns, answer.content)
            return answer

        return tabled


def wants_table(request: Request) -> bool:
    """`format` counts, then the most wanted of Accept; JSON where nothing else is clearly wanted."""
    said = request.query_params.get("format")
    if said is not None:
        return said == "csv"
    ranked = sorted(_accepted(request.headers.get("accept", "")), key=lambda one: -one[1])
    known = [kind for kind, weight in ranked if weight > 0 and (kind == CSV or kind in JSON)]
    return bool(known) and known[0] == CSV


def _accepted(header: str) -> list[tuple[str, float]]:
    """Media types and how much each is wanted (RFC 9110, 12.5.1)."""
    out = []
    for part in header.split(","):
        kind, *parameters = (word.strip().lower() for word in part.split(";"))
        weights = [word[2:] for word in parameters if word.startswith("q=")]
        try:
            out.append((kind, float(weights[0]) if weights else 1.0))
        except ValueError:
            out.append((kind, 0.0))
    return out


def _columns(model: Any) -> list[str]:
    """Of the rows of a page; none for what is no page."""
    if not (isinstance(model, type) and issubclass(model, Page)):
        return []
    (row,) = get_args(model.model_fields["items"].annotation)
    return list(row.model_fields) if issubclass(row, BaseModel) else []


def _table(request: Request, columns: list[str], page: dict[str, Any]) -> Response:
    to = io.StringIO(newline="")
    write_rows(columns, page["items"], to)
    headers = {"Vary": "Accept"}
    if page["next"] is not None:
        headers["Link"] = f'<{request.url.include_query_params(cursor=page["next"])}>; rel="next"'
    return Response(to.getvalue(), headers=headers, media_type=CSV)
