"""What every journal must do, whatever it is made of."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from journal.open import open_journal
from models.stores import Journal, Record, StoreError


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


APPENDER = """
import sys
from journal.open import open_journal
journal = open_journal(sys.argv[1])
number = 0
while True:
    offsets = journal.append([(0, b"%d" % number), (1, b"%d" % number)])
    sys.stdout.write(f"{offsets[0]} {offsets[1]} {number}\\n")
    sys.stdout.flush()
    number += 1
"""


def test_what_was_answered_survives_a_kill(url: str) -> None:
    open_journal(url, partitions=2).close()
    answered: dict[tuple[int, int], bytes] = {}
    for kill_after in (1, 7, 40):
        process = subprocess.Popen(  # our own program
            [sys.executable, "-c", APPENDER, url], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        for _ in range(kill_after):
            first, second, number = map(int, process.stdout.readline().split())
            answered[0, first] = answered[1, second] = b"%d" % number
        process.kill()
        for line in process.stdout.read().splitlines():
            if len(line.split()) == 3:
                first, second, number = map(int, line.split())
                answered[0, first] = answered[1, second] = b"%d" % number
        process.wait()
        process.stdout.close()
    with closing(open_journal(url)) as journal:
        there = {(p, r.offset): r.value for p in (0, 1) for r in journal.read(p, 0, limit=10_000)}
        assert answered.items() <= there.items()
        assert journal.end(0) == journal.end(1)  # one commit is whole or not at all
        assert len(there) - len(answered) <= 2 * 3  # at most one commit per kill was not answered
        assert sorted(there) == [(p, o) for p in (0, 1) for o in range(journal.end(0))]


class Log(RuleBasedStateMachine):
    """Any order of appends, truncations and reopenings agrees with lists in memory."""

    url = ""
    made: Callable[[Path], str]

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.url = type(self).made(Path(self.folder.name))
        self.journal = open_journal(self.url, partitions=2)
        self.values: list[list[bytes]] = [[], []]
        self.floor = [0, 0]

    @rule(records=st.lists(st.tuples(st.integers(0, 1), st.binary(max_size=40)), max_size=6))
    def append(self, records: list[tuple[int, bytes]]) -> None:
        expected = []
        for partition, value in records:
            expected.append(len(self.values[partition]))
            self.values[partition].append(value)
        assert self.journal.append(records) == expected

    @rule(partition=st.integers(0, 1), before=st.integers(0, 30))
    def truncate(self, partition: int, before: int) -> None:
        floor = max(self.floor[partition], min(before, len(self.values[partition])))
        assert self.journal.truncate(partition, before) == floor - self.floor[partition]
        self.floor[partition] = floor

    @rule()
    def reopen(self) -> None:
        self.journal.close()
        self.journal = open_journal(self.url)

    @rule(partition=st.integers(0, 1), offset=st.integers(0, 30), limit=st.integers(1, 10))
    def read(self, partition: int, offset: int, limit: int) -> None:
        if offset < self.floor[partition]:
            with pytest.raises(StoreError, match="dropped"):
                self.journal.read(partition, offset, limit)
            return
        values = self.values[partition][offset : offset + limit]
        assert self.journal.read(partition, offset, limit) == [Record(offset + i, v) for i, v in enumerate(values)]

    @invariant()
    def ends(self) -> None:
        if self.url:
            assert [self.journal.earliest(p) for p in (0, 1)] == self.floor
            assert [self.journal.end(p) for p in (0, 1)] == [len(v) for v in self.values]

    def teardown(self) -> None:
        if self.url:
            self.journal.close()
            self.folder.cleanup()


@pytest.mark.parametrize("made", [sqlite_url])
def test_any_order_of_calls_agrees_with_lists(made: Callable[[Path], str]) -> None:
    machine = type("Machine", (Log,), {"made": staticmethod(made)})
    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=20, deadline=None))
