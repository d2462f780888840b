"""Consecutive records are cut into bounded runs, and nothing is lost between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.stores import Record
from streams.transport import run
from streams.transport.positions import PositionLost, checked
from streams.transport.run import MOST_BYTES, MOST_RECORDS, Run, runs_of


@given(st.integers(0, 1 << 40), st.lists(st.integers(0, 400_000), max_size=40))
def test_runs_hold_all_records_in_order_and_are_bounded(first: int, sizes: list[int]) -> None:
    records = [Record(first + i, bytes(size)) for i, size in enumerate(sizes)]
    runs = runs_of(records)
    assert [record for r in runs for record in r.records] == records
    for r in runs:
        assert len(r) == 1 or sum(map(len, r.values)) <= MOST_BYTES
        assert r.end == r.first_offset + len(r)


def test_many_small_records_are_cut_by_number() -> None:
    records = [Record(5 + i, b"x") for i in range(2 * MOST_RECORDS + 1)]
    assert [(r.first_offset, len(r)) for r in runs_of(records)] == [(5, 256), (261, 256), (517, 1)]
    assert runs_of([]) == []
    assert runs_of(records[:1]) == [Run(5, (b"x",))]
    assert run.MOST_RECORDS == 256


@pytest.mark.parametrize("position", [3, 5, 7])
def test_a_position_inside_of_the_journal_is_taken(position: int) -> None:
    assert checked(0, position, 3, 7) == position


@pytest.mark.parametrize(("position", "says"), [(2, "begins at 3"), (8, "ends at 7")])
def test_a_position_outside_of_the_journal_is_refused(position: int, says: str) -> None:
    with pytest.raises(PositionLost, match=says):
        checked(0, position, 3, 7)
