"""Cursor pages: opaque, bounded, stable while rows are added."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import Path, Query

from api.problems import Problem

Limit = Annotated[int, Query(ge=1, le=500, description="Items on a page.")]
Cursor = Annotated[str | None, Query(max_length=512, description="`next` of the page before.")]
Id = Annotated[int, Path(ge=1, lt=1 << 53)]
LARGEST = 1 << 63


def encode(position: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(list(position))).decode().rstrip("=")


def decode(cursor: str | None, *types: type) -> list[Any] | None:
    """The position in the sort order behind which the page starts; None at the beginning."""
    if cursor is None:
        return None
    try:
        position = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        position = None
    if (
        not isinstance(position, list)
        or [type(part) for part in position] != list(types)
        or any(isinstance(part, int) and abs(part) >= LARGEST for part in position)
    ):
        raise Problem(400, "bad_cursor", "the cursor is none of ours: start again without it")
    return position


def page(rows: Sequence[Any], limit: int, position: Callable[[Any], Sequence[Any]]) -> dict[str, Any]:
    """`rows` were asked for with limit + 1: one more than shown tells that there is a next page."""
    shown = list(rows[:limit])
    return {"items": shown, "next": encode(position(shown[-1])) if len(rows) > limit else None}
