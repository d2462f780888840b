"""What every series must do, whatever it is made of."""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from models.stores import Bucket, Point, Series, StoreError, Unavailable
from series.open import open_series

QUARTER = 900_000
ALWAYS = (0, 1 << 50)


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/series.db"


@pytest.fixture(params=[sqlite_url])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(request.param(tmp_path))


@pytest.fixture
def series(url: str) -> Iterator[Series]:
    opened = open_series(url)
    yield opened
    opened.close()


def bucket(slot: int, number: int, last: float = 40.0) -> Bucket:
    return Bucket(slot, number * QUARTER, 3, -(1 << 63) + number, 50.5, last, 39.25)


def test_a_new_series_is_empty(series: Series) -> None:
    assert series.offset(0) == 0
    assert series.buckets(1, *ALWAYS) == []
    assert series.points("slot/1", "refill", *ALWAYS) == []


def test_buckets_come_back_in_order_and_per_slot(series: Series) -> None:
    series.write(0, 10, [bucket(1, 2), bucket(2, 1), bucket(1, 0), bucket(1, 1)], [])
    assert series.buckets(1, *ALWAYS) == [bucket(1, 0), bucket(1, 1), bucket(1, 2)]
    assert series.buckets(1, QUARTER, 2 * QUARTER) == [bucket(1, 1)]
    assert series.buckets(1, *ALWAYS, limit=2) == [bucket(1, 0), bucket(1, 1)]
    assert series.buckets(3, *ALWAYS) == []


def test_a_bucket_that_comes_again_replaces_the_first(series: Series) -> None:
    series.write(0, 10, [bucket(1, 0)], [])
    series.write(0, 20, [bucket(1, 0), bucket(1, 1)], [])
    series.write(0, 30, [bucket(1, 0, last=7.0)], [])
    assert series.buckets(1, *ALWAYS) == [bucket(1, 0, last=7.0), bucket(1, 1)]


def test_the_newest_bucket_before_each_moment(series: Series) -> None:
    series.write(0, 10, [bucket(1, 2), bucket(1, 4, last=math.nan), bucket(2, 3)], [])
    moments = [2 * QUARTER, 2 * QUARTER + 1, 4 * QUARTER, 9 * QUARTER]
    found = series.newest_before(1, moments)
    assert found[:3] == [None, bucket(1, 2), bucket(1, 2)]
    assert found[3] is not None
    assert found[3].start == 4 * QUARTER
    assert math.isnan(found[3].last)
    assert series.newest_before(3, moments) == [None] * 4
    assert series.newest_before(1, []) == []


def test_the_offset_fences_what_was_written_already(series: Series) -> None:
    series.write(2, 10, [bucket(1, 0)], [Point("slot/1", "refill", 5, 1.0)])
    series.write(2, 10, [bucket(1, 1)], [Point("slot/1", "refill", 6, 1.0)])
    series.write(2, 9, [bucket(1, 2)], [])
    assert (series.offset(2), series.offset(1)) == (10, 0)
    assert series.buckets(1, *ALWAYS) == [bucket(1, 0)]
    assert [p.ts for p in series.points("slot/1", "refill", *ALWAYS)] == [5]


def test_points_are_unique_by_subject_kind_time_and_key(series: Series) -> None:
    here = Point("device/7", "temperature", 1000, 21.5)
    points = [here, here._replace(key=9, value=21.6), here._replace(subject="device/8"), here._replace(kind="humidity")]
    series.write(0, 1, [], points)
    series.write(0, 2, [], [here, here._replace(ts=999)])
    assert series.points("device/7", "temperature", *ALWAYS) == [here._replace(ts=999), here, points[1]]
    assert series.points("device/7", "temperature", 1000, 1001, limit=1) == [here]
    assert series.points("device/7", "temperature", 0, 1000) == [here._replace(ts=999)]
    assert series.points("device/8", "temperature", *ALWAYS) == [points[2]]


def test_an_unknown_level_stays_unknown(series: Series) -> None:
    series.write(0, 1, [bucket(1, 0, last=math.nan)], [Point("slot/1", "late", 1, math.nan)])
    (back,) = series.buckets(1, *ALWAYS)
    assert math.isnan(back.last)
    assert back.low == 39.25
    assert math.isnan(series.points("slot/1", "late", *ALWAYS)[0].value)


def test_what_is_old_expires(series: Series) -> None:
    series.write(
        0,
        1,
        [bucket(slot, number) for slot in range(450) for number in range(3)],
        [Point(f"slot/{slot}", "refill", number * QUARTER, 1.0) for slot in range(3) for number in range(3)],
    )
    assert series.expire(2 * QUARTER) == 900 + 6
    assert series.expire(2 * QUARTER) == 0
    assert series.buckets(449, *ALWAYS) == [bucket(449, 2)]
    assert [p.ts for p in series.points("slot/2", "refill", *ALWAYS)] == [2 * QUARTER]
    assert series.offset(0) == 1


def test_it_is_the_same_after_opening_again(url: str) -> None:
    with closing(open_series(url)) as first:
        first.write(0, 7, [bucket(1, 0)], [])
    with closing(open_series(url)) as again, closing(open_series(url)) as reader:
        again.write(0, 8, [bucket(1, 1)], [])
        assert reader.offset(0) == 8
        assert reader.buckets(1, *ALWAYS) == [bucket(1, 0), bucket(1, 1)]


def test_another_programs_file_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "series.db")) as other, other:
        other.execute("CREATE TABLE theirs (a)")
    before = (tmp_path / "series.db").read_bytes()
    with pytest.raises(StoreError, match="no series of Ullage"):
        open_series(sqlite_url(tmp_path))
    assert (tmp_path / "series.db").read_bytes() == before


def test_a_locked_file_is_unavailable_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlitefile.patience.PATIENCE_S", 0.02)
    with (
        closing(open_series(sqlite_url(tmp_path))) as series,
        closing(sqlite3.connect(tmp_path / "series.db", isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="nothing was written"):
            series.write(0, 5, [bucket(1, 0)], [])
        other.execute("ROLLBACK")
        assert (series.offset(0), series.buckets(1, *ALWAYS)) == (0, [])
        series.write(0, 5, [bucket(1, 0)], [])
        assert (series.offset(0), series.buckets(1, *ALWAYS)) == (5, [bucket(1, 0)])


def test_a_value_that_cannot_be_kept_leaves_nothing_behind(series: Series) -> None:
    with pytest.raises(StoreError):
        series.write(0, 5, [bucket(1, 0), bucket(1, 1)._replace(readings=None)], [])  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="64 bits"):
        series.write(0, 5, [bucket(1, 0), bucket(1, 1)._replace(hash=1 << 63)], [])
    assert (series.offset(0), series.buckets(1, *ALWAYS)) == (0, [])
