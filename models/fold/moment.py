"""A reading's place in its site's calendar."""

from typing import Any, NamedTuple

from models.calendar import day_at, local_day_on, tau_at, tau_on
from models.jit import i64, inner
from models.units import DAY


class Moment(NamedTuple):
    ts: int  # never before the device's last one
    tau: float
    day: int  # local day number
    first: int  # the calendar's rows in the table of days
    length: int
    trains: bool  # backfilled: trains, never makes anything due


@inner
def moment_of(site_row: int, sites: Any, calendars: Any, days: Any, ts: int, trains: bool) -> Moment:
    calendar = i64(sites[site_row].calendar_row) if site_row >= 0 else -1
    if calendar < 0:
        return Moment(ts, ts / DAY, ts // DAY, 0, 0, trains)
    row = calendars[calendar]
    first, count, number = i64(row.first), i64(row.count), i64(row.day)
    if count == 0:
        return Moment(ts, ts / DAY, ts // DAY, 0, 0, trains)
    k = day_at(days, first, count, ts)
    tau = tau_on(days, first, count, k, ts)
    return Moment(ts, tau, local_day_on(days, first, count, number, k, ts), first, count, trains)


@inner
def elapsed(days: Any, moment: Moment, read: int) -> float:
    """Business days from `read`, the slot's last reading, to now; 0 if there was none."""
    if read == 0:
        return 0.0
    return max(moment.tau - tau_at(days, moment.first, moment.length, read), 0.0)
