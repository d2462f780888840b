"""Commands about what is bought and from whom: products, suppliers; and the fleet file, which has everything."""

import csv
import json
import sys
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import click
import msgspec
import yaml

from ingest.release import Quarantine
from ledger.fleet import apply_fleet, parse_fleet
from ledger.fleet.importing import Imported, check_columns, import_sheet
from ledger.fleet.sheets import SHEETS
from ledger.registry import products, suppliers
from ledger.sample import sample_purchase_order
from ledger.scope import Scope
from ledger.sinks import FileSink, SupplierEndpoints, SupplierSink, WebhookSink
from models.outbox import ALL, Kind, OutboxRow
from models.stores import StoreError
from ullage import compose
from ullage.commands.common import (
    SettingsOf,
    as_json,
    domain_now,
    emit,
    every,
    note,
    opened,
    person,
    reading,
    show,
    table,
    tell,
    writing,
)

SURPLUS = "more cells than columns"


@click.group()
def fleet() -> None:
    """The fleet file: catalogue, accounts, sites and devices in one document."""


@fleet.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Look whether it could be applied, and do nothing.")
@as_json
@click.pass_obj
def fleet_apply(settings_of: SettingsOf, file: Path, dry_run: bool, as_json: bool) -> None:
    """Create or change all that FILE (YAML) names, or nothing. Credentials of new devices are shown this once."""
    settings = settings_of()
    try:
        document = yaml.safe_load(file.read_text())
    except yaml.YAMLError as error:
        raise StoreError(f"{file}: not YAML: {error}") from error
    with opened(settings) as ledger, closing(compose.journal_of(settings)) as journal:
        result = apply_fleet(ledger, parse_fleet(document), domain_now(settings), dry_run=dry_run, by=person())
        released = Quarantine(ledger, journal).released(Scope.all())
    if as_json:
        credentials = [c._asdict() for c in result.credentials]
        emit({"summary": result.summary, "credentials": credentials, "released": released})
        return
    click.echo(", ".join(f"{n} {noun.replace('_', ' ')}" for noun, n in result.summary.items()))
    table([c._asdict() for c in result.credentials], ("account", "device", "token"), "No new devices.")
    if released:
        click.echo(f"{released} in quarantine can be used by now: ullage quarantine replay --released")


@fleet.command("import")
@click.argument("kind", type=click.Choice(list(SHEETS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Report what would be done, and do nothing.")
@as_json
@click.pass_obj
def fleet_import(settings_of: SettingsOf, kind: str, file: Path, dry_run: bool, as_json: bool) -> None:
    """Create or change a thing for each line of FILE (CSV), or nothing. Credentials of new devices are shown this once.
    Exit code 1 when a line has a mistake."""
    settings = settings_of()
    lines = _lines_of(kind, file)
    with opened(settings) as ledger:
        done = import_sheet(ledger, kind, lines, domain_now(settings), dry_run=dry_run)
    wrong = any(report.verdict == "error" for report in done.lines)
    if as_json:
        lines_told = [report._asdict() for report in done.lines]
        emit({"applied": done.applied, "lines": lines_told, "credentials": [c._asdict() for c in done.credentials]})
    else:
        _tell_lines(done)
    sys.exit(1 if wrong else 0)


def _tell_lines(done: Imported) -> None:
    told = [report._asdict() for report in done.lines]
    table(told, ("line", "verdict", "what", "text"), "The file has no lines.")
    if done.credentials:
        table([c._asdict() for c in done.credentials], ("account", "device", "token"), "")
    click.echo("All of it was applied." if done.applied else "Nothing was changed.")


def _lines_of(kind: str, file: Path) -> list[tuple[int, dict[str, str]]]:
    """Line number and cells. Raises BadFleet."""
    with file.open(newline="", encoding="utf-8-sig") as text:
        rows = csv.DictReader(text, restkey=SURPLUS, restval="")
        check_columns(kind, rows.fieldnames or [])
        return [(rows.line_num, {name: str(cell).strip() for name, cell in row.items()}) for row in rows]


@click.group()
def product() -> None:
    """Products (stock keeping units)."""


@product.command("add")
@click.argument("sku")
@click.option("--name", required=True, help="For people.")
@click.option("--unit", default="pieces", show_default=True, help="Unit of what it fills: pages, g, ml, cups, days.")
@as_json
@click.pass_obj
def product_add(settings_of: SettingsOf, sku: str, name: str, unit: str, as_json: bool) -> None:
    """Create or change a product."""
    with writing(settings_of) as (tx, now):
        made = products.ensure(tx, sku, name, unit, now)
        note(tx, "product.set", f"product/{made.id}", after=made)
    tell(msgspec.structs.asdict(made), f"product {made.id}: {sku}", as_json)


@product.command("list")
@as_json
@click.pass_obj
def product_list(settings_of: SettingsOf, as_json: bool) -> None:
    """All products."""
    with reading(settings_of) as tx:
        found = every(lambda after: products.list_products(tx, after=after))
    show(found, ("id", "sku", "name", "unit"), "No products yet: ullage product add", as_json)


@click.group()
def supplier() -> None:
    """Suppliers."""


@supplier.command("add")
@click.argument("name")
@click.option("--channel", type=click.Choice(suppliers.CHANNELS), default="file", show_default=True)
@click.option("--url", default="", help="Where purchase orders are posted (webhook).")
@click.option("--secret-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="HMAC key (webhook).")
@as_json
@click.pass_obj
def supplier_add(
    settings_of: SettingsOf, name: str, channel: str, url: str, secret_file: Path | None, as_json: bool
) -> None:
    """Create or change a supplier; offers come with the fleet file."""
    secret = secret_file.read_text().strip() if secret_file else ""
    with writing(settings_of) as (tx, now):
        made = suppliers.ensure(tx, name, now, channel=channel, url=url, secret=secret)
        note(tx, "supplier.set", f"supplier/{made.id}", after=made)
    tell(msgspec.structs.asdict(made), f"supplier {made.id}: {name}, channel {channel}", as_json)


@supplier.command("test")
@click.argument("name")
@as_json
@click.pass_obj
def supplier_test(settings_of: SettingsOf, name: str, as_json: bool) -> None:
    """Send a sample purchase order, signed like a real one, and show the answer. It says `"test": true`."""
    settings = settings_of()
    heard: list[tuple[int, str]] = []
    with (
        opened(settings) as ledger,
        WebhookSink(SupplierEndpoints(ledger), answered=lambda code, text: heard.append((code, text))) as webhook,
    ):
        with ledger.read() as tx:
            seller = suppliers.find(tx, name)
            document = sample_purchase_order(tx, seller.id, domain_now(settings))
        target, key = f"supplier/{seller.id}", f"test/{uuid4()}"
        row = OutboxRow(0, Kind.PURCHASE_ORDER, target, ALL, target, document, key)
        SupplierSink(ledger, file=FileSink(settings.purchase_orders), webhook=webhook).deliver([row])
    sent = {"supplier": name, "channel": seller.channel, "key": key, "sent": json.loads(document)}
    if heard:
        ((code, text),) = heard
        tell(sent | {"status": code, "answer": text}, f"{name} took it: {code} {text}".rstrip(), as_json)
    else:
        tell(sent, f"{name}: written into {settings.purchase_orders}, key {key}", as_json)


@supplier.command("list")
@as_json
@click.pass_obj
def supplier_list(settings_of: SettingsOf, as_json: bool) -> None:
    """All suppliers, without their secrets."""
    with reading(settings_of) as tx:
        found = every(lambda after: suppliers.list_suppliers(tx, after=after))
    show(found, ("id", "name", "channel", "url"), "No suppliers yet: ullage supplier add", as_json)
