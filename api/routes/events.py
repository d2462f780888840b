"""`GET /v1/events`: what happens, as server-sent events; goes on where it was interrupted."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from api.auth import Gate, Reader, client_of
from api.feed import MOST_STREAMS, Feed, Full
from api.problems import Problem
from api.services import Services, Wired
from ledger import events
from ledger.events import Event
from ledger.scope import Scope
from ledger.views.rows import iso

router = APIRouter(prefix="/v1", tags=["events"])
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
LARGEST: Final = (1 << 63) - 1

_encode = msgspec.json.Encoder().encode
EXAMPLE = (
    'id: 17\nevent: order.proposed\ndata: {"id":17,"kind":"order.proposed","subject":"order/3","account_id":1,'
    '"happened_at":"2026-11-21T09:30:00.250Z","data":{"by":"step"}}\n\n'
)


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"example": EXAMPLE}}, "description": "An endless stream."}},
)
async def follow(
    request: Request,
    wired: Wired,
    caller: Reader,
    after: Annotated[int | None, Query(ge=0, le=LARGEST, description="Events above this id; else from now.")] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=LARGEST, description="As `after`, sent by browsers.")] = None,
) -> StreamingResponse:
    """What happens in the accounts that the caller may see. A comment every 15 s shows that the line is alive.

    `event: missed` comes first when older events than `after` are already gone: read the lists again."""
    gate: Gate = request.app.state.gate
    secret = request.headers["authorization"].partition(" ")[2].strip()

    async def still() -> None:
        await gate.caller(wired, secret, client_of(request))

    position = last_event_id if last_event_id is not None else after
    return await stream(request.app.state.feed, wired, caller.scope, position, still)


async def stream(
    feed: Feed,
    wired: Services,
    scope: Scope,
    after: int | None,
    still: Callable[[], Awaitable[Any]],
    *,
    named: bool = True,
) -> StreamingResponse:
    """`still` is asked at each heartbeat; it raises Problem when the caller may not listen any more.

    Raises Problem 503 when too many listen."""
    source = feed.follow(scope, after)
    if feed.full:
        raise Problem(503, "too_many_streams", f"{MOST_STREAMS} streams are open: try later", {"Retry-After": "10"})
    return StreamingResponse(
        _lines(source, wired, after, still, named=named), media_type="text/event-stream", headers=HEADERS
    )


async def _lines(
    source: AsyncIterator[list[Event]],
    wired: Services,
    after: int | None,
    still: Callable[[], Awaitable[Any]],
    *,
    named: bool,
) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n: hello\n\n"
    if after:
        first = await _first(wired)
        if first > after + 1:
            yield b'event: missed\ndata: {"first":%d}\n\n' % first
    try:
        async for found in source:
            if found:
                yield b"".join(line(event, named=named) for event in found)
            else:
                await still()
                yield b": alive\n\n"
    except (Problem, Full):
        return
    finally:
        await source.aclose()  # type: ignore[attr-defined]  # it is an async generator


async def _first(wired: Services) -> int:
    def read() -> int:
        with wired.ledger.read() as tx:
            return events.first_id(tx)

    return await run_in_threadpool(read)


def line(event: Event, *, named: bool = True) -> bytes:
    """Browsers hand events with a name only to who asked for that name."""
    body = {"id": event.id, "kind": event.kind, "subject": event.subject, "account_id": event.account_id}
    body |= {"happened_at": iso(event.ts), "data": event.data}
    name = b"event: %s\n" % event.kind.encode() if named else b""
    return b"id: %d\n%sdata: %s\n\n" % (event.id, name, _encode(body))
