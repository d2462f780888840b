"""A million slots in one partition: memory, one checkpoint, and in a process of its own the recovery from it.

python -m bench.million: the state is built directly by `step`; state store, checkpoint and recovery are the worker's.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from journal.sqlite import SqliteJournal
from models.facts import (
    AccountFact,
    CalendarFact,
    ClassFact,
    DeviceFact,
    LaneFact,
    Mode,
    SiteFact,
    SlotFact,
    StockFact,
)  # fmt: skip
from models.frame import Frame
from models.records import Tick
from models.stores import Checkpoint
from models.units import DAY, HOUR
from streams.state.sqlite import SqliteStateStore
from streams.worker.checkpoints import SERIES_BLOCK
from streams.worker.logic import this_logic
from streams.worker.recovery import folder_of
from streams.worker.series_sink import SeriesSink
from tests.support.fleet_world import T0, make_frame

SEED = 1


def run(slots: int = 1_000_000) -> dict[str, Any]:
    """State of a million slots: memory, one checkpoint, and in a process of its own the recovery from it."""
    with TemporaryDirectory() as folder:
        return {
            **_child("build", str(folder), str(slots)),
            **_child("recover", str(folder)),
        }


def build(folder: Path, slots: int) -> dict[str, Any]:
    logic = this_logic()
    fold, sink = logic.new(0), SeriesSink(logic.classes)
    for offset, fact in enumerate(_facts(slots)):
        fold.step(offset, fact, frozenset())
    devices = np.array([[0, 1 + n, 1 + 2 * n, 2] for n in range(slots // 2)], np.int64)
    chance = np.random.default_rng(SEED)
    for first in range(0, len(devices), 10_000):
        frame = make_frame(devices[first : first + 10_000], 1, T0, 80.0)
        _vary(frame, chance)
        outcome = fold.step(slots, frame, frozenset())
        assert outcome.verdicts is not None
        sink.frame(frame, outcome.verdicts)
    fold.step(slots, Tick(T0 + 1000, 1000), frozenset())
    built, peak = _rss(), _peak()
    journal, state = SqliteJournal(folder / "journal.db"), SqliteStateStore(folder / "state.db")
    state.claim(0, 1)
    started = time.perf_counter()
    blocks = (*fold.snapshot(), (SERIES_BLOCK, sink.snapshot()))
    copied = time.perf_counter() - started
    state.save(0, Checkpoint(journal.id, 1, 0, T0 + 1000, logic.version, blocks))
    return {
        "slots": slots,
        "memory_mb": built,
        "memory_building_peak_mb": peak,
        "memory_peak_mb": _peak(),
        "checkpoint_mb": sum(len(b) for _, b in blocks) >> 20,
        "checkpoint_copy_s": round(copied, 2),
        "checkpoint_s": round(time.perf_counter() - started, 2),
    }


def _vary(frame: Frame, chance: np.random.Generator) -> None:
    """No two devices alike: what is alike would be compressed to nothing."""
    count = len(frame.readings)
    frame.readings["boot"] = chance.integers(1, 1 << 63, count, np.uint64)
    frame.readings["seq"] = chance.integers(1, 100_000, count)
    frame.readings["ts"] -= chance.integers(0, DAY, count)
    frame.counters["value"] = chance.integers(0, 1_000_000, len(frame.counters))
    frame.supplies["low"] = frame.supplies["high"] = chance.uniform(5, 100, len(frame.supplies))


def recover(folder: Path) -> dict[str, Any]:
    started = time.perf_counter()
    (checkpoint,) = SqliteStateStore(folder / "state.db").load(0, 1)
    folder_ = folder_of(0, checkpoint, this_logic(), 20_000)
    folder_.fold.step(1, Tick(T0 + 2000, 1000), frozenset())
    return {"recovery_s": round(time.perf_counter() - started, 2), "memory_recovered_mb": _rss()}


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20


def _facts(slots: int) -> Iterator[Any]:
    days = 1_100
    starts = np.arange(days + 1, dtype="<i8") * DAY + T0 // DAY * DAY - 400 * DAY
    yield CalendarFact(
        version=1,
        calendar=1,
        starts=starts.tobytes(),
        weights=np.ones(days, "<f4").tobytes(),
        open_days=bytes([1]) * days,
    )
    yield AccountFact(version=1, account=1, mode=Mode.AUTO)
    for kind in (1, 2):
        yield ClassFact(version=1, slot_class=kind)
    sites = max(1, slots // 200)
    for site in range(1, sites + 1):
        yield SiteFact(version=1, site=site, account=1, calendar=1, mode=Mode.AUTO)
        yield LaneFact(version=1, lane=site, site=site, grid_ms=tuple(DAY + i * 12 * HOUR for i in range(16)))
        for product in (1, 2):
            yield StockFact(version=1, site=site, product=product, on_hand=1.0)
    for device in range(1, slots // 2 + 1):
        site = 1 + device % sites
        yield DeviceFact(
            version=1, device=device, account=1, site=site, counters=1, counter_wraps=(0,), counter_limits=(20_000.0,)
        )
        for k in (0, 1):
            yield SlotFact(
                version=1,
                slot=2 * device - 1 + k,
                device=device,
                name=f"toner{k}",
                slot_class=1 + k,
                product=1 + k,
                lane=site,
            )


def _child(part: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.million", part, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _main(arguments: list[str]) -> None:
    match arguments:
        case ["build", folder, slots]:
            print(json.dumps(build(Path(folder), int(slots))))
        case ["recover", folder]:
            print(json.dumps(recover(Path(folder))))
        case _:
            print(json.dumps(run()))


if __name__ == "__main__":
    _main(sys.argv[1:])
