"""A broker that only acknowledges and a product that only answers: the world lives without the real ones."""

import asyncio
import json
import struct
from dataclasses import dataclass, field
from typing import Any

import httpx

from devices_sim.clock import boot_ms


@dataclass
class FakeBroker:
    """MQTT 3.1.1 and 5: CONNECT, QoS 0/1 PUBLISH, SUBSCRIBE, PINGREQ. Counts, acknowledges, can be told to be bad."""

    received: list[tuple[str, bytes]] = field(default_factory=list)
    connects: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    wills: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # of the last CONNECT: topic and payload
    died: list[str] = field(default_factory=list)  # clients whose connection ended without a DISCONNECT
    keep: bool = True
    count: int = 0
    silent: bool = False  # takes messages, does not acknowledge
    reason: int = 0  # for MQTT 5 PUBACK
    port: int = 0
    writers: set[asyncio.StreamWriter] = field(default_factory=set)
    server: asyncio.Server | None = None

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=4096)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self.server is not None
        self.server.close()
        self.cut()
        await self.server.wait_closed()

    def cut(self) -> None:
        for writer in list(self.writers):
            writer.transport.abort()

    async def _packet(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        kind, length, shift = (await reader.readexactly(1))[0], 0, 0
        while True:
            byte = (await reader.readexactly(1))[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return kind, await reader.readexactly(length)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        version, client = 4, ""
        try:
            while True:
                kind, body = await self._packet(reader)
                match kind >> 4:
                    case 1:
                        version, client = self._connect(body, writer)
                    case 3:
                        self._publish(kind, body, version, writer)
                    case 8:
                        tail = b"\x00" if version == 5 else b""
                        reply = body[:2] + tail + b"\x01\x01"
                        writer.write(bytes((0x90, len(reply))) + reply)
                    case 12:
                        writer.write(b"\xd0\x00")
                    case 14:
                        return
        except (asyncio.IncompleteReadError, ConnectionError):
            self.died.append(client)
        finally:
            self.writers.discard(writer)
            writer.close()

    def _connect(self, body: bytes, writer: asyncio.StreamWriter) -> tuple[int, str]:
        version, at = body[6], 10
        if version == 5:
            at += 1 + body[at]
        name, at = _string(body, at)
        client = name.decode()
        if body[7] & 4:
            if version == 5:
                at += 1 + body[at]
            topic, at = _string(body, at)
            payload, at = _string(body, at)
            self.wills[client] = topic.decode(), payload
        self.connects[client] = self.connects.get(client, 0) + 1
        self.versions[client] = version
        # MQTT 5: Receive Maximum 7
        writer.write(b"\x20\x06\x00\x00\x03\x21\x00\x07" if version == 5 else b"\x20\x02\x00\x00")
        return version, client

    def _publish(self, kind: int, body: bytes, version: int, writer: asyncio.StreamWriter) -> None:
        length = struct.unpack_from(">H", body)[0]
        topic, at = body[2 : 2 + length].decode(), 2 + length
        mid = b""
        if kind & 6:
            mid, at = body[at : at + 2], at + 2
        if version == 5:
            at += 1 + body[at]
        self.count += 1
        if self.keep:
            self.received.append((topic, body[at:]))
        if mid and not self.silent:
            bad = version == 5 and self.reason
            writer.write(b"\x40\x03" + mid + bytes((self.reason,)) if bad else b"\x40\x02" + mid)


def _string(body: bytes, at: int) -> tuple[bytes, int]:
    """MQTT's string or binary data at `at`, and where it ends."""
    length = struct.unpack_from(">H", body, at)[0]
    return body[at + 2 : at + 2 + length], at + 2 + length


@dataclass
class FakeProduct:
    """Answers the routes that the world calls; domain time runs at `speed` from `start`."""

    start: int = 1_795_305_600_000  # Sun 2026-11-22
    speed: float = 3_600.0
    began: int = field(default_factory=boot_ms)
    fleets: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    collections: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    down: bool = False
    fail: int = 0  # status to answer POSTs with

    def now(self) -> int:
        return self.start + int((boot_ms() - self.began) * self.speed)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("connection refused", request=request)
        path = request.url.path
        if path == "/v1/time":
            return httpx.Response(200, json={"now_ms": self.now(), "speed": self.speed, "now": "2026"})
        if path == "/v1/fleet":
            return httpx.Response(200, json=self._fleet(json.loads(request.content)))
        if request.method == "GET":
            return httpx.Response(200, json={"items": self.collections.get(path, []), "next": None})
        if self.fail:
            return httpx.Response(self.fail, json={"title": "no"})
        call = (path, json.loads(request.content or b"null"))
        key = request.headers.get("Idempotency-Key", "")
        if not key or (key, call) not in zip(self.keys, self.calls, strict=True):  # else it was asked before
            self.calls.append(call)
            self.keys.append(key)
        return httpx.Response(200, json={})

    def _fleet(self, document: dict[str, Any]) -> dict[str, Any]:
        again = bool(self.fleets)
        self.fleets.append(document)
        rows = [
            (account["name"], device["name"])
            for account in document["accounts"]
            for site in account["sites"]
            for device in site["devices"]
        ]
        credentials = [
            {"account": account, "device": device, "device_id": number, "token": f"token-{device}"}
            for number, (account, device) in enumerate(rows, 1)
        ]
        return {"credentials": [] if again else credentials, "summary": {"devices": len(rows)}}
