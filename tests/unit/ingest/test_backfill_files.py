"""Lines of files as messages, and what is said of those that cannot be imported."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from ingest.backfill.check import Checked, Checker
from ingest.backfill.files import BadFile, lines_of
from ingest.backfill.staging import Staging
from ingest.limits import Rejected
from models.identity import DeviceIdentity, SlotIdentity
from models.stores import Unavailable

NOW = 1_795_478_400_000
BLACK = SlotIdentity(70, 1000.0, "pages")
COPIER = DeviceIdentity("acme", "c1", 7, 1, 0, b"", True, False, 1, {"black": BLACK}, ("pages",))


def checker() -> Checker:
    return Checker(_lookup, NOW)


def _lookup(account: str, device: str) -> DeviceIdentity | None:
    return COPIER if (account, device) == ("acme", "c1") else None


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "history.csv"
    path.write_text(text)
    return path


def test_a_table_has_a_column_for_each_supply_counter_and_measure(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "account,device,ts,supply.black,supply.cyan,counter.pages,measure.temperature\n"
        "acme,c1,2026-01-01T00:00:00Z,0.42,0.1..0.25,100,21.5\n"
        "\n"
        "acme,c1,2026-01-02T00:00:00Z,830 g,low,101.0,\n",
    )
    first, second = [(line.number, json.loads(line.message)) for line in lines_of(path)]  # type: ignore[arg-type]
    assert first == (2, {
        "account": "acme", "device": "c1", "ts": "2026-01-01T00:00:00Z",
        "supplies": {"black": {"level": 0.42}, "cyan": {"level": [0.1, 0.25]}},
        "counters": {"pages": 100}, "measures": {"temperature": {"value": 21.5}},
    })  # fmt: skip
    assert second[0] == 4
    assert second[1]["supplies"] == {"black": {"remaining": 830, "unit": "g"}, "cyan": {"state": "low"}}
    assert second[1]["counters"] == {"pages": 101}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("account,device,supply.black\n", "ts is not among them"),
        ("account,device,ts,black\n", "column 'black': use account, device, ts, supply.NAME"),
        ("account,device,ts,supply.a,supply.a\n", "is there twice"),
        ("", "account, device, ts is not among them"),
    ],
)
def test_a_table_whose_columns_nobody_knows_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        list(lines_of(table(tmp_path, text)))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"\.csv or \.jsonl"):
        lines_of(tmp_path / "history.xlsx")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"account": "acme", "device": "c1", "supplies": {"black": {"level": 0.5}}}, "account, device and ts"),
        ({"device": "c1", "ts": "2026-01-01T00:00:00Z", "counters": {"pages": 1}}, "account, device and ts"),
        ({"ts": "2026-01-01T00:00:00Z", "account": "acme", "device": "c1", "signals": ["low"]}, "none of supplies"),
        ({"ts": "2027-01-01T00:00:00Z", "account": "acme", "device": "c1", "counters": {"pages": 1}}, "no moment of"),
        ({"ts": "1999-01-01T00:00:00Z", "account": "acme", "device": "c1", "counters": {"pages": 1}}, "no moment of"),
        ({"ts": "2026-01-01T00:00:00Z", "account": "acme", "device": "c9", "counters": {"pages": 1}}, "no device"),
        ({"ts": "2026-01-01T00:00:00Z", "account": "acme", "device": "c1",
          "supplies": {"black": {"level": 42}}}, "0..1"),
        ({"ts": "2026-01-01T00:00:00Z", "account": "acme", "device": "c1",
          "supplies": {"black": {"remaining": 3, "unit": "kg"}}}, "kg"),
    ],
)  # fmt: skip
def test_what_is_no_reading_of_the_past_is_said(message: dict[str, object], reason: str) -> None:
    found = checker()(json.dumps(message).encode())
    assert isinstance(found, Rejected)
    assert reason in found.reason


def test_a_reading_of_the_past_is_known_by_device_and_time() -> None:
    message = b'{"ts":"2026-01-01T00:00:00.250Z","account":"acme","device":"c1","supplies":{"black":{"level":0.5}}}'
    assert checker()(message) == Checked(7, 1_767_225_600_250, message)


def test_two_imports_of_a_file_do_not_run_at_once(tmp_path: Path) -> None:
    with closing(Staging(tmp_path / "staging.db")), pytest.raises(Unavailable, match="locked"):
        Staging(tmp_path / "staging.db")
    Staging(tmp_path / "staging.db").close()


def test_readings_wait_in_order_of_their_time_whatever_the_file_says(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "staging.db")
    staging.begin()
    assert not staging.sorted()
    staging.add([(2, 30, 1, b"c"), (1, 20, 2, b"b"), (1, 10, 3, b"a"), (1, 20, 4, b"b"), (1, 20, 5, b"x")], [(6, "no")])
    staging.sort(6)
    assert staging.sorted()
    queued = staging.next(0, 10)
    assert [(q.device, q.seq, q.message) for q in queued] == [(1, 0, b"a"), (1, 1, b"b"), (1, 2, b"x"), (2, 0, b"c")]
    assert tuple(staging.standing()) == (6, 1, 4, 0)
    staging.done(queued[1].id)
    staging.close()
    again = Staging(tmp_path / "staging.db")  # another process goes on
    assert again.next(again.standing().done, 10) == queued[2:]
    again.done(queued[-1].id)
    again.empty()
    assert again.standing().readings == again.standing().done == 4
    assert again.bad(5) == [(6, "no")]
    again.close()
