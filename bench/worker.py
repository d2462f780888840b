"""What the worker folds, decides and writes, on one core: frames of 500, frames of one, plain Faust, a million slots.

python -m bench.worker [PART]: all parts, or one of: frames, interpreted, single, live, plain. Each runs in a process of
its own, so that memory and processor time are its own. Real stores on SQLite, real ledger with a registered fleet; a
reading has 2 supplies and 1 counter. The million slots: bench.million.
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import faust
import numpy as np
import structlog
import uvloop

from bench import million
from journal import codec
from models.jit import COMPILED
from models.records import Tick
from streams.transport.positions import TOPIC
from streams.worker import metrics
from streams.worker.config import WorkerConfig
from streams.worker.logic import this_logic
from streams.worker.run import run_worker
from tests.support.fleet_world import T0, FleetWorld, fleet_world, make_frame

PARTS = ("frames", "interpreted", "single", "live", "plain")
DEVICES = 5_000
SEED = 1
FRAME = 500


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def fill(world: FleetWorld, readings: int, size: int, ticks_every: int) -> None:
    """Devices report in turn once a second, in frames of `size`; a tick after each `ticks_every` readings.

    A supply lasts about a month; one device in 200 is nearly empty."""
    devices, since = world.devices, 0
    per, start = int(devices[0, 3]), 60 + 40.0 * (1 + np.arange(len(devices)) * 7919 % len(devices)) / len(devices)
    start[::200] = 5.0  # these need a refill
    batch: list[tuple[int, bytes]] = []
    for first in range(0, readings, size):
        chosen = np.arange(first, first + size) % len(devices)
        round_, at = divmod(first, len(devices))
        now = T0 + round_ * 1000 + at * 1000 // len(devices)
        frame = make_frame(devices[chosen], round_ + 1, now, 0.0)
        level = np.repeat(np.floor(np.maximum(0.0, start[chosen] - round_ * 0.00004)), per)
        frame.supplies["low"] = frame.supplies["high"] = level
        batch.append((0, codec.encode_frame(frame)))
        since += size
        if since >= ticks_every:
            since = 0
            batch.append((0, codec.encode_tick(Tick(now, 1000))))
        if len(batch) >= 2_000:
            world.journal.append(batch)
            batch = []
    world.journal.append([*batch, (0, codec.encode_tick(Tick(now + 1000, 1000)))])


def config_of(world: FleetWorld) -> WorkerConfig:
    return WorkerConfig(world.broker, world.folder / "faust")


async def work(world: FleetWorld, until: Any) -> dict[str, float]:
    """Run the worker until `until()`, then stop it cleanly. Seconds of wall and of processor time, from ready to
    stopped."""
    stop, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(
        run_worker(config_of(world), world.journal, world.decisions, world.state, world.series, stop, ready=ready.set)
    )
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    cpu, wall = time.process_time(), time.perf_counter()
    while not task.done() and not until():  # noqa: ASYNC110  a counter of the worker, which has no event for us
        await asyncio.sleep(0.02)
    stop.set()
    await task
    return {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}


def folded() -> int:
    return int(metrics.READINGS.labels("0")._value.get())


def behind(world: FleetWorld) -> bool:
    return int(metrics.RECORDS.labels("0")._value.get()) < world.journal.end(0)


def throughput(readings: int, size: int, ticks_every: int, devices: int = DEVICES) -> dict[str, Any]:
    """Catch up with a journal full of readings: fold, series, ledger, and the checkpoint of a clean stop."""
    with _folder() as folder, fleet_world(folder, devices) as world:
        uvloop.run(work(world, lambda: not behind(world)))  # the facts; compiles
        fill(world, readings, size, ticks_every)
        done = uvloop.run(work(world, lambda: not behind(world)))
        return {
            "readings": readings,
            "readings_per_core_s": round(readings / done["cpu_s"]),
            "readings_per_s": round(readings / done["wall_s"]),
            "needs": len(world.needs()),
            "ledger_transactions": _commits(),
            "ledger_s": round(metrics.COMMIT_SECONDS.labels("0")._sum.get(), 2),
            "cores": round(done["cpu_s"] / done["wall_s"], 2),
        }


def _commits() -> int:
    samples = metrics.COMMIT_SECONDS.collect()[0].samples
    return int(next(s.value for s in samples if s.name.endswith("_count")))


def frames() -> dict[str, Any]:
    return throughput(2_000_000, FRAME, 40_000)  # a tick every 100 ms at the rate that is asked for


def interpreted() -> dict[str, Any]:
    """As `frames`, in plain Python."""
    assert not COMPILED
    return throughput(600_000, FRAME, 40_000)


def single() -> dict[str, Any]:
    return throughput(60_000, 1, 100)


def live(seconds: int = 10, rate: int = 1_000) -> dict[str, Any]:
    """Frames of one appended at `rate` a second, ten to a commit, ticks every 100 ms: how much of a core it takes."""
    with _folder() as folder, fleet_world(folder, DEVICES) as world:
        uvloop.run(work(world, lambda: not behind(world)))
        appender = threading.Thread(target=_append, args=(world, seconds, rate))
        appender.start()
        before = resource.getrusage(resource.RUSAGE_SELF)
        end = time.monotonic() + seconds
        done = uvloop.run(work(world, lambda: time.monotonic() > end and not behind(world)))
        appender.join()
        used = resource.getrusage(resource.RUSAGE_SELF)
        own = _thread_cpu.pop()
        cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime - own
        return {"readings": seconds * rate, "cores": round(cpu / done["wall_s"], 3), "needs": len(world.needs())}


_thread_cpu: list[float] = []


def _append(world: FleetWorld, seconds: int, rate: int) -> None:
    """A gateway's part; its processor time is kept apart."""
    devices, began = world.devices, time.thread_time()
    start, sent, ticked = time.monotonic(), 0, 0
    while sent < seconds * rate:
        due = int((time.monotonic() - start) * rate)
        values = []
        for n in range(sent, min(due, sent + 50)):
            one = devices[n % len(devices)][None]
            round_ = n // len(devices)
            values.append((0, codec.encode_frame(make_frame(one, round_ + 1, T0 + n * 900, 100 - 3.0 * round_))))
        sent += len(values)
        if due * 10 // rate > ticked:
            ticked = due * 10 // rate
            values.append((0, codec.encode_tick(Tick(T0 + due * 900, 100))))
        world.journal.append(values)
        time.sleep(0.01)
    _thread_cpu.append(time.thread_time() - began)


def plain(readings: int = 15_000) -> dict[str, Any]:
    """Plain Faust on the same journal: one event a reading, one table update each; our own compiled fold does the
    work, no ledger."""
    with _folder() as folder, fleet_world(folder, DEVICES) as world:
        partition = this_logic().new(0)
        for record in world.journal.read(0, 0, 1 << 20, 1 << 30):
            partition.step(record.offset, codec.decode(record.value), frozenset())
        facts = world.journal.end(0)
        fill(world, readings, 1, 100)
        end = world.journal.end(0)
        app = faust.App(
            "plain", broker=f"{world.broker}?runs=0", store="memory://", datadir=str(folder / "plain"),
            web_enabled=False, topic_disable_leader=True, topic_partitions=1, stream_wait_empty=False,
            stream_recovery_delay=0.0, key_serializer="raw", value_serializer="raw",
        )  # fmt: skip
        table = app.Table("levels", default=bytes)
        last = 0

        async def fold(stream: Any) -> None:
            nonlocal last
            async for event in stream.noack().events():
                if event.message.offset >= facts:
                    record = codec.decode(event.value)
                    partition.step(event.message.offset, record, frozenset())
                    if not isinstance(record, Tick):
                        table[int(record.readings[0]["device"])] = event.value
                last = event.message.offset + 1

        app.agent(app.topic(TOPIC, acks=False), concurrency=1)(fold)

        async def main() -> float:
            await app.start()
            while last < facts:  # noqa: ASYNC110  the agent's own variable
                await asyncio.sleep(0.001)
            cpu = time.process_time()
            while last < end:  # noqa: ASYNC110  the agent's own variable
                await asyncio.sleep(0.01)
            cpu = time.process_time() - cpu
            await app.stop()
            return cpu

        return {"readings": readings, "readings_per_core_s": round(readings / uvloop.run(main()))}


def _child(part: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.worker", part]
    environment = os.environ | ({"NUMBA_DISABLE_JIT": "1"} if part == "interpreted" else {})
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run() -> dict[str, Any]:
    """Every part in a process of its own."""
    found: dict[str, Any] = {part: _child(part) for part in PARTS} | {"million": million.run()}
    found["times_plain_faust"] = round(
        found["frames"]["readings_per_core_s"] / found["plain"]["readings_per_core_s"], 1
    )
    return found


def rows(found: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """(what, measured, at least, go for)."""
    of_million = found["million"]
    return [
        (
            "worker, readings/s per core, frames of 500",
            f"{found['frames']['readings_per_core_s']:,}", "400,000", "1,500,000",
        ),
        (
            "worker, the same in plain Python",
            f"{found['interpreted']['readings_per_core_s']:,}", "20,000", "",
        ),
        ("worker, readings/s per core, frames of one", f"{found['single']['readings_per_core_s']:,}", "3,000", "6,000"),
        ("worker, cores for 1,000 readings/s in frames of one", f"{found['live']['cores']}", "0.5", ""),
        (
            "plain Faust, one event a reading, a table: readings/s per core (ratio)",
            f"{found['plain']['readings_per_core_s']:,} ({found['times_plain_faust']} x)",
            "the ratio", "> 100 x",
        ),
        ("1 M slots: memory of the worker, MB", f"{of_million['memory_mb']:,}", "1,500", "500"),
        ("1 M slots: checkpoint, s", f"{of_million['checkpoint_s']}", "5", "2"),
        ("1 M slots: recovery from it, s", f"{of_million['recovery_s']}", "60", "10"),
    ]  # fmt: skip


def _main(arguments: list[str]) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # figures go to stdout
    match arguments:
        case [part]:
            parts = (frames, interpreted, single, live, plain)
            print(json.dumps(next(run_part for run_part in parts if run_part.__name__ == part)()))
        case _:
            found = run()
            for row in rows(found):
                print(" | ".join(row))
            print(json.dumps(found))


if __name__ == "__main__":
    _main(sys.argv[1:])
