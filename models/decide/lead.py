"""Lead time: when goods would arrive that are ordered now (LIFECYCLE.md rule 7), as 16 equally likely moments."""

from typing import Any

from models.calendar import day_at, next_open
from models.jit import f64, i64, jit
from models.layout import LEAD_POINTS
from models.units import DAY

UNKNOWN_LEAD = 7 * DAY
"""Without a supplier: long enough that the ledger can tell a person in time that there is none."""


@jit
def taken_up(days: Any, first: int, count: int, now: int, cutoff: int) -> int:
    """When a supplier takes up what is ordered `now`: at the next cut-off, `cutoff` ms into a local day; 0: at once."""
    if cutoff == 0:
        return now
    midnight = now // DAY * DAY
    following = midnight + DAY
    if count > 0:
        k = first + day_at(days, first, count, now)
        start, end = i64(days[k].start), i64(days[k + 1].start)
        if start <= now < end:
            midnight, following = start, end
    return midnight + cutoff if now <= midnight + cutoff else following + cutoff


@jit
def arrivals(days: Any, first: int, count: int, now: int, grid: Any, cutoff: int, review: int, out: Any) -> None:
    """Fill out[0..15] with the arrivals (ms) of what is ordered at the chance after `now`, `review` ms later.

    Waiting is what is judged: an order placed now comes earlier, one placed at the next chance must still be in time.
    What arrives on a closed day comes on the next open one.
    """
    start = taken_up(days, first, count, now + review, cutoff)
    for k in range(LEAD_POINTS):
        out[k] = next_open(days, first, count, start + i64(grid[k]))


@jit
def mean16(p: Any) -> float:
    """Mean of 16 numbers, summed by halves: the same bits whoever sums."""
    a = (f64(p[0]) + f64(p[8])) + (f64(p[4]) + f64(p[12]))
    b = (f64(p[2]) + f64(p[10])) + (f64(p[6]) + f64(p[14]))
    c = (f64(p[1]) + f64(p[9])) + (f64(p[5]) + f64(p[13]))
    d = (f64(p[3]) + f64(p[11])) + (f64(p[7]) + f64(p[15]))
    return ((a + b) + (c + d)) * 0.0625
