"""The API for Python programs: `Client`, and `AsyncClient` for asyncio.

    with Client("http://127.0.0.1:8000", token) as ullage:
        for slot in ullage.list_slots(sort="empty_at"):
            print(slot.device, slot.name, slot.empty_at)

It knows nothing of the server but its contract (docs/reference/openapi.json), from which its calls and shapes are made.
"""

from ullage.client.asynchronous import AsyncClient
from ullage.client.events import Event
from ullage.client.problems import (
    BadRequest,
    ClientError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
    Problem,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from ullage.client.retry import Retry
from ullage.client.synchronous import Client

__all__ = [
    "AsyncClient",
    "BadRequest",
    "Client",
    "ClientError",
    "Conflict",
    "Event",
    "Forbidden",
    "Invalid",
    "NotFound",
    "PreconditionFailed",
    "Problem",
    "Retry",
    "TooManyRequests",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
]
