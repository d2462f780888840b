"""Slots as planners see them: how they stand, why (not), what happened to them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, select

from ledger import tables as t
from ledger.scope import Scope
from ledger.views.rows import Dict, after, columns, many, one

SORTS = {
    "id": (t.slot.c.id,),
    "empty_at": (t.slot_view.c.empty_at, t.slot.c.id),
}


def _select() -> Select[Any]:
    s, v = t.slot.c, t.slot_view.c
    names = "id name account_id site_id device_id product_id meter refill capacity unit pack_units retired"
    view = "cycle ts level_low level_high level rate quantiles empty_at probability threshold band status"
    view += " on_hand on_order last_heard"
    return (
        select(
            *columns(t.slot, names),
            *columns(t.slot_view, view),
            t.account.c.name.label("account"),
            t.site.c.name.label("site"),
            t.device.c.name.label("device"),
            t.product.c.sku,
        )
        .join_from(t.slot, t.device, t.device.c.id == s.device_id)
        .join(t.account, t.account.c.id == s.account_id)
        .join(t.site, t.site.c.id == s.site_id)
        .outerjoin(t.product, t.product.c.id == s.product_id)
        .outerjoin(t.slot_view, v.slot_id == s.id)
    )


def slots(
    tx: Connection,
    scope: Scope,
    *,
    sort: str = "id",
    account: int | None = None,
    site: int | None = None,
    device: int | None = None,
    band: int | None = None,
    position: Sequence[Any] | None = None,
    limit: int = 100,
) -> list[Dict]:
    """Slots in ascending order of `sort` (a key of SORTS), behind `position`. By `empty_at`: only those with a view."""
    keys = SORTS[sort]
    statement = _select().where(scope.where(t.slot.c.account_id), ~t.slot.c.retired, after(keys, position))
    if sort == "empty_at":
        statement = statement.where(t.slot_view.c.slot_id.is_not(None))
    for column, value in (
        (t.slot.c.account_id, account),
        (t.slot.c.site_id, site),
        (t.slot.c.device_id, device),
        (t.slot_view.c.band, band),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return many(tx, statement.order_by(*keys).limit(limit))


def slot(tx: Connection, scope: Scope, slot_id: int) -> Dict:
    """One slot. Raises NotFound."""
    return one(tx, _select().where(t.slot.c.id == slot_id, scope.where(t.slot.c.account_id)), f"slot {slot_id}")


def slot_named(tx: Connection, scope: Scope, device_id: int, name: str) -> Dict:
    found = _select().where(t.slot.c.device_id == device_id, t.slot.c.name == name, scope.where(t.slot.c.account_id))
    return one(tx, found, f"slot {name!r} in device {device_id}")


def refills(tx: Connection, slot_id: int, limit: int = 50) -> list[Dict]:
    """The newest refills of a slot, newest first."""
    r = t.refill.c
    statement = select(
        r.cycle,
        r.kind,
        r.ts,
        r.level_before,
        r.level_after,
        r.units,
        r.empty_since,
        r.why,
        r.reversed_by,
        r.reversed_at,
    )
    return many(tx, statement.where(r.slot_id == slot_id).order_by(r.cycle.desc()).limit(limit))


def usage(tx: Connection, slot_id: int, limit: int = 400) -> list[Dict]:
    """Use per local day (per cent of a full supply), newest first."""
    u = t.usage_day.c
    return many(tx, select(u.day, u.total).where(u.slot_id == slot_id).order_by(u.day.desc()).limit(limit))
