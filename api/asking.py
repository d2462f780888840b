"""Ask `step` for something and wait a moment for the outcome: else 202 and a link."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from api.answer import Answer
from api.auth import Caller
from api.once import HEADER
from api.services import Services
from api.threads import write
from ledger import requests
from ledger.scope import Scope
from ledger.views import requests as view
from models.effects import NAMESPACE
from models.records import AnyRequest

LOOK_EVERY_S: Final = 0.025


def request_id(request: Request, caller: Caller) -> str:
    """With an Idempotency-Key always the same, so that a repeated call finds the request of the first one."""
    key = request.headers.get(HEADER)
    made: UUID = uuid5(NAMESPACE, f"request/{caller.token_id}/{request.url.path}/{key}") if key else uuid4()
    return made.hex


async def ask_for_slot(
    wired: Services, caller: Caller, find: Callable[[Any], int], make: Callable[[int], AnyRequest]
) -> Answer:
    """`find` gives the slot in a transaction, `make` the request for it. Raises NotFound."""

    def submit() -> str:
        with wired.ledger.write() as tx:
            slot = find(tx)
            account_id, site_id = requests.home(tx, caller.scope, slot)
            asked = make(slot)
            requests.submit(tx, asked, account_id, site_id, wired.now())
            return asked.id

    return await outcome(wired, caller.scope, await write(submit))


async def outcome(wired: Services, scope: Scope, number: str) -> Answer:
    """The answered request, or 202 when there is no answer in time."""
    found = await ask(wired, scope, number)
    if found["outcome"] is not None:
        return Answer(found)
    return Answer(found, 202, {"Location": found["link"], "Retry-After": "1"})


async def ask(wired: Services, scope: Scope, number: str) -> dict[str, Any]:
    """As shapes.Asked, after `answer_within_s` at most."""
    ends = time.monotonic() + wired.answer_within_s
    while not await run_in_threadpool(_answered, wired, number) and time.monotonic() < ends:  # noqa: ASYNC110 - the ledger is polled
        await asyncio.sleep(LOOK_EVERY_S)
    return await run_in_threadpool(show, wired, scope, number)


def show(wired: Services, scope: Scope, number: str) -> dict[str, Any]:
    with wired.ledger.read() as tx:
        return view.request(tx, scope, number) | {"link": f"/v1/requests/{number}"}


def _answered(wired: Services, number: str) -> bool:
    with wired.ledger.read() as tx:
        return view.answered(tx, number)
