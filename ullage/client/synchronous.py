"""The client for programs without asyncio."""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self, TypeVar

import httpx

from ullage.client import wire
from ullage.client.calls import Calls
from ullage.client.events import ENDED, Event, Reader
from ullage.client.problems import Unreachable
from ullage.client.retry import Retry
from ullage.client.shapes import Asked

Kind = TypeVar("Kind")
LOOK_EVERY_S = 0.5


class Client(Calls):
    """One connection pool; close it, or use it in a `with`. May be shared by threads."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float = 10.0,
        retry: Retry | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._timeout_s, self._retry = timeout_s, retry or Retry()
        self._http = httpx.Client(base_url=url, headers=wire.headers(token), timeout=timeout_s, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def events(self, after: int | None = None) -> Iterator[Event]:
        """Without end: events above id `after`, None: from now on. A broken line is taken up where it broke.

        Raises Problem, and Unreachable when it cannot be taken up again."""
        reader = Reader(after)
        while True:
            lost = ENDED
            try:
                yield from self._listen(reader)
            except httpx.TransportError as error:
                lost = str(error)
            time.sleep(reader.again(self._retry, lost))

    def _listen(self, reader: Reader) -> Iterator[Event]:
        """Until the line breaks or ends."""
        answer = self._http.send(reader.request(self._http, self._timeout_s), stream=True)
        try:
            if not answer.is_success:
                answer.read()
                reader.refused = answer
                return
            for line in answer.iter_lines():
                if (event := reader.line(line)) is not None:
                    yield event
        finally:
            answer.close()

    def outcome(self, asked: Asked, within_s: float = 60.0) -> Asked:
        """Wait until a request (reorder, count, swapped, reverse) is answered; as it is then, or after `within_s`."""
        ends = time.monotonic() + within_s
        while asked.outcome is None and time.monotonic() < ends:
            time.sleep(LOOK_EVERY_S)
            asked = self.show_request(asked.id)
        return asked

    def _call(self, call: wire.Call[Kind]) -> Kind:
        request, attempt = call.request(self._http), 0
        while True:
            answer, attempt, lost = None, attempt + 1, None
            try:
                answer = self._http.send(request)
            except httpx.TransportError as error:
                lost = error
            wait = self._retry.wait(attempt, answer, repeatable=call.repeatable)
            if wait is not None:
                time.sleep(wait)
            elif answer is None:
                raise Unreachable(f"{call.method} {call.path}: {lost}") from lost
            else:
                return wire.typed(answer, call.answer)

    def _pages(self, call: wire.Call[wire.Page[Kind]]) -> Iterator[Kind]:
        while True:
            page = self._call(call)
            yield from page.items
            if page.next is None:
                return
            call = wire.behind(call, page.next)
