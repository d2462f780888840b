"""A light HTTP/1.1 client that sends requests made beforehand at their times, over connections that it keeps.

It reads of an answer only what it must (status, length), so that on a machine that it shares with the server it is the
server that is measured.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

CONNECTIONS = 32
PATIENCE = 60.0
"""Seconds for what is still unanswered when the last request has left."""


class Planned(NamedTuple):
    due: float  # seconds from the start
    kind: str
    data: bytes


class Answered(NamedTuple):
    kind: str
    seconds: float  # since it was due, so waiting for a free connection counts
    due: float


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass

    def ask(self, data: bytes) -> "asyncio.Future[bytes]":
        """The whole answer, head and body."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.index(b"content-length:") + 15
        whole = end + 4 + int(head[at : head.find(b"\r", at) if b"\r" in head[at:] else end])
        if len(self._buffer) >= whole and self._answer is not None:
            answer, self._answer = self._answer, None
            answer.set_result(bytes(self._buffer))
            self._buffer.clear()

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None:
            self._answer.set_exception(error or ConnectionError("the server closed the connection within an answer"))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def run(port: int, planned: Sequence[Planned]) -> list[Answered]:
    """Every request leaves when it is due, whether or not earlier ones were answered; all must be 2xx."""
    loop = asyncio.get_running_loop()
    free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
    for _ in range(CONNECTIONS):
        free.put_nowait((await loop.create_connection(Connection, "127.0.0.1", port))[1])
    start = time.perf_counter()

    async def ask(one: Planned) -> Answered:
        connection = await free.get()
        answer = await connection.ask(one.data)
        took = time.perf_counter() - start - one.due
        free.put_nowait(connection)
        assert answer.startswith(b"HTTP/1.1 2"), answer[:2000].decode()
        return Answered(one.kind, took, one.due)

    asking = []
    for one in planned:
        if (early := start + one.due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        asking.append(asyncio.create_task(ask(one)))
    async with asyncio.timeout(PATIENCE):
        answered = await asyncio.gather(*asking)
    while not free.empty():
        free.get_nowait().close()
    return answered


def request(method: str, path: str, token: str, **headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}", "Accept: */*"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if method == "POST":
        lines.append("Content-Length: 0")
    return "\r\n".join([*lines, "", ""]).encode()


def quantile(seconds: Iterator[float], p: float) -> float:
    """In ms; NaN would hide that nothing was measured, so an empty one is an error."""
    ordered = sorted(seconds)
    return round(1000 * ordered[min(int(p * len(ordered)), len(ordered) - 1)], 2)
