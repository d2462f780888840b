"""A slot's forecast out of its view: quantiles of days until empty, and how likely it is empty before a date."""

from collections.abc import Sequence
from math import exp, log
from statistics import NormalDist
from typing import Any, Final

from ledger.views.rows import iso
from ledger.views.slots import days
from models.depletion import NORMAL_Z, PROBABILITIES
from models.units import MINUTE, NEVER

NORMAL: Final = NormalDist()
LABELS: Final = tuple(f"{p:g}" for p in PROBABILITIES)


def empty_before(as_of: int, quantiles: Sequence[int], moment: int) -> float:
    """P(empty before `moment`), all in ms. Between quantiles, and with their slope beyond them, the normal score is
    linear in the logarithm of the time since `as_of`, as it is in the model (models.depletion.exact)."""
    if not quantiles or moment <= as_of:
        return 0.0
    known = [(log(max(q - as_of, MINUTE)), z) for q, z in zip(quantiles, NORMAL_Z, strict=True) if q < NEVER // 4]
    if len(known) < 2:
        return 0.0  # not in sight
    x = log(max(moment - as_of, MINUTE))
    if x >= known[-1][0] and known[-1][0] - known[0][0] < 1e-9:
        return 1.0  # it is empty already
    right = next((i for i in range(1, len(known)) if known[i][0] >= x), len(known) - 1)
    (x0, z0), (x1, z1) = known[right - 1], known[right]
    slope = (z1 - z0) / max(x1 - x0, 1e-9)
    return round(NORMAL.cdf(max(min(z0 + slope * (x - x0), 8.0), -8.0)), 6)


def quantile(as_of: int, quantiles: Sequence[int], p: float) -> int:
    """The time (ms) by which it is empty with probability `p`, by the same interpolation."""
    if not quantiles or quantiles[-1] >= NEVER // 4:
        return NEVER
    z = NORMAL.inv_cdf(p)
    known = [(log(max(q - as_of, MINUTE)), score) for q, score in zip(quantiles, NORMAL_Z, strict=True)]
    right = next((i for i in range(1, len(known)) if known[i][1] >= z), len(known) - 1)
    (x0, z0), (x1, z1) = known[right - 1], known[right]
    return as_of + round(exp(min(x0 + (x1 - x0) * (z - z0) / (z1 - z0), 40.0)))


def forecast(slot_id: int, view: Any, now: int, moments: Sequence[int], wanted: Sequence[float] = ()) -> dict[str, Any]:
    """`view`: row of ledger.views.slots.standing; `moments`: ms; `wanted`: probabilities beyond the usual ones."""
    quantiles, as_of = (view["quantiles"] or (), view["ts"]) if view["ts"] is not None else ((), 0)
    times = dict(zip(LABELS, quantiles, strict=True)) if quantiles else {}
    if wanted:
        times = {f"{p:g}": quantile(as_of, quantiles, p) for p in wanted} if quantiles else {}
    return {
        "slot_id": slot_id,
        "as_of_at": iso(as_of),
        "now_at": iso(now),
        "days_to_empty": {label: days(ms, now) for label, ms in times.items()},
        "empty_at": {label: iso(ms) for label, ms in times.items()},
        "p_empty_before": [
            {"before_at": iso(moment), "probability": empty_before(as_of, quantiles, moment)} for moment in moments
        ],
    }
