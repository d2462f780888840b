import asyncio
from pathlib import Path

from journal.codec import encode_tick
from journal.sqlite import SqliteJournal
from models.records import Tick
from models.units import HOUR
from ullage.role import Role
from ullage.roles.gateway import clock_caught_up
from ullage.settings import load

NOW = 1_795_000_000_000


class SlowClock(SqliteJournal):
    """A clock catches up after down-time while somebody looks: an hour a look."""

    looks = 0

    def end(self, partition: int) -> int:
        self.looks += 1
        self.append([(0, encode_tick(Tick(NOW - (6 - self.looks) * HOUR, 0)))])
        return super().end(partition)


def role(tmp_path: Path) -> Role:
    return Role("gateway", load({"data": str(tmp_path)}, environ={}), lambda: NOW, simulated=False, speed=1.0)


def test_a_gateway_accepts_nothing_before_the_clock_has_caught_up(tmp_path: Path) -> None:
    journal = SlowClock(tmp_path / "journal.db", partitions=1)
    asyncio.run(asyncio.wait_for(clock_caught_up(role(tmp_path), journal), 20))
    assert journal.looks == 6
    journal.close()


def test_a_gateway_that_waits_for_the_clock_stops_when_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        waits = role(tmp_path)
        waiting = asyncio.create_task(clock_caught_up(waits, journal))
        await asyncio.sleep(0)  # it has begun
        assert not waiting.done()
        waits.stop.set()
        await asyncio.wait_for(waiting, 20)

    journal = SqliteJournal(tmp_path / "journal.db", partitions=1)
    asyncio.run(scenario())
    journal.close()
