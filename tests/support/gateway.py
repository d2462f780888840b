"""A gateway in a thread on a free port, with fakes of what surrounds it and a bare client."""

import asyncio
import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import uvloop
from prometheus_client import CollectorRegistry

from ingest.config import GatewayConfig
from ingest.gateway import serve
from ingest.metrics import GatewayMetrics
from journal.codec import decode
from models.frame import Frame
from models.identity import DeviceIdentity, SlotIdentity
from models.records import AnyRecord, Refused
from models.stores import Journal, Record, Unavailable

NOW = 1_795_000_000_000
TOKEN = b"t" * 43
OPENED: "list[Client]" = []
"""Closed at the latest when their gateway is."""


def identity(number: int = 1, **changes: Any) -> DeviceIdentity:
    known = DeviceIdentity(
        account="acme",
        device=f"copier-{number:02d}",
        device_id=number,
        site_id=1,
        shard=number,
        credential=hashlib.sha256(TOKEN).digest(),
        ready=True,
        retired=False,
        version=number,
        slots={
            "black": SlotIdentity(slot=10 * number + 1, capacity=12_000, unit="pages"),
            "waste": SlotIdentity(slot=10 * number + 2, capacity=1_000, unit="ml", ascending=True),
            "beans": SlotIdentity(slot=10 * number + 3, capacity=1_200, unit="g"),
        },
        counters=("pages", "cups"),
    )
    return replace(known, **changes)


class FakeDirectory:
    """A directory in memory; `available` False makes it Unavailable."""

    def __init__(self, *identities: DeviceIdentity) -> None:
        self.identities = {i.device_id: i for i in identities}
        self.available = True
        self.lookups = 0

    def put(self, changed: DeviceIdentity) -> None:
        version = max((i.version for i in self.identities.values()), default=0) + 1
        self.identities[changed.device_id] = replace(changed, version=version)

    def changes(self, since: int) -> tuple[int, list[DeviceIdentity]]:
        if not self.available:
            raise Unavailable("the directory is away")
        new = sorted((i for i in self.identities.values() if i.version > since), key=lambda i: i.version)
        return (new[-1].version if new else since), new

    def lookup(self, account: str, device: str) -> DeviceIdentity | None:
        self.lookups += 1
        if not self.available:
            raise Unavailable("the directory is away")
        for known in self.identities.values():
            if (known.account, known.device) == (account, device):
                return known
        return None


class FakeDownlink:
    def __init__(self) -> None:
        self.live: dict[int, list[dict[str, Any]]] = {}
        self.events: list[tuple[int, dict[str, Any]]] = []

    def snapshot(self, device_id: int) -> list[dict[str, Any]]:
        return list(self.live.get(device_id, []))

    def changes(self, since_event_id: int) -> tuple[int, list[tuple[int, dict[str, Any]]]]:
        if since_event_id < 0:
            return len(self.events), []
        return len(self.events), self.events[since_event_id:]


class MemoryJournal:
    """A journal in memory. `failing` raises Unavailable; `gate` holds appends back while it is cleared."""

    id = "memory"

    def __init__(self, partitions: int = 4) -> None:
        self.partitions = partitions
        self.logs: list[list[bytes]] = [[] for _ in range(partitions)]
        self.failing = False
        self.gate = threading.Event()
        self.gate.set()
        self.calls = 0
        self.tries = 0
        self.commits = 0

    def append(self, records: Any) -> list[int]:
        self.calls += 1
        self.gate.wait()
        self.tries += 1
        if self.failing:
            raise Unavailable("the disk is full")
        self.commits += 1
        offsets = []
        for partition, value in records:
            offsets.append(len(self.logs[partition]))
            self.logs[partition].append(value)
        return offsets

    def read(self, partition: int, offset: int, limit: int = 1000, max_bytes: int = 4 << 20) -> list[Record]:
        return [Record(offset + i, v) for i, v in enumerate(self.logs[partition][offset : offset + limit])]

    def earliest(self, partition: int) -> int:
        return 0

    def end(self, partition: int) -> int:
        return len(self.logs[partition])

    def truncate(self, partition: int, before: int) -> int:
        return 0

    def close(self) -> None:
        self.gate.set()


def records(journal: Journal) -> list[AnyRecord]:
    found = []
    for partition in range(journal.partitions):
        offset = 0
        while page := journal.read(partition, offset):
            found += [decode(record.value) for record in page]
            offset = page[-1].offset + 1
    return found


def frames(journal: Journal) -> list[Frame]:
    return [record for record in records(journal) if isinstance(record, Frame)]


def refused(journal: Journal) -> list[Refused]:
    return [record for record in records(journal) if isinstance(record, Refused)]


def sequences(journal: Journal) -> list[int]:
    """seq of all readings, in the order of the journal."""
    return [int(seq) for frame in frames(journal) for seq in frame.readings["seq"]]


@dataclass
class Running:
    port: int
    tls_port: int
    journal: Any
    directory: FakeDirectory
    downlink: FakeDownlink
    registry: CollectorRegistry
    listening: list[int]
    errors: list[BaseException]
    stop: Callable[[], None]

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    def client(self, version: int = 4, number: int = 1, **connect: Any) -> "Client":
        client = Client(self.port, version)
        client.connect(number, **connect)
        return client


@contextmanager
def running(
    journal: Any = None,
    directory: FakeDirectory | None = None,
    *,
    now: Callable[[], int] = lambda: NOW,
    **config: Any,
) -> Iterator[Running]:
    """A gateway that serves until the block ends; a fault of it is raised there."""
    journal = journal if journal is not None else MemoryJournal()
    directory = directory or FakeDirectory(*(identity(n) for n in range(1, 6)))
    downlink, registry = FakeDownlink(), CollectorRegistry()
    settings = GatewayConfig(
        **{"port": 0, "directory_poll": 0.05, "downlink_poll": 0.02, "sweep": 0.05, "listening_report": 0.1} | config
    )
    up = threading.Event()
    ports: list[int] = []
    errors: list[BaseException] = []
    listening: list[int] = []
    handles: list[Any] = []

    async def main() -> None:
        stop = asyncio.Event()
        handles.extend((asyncio.get_running_loop(), stop))

        def ready(found: Any) -> None:
            ports.extend(found)
            up.set()

        await serve(
            settings,
            journal,
            directory,
            now,
            stop,
            ready,
            downlink=downlink,
            report_listening=listening.append,
            metrics=GatewayMetrics(registry),
        )

    def run() -> None:
        try:
            uvloop.run(main())
        except BaseException as error:  # noqa: BLE001  raised where the block ends
            errors.append(error)
        finally:
            up.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    up.wait()

    def stop() -> None:
        if isinstance(journal, MemoryJournal):
            journal.gate.set()
        if thread.is_alive():
            handles[0].call_soon_threadsafe(handles[1].set)
        thread.join(10)
        assert not thread.is_alive()

    gateway = Running(
        ports[0] if ports else 0,
        ports[-1] if ports else 0,
        journal,
        directory,
        downlink,
        registry,
        listening,
        errors,
        stop,
    )
    try:
        yield gateway
    finally:
        stop()
        while OPENED:
            OPENED.pop().sock.close()
    if errors:
        raise errors[0]


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


def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)
