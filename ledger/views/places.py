"""Accounts, their sites and shelves, devices."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, select

from ledger import tables as t
from ledger.scope import Scope
from ledger.views.rows import Dict, columns, equal, many, one
from models.facts import Mode

MODES = tuple(mode.name.lower() for mode in Mode)
_ACCOUNT = "id name mode paused currency service_level limit_per_order monthly_budget created=created_at"
_SITE = "id account_id name address time_zone mode paused retired created=created_at"
_DEVICE = "id account_id site_id name sandbox retired ready created=created_at"


def accounts(tx: Connection, scope: Scope, *, position: Sequence[Any] | None = None, limit: int = 100) -> list[Dict]:
    a = t.account.c
    statement = select(*columns(t.account, _ACCOUNT)).where(scope.where(a.id))
    return _worded(many(tx, _page(statement, a.id, position, limit)))


def account(tx: Connection, scope: Scope, account_id: int) -> Dict:
    a = t.account.c
    statement = select(*columns(t.account, _ACCOUNT)).where(a.id == account_id, scope.where(a.id))
    return _worded([one(tx, statement, f"account {account_id}")])[0]


def sites(
    tx: Connection,
    scope: Scope,
    *,
    account: int | None = None,
    position: Sequence[Any] | None = None,
    limit: int = 100,
) -> list[Dict]:
    s = t.site.c
    statement = equal(_sites().where(scope.where(s.account_id)), (s.account_id, account))
    return _worded(many(tx, _page(statement, s.id, position, limit)))


def site(tx: Connection, scope: Scope, site_id: int) -> Dict:
    s = t.site.c
    return _worded([one(tx, _sites().where(s.id == site_id, scope.where(s.account_id)), f"site {site_id}")])[0]


def spares(tx: Connection, scope: Scope, site_id: int) -> list[Dict]:
    """What lies on the shelf of a site, by SKU. Raises NotFound."""
    site(tx, scope, site_id)
    s = t.stock.c
    return many(
        tx,
        select(
            t.product.c.id.label("product_id"),
            t.product.c.sku,
            t.product.c.name.label("product"),
            s.on_hand,
            s.changed.label("changed_at"),
        )
        .join_from(t.stock, t.product, t.product.c.id == s.product_id)
        .where(s.site_id == site_id)
        .order_by(t.product.c.sku),
    )


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
    d = t.device.c
    statement = _devices().where(scope.where(d.account_id))
    wanted = equal(statement, (d.account_id, account), (d.site_id, site), (d.name, name))
    return many(tx, _page(wanted, d.id, position, limit))


def device(tx: Connection, scope: Scope, device_id: int) -> Dict:
    d = t.device.c
    return one(tx, _devices().where(d.id == device_id, scope.where(d.account_id)), f"device {device_id}")


@cache
def _sites() -> Select[Any]:
    s = t.site.c
    return select(*columns(t.site, _SITE), t.account.c.name.label("account")).join_from(
        t.site, t.account, t.account.c.id == s.account_id
    )


@cache
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


def _page(statement: Select[Any], key: Any, position: Sequence[Any] | None, limit: int) -> Select[Any]:
    return (statement if position is None else statement.where(key > position[0])).order_by(key).limit(limit)


def _worded(rows: list[Dict]) -> list[Dict]:
    for row in rows:
        row["mode"] = MODES[row["mode"]]
    return rows
