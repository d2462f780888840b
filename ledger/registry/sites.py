"""Sites: addresses of an account, where devices stand and goods are delivered."""

import hashlib
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from ledger.engine import insert_new
from ledger.facts import enqueue_sites
from ledger.registry import calendars, weeks
from ledger.registry.calendars import CalendarSpec
from ledger.registry.common import PAGE, Invalid, Taken, check_account, check_text, missing, single, views
from ledger.scope import Scope
from ledger.tables import account, site
from models.facts import Mode
from models.identity import SHARDS

FACTS = {"mode", "paused", "calendar_id"}


class Site(msgspec.Struct, frozen=True):
    id: int
    account_id: int
    name: str
    address: str
    time_zone: str
    calendar_id: int
    shard: int
    mode: int
    paused: bool
    retired: bool
    version: int
    created: int


def shard_of(account: str, site: str = "") -> int:
    """By account; a huge account gives the site as well. Immutable once a site has it."""
    digest = hashlib.sha256(f"{account}/{site}".encode() if site else account.encode()).digest()
    return int.from_bytes(digest[:4], "big") % SHARDS


def create(
    tx: Connection,
    scope: Scope,
    account_id: int,
    name: str,
    spec: CalendarSpec,
    now: int,
    *,
    address: str = "",
    pinned: bool = False,
) -> Site:
    """`pinned`: its week is not learned. Raises NotFound for the account, Taken, Invalid."""
    check_text("site", name, 64)
    check_account(scope, account_id)
    owner = tx.execute(select(account).where(account.c.id == account_id)).one_or_none()
    if owner is None:
        raise missing("account", account_id)
    values = {
        "account_id": account_id,
        "name": name,
        "address": address,
        "time_zone": spec.time_zone,
        "calendar_id": calendars.ensure(tx, spec, now),
        "shard": shard_of(owner.name, name if owner.shard_by_site else ""),
        "created": now,
    }
    if not insert_new(tx, site, values):
        raise Taken("site", name)
    made = find(tx, scope, account_id, name)
    weeks.give(tx, made.id, made.calendar_id, now, pinned=pinned)
    enqueue_sites(tx, [made.id])
    return made


def get(tx: Connection, scope: Scope, site_id: int) -> Site:
    mine = (site.c.id == site_id, scope.where(site.c.account_id))
    return single(tx, Site, site, *mine, called=("site", site_id))


def find(tx: Connection, scope: Scope, account_id: int, name: str) -> Site:
    mine = (site.c.account_id == account_id, site.c.name == name, scope.where(site.c.account_id))
    return single(tx, Site, site, *mine, called=("site", name))


def list_sites(
    tx: Connection, scope: Scope, *, account_id: int | None = None, after: int = 0, limit: int = PAGE
) -> list[Site]:
    query = select(site).where(scope.where(site.c.account_id), site.c.id > after).order_by(site.c.id).limit(limit)
    if account_id is not None:
        query = query.where(site.c.account_id == account_id)
    return views(Site, tx.execute(query))


def change(
    tx: Connection,
    scope: Scope,
    site_id: int,
    now: int,
    *,
    calendar: CalendarSpec | None = None,
    pinned: bool | None = None,
    **settings: Any,
) -> Site:
    """Set address, mode, paused, the calendar that a person gives, or whether its week is `pinned`, not learned.

    Raises NotFound, Invalid."""
    before = get(tx, scope, site_id)
    if unknown := settings.keys() - {"address", "mode", "paused"}:
        raise Invalid(f"site: no setting {', '.join(sorted(unknown))}: there are address, mode, paused")
    if "mode" in settings and settings["mode"] not in set(Mode):
        raise Invalid(f"site: mode {settings['mode']!r}: use one of {', '.join(mode.name.lower() for mode in Mode)}")
    if calendar is not None:
        settings["time_zone"] = calendar.time_zone
    if calendar is not None or pinned is not None:
        settings["calendar_id"] = weeks.regive(tx, site_id, before.calendar_id, calendar, now, pinned=pinned)
    changed = {name: value for name, value in settings.items() if getattr(before, name) != value}
    if changed:
        tx.execute(update(site).where(site.c.id == site_id).values(changed))
    if FACTS & changed.keys():
        enqueue_sites(tx, [site_id])
    return get(tx, scope, site_id)
