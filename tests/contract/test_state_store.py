"""What every state store must do, whatever it is made of."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from models.stores import Checkpoint, Fenced, StateStore, StoreError, Unavailable
from streams.state.open import open_state
from streams.state.sqlite import SqliteStateStore


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/state.db"


@pytest.fixture(params=[sqlite_url])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(request.param(tmp_path))


@pytest.fixture
def store(url: str) -> Iterator[StateStore]:
    opened = open_state(url)
    yield opened
    opened.close()  # type: ignore[attr-defined]  # every store that holds a connection has it


def checkpoint(offset: int, epoch: int = 1, size: int = 10) -> Checkpoint:
    blocks = (("rows", bytes([offset % 256]) * size), ("empty", b""), ("index", b"i%d" % offset))
    return Checkpoint("j1", epoch, offset, offset * 1000, "logic-1", blocks)


def test_an_unknown_partition_has_no_checkpoint(store: StateStore) -> None:
    assert store.load(0) == []


def test_the_two_newest_are_kept_newest_first(store: StateStore) -> None:
    store.claim(3, 1)
    for offset in (10, 20, 30):
        store.save(3, checkpoint(offset))
    assert store.load(3) == [checkpoint(30), checkpoint(20)]
    assert store.load(3, most=1) == [checkpoint(30)]
    assert store.load(3, skip=1) == [checkpoint(20)]
    assert store.load(3, skip=2) == []


def test_partitions_are_apart(store: StateStore) -> None:
    for partition in (0, 1):
        store.claim(partition, 1)
        store.save(partition, checkpoint(partition))
    assert [store.load(p) for p in (0, 1)] == [[checkpoint(0)], [checkpoint(1)]]


def test_blocks_of_many_megabytes_come_back(store: StateStore) -> None:
    store.claim(0, 1)
    large = checkpoint(7, size=(9 << 20) + 1)
    store.save(0, large)
    assert store.load(0) == [large]


def test_it_is_the_same_after_opening_again(url: str) -> None:
    for number in (1, 2):
        with closing(open_state(url)) as store:  # type: ignore[type-var]  # as above
            store.claim(0, number)
            store.save(0, checkpoint(number, epoch=number))
    with closing(open_state(url)) as store:  # type: ignore[type-var]  # as above
        assert [c.offset for c in store.load(0)] == [2, 1]


def test_an_older_epoch_is_fenced(url: str) -> None:
    with closing(open_state(url)) as old, closing(open_state(url)) as new:  # type: ignore[type-var]  # as above
        old.claim(0, 4)
        old.save(0, checkpoint(1, epoch=4))
        new.claim(0, 5)
        with pytest.raises(Fenced, match="epoch 4 was not written"):
            old.save(0, checkpoint(2, epoch=4))
        with pytest.raises(Fenced, match="belongs to epoch 5"):
            old.claim(0, 4)
        new.claim(0, 5)
        new.save(0, checkpoint(2, epoch=5))
        assert [c.epoch for c in new.load(0)] == [5, 4]


def test_nothing_is_saved_without_a_claim(store: StateStore) -> None:
    with pytest.raises(Fenced):
        store.save(0, checkpoint(1))
    assert store.load(0) == []


def test_a_damaged_block_is_named_and_the_older_checkpoint_can_be_read(tmp_path: Path) -> None:
    with closing(SqliteStateStore(tmp_path / "state.db")) as store:
        store.claim(0, 1)
        store.save(0, checkpoint(1))
        store.save(0, checkpoint(2))
        with closing(sqlite3.connect(tmp_path / "state.db")) as other, other:
            other.execute("UPDATE part SET value = x'00' WHERE number = 2 AND place = 2")
        with pytest.raises(StoreError, match=r"block 'index' of checkpoint 2 of partition 0 \(offset 2\) is damaged"):
            store.load(0)
        assert store.load(0, most=1, skip=1) == [checkpoint(1)]


def test_a_locked_file_is_unavailable_and_keeps_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlitefile.patience.PATIENCE_S", 0.02)
    with (
        closing(SqliteStateStore(tmp_path / "state.db")) as store,
        closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other,
    ):
        store.claim(0, 1)
        store.save(0, checkpoint(1))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="nothing was written"):
            store.save(0, checkpoint(2))
        other.execute("ROLLBACK")
        assert store.load(0) == [checkpoint(1)]
        store.save(0, checkpoint(2))
        assert store.load(0) == [checkpoint(2), checkpoint(1)]
