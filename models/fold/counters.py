"""Counters only grow. What else they do is a wrap, a reset or another board; only plausible growth is counted."""

from typing import Any

from models.jit import f64, i64, inner
from models.layout import NO_TOTAL
from models.units import DAY

GREW, BEGAN, WRAPPED, RESET, IMPLAUSIBLE = 0, 1, 2, 3, 4
LEAST_SHARE = 0.25  # of a day: a burst may take a quarter of the daily limit at once


@inner
def allowed(device: Any, c: int, ts: int) -> float:
    """Plausible growth since the last value, in whole numbers; negative: unlimited."""
    limit = f64(device.limit[c])
    if limit <= 0.0:
        return -1.0
    # what had begun when it was read last shows only now: one more
    return limit * max((ts - i64(device.counted[c])) / DAY, LEAST_SHARE) + 1.0


@inner
def judge_growth(device: Any, c: int, value: int, ts: int) -> tuple[int, int]:
    """(what happened, by how much the total grows)."""
    last = i64(device.value[c])
    wrap = i64(device.wrap[c])
    most = allowed(device, c, ts)
    if i64(device.total[c]) == NO_TOTAL:
        return BEGAN, 0
    if value >= last:
        grown = value - last
        return (IMPLAUSIBLE, 0) if 0.0 <= most < grown else (GREW, grown)
    if wrap > last:
        grown = value + wrap - last
        # without a limit a wrap is believed only from the last eighth to the first
        if grown <= most or (most < 0.0 and last > wrap - wrap // 8 and value < wrap // 8):
            return WRAPPED, grown
    if most < 0.0:
        return RESET, 0
    return (RESET, value) if value <= most else (IMPLAUSIBLE, 0)


@inner
def count(device: Any, c: int, value: int, ts: int) -> int:
    """Fold one value; what happened. Whatever it was, the value is the new baseline."""
    outcome, grown = judge_growth(device, c, value, ts)
    device.total[c] = value if outcome == BEGAN else i64(device.total[c]) + grown
    device.value[c] = value
    device.counted[c] = max(ts, i64(device.counted[c]))
    return outcome
