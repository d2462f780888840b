"""Cursor pages: opaque, bounded, stable while rows are added."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import Query

from api.problems import Problem

Limit = Annotated[int, Query(ge=1, le=500, description="Items on a page.")]
Cursor = Annotated[str | None, Query(max_length=512, description="`next` of the page before.")]


def encode(position: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(list(position))).decode().rstrip("=")


def decode(cursor: str | None, length: int) -> list[Any] | None:
    """The position in the sort order behind which the page starts; None at the beginning."""
    if cursor is None:
        return None
    try:
        position = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        position = None
    if not isinstance(position, list) or len(position) != length or any(isinstance(p, (list, dict)) for p in position):
        raise Problem(400, "bad_cursor", "the cursor is none of ours: start again without it")
    return position


def page(rows: Sequence[Any], limit: int, position: Callable[[Any], Sequence[Any]]) -> dict[str, Any]:
    """`rows` were asked for with limit + 1: one more than shown tells that there is a next page."""
    shown = list(rows[:limit])
    return {"items": shown, "next": encode(position(shown[-1])) if len(rows) > limit else None}
