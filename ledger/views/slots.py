"""Slots as planners see them: how they stand, what happened to them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, RowMapping, Select, bindparam, select

from ledger import tables as t
from ledger.scope import NotFound, Scope
from ledger.views.query import Query
from ledger.views.rows import Dict, columns, iso, many
from models.depletion import PROBABILITIES
from models.effects import RefillKind
from models.facts import Meter, Refill
from models.units import DAY, NEVER

BANDS: Final = ("fine", "watch", "at_risk", "empty")
SHOWN: Final = {"0.05": 1, "0.5": 4, "0.95": 7}
"""Quantiles of days to empty in lists: (label, index in models.depletion.PROBABILITIES)."""
ALL_SHOWN: Final = {f"{p:g}": i for i, p in enumerate(PROBABILITIES)}
METERS: Final = tuple(meter.name.lower() for meter in Meter)
REFILLS: Final = tuple(refill.name.lower() for refill in Refill)
_KINDS: Final = {kind.value: kind.name.lower() for kind in RefillKind}
_UNHEARD: Final = dict.fromkeys(
    (
        *("cycle", "level", "level_low", "level_high", "rate", "empty_at", "days_to_empty", "probability"),
        *("threshold", "band", "status", "on_hand", "on_order", "last_heard_at", "updated_at"),
    )
)
"""What a slot shows of which nothing was heard yet."""
_UNREPORTED: Final = dict.fromkeys(("level", "level_low", "level_high", "probability"))
"""Of one that was looked at although no level was ever reported: what the state assumes is no report."""
_SLOT = "id name account_id site_id device_id product_id capacity unit retired"
_HOME: Final = (*_SLOT.split(), "account", "site", "time_zone", "device", "sandbox", "sku")
"""What stands first in a row, and is shown as it is."""
_VIEW = "ts cycle level level_low level_high rate quantiles empty_at probability threshold band status"
_VIEW += " on_hand on_order last_heard"
_REFILL = (
    "cycle kind ts=refilled_at level_before level_after units empty_since=empty_since_at why reversed_by reversed_at"
)


def _select(*, viewed: bool) -> Select[Any]:
    s, v = t.slot.c, t.slot_view.c
    chosen = select(
        *columns(t.slot, _SLOT),
        t.account.c.name.label("account"),
        t.site.c.name.label("site"),
        t.site.c.time_zone,
        t.device.c.name.label("device"),
        t.device.c.sandbox,
        t.product.c.sku,
        s.meter,
        s.refill,
        *columns(t.slot_view, _VIEW),
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


def _list(*, viewed: bool, by_empty: bool) -> Query:
    s, v = t.slot.c, t.slot_view.c
    owner, site = (v.account_id, v.site_id) if viewed else (s.account_id, s.site_id)
    return Query(
        lambda: _select(viewed=viewed).where(~s.retired),
        owner=owner,
        keys=[v.empty_at, v.slot_id] if by_empty else [s.id],
        account=owner,
        site=site,
        device=s.device_id,
        product=s.product_id,
        band=v.band,
    )


_BY_ID: Final = _list(viewed=False, by_empty=False)
_BY_ID_VIEWED: Final = _list(viewed=True, by_empty=False)
_BY_EMPTY: Final = _list(viewed=True, by_empty=True)
_ONE: Final = Query(
    lambda: _select(viewed=False),
    owner=t.slot.c.account_id,
    keys=[t.slot.c.id],
    id=t.slot.c.id,
    device=t.slot.c.device_id,
    name=t.slot.c.name,
)
_REFILLS: Final = (
    select(*columns(t.refill, _REFILL))
    .where(t.refill.c.slot_id == bindparam("slot"))
    .order_by(t.refill.c.cycle.desc())
    .limit(bindparam("limit"))
)
_USAGE: Final = (
    select(t.usage_day.c.day, t.usage_day.c.total)
    .where(t.usage_day.c.slot_id == bindparam("slot"))
    .order_by(t.usage_day.c.day.desc())
    .limit(bindparam("limit"))
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
    """Slots in ascending order of `sort` (id, empty_at), behind `position`. By `empty_at`: only those with a view."""
    query = _BY_EMPTY if sort == "empty_at" else _BY_ID if band is None else _BY_ID_VIEWED
    wanted: dict[str, Any] = {"account": account, "site": site, "device": device, "product": product, "band": band}
    found = query.run(tx, scope, position=position, limit=limit, **wanted)
    return [_shown(row, now, SHOWN) for row in found.all()]


def slot(tx: Connection, scope: Scope, now: int, slot_id: int) -> Dict:
    """One slot with all its quantiles. Raises NotFound."""
    return _shown(_one(tx, scope, slot_id), now, ALL_SHOWN)


def slot_named(tx: Connection, scope: Scope, now: int, device_id: int, name: str) -> Dict:
    """The same by its device and its name in it. Raises NotFound."""
    row = _ONE.run(tx, scope, device=device_id, name=name).one_or_none()
    if row is None:
        raise NotFound(f"there is no slot {name!r} in device {device_id}")
    return _shown(row, now, ALL_SHOWN)


def standing(tx: Connection, scope: Scope, slot_id: int) -> RowMapping:
    """What a forecast is made of, as the ledger has it (ms, per cent); the view's columns are None without one.

    Raises NotFound."""
    return _one(tx, scope, slot_id)._mapping


def refills(tx: Connection, slot_id: int, limit: int = 50) -> list[Dict]:
    """The newest refills of a slot, newest first."""
    rows = many(tx, _REFILLS, {"slot": slot_id, "limit": limit})
    for row in rows:
        row["kind"] = _KINDS[row["kind"]]
        row["level_before"], row["level_after"] = share(row["level_before"]), share(row["level_after"])
    return rows


def usage(tx: Connection, slot_id: int, limit: int = 400) -> list[tuple[int, float]]:
    """(local day number since 1970-01-01, use in per cent of a full supply), newest first."""
    return [(day, total) for day, total in tx.execute(_USAGE, {"slot": slot_id, "limit": limit})]


def share(per_cent: float) -> float:
    """0..1 with as many digits as a sensor could mean."""
    return round(per_cent / 100, 4)


def days(ms: int, now: int) -> float | None:
    """From now on, 0 if it is past; None if it does not come."""
    return None if ms >= NEVER // 4 else round(max(ms - now, 0) / DAY, 3)


def _one(tx: Connection, scope: Scope, slot_id: int) -> Row[Any]:
    row = _ONE.run(tx, scope, id=slot_id).one_or_none()
    if row is None:
        raise NotFound(f"there is no slot {slot_id}")
    return row


def _shown(row: Row[Any], now: int, quantiles: Mapping[str, int]) -> Dict:
    """By place: names cost more than all that is done here."""
    out: Dict = dict(zip(_HOME, row, strict=False))
    meter, refill, ts, *view = row[len(_HOME) :]
    out["meter"], out["refill"] = METERS[meter], REFILLS[refill]
    if ts is None:
        return out | _UNHEARD
    cycle, level, low, high, rate, times, empty, probability, threshold, band, status, on_hand, on_order, heard = view
    out["cycle"] = cycle
    out["level"], out["level_low"], out["level_high"], out["rate"] = share(level), share(low), share(high), share(rate)
    out["empty_at"] = iso(empty)
    out["days_to_empty"] = {p: days(times[i], now) for p, i in quantiles.items()} if times else None
    out["probability"], out["threshold"] = round(probability, 6), round(threshold, 6)
    if status == "unknown":
        out |= _UNREPORTED
    out["band"], out["status"] = BANDS[band], status
    out["on_hand"], out["on_order"] = on_hand, on_order
    out["last_heard_at"], out["updated_at"] = iso(heard), iso(ts)
    return out
