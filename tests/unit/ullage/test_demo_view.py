import time
from pathlib import Path

from rich.console import Console

from models.units import DAY, HOUR
from streams.worker.metrics import LAG
from ullage import gauges
from ullage.demo.summary import rows
from ullage.demo.view import Snapshot, draw, in_time, line
from ullage.lag import FRESH_S, GAUGE, worker_lag
from ullage.standing import NextEmpty, Standing

NOW = 1_795_478_400_000  # 2026-11-24 00:00 UTC


def standing() -> Standing:
    return Standing(
        now=NOW,
        accounts=3,
        sites=12,
        devices=200,
        bands={"fine": 700, "at risk": 4},
        orders={"proposed": 2, "delivered": 30},
        needs={"open": 2, "met": 30},
        next_empties=[NextEmpty("acme", "copier-01", "black", NOW + 5 * HOUR, 0.42, "need_open")],
    )


def look(**more: int) -> Snapshot:
    world = {"now_ms": NOW, "acked": 12_345, "empties_met": 31, "empties_missed": 1}
    links = {"page": "http://127.0.0.1:8000/sign-in"}
    return Snapshot(standing(), world | more, 173.2, 3600, 60, links, "slower than asked", lag=7)


def shown(what: Snapshot | None = None) -> str:
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123 - ends with the test
    with console.capture() as capture:
        console.print(draw(what or look()))
    console.file.close()
    return capture.get()


def test_the_view_shows_date_rate_lag_slots_orders_empties_and_addresses():
    text = shown()
    for part in (
        "Tue 2026-11-24 00:00",
        "173/s",
        "lag 7",
        "700 fine, 4 at risk",
        "2 proposed, 30 delivered",
        "31 met in time, 1 missed",
        "acme/copier-01/black",
        "in 5 h",
        "42%",
        "http://127.0.0.1:8000/sign-in",
        "slower than asked",
    ):
        assert part in text, part


def test_a_log_without_a_terminal_gets_one_line():
    assert line(look()).startswith("Tue 2026-11-24 00:00  173 readings/s, lag 7, orders: 2 proposed, 30 delivered")


def test_a_machine_that_does_not_keep_up_is_told() -> None:
    assert not look(lag_ms=4 * HOUR).behind()
    said = look(lag_ms=2 * DAY).behind()
    assert said == "this machine does not hold 3,600 x: the world is 2.0 d late; try a lower --speed"
    assert said in line(look(lag_ms=2 * DAY))
    assert said in " ".join(shown(look(lag_ms=2 * DAY)).replace("│", "").split())


def test_the_lag_is_what_the_worker_says(tmp_path: Path) -> None:
    assert worker_lag(tmp_path) is None
    assert LAG._name == GAUGE
    for partition, records in (("0", 3), ("1", 40)):
        LAG.labels(partition).set(records)
    gauges.leave(tmp_path, "worker")
    assert worker_lag(tmp_path) == 40
    assert worker_lag(tmp_path, time.time() + FRESH_S + 1) is None  # of a worker that is gone
    LAG.clear()


def test_times_are_told_as_people_say_them():
    assert in_time(NOW + 5 * HOUR, NOW) == "in 5 h"
    assert in_time(NOW + 3 * DAY, NOW) == "in 3.0 d"
    assert in_time(NOW - 1, NOW) == "now"
    assert in_time(1 << 62, NOW) == "not in sight"


def test_the_summary_sets_the_truth_beside_what_ullage_did():
    truth = {
        "days": 30.5,
        "published": 1000,
        "acked": 1000,
        "empties_met": 31,
        "empties_missed": 1,
        "stock_outs_pct": 3.1,
    }
    told = {name: (truth_, did) for name, truth_, did in rows(standing(), truth)}
    assert told["readings"] == ("1,000 published", "1,000 acknowledged")
    assert told["needs"][1] == "2 open, 30 met"
    assert told["orders"][1] == "32, 30 of them placed"
    assert told["empties missed (stock-outs)"][0] == "1 (3.1 % of the refills)"


def test_a_world_that_told_nothing_leaves_gaps_not_numbers():
    assert ("simulated days", "-", "") in rows(Standing(), {})
