"""What was set aside: seen by its account, settled once, on record."""

from typing import Any

import pytest
from sqlalchemy import Connection, select

from ledger import events, quarantine
from ledger.change import Change
from ledger.decisions import poison
from ledger.engine import Ledger
from ledger.fleet import apply_fleet, parse_fleet
from ledger.quarantine import Held
from ledger.ready import mark_ready, unsent
from ledger.scope import NotFound, Scope
from ledger.tables import audit, outbox
from ledger.views import quarantine as view

from .world import NOW, fleet_content

MINE, OTHERS = Scope.of(1), Scope.of(2)


@pytest.fixture
def fleet(ledger: Ledger) -> Ledger:
    apply_fleet(ledger, parse_fleet(fleet_content()), NOW)
    return ledger


def hold(tx: Connection, source: str = "x", device: int = 1, code: str = "not_json") -> Held:
    assert poison.keep(tx, device, NOW, code, "it was so", b"{", source=source, boot=(1 << 64) - 1, seq=7)
    return quarantine.list_held(tx, Scope.all(), limit=1000)[-1]


def test_its_account_sees_it_and_no_other(fleet: Ledger) -> None:
    with fleet.write() as tx:
        held = hold(tx)
        assert held.boot == (1 << 64) - 1
        assert quarantine.list_held(tx, MINE) == quarantine.some(tx, MINE, [held.id], lock=True) == [held]
        assert quarantine.list_held(tx, OTHERS) == quarantine.some(tx, OTHERS, [held.id]) == []
        with pytest.raises(NotFound, match=f"there is no quarantined input {held.id}"):
            quarantine.get(tx, OTHERS, held.id)


def test_it_is_discarded_once_and_stays_on_record(fleet: Ledger) -> None:
    with fleet.write() as tx:
        held, change = hold(tx), Change(tx, NOW + 1, "Ann")
        assert quarantine.discard(change, held, "a test of the workshop")
        assert not quarantine.discard(change, held, "again")
        assert not quarantine.replayed(change, held, 0, 1)
        assert quarantine.list_held(tx, MINE) == []
        (gone,) = quarantine.list_held(tx, MINE, state="discarded")
        assert (gone.settled_by, gone.settled_at, gone.note) == ("Ann", NOW + 1, "a test of the workshop")


def test_it_is_replayed_once_and_says_where_it_went(fleet: Ledger) -> None:
    with fleet.write() as tx:
        held, change = hold(tx), Change(tx, NOW, "Ann")
        assert quarantine.replayed(change, held, 3, 41, note="a slip", fixed=b'{"seq":7}')
        assert not quarantine.replayed(change, held, 3, 42)
        assert not quarantine.discard(change, held, "no")
        (gone,) = quarantine.list_held(tx, MINE, state="replayed")
        assert (gone.partition, gone.offset, gone.fixed, gone.raw) == (3, 41, b'{"seq":7}', b"{")


def test_both_are_told_and_audited_with_before_and_after(fleet: Ledger) -> None:
    with fleet.write() as tx:
        first, second, change = hold(tx, "a"), hold(tx, "b"), Change(tx, NOW, "Ann")
        before = events.last_id(tx)
        quarantine.discard(change, first, "noise")
        quarantine.replayed(change, second, 3, 41, fixed=b"{}")
        told: list[Any] = [(e.kind, e.subject, e.account_id) for e in events.read(tx, MINE, after=before)]
        assert told == [
            ("quarantine.discarded", f"quarantine/{first.id}", 1),
            ("quarantine.replayed", f"quarantine/{second.id}", 1),
        ]
        rows = tx.execute(select(audit).where(audit.c.subject.like("quarantine/%")).order_by(audit.c.id)).all()
    was = {"state": "held", "code": "not_json", "reason": "it was so"}
    assert [(row.by, row.action, row.account_id, row.before, row.after) for row in rows] == [
        ("Ann", "quarantine.discarded", 1, was, {"state": "discarded", "note": "noise"}),
        ("Ann", "quarantine.replayed", 1, was, {"state": "replayed", "partition": 3, "offset": 41, "fixed": "{}"}),
    ]


def test_lists_are_narrowed_and_counted(fleet: Ledger) -> None:
    with fleet.write() as tx:
        for n in range(5):
            hold(tx, str(n), device=1 + n % 2, code="wrong_unit" if n < 3 else "not_json")
        quarantine.discard(Change(tx, NOW, "Ann"), quarantine.list_held(tx, MINE, code="not_json")[0], "noise")
        assert len(quarantine.list_held(tx, MINE, device_id=1, code="wrong_unit")) == 2
        counts = view.counts(tx, MINE)
        assert (counts.by_code, str(counts)) == ([("wrong_unit", 3), ("not_json", 1)], "4")
        assert str(view.counts(tx, MINE, most=2)) == "more than 2"
        assert view.counts(tx, MINE, "discarded").by_code == [("not_json", 1)]
        assert view.counts(tx, OTHERS) == view.NONE
        assert [row["device"] for row in view.held(tx, MINE, device=1, code="wrong_unit")] == ["copier-01"] * 2


def test_a_reading_waits_for_what_the_journal_does_not_know_yet(fleet: Ledger) -> None:
    with fleet.write() as tx:
        assert unsent(tx, [1, 2]) == {1, 2}
        tx.execute(outbox.delete())
        mark_ready(tx)
        assert unsent(tx, [1, 2]) == set()
    content = fleet_content()
    content["device_models"][0]["slots"][0]["capacity"] = 13_000
    apply_fleet(fleet, parse_fleet(content), NOW)
    with fleet.read() as tx:
        assert unsent(tx, [1, 2]) == {1}
        assert unsent(tx, []) == set()
