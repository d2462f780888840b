"""Days to empty under one clock or another: the product's own filter over a site's readings, scored by pinball."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bench.week_world import HISTORY, MACHINES, TESTED, Floats, Place
from models.depletion import NORMAL_Z, PROBABILITIES
from models.depletion.exact import forecast, quantile
from models.depletion.filter import observe, rebase
from models.depletion.odd import RISEN
from models.depletion.prior import begin
from models.facts import ClassFact
from models.jit import entry, f64, fingerprint, inner
from models.layout import CLASS, SLOT
from models.week.shape import Week

EVERY = 3  # days between two forecasts of a slot
P = np.array(PROBABILITIES)
SOON = 14.0  # days: forecasts that decide about an order


@inner
def fold_rows(slots: Any, classes: Any, told: Any, steps: Any, starts: Any, tau: Any, out: Any) -> int:
    """Every midnight's reading into its slot's filter; median and spread of what is left, in business days."""
    for k in range(len(slots)):
        slot, c = slots[k], classes[k]
        last = 0
        for day in range(told.shape[1]):
            high = told[k, day]
            if np.isnan(high):
                continue
            low = max(high - steps[k], 0.0)
            if observe(slot, c, low, high, tau[day] - tau[last], starts[day], True, False) == RISEN:
                rebase(slot, low, high)
            last = day
            out[k, day, 0], out[k, day, 1] = forecast(
                f64(slot.level), 0.0, f64(slot.rate), f64(slot.p11), f64(slot.p22), f64(slot.phi),
                f64(slot.used), f64(slot.span), f64(c.rate), f64(c.kappa), f64(c.eta),
            )  # fmt: skip
    return len(slots)


def _entry(code: int) -> Any:
    def fold(*columns: Any) -> int:
        return fold_rows(*columns) if code else 0

    return entry(fold)


fold = _entry(fingerprint(fold_rows))


class Scores(NamedTuple):
    """Sums over the forecasts of one site."""

    pinball: float
    soon: float  # of those that ran empty within SOON
    count: int
    count_soon: int


def clock(place: Place, week: Week) -> Floats:
    """Business time at each midnight, and long after the world's end."""
    weights = np.array(week.weekdays)[place.days.weekday] * np.where(place.days.holiday > 0.0, week.holiday, 1.0)
    after = np.resize(np.array(week.weekdays), 4_000)
    return np.concatenate(([0.0], np.cumsum(np.concatenate((weights, after)))))


def score(place: Place, week: Week) -> Scores:
    """Fold the site's history by the default's clock, from HISTORY on by `week`'s, and forecast."""
    tau, before = clock(place, week), clock(place, Week())
    run = np.concatenate((before[:HISTORY] - before[HISTORY], tau[HISTORY:] - tau[HISTORY]))
    slots, classes = _rows(place)
    told = place.told[:, : HISTORY + TESTED]
    out = np.full((*told.shape, 2), np.nan)
    fold(slots, classes, told, place.steps, place.days.starts, run, out)
    losses, times = [], []
    for k in range(len(slots)):
        used = np.concatenate(([0.0], np.cumsum(place.used[k])))
        for day in range(HISTORY, HISTORY + TESTED, EVERY):
            median, spread = out[k, day]
            truth = _empty(used, day, float(place.left[k, day]))
            if np.isnan(median) or truth is None:
                continue
            ends = np.array([quantile(z, float(median), float(spread)) for z in NORMAL_Z])
            days = np.interp(run[day] + ends, run, np.arange(len(run))) - day
            error = truth - days
            losses.append(float(np.maximum(P * error, (P - 1.0) * error).mean()))
            times.append(truth)
    loss, soon = np.array(losses), np.array(times) <= SOON
    return Scores(float(loss.sum()), float(loss[soon].sum()), len(loss), int(soon.sum()))


def _empty(used: Floats, day: int, left: float) -> float | None:
    """Days from midnight `day` until `left` is used up, evenly within a day; None if the world ends before."""
    goal = used[day] + left
    if used[-1] < goal:
        return None
    k = int(np.searchsorted(used, goal))
    return float(k - 1 - day + (goal - used[k - 1]) / (used[k] - used[k - 1]))


def _rows(place: Place) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    slots, classes = np.zeros(len(place.models), SLOT), np.zeros(len(place.models), CLASS)
    for k, model in enumerate(place.models):
        fact = ClassFact(version=1, slot_class=1, rate=100.0 / MACHINES[model][1])
        for name in ("rate", "rate_cv2", "dispersion", "kappa", "eta", "half_slow"):
            classes[k][name] = getattr(fact, name)
        slots[k]["quantum"], slots[k]["level"] = place.steps[k], np.nan
        begin(slots[k], classes[k])
    return slots, classes
