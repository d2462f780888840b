"""What surrounds a gateway, in memory: its directory, downlink and journal."""

import hashlib
import threading
from dataclasses import replace
from typing import Any

from models.identity import DeviceIdentity, SlotIdentity
from models.stores import Record, Unavailable
from tests.support.mqtt import TOKEN

NOW = 1_795_000_000_000


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
        self.refused: list[tuple[int, dict[str, Any]]] = []
        self.began = threading.Event()
        """Whatever is refused from now on is told."""

    def snapshot(self, device_id: int) -> list[dict[str, Any]]:
        return list(self.live.get(device_id, []))

    def changes(self, since_event_id: int) -> tuple[int, list[tuple[int, dict[str, Any]]]]:
        if since_event_id < 0:
            return len(self.events), []
        return len(self.events), self.events[since_event_id:]

    def refusals(self, since_event_id: int) -> tuple[int, list[tuple[int, dict[str, Any]]]]:
        reached = len(self.refused)
        self.began.set()
        return reached, self.refused[since_event_id:reached] if since_event_id >= 0 else []


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
