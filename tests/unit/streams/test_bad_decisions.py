"""A data error in the ledger: the rest is written, the reading behind it is left out, and a replay agrees."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from journal import codec
from models.effects import Alert, RefillKind, RefillSeen, UnmappedSeen
from models.records import Count
from models.stores import Record, Unavailable
from streams.worker.batching import Batch
from streams.worker.blaming import Causes
from streams.worker.partition_task import PartitionTask
from tests.support import worker as kit
from tests.support.worker_bench import Bench, Later


def journal_with(*bad: int) -> kit.Disks:
    """Six frames of three refills each, a tick in the middle and one at the end; refills of these numbers are bad."""
    disks = kit.Disks()
    for i in range(6):
        slots = range(3 * i, 3 * i + 3)
        rows = [(slot, slot + 1, kit.BAD if slot in bad else kit.REFILL) for slot in slots]
        disks.add(kit.frame_bytes((90 + i, 50 + i, 5), *rows))
        if i in {2, 5}:
            disks.add(kit.tick_bytes(2_000_000 + i))
    return disks


def place(slot: int) -> tuple[int, int]:
    """Offset of the frame and index in it of a slot's refill."""
    return slot // 3 + (slot >= 9), slot % 3 + 1


def replayed(disks: kit.Disks) -> tuple[dict[str, Any], set[Any]]:
    """State and identities of the effects, of a replay from the first record that leaves out what is skipped."""
    fold, effects = kit.FakeFold(), set()
    for offset, value in enumerate(disks.journal):
        left_out = {index for at, index in disks.ledger["skipped"] if at == offset}
        effects |= {kit.identity(effect) for effect in fold.step(offset, codec.decode(value), left_out).effects}
    return fold.s, effects


def agrees(disks: kit.Disks) -> None:
    fold = kit.FakeFold()
    fold.restore(disks.state["kept"][0].blocks[:1])
    state, effects = replayed(disks)
    assert fold.s == state
    assert set(disks.ledger["rows"]) == effects
    assert disks.ledger["twice"] == []


@pytest.mark.parametrize("most", [1, 50])
@pytest.mark.parametrize("bad", [(0,), (8,), (17,), (0, 17), (4, 5), (3, 9), (0, 1, 2), tuple(range(18))])
def test_bad_ones_are_left_out_and_a_replay_agrees(tmp_path: Path, bad: tuple[int, ...], most: int) -> None:
    disks = journal_with(*bad)

    async def scenario(bench: Bench) -> None:
        await bench.feed()
        while bench.task.committed < len(disks.journal):
            await bench.settle()

    bench = Bench(disks, tmp_path, most_decisions=most, merge_readings=most)
    bench.run(scenario)
    assert bench.failures == []
    assert set(disks.ledger["skipped"]) == {place(slot) for slot in bad}
    assert {key[1] for key in disks.ledger["rows"] if key[0] == "refill"} == set(range(18)) - set(bad)
    assert {code for _, code, _ in disks.ledger["skipped"].values()} == {"bad_effect"}
    agrees(disks)


def test_what_comes_before_is_written_without_being_folded_again(tmp_path: Path) -> None:
    disks = journal_with(10)

    async def scenario(bench: Bench) -> None:
        await bench.feed()
        assert bench.ledger.applied[0] == 4  # the frames and the tick before the frame of slot 10, in the first try

    Bench(disks, tmp_path, merge_readings=1).run(scenario)
    agrees(disks)


def test_what_a_tick_decided_is_answered_and_nothing_is_folded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = RefillSeen(7, 1, RefillKind.NEW, 1, 0, 0, 3.0, kit.BAD, 1.0, 0, "a test")
    good = kit.FakeFold._tick
    monkeypatch.setattr(kit.FakeFold, "_tick", lambda self, tick: [refused, *good(self, tick)])
    disks = kit.Disks().add(kit.frame_bytes((1, 1, 5)), kit.tick_bytes(2_000_000))

    async def scenario(bench: Bench) -> None:
        folder = bench.task._folder
        await bench.feed()
        assert bench.task._folder is folder

    Bench(disks, tmp_path).run(scenario)
    assert disks.ledger["needs"] == {(1, 1, 0)}
    assert disks.ledger["skipped"] == {}
    assert disks.ledger["offset"] == 2


def test_records_that_come_while_it_goes_back_wait_until_it_has_caught_up(tmp_path: Path) -> None:
    disks = journal_with(4)

    async def scenario(bench: Bench) -> None:
        await bench.task.feed(bench.stores.journal.read(0, 0))
        while bench.task._ready.is_set():
            await bench.turn()
        disks.add(kit.frame_bytes((60, 60, 5)), kit.tick_bytes(3_000_000))
        await bench.task.feed(bench.stores.journal.read(0, bench.task.offset))

    bench = Bench(disks, tmp_path, executor=Later())
    bench.run(scenario)
    assert bench.failures == []
    assert (60, 1, 0) in disks.ledger["needs"]
    agrees(disks)


def test_a_store_that_goes_away_meanwhile_costs_time_only(tmp_path: Path) -> None:
    disks = journal_with(4)

    async def scenario(bench: Bench) -> None:
        bench.ledger.away_in_salvage = 3
        await bench.feed()

    bench = Bench(disks, tmp_path)
    bench.run(scenario)
    assert bench.failures == []
    agrees(disks)


def test_a_store_that_stays_away_then_ends_the_worker(tmp_path: Path) -> None:
    disks = journal_with(4)

    async def scenario(bench: Bench) -> None:
        bench.ledger.away_in_salvage = 10_000
        await bench.feed()

    bench = Bench(disks, tmp_path)
    bench.run(scenario)
    (failure,) = bench.failures
    assert isinstance(failure, Unavailable)
    assert disks.ledger["skipped"] == {}


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_any_write_changes_nothing(tmp_path: Path, after: bool) -> None:
    def attempt(disks: kit.Disks, scythe: kit.Scythe) -> None:
        async def whole() -> None:
            failures: list[BaseException] = []
            stores, config = kit.stores_over(disks, scythe), kit.config_in(tmp_path, keep_journal_ms=1 << 50)
            task = PartitionTask(
                0, stores, kit.LOGIC, config, kit.Time().clocks(), kit.Inline(), failures.append, lambda: None
            )
            at = await task.start()
            await task.feed(stores.journal.read(0, at))
            for _ in range(20):
                await asyncio.sleep(0)
            await task.stop(checkpoint=True)
            assert not failures

        asyncio.run(whole())

    unharmed, counting = journal_with(4, 13), kit.Scythe()
    attempt(unharmed, counting)
    assert {"ledger.apply", "ledger.salvage", "ledger.show", "state.save"} <= set(counting.log)
    for at in range(counting.writes):
        disks = journal_with(4, 13)
        with pytest.raises(kit.Killed):
            attempt(disks, kit.Scythe(at, after=after))
        attempt(disks, kit.Scythe())
        assert disks.ledger["rows"] == unharmed.ledger["rows"], f"killed at write {at}, {counting.log[at]}"
        assert disks.ledger["skipped"] == unharmed.ledger["skipped"]
        assert disks.state["kept"][0].blocks == unharmed.state["kept"][0].blocks
        agrees(disks)


def causes(*decided: tuple[list[Any], list[bytes]]) -> Causes:
    batch, offset = Batch(0, 0, 0), 0
    for effects, values in decided:
        records = [Record(offset + i, value) for i, value in enumerate(values)]
        batch.take(effects, records)
        offset += len(values)
    return Causes(batch)


def refill(slot: int, seq: int) -> RefillSeen:
    return RefillSeen(slot, 1, RefillKind.NEW, 1, 7, seq, 3.0, 90.0, 1.0, 0, "a test")


def test_the_reading_is_found_among_frames_that_were_folded_as_one() -> None:
    frames = [kit.frame_bytes((1, 1, 50), (2, 2, 50)), kit.frame_bytes((3, 3, 50), (4, 4, 50))]
    found = causes(([refill(4, 4), UnmappedSeen(2, "fuser", 1_000_002)], frames))
    assert [part.through for part in found.parts] == [2]
    one = found.blame(0, refill(4, 4), "why")
    assert one is not None
    assert (one.offset, one.index, one.device, one.reason) == (1, 1, 4, "why")
    other = found.blame(0, UnmappedSeen(2, "fuser", 1_000_002), "why")
    assert other is not None
    assert (other.offset, other.index) == (0, 1)


def test_a_request_is_to_blame_as_a_whole_and_is_named() -> None:
    request = codec.encode_request(Count(id="r7", site=1, product=1, units=3.0, by="ann"))
    found = causes(([refill(1, 1)], [request]))
    one = found.blame(0, refill(1, 1), "why")
    assert one is not None
    assert (one.index, one.request, one.raw) == (-1, "r7", request)


def test_time_and_repairs_are_not_to_blame() -> None:
    found = causes(([Alert("need_unknown", "slot/1", 0, 1, "x")], []), ([kit.need(1)], [kit.tick_bytes(1)]))
    assert [found.blame(part, kit.need(1), "why") for part in (0, 1)] == [None, None]
    assert [part.through for part in found.parts] == [0, 1]


def test_pieces_of_one_frame_are_one_part() -> None:
    """A frame with a poison reading is folded in pieces; the ledger's offset can only pass all of it."""
    value = kit.frame_bytes((1, 1, 50), (2, 2, 50))
    batch = Batch(0, 1, 0)
    batch.take([refill(1, 1)], [Record(0, value)])
    batch.take([refill(2, 2)], [Record(0, value)])
    [part] = Causes(batch).parts
    assert (part.through, list(part.decisions)) == (1, [refill(1, 1), refill(2, 2)])
