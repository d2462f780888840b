"""Commands for whoever sets up an installation: tokens, accounts, sites, devices, catalogue, the fleet file."""

from pathlib import Path
from typing import Any

import click
import msgspec
import yaml

from ingest.tail import follow
from ledger import audit, tokens
from ledger.clock import real_ms
from ledger.directory import LedgerDirectory
from ledger.fleet import apply_fleet, parse_fleet
from ledger.registry import accounts, device_models, devices, products, sites, suppliers
from ledger.registry.calendars import CalendarSpec
from ledger.registry.devices import NewDevice
from ledger.roles import ALL_ACCOUNTS, Role
from ledger.scope import Scope
from models.facts import Mode
from models.stores import StoreError
from ullage import compose
from ullage.commands.common import SettingsOf, as_json, domain_now, emit, moment, opened, person, table

ALL = Scope.all()
MODES = click.Choice([mode.name.lower() for mode in Mode])


def _rows(objects: list[Any]) -> list[dict[str, Any]]:
    return [msgspec.structs.asdict(o) for o in objects]


@click.group()
def token() -> None:
    """API tokens."""


@token.command("create")
@click.option("--name", required=True, help="What it is for.")
@click.option("--role", type=click.Choice(list(Role)), default=Role.OPERATOR, show_default=True)
@click.option("--account", "names", multiple=True, help="Account it is bound to; may be repeated. None: all accounts.")
@click.option("--supplier", help="Supplier it is bound to (role supplier).")
@click.option("--person", "who", default="", help="Who stands on approvals; default: the token's name.")
@as_json
@click.pass_obj
def token_create(
    settings_of: SettingsOf, name: str, role: str, names: tuple[str, ...], supplier: str | None, who: str, as_json: bool
) -> None:
    """Make a token; its secret is shown this once."""
    with opened(settings_of()) as ledger, ledger.write() as tx:
        every = Role(role) in ALL_ACCOUNTS and not names
        bound = None if every else [accounts.find(tx, ALL, one).id for one in names]
        supplier_id = suppliers.find(tx, supplier).id if supplier else None
        made = tokens.create(tx, name, Role(role), real_ms(), person=who, accounts=bound, supplier_id=supplier_id)
        audit.record(
            tx, person(), "token.created", f"token/{made.token.id}", real_ms(), after={"name": name, "role": role}
        )
    if as_json:
        emit({"id": made.token.id, "role": role, "secret": made.secret})
    else:
        click.echo(made.secret)
        click.echo("This is the only time that it is shown. Send it as: Authorization: Bearer ...", err=True)


@token.command("list")
@as_json
@click.pass_obj
def token_list(settings_of: SettingsOf, as_json: bool) -> None:
    with opened(settings_of()) as ledger, ledger.read() as tx:
        found = _rows(tokens.list_tokens(tx))
    if as_json:
        emit(found)
    else:
        shown = [row | {"last_used": moment(row["last_used"]), "revoked": moment(row["revoked"])} for row in found]
        table(
            shown, ("id", "name", "prefix", "role", "person", "last_used", "revoked"), "No tokens: ullage token create"
        )


@token.command("revoke")
@click.argument("number", type=int)
@click.pass_obj
def token_revoke(settings_of: SettingsOf, number: int) -> None:
    with opened(settings_of()) as ledger, ledger.write() as tx:
        tokens.revoke(tx, number, real_ms())
        audit.record(tx, person(), "token.revoked", f"token/{number}", real_ms())
    click.echo(f"token {number} is revoked")


@click.group()
def fleet() -> None:
    """The fleet file: catalogue, accounts, sites and devices in one document."""


@fleet.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
@click.pass_obj
def fleet_apply(settings_of: SettingsOf, file: Path, as_json: bool) -> None:
    """Create or change all that FILE (YAML) names, or nothing. Credentials of new devices are shown this once."""
    settings = settings_of()
    try:
        document = yaml.safe_load(file.read_text())
    except yaml.YAMLError as error:
        raise StoreError(f"{file}: not YAML: {error}") from error
    with opened(settings) as ledger:
        result = apply_fleet(ledger, parse_fleet(document), domain_now(settings))
    if as_json:
        emit({"summary": result.summary, "credentials": [c._asdict() for c in result.credentials]})
        return
    click.echo(", ".join(f"{n} {noun.replace('_', ' ')}" for noun, n in result.summary.items()))
    table([c._asdict() for c in result.credentials], ("account", "device", "token"), "No new devices.")


@click.group()
def account() -> None:
    """Accounts (tenants)."""


@account.command("add")
@click.argument("name")
@click.option("--currency", default="EUR", show_default=True)
@click.pass_obj
def account_add(settings_of: SettingsOf, name: str, currency: str) -> None:
    """A new account; it starts in mode `observe`."""
    settings = settings_of()
    with opened(settings) as ledger, ledger.write() as tx:
        made = accounts.create(tx, name, currency, domain_now(settings))
        audit.record(tx, person(), "account.created", f"account/{made.id}", real_ms(), account_id=made.id)
    click.echo(f"account {made.id}: {name}, mode observe")


@account.command("list")
@as_json
@click.pass_obj
def account_list(settings_of: SettingsOf, as_json: bool) -> None:
    with opened(settings_of()) as ledger, ledger.read() as tx:
        found = _rows(accounts.list_accounts(tx, ALL))
    if as_json:
        emit(found)
    else:
        shown = [row | {"mode": Mode(row["mode"]).name.lower()} for row in found]
        table(
            shown, ("id", "name", "mode", "paused", "currency", "service_level", "monthly_budget"), "No accounts yet."
        )


@account.command("mode")
@click.argument("name")
@click.argument("mode", type=MODES)
@click.pass_obj
def account_mode(settings_of: SettingsOf, name: str, mode: str) -> None:
    """Set the ordering mode. Before `auto`, count the spares, or the first day fills every closet."""
    settings = settings_of()
    with opened(settings) as ledger, ledger.write() as tx:
        found = accounts.find(tx, ALL, name)
        accounts.change(tx, ALL, found.id, mode=int(Mode[mode.upper()]))
        before, after = {"mode": found.mode}, {"mode": int(Mode[mode.upper()])}
        audit.record(tx, person(), "account.mode", f"account/{found.id}", real_ms(),
            account_id=found.id, before=before, after=after,
        )  # fmt: skip
    click.echo(f"{name}: {Mode(found.mode).name.lower()} -> {mode}")


@click.group()
def site() -> None:
    """Sites: where devices stand and goods are delivered."""


@site.command("add")
@click.argument("account_name", metavar="ACCOUNT")
@click.argument("name")
@click.option("--address", default="")
@click.option("--time-zone", required=True, help="IANA name, such as Europe/Berlin.")
@click.pass_obj
def site_add(settings_of: SettingsOf, account_name: str, name: str, address: str, time_zone: str) -> None:
    settings = settings_of()
    with opened(settings) as ledger, ledger.write() as tx:
        owner, now = accounts.find(tx, ALL, account_name), domain_now(settings)
        made = sites.create(tx, ALL, owner.id, name, CalendarSpec(time_zone=time_zone), now, address=address)
        audit.record(tx, person(), "site.created", f"site/{made.id}", real_ms(), account_id=owner.id)
    click.echo(f"site {made.id}: {account_name}/{name}")


@site.command("list")
@as_json
@click.pass_obj
def site_list(settings_of: SettingsOf, as_json: bool) -> None:
    with opened(settings_of()) as ledger, ledger.read() as tx:
        found = _rows(sites.list_sites(tx, ALL))
    if as_json:
        emit(found)
    else:
        table(found, ("id", "account_id", "name", "time_zone", "address"), "No sites yet: ullage site add")


@click.group()
def device() -> None:
    """Devices."""


@device.command("add")
@click.argument("account_name", metavar="ACCOUNT")
@click.argument("site_name", metavar="SITE")
@click.argument("name")
@click.option("--model", required=True, help="Device model of the catalogue.")
@click.option("--sandbox", is_flag=True, help="Goes through every state, but nothing leaves the house.")
@as_json
@click.pass_obj
def device_add(
    settings_of: SettingsOf, account_name: str, site_name: str, name: str, model: str, sandbox: bool, as_json: bool
) -> None:
    """Register a device; its credential is shown this once."""
    settings = settings_of()
    with opened(settings) as ledger, ledger.write() as tx:
        owner, now = accounts.find(tx, ALL, account_name), domain_now(settings)
        places = [s for s in sites.list_sites(tx, ALL, account_id=owner.id) if s.name == site_name]
        if not places:
            raise StoreError(f"account {account_name} has no site {site_name}: ullage site list")
        new = NewDevice(places[0].id, name, device_models.find(tx, model).id, sandbox)
        issued = devices.register(tx, ALL, [new], now)[0]
        audit.record(tx, person(), "device.registered", f"device/{issued.device_id}", real_ms(), account_id=owner.id)
    if as_json:
        emit(issued._asdict())
    else:
        click.echo(f"device {issued.device_id}: MQTT user name {issued.account}, client id {issued.device}, password:")
        click.echo(issued.token)


@device.command("list")
@as_json
@click.pass_obj
def device_list(settings_of: SettingsOf, as_json: bool) -> None:
    with opened(settings_of()) as ledger, ledger.read() as tx:
        found = _rows(devices.list_devices(tx, ALL))
    if as_json:
        emit(found)
    else:
        table(found, ("id", "account_id", "site_id", "name", "ready", "sandbox", "retired"), "No devices yet.")


@device.command("retire")
@click.argument("number", type=int)
@click.pass_obj
def device_retire(settings_of: SettingsOf, number: int) -> None:
    """Take a device out of service; its goods stay with the site."""
    settings = settings_of()
    with opened(settings) as ledger, ledger.write() as tx:
        devices.retire(tx, ALL, number)
        audit.record(tx, person(), "device.retired", f"device/{number}", real_ms())
    click.echo(f"device {number} is retired")


@device.command("rotate")
@click.argument("number", type=int)
@click.pass_obj
def device_rotate(settings_of: SettingsOf, number: int) -> None:
    """A new credential; the old one ends within a second."""
    with opened(settings_of()) as ledger, ledger.write() as tx:
        issued = devices.rotate(tx, ALL, number)
    click.echo(issued.token)


@device.command("tail")
@click.argument("number", type=int)
@as_json
@click.pass_obj
def device_tail(settings_of: SettingsOf, number: int, as_json: bool) -> None:
    """What the device sends, decoded or refused with the reason, live. Ctrl-C ends it."""
    settings = settings_of()
    with opened(settings) as ledger:
        with ledger.read() as tx:
            found = devices.get(tx, ALL, number)
            owner = accounts.get(tx, ALL, found.account_id)
        identity = LedgerDirectory(ledger).lookup(owner.name, found.name)
        if identity is None:
            raise StoreError(f"device {number} is not in the directory")
        journal = compose.journal_of(settings)
        try:
            for line in follow(journal, identity):
                emit(line) if as_json else click.echo(" ".join(f"{k}={v}" for k, v in line.items()))
        except KeyboardInterrupt:
            return
        finally:
            journal.close()


@click.group()
def product() -> None:
    """Products (stock keeping units)."""


@product.command("add")
@click.argument("sku")
@click.option("--name", required=True)
@click.option("--unit", default="pieces", show_default=True, help="Unit of what it fills: pages, g, ml, cups, days.")
@click.pass_obj
def product_add(settings_of: SettingsOf, sku: str, name: str, unit: str) -> None:
    """Create or change a product."""
    settings = settings_of()
    with opened(settings) as ledger, ledger.write() as tx:
        made = products.ensure(tx, sku, name, unit, domain_now(settings))
    click.echo(f"product {made.id}: {sku}")


@product.command("list")
@as_json
@click.pass_obj
def product_list(settings_of: SettingsOf, as_json: bool) -> None:
    with opened(settings_of()) as ledger, ledger.read() as tx:
        found = _rows(products.list_products(tx))
    if as_json:
        emit(found)
    else:
        table(found, ("id", "sku", "name", "unit"), "No products yet.")


@click.group()
def supplier() -> None:
    """Suppliers."""


@supplier.command("add")
@click.argument("name")
@click.option("--channel", type=click.Choice(["file", "webhook"]), default="file", show_default=True)
@click.option("--url", default="", help="Where purchase orders are posted (webhook).")
@click.option("--secret-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="HMAC key (webhook).")
@click.pass_obj
def supplier_add(settings_of: SettingsOf, name: str, channel: str, url: str, secret_file: Path | None) -> None:
    """Create or change a supplier; offers come with the fleet file."""
    settings = settings_of()
    secret = secret_file.read_text().strip() if secret_file else ""
    with opened(settings) as ledger, ledger.write() as tx:
        made = suppliers.ensure(tx, name, domain_now(settings), channel=channel, url=url, secret=secret)
    click.echo(f"supplier {made.id}: {name}, channel {channel}")


@supplier.command("list")
@as_json
@click.pass_obj
def supplier_list(settings_of: SettingsOf, as_json: bool) -> None:
    with opened(settings_of()) as ledger, ledger.read() as tx:
        found = _rows(suppliers.list_suppliers(tx))
    if as_json:
        emit(found)
    else:
        table(found, ("id", "name", "channel", "url"), "No suppliers yet.")
