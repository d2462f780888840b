"""Two processes on one ledger: nothing twice that must be once, nothing lost when one is killed."""

import asyncio
import multiprocessing
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from ledger import outbox
from ledger.deliver import run
from ledger.engine import Ledger, open_ledger
from ledger.fleet import apply_fleet, parse_fleet
from ledger.tables import device, slot
from models.outbox import Kind, OutboxRow

from .world import NOW, fleet_content

SPAWN = multiprocessing.get_context("spawn")
NAMES = [f"{letter}{number}" for letter in "fp" for number in range(5)]
EACH = 12


class LineSink:
    """Appends one line per row to a file, durably enough for a killed process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def deliver(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            time.sleep(0.002)
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(file, f"{row.key}\n".encode())
            os.close(file)


def _deliver(url: str, path: Path, owner: str) -> None:
    ledger = open_ledger(url)
    sink = LineSink(path)
    asyncio.run(run(ledger, {Kind.FACT: sink, Kind.PURCHASE_ORDER: sink}, asyncio.Event(), owner=owner))


def _start(url: str, path: Path, owner: str) -> BaseProcess:
    process = SPAWN.Process(target=_deliver, args=(url, path, owner), daemon=True)
    process.start()
    return process


def test_a_killed_deliverer_loses_nothing_and_keeps_the_order(url: str, ledger: Ledger, tmp_path: Path) -> None:
    with ledger.write() as tx:
        for number in range(EACH):
            for name in NAMES:
                kind = Kind.FACT if name.startswith("f") else Kind.PURCHASE_ORDER
                outbox.put(tx, kind, name, b"", key=f"{name}-{number}")
    path = tmp_path / "delivered"
    first, second = _start(url, path, "one"), _start(url, path, "two")
    while not path.exists() or path.stat().st_size < 100:
        time.sleep(0.001)
    first.kill()
    first.join()
    first = _start(url, path, "one")
    deadline = time.monotonic() + 20
    while _waiting(ledger) and time.monotonic() < deadline:
        time.sleep(0.02)
    for process in (first, second):
        process.kill()
        process.join()
    assert _waiting(ledger) == 0
    numbers = defaultdict(list)
    for key in dict.fromkeys(path.read_text().split()):  # each key where it came first
        aggregate, _, number = key.partition("-")
        numbers[aggregate].append(int(number))
    assert dict(numbers) == {name: list(range(EACH)) for name in NAMES}


def _waiting(ledger: Ledger) -> int:
    with ledger.read() as tx:
        return outbox.waiting(tx).waiting


def _register(url: str, results: "Queue[Any]") -> None:
    ledger = open_ledger(url)
    results.put(len(apply_fleet(ledger, parse_fleet(fleet_content()), NOW).credentials))
    ledger.close()


def test_the_same_fleet_at_once_is_registered_once(url: str, ledger: Ledger) -> None:
    results: Queue[Any] = SPAWN.Queue()
    processes = [SPAWN.Process(target=_register, args=(url, results)) for _ in range(2)]
    for process in processes:
        process.start()
    made = sorted(results.get(timeout=30) for _ in processes)
    for process in processes:
        process.join()
    assert made == [0, 3]
    with ledger.read() as tx:
        assert tx.scalar(select(func.count()).select_from(device)) == 3
        assert tx.scalar(select(func.count()).select_from(slot)) == 5
