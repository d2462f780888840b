"""What is exported can be read by others, and readings by ourselves."""

import csv
import io
import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from journal.codec import decode
from models.frame import Frame
from models.stores import Bucket
from tests.support.history import BEGAN, DAYS, PER_DAY, history, ordering, ullage
from ullage import compose
from ullage.settings import Settings

HOUR = 3_600_000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return ordering(tmp_path / "data")


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_devices_and_slots_by_account(settings: Settings) -> None:
    ullage(settings, "account", "add", "globex")
    assert [row["name"] for row in table(ullage(settings, "export", "devices").stdout)] == ["copier-01", "coffee-01"]
    assert ullage(settings, "export", "devices", "--account", "globex").stdout.strip() == ""
    slots = lines(ullage(settings, "export", "slots", "--format", "jsonl", "--account", "acme").stdout)
    assert {(slot["device"], slot["name"]) for slot in slots} == {("copier-01", "black"), ("coffee-01", "beans")}
    for kind in ("needs", "orders"):
        assert ullage(settings, "export", kind, "--format", "jsonl").stdout == ""
    assert "there is no account nobody" in ullage(settings, "export", "slots", "--account", "nobody", code=1).output


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_exported_readings_can_be_imported_elsewhere(
    settings: Settings,
    tmp_path: Path,
    form: str,
) -> None:
    ullage(settings, "import-readings", str(history(tmp_path)))
    out = tmp_path / f"out.{form}"
    since = (BEGAN + timedelta(days=50)).strftime("%Y-%m-%dT%H:%M:%SZ")
    options = ("--since", since, "--to", str(out), "--format", form, "--json")
    told = json.loads(ullage(settings, "export", "readings", *options).stdout)
    assert told["rows"] == (DAYS - 50) * PER_DAY
    with closing(compose.journal_of(settings)) as journal:
        before = {p: journal.end(p) for p in range(journal.partitions)}
    assert json.loads(ullage(settings, "import-readings", str(out), "--json").stdout)["imported_now"] == told["rows"]
    with closing(compose.journal_of(settings)) as journal:
        frames = {
            p: [f for r in journal.read(p, 0, 10_000) if isinstance(f := decode(r.value), Frame)]
            for p in range(journal.partitions)
        }
        new = [f for p in before for r in journal.read(p, before[p], 10_000) if isinstance(f := decode(r.value), Frame)]

    def said(found: list[Frame]) -> list[tuple[Any, ...]]:
        heads = [row for f in found for row in f.readings[["device", "ts"]].tolist()]
        levels = [row for f in found for row in f.supplies[["slot", "low", "high"]].tolist()]
        counts = [row for f in found for row in f.counters[["index", "value"]].tolist()]
        return list(zip(heads, levels, counts, strict=True))[-told["rows"] :]

    (old,) = [found for found in frames.values() if found]
    assert said(new) == said(old[: len(old) - len(new)])


def test_the_series_has_a_row_for_each_quarter_of_an_hour(settings: Settings) -> None:
    with closing(compose.series_of(settings)) as series:
        buckets = [Bucket(1, start, 2, 7, 50.0, 40.0, 39.0) for start in range(0, 30 * HOUR, HOUR)]
        series.write(0, 1, buckets, [])
    rows = table(ullage(settings, "export", "series", "--until", "1970-01-02").stdout)
    assert len(rows) == 24
    assert rows[1] == {
        "account_id": "1", "device_id": "1", "slot_id": "1", "slot": "black",
        "start_at": "1970-01-01T01:00:00.000Z", "readings": "2", "first": "0.5", "last": "0.4", "low": "0.39",
    }  # fmt: skip
