"""A conformance check with a device at the other end, both on one event loop: what the rules found."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from ingest.check.listener import Checker
from ingest.check.rule import Finding
from ingest.check.rules import Judge
from tests.support.gateway_fakes import NOW, identity
from tests.support.mqtt import TOKEN, packet, text

TOPIC = "ullage/v1/acme/copier-01/"


class Line:
    """One connection of a device that speaks MQTT byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, version: int) -> None:
        self._reader, self._writer, self.version = reader, writer, version
        self.got: list[tuple[int, bytes]] = []

    @classmethod
    async def open(cls, port: int, version: int = 4) -> "Line":
        return cls(*await asyncio.open_connection("127.0.0.1", port), version)

    @property
    def none(self) -> bytes:
        return b"\0" if self.version == 5 else b""

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def connect(self, *, client: str = "copier-01", token: bytes = TOKEN, keep_alive: int = 60) -> None:
        head = text("MQTT") + bytes((self.version, 0xC2)) + keep_alive.to_bytes(2, "big") + self.none
        self.send(packet(0x10, head + text(client) + text("acme") + text(token)))
        await self.until(0x20)

    async def subscribe(self, *, answer: bool = True) -> None:
        """To its errors; what comes there is acknowledged."""
        self.send(packet(0x82, b"\0\1" + self.none + text(TOPIC + "errors") + b"\1"))
        body = await self.until(0x32)
        if answer:
            size = int.from_bytes(body[:2], "big")
            self.send(packet(0x40, body[2 + size : 4 + size]))

    def publish(
        self, payload: bytes, number: int, *, first: int = 0x32, topic: str = "readings", more: bytes = b""
    ) -> None:
        name = topic if "/" in topic or not topic else TOPIC + topic
        ident = number.to_bytes(2, "big") if first & 6 else b""
        properties = bytes((len(more),)) + more if self.version == 5 else b""
        self.send(packet(first, text(name) + ident + properties + payload))

    async def until(self, first: int) -> bytes:
        """The next packet that begins so. Raises EOFError when the other side has closed."""
        while True:
            kind, body = await self._next()
            self.got.append((kind, body))
            if kind == first:
                return body

    async def closed(self) -> None:
        try:
            while True:
                await self._next()
        except EOFError:
            await self.drop()

    async def drop(self) -> None:
        """End it without a word."""
        self._writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def ping(self) -> None:
        self.send(b"\xc0\0")
        await self.until(0xD0)

    async def leave(self) -> None:
        self.send(b"\xe0\0")
        await self.closed()

    async def _next(self) -> tuple[int, bytes]:
        try:
            first = (await self._reader.readexactly(1))[0]
            size = shift = 0
            while True:
                digit = (await self._reader.readexactly(1))[0]
                size |= (digit & 127) << shift
                shift += 7
                if digit < 128:
                    return first, await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self._writer.transport.abort()
            raise EOFError from error


def said(seq: int, **changes: Any) -> bytes:
    """A reading of today's copier-01; a change to None leaves a field out."""
    document = {"v": 1, "ts": f"2026-11-18T11:06:{seq % 60:02d}Z", "boot": "a81f03c2d94e77b1", "seq": seq}
    document |= {"supplies": {"black": {"level": 0.42}}} | changes
    return json.dumps({k: v for k, v in document.items() if v is not None}).encode()


def checked(
    device: Callable[[int], Awaitable[None]],
    *,
    registered: bool = True,
    patience: float = 0.0,
    now: Callable[[], int] = lambda: NOW,
) -> dict[str, Finding]:
    """What the check finds of `device`, which gets its port; by rule. `patience`: real seconds until the cut."""
    judge = Judge()

    async def whole() -> None:
        checker = Checker(judge.see, now, identity() if registered else None, patience=patience)
        server = await checker.listen("127.0.0.1", 0)
        async with asyncio.timeout(60):
            await device(server.sockets[0].getsockname()[1])
        checker.end()
        server.close()
        await server.wait_closed()

    asyncio.run(whole())
    return {finding.rule: finding for finding in judge.findings()}
