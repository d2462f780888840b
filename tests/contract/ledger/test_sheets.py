"""Sheets: a report line by line, everything or nothing, and the same twice."""

import time
from collections.abc import Iterable
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from ledger import outbox
from ledger.engine import Ledger
from ledger.fleet import BadFleet, apply_fleet, parse_fleet
from ledger.fleet.importing import Imported, check_columns, import_sheet
from ledger.registry import accounts, offers, products, sites, suppliers
from ledger.registry.unmapped import add_unmapped, list_unmapped
from ledger.scope import Scope
from ledger.tables import device, slot

from .world import NOW, fleet_content

ALL = Scope.all()


@pytest.fixture
def fleet(ledger: Ledger) -> Ledger:
    apply_fleet(ledger, parse_fleet(fleet_content()), NOW)
    return ledger


def sheet(ledger: Ledger, kind: str, columns: str, *lines: str, dry_run: bool = False) -> Imported:
    names = columns.split()
    rows: Iterable[tuple[int, dict[str, str]]] = (
        (number, dict(zip(names, (cell.strip() for cell in line.split(",")), strict=True)))
        for number, line in enumerate(lines, 2)
    )
    return import_sheet(ledger, kind, rows, NOW, dry_run=dry_run)


def verdicts(done: Imported) -> list[tuple[int, str, str]]:
    return [(one.line, one.what, one.verdict) for one in done.lines]


def test_devices_are_provisioned_with_credentials(fleet: Ledger) -> None:
    columns = "account site device model sandbox"
    with fleet.read() as tx:
        place = sites.list_sites(tx, ALL)[-1].name
    lines = ("acme,hq,copier-01,copier,", "acme,hq,copier-77,copier,", f"umbra,{place},x,coffee,true")
    done = sheet(fleet, "devices", columns, *lines)
    assert done.applied
    assert verdicts(done) == [
        (2, "device acme/copier-01", "unchanged"),
        (3, "device acme/copier-77", "created"),
        (4, "device umbra/x", "created"),
    ]
    assert [(c.account, c.device, len(c.token)) for c in done.credentials] == [
        ("acme", "copier-77", 43),
        ("umbra", "x", 43),
    ]
    with fleet.read() as tx:
        made = tx.execute(select(device).where(device.c.name == "x")).one()
        assert made.sandbox
        assert tx.scalar(select(func.count()).select_from(slot).where(slot.c.device_id == made.id)) == 1
    again = sheet(fleet, "devices", columns, *lines)
    assert {one.verdict for one in again.lines} == {"unchanged"}
    assert again.credentials == []


def test_one_mistake_and_nothing_is_applied_but_every_line_is_reported(fleet: Ledger) -> None:
    with fleet.read() as tx:
        before = outbox.last_id(tx)
    done = sheet(
        fleet,
        "devices",
        "account site device model sandbox",
        "acme,hq,new-1,copier,",
        "acme,hq,new-2,no-such-model,",
        "acme,nowhere,new-3,copier,",
        "acme,hq,not a name,copier,",
        "acme,hq,new-1,copier,",
        "acme,hq,copier-01,coffee,",
        "acme,hq,new-4,copier,perhaps",
        "acme,hq,new-5,copier,",
    )
    assert not done.applied
    assert done.credentials == []
    assert [one.verdict for one in done.lines] == ["created", *["error"] * 6, "created"]
    texts = [one.text for one in done.lines]
    assert "there is no device model no-such-model" in texts[1]
    assert "there is no site nowhere" in texts[2]
    assert "column `device`" in texts[3]
    assert "is in line 2 already" in texts[4]
    assert "ullage device replace" in texts[5]
    assert "column `sandbox`" in texts[6]
    with fleet.read() as tx:
        assert outbox.last_id(tx) == before
        assert tx.scalar(select(func.count()).select_from(device).where(device.c.name.like("new-%"))) == 0


def test_a_dry_run_reports_the_same_and_does_nothing(fleet: Ledger) -> None:
    done = sheet(fleet, "products", "sku name unit", "TN-K,Black toner,pages", "TN-Y,Yellow,pages", dry_run=True)
    assert not done.applied
    assert [one.verdict for one in done.lines][1] == "created"
    with fleet.read() as tx:
        assert "TN-Y" not in {one.sku for one in products.list_products(tx)}
    content = fleet_content()
    content["products"].append({"sku": "TN-Z", "name": "Z"})
    assert apply_fleet(fleet, parse_fleet(content), NOW, dry_run=True).credentials == []
    with fleet.read() as tx:
        assert "TN-Z" not in {one.sku for one in products.list_products(tx)}


def test_the_catalogue_is_changed_where_it_differs(fleet: Ledger) -> None:
    columns = "supplier sku price currency lead_days moq breaks"
    with fleet.read() as tx:
        before = offers.of(tx, suppliers.find(tx, "papierwerk").id, products.find(tx, "TN-K").id)
        assert before is not None
    done = sheet(fleet, "offers", columns, "papierwerk,TN-K,60.00,EUR,1 2,2,10:55.00 50:50", "nobody,TN-K,1,EUR,1,1,")
    assert [one.verdict for one in done.lines] == ["changed", "error"]
    done = sheet(fleet, "offers", columns, "papierwerk,TN-K,60.00,EUR,1 2,2,10:55.00 50:50")
    assert done.applied
    with fleet.read() as tx:
        after = offers.of(tx, before.supplier_id, before.product_id)
        assert after is not None
        assert (after.id, after.price, after.moq) == (before.id, Decimal(60), 2)
        assert offers.breaks_of(tx, after.id) == {10: Decimal(55), 50: Decimal(50)}
    again = sheet(fleet, "offers", columns, "papierwerk,TN-K,60.00,EUR,1 2,2,10:55.00 50:50")
    assert [one.verdict for one in again.lines] == ["unchanged"]
    for cells, text in (("x,1,", "lead_days"), ("1,1,ten", "breaks")):
        (line,) = sheet(fleet, "offers", columns, f"papierwerk,TN-K,60.00,EUR,{cells}").lines
        assert text in line.text


def test_accounts_and_sites(fleet: Ledger) -> None:
    done = sheet(fleet, "accounts", "account currency mode", "acme,EUR,", "acme,EUR,ask", "globex,EUR,")
    assert [one.verdict for one in done.lines] == ["unchanged", "error", "created"]  # acme is there twice
    assert sheet(fleet, "accounts", "account currency mode", "acme,EUR,ask", "globex,EUR,").applied
    columns = "account site time_zone address"
    done = sheet(fleet, "sites", columns, "globex,lab,Europe/Vienna,Ring 1", "acme,hq,Europe/Berlin,New Street 2")
    assert [one.verdict for one in done.lines] == ["created", "changed"]
    assert [one.verdict for one in sheet(fleet, "sites", columns, "globex,lab,Mars/Base,").lines] == ["error"]
    with fleet.read() as tx:
        place = sites.find(tx, ALL, accounts.find(tx, ALL, "globex").id, "lab")
        assert (place.time_zone, place.address) == ("Europe/Vienna", "Ring 1")


@pytest.mark.parametrize(
    ("columns", "said"),
    [("account site device", "model is not among them"), ("account site device model colour", "column 'colour'")],
)
def test_columns_that_nobody_knows_are_refused(columns: str, said: str) -> None:
    with pytest.raises(BadFleet, match=said):
        check_columns("devices", columns.split())


def test_a_thousand_devices_take_seconds(fleet: Ledger) -> None:
    began = time.process_time()
    lines = (f"acme,hq,many-{n},copier," for n in range(1000))
    done = sheet(fleet, "devices", "account site device model sandbox", *lines)
    assert len(done.credentials) == 1000
    assert time.process_time() - began < 20


def test_unmapped_supplies_are_shown_by_model_until_the_model_knows_them(fleet: Ledger) -> None:
    with fleet.write() as tx:
        assert list_unmapped(tx, ALL) == []
        add_unmapped(tx, 1, "staples", NOW)
    with fleet.read() as tx:
        (found,) = list_unmapped(tx, ALL)
        assert (found.model, found.name, found.devices, found.example) == ("copier", "staples", 1, 1)
        assert list_unmapped(tx, Scope.of()) == []
    content = fleet_content()
    content["device_models"][0]["slots"].append({"name": "staples", "capacity": 5000, "unit": "pieces"})
    apply_fleet(fleet, parse_fleet(content), NOW)
    with fleet.read() as tx:
        assert list_unmapped(tx, ALL) == []
