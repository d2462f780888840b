"""Import a sheet: every line is tried and reported, and all of them are applied or none."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, select

from ledger import meta
from ledger.engine import Ledger
from ledger.fleet.document import BadFleet
from ledger.fleet.sheets import ALL, SHEETS, Outcome
from ledger.fleet.undo import undoable
from ledger.registry import devices
from ledger.registry.common import Invalid, Taken
from ledger.registry.devices import Issued
from ledger.scope import NotFound
from ledger.tables import model_slot, model_slot_product


class LineReport(NamedTuple):
    line: int
    what: str  # "device acme/copier-01"; "" where the line cannot even be read
    verdict: str  # created, changed, unchanged, error
    text: str  # why it is an error


class Imported(NamedTuple):
    applied: bool
    lines: list[LineReport]
    credentials: list[Issued]  # of new devices, shown this once; none where nothing was applied


def import_sheet(
    ledger: Ledger, kind: str, lines: Iterable[tuple[int, Mapping[str, str]]], now: int, *, dry_run: bool = False
) -> Imported:
    """`kind`: of SHEETS. Raises BadFleet for columns that nobody knows or misses, Unavailable."""
    reports: list[LineReport] = []
    with undoable(ledger) as (tx, undo):
        meta.count(tx, "fleet")  # locks, as apply_fleet does
        outcomes = list(_tried(tx, kind, lines, now, reports))
        _reconcile(tx, {outcome.product for outcome in outcomes if outcome.product}, now)
        issued = devices.register(tx, ALL, [one.device for one in outcomes if one.device], now)
        nothing = dry_run or any(report.verdict == "error" for report in reports)
        if nothing:
            undo()
    return Imported(not nothing, reports, [] if nothing else issued)


def check_columns(kind: str, columns: Iterable[str]) -> None:
    """Raises BadFleet."""
    sheet, there = SHEETS[kind], list(columns)
    if missing := [name for name in sheet.must if name not in there]:
        raise BadFleet(f"{kind}: the first line names the columns, and {', '.join(missing)} is not among them")
    if unknown := [name for name in there if name not in sheet.columns]:
        raise BadFleet(f"{kind}: column {unknown[0]!r}: there are {', '.join(sheet.columns)}")


def _tried(
    tx: Connection, kind: str, lines: Iterable[tuple[int, Mapping[str, str]]], now: int, reports: list[LineReport]
) -> Iterable[Outcome]:
    """The outcomes of lines that can be applied. A line's mistake leaves nothing of it in the transaction."""
    sheet = SHEETS[kind]
    seen: dict[str, int] = {}
    for number, cells in lines:
        try:
            with tx.begin_nested():
                outcome = sheet.apply(tx, sheet.parsed(cells), now)
                _once(outcome, seen)
        except (Invalid, NotFound, Taken) as error:
            reports.append(LineReport(number, "", "error", str(error)))
            continue
        seen[outcome.what] = number
        reports.append(LineReport(number, outcome.what, outcome.verdict, ""))
        yield outcome


def _once(outcome: Outcome, seen: Mapping[str, int]) -> None:
    if outcome.what in seen:
        raise Invalid(f"{outcome.what} is in line {seen[outcome.what]} already")


def _reconcile(tx: Connection, product_ids: set[int], now: int) -> None:
    """Devices follow what changed in offers."""
    if not product_ids:
        return
    models = (
        select(model_slot.c.model_id)
        .join(model_slot_product, model_slot_product.c.model_slot_id == model_slot.c.id)
        .where(model_slot_product.c.product_id.in_(sorted(product_ids)))
    )
    devices.reconcile(tx, set(tx.scalars(models)), now)
