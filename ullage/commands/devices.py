"""Commands about machines: registration, credentials, what they send."""

import json

import click
from sqlalchemy import Connection

from ingest.tail import follow
from ledger.directory import LedgerDirectory
from ledger.registry import accounts, device_models, devices, sites
from ledger.registry.devices import NewDevice
from ledger.registry.unmapped import list_unmapped
from ledger.scope import Scope
from ullage import compose
from ullage.commands.check import device_check
from ullage.commands.common import SettingsOf, as_json, emit, every, moment, note, opened, reading, show, tell, writing
from ullage.settings import duration

ALL = Scope.all()


@click.group()
def device() -> None:
    """Devices."""


device.add_command(device_check)


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
    with writing(settings_of) as (tx, now):
        owner = accounts.find(tx, ALL, account_name)
        place = sites.find(tx, ALL, owner.id, site_name)
        new = NewDevice(place.id, name, device_models.find(tx, model).id, sandbox)
        issued = devices.register(tx, ALL, [new], now)[0]
        note(tx, "device.registered", f"device/{issued.device_id}", account_id=owner.id)
    if as_json:
        emit(issued._asdict())
    else:
        click.echo(f"device {issued.device_id}: MQTT user name {issued.account}, client id {issued.device}, password:")
        click.echo(issued.token)


@device.command("list")
@as_json
@click.pass_obj
def device_list(settings_of: SettingsOf, as_json: bool) -> None:
    """The devices of all accounts, without their credentials."""
    with reading(settings_of) as tx:
        found = every(lambda after: devices.list_devices(tx, ALL, after=after))
    columns = ("id", "account_id", "site_id", "name", "ready", "sandbox", "retired")
    show(found, columns, "No devices yet: ullage device add", as_json)


@device.command("unmapped")
@as_json
@click.pass_obj
def device_unmapped(settings_of: SettingsOf, as_json: bool) -> None:
    """Supplies that devices name and their model does not know: tracked, never ordered for.

    A slot of this name in the fleet document's device model maps them."""
    with reading(settings_of) as tx:
        found = [one._asdict() for one in list_unmapped(tx, ALL)]
    columns = ("model", "name", "devices", "example", "since")
    show(found, columns, "All supplies are mapped.", as_json, since=moment)


@device.command("retire")
@click.argument("number", type=int)
@as_json
@click.pass_obj
def device_retire(settings_of: SettingsOf, number: int, as_json: bool) -> None:
    """Take a device out of service; its goods stay with the site."""
    with writing(settings_of) as (tx, _):
        owner = _owner(tx, number)
        devices.retire(tx, ALL, number)
        note(tx, "device.retired", f"device/{number}", account_id=owner)
    tell({"id": number, "retired": True}, f"device {number} is retired", as_json)


@device.command("replace")
@click.argument("number", type=int)
@click.argument("new_name", metavar="NEW_NAME")
@click.option("--model", help="Device model of the new machine, if it is another one.")
@as_json
@click.pass_obj
def device_replace(settings_of: SettingsOf, number: int, new_name: str, model: str | None, as_json: bool) -> None:
    """Another machine or board in the place of device NUMBER goes on with its history, cycles and spares. NEW_NAME may
    be the old one. Its credential is shown this once; the old one ends within a second."""
    with writing(settings_of) as (tx, now):
        before = devices.get(tx, ALL, number)
        model_id = device_models.find(tx, model).id if model else None
        issued = devices.replace(tx, ALL, number, new_name, model_id, now)
        change = {"before": {"name": before.name}, "after": {"name": new_name, "model": model}}
        note(tx, "device.replaced", f"device/{number}", account_id=before.account_id, **change)
    tell(issued._asdict(), issued.token, as_json)


@device.command("rotate")
@click.argument("number", type=int)
@click.option("--overlap", default="0s", show_default=True, help="How long the old one is good as well, such as 7d.")
@as_json
@click.pass_obj
def device_rotate(settings_of: SettingsOf, number: int, overlap: str, as_json: bool) -> None:
    """A new credential, shown this once; the old one ends within a second, or a minute after the overlap."""
    try:
        overlap_ms = int(duration(overlap).total_seconds() * 1000)
    except ValueError as error:
        raise click.BadParameter(f"{overlap!r}: use {error}", param_hint="--overlap") from None
    with writing(settings_of) as (tx, _):
        owner = _owner(tx, number)
        issued = devices.rotate(tx, ALL, number, overlap_ms=overlap_ms)
        note(tx, "device.rotated", f"device/{number}", account_id=owner)
    tell(issued._asdict(), issued.token, as_json)


@device.command("tail")
@click.argument("number", type=int)
@as_json
@click.pass_obj
def device_tail(settings_of: SettingsOf, number: int, as_json: bool) -> None:
    """What the device sends, decoded or refused with the reason, live. Ctrl-C ends it.

    With --json each is an object on a line of its own.
    """
    settings = settings_of()
    with opened(settings) as ledger:
        identity = LedgerDirectory(ledger).numbered(number)
        journal = compose.journal_of(settings)
        try:
            for line in follow(journal, identity):
                click.echo(json.dumps(line) if as_json else " ".join(f"{k}={v}" for k, v in line.items()))
        except KeyboardInterrupt:
            return
        finally:
            journal.close()


def _owner(tx: Connection, number: int) -> int:
    """The account of a device. Raises NotFound."""
    return devices.get(tx, ALL, number).account_id
