"""Ways to corrupt an installation that has stopped, or what its world remembers: each must turn the audit red."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from journal import codec
from models.frame import Frame

_ONE = "(slot, start) = (select slot, start from bucket limit 1)"
SHIFT = 40  # of the partition in a journal record's key


def execute(file: Path, *statements: str) -> None:
    """Each must change something."""
    with closing(sqlite3.connect(file)) as db, db:
        for statement in statements:
            assert db.execute(statement).rowcount > 0, statement


def _rewrite(data: Path, change: Callable[[Frame], Frame | None]) -> None:
    """Change the last frame for which `change` gives another one."""
    with closing(sqlite3.connect(data / "journal.db")) as db, db:
        for key, value in db.execute("select key, value from record order by key desc").fetchall():
            record = codec.decode(value)
            changed = change(record) if isinstance(record, Frame) else None
            if changed is not None:
                db.execute("update record set value = ? where key = ?", (codec.encode_frame(changed), key))
                return
    raise AssertionError("no frame can be changed so")


def _first(frame: Frame, count: int) -> Frame:
    """Its first `count` readings, without what needs names."""
    readings = frame.readings[:count].copy()
    readings["measures"] = readings["signals"] = 0
    supplies, counters = (int(readings[name].sum()) for name in ("supplies", "counters"))
    return Frame(
        readings,
        frame.supplies[:supplies],
        frame.counters[:counters],
        frame.measures[:0],
        frame.signals[:0],
        frame.names,
    )


def _plain(frame: Frame) -> bool:
    return len(frame.measures) == len(frame.signals) == 0 < len(frame.supplies)


def lose_a_reading(data: Path, _world: Path) -> None:
    _rewrite(data, lambda frame: _first(frame, len(frame) - 1) if _plain(frame) else None)


def change_a_level(data: Path, _world: Path) -> None:
    def changed(frame: Frame) -> Frame | None:
        if not _plain(frame):
            return None
        frame.supplies["low"][0] = frame.supplies["high"][0] = 77.7
        return frame

    _rewrite(data, changed)


def lose_a_record(data: Path, _world: Path) -> None:
    """The newest ones move up, so that the journal stays without a gap."""
    with closing(sqlite3.connect(data / "journal.db")) as db, db:
        rows = db.execute("select key, value from record order by key desc").fetchall()
        lost = next(key for key, value in rows if codec.kind_of(value) is codec.Kind.FRAME)
        db.execute("delete from record where key = ?", (lost,))
        later = [key for key, _ in reversed(rows) if key > lost and key >> SHIFT == lost >> SHIFT]
        db.executemany("update record set key = ? where key = ?", [(key - 1, key) for key in later])


def count_a_reading_twice(data: Path, _world: Path) -> None:
    execute(data / "series.db", f"update bucket set readings = readings + 1 where {_ONE}")  # noqa: S608  our own words


def count_another_reading(data: Path, _world: Path) -> None:
    execute(data / "series.db", f"update bucket set hash = hash + 1 where {_ONE}")  # noqa: S608  our own words


def lose_a_bucket(data: Path, _world: Path) -> None:
    execute(data / "series.db", f"delete from bucket where {_ONE}")  # noqa: S608  our own words


def book_usage_twice(data: Path, _world: Path) -> None:
    execute(data / "ledger.db", "update usage_day set total = total * 2 where total > 0")


def lose_a_need(data: Path, _world: Path) -> None:
    execute(data / "ledger.db", "delete from need where id = (select max(id) from need)")


def invent_a_need(data: Path, _world: Path) -> None:
    """The last one again, for the next cycle."""
    with closing(sqlite3.connect(data / "ledger.db")) as db, db:
        db.row_factory = sqlite3.Row
        row = dict(db.execute("select * from need order by id desc limit 1").fetchone())
        row |= {"id": row["id"] + 1, "uuid": "invented", "cycle": row["cycle"] + 7, "state": 1}
        marks = ", ".join("?" * len(row))
        db.execute(f"insert into need values ({marks})", tuple(row.values()))  # noqa: S608  question marks


def change_the_evidence(data: Path, _world: Path) -> None:
    execute(data / "ledger.db", "update need set evidence = json_set(evidence, '$.probability', 0.5) where id = 1")


def close_a_need(data: Path, _world: Path) -> None:
    execute(data / "ledger.db", "update need set state = 1 where id = (select max(id) from need where state = 0)")


def forget_an_order_line(data: Path, _world: Path) -> None:
    execute(
        data / "ledger.db",
        "update need set order_line_id = null where order_line_id = (select order_line_id from need where state = 0"
        " order by id limit 1)",
    )


def send_an_order_twice(data: Path, world: Path) -> None:
    with closing(sqlite3.connect(world / "truth.db")) as db:
        (document,) = db.execute("select document from purchase_order limit 1").fetchone()
    folder = data / "purchase-orders"
    folder.mkdir(exist_ok=True)
    (folder / "again.json").write_text(document)


def send_an_order_of_nobody(data: Path, world: Path) -> None:
    with closing(sqlite3.connect(world / "truth.db")) as db:
        (document,) = db.execute("select document from purchase_order limit 1").fetchone()
    folder = data / "purchase-orders"
    folder.mkdir(exist_ok=True)
    (folder / "invented.json").write_text(json.dumps(json.loads(document) | {"purchase_order": 9_999, "order": 9_999}))


def lose_an_order_on_the_way(_data: Path, world: Path) -> None:
    execute(world / "truth.db", "delete from purchase_order where id = (select min(id) from purchase_order)")


def swap_the_account_of_an_order(data: Path, _world: Path) -> None:
    execute(
        data / "ledger.db",
        "update orders set account_id = (select max(id) from account where id <> orders.account_id) where id = 1",
    )


def swap_the_account_of_a_slot(data: Path, _world: Path) -> None:
    execute(
        data / "ledger.db",
        "update slot set account_id = (select max(id) from account where id <> slot.account_id) where id = 1",
    )


def change_the_stock(data: Path, _world: Path) -> None:
    execute(data / "ledger.db", "update stock set on_hand = on_hand + 1 where on_hand > 0")


def change_a_delivery(data: Path, _world: Path) -> None:
    execute(
        data / "ledger.db",
        "update purchase_order_line set quantity = quantity + 1 where id = (select min(id) from purchase_order_line)",
    )


def show_another_level(data: Path, _world: Path) -> None:
    execute(data / "ledger.db", "update slot_view set level = level + 0.25 where level < 50")


IN_THE_JOURNAL = frozenset({lose_a_reading, change_a_level, lose_a_record})
WAYS = {
    lose_a_reading: "and lost",
    change_a_level: "is another reading in the journal",
    lose_a_record: "and lost",
    count_a_reading_twice: "counted",
    count_another_reading: "other readings counted",
    lose_a_bucket: "0 counted",
    book_usage_twice: "usage (slot, day, total)",
    lose_a_need: "decided, but not in the ledger",
    invent_a_need: "in the ledger, but never decided",
    change_the_evidence: "rests on other evidence",
    close_a_need: "thought to have an open need",
    forget_an_order_line: "neither a need nor a person",
    send_an_order_twice: "is at its supplier 2 times",
    send_an_order_of_nobody: "is at its supplier, but not in the ledger",
    lose_an_order_on_the_way: "never reached its supplier",
    swap_the_account_of_an_order: "not of the same account",
    swap_the_account_of_a_slot: "slot 1 and its device",
    change_the_stock: "by the books, not what was moved",
    change_a_delivery: "are not",
    show_another_level: "is shown as",
}
"""Way -> what the audit says then, among other things."""
