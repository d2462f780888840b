"""A gateway in a thread on a free port, and what it wrote."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvloop
from prometheus_client import CollectorRegistry

from ingest.config import GatewayConfig
from ingest.gateway import serve
from ingest.metrics import GatewayMetrics
from journal.codec import decode
from models.frame import Frame
from models.records import AnyRecord, Refused
from models.stores import Journal
from tests.support.gateway_fakes import NOW, FakeDirectory, FakeDownlink, MemoryJournal, identity
from tests.support.mqtt import OPENED, Client


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


def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)
