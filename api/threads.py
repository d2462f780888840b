"""Where a call is worked on: reads by key at once, other reads in threads, writes in a few threads of their own."""

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, Final, ParamSpec, TypeVar

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync
from starlette.concurrency import run_in_threadpool

from api.services import Services

Given = ParamSpec("Given")
Result = TypeVar("Result")
WRITERS: Final = 4
"""One writes at a time; the others wait for it, and must not keep the threads from those who read."""
_limiter: RunVar[CapacityLimiter] = RunVar("writers")


def quick(endpoint: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """For an endpoint that reads a bounded number of rows by their keys, and does nothing else.

    A ledger in a file of this machine answers in a fraction of a millisecond and waits for no writer; handing the call
    to a thread and its result back takes as long, and both then want the interpreter's lock. Where the ledger is a
    server, its answer is waited for in a thread."""

    @wraps(endpoint)
    async def here(*, wired: Services, **arguments: Any) -> Any:
        if wired.ledger.local:
            return endpoint(wired=wired, **arguments)
        return await run_in_threadpool(endpoint, wired=wired, **arguments)

    return here


def writing(endpoint: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """For an endpoint that changes the ledger."""

    @wraps(endpoint)
    async def there(**arguments: Any) -> Any:
        return await write(endpoint, **arguments)

    return there


async def write(function: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
    """Call it in a writer's thread."""
    return await run_sync(partial(function, *given, **named), limiter=writers())


def writers() -> CapacityLimiter:
    """Of this event loop."""
    try:
        return _limiter.get()
    except LookupError:
        _limiter.set(CapacityLimiter(WRITERS))
        return _limiter.get()
