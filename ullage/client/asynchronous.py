"""The client for asyncio; the same as the other one, call for call."""

import asyncio
import time
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self, TypeVar

import httpx

from ullage.client import wire
from ullage.client.async_calls import AsyncCalls
from ullage.client.events import ENDED, Event, Reader
from ullage.client.problems import Unreachable
from ullage.client.retry import Retry
from ullage.client.shapes import Asked

Kind = TypeVar("Kind")
LOOK_EVERY_S = 0.5


class AsyncClient(AsyncCalls):
    """One connection pool; close it, or use it in an `async with`. Belongs to one event loop."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float = 10.0,
        retry: Retry | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._timeout_s, self._retry = timeout_s, retry or Retry()
        self._http = httpx.AsyncClient(
            base_url=url, headers=wire.headers(token), timeout=timeout_s, transport=transport
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def events(self, after: int | None = None) -> AsyncIterator[Event]:
        """Without end: events above id `after`, None: from now on. A broken line is taken up where it broke.

        Raises Problem, and Unreachable when it cannot be taken up again."""
        reader = Reader(after)
        while True:
            lost = ENDED
            try:
                async for event in self._listen(reader):
                    yield event
            except httpx.TransportError as error:
                lost = str(error)
            await asyncio.sleep(reader.again(self._retry, lost))

    async def _listen(self, reader: Reader) -> AsyncIterator[Event]:
        """Until the line breaks or ends."""
        answer = await self._http.send(reader.request(self._http, self._timeout_s), stream=True)
        try:
            if not answer.is_success:
                await answer.aread()
                reader.refused = answer
                return
            async for line in answer.aiter_lines():
                if (event := reader.line(line)) is not None:
                    yield event
        finally:
            await answer.aclose()

    async def outcome(self, asked: Asked, within_s: float = 60.0) -> Asked:
        """Wait until a request (reorder, count, swapped, reverse) is answered; as it is then, or after `within_s`."""
        ends = time.monotonic() + within_s
        while asked.outcome is None and time.monotonic() < ends:
            await asyncio.sleep(LOOK_EVERY_S)
            asked = await self.show_request(asked.id)
        return asked

    async def _call(self, call: wire.Call[Kind]) -> Kind:
        request, attempt = call.request(self._http), 0
        while True:
            answer, attempt, lost = None, attempt + 1, None
            try:
                answer = await self._http.send(request)
            except httpx.TransportError as error:
                lost = error
            wait = self._retry.wait(attempt, answer, repeatable=call.repeatable)
            if wait is not None:
                await asyncio.sleep(wait)
            elif answer is None:
                raise Unreachable(f"{call.method} {call.path}: {lost}") from lost
            else:
                return wire.typed(answer, call.answer)

    async def _pages(self, call: wire.Call[wire.Page[Kind]]) -> AsyncIterator[Kind]:
        while True:
            page = await self._call(call)
            for item in page.items:
                yield item
            if page.next is None:
                return
            call = wire.behind(call, page.next)
