"""A slot's past and future as SVG: levels, refills, the fan of when it will be empty. The style sheet colours it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from models.stores import Bucket
from models.units import DAY, NEVER

WIDTH, HEIGHT = 720.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 12.0, 12.0, 28.0
PAST: Final = 30 * DAY
MOST_AHEAD: Final = 60 * DAY
LEAST_AHEAD: Final = 7 * DAY
GAP: Final = 2 * DAY
"""Without a reading for so long the line breaks."""
BANDS: Final = ((1, 7, "outer"), (3, 5, "inner"))
"""Pairs of quantiles (indices in models.depletion.PROBABILITIES) and the class that colours the band between."""
MOST_POINTS: Final = 400


@dataclass(frozen=True, slots=True)
class Axes:
    first: int
    last: int

    def x(self, ms: float) -> float:
        share = (min(max(ms, self.first), self.last) - self.first) / (self.last - self.first)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    @staticmethod
    def y(level: float) -> float:
        return round(HEIGHT - BOTTOM - min(max(level, 0.0), 100.0) / 100 * (HEIGHT - TOP - BOTTOM), 1)

    def at(self, ms: float, level: float) -> str:
        return f"{self.x(ms)},{self.y(level)}"


def plot(view: Any, buckets: Sequence[Bucket], refills: Sequence[int], now: int, zone: str) -> dict[str, Any]:
    """What the template draws. `view`: row of ledger.views.slots.standing; `refills`: times, ms."""
    quantiles = view["quantiles"] or ()
    ahead = [q for q in quantiles if q < NEVER // 4]
    last = min(max([now + LEAST_AHEAD, *ahead[:8]]), now + MOST_AHEAD)
    axes = Axes(now - PAST, last)
    drawn: dict[str, Any] = {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "top": TOP,
        "bottom": HEIGHT - BOTTOM,
        "now": axes.x(now),
        "levels": [(axes.y(level), f"{level} %") for level in (0, 25, 50, 75, 100)],
        "dates": _dates(axes, zone),
        "lines": _lines(axes, buckets),
        "refills": [axes.x(ts) for ts in refills if ts >= axes.first],
        "interval": None,
        "bands": [],
        "median": "",
    }
    if view["ts"] is not None and view["level"] is not None:
        drawn["interval"] = (axes.x(view["ts"]), axes.y(view["level_high"]), axes.y(view["level_low"]))
        if len(ahead) == len(quantiles) and quantiles:
            drawn |= _fan(axes, view["ts"], view["level"], quantiles)
    return drawn


def _fan(axes: Axes, as_of: int, level: float, quantiles: Sequence[int]) -> dict[str, Any]:
    """Straight lines from the level to each date of empty, cut off where the picture ends."""

    def end(q: int) -> str:
        if q <= axes.last:
            return axes.at(q, 0)
        return axes.at(axes.last, level * (1 - (axes.last - as_of) / max(q - as_of, 1)))

    start = axes.at(as_of, level)
    bands = []
    for low, high, name in BANDS:
        corner = f" {axes.at(axes.last, 0)}" if quantiles[low] < axes.last < quantiles[high] else ""
        bands.append((name, f"{start} {end(quantiles[low])}{corner} {end(quantiles[high])}"))
    return {"bands": bands, "median": f"{start} {end(quantiles[4])}"}


def _lines(axes: Axes, buckets: Sequence[Bucket]) -> list[str]:
    known = [(bucket.start, bucket.last) for bucket in buckets if bucket.last == bucket.last]
    step = max(1, len(known) // MOST_POINTS)
    lines: list[list[str]] = []
    before = None
    for i, (start, level) in enumerate(known):
        jump = before is not None and (level - before[1] > 10 or start - before[0] > GAP)
        if before is None or jump:
            lines.append([])
        elif i % step and i != len(known) - 1:
            before = (start, level)
            continue
        lines[-1].append(axes.at(start, level))
        before = (start, level)
    return [" ".join(points if len(points) > 1 else points * 2) for points in lines]


def _dates(axes: Axes, zone: str) -> list[tuple[float, str]]:
    days = (axes.last - axes.first) / DAY
    every = 7 if days < 60 else 14
    day = datetime.fromtimestamp(axes.first / 1000, UTC).astimezone(ZoneInfo(zone))
    day = day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    out = []
    while (ms := day.timestamp() * 1000) < axes.last:
        if day.toordinal() % every == 1:
            out.append((axes.x(ms), day.strftime("%d %b")))
        day += timedelta(days=1)
    return out
