"""kill -9 of a real worker at random phases while a writer appends: all stores end as those of an unharmed run."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from journal import codec
from ledger.tables import need
from models.records import Tick
from streams.replay import replay
from tests.support.fleet_world import T0, FleetWorld, fleet_world, make_frame

ROOT = Path(__file__).parents[2]
DEVICES, ROUNDS, KILLS = 30, 40, 3
HOUR = 3_600_000


def records_of(world: FleetWorld) -> list[list[bytes]]:
    """Per round: frames of a few devices each with ever lower levels, one frame twice, and a tick."""
    rounds = []
    for i in range(ROUNDS):
        now = T0 + i * 12 * HOUR
        parts = [world.devices[first : first + 7] for first in range(0, DEVICES, 7)]
        values = [codec.encode_frame(make_frame(part, i, now, 100.0 - 2.4 * i)) for part in parts]
        rounds.append([*values, values[i % len(values)], codec.encode_tick(Tick(now + 1000, 1000))])
    return rounds


@contextmanager
def worker(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.support.worker_process", str(folder), "0.2"]
    log = (folder / "worker.log").open("a")
    with (
        log,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def started(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def stopped(process: subprocess.Popen[str]) -> float:
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    return time.monotonic() - began


def caught_up(world: FleetWorld) -> None:
    """Wait until no more needs come."""
    deadline = time.monotonic() + 60
    seen: Any = None
    while time.monotonic() < deadline:
        now = world.needs()
        if seen is not None and now == seen and now:
            return
        seen = now
        time.sleep(0.5)  # the ledger is another process's: nothing to wait for but its rows
    raise AssertionError("the worker did not catch up")


def outcome(world: FleetWorld) -> dict[str, Any]:
    (newest,) = world.state.load(0, 1)
    with world.ledger.read() as tx:
        needs = sorted(
            tuple(row) for row in tx.execute(select(need.c.slot_id, need.c.cycle, need.c.attempt, need.c.deadline))
        )
    buckets = [world.series.buckets(int(slot), 0, 1 << 60) for slot in range(1, 2 * DEVICES + 1)]
    return {"offset": newest.offset, "state": newest.blocks, "needs": needs, "buckets": buckets}


def run(folder: Path, seed: int, kills: int) -> dict[str, Any]:
    folder.mkdir()
    chance = random.Random(seed)
    with fleet_world(folder, DEVICES) as world:
        rounds = records_of(world)
        at = sorted(chance.sample(range(2, ROUNDS - 2), kills))
        done = 0
        for stop in [*at, ROUNDS]:
            with worker(folder) as process:
                started(process)
                for values in rounds[done:stop]:
                    world.journal.append([(0, value) for value in values])
                    time.sleep(chance.uniform(0, 0.04))
                done = stop
                if stop < ROUNDS:
                    process.kill()
                    process.wait()
                    continue
                caught_up(world)
                assert stopped(process) < 5
        assert world.state.load(0, 1)[0].offset == world.journal.end(0)
        report = replay(world.journal, world.state, world.decisions, 0)
        assert report.differences == []
        return outcome(world)


@pytest.mark.slow
def test_kills_at_random_phases_change_nothing(tmp_path: Path) -> None:
    unharmed = run(tmp_path / "unharmed", 1, 0)
    assert len(unharmed["needs"]) == 2 * DEVICES
    harmed = run(tmp_path / "harmed", 2, KILLS)
    assert harmed == unharmed


def test_a_second_worker_takes_over(tmp_path: Path) -> None:
    with fleet_world(tmp_path, DEVICES) as world, worker(tmp_path) as first:
        started(first)
        with worker(tmp_path) as second:
            started(second)  # it stands by
            rounds = records_of(world)
            for values in rounds[:20]:
                world.journal.append([(0, value) for value in values])
            first.kill()
            first.wait()
            for values in rounds[20:]:
                world.journal.append([(0, value) for value in values])
            caught_up(world)
            assert stopped(second) < 5
        assert world.state.load(0, 1)[0].epoch == 2
        assert len(world.needs()) == 2 * DEVICES
