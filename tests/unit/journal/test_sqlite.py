"""What is special about the journal in a SQLite file: several processes, full disks, damage, a bounded log."""

import asyncio
import multiprocessing
import resource
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from journal import sqlite as backend
from journal.follow import Follower
from journal.open import open_journal
from journal.sqlite import SqliteJournal, Truncated
from models.stores import StoreError, Unavailable
from models.urls import BadAddress
from sqlitefile.connection import Damaged
from sqlitefile.format import OtherFile, OtherVersion
from sqlitefile.writer_lock import WriterLock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    with closing(SqliteJournal(path, partitions=2)) as opened:
        yield opened


def append_many(path: Path, name: str, commits: int) -> None:
    with closing(SqliteJournal(path)) as journal:
        for i in range(commits):
            journal.append([(0, f"{name} {i} {part}".encode()) for part in range(3)])


def test_offsets_have_no_gap_between_processes(path: Path) -> None:
    SqliteJournal(path, partitions=1).close()
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=append_many, args=(path, str(n), 60)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    with closing(SqliteJournal(path)) as journal:
        records = journal.read(0, 0, limit=1000)
        assert [r.offset for r in records] == list(range(540))
        said = [tuple(map(int, r.value.split())) for r in records]
        assert sorted(said) == [(n, i, part) for n in range(3) for i in range(60) for part in range(3)]
        for n in range(3):  # one commit's records are neighbours, in order, and so are one writer's commits
            assert [s for s in said if s[0] == n] == [(n, i, part) for i in range(60) for part in range(3)]
        assert all(said[i][:2] == said[i + 2][:2] for i in range(0, 540, 3))


def test_threads_share_one_journal(journal: SqliteJournal) -> None:
    offsets: list[int] = []

    def work() -> None:
        for _ in range(20):
            offsets.extend(journal.append([(1, b"x"), (1, b"y")]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(offsets) == list(range(160))


def test_processes_that_create_it_at_once_get_one_journal(path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(3) as pool:
        assert len(set(pool.map(_id_of, [path] * 6, chunksize=1))) == 1


def _id_of(path: Path) -> str:
    with closing(SqliteJournal(path)) as journal:
        return journal.id


def test_a_locked_file_is_unavailable_and_usable_afterwards(
    journal: SqliteJournal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sqlitefile.patience.PATIENCE_S", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked; nothing was written"):
            journal.append([(0, b"a")])
        assert journal.read(0, 0) == []
        other.execute("ROLLBACK")
    assert journal.append([(0, b"b")]) == [0]


def test_a_short_lock_is_waited_for(journal: SqliteJournal, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.1, lambda: other.execute("ROLLBACK"))
        timer.start()
        assert journal.append([(0, b"a")]) == [0]
        timer.join()


def test_commits_of_processes_exclude_each_other(
    journal: SqliteJournal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sqlitefile.patience.PATIENCE_S", 0.05)
    with closing(WriterLock(path)) as other:
        with other, pytest.raises(Unavailable, match="another process writes"):
            journal.append([(0, b"a")])
        assert journal.append([(0, b"b")]) == [0]


def test_a_full_disk_is_unavailable_and_nothing_was_appended(journal: SqliteJournal) -> None:
    journal.append([(0, b"a")])
    pages = journal._writer.execute("PRAGMA page_count").fetchone()[0]
    journal._writer.execute(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(Unavailable, match="full"):
        journal.append([(0, b"b"), (1, bytes(100_000))])
    assert (journal.end(0), journal.end(1)) == (1, 0)
    journal._writer.execute("PRAGMA max_page_count=1000000")
    assert journal.append([(0, b"b"), (1, bytes(100_000))]) == [1, 0]


FULL = """
import resource, signal, sys
from pathlib import Path
from journal.sqlite import SqliteJournal
from models.stores import Unavailable
journal = SqliteJournal(Path(sys.argv[1]), partitions=1)
journal.append([(0, b"a")])
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, resource.RLIM_INFINITY))
failed = 0
for _ in range(3):
    try:
        journal.append([(0, bytes(200_000))])
    except Unavailable:
        failed += 1
assert journal.end(0) == 1, journal.end(0)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert journal.append([(0, b"b")]) == [1]
assert [r.value for r in journal.read(0, 0)] == [b"a", b"b"]
journal.close()
print(failed)
"""


def test_a_failing_write_is_unavailable_and_nothing_was_appended(path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    ran = subprocess.run(  # our own program
        [sys.executable, "-W", "error", "-c", FULL, str(path)], capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == "3", ran.stderr
    with closing(SqliteJournal(path)) as journal:
        assert [r.value for r in journal.read(0, 0)] == [b"a", b"b"]


@pytest.mark.parametrize("reading", ["paging", "one long read"])
def test_the_log_stays_bounded_under_a_reader(path: Path, monkeypatch: pytest.MonkeyPatch, reading: str) -> None:
    """A reader that pages all the time does not let it grow; after one that sits on a snapshot it is cut again."""
    monkeypatch.setattr(backend, "WAL_MOST", 4 << 20)
    monkeypatch.setattr(backend, "WAL_PAGES", 100)
    stop = threading.Event()
    with closing(SqliteJournal(path, partitions=1)) as journal, closing(SqliteJournal(path)) as other:

        def page() -> None:
            at = 0
            while not stop.is_set():
                at = (other.read(0, at, limit=50) or [None])[-1].offset + 1 if at < other.end(0) else 0

        reader = threading.Thread(target=page)
        snapshot = sqlite3.connect(path, isolation_level=None)
        if reading == "paging":
            reader.start()
        else:
            snapshot.execute("BEGIN")
            snapshot.execute("SELECT count(*) FROM record").fetchone()
        largest = 0
        for i in range(100):
            journal.append([(0, bytes(300_000))])  # 30 MB in all
            largest = max(largest, journal.wal_bytes())
            if i == 50 and reading != "paging":
                assert largest > 10 << 20
                snapshot.execute("ROLLBACK")
                time.sleep(backend.CUT_EVERY_S + 0.01)  # cuts are tried at most so often
        stop.set()
        if reading == "paging":
            reader.join()
            assert largest < 20 << 20  # of 30
        journal.append([(0, b"x")])
        assert journal.wal_bytes() < 8 << 20
        snapshot.close()


def test_another_programs_file_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE theirs (a)")
    before = path.read_bytes()
    with pytest.raises(OtherFile, match="no journal of Ullage: use another path"):
        SqliteJournal(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_named(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(Damaged, match="damaged or no SQLite file"):
        SqliteJournal(path)


def test_another_version_is_named(path: Path) -> None:
    SqliteJournal(path).close()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("PRAGMA user_version=9")
    with pytest.raises(OtherVersion, match="journal of version 9; this program uses version 1"):
        SqliteJournal(path)


def test_a_damaged_page_is_found_at_the_start(path: Path) -> None:
    with closing(SqliteJournal(path, partitions=1)) as journal:
        journal.append([(0, bytes(2000)) for _ in range(200)])
    with path.open("r+b") as file:
        file.seek(backend.PAGE * 10)
        file.write(b"\xff" * backend.PAGE)
    with pytest.raises(Damaged, match="restore it from a backup"):
        SqliteJournal(path)


def test_a_missing_record_is_an_error_never_skipped(journal: SqliteJournal, path: Path) -> None:
    journal.append([(0, b"%d" % i) for i in range(5)])
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DELETE FROM record WHERE key = 2")
    with pytest.raises(Damaged, match="gap after offset 0"):
        journal.read(0, 0)
    with pytest.raises(Damaged, match="offset 2 of partition 0 is missing"):
        journal.read(0, 2)


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "journal.db").mkdir()
    with pytest.raises(Unavailable):
        SqliteJournal(tmp_path / "journal.db")


def test_records_are_found_by_append_time(journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    for now in (100, 200, 200, 300):
        monkeypatch.setattr(backend, "_now", lambda now=now: now)
        journal.append([(1, b"x")])
    assert [journal.offset_at(1, at) for at in (0, 100, 101, 200, 201, 300, 301)] == [0, 0, 1, 1, 3, 3, 4]
    journal.truncate(1, 2)
    assert [journal.offset_at(1, at) for at in (0, 300, 301)] == [2, 3, 4]
    assert journal.offset_at(0, 5) == 0


def test_truncation_frees_space_for_new_records(journal: SqliteJournal) -> None:
    journal.append([(0, bytes(10_000)) for _ in range(100)])
    full = journal.size_bytes() - journal.wal_bytes()
    assert full > 1_000_000
    assert journal.truncate(0, 90) == 90
    with pytest.raises(Truncated, match="the earliest is 90"):
        journal.read(0, 0)
    assert journal.size_bytes() - journal.wal_bytes() < full - 800_000
    assert journal.read(0, 90, limit=1)[0].offset == 90


def test_a_follower_sees_other_connections_within_milliseconds(journal: SqliteJournal, path: Path) -> None:
    async def follow() -> float:
        with closing(Follower(path)) as follower:
            assert follower.changed()
            assert not follower.changed()
            assert not await follower.wait(0.02)
            appended: list[float] = []

            def append() -> None:
                journal.append([(0, b"x")])
                appended.append(time.monotonic())

            waiting = asyncio.create_task(follower.wait(5))
            await asyncio.sleep(0.01)
            await asyncio.to_thread(append)
            assert await waiting
            return time.monotonic() - appended[0]

    assert sorted(asyncio.run(follow()) for _ in range(5))[2] < 0.03


@pytest.mark.parametrize("url", ["journal.db", "sqlite://", "sqlite:///", "sqlite://host/x.db", "mysql:///x"])
def test_a_bad_address_is_named(url: str) -> None:
    with pytest.raises(BadAddress, match=r"use |known: sqlite"):
        open_journal(url)


def test_a_partition_count_out_of_bounds_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match=r"use 1\.\.4096"):
        SqliteJournal(path, partitions=0)


def test_a_closed_journal_says_so(path: Path) -> None:
    journal = SqliteJournal(path)
    journal.close()
    with pytest.raises(StoreError, match="closed"):
        journal.append([(0, b"x")])
