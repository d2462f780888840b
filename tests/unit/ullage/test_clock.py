from collections.abc import Sequence

import pytest

from models.records import Tick
from models.stores import Record
from models.units import DAY, HOUR, MINUTE
from ullage.clock import JumpGuard, Ticker, last_tick

codec = pytest.importorskip("journal.codec")


class FakeJournal:
    """A journal in memory, as models.stores.Journal says."""

    id = "fake"
    partitions = 2

    def __init__(self) -> None:
        self.records: list[list[bytes]] = [[], []]

    def append(self, records: Sequence[tuple[int, bytes]]) -> list[int]:
        offsets = []
        for partition, value in records:
            self.records[partition].append(value)
            offsets.append(len(self.records[partition]) - 1)
        return offsets

    def read(self, partition: int, offset: int, limit: int = 1000, max_bytes: int = 4 << 20) -> list[Record]:
        return [Record(offset + i, v) for i, v in enumerate(self.records[partition][offset : offset + limit])]

    def earliest(self, partition: int) -> int:
        return 0

    def end(self, partition: int) -> int:
        return len(self.records[partition])

    def truncate(self, partition: int, before: int) -> int:
        return 0

    def close(self) -> None: ...


class Hands:
    """A clock that the test turns."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.listened = 0


def ticker(journal: FakeJournal, hands: Hands) -> Ticker:
    return Ticker(journal, lambda: hands.now, lambda: hands.listened)


def times(journal: FakeJournal, partition: int) -> list[int]:
    return [record.time for record in map(codec.decode, journal.records[partition]) if isinstance(record, Tick)]


def test_an_idle_partition_gets_a_tick_every_second_a_busy_one_every_tenth():
    journal, hands = FakeJournal(), Hands(1_000_000)
    clock = ticker(journal, hands)
    clock.catch_up()
    for turn in range(1, 21):
        hands.now += 100
        journal.append([(0, codec.encode_tick(Tick(0, 0)))])  # something arrives in partition 0
        clock.turn(100 + turn * 0.1)
    assert len([t for t in times(journal, 0) if t > 1_000_000]) >= 19
    assert 2 <= len([t for t in times(journal, 1) if t > 1_000_000]) <= 3


def test_a_day_of_down_time_is_caught_up_by_the_hour():
    journal, hands = FakeJournal(), Hands(10 * DAY)
    ticker(journal, hands).catch_up()
    hands.now += DAY
    ticks = ticker(journal, hands).catch_up()
    assert ticks == 2 * 23
    assert times(journal, 0)[1:] == [10 * DAY + h * HOUR for h in range(1, 25)]


def test_the_clock_never_goes_back():
    journal, hands = FakeJournal(), Hands(10 * DAY)
    clock = ticker(journal, hands)
    clock.catch_up()
    hands.now -= HOUR
    clock.turn(1e6)
    assert times(journal, 0) == [10 * DAY]


def test_listening_time_is_counted_once_per_partition():
    journal, hands = FakeJournal(), Hands(10 * DAY)
    clock = ticker(journal, hands)
    clock.catch_up()
    hands.now, hands.listened = hands.now + 5000, 4000
    clock.turn(1e6)
    hands.now += 5000
    clock.turn(2e6)
    ticks = [record for record in map(codec.decode, journal.records[1]) if isinstance(record, Tick)]
    assert [t.listening for t in ticks] == [0, 4000, 0]


def test_the_last_tick_is_found_behind_many_other_records():
    journal = FakeJournal()
    journal.append([(0, codec.encode_tick(Tick(7 * DAY, 0)))])
    journal.records[0] += [b"\x05\x01"] * 1000
    assert last_tick(journal, 0) == 7 * DAY
    assert last_tick(journal, 1) == 0


def test_a_jump_ahead_is_followed_only_when_it_persists():
    guard = JumpGuard()
    assert guard.at(1000, 0) == 1000
    assert guard.at(1000 + DAY, 1000) == 2000  # a jump of a day: refused
    assert guard.at(3000, 2000) == 3000  # it was a glitch
    assert guard.at(4000 + 10 * MINUTE, 3000) == 4000
    assert guard.at(4000 + 10 * MINUTE + 61_000, 64_000) == 4000 + 10 * MINUTE + 61_000
