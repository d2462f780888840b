"""A slot's past and future: levels, refills, use; when it will be empty. What will be demanded of a product."""

import math
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from api import demand, outlook, shapes
from api.answer import Answer
from api.auth import Reader
from api.paging import Id
from api.problems import Problem
from api.services import Wired
from api.threads import quick
from ledger.views import slots as view
from ledger.views.rows import from_iso, iso
from models.stores import Bucket
from models.units import DAY

router = APIRouter(prefix="/v1", tags=["forecasts"])
EPOCH = date(1970, 1, 1)
Moment = Annotated[datetime | None, Query(examples=["2026-11-21T09:30:00Z"])]
Probability = Annotated[float, Query(gt=0, lt=1)]


def ms_of(moment: datetime | None, otherwise: int) -> int:
    """Raises Problem 422 for a moment without its zone."""
    if moment is None:
        return otherwise
    if moment.tzinfo is None:
        raise Problem(422, "invalid", f"{moment.isoformat()} has no time zone: write it as 2026-11-21T09:30:00Z")
    return from_iso(moment.isoformat())


@router.get("/slots/{slot_id}/history", response_model=shapes.History)
def show_history(
    wired: Wired,
    caller: Reader,
    slot_id: Id,
    since: Moment = None,
    until: Moment = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Buckets of 15 minutes.")] = 3_000,
) -> Answer:
    """The last 30 days, or from `since` to `until`."""
    now = wired.now()
    end = ms_of(until, now + 1)
    start = ms_of(since, end - 30 * DAY)
    with wired.ledger.read() as tx:
        slot = view.standing(tx, caller.scope, slot_id)
        refills = [r for r in view.refills(tx, slot_id, 500) if start <= from_iso(r["refilled_at"]) < end]
        used = view.usage(tx, slot_id)
    buckets = wired.series.buckets(slot_id, start, end, limit + 1)
    return Answer(
        {
            "slot_id": slot_id,
            "unit": slot["unit"],
            "since_at": iso(start),
            "until_at": iso(end),
            "truncated": len(buckets) > limit,
            "levels": [_bucket(bucket) for bucket in buckets[:limit]],
            "refills": refills,
            "usage": usage_days([u for u in used if start // DAY <= u[0] <= end // DAY], slot["capacity"]),
        }
    )


@router.get("/slots/{slot_id}/usage", response_model=shapes.Usage)
@quick
def show_usage(wired: Wired, caller: Reader, slot_id: Id, days: Annotated[int, Query(ge=1, le=3_660)] = 400) -> Answer:
    """Use per local day, newest first."""
    with wired.ledger.read() as tx:
        slot = view.standing(tx, caller.scope, slot_id)
        used = view.usage(tx, slot_id, days)
    return Answer({"slot_id": slot_id, "unit": slot["unit"], "days": usage_days(used, slot["capacity"])})


@router.get("/slots/{slot_id}/forecast", response_model=shapes.Forecast)
@quick
def show_forecast(
    wired: Wired,
    caller: Reader,
    slot_id: Id,
    before: Annotated[list[datetime], Query(description="P(empty before each of these).", max_length=100)] = [],  # noqa: B006 - FastAPI copies it
    quantile: Annotated[list[Probability], Query(description="Instead of the usual ones.", max_length=100)] = [],  # noqa: B006 - FastAPI copies it
) -> Answer:
    """Quantiles of the days until empty, and P(empty before a date)."""
    moments = [ms_of(moment, 0) for moment in before]
    with wired.ledger.read() as tx:
        found = view.standing(tx, caller.scope, slot_id)
    return Answer(outlook.forecast(slot_id, found, wired.now(), moments, quantile))


@router.get("/demand", response_model=shapes.Demand)
def show_demand(
    wired: Wired,
    caller: Reader,
    sku: Annotated[str, Query(max_length=64, examples=["TN-K"])],
    site: int | None = None,
    account: int | None = None,
    weeks: Annotated[int, Query(ge=1, le=26)] = 8,
    quantiles: Annotated[str, Query(max_length=200, description="Comma-separated.")] = "0.1,0.5,0.9",
) -> Answer:
    """Units of a product that will be used per week, at a site, in an account, or everywhere that the caller sees."""
    wanted = _probabilities(quantiles)
    return Answer(demand.forecast(wired, caller.scope, sku, site, account, weeks, wanted))


def _probabilities(text: str) -> list[float]:
    try:
        out = sorted({float(part) for part in text.split(",") if part.strip()})
    except ValueError:
        out = []
    if not out or len(out) > 20 or not all(0 < p < 1 for p in out):
        raise Problem(422, "invalid", f"quantiles {text!r}: up to 20 numbers between 0 and 1, as in 0.1,0.5,0.9")
    return out


def usage_days(used: list[tuple[int, float]], capacity: float) -> list[dict[str, Any]]:
    return [
        {
            "day": (EPOCH + timedelta(days=day)).isoformat(),
            "share": round(total / 100, 6),
            "amount": round(total / 100 * capacity, 3),
        }
        for day, total in used
    ]


def _bucket(bucket: Bucket) -> dict[str, Any]:
    _, start, readings, _, first, last, low = bucket
    levels = {"first": _share(first), "last": _share(last), "low": _share(low)}
    return {"start_at": iso(start), "readings": readings} | levels


def _share(level: float) -> float | None:
    return None if math.isnan(level) else view.share(level)
