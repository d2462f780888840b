"""Views and usage follow the decisions: a little at a time, the newest only, nothing lost by a crash."""

from pathlib import Path
from typing import Any

import pytest

from models.effects import SlotView, UsageBooked
from streams.worker.showing import Pace, Waiting
from tests.support import worker as kit
from tests.support.worker_bench import Bench


def view(slot: int, ts: int) -> SlotView:
    return SlotView(slot, 1, ts, 0, 0, 0, 0, (), 0, 0, 0, "fine", 0, 0, 0)


def test_a_newer_view_takes_the_place_of_one_that_waits() -> None:
    waiting = Waiting()
    waiting.add({1: view(1, 10), 2: view(2, 10), (1, 20): UsageBooked(1, 20, 1.0)})
    waiting.add({2: view(2, 20), 3: view(3, 20), 1: view(1, 20)})
    rows = waiting.first(2)
    assert [one for _, one in rows] == [view(1, 20), view(2, 20)]
    waiting.written(rows)
    assert [one for _, one in waiting.first(9)] == [UsageBooked(1, 20, 1.0), view(3, 20)]


def test_showing_takes_a_share_of_the_time_and_never_pauses_long() -> None:
    pace = Pace(0.25)
    pace.begin(10.0)
    assert pace.free > 10.0  # the other partitions wait until it ends
    pace.end(10.0, 10.01)
    assert pace.free == pytest.approx(10.04)
    pace.end(11.0, 16.0)  # it waited for others itself
    assert pace.free == pytest.approx(16.0 + Pace.LONGEST)


def showing(slots: int, tmp_path: Path, **changes: Any) -> Bench:
    """A journal whose tick shows and needs `slots` slots."""
    disks = kit.Disks().add(kit.frame_bytes(*((s, s, 5) for s in range(1, slots + 1))), kit.tick_bytes(2_000_000))
    return Bench(disks, tmp_path, **changes)


def test_decisions_come_first_and_what_they_show_in_small_transactions(tmp_path: Path) -> None:
    bench = showing(10, tmp_path, show_rows=6)

    async def scenario(bench: Bench) -> None:
        await bench.task.feed(bench.stores.journal.read(0, 0))
        while not bench.ledger.applied:
            assert not bench.ledger.shown
            await bench.turn()
        assert len(bench.disks.ledger["needs"]) == 10
        while len(bench.ledger.shown) < 4:
            await bench.turn()

    bench.run(scenario)
    assert bench.ledger.shown == [6, 6, 6, 2]  # a view and a day's usage of each
    assert {key for key in bench.disks.ledger["rows"] if key[0] == "view"} == {("view", s) for s in range(1, 11)}


def test_neither_keeps_the_other_waiting_for_ever(tmp_path: Path) -> None:
    bench = showing(10, tmp_path, show_rows=1)

    async def scenario(bench: Bench) -> None:
        """Something to commit at every turn, and something to show."""
        for i in range(8):
            bench.disks.add(kit.frame_bytes((50 + i, 50 + i, 5)), kit.tick_bytes(2_000_001 + i))
            await bench.task.feed(bench.stores.journal.read(0, bench.task.offset))
            before = bench.log.count("ledger.apply"), bench.log.count("ledger.show")
            while bench.log.count("ledger.apply") == before[0]:
                await bench.turn()
            assert bench.log.count("ledger.show") <= before[1] + 1
        assert bench.log.count("ledger.show") >= 6

    bench.run(scenario)


def test_what_waits_is_written_before_a_checkpoint_is_saved(tmp_path: Path) -> None:
    bench = showing(10, tmp_path, show_rows=3)

    async def scenario(bench: Bench) -> None:
        bench.task._pace.free = float("inf")
        await bench.feed()
        assert bench.ledger.shown == []

    bench.run(scenario)
    assert bench.ledger.shown == [3] * 6 + [2]
    assert bench.log[-2:] == ["series.write", "state.save"]


def test_what_waited_when_the_worker_died_is_shown_by_the_next(tmp_path: Path) -> None:
    bench = showing(10, tmp_path)

    async def dies(bench: Bench) -> None:
        bench.task._pace.free = float("inf")
        await bench.feed()
        bench.disks.ledger["epoch"] += 1  # so that its stop writes nothing either

    bench.run(dies)
    assert bench.ledger.shown == []
    assert bench.disks.ledger["offset"] == 2
    after = Bench(bench.disks, tmp_path)
    after.run(Bench.settle)
    assert after.ledger.shown == [20]
    assert {key for key in after.disks.ledger["rows"] if key[0] == "view"} == {("view", s) for s in range(1, 11)}
    assert after.disks.ledger["twice"] == []
