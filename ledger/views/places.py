"""Accounts, their sites and shelves, devices."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, select

from ledger import tables as t
from ledger.scope import Scope
from ledger.views.query import Query
from ledger.views.rows import Dict, columns, many, only, shown
from models.facts import Mode
from models.week.shape import HOLIDAY

MODES = tuple(mode.name.lower() for mode in Mode)
_ACCOUNT = "id name mode paused currency service_level limit_per_order monthly_budget created=created_at"
_SITE = "id account_id name address time_zone mode paused retired created=created_at"
_DEVICE = "id account_id site_id name sandbox retired ready created=created_at"


def _sites() -> Select[Any]:
    s = t.site.c
    return select(*columns(t.site, _SITE), t.account.c.name.label("account")).join_from(
        t.site, t.account, t.account.c.id == s.account_id
    )


def _devices() -> Select[Any]:
    d = t.device.c
    return (
        select(
            *columns(t.device, _DEVICE),
            t.account.c.name.label("account"),
            t.site.c.name.label("site"),
            t.device_model.c.name.label("model"),
        )
        .join_from(t.device, t.account, t.account.c.id == d.account_id)
        .join(t.site, t.site.c.id == d.site_id)
        .join(t.device_model, t.device_model.c.id == d.model_id)
    )


_ACCOUNTS: Final = Query(
    lambda: select(*columns(t.account, _ACCOUNT)), owner=t.account.c.id, keys=[t.account.c.id], id=t.account.c.id
)
_SITES: Final = Query(
    _sites, owner=t.site.c.account_id, keys=[t.site.c.id], id=t.site.c.id, account=t.site.c.account_id
)
_DEVICES: Final = Query(
    _devices,
    owner=t.device.c.account_id,
    keys=[t.device.c.id],
    id=t.device.c.id,
    account=t.device.c.account_id,
    site=t.device.c.site_id,
    name=t.device.c.name,
)
_SPARES: Final = (
    select(
        t.product.c.id.label("product_id"),
        t.product.c.sku,
        t.product.c.name.label("product"),
        t.stock.c.on_hand,
        t.stock.c.changed.label("changed_at"),
    )
    .join_from(t.stock, t.product, t.product.c.id == t.stock.c.product_id)
    .where(t.stock.c.site_id == bindparam("site"))
    .order_by(t.product.c.sku)
)

_CALENDARS: Final = (
    select(*columns(t.site_calendar, "since=since_at cause why weeks slots"), t.calendar.c.spec)
    .join_from(t.site_calendar, t.calendar, t.calendar.c.id == t.site_calendar.c.calendar_id)
    .where(t.site_calendar.c.site_id == bindparam("site"))
    .order_by(t.site_calendar.c.id.desc())
    .limit(bindparam("limit"))
)


def accounts(tx: Connection, scope: Scope, *, position: Sequence[Any] | None = None, limit: int = 100) -> list[Dict]:
    return _worded(shown(_ACCOUNTS.run(tx, scope, position=position, limit=limit)))


def account(tx: Connection, scope: Scope, account_id: int) -> Dict:
    return only(_worded(shown(_ACCOUNTS.run(tx, scope, id=account_id))), f"account {account_id}")


def sites(
    tx: Connection,
    scope: Scope,
    *,
    account: int | None = None,
    position: Sequence[Any] | None = None,
    limit: int = 100,
) -> list[Dict]:
    return _worded(shown(_SITES.run(tx, scope, position=position, limit=limit, account=account)))


def site(tx: Connection, scope: Scope, site_id: int) -> Dict:
    return only(_worded(shown(_SITES.run(tx, scope, id=site_id))), f"site {site_id}")


def calendars(tx: Connection, scope: Scope, site_id: int, limit: int = 20) -> list[Dict]:
    """By which weights a site's business time has run since when and why, newest first. Raises NotFound."""
    site(tx, scope, site_id)
    rows = many(tx, _CALENDARS, {"site": site_id, "limit": limit})
    for row in rows:
        spec = row.pop("spec")
        row |= {"weekdays": spec["weekdays"], "holiday": spec.get("holiday", HOLIDAY)}
    return rows


def spares(tx: Connection, scope: Scope, site_id: int) -> list[Dict]:
    """What lies on the shelf of a site, by SKU. Raises NotFound."""
    site(tx, scope, site_id)
    return many(tx, _SPARES, {"site": site_id})


def devices(
    tx: Connection,
    scope: Scope,
    *,
    account: int | None = None,
    site: int | None = None,
    name: str | None = None,
    position: Sequence[Any] | None = None,
    limit: int = 100,
) -> list[Dict]:
    return shown(_DEVICES.run(tx, scope, position=position, limit=limit, account=account, site=site, name=name))


def device(tx: Connection, scope: Scope, device_id: int) -> Dict:
    return only(shown(_DEVICES.run(tx, scope, id=device_id)), f"device {device_id}")


def _worded(rows: list[Dict]) -> list[Dict]:
    for row in rows:
        row["mode"] = MODES[row["mode"]]
    return rows
