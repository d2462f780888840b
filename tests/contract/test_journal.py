"""What every journal must do, whatever it is made of."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from journal.open import open_journal
from models.stores import Journal, Record, StoreError

Open = Callable[[], Journal]


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/journal.db"


@pytest.fixture(params=[sqlite_url])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(request.param(tmp_path))


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    opened = open_journal(url, partitions=3)
    yield opened
    opened.close()


def test_a_new_journal_is_empty(journal: Journal) -> None:
    assert journal.partitions == 3
    assert len(journal.id) >= 16
    assert [(journal.earliest(p), journal.end(p), journal.read(p, 0)) for p in range(3)] == [(0, 0, [])] * 3


def test_offsets_count_per_partition(journal: Journal) -> None:
    assert journal.append([(0, b"a"), (2, b"b"), (0, b"c")]) == [0, 0, 1]
    assert journal.append([(2, b"d"), (0, b"e")]) == [1, 2]
    assert journal.append([]) == []
    assert journal.read(0, 0) == [Record(0, b"a"), Record(1, b"c"), Record(2, b"e")]
    assert journal.read(2, 1) == [Record(1, b"d")]
    assert [journal.end(p) for p in range(3)] == [3, 0, 2]


def test_a_read_is_bounded_but_never_empty_before_the_end(journal: Journal) -> None:
    journal.append([(1, bytes([i]) * 1000) for i in range(10)])
    assert [r.offset for r in journal.read(1, 3, limit=4)] == [3, 4, 5, 6]
    assert [r.offset for r in journal.read(1, 0, max_bytes=2500)] == [0, 1]
    assert [r.offset for r in journal.read(1, 9, max_bytes=1)] == [9]
    assert journal.read(1, 10) == []


def test_it_is_the_same_after_opening_again(url: str) -> None:
    first = open_journal(url, partitions=2)
    first.append([(1, b"x")])
    name = first.id
    first.close()
    again = open_journal(url, partitions=5)
    assert (again.id, again.partitions, again.read(1, 0)) == (name, 2, [Record(0, b"x")])
    again.close()


def test_truncated_records_are_gone_and_offsets_go_on(journal: Journal) -> None:
    journal.append([(0, b"%d" % i) for i in range(5)])
    assert journal.truncate(0, 3) == 3
    assert journal.truncate(0, 2) == 0
    assert (journal.earliest(0), journal.end(0)) == (3, 5)
    with pytest.raises(StoreError, match="earliest is 3"):
        journal.read(0, 2)
    assert [r.offset for r in journal.read(0, 3)] == [3, 4]
    assert journal.truncate(0, 99) == 2
    assert (journal.earliest(0), journal.end(0), journal.read(0, 5)) == (5, 5, [])
    assert journal.append([(0, b"on")]) == [5]


def test_an_emptied_partition_knows_its_end_after_opening_again(url: str) -> None:
    first = open_journal(url, partitions=1)
    first.append([(0, b"a"), (0, b"b")])
    first.truncate(0, 2)
    first.close()
    again = open_journal(url)
    assert (again.earliest(0), again.end(0), again.append([(0, b"c")])) == (2, 2, [2])
    again.close()


def test_an_unknown_partition_is_refused(journal: Journal) -> None:
    with pytest.raises(StoreError, match="partitions"):
        journal.append([(0, b"a"), (3, b"b")])
    assert journal.end(0) == 0
    with pytest.raises(StoreError, match="partitions"):
        journal.read(-1, 0)
