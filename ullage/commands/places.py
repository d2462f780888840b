"""Commands about who buys and where: accounts and sites."""

from typing import Any
from uuid import uuid4

import click
import msgspec
from sqlalchemy import Connection

from ledger import requests
from ledger.registry import accounts, products, sites
from ledger.registry.calendars import CalendarSpec
from ledger.scope import Scope
from ledger.uncounted import uncounted as uncounted_shelves
from models.facts import Mode
from models.records import Count
from models.stores import StoreError
from ullage.commands.common import SettingsOf, as_json, every, note, person, reading, show, tell, writing

ALL = Scope.all()
SHOWN = 5
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


@account.command("mode")
@click.argument("name")
@click.argument("mode", type=click.Choice(MODES))
@click.option("--uncounted", is_flag=True, help="Go to `auto` although spares were never counted.")
@as_json
@click.pass_obj
def account_mode(settings_of: SettingsOf, name: str, mode: str, uncounted: bool, as_json: bool) -> None:
    """Set the ordering mode. `auto` asks for a count of the spares first, or the first day would fill every closet."""
    with writing(settings_of) as (tx, _):
        found = accounts.find(tx, ALL, name)
        if mode == "auto" and not uncounted:
            _ask_for_counts(tx, found.id, name)
        accounts.change(tx, ALL, found.id, mode=int(Mode[mode.upper()]))
        before = Mode(found.mode).name.lower()
        change = {"before": {"mode": before}, "after": {"mode": mode}}
        note(tx, "account.mode", f"account/{found.id}", account_id=found.id, **change)
    tell({"id": found.id, "name": name, "mode": mode, "was": before}, f"{name}: {before} -> {mode}", as_json)


@account.command("pause")
@click.argument("name")
@as_json
@click.pass_obj
def account_pause(settings_of: SettingsOf, name: str, as_json: bool) -> None:
    """Order nothing more for an account until it is resumed; what would have been ordered is shown."""
    _set_paused(settings_of, name, as_json, paused=True)


@account.command("resume")
@click.argument("name")
@as_json
@click.pass_obj
def account_resume(settings_of: SettingsOf, name: str, as_json: bool) -> None:
    """Go on ordering for an account that was paused, in its mode."""
    _set_paused(settings_of, name, as_json, paused=False)


def _set_paused(settings_of: SettingsOf, name: str, as_json: bool, *, paused: bool) -> None:
    with writing(settings_of) as (tx, _):
        found = accounts.find(tx, ALL, name)
        accounts.change(tx, ALL, found.id, paused=paused)
        change = {"before": {"paused": found.paused}, "after": {"paused": paused}}
        note(
            tx, "account.paused" if paused else "account.resumed", f"account/{found.id}", account_id=found.id, **change
        )
    said = "ordering is paused" if paused else f"ordering goes on, mode {Mode(found.mode).name.lower()}"
    tell({"id": found.id, "name": name, "paused": paused}, f"{name}: {said}", as_json)


def _ask_for_counts(tx: Connection, account_id: int, name: str) -> None:
    """Raises StoreError where a shelf was never counted."""
    if shelves := uncounted_shelves(tx, account_id):
        some = ", ".join(f"{place}/{sku}" for place, sku in shelves[:SHOWN])
        more = f" and {len(shelves) - SHOWN} more" if len(shelves) > SHOWN else ""
        raise StoreError(
            f"{name}: nobody has counted the spares of {some}{more}; they would be taken for none, and ordered for: "
            "ullage site count, or --uncounted to go on"
        )


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
