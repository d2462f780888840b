"""Slots as planners see them: how they stand, what happened to them."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, select

from ledger import tables as t
from ledger.scope import NotFound, Scope
from ledger.views.rows import Dict, after, columns, equal, iso, many
from models.depletion import PROBABILITIES
from models.effects import RefillKind
from models.facts import Meter, Refill
from models.units import DAY, NEVER

BANDS: Final = ("fine", "watch", "at_risk", "empty")
SHOWN: Final = {"0.05": 1, "0.5": 4, "0.95": 7}
"""Quantiles of days to empty in lists: (label, index in models.depletion.PROBABILITIES)."""
SORTS: Final = {
    "id": (t.slot.c.id,),
    "empty_at": (t.slot_view.c.empty_at, t.slot_view.c.slot_id),
}
METERS: Final = tuple(meter.name.lower() for meter in Meter)
REFILLS: Final = tuple(refill.name.lower() for refill in Refill)
_HOME: Final = (
    *("id", "name", "account_id", "account", "site_id", "site", "time_zone", "device_id", "device", "sandbox"),
    *("product_id", "sku", "capacity", "unit", "retired"),
)
_UNHEARD: Final = dict.fromkeys(
    (
        *("cycle", "level", "level_low", "level_high", "rate", "empty_at", "days_to_empty", "probability"),
        *("threshold", "band", "status", "on_hand", "on_order", "last_heard_at", "updated_at"),
    )
)
"""What a slot shows of which nothing was heard yet."""
_SLOT = "id name account_id site_id device_id product_id meter refill capacity unit retired"
_VIEW = "cycle ts level_low level_high level rate quantiles empty_at probability threshold band status"
_VIEW += " on_hand on_order last_heard"


@cache  # to build it takes longer than to run it
def _select(*, viewed: bool = False) -> Select[Any]:
    s, v = t.slot.c, t.slot_view.c
    chosen = select(
        *columns(t.slot, _SLOT),
        *columns(t.slot_view, _VIEW),
        t.account.c.name.label("account"),
        t.site.c.name.label("site"),
        t.site.c.time_zone,
        t.device.c.name.label("device"),
        t.device.c.sandbox,
        t.product.c.sku,
    )
    # by `empty_at` the views lead: their index gives the order, and a page reads a page
    source = t.slot_view.join(t.slot, v.slot_id == s.id) if viewed else t.slot.outerjoin(t.slot_view, v.slot_id == s.id)
    return (
        chosen.select_from(source)
        .join(t.device, t.device.c.id == s.device_id)
        .join(t.account, t.account.c.id == s.account_id)
        .join(t.site, t.site.c.id == s.site_id)
        .outerjoin(t.product, t.product.c.id == s.product_id)
    )


def slots(
    tx: Connection,
    scope: Scope,
    now: int,
    *,
    sort: str = "id",
    account: int | None = None,
    site: int | None = None,
    device: int | None = None,
    product: int | None = None,
    band: int | None = None,
    position: Sequence[Any] | None = None,
    limit: int = 100,
) -> list[Dict]:
    """Slots in ascending order of `sort` (a key of SORTS), behind `position`. By `empty_at`: only those with a view."""
    keys = SORTS[sort]
    viewed = sort == "empty_at" or band is not None
    owner = t.slot_view.c.account_id if viewed else t.slot.c.account_id
    statement = equal(
        _select(viewed=viewed).where(scope.where(owner), ~t.slot.c.retired, after(keys, position)),
        (owner, account),
        (t.slot_view.c.site_id if viewed else t.slot.c.site_id, site),
        (t.slot.c.device_id, device),
        (t.slot.c.product_id, product),
        (t.slot_view.c.band, band),
    )
    return [_shown(row, now, SHOWN) for row in tx.execute(statement.order_by(*keys).limit(limit)).mappings().all()]


def slot(tx: Connection, scope: Scope, now: int, slot_id: int) -> Dict:
    """One slot with all its quantiles. Raises NotFound."""
    wanted = _select().where(t.slot.c.id == slot_id, scope.where(t.slot.c.account_id))
    return _one(tx, wanted, now, f"slot {slot_id}")


def slot_named(tx: Connection, scope: Scope, now: int, device_id: int, name: str) -> Dict:
    wanted = _select().where(t.slot.c.device_id == device_id, t.slot.c.name == name, scope.where(t.slot.c.account_id))
    return _one(tx, wanted, now, f"slot {name!r} in device {device_id}")


def standing(tx: Connection, scope: Scope, slot_id: int) -> RowMapping:
    """What a forecast is made of, as the ledger has it (ms, per cent); the view's columns are None without one.

    Raises NotFound."""
    wanted = _select().where(t.slot.c.id == slot_id, scope.where(t.slot.c.account_id))
    return _found(tx, wanted, f"slot {slot_id}")


def refills(tx: Connection, slot_id: int, limit: int = 50) -> list[Dict]:
    """The newest refills of a slot, newest first."""
    names = "cycle kind ts=refilled_at level_before level_after units empty_since=empty_since_at why reversed_by"
    r = t.refill.c
    statement = select(*columns(t.refill, names + " reversed_at")).where(r.slot_id == slot_id)
    rows = many(tx, statement.order_by(r.cycle.desc()).limit(limit))
    for row in rows:
        row["kind"] = RefillKind(row["kind"]).name.lower()
        row["level_before"], row["level_after"] = share(row["level_before"]), share(row["level_after"])
    return rows


def usage(tx: Connection, slot_id: int, limit: int = 400) -> list[tuple[int, float]]:
    """(local day number since 1970-01-01, use in per cent of a full supply), newest first."""
    u = t.usage_day.c
    rows = tx.execute(select(u.day, u.total).where(u.slot_id == slot_id).order_by(u.day.desc()).limit(limit))
    return [(row.day, row.total) for row in rows]


def share(per_cent: float) -> float:
    """0..1 with as many digits as a sensor could mean."""
    return round(per_cent / 100, 4)


def days(ms: int, now: int) -> float | None:
    """From now on, 0 if it is past; None if it does not come."""
    return None if ms >= NEVER // 4 else round(max(ms - now, 0) / DAY, 3)


def _one(tx: Connection, statement: Select[Any], now: int, what: str) -> Dict:
    return _shown(_found(tx, statement, what), now, {f"{p:g}": i for i, p in enumerate(PROBABILITIES)})


def _found(tx: Connection, statement: Select[Any], what: str) -> RowMapping:
    row = tx.execute(statement).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no {what}")
    return row


def _shown(row: RowMapping, now: int, quantiles: dict[str, int]) -> Dict:
    out = {name: row[name] for name in _HOME}
    out["meter"], out["refill"] = METERS[row["meter"]], REFILLS[row["refill"]]
    if row["ts"] is None:
        return out | _UNHEARD
    times = row["quantiles"]
    out["cycle"] = row["cycle"]
    out["level"], out["level_low"] = share(row["level"]), share(row["level_low"])
    out["level_high"], out["rate"] = share(row["level_high"]), share(row["rate"])
    out["empty_at"] = iso(row["empty_at"])
    out["days_to_empty"] = {p: days(times[i], now) for p, i in quantiles.items()} if times else None
    out["probability"], out["threshold"] = round(row["probability"], 6), round(row["threshold"], 6)
    out["band"], out["status"] = BANDS[row["band"]], row["status"]
    out["on_hand"], out["on_order"] = row["on_hand"], row["on_order"]
    out["last_heard_at"], out["updated_at"] = iso(row["last_heard"]), iso(row["ts"])
    return out
