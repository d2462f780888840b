"""Demand of one product: weekly history and known empties out of the ledger, through models.demand."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from sqlalchemy import Row

from api.services import Services
from ledger.registry import products
from ledger.scope import Scope
from ledger.views import demand as view
from ledger.views.demand import Place
from ledger.views.rows import iso
from models.demand.forecast import forecast as forecast_weeks
from models.demand.forecast import weekly
from models.demand.histogram import DiscountedHistogram
from models.demand.known import WEEK, Empties
from models.depletion import PROBABILITIES
from models.facts import Refill
from models.units import DAY, NEVER

PAST_WEEKS: Final = 52
SLOWEST: Final = 1e-3  # per cent per business day


def forecast(
    wired: Services,
    scope: Scope,
    sku: str,
    site: int | None,
    account: int | None,
    weeks: int,
    probabilities: Sequence[float],
) -> dict[str, Any]:
    """As shapes.Demand. Raises NotFound."""
    now, place = wired.now(), Place(site, account)
    starts = now - WEEK * np.arange(PAST_WEEKS, -1, -1, dtype=np.int64)
    with wired.ledger.read() as tx:
        product = products.find(tx, sku)
        view.check(tx, scope, place)
        used = view.used(tx, scope, product.id, place, int(starts[0]))
        slots = view.slots(tx, scope, product.id, place)
    sites = sorted({row.site_id for row in used} | {row.site_id for row in slots})
    history = _history(used, sites, starts)
    total = history.sum(axis=0) if sites else np.zeros(PAST_WEEKS)
    result = {
        "sku": sku,
        "where": str(place),
        "unit": "stock units",
        "now_at": iso(now),
        "history": [round(float(units), 3) for units in total],
    }
    if not sites:
        nothing = {f"{p:g}": 0.0 for p in probabilities}
        future = [{"starts_at": iso(now + w * WEEK), "mean": 0.0, "quantiles": nothing} for w in range(weeks)]
        return result | {"weeks": future, "total": nothing}
    seen = _observed(history, used)
    foreseen = [slot for slot in slots if slot.quantiles and slot.quantiles[-1] < NEVER // 4]
    demand = forecast_weeks(
        seen,
        np.array(sites, dtype=np.int64),
        np.zeros(len(sites), dtype=np.int64),
        weeks,
        now=now,
        empties=_empties(foreseen, sites) if foreseen else None,
        metered_share=_metered(used, foreseen, sites),
        forecaster=DiscountedHistogram.fit(seen),
    )
    of_weeks, means = demand.quantiles(probabilities)[0], demand.mean()[0]
    return result | {
        "weeks": [
            {"starts_at": iso(now + w * WEEK), "mean": round(float(means[w]), 3), "quantiles": _named(probabilities, q)}
            for w, q in enumerate(of_weeks)
        ],
        "total": _named(probabilities, demand.total_quantiles(probabilities)[0]),
    }


def _named(probabilities: Sequence[float], values: Any) -> dict[str, float]:
    return {f"{p:g}": round(float(value), 3) for p, value in zip(probabilities, values, strict=True)}


def _history(used: Sequence[Row[Any]], sites: Sequence[int], starts: Any) -> Any:
    """(sites, weeks) units, the last week ending now."""
    out = np.zeros((len(sites), PAST_WEEKS))
    for i, site in enumerate(sites):
        mine = [row for row in used if row.site_id == site]
        times = np.array([row.ts for row in mine], dtype=np.int64)
        out[i] = weekly(times, np.array([row.units for row in mine], dtype=np.float64), starts)
    return out


def _observed(history: Any, used: Sequence[Row[Any]]) -> Any:
    """Weeks before the first use anywhere are unknown, not zero: the fleet was not there yet."""
    if not used:
        return np.full_like(history, np.nan)
    out = history.copy()
    first = int(np.argmax(history.sum(axis=0) > 0))
    out[:, :first] = np.nan
    return out


def _metered(used: Sequence[Row[Any]], foreseen: Sequence[Row[Any]], sites: Sequence[int]) -> Any:
    """The part of each site's use that came from slots whose empties are foreseen."""
    seen = {slot.id for slot in foreseen}
    share = np.ones(len(sites))
    for i, site in enumerate(sites):
        mine = [(row.slot_id in seen, row.units) for row in used if row.site_id == site]
        total = sum(units for _, units in mine)
        if total > 0:
            share[i] = sum(units for known, units in mine if known) / total
    return share


def _empties(slots: Sequence[Row[Any]], sites: Sequence[int]) -> Empties:
    place = {site: i for i, site in enumerate(sites)}
    return Empties(
        series=np.array([place[slot.site_id] for slot in slots], dtype=np.int64),
        quantiles=np.array([slot.quantiles for slot in slots], dtype=np.int64),
        probabilities=np.array(PROBABILITIES),
        cycle_ms=np.array([int(100 / max(slot.rate, SLOWEST) * DAY) for slot in slots], dtype=np.int64),
        units=np.array([_units(slot) for slot in slots]),
    )


def _units(slot: Row[Any]) -> float:
    """Of stock that a refill uses: one of `pack_units` refills, or the slot's capacity in units."""
    whole: float = slot.capacity if slot.refill == Refill.TOPUP else 1.0
    return whole / max(float(slot.pack_units), 1e-9)
