"""Role `clock`: writes ticks to all partitions. Nothing behind the journal asks any other clock.

A partition that received something gets a tick every 100 ms, an idle one every second. The clock goes on from each
partition's last tick, never back; after down-time it catches up with hourly ticks, and only then is it ready.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from journal.codec import decode, encode_tick
from models.records import Kind, Tick
from models.stores import Journal
from models.units import HOUR, MINUTE

log = structlog.get_logger()

BUSY_EVERY, IDLE_EVERY = 0.1, 1.0
JUMP, PERSIST = 5 * MINUTE, 60.0
CATCH_UP_BATCH = 512


def last_tick(journal: Journal, partition: int) -> int:
    """Time of the partition's last tick, ms; 0 if it never had one."""
    end, earliest = journal.end(partition), journal.earliest(partition)
    step = 256
    while end > earliest:
        start = max(earliest, end - step)
        for record in reversed(_records(journal, partition, start, end)):
            if record[0] == Kind.TICK:
                tick = decode(record)
                assert isinstance(tick, Tick)  # noqa: S101 - narrows the union by the kind byte just read
                return tick.time
        end = start
    return 0


def _records(journal: Journal, partition: int, start: int, end: int) -> list[bytes]:
    values: list[bytes] = []
    while start + len(values) < end:
        values += [r.value for r in journal.read(partition, start + len(values), end - start - len(values))]
    return values


@dataclass(slots=True)
class JumpGuard:
    """Domain time that refuses to jump ahead of boot time by more than five minutes unless the jump persists a minute.

    `at(wall, boot)` takes the system's time and CLOCK_BOOTTIME, both ms, and gives the time to use."""

    wall: int = 0
    boot: int = 0
    since: int | None = None

    def at(self, wall: int, boot: int) -> int:
        expected = self.wall + (boot - self.boot)
        if self.wall and wall - expected > JUMP:
            self.since = boot if self.since is None else self.since
            if boot - self.since < PERSIST * 1000:
                return expected
            log.error("clock.jumped", ahead_s=(wall - expected) // 1000, action="followed, for it persists")
        self.wall, self.boot, self.since = wall, boot, None
        return wall


@dataclass(slots=True)
class _Partition:
    number: int
    time: int
    end: int = -1
    due: float = 0.0
    heard: int = 0


@dataclass(slots=True)
class Ticker:
    """Ticks of all partitions. `listened()` gives the total ms for which gateways have accepted so far."""

    journal: Journal
    now: Callable[[], int]
    listened: Callable[[], int]
    partitions: list[_Partition] = field(init=False)

    def __post_init__(self) -> None:
        heard = self.listened()
        self.partitions = [
            _Partition(p, last_tick(self.journal, p), heard=heard) for p in range(self.journal.partitions)
        ]

    def catch_up(self) -> int:
        """Hourly ticks from each partition's last one to now; how many. Nobody listened meanwhile."""
        now, ticks = self.now(), 0
        for partition in self.partitions:
            start = partition.time
            while start and start + HOUR < now:
                times = range(start + HOUR, min(now, start + (CATCH_UP_BATCH + 1) * HOUR), HOUR)
                self.journal.append([(partition.number, encode_tick(Tick(t, 0))) for t in times])
                start = times[-1]
                ticks += len(times)
            partition.time = max(partition.time, start)
        self._tick(self.partitions, now, self.listened())
        return ticks

    def turn(self, monotonic: float) -> None:
        """Write the ticks that are due."""
        due = []
        for partition in self.partitions:
            busy = self.journal.end(partition.number) != partition.end
            if monotonic >= partition.due + (BUSY_EVERY if busy else IDLE_EVERY):
                partition.due = monotonic
                due.append(partition)
        if due:
            self._tick(due, self.now(), self.listened())

    def _tick(self, partitions: Sequence[_Partition], now: int, listened: int) -> None:
        later = [p for p in partitions if now > p.time]
        records = [(p.number, encode_tick(Tick(now, max(0, listened - p.heard)))) for p in later]
        offsets = self.journal.append(records) if records else []
        for partition, offset in zip(later, offsets, strict=True):
            partition.time, partition.end, partition.heard = now, offset + 1, listened
