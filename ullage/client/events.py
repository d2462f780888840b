"""Server-sent events: what happens, as it happens (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from datetime import datetime
from typing import Any, Final

import httpx
import msgspec

from ullage.client.problems import Unreachable, problem
from ullage.client.retry import Retry

SILENT_S: Final = 45.0
"""The server says something every 15 s; a line that is silent for three times as long is dead."""
PATH: Final = "/v1/events"
ENDED: Final = "the server ended the stream"


class Event(msgspec.Struct, frozen=True):
    """`kind` "missed": events were dropped before this one, read the lists again; `id` is where the rest goes on."""

    id: int
    kind: str
    subject: str = ""
    account_id: int | None = None
    happened_at: datetime | None = None
    data: dict[str, Any] = {}


class _Missed(msgspec.Struct, frozen=True):
    first: int


class Reader:
    """Lines to events; knows where to go on after the line broke."""

    def __init__(self, after: int | None) -> None:
        self.after = after
        self.refused: httpx.Response | None = None
        self._failures = 0
        self._name, self._data = "", ""

    def request(self, http: httpx.Client | httpx.AsyncClient, timeout_s: float) -> httpx.Request:
        self._name, self._data, self.refused = "", "", None
        query = {} if self.after is None else {"after": self.after}
        timeout = httpx.Timeout(timeout_s, read=SILENT_S)
        return http.build_request("GET", PATH, params=query, timeout=timeout)

    def line(self, line: str) -> Event | None:
        """The event that this line completes."""
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                self._name = value
            elif name == "data":
                self._data += value
            return None
        named, said, self._name, self._data = self._name, self._data, "", ""
        if not said:
            return None
        event = _event(named, said)
        self.after, self._failures = event.id, 0
        return event

    def again(self, retry: Retry, lost: str) -> float:
        """Seconds until the line is taken up again. Raises Problem, Unreachable: it is not."""
        self._failures += 1
        wait = retry.wait(self._failures, self.refused, repeatable=True)
        if wait is not None:
            return wait
        raise Unreachable(f"events: {lost}") if self.refused is None else problem(self.refused)


def _event(name: str, said: str) -> Event:
    if name == "missed":
        first = msgspec.json.decode(said, type=_Missed).first
        return Event(first - 1, "missed", data={"first": first})
    return msgspec.json.decode(said, type=Event)
