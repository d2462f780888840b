"""A device that speaks MQTT byte by byte, and what it says."""

import json
import socket
from dataclasses import dataclass, field
from typing import Any

TOKEN = b"t" * 43
OPENED: "list[Client]" = []
"""Closed at the latest when their gateway is."""


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return len(raw).to_bytes(2, "big") + raw


def packet(first: int, body: bytes) -> bytes:
    size, head = len(body), bytearray((first,))
    while True:
        digit, size = size & 127, size >> 7
        head.append(digit | (128 if size else 0))
        if not size:
            return bytes(head) + body


@dataclass
class Client:
    """Speaks MQTT byte by byte, so that it can also speak it wrongly."""

    port: int
    version: int = 4
    number: int = 1
    sock: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port))
        self.sock.settimeout(5)
        self.rest = b""
        OPENED.append(self)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    @property
    def none(self) -> bytes:
        return b"\0" if self.version == 5 else b""

    def connect(
        self,
        number: int = 1,
        *,
        client: str | None = None,
        user: str = "acme",
        token: bytes = TOKEN,
        keep_alive: int = 60,
        will: tuple[str, bytes] | None = None,
        will_flags: int = 0,
        properties: bytes = b"",
        clean: bool = True,
    ) -> bytes:
        """CONNECT; the CONNACK's body."""
        self.number = number
        flags = 0xC0 | (2 if clean else 0) | (4 | will_flags if will else 0)
        body = text("MQTT") + bytes((self.version, flags)) + keep_alive.to_bytes(2, "big")
        if self.version == 5:
            body += bytes((len(properties),)) + properties
        body += text(client if client is not None else f"copier-{number:02d}")
        if will:
            body += self.none + text(will[0]) + text(will[1])
        self.sock.sendall(packet(0x10, body + text(user) + text(token)))
        first, answer = self.receive()
        assert first == 0x20
        return answer

    def topic(self, level: str = "readings") -> str:
        return f"ullage/v1/acme/copier-{self.number:02d}/{level}"

    def message(
        self,
        payload: bytes,
        number: int = 1,
        *,
        qos: int = 1,
        flags: int = 0,
        topic: str | None = None,
        properties: bytes = b"\0",
    ) -> bytes:
        body = text(self.topic() if topic is None else topic) + (number.to_bytes(2, "big") if qos else b"")
        return packet(0x30 | qos << 1 | flags, body + (properties if self.version == 5 else b"") + payload)

    def publish(self, payload: bytes, number: int = 1, **options: Any) -> None:
        self.sock.sendall(self.message(payload, number, **options))

    def receive(self) -> tuple[int, bytes]:
        """The next packet: first byte and body. Raises EOFError when the gateway has closed."""
        first = self._take(1)[0]
        size = shift = 0
        while True:
            digit = self._take(1)[0]
            size |= (digit & 127) << shift
            shift += 7
            if digit < 128:
                return first, self._take(size)

    def expect(self, first: int, body: bytes | None = None) -> bytes:
        got = self.receive()
        assert got[0] == first, got
        if body is not None:
            assert got[1] == body, got
        return got[1]

    def closed(self, reason: int | None = None) -> None:
        """The gateway says DISCONNECT with `reason` (MQTT 5) and closes."""
        try:
            if reason is not None and self.version == 5:
                assert self.expect(0xE0)[0] == reason
            got = self.receive()
        except (EOFError, ConnectionResetError):
            return
        raise AssertionError(f"still open: {got}")

    def quiet(self, seconds: float = 0.15) -> None:
        """Nothing comes for a while."""
        self.sock.settimeout(seconds)
        try:
            data = self.sock.recv(1)
        except TimeoutError:
            return
        finally:
            self.sock.settimeout(5)
        raise AssertionError(f"came: {data!r}")

    def _take(self, size: int) -> bytes:
        while len(self.rest) < size:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError
            self.rest += data
        part, self.rest = self.rest[:size], self.rest[size:]
        return part


def reading(seq: int = 1, **fields: Any) -> bytes:
    document = {
        "v": 1,
        "ts": "2026-11-21T09:30:00.250Z",
        "boot": "a81f03c2d94e77b1",
        "seq": seq,
        "supplies": {"black": {"level": 0.42}},
        "counters": {"pages": 182341},
    } | fields
    return json.dumps({k: v for k, v in document.items() if v is not None}).encode()
