"""A long batch is written in short transactions, cut between records."""

from typing import Any

from models.effects import Alert
from models.stores import Record
from streams.worker.batching import Batch, Origin
from streams.worker.pieces import pieces
from tests.support import worker as kit


def batch_of(*decided: tuple[int, int, bytes]) -> Batch:
    """Of (offset, how many needs, bytes); the batch ends at record 90 and at time 900."""
    batch = Batch(0, 0, 0)
    slot = 0
    for offset, many, value in decided:
        batch.take([kit.need(slot := slot + 1) for _ in range(many)], [Record(offset, value)])
    batch.through, batch.now = 90, 900
    return batch


def cut(batch: Batch, most: int) -> list[tuple[int, int, list[Any]]]:
    """Of each piece: through, time, slots."""
    return [(p.through, p.now, [need.slot for need in p.decisions]) for p in pieces(batch, most, 5)]


def test_a_short_one_stays_whole() -> None:
    batch = batch_of((3, 2, kit.tick_bytes(100)), (4, 2, kit.tick_bytes(200)))
    assert list(pieces(batch, 4, 5)) == [batch]
    assert list(pieces(Batch(0, 7, 8), 4, 5)) == [Batch(0, 7, 8)]


def test_a_long_one_is_cut_between_records_and_each_piece_has_its_time() -> None:
    frame = kit.frame_bytes((1, 1, 50))
    batch = batch_of(
        (3, 1, frame), (4, 2, kit.tick_bytes(100)), (5, 1, frame), (6, 4, kit.tick_bytes(200)), (8, 1, frame)
    )
    assert cut(batch, 3) == [(5, 100, [1, 2, 3]), (6, 100, [4]), (7, 200, [5, 6, 7, 8]), (90, 900, [9])]
    last = list(pieces(batch, 3, 5))[-1]
    assert last.origins == [Origin(0, [Record(8, frame)])]


def test_nothing_is_cut_within_a_record_or_behind_what_has_none() -> None:
    frame = kit.frame_bytes((1, 1, 50), (2, 2, 50))
    assert cut(batch_of((3, 2, frame), (3, 2, frame), (4, 2, frame)), 2) == [(4, 5, [1, 2, 3, 4]), (90, 900, [5, 6])]
    repairs = Batch(0, 90, 900)
    repairs.take([Alert("need_unknown", "slot/1", 0, 1, "x")], ())
    repairs.take([kit.need(1)], [Record(4, frame)])
    assert list(pieces(repairs, 1, 5)) == [repairs]
