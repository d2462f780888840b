"""Copies of files that others write to."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from models.stores import StoreError
from sqlitefile import snapshot
from sqlitefile.connection import connect, make_wal
from sqlitefile.snapshot import Snapshot, frozen

ROWS = 2_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.db"
    with closing(connect(path)) as made:
        make_wal(made, 4096)
        made.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT)")
        made.executemany("INSERT INTO t VALUES (?, ?)", ((n, "x" * 500) for n in range(ROWS)))
    return path


def count(path: Path) -> int:
    with closing(frozen(path)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return int(copy.execute("SELECT count(*) FROM t").fetchone()[0])


def test_a_copy_is_of_one_moment_however_much_is_written_meanwhile(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every step somebody commits: SQLite's own backup would begin anew each time and never end."""
    monkeypatch.setattr(snapshot, "STEP", 16 << 10)
    done: list[int] = []
    with closing(connect(file)) as writer, Snapshot(file) as taken:
        whole = taken.size()

        def write(here: int, of: int) -> None:
            assert of == whole
            done.append(here)
            writer.execute("INSERT INTO t (text) VALUES ('later')")

        taken.copy(tmp_path / "copy.db", write)
        assert writer.execute("SELECT count(*) FROM t").fetchone()[0] == ROWS + len(done)
    assert count(tmp_path / "copy.db") == ROWS
    assert done == sorted(set(done))  # it never began anew
    assert len(done) > 50
    assert done[-1] == whole


def test_the_moment_is_when_it_was_taken_not_when_it_is_copied(file: Path, tmp_path: Path) -> None:
    with closing(connect(file)) as writer, Snapshot(file) as taken:
        writer.execute("DELETE FROM t WHERE n > 0")
        writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
        taken.copy(tmp_path / "copy.db", lambda _done, _all: None)
    assert count(tmp_path / "copy.db") == ROWS
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith("copy")) == ["copy.db"]  # one file, no log


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    for look in (Snapshot, frozen):
        with pytest.raises(StoreError, match="there is no such file"):
            look(tmp_path / "nothing.db")
    assert not list(tmp_path.iterdir())


def test_a_frozen_file_is_only_read_and_nothing_appears_beside_it(file: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    with closing(frozen(file)) as copy:
        assert copy.execute("SELECT count(*) FROM t").fetchone()[0] == ROWS
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            copy.execute("DELETE FROM t")
    assert sorted(tmp_path.iterdir()) == before
