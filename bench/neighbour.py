"""How long others wait for the ledger while the worker follows a fleet of 2,000 devices at 3,600 x.

python -m bench.neighbour [SECONDS]: a gateway's part appends a reading of each device a second (an hour of its time),
the clock's part a tick every 100 ms; the worker folds, decides and shows them; and one more process writes to the
ledger every 50 ms, as a supplier's call does. Printed: how long its transactions took, begin to commit, and the
worker's processor time.
"""

import json
import multiprocessing as mp
import sys
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import uvloop
from sqlalchemy import func, select

from bench.worker import behind, work
from journal import codec
from journal.sqlite import SqliteJournal
from ledger import events
from ledger.engine import open_ledger
from ledger.tables import slot_view
from models.records import Tick
from models.stores import Unavailable
from models.units import HOUR
from tests.support.fleet_world import T0, fleet_world, make_frame

DEVICES, SLOTS, SITES = 2_000, 5, 40
TICKS = 10  # a second
WRITES = 20  # a second


def append(path: Path, devices: np.ndarray[Any, Any], seconds: int) -> None:
    """The readings of each tenth of a second in one frame, then a tick."""
    journal = SqliteJournal(path, partitions=1)
    began, per = time.monotonic(), int(devices[0, 3])
    start = 32 + 68 * (1 + np.arange(len(devices)) * 7919 % len(devices)) / len(devices)
    for n in range(seconds * TICKS):
        now = T0 + HOUR + n * HOUR // TICKS
        chosen = np.arange(len(devices)) % TICKS == n % TICKS
        frame = make_frame(devices[chosen], n // TICKS + 1, now, 0.0)
        level = np.repeat(start[chosen] - n / TICKS * 100 / (30 * 24), per)
        frame.supplies["low"] = frame.supplies["high"] = np.maximum(level, 1.0)
        journal.append([(0, codec.encode_frame(frame)), (0, codec.encode_tick(Tick(now, 100)))])
        time.sleep(max(0.0, began + (n + 1) / TICKS - time.monotonic()))
    journal.close()


def write(url: str, stop: Event, found: Any) -> None:
    """Transactions of one small row each; milliseconds that each took."""
    ledger = open_ledger(url)
    took: list[float] = []
    refused = 0
    while not stop.is_set():
        began = time.monotonic()
        try:
            with ledger.write() as tx:
                events.append(tx, None, "bench.neighbour", "bench/1", {}, T0)
        except Unavailable:
            refused += 1
        took.append(1000 * (time.monotonic() - began))
        time.sleep(max(0.0, 1 / WRITES - (time.monotonic() - began)))
    found.put((took, refused))
    ledger.close()


def run(seconds: int = 30) -> dict[str, Any]:
    spawn = mp.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        fleet_world(Path(folder), DEVICES, sites=SITES, slots=SLOTS) as world,
    ):
        uvloop.run(work(world, lambda: not behind(world)))  # the facts; compiles
        stop, found = spawn.Event(), spawn.Queue()
        url = f"sqlite:///{world.folder / 'ledger.db'}"
        others = [
            spawn.Process(target=append, args=(world.journal.path, world.devices, seconds)),
            spawn.Process(target=write, args=(url, stop, found)),
        ]
        for other in others:
            other.start()
        done = uvloop.run(work(world, lambda: not others[0].is_alive() and not behind(world)))
        stop.set()
        took, refused = found.get()
        for other in others:
            other.join()
        with world.ledger.read() as tx:
            newest, oldest = tx.execute(select(func.max(slot_view.c.ts), func.min(slot_view.c.ts))).one()
        return {
            "seconds": round(done["wall_s"], 1),
            "worker_cores": round(done["cpu_s"] / done["wall_s"], 3),
            "writes": len(took),
            "refused": refused,
            **{f"wait_p{p}_ms": round(float(np.percentile(took, p)), 1) for p in (50, 90, 99)},
            "wait_max_ms": round(max(took), 1),
            "needs": len(world.needs()),
            "views_span_simulated_h": round((newest - oldest) / HOUR, 2),
        }


if __name__ == "__main__":
    import logging

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print(json.dumps(run(*map(int, sys.argv[1:]))))
