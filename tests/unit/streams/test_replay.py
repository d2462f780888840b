"""`replay` recomputes a checkpoint from the one before and tells every difference."""

import asyncio
import pickle
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import pytest

from journal import codec
from models.effects import Effect
from models.facts import NeedFact, NeedState
from models.records import Tick
from streams.replay import NothingToReplay, Report, replay
from streams.worker.partition_task import PartitionTask
from streams.worker.ports import Blocks
from tests.support import worker as kit


def worked(folder: Path) -> kit.Disks:
    """A partition with two checkpoints, at 6 and 12."""
    disks = kit.Disks()

    async def work() -> None:
        stores, time = kit.stores_over(disks), kit.Time()
        config = kit.config_in(folder, checkpoint_readings=5, keep_journal_ms=1 << 50)
        task = PartitionTask(0, stores, kit.LOGIC, config, time.clocks(), kit.Inline(), print, lambda: None)
        await task.start()
        for i in range(6):
            level = kit.POISON if i == 4 else 5
            disks.add(kit.frame_bytes((i, i, level), (9, 100 + i, 50)), kit.tick_bytes(1_000_000 + i * 500_000))
            time.now += 6
            await task.feed(stores.journal.read(0, task.offset))
            for _ in range(12):
                await asyncio.sleep(0)
        await task.stop(checkpoint=True)

    asyncio.run(work())
    assert [c.offset for c in disks.state["kept"]] == [12, 6]
    return disks


def again(disks: kit.Disks, **more: Any) -> Report:
    stores = kit.stores_over(disks)
    return replay(stores.journal, stores.state, stores.decisions, 0, **({"logic": kit.LOGIC} | more))


class Showing(kit.FakeFold):
    """Shows all slots at every tick."""

    def _tick(self, tick: Tick) -> list[Effect]:
        return [*super()._tick(tick), *self.views()]

    @classmethod
    def restored(cls, _number: int, _time: int, blocks: Blocks) -> "Showing":
        fold = cls()
        fold.restore(blocks)
        return fold


def test_the_same_journal_gives_the_same_bits(tmp_path: Path) -> None:
    disks = worked(tmp_path)
    report = again(disks)
    assert report == Report(0, 6, 12, 6, 6, ["state", "needs"], [])
    disks.state["kept"].pop()
    whole = again(disks)  # from the beginning, with the poison reading left out
    assert whole == Report(0, 0, 12, 12, 12, ["state", "needs"], [])


def test_differences_are_told(tmp_path: Path) -> None:
    disks = worked(tmp_path)
    newest = disks.state["kept"][0]
    state = pickle.loads(newest.blocks[0][1])  # noqa: S301  our own bytes
    state["total"] += 1
    disks.state["kept"][0] = changed(newest, blocks=(("fake", pickle.dumps(state)), newest.blocks[1]))
    disks.ledger["needs"] ^= {(0, 1, 0), (77, 1, 0)}
    first, *rest = again(disks).differences
    assert first.startswith("block fake: ")
    assert rest == ["need 0/1/0: open in the replay only", "need 77/1/0: open in the ledger only"]


def test_a_need_whose_end_is_on_its_way_is_no_difference(tmp_path: Path) -> None:
    disks = worked(tmp_path)
    open_in_state = kit.restored(0, 0, disks.state["kept"][0].blocks[:1]).open_needs()
    disks.ledger["needs"] -= open_in_state
    assert open_in_state
    assert len(again(disks).differences) == len(open_in_state)
    assert again(disks, untold=open_in_state).differences == []
    for slot, cycle, attempt in open_in_state:
        fact = NeedFact(version=1, slot=slot, cycle=cycle, attempt=attempt, state=NeedState.MET)
        disks.add(codec.encode_fact(fact))
    assert again(disks).differences == []


def test_views_are_compared_where_the_ledger_is_at_the_checkpoint(tmp_path: Path) -> None:
    disks = worked(tmp_path)
    fold = Showing()
    fold.restore(disks.state["kept"][0].blocks[:1])
    views = {view.slot: view for view in fold.views()}
    logic = changed(kit.LOGIC, new=lambda _: Showing(), restore=Showing.restored)
    assert again(disks, views=lambda _: views, offset=lambda _: 12, logic=logic).compared == ["state", "needs", "views"]
    views[9] = changed(views[9], level=3.5)
    del views[1]
    report = again(disks, views=lambda _: views, offset=lambda _: 12, logic=logic)
    assert report.differences == [
        "slot 1: no view in the ledger",
        "slot 9: level is 6.0 in the replay, 3.5 in the ledger",
    ]
    assert again(disks, views=lambda _: views, offset=lambda _: 13, logic=logic).compared == ["state"]


def test_what_cannot_be_replayed_is_said(tmp_path: Path) -> None:
    with pytest.raises(NothingToReplay, match="no checkpoint yet"):
        again(kit.Disks())
    disks = worked(tmp_path)
    disks.earliest = 11
    with pytest.raises(NothingToReplay, match="starts at 6, but the journal begins at 11"):
        again(disks)
    disks.state["kept"][0] = changed(disks.state["kept"][0], logic="logic-0")
    disks.earliest = 0
    with pytest.raises(NothingToReplay, match="logic-0, logic-1"):
        again(disks)
