"""Business time: how much of a site's usual use lies between two moments, in business days (tau).

A calendar is a run of local days with weights (weekday x holiday). Its rows carry the weight summed up to each local
midnight, so that tau is one look-up and one interpolation. Outside of the run its mean weight goes on.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from models.jit import f64, i64, jit
from models.layout import LOCAL_DAY
from models.units import DAY
from models.week.shape import HOLIDAY

EPOCH = date(1970, 1, 1).toordinal()
NOON = DAY // 2


def compile_days(
    zone: str,
    start_day: date,
    days: int,
    weekday_weights: Sequence[float],
    holidays: Collection[date],
    open_days: Sequence[float],
    holiday: float = HOLIDAY,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Local midnights (ms, days + 1 of them), weights and whether goods can arrive, from `start_day` on.

    Weekdays begin with Monday; `holiday` is a holiday's use as a share of its weekday's. A midnight that a change of
    the clock skips begins with the change.
    Raises zoneinfo.ZoneInfoNotFoundError for a name that the IANA data base does not have.
    """
    place = ZoneInfo(zone)
    dates = [start_day + timedelta(days=k) for k in range(days + 1)]
    starts = [int(datetime(d.year, d.month, d.day, tzinfo=place).timestamp()) * 1000 for d in dates]
    free = set(holidays)
    weights = [weekday_weights[d.weekday()] * (holiday if d in free else 1.0) for d in dates[:days]]
    opened = [1 if open_days[d.weekday()] and d not in free else 0 for d in dates[:days]]
    return np.array(starts, np.int64), np.array(weights, np.float32), np.array(opened, np.uint8)


def first_day(starts: npt.NDArray[np.int64]) -> int:
    """Local day number since 1970-01-01 of the first midnight, for zones from UTC-10 to UTC+13 (else one day off)."""
    return (int(starts[0]) + 27 * DAY // 48) // DAY


def day_rows(
    starts: npt.NDArray[np.int64], weights: npt.NDArray[np.float32], opened: npt.NDArray[np.uint8]
) -> npt.NDArray[Any]:
    """Rows of models.layout.LOCAL_DAY, one more than days: the last ends the run."""
    rows = np.zeros(len(starts), LOCAL_DAY)
    rows["start"] = starts
    rows["weight"][:-1] = weights
    rows["open"][:-1] = opened
    total = 0.0
    for k, weight in enumerate(weights.tolist()):
        total += weight
        rows["tau"][k + 1] = total
    return rows


@jit
def day_at(days: Any, first: int, count: int, ts: int) -> int:
    """Which of the calendar's days `ts` lies in: 0 .. count - 1, the nearest if it lies outside."""
    k = min(max((ts - i64(days[first].start)) // DAY, 0), count - 1)  # off by few: local days are 23 to 25 hours long
    while k > 0 and i64(days[first + k].start) > ts:
        k -= 1
    while k < count - 1 and i64(days[first + k + 1].start) <= ts:
        k += 1
    return k


@jit
def tau_at(days: Any, first: int, count: int, ts: int) -> float:
    """Business days from the calendar's beginning to `ts`; plain days since 1970 without a calendar (count 0)."""
    return tau_on(days, first, count, day_at(days, first, count, ts), ts) if count > 0 else ts / DAY


@jit
def tau_on(days: Any, first: int, count: int, k: int, ts: int) -> float:
    """tau_at of a moment whose day_at is `k`."""
    day, following = days[first + k], days[first + k + 1]
    start, end = i64(day.start), i64(following.start)
    if start <= ts < end:
        return f64(day.tau) + (ts - start) / (end - start) * f64(day.weight)
    total = f64(days[first + count].tau)
    return (ts - start) / DAY * (total / count) if ts < start else total + (ts - end) / DAY * (total / count)


@jit
def time_at(days: Any, first: int, count: int, tau: float) -> int:
    """The first moment at which business time has reached `tau`: the inverse of tau_at, in ms."""
    if count == 0:
        return i64(tau * DAY)
    total = f64(days[first + count].tau)
    mean = max(total / count, 1e-3)
    if tau <= 0.0:
        return i64(days[first].start) + i64(tau / mean * DAY)
    if tau > total:
        return i64(days[first + count].start) + i64((tau - total) / mean * DAY)
    low, high = 0, count  # tau at low < tau <= tau at high
    while high - low > 1:
        middle = (low + high) // 2
        if f64(days[first + middle].tau) < tau:
            low = middle
        else:
            high = middle
    k = first + low
    start = i64(days[k].start)
    weight = max(f64(days[k].weight), 1e-9)
    share = min((tau - f64(days[k].tau)) / weight, 1.0)
    return start + i64(share * (i64(days[k + 1].start) - start))


@jit
def local_day(days: Any, first: int, count: int, number: int, ts: int) -> int:
    """Local day number since 1970-01-01; `number` is that of the calendar's first day. UTC without a calendar."""
    return local_day_on(days, first, count, number, day_at(days, first, count, ts), ts) if count > 0 else ts // DAY


@jit
def local_day_on(days: Any, first: int, count: int, number: int, k: int, ts: int) -> int:
    """local_day of a moment whose day_at is `k`."""
    if 0 < k < count - 1:
        return number + k
    start = i64(days[first + k].start)
    return number + k + (ts - start) // DAY if ts < start or k == count - 1 else number + k


@jit
def next_open(days: Any, first: int, count: int, ts: int) -> int:
    """`ts` if goods can arrive on its local day, else the beginning of the next day on which they can."""
    if count == 0 or ts >= i64(days[first + count].start):
        return ts
    k = day_at(days, first, count, ts)
    if days[first + k].open != 0:
        return ts
    while k < count and days[first + k].open == 0:
        k += 1
    return i64(days[first + k].start)
