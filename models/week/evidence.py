"""What slots' spans say about their site's week, as a quadratic form that can be added up: over slots, sites, classes.

Near a week theta0 (seven weekday weights, one holiday factor) a slot's use in span i is linear in theta,
`y_i = r sum_d x_id v_d(theta) + error`, with x_id the span's share of day d. Errors: use itself spreads with variance
phi x mean; a sensor with step q adds q^2/12 to both ends of a span, with opposite signs to neighbours, so that steps of
a coarse sensor, which come on any day, are pooled over days and weeks instead of believed (generalised least squares).
Odd days weigh less (Huber, Robust Statistics, 1981).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.week.shape import TOTAL, Week
from models.week.spans import Floats, Ints, Spans, within

SIZE = 8  # seven weekdays and the holiday factor
DISPERSION = 1.2  # models.facts.ClassFact.dispersion: what a slot's own is drawn towards
DISPERSION_SPANS = 10.0  # as strongly as by so many spans
LEAST_DISPERSION = 0.05
LEAST_SPANS = 5
LEAST_STEPS = 2.0  # a slot that moved less has no rate
ROUNDS = 3
ODD = 3.0  # standard deviations
LOOSE = 0.5  # how far theta may go while it is looked for: standard deviation around the week that was given


class Days(NamedTuple):
    """The local days of a site."""

    starts: Ints  # ms, midnights, one more than days
    weekday: Ints  # 0 Monday .. 6
    holiday: Floats  # 1 where it is one


class Evidence(NamedTuple):
    """theta's log likelihood is -theta' a theta / 2 + b theta. Weekdays are in units in which they add up to TOTAL."""

    a: Floats  # SIZE x SIZE
    b: Floats
    slots: int = 0
    days: float = 0.0  # the longest history of them

    def __add__(self, other: object) -> "Evidence":
        if not isinstance(other, Evidence):
            return NotImplemented
        return Evidence(self.a + other.a, self.b + other.b, self.slots + other.slots, max(self.days, other.days))


NOTHING = Evidence(np.zeros((SIZE, SIZE)), np.zeros(SIZE))


class _Slot(NamedTuple):
    spans: Spans
    places: Floats  # see Spans.places


def gather(groups: Sequence[Sequence[Spans]], days: Days, given: Week) -> list[Evidence]:
    """Evidence of each group of slots (a device model) of one site, around the week that all of them suggest."""
    slots = [[_Slot(spans, spans.places(days.starts)) for spans in group if _enough(spans)] for group in groups]
    prior = vector(given)
    theta, found = prior, [NOTHING] * len(slots)
    for _ in range(ROUNDS):
        found = [sum((_slot(slot, days, theta) for slot in group), NOTHING) for group in slots]
        whole = sum(found, NOTHING)
        tight = np.eye(SIZE) / LOOSE**2
        theta = settled(np.linalg.solve(tight + whole.a, tight @ prior + whole.b))
    return found


def vector(week: Week) -> Floats:
    return np.array([*week.scaled(TOTAL).weekdays, week.holiday])


def settled(theta: npt.NDArray[np.floating[Any]]) -> Floats:
    """Within what can be: weights not below 0 that add up to TOTAL, a holiday factor of 0 to 1.5."""
    weekdays = np.clip(theta[:7], 0.0, None)
    total = float(weekdays.sum())
    scaled = weekdays * (TOTAL / total) if total > 0.0 else np.full(7, TOTAL / 7)
    return np.append(scaled, min(max(float(theta[7]), 0.0), 1.5))


def _enough(spans: Spans) -> bool:
    return len(spans.use) >= LEAST_SPANS and float(spans.use.sum()) > max(LEAST_STEPS * spans.step, 1.0)


def _slot(slot: _Slot, days: Days, theta: Floats) -> Evidence:
    spans = slot.spans
    slope = within(slot.places, _daily(days, theta))
    exposure = slope[:, :7] @ theta[:7]
    total = float(exposure.sum())
    if total <= 0.0:
        return NOTHING
    rate = float(spans.use.sum()) / total
    mean = rate * exposure
    slope *= rate
    rest = spans.use - mean
    target = np.column_stack((slope, rest + slope @ theta, rest))
    white = whitened(*_errors(spans, mean, rest), target)
    odd = np.abs(white[:, -1])
    trust = np.where(odd > ODD, ODD / np.maximum(odd, ODD), 1.0)
    jacobian = white[:, :SIZE]
    heard = float((spans.end[-1] - spans.begin[0]) / 86_400_000)
    return Evidence(jacobian.T @ (trust[:, None] * jacobian), jacobian.T @ (trust * white[:, SIZE]), 1, heard)


def _daily(days: Days, theta: Floats) -> Floats:
    """How a day's weight changes with each of theta, near theta: days x SIZE."""
    daily = np.zeros((len(days.weekday), SIZE))
    daily[np.arange(len(daily)), days.weekday] = 1.0 + days.holiday * (theta[7] - 1.0)
    daily[:, 7] = theta[:7][days.weekday] * days.holiday
    return daily


def whitened(own: Floats, beside: Floats, rows: Floats) -> Floats:
    """L^-1 rows of the covariance L L' that has `own` on its diagonal and `beside` next to it. Row by row: for matrices
    of this size a library's threads take more time than they save."""
    out = rows.copy()
    scale = own[0] ** 0.5
    out[0] /= scale
    for k, (variance, covariance) in enumerate(zip(own[1:].tolist(), beside.tolist(), strict=True), 1):
        ratio = covariance / scale
        scale = (variance - ratio * ratio) ** 0.5
        if ratio:
            out[k] -= ratio * out[k - 1]
        out[k] /= scale
    return out


def _errors(spans: Spans, mean: Floats, rest: Floats) -> tuple[Floats, Floats]:
    """Variances of the spans' use, and covariances of neighbours."""
    reading = spans.step**2 / 12.0
    usual = max(float(mean.mean()), 1e-6)
    own = _dispersion(spans.step, mean, rest) * np.maximum(mean, 0.1 * usual)
    return own + 2.0 * reading, np.where(spans.begin[1:] == spans.end[:-1], -reading, 0.0)


def _dispersion(step: float, mean: Floats, rest: Floats) -> float:
    """phi of this slot, drawn to the usual one. Seen over runs of spans that use two steps: within one, a coarse sensor
    shows its own steps and not how use spreads."""
    run = (np.cumsum(mean) / (2.0 * step) + 1e-9) // 1.0 if step > 0.0 else np.arange(len(mean))
    runs = np.unique(run, return_inverse=True)[1]
    used, squares = np.bincount(runs, mean), np.bincount(runs, rest) ** 2
    seen = float((squares - step**2 / 6.0).sum())
    known = DISPERSION_SPANS * max(float(used.mean()), 1e-6)
    return max((known * DISPERSION + seen) / (known + float(used.sum())), LEAST_DISPERSION)
