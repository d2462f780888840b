"""What is old goes, by domain time, and as often as it is worth."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger import events
from ledger.engine import Ledger
from ledger.migrate import upgrade
from ledger.scope import Scope
from models.stores import Bucket, Point, Series
from models.units import DAY
from ullage import compose
from ullage.chores import EVENTS_KEPT, SERIES_EVERY_S, Chores
from ullage.settings import load

NOW = 1_795_000_000_000
KEPT = 30 * DAY
ALWAYS = (0, 1 << 50)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(compose.ledger_of(load({"data": str(tmp_path)}, environ={}))) as opened:
        upgrade(opened)
        yield opened


@pytest.fixture
def series(tmp_path: Path) -> Iterator[Series]:
    with closing(compose.series_of(load({"data": str(tmp_path)}, environ={}))) as opened:
        yield opened


class Clock:
    real = 100.0

    def __call__(self) -> float:
        return self.real


def written(series: Series, through: int, at: int) -> None:
    series.write(0, through, [Bucket(1, at, 1, 0, 50.0, 50.0, 50.0)], [Point("slot/1", "refill", at, 1.0)])


def kept(series: Series) -> list[tuple[int, int]]:
    points = series.points("slot/1", "refill", *ALWAYS)
    return [(b.start, p.ts) for b, p in zip(series.buckets(1, *ALWAYS), points, strict=True)]


def test_points_leave_the_series_at_their_age(ledger: Ledger, series: Series) -> None:
    written(series, 1, NOW - KEPT - 1)
    written(series, 2, NOW - KEPT)
    Chores(ledger, series, KEPT, lambda: NOW).turn()
    assert kept(series) == [(NOW - KEPT, NOW - KEPT)]
    assert series.offset(0) == 2


def test_the_series_is_looked_through_once_an_hour(ledger: Ledger, series: Series) -> None:
    clock = Clock()
    chores = Chores(ledger, series, KEPT, lambda: NOW, clock)
    chores.turn()
    written(series, 1, 5)
    clock.real += SERIES_EVERY_S - 1
    chores.turn()
    assert kept(series) == [(5, 5)]
    clock.real += 1
    chores.turn()
    assert kept(series) == []


def test_old_events_go(ledger: Ledger, series: Series) -> None:
    with ledger.write() as tx:
        for at in (NOW - EVENTS_KEPT - 1, NOW - EVENTS_KEPT):
            events.append(tx, None, "test.happened", "test/1", {"at": at}, at)
    Chores(ledger, series, KEPT, lambda: NOW).turn()
    with ledger.read() as tx:
        assert [event.ts for event in events.read(tx, Scope.all(), after=0)] == [NOW - EVENTS_KEPT]
