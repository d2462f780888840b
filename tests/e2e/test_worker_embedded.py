"""The worker on real stores: readings become needs in the ledger, history in the series, a clean checkpoint."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvloop
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from journal import codec
from ledger.change import Change
from ledger.decisions.apply import APPLY
from ledger.tables import refill
from ledger.views.replayed import written_views
from models.effects import RefillSeen
from models.stores import StoreError
from streams.replay import replay
from streams.worker import metrics
from streams.worker.config import WorkerConfig
from streams.worker.run import run_worker
from tests.support.fleet_world import T0, FleetWorld, fleet_world, make_frame

DAY = 86_400_000
DEVICES = 12


def at_work(world: FleetWorld, meanwhile: Callable[[], Awaitable[None]]) -> int:
    """Run the worker, do something, stop it cleanly; how often its heart beat."""
    beats = 0

    def beat() -> None:
        nonlocal beats
        beats += 1

    async def whole() -> None:
        stop, ready = asyncio.Event(), asyncio.Event()
        config = WorkerConfig(world.broker, world.folder / "faust")
        stores = (world.journal, world.decisions, world.state, world.series)
        task = asyncio.create_task(run_worker(config, *stores, stop, ready=ready.set, heartbeat=beat))

        async def other() -> None:
            begun = folded()
            await ready.wait()
            await meanwhile()
            while folded() - begun < world.journal.end(0):
                await asyncio.sleep(0.05)  # a counter of the worker, which has no event for us

        doing = asyncio.create_task(other())
        await asyncio.wait({task, doing}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        doing.cancel()
        await task
        await doing

    uvloop.run(whole())
    return beats


def folded() -> float:
    return float(metrics.RECORDS.labels("0")._value.get())


async def month(world: FleetWorld) -> None:
    for day in range(35):
        now = T0 + day * DAY
        frame = make_frame(world.devices, day, now, 100.0 - 2.7 * day)
        await asyncio.to_thread(world.journal.append, [(0, codec.encode_frame(frame))])
        await asyncio.to_thread(world.tick, now + 1000)
    async with asyncio.timeout(60):
        while len(world.needs()) < 2 * DEVICES:
            await asyncio.sleep(0.05)  # rows of the ledger, which has no event for us


def test_readings_become_needs_history_and_a_checkpoint(tmp_path: Path) -> None:
    with fleet_world(tmp_path, DEVICES) as world:
        assert at_work(world, lambda: month(world)) >= 1
        assert world.needs() == {(slot, 1, 1) for slot in range(1, 2 * DEVICES + 1)}
        assert world.decisions.open_needs(0) == world.needs()
        end = world.journal.end(0)
        assert (world.state.load(0, 1)[0].offset, world.series.offset(0)) == (end, end)
        buckets = world.series.buckets(1, 0, 1 << 60)
        assert [round(bucket.last, 3) for bucket in buckets[:3]] == [100.0, 97.3, 94.6]
        assert len(buckets) == 34  # that of the last day is open: it lives in the checkpoint
        report = replay(world.journal, world.state, world.decisions, 0)
        assert (report.differences, report.readings) == ([], 35 * DEVICES)


async def refilled(world: FleetWorld) -> None:
    """Three weeks of use, then new supplies before any is needed; three readings show them."""
    for day in range(24):
        now = T0 + day * DAY
        frame = make_frame(world.devices, day, now, 100.0 - 2.7 * day if day < 21 else 100.0 - (day - 21))
        await asyncio.to_thread(world.journal.append, [(0, codec.encode_frame(frame))])
        await asyncio.to_thread(world.tick, now + 1000)
    async with asyncio.timeout(60):
        while len(refills(world)) < 2 * DEVICES:
            await asyncio.sleep(0.05)  # rows of the ledger, which has no event for us


def refills(world: FleetWorld) -> dict[int, int]:
    """Of each slot the number of the reading that showed its refill."""
    with world.ledger.read() as tx:
        return {row.slot_id: row.seq for row in tx.execute(select(refill.c.slot_id, refill.c.seq))}


def test_a_refill_that_the_ledger_cannot_write_is_left_out_and_a_replay_agrees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, met = APPLY[RefillSeen], []

    def refuses(change: Change, seen: RefillSeen) -> None:
        if seen.slot == 7 and seen.seq in (met or [seen.seq]):
            met[:] = [seen.seq]
            raise IntegrityError("INSERT", {}, Exception("FOREIGN KEY constraint failed"))
        write(change, seen)

    monkeypatch.setitem(APPLY, RefillSeen, refuses)
    with fleet_world(tmp_path, DEVICES) as world:
        at_work(world, lambda: refilled(world))
        [(_, index)] = world.decisions.skipped(0)
        assert index == 3  # the reading of the fourth device, which has slots 7 and 8
        seen = refills(world)
        later = {slot for slot, seq in seen.items() if seq > met[0]}
        assert later == {7, 8}  # what the reading left out had shown, the next one shows
        end = world.journal.end(0)
        assert world.state.load(0, 1)[0].offset == end
        with world.ledger.read() as tx:
            views = written_views(tx, 0, 1)
        again = replay(world.journal, world.state, world.decisions, 0, views=lambda _: views, offset=lambda _: end)
        assert (again.differences, again.compared) == ([], ["state", "needs", "views"])


def test_a_journal_of_another_installation_is_refused(tmp_path: Path) -> None:
    with fleet_world(tmp_path, 1) as world:
        world.decisions.claim(0, "somebody", "another journal")
        with pytest.raises(StoreError, match="belongs to journal another journal, not"):
            at_work(world, asyncio.Event().wait)  # type: ignore[arg-type]  # for ever: the worker ends by itself
