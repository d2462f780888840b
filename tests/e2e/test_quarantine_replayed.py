"""A refused message, corrected by a person, ends in the state exactly once, whatever dies on the way."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select, update

from ingest.fix import Fix
from ingest.release import Actor, Quarantine
from journal import codec
from ledger import quarantine
from ledger import tables as t
from ledger.scope import Scope
from models.records import Refused
from streams.replay import replay
from tests.e2e.test_worker_embedded import at_work
from tests.support.fleet_world import T0, FleetWorld, fleet_world

ALL = Scope.all()
HOUR = 3_600_000
WRONG = b'{"boot":"a81f03c2d94e77b1","seq":5,"supplies":{"toner0":{"level":42}},"counters":{"pages":1000}}'
FIX = Fix(patch={"supplies": {"toner0": {"level": 0.42}}})


async def until(found: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not found():
            await asyncio.sleep(0.02)  # rows of the ledger, which has no event for us


async def folded(world: FleetWorld, now: int) -> None:
    """A tick, and everything before it is in the ledger."""
    await asyncio.to_thread(world.tick, now)
    end = world.journal.end(0)

    def reached() -> bool:
        with world.ledger.read() as tx:
            return (tx.scalar(select(t.partition_owner.c.offset)) or 0) >= end

    await until(reached)


async def refused_and_mended(world: FleetWorld) -> None:
    """As the gateway, a person, and a process that died between journal and ledger did it."""
    device = int(world.devices[0, 1])
    refused = Refused(device=device, received=T0, code="level_out_of_range", reason="use 0..1", raw=WRONG)
    world.journal.append([(0, codec.encode_refused(refused))])
    await folded(world, T0 + 1000)
    with world.ledger.read() as tx:
        (held,) = quarantine.list_held(tx, ALL)
    desk, ann = Quarantine(world.ledger, world.journal), Actor("Ann", T0 + 2000)
    await asyncio.to_thread(desk.replay_one, ALL, held.id, ann, FIX)
    await folded(world, T0 + 3000)
    with world.ledger.write() as tx:
        tx.execute(update(t.quarantine).values(state="held"))
    await asyncio.to_thread(desk.replay_one, ALL, held.id, ann, FIX)
    await folded(world, T0 + HOUR)


def test_a_corrected_reading_counts_once(tmp_path: Path) -> None:
    with fleet_world(tmp_path, 2) as world:
        at_work(world, lambda: refused_and_mended(world))
        slot = int(world.devices[0, 2])
        (bucket,) = world.series.buckets(slot, 0, 1 << 60)
        assert (bucket.readings, round(bucket.last, 3)) == (1, 42.0)
        with world.ledger.read() as tx:
            (held,) = quarantine.list_held(tx, ALL, state="replayed")
            view = tx.execute(select(t.slot_view).where(t.slot_view.c.slot_id == slot)).one()
        assert held.partition == 0
        assert held.offset is not None
        assert view.level_high == 42.0
        report = replay(world.journal, world.state, world.decisions, 0)
        assert (report.differences, report.readings) == ([], 2)
