"""Commands about who buys and where: accounts and sites."""

from typing import Any
from uuid import uuid4

import click
import msgspec

from ledger import ordering, requests
from ledger.clock import real_ms
from ledger.ordering import Level, Ordering, Uncounted
from ledger.registry import accounts, products, sites
from ledger.registry.calendars import CalendarSpec
from ledger.scope import Scope
from models.facts import Mode
from models.records import Count
from models.stores import StoreError
from ullage.commands.common import SettingsOf, as_json, every, note, person, reading, show, tell, writing

ALL = Scope.all()
MODES = [mode.name.lower() for mode in Mode]


def _worded(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"mode": Mode(row["mode"]).name.lower()}


@click.group()
def account() -> None:
    """Accounts (tenants)."""


@account.command("add")
@click.argument("name")
@click.option("--currency", default="EUR", show_default=True)
@as_json
@click.pass_obj
def account_add(settings_of: SettingsOf, name: str, currency: str, as_json: bool) -> None:
    """A new account; it starts in mode `observe`."""
    with writing(settings_of) as (tx, now):
        made = accounts.create(tx, name, currency, now)
        note(tx, "account.created", f"account/{made.id}", account_id=made.id)
    tell(_worded(msgspec.structs.asdict(made)), f"account {made.id}: {name}, mode observe", as_json)


@account.command("list")
@as_json
@click.pass_obj
def account_list(settings_of: SettingsOf, as_json: bool) -> None:
    """All accounts."""
    with reading(settings_of) as tx:
        found = [_worded(row) for row in every(lambda after: accounts.list_accounts(tx, ALL, after=after))]
    columns = ("id", "name", "mode", "paused", "currency", "service_level", "monthly_budget")
    show(found, columns, "No accounts yet: ullage account add", as_json)


site_option = click.option("--site", "place", help="Only this site of it.")
sku_option = click.option("--sku", help="Only this product in it.")


@account.command("mode")
@click.argument("name")
@click.argument("mode", type=click.Choice(MODES))
@site_option
@sku_option
@click.option("--uncounted", is_flag=True, help="Go to `auto` although spares were never counted.")
@as_json
@click.pass_obj
def account_mode(
    settings_of: SettingsOf, name: str, mode: str, place: str | None, sku: str | None, uncounted: bool, as_json: bool
) -> None:
    """Set the ordering mode; the least of account, site and SKU counts. `auto` asks for a count of the spares first, or
    the first day would fill every closet."""
    level, before, _ = _order(settings_of, (name, place, sku), mode=Mode[mode.upper()], counted=uncounted)
    was = before.mode.name.lower()
    what = "/".join(part for part in (name, place, sku) if part)
    tell({"id": level.account_id, "name": name, "mode": mode, "was": was}, f"{what}: {was} -> {mode}", as_json)


@account.command("pause")
@click.argument("name")
@site_option
@sku_option
@as_json
@click.pass_obj
def account_pause(settings_of: SettingsOf, name: str, place: str | None, sku: str | None, as_json: bool) -> None:
    """Order nothing more for an account until it is resumed; what would have been ordered is shown."""
    _set_paused(settings_of, (name, place, sku), as_json, paused=True)


@account.command("resume")
@click.argument("name")
@site_option
@sku_option
@as_json
@click.pass_obj
def account_resume(settings_of: SettingsOf, name: str, place: str | None, sku: str | None, as_json: bool) -> None:
    """Go on ordering for an account that was paused, in its mode."""
    _set_paused(settings_of, (name, place, sku), as_json, paused=False)


Named = tuple[str, str | None, str | None]  # account, site, SKU


def _set_paused(settings_of: SettingsOf, named: Named, as_json: bool, *, paused: bool) -> None:
    level, _, after = _order(settings_of, named, paused=paused)
    said = "ordering is paused" if paused else f"ordering goes on, mode {after.mode.name.lower()}"
    what = "/".join(part for part in named if part)
    tell({"id": level.account_id, "name": named[0], "paused": paused}, f"{what}: {said}", as_json)


def _order(
    settings_of: SettingsOf,
    named: Named,
    *,
    mode: Mode | None = None,
    paused: bool | None = None,
    counted: bool = False,
) -> tuple[Level, Ordering, Ordering]:
    """The level, as it was and as it is. Raises StoreError where a shelf was never counted."""
    name, place, sku = named
    if place and sku:
        raise click.UsageError("--site or --sku, not both: a SKU's mode is of the whole account")
    with writing(settings_of) as (tx, now):
        owner = accounts.find(tx, ALL, name).id
        site_id = sites.find(tx, ALL, owner, place).id if place else None
        level = Level(owner, site_id, products.find(tx, sku).id if sku else None)
        before = ordering.get(tx, ALL, level)
        to: dict[str, Any] = {"mode": mode, "paused": paused, "counted": counted}
        try:
            after = ordering.change(tx, ALL, level, by=person(), now=now, real_now=real_ms(), **to)
        except Uncounted as error:
            raise StoreError(f"{error} (ullage site count; --uncounted)") from None
    return level, before, after


@click.group()
def site() -> None:
    """Sites: where devices stand and goods are delivered."""


@site.command("add")
@click.argument("account_name", metavar="ACCOUNT")
@click.argument("name")
@click.option("--address", default="", help="Where goods are delivered.")
@click.option("--time-zone", required=True, help="IANA name, such as Europe/Berlin.")
@as_json
@click.pass_obj
def site_add(
    settings_of: SettingsOf, account_name: str, name: str, address: str, time_zone: str, as_json: bool
) -> None:
    """A new site of an account."""
    with writing(settings_of) as (tx, now):
        owner = accounts.find(tx, ALL, account_name)
        made = sites.create(tx, ALL, owner.id, name, CalendarSpec(time_zone=time_zone), now, address=address)
        note(tx, "site.created", f"site/{made.id}", account_id=owner.id)
    tell(_worded(msgspec.structs.asdict(made)), f"site {made.id}: {account_name}/{name}", as_json)


@site.command("count")
@click.argument("account_name", metavar="ACCOUNT")
@click.argument("name", metavar="SITE")
@click.argument("sku")
@click.argument("units", type=click.FloatRange(min=0))
@as_json
@click.pass_obj
def site_count(settings_of: SettingsOf, account_name: str, name: str, sku: str, units: float, as_json: bool) -> None:
    """We have counted: so many UNITS of SKU are on the shelf. It is booked as soon as the roles run."""
    with writing(settings_of) as (tx, now):
        place = sites.find(tx, ALL, accounts.find(tx, ALL, account_name).id, name)
        counted = products.find(tx, sku)
        asked = Count(id=uuid4().hex, site=place.id, product=counted.id, units=units, by=person())
        requests.submit(tx, asked, place.account_id, place.id, now)
    tell({"id": asked.id, "site_id": place.id, "sku": sku, "units": units}, f"{units:g} {sku} at {name}: told", as_json)


@site.command("list")
@as_json
@click.pass_obj
def site_list(settings_of: SettingsOf, as_json: bool) -> None:
    """The sites of all accounts."""
    with reading(settings_of) as tx:
        found = [_worded(row) for row in every(lambda after: sites.list_sites(tx, ALL, after=after))]
    show(found, ("id", "account_id", "name", "time_zone", "address"), "No sites yet: ullage site add", as_json)
