"""The outlook of slots at a moment: predicted to now, median and spread of the time of empty, P(empty before arrival).

One scalar function per slot; `assess` runs it over rows. Time of a slot that age meters is calendar time since its
cycle opened, of any other business time from now.
"""

from math import isnan, sqrt
from typing import Any

import numpy as np

from models.calendar import tau_at, time_at
from models.decide.lead import UNKNOWN_LEAD, arrivals, mean16
from models.depletion.exact import MOST_SPREAD, covariance_after, empty_before, forecast, quantile
from models.depletion.normal import EDGE, PER_UNIT, TABLE
from models.depletion.odd import SUSPECT, SUSPENSE
from models.depletion.pace import pace_of, run_time
from models.facts import Meter
from models.fold.clock import mark_of, run_since, shown, told_by
from models.jit import entry, f64, fingerprint, i64, inner
from models.layout import LEAD_POINTS
from models.units import DAY, MINUTE

AGE_SPREAD = 0.1
"""Spread of the life of what only ages (a battery, a sensor cell), as the standard deviation of its logarithm."""
EMPTY = 0.5  # per cent; at or below this a slot counts as empty, and its time stands still
SOONEST_LOOK = 15 * MINUTE
LATEST_LOOK = DAY

OUTLOOK = np.dtype(
    [
        ("row", "<i8"),
        ("known", "?"),  # there is a forecast
        ("median", "<f8"),  # T: of the slot's clock; without a forecast 0
        ("spread", "<f8"),
        ("elapsed", "<f8"),  # of the slot's clock until now
        ("tau", "<f8"),  # business time now
        ("level", "<f8"),  # predicted to now; NaN without a forecast
        ("rate", "<f8"),  # per cent per business day
        ("counts", "<f8"),  # of the counter that is its clock, per business day; 0: none is
        ("probability", "<f8"),  # P(empty before arrival); where it is below the threshold for sure: its upper bound
        ("threshold", "<f8"),
        ("near", "?"),  # the threshold may be reached with the longest lead time
        ("empty", "<i8"),  # median time of empty, ms
        ("look", "<i8"),  # when to look again if nothing is heard
    ]
)

DETAIL = np.dtype(
    [
        ("probability", "<f8"),
        ("earlier", "<f8"),  # if ordered a day earlier
        ("later", "<f8"),
        ("lead", "<i8", (LEAD_POINTS,)),  # ms from now to arrival
        ("quantiles", "<i8", (9,)),
    ]
)

LEAD = np.dtype([("at", "<i8", (LEAD_POINTS,)), ("tau", "<f8", (LEAD_POINTS,)), ("stamp", "<i8")])
"""Arrivals of a lane, ms and business time from now; `stamp`: the moment that they are of."""

_AGE = int(Meter.AGE)


@inner
def normal_z(p: float) -> float:
    """The table's grid point at or below which the probability is `p`."""
    low, high = 0, 2 * EDGE * PER_UNIT
    while high - low > 1:
        middle = (low + high) // 2
        if f64(TABLE[middle]) <= p:
            low = middle
        else:
            high = middle
    return low / PER_UNIT - EDGE


@inner
def believe(slot: Any, device: Any, classes: Any, days: Any, first: int, count: int, now: int, out: Any) -> None:
    """Predict the slot to `now` and forecast: fills known, median, spread, elapsed, tau, level, rate, counts of `out`.

    The filter of a slot with a counter as its clock knows usual days of counting; the pace turns them into business
    days, and its own uncertainty comes on top.
    """
    out.tau = tau_at(days, first, count, now)
    out.elapsed = 0.0
    out.known = True
    out.rate = f64(slot.rate)
    out.counts = 0.0
    if slot.meter == _AGE:
        life = max(f64(slot.capacity), 1.0)
        elapsed = max((now - i64(slot.opened)) / DAY, 0.0)
        out.median = life
        out.spread = AGE_SPREAD
        out.elapsed = elapsed
        out.level = max(100.0 * (1.0 - elapsed / life), 0.0)
        return
    level = f64(slot.level)
    if isnan(level) or slot.class_row < 0:
        out.known = False
        out.median = 0.0
        out.spread = 0.0
        out.level = np.nan
        return
    c = classes[slot.class_row]
    rate = f64(slot.rate)
    prior = f64(c.rate)
    dt = 0.0
    if level > EMPTY:
        dt = max(f64(out.tau) - tau_at(days, first, count, i64(slot.read)), 0.0)
    pace, counter = 1.0, i64(slot.counter)
    clocked = told_by(device, slot)
    if clocked:
        pace = pace_of(device, counter)
        out.rate = rate * pace
        out.counts = f64(device.usual[counter]) * pace
    if clocked and level > EMPTY:
        silent = max(f64(out.tau) - tau_at(days, first, count, i64(device.counted[counter])), 0.0)
        dt = run_since(device, counter, shown(device, counter, silent), mark_of(slot), dt)
    p11, _, p22 = covariance_after(
        rate,
        f64(slot.p11),
        f64(slot.p12),
        f64(slot.p22),
        f64(slot.phi),
        f64(c.eta),
        4.0 * prior * prior,
        dt,
    )
    level = max(level - rate * dt, 0.0)
    out.level = level
    median, spread = forecast(
        level,
        0.0,
        rate,
        p11,
        p22,
        f64(slot.phi),
        f64(slot.used),
        f64(slot.span),
        prior,
        f64(c.kappa),
        f64(c.eta),
    )
    if clocked:
        median, cv2 = run_time(device, counter, median, f64(c.kappa))
        spread = sqrt(min(spread * spread + cv2, MOST_SPREAD))
    out.median = median
    out.spread = spread


@inner
def clock_of(slot: Any, tau: float, elapsed: float, days: Any, first: int, count: int, now: int, then: int) -> float:
    """The slot's clock at the moment `then`."""
    if slot.meter == _AGE:
        return elapsed + (then - now) / DAY
    return tau_at(days, first, count, then) - tau


@inner
def moment(slot: Any, at: float, tau: float, elapsed: float, days: Any, first: int, count: int, now: int) -> int:
    """When the slot's clock shows `at`, ms; not before now."""
    if slot.meter == _AGE:
        return now + i64(max(at - elapsed, 0.0) * DAY)
    return max(time_at(days, first, count, tau + at), now)


@inner
def lead_to(
    slot: Any, sites: Any, accounts: Any, lanes: Any, days: Any, first: int, count: int, ordered: int, out: Any
) -> None:
    """Arrivals (16, ms) of what is ordered for the slot at `ordered`."""
    lane = slot.lane_row
    account = sites[slot.site_row].account_row
    review = i64(accounts[account].review)
    if lane >= 0 and lanes[lane].version > 0:
        arrivals(days, first, count, ordered, lanes[lane].grid, i64(lanes[lane].cutoff), review, out)
    else:
        for k in range(LEAD_POINTS):
            out[k] = ordered + UNKNOWN_LEAD + review


@inner
def chance(
    slot: Any, at: Any, tau: float, elapsed: float, days: Any, first: int, count: int, now: int, o: Any, p: Any
) -> float:
    """Mean over the arrivals `at` of P(empty before), with the outlook `o`; `p`: room for 16 numbers."""
    for k in range(LEAD_POINTS):
        x = clock_of(slot, tau, elapsed, days, first, count, now, i64(at[k]))
        p[k] = empty_before(x, f64(o.median), f64(o.spread))
    return mean16(p)


@inner
def assess_rows(
    rows: Any,
    lane_place: Any,
    now: int,
    slots: Any,
    devices: Any,
    sites: Any,
    accounts: Any,
    calendars: Any,
    classes: Any,
    lanes: Any,
    days: Any,
    leads: Any,
    p: Any,
    out: Any,
) -> int:
    """Outlook of each row (its site and account known), into `out`. `leads` keeps each lane's arrivals for the tick.

    lane_place: of each row, the place of its lane in `leads`. p: room for 16 numbers.
    """
    for i in range(len(rows)):
        row = rows[i]
        slot, o = slots[row], out[i]
        site = sites[slot.site_row]
        first, count = 0, 0
        if site.calendar_row >= 0:
            calendar = calendars[site.calendar_row]
            first, count = i64(calendar.first), i64(calendar.count)
        o.row = row
        threshold = 1.0 - f64(accounts[site.account_row].service_level)
        o.threshold = threshold
        believe(slot, devices[slot.device_row], classes, days, first, count, now, o)
        if not o.known:
            o.probability = 0.0
            o.near = False
            o.empty = now + LATEST_LOOK * 3650
            o.look = now + LATEST_LOOK
            continue
        lead = leads[lane_place[i]]
        if slot.lane_row < 0:
            lead.stamp = -1  # of no supplier: the account's review differs from site to site
        tau, elapsed = f64(o.tau), f64(o.elapsed)
        if lead.stamp != now:
            lead_to(slot, sites, accounts, lanes, days, first, count, now, lead.at)
            for k in range(LEAD_POINTS):
                lead.tau[k] = tau_at(days, first, count, i64(lead.at[k])) - tau
            lead.stamp = now
        aged = slot.meter == _AGE
        longest = 0.0
        for k in range(LEAD_POINTS):
            x = elapsed + (i64(lead.at[k]) - now) / DAY if aged else f64(lead.tau[k])
            longest = max(longest, x)
        median, spread = f64(o.median), f64(o.spread)
        bound = empty_before(longest, median, spread)
        o.near = bound >= threshold
        o.probability = bound
        if bound >= threshold:
            for k in range(LEAD_POINTS):
                x = elapsed + (i64(lead.at[k]) - now) / DAY if aged else f64(lead.tau[k])
                p[k] = empty_before(x, median, spread)
            o.probability = mean16(p)
        o.empty = moment(slot, median, tau, elapsed, days, first, count, now)
        # uncertainty grows and lead times change while nobody looks: half of the way, at least once a day
        wait = 0.5 * (quantile(normal_z(threshold), median, spread) - longest)
        o.look = now + min(max(i64(min(max(wait, 0.0), 2.0) * DAY), SOONEST_LOOK), LATEST_LOOK)
        ends = i64(slot.odd_read) + SUSPENSE
        if i64(slot.flags) & SUSPECT and ends > now:
            o.look = min(i64(o.look), ends)
    return len(out)


@inner
def detail_rows(
    outlooks: Any,
    now: int,
    slots: Any,
    sites: Any,
    accounts: Any,
    calendars: Any,
    classes: Any,
    lanes: Any,
    days: Any,
    receipt: bool,
    normal: Any,
    at: Any,
    p: Any,
    out: Any,
) -> int:
    """What a view or a receipt shows of each outlook; without a forecast only the lead. `normal`: NORMAL_Z;
    `at`, `p`: room for 16 numbers."""
    for i in range(len(outlooks)):
        o, d = outlooks[i], out[i]
        slot = slots[o.row]
        site = sites[slot.site_row]
        first, count = 0, 0
        if site.calendar_row >= 0:
            calendar = calendars[site.calendar_row]
            first, count = i64(calendar.first), i64(calendar.count)
        tau, elapsed = f64(o.tau), f64(o.elapsed)
        lead_to(slot, sites, accounts, lanes, days, first, count, now, at)
        for k in range(LEAD_POINTS):
            d.lead[k] = at[k] - now
        if not o.known:
            continue
        d.probability = chance(slot, at, tau, elapsed, days, first, count, now, o, p)
        if receipt:
            lead_to(slot, sites, accounts, lanes, days, first, count, now - DAY, at)
            d.earlier = chance(slot, at, tau, elapsed, days, first, count, now, o, p)
            lead_to(slot, sites, accounts, lanes, days, first, count, now + DAY, at)
            d.later = chance(slot, at, tau, elapsed, days, first, count, now, o, p)
        calibrated = False
        if slot.class_row >= 0:
            z = classes[slot.class_row].z
            calibrated = f64(z[8]) != 0.0
        for k in range(9):
            zk = f64(classes[slot.class_row].z[k]) if calibrated else f64(normal[k])
            x = quantile(zk, f64(o.median), f64(o.spread))
            d.quantiles[k] = moment(slot, x, tau, elapsed, days, first, count, now)
    return len(out)


def _entry(logic: int) -> Any:
    def assess(*columns: Any) -> int:
        return assess_rows(*columns) if logic else 0

    return entry(assess)


def _detail_entry(logic: int) -> Any:
    def detail(*columns: Any) -> int:
        return detail_rows(*columns) if logic else 0

    return entry(detail)


assess = _entry(fingerprint(assess_rows))
detail = _detail_entry(fingerprint(detail_rows))
