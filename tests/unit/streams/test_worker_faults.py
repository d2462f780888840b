"""What the partition task does when stores or input misbehave."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from models.effects import UsageBooked
from models.records import Reorder
from models.stores import Record, Unavailable
from streams.worker.batching import Batch, Origin, PoisonTick
from tests.support import worker as kit
from tests.support.worker_bench import Bench


def test_a_poison_reading_is_found_and_left_out(tmp_path: Path) -> None:
    rows = [(slot, slot, 50.0) for slot in range(1, 100)]
    rows[41] = (42, 42, float(kit.POISON))
    rows[77] = (78, 78, float(kit.POISON))
    disks = kit.Disks().add(kit.frame_bytes((1, 500, 50)), kit.frame_bytes(*rows), kit.tick_bytes(2_000_000))
    bench = Bench(disks, tmp_path)
    bench.run(Bench.feed)
    assert set(disks.ledger["skipped"]) == {(1, 41), (1, 77)}
    device, code, raw = disks.ledger["skipped"][1, 41]
    assert (device, code) == (42, "poison_reading")
    assert kit.codec.decode(raw).readings["seq"].tolist() == [42]
    state = kit.FakeFold()
    state.restore(disks.state["kept"][0].blocks[:1])
    assert state.s["total"] == 500 + sum(range(1, 100)) - 42 - 78
    # a replay that obeys the skips comes to the same state
    again = kit.FakeFold()
    again.step(0, kit.codec.decode(disks.journal[0]), ())
    again.step(1, kit.codec.decode(disks.journal[1]), frozenset({41, 77}))
    assert again.s["total"] == state.s["total"]


def test_a_request_and_a_damaged_record_are_left_out_whole(tmp_path: Path) -> None:
    request = kit.codec.encode_request(Reorder(id="r", slot=1, by="poison"))
    disks = kit.Disks().add(request, b"\x01\x01garbage", kit.tick_bytes(2_000_000))
    Bench(disks, tmp_path).run(Bench.feed)
    assert {key: code for key, (_, code, _) in disks.ledger["skipped"].items()} == {
        (0, -1): "poison_record",
        (1, -1): "damaged_record",
    }
    assert disks.ledger["offset"] == 3


def test_a_tick_that_fails_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = kit.FakeFold._tick
    monkeypatch.setattr(kit.FakeFold, "_tick", lambda self, tick: 1 / 0 if tick.time == 2_000_000 else good(self, tick))
    disks = kit.Disks().add(kit.frame_bytes((1, 1, 5)), kit.tick_bytes(2_000_000), kit.tick_bytes(3_000_000))
    Bench(disks, tmp_path).run(Bench.feed)
    assert set(disks.ledger["skipped"]) == {(1, -1)}
    assert disks.ledger["needs"] == {(1, 1, 0)}


def test_tick_after_tick_that_fails_ends_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit.FakeFold, "_tick", lambda *_: 1 / 0)
    disks = kit.Disks().add(kit.frame_bytes((1, 1, 50)), *(kit.tick_bytes(2_000_000 + i) for i in range(20)))

    async def scenario(bench: Bench) -> None:
        with pytest.raises(PoisonTick, match=r"10 ticks in a row .* offset 11: .*install one that can"):
            await bench.feed()

    Bench(disks, tmp_path).run(scenario)
    assert disks.ledger["offset"] == 11


def test_a_fenced_partition_is_dropped_and_writes_nothing(tmp_path: Path) -> None:
    disks = kit.Disks().add(kit.frame_bytes((1, 1, 5)), kit.tick_bytes(2_000_000))

    async def scenario(bench: Bench) -> None:
        disks.ledger["epoch"] += 1  # another worker claimed it
        disks.state["epoch"] += 1
        await bench.feed()
        assert bench.task.lost
        await bench.feed()  # is ignored

    bench = Bench(disks, tmp_path)
    bench.run(scenario)
    assert bench.failures == []
    assert (disks.ledger["rows"], disks.ledger["offset"], disks.state["kept"]) == ({}, 0, [])


def test_a_store_that_comes_back_costs_time_only(tmp_path: Path) -> None:
    disks = kit.Disks().add(kit.frame_bytes((1, 1, 5)), kit.tick_bytes(2_000_000))

    async def scenario(bench: Bench) -> None:
        bench.ledger.away = 3
        await bench.feed()

    bench = Bench(disks, tmp_path)
    bench.run(scenario)
    assert bench.failures == []
    assert disks.ledger["needs"] == {(1, 1, 0)}


def test_a_store_that_stays_away_ends_the_worker(tmp_path: Path) -> None:
    disks = kit.Disks().add(kit.frame_bytes((1, 1, 5)), kit.tick_bytes(2_000_000))

    async def scenario(bench: Bench) -> None:
        bench.ledger.away = 10_000
        await bench.feed()

    bench = Bench(disks, tmp_path)
    bench.run(scenario)
    (failure,) = bench.failures
    assert isinstance(failure, Unavailable)
    assert "goes on where it was when started again" in str(failure)


def test_due_rows_fire_at_a_tick_without_effects(tmp_path: Path) -> None:
    disks = kit.Disks().add(kit.frame_bytes((1, 1, 50)), kit.tick_bytes(2_000_000))

    async def scenario(bench: Bench) -> None:
        bench.ledger.due = [1_900_000, 2_100_000]
        await bench.feed()
        assert (bench.ledger.due, bench.ledger.applied) == ([2_100_000], [2])

    Bench(disks, tmp_path).run(scenario)


def test_only_the_newest_of_what_is_shown_is_written_of_a_batch() -> None:
    views = list(kit.restored(0, 0, seen_twice()).views())
    usage = [UsageBooked(1, 20, 4.0), UsageBooked(1, 20, 5.0), UsageBooked(1, 21, 1.0)]
    batch = Batch(0, 3, 0)
    batch.take([views[0], kit.need(1), usage[0]], [Record(0, b"")])
    batch.take([usage[1]], [Record(1, b"")])
    batch.take([kit.need(2), views[1], usage[2]], [Record(2, b"")])
    assert batch.decisions == [kit.need(1), kit.need(2)]
    assert batch.origins == [Origin(0, [Record(0, b"")]), Origin(1, [Record(2, b"")])]
    assert list(batch.shown.values()) == [views[0], usage[1], views[1], usage[2]]


def seen_twice() -> Any:
    fold = kit.FakeFold()
    fold.s["seen"] = {1: 2, 2: 1}
    return fold.snapshot()


def test_frames_alone_write_nothing_to_the_ledger(tmp_path: Path) -> None:
    disks = kit.Disks().add(*(kit.frame_bytes((1, i, 50)) for i in range(50)))

    async def scenario(bench: Bench) -> None:
        await bench.feed()
        assert bench.ledger.applied == []

    bench = Bench(disks, tmp_path)
    bench.run(scenario)
    assert bench.ledger.applied == [50]  # at the checkpoint


def test_a_ledger_that_is_told_of_nothing_still_learns_how_far_the_worker_is(tmp_path: Path) -> None:
    disks = kit.Disks().add(kit.tick_bytes(1_000_000), kit.tick_bytes(1_000_001))

    async def scenario(bench: Bench) -> None:
        await bench.task.feed(bench.stores.journal.read(0, 0, 1))
        await bench.settle()
        assert bench.ledger.applied == []
        bench.time.now += 6
        await bench.feed()
        assert bench.ledger.applied == [2]

    Bench(disks, tmp_path).run(scenario)


def test_folding_waits_for_the_ledger(tmp_path: Path) -> None:
    disks = kit.Disks().add(*(b for i in range(9) for b in (kit.frame_bytes((i, i, 5)), kit.tick_bytes(1_000_000 + i))))

    async def scenario(bench: Bench) -> None:
        for at in range(len(disks.journal)):
            await bench.task.feed(bench.stores.journal.read(0, at, 1))
            assert len(bench.task._batch.decisions) <= 4

    bench = Bench(disks, tmp_path, pending_effects=4)
    bench.run(scenario)
    assert len(disks.ledger["needs"]) == 9


def test_checkpoints_come_by_debt_and_drop_old_records(tmp_path: Path) -> None:
    disks = kit.Disks()

    async def scenario(bench: Bench) -> None:
        for i in range(6):
            disks.add(kit.frame_bytes(*((s, 10 * i + s, 50) for s in range(1, 6))), kit.tick_bytes(1_000_000 + i))
            bench.time.now += 11
            await bench.feed()

    bench = Bench(disks, tmp_path, checkpoint_readings=5)
    bench.run(scenario)
    newest, older = disks.state["kept"]
    assert (newest.offset, older.offset) == (12, 10)
    assert disks.earliest == 10
    assert bench.failures == []


def test_young_records_stay_though_no_checkpoint_needs_them(tmp_path: Path) -> None:
    disks = kit.Disks()

    async def scenario(bench: Bench) -> None:
        for i in range(6):
            disks.add(kit.frame_bytes((1, i, 50)), kit.tick_bytes(1_000_000 + i))
            disks.times[-2:] = [int(bench.time.now * 1000)] * 2
            bench.time.now += 11
            await bench.feed()

    bench = Bench(disks, tmp_path, checkpoint_readings=1, keep_journal_ms=30_000)
    bench.run(scenario)
    assert disks.earliest == 8  # appended 22 s before the end or later
    assert bench.failures == []


@pytest.mark.parametrize(("most", "earliest"), [(1_000_000, 0), (100, 9)])
def test_a_large_journal_drops_young_records_but_none_that_a_checkpoint_needs(
    tmp_path: Path, most: int, earliest: int
) -> None:
    disks = kit.Disks()

    async def scenario(bench: Bench) -> None:
        for i in range(6):
            disks.add(kit.frame_bytes((1, i, 50)), kit.tick_bytes(1_000_000 + i))
            disks.times[-2:] = [int(bench.time.now * 1000)] * 2
            bench.time.now += 11
            await bench.feed()

    bench = Bench(disks, tmp_path, checkpoint_readings=1, keep_journal_ms=1 << 40, keep_journal_bytes=most)
    bench.run(scenario)
    newest, older = disks.state["kept"]
    assert (newest.offset, older.offset) == (12, 10)
    assert disks.earliest == earliest  # half of what may go, at each of the checkpoints
    assert bench.failures == []


def test_a_long_run_leaves_the_event_loop_its_turns(tmp_path: Path) -> None:
    """The worker's heart beats there: it was taken for dead on a busy machine."""
    disks = kit.Disks().add(*(kit.tick_bytes(1_000_000 + i) for i in range(1000)))
    beats: list[int] = []

    async def beat(bench: Bench) -> None:
        while bench.task.offset < len(disks.journal):
            beats.append(bench.task.offset)
            await bench.turn()

    async def scenario(bench: Bench) -> None:
        beating = asyncio.create_task(beat(bench))
        await bench.task.feed(bench.stores.journal.read(0, 0))
        await beating

    Bench(disks, tmp_path).run(scenario)
    assert max(b - a for a, b in pairwise(beats)) <= 256
