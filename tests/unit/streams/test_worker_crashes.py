"""The worker dies before or after any of its writes; what is there after recovery is what an unharmed run leaves."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from streams.worker.batching import OffsetGap
from streams.worker.config import WorkerConfig
from streams.worker.partition_task import PartitionTask
from tests.support import worker as kit


def make_journal() -> list[bytes]:
    """Frames, ticks, needs, a refill, a poison reading, late readings and buckets that close."""
    quarter = 900_000
    records = []
    for i in range(12):
        now = 1_000_000 + i * quarter // 2
        records.append(kit.frame_bytes((1, 10 * i, 50), (2, 10 * i + 1, 9 if i > 4 else 80), ts=now))
        records.append(kit.frame_bytes((3, 10 * i + 2, kit.POISON if i == 6 else 40), (4, 10 * i + 3, 5), ts=now))
        if i == 8:
            records.append(kit.frame_bytes((1, 10 * i + 4, kit.REFILL), ts=now))
            records.append(kit.frame_bytes((2, 10 * i + 5, 70), ts=now - 2 * quarter))
        records.append(kit.tick_bytes(now + 1000))
    return records


async def run_to_end(disks: Any, config: Any, scythe: Any, pieces: int = 3) -> None:
    """Feed everything in runs of `pieces` records, with a checkpoint now and then, and stop cleanly."""
    time, failures = kit.Time(), []
    stores = kit.stores_over(disks, scythe)
    task = PartitionTask(0, stores, kit.LOGIC, config, time.clocks(), kit.Inline(), failures.append, lambda: None)
    try:
        at = await task.start()
        while at < len(disks.journal):
            await task.feed(stores.journal.read(0, at, pieces))
            at = task.offset
            time.now += 4.0
            for _ in range(6):
                await asyncio.sleep(0)
            if task._writer.done():
                break
    finally:
        task._alive = lambda: None
        await task.stop(checkpoint=True) if task._writer else None
    assert not failures


def attempt(disks: Any, config: Any, scythe: Any, pieces: int = 3) -> bool:
    """True if the run came to its end, False if it was killed."""
    try:
        asyncio.run(run_to_end(disks, config, scythe, pieces))
    except kit.Killed:
        return False
    return True


def outcome(disks: Any) -> dict[str, Any]:
    newest = disks.state["kept"][0]
    return {
        "rows": disks.ledger["rows"],
        "needs": disks.ledger["needs"],
        "offset": disks.ledger["offset"],
        "skipped": disks.ledger["skipped"],
        "buckets": disks.series["buckets"],
        "points": disks.series["points"],
        "state": (newest.offset, newest.time, newest.blocks),
    }


@pytest.fixture
def frequent(tmp_path: Path) -> WorkerConfig:
    return kit.config_in(
        tmp_path, checkpoint_pause=1.0, checkpoint_interval=20.0, series_interval=0.0, keep_journal_ms=1 << 50,
        most_decisions=1, show_rows=3,
    )  # fmt: skip


@pytest.fixture
def unharmed(frequent: Any) -> dict[str, Any]:
    disks = kit.Disks().add(*make_journal())
    assert attempt(disks, frequent, kit.Scythe())
    found = outcome(disks)
    assert found["needs"] == {(2, 1, 0), (4, 1, 0)}
    assert list(found["skipped"]) == [(19, 0)]
    assert any(kind == "late" for _, kind, _, _ in found["points"])
    assert any(kind == "refill" for _, kind, _, _ in found["points"])
    assert len(found["buckets"]) > 10
    return found


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_any_write_changes_nothing(frequent: Any, unharmed: Any, after: bool) -> None:
    counting = kit.Scythe()
    attempt(kit.Disks().add(*make_journal()), frequent, counting)
    assert {"ledger.claim", "ledger.apply", "ledger.skip", "series.write", "state.save"} <= set(counting.log)
    for at in range(counting.writes):
        disks = kit.Disks().add(*make_journal())
        assert not attempt(disks, frequent, kit.Scythe(at, after=after))
        assert attempt(disks, frequent, kit.Scythe())
        assert outcome(disks) == unharmed, f"killed at write {at}, {counting.log[at]}"
        assert disks.ledger["twice"] == []


def test_two_kills_in_a_row_change_nothing(frequent: Any, unharmed: Any) -> None:
    for first in range(3, 30, 4):
        for second in range(1, 12, 2):
            disks = kit.Disks().add(*make_journal())
            attempt(disks, frequent, kit.Scythe(first))
            attempt(disks, frequent, kit.Scythe(second, after=True))
            assert attempt(disks, frequent, kit.Scythe())
            assert outcome(disks) == unharmed, f"killed at {first} and {second}"


@pytest.mark.parametrize("pieces", [1, 2, 7, 100])
def test_runs_of_any_length_give_the_same(frequent: Any, unharmed: Any, pieces: int) -> None:
    disks = kit.Disks().add(*make_journal())
    assert attempt(disks, frequent, kit.Scythe(), pieces)
    assert outcome(disks) == unharmed


def test_a_record_out_of_turn_is_an_error(frequent: Any) -> None:
    disks = kit.Disks().add(*make_journal())

    async def skip_one() -> None:
        task = PartitionTask(
            0, kit.stores_over(disks), kit.LOGIC, frequent, kit.Time().clocks(), kit.Inline(), print, lambda: None
        )
        assert await task.start() == 0
        with pytest.raises(OffsetGap, match="partition 0: record 0 is next, but 1 came"):
            await task.feed(kit.FakeJournal(disks).read(0, 1))
        await task.stop(checkpoint=False)

    asyncio.run(skip_one())
