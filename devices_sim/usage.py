"""How much a machine is used: weekdays, seasons, holidays, drift, shifts, idle stretches, heavy days; overdispersed.

The shape follows the fleet that the science was measured on: between-device spread, a slow log wobble, abrupt shifts
about every 240 days, closures of 4 to 20 days. Every day is drawn from (seed, device, day) alone.
"""

import math
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from devices_sim.chance import draws, number, smooth

OFFICE = (0, 0, 0, 0, 0, 0, 0.2, 1, 3, 5, 5, 4, 3, 4, 5, 5, 4, 2, 1, 0.3, 0.1, 0, 0, 0)
CAFE = (0, 0, 0, 0, 0, 0.5, 2, 5, 6, 4, 3, 3, 4, 5, 4, 3, 2, 1, 0.5, 0.3, 0.1, 0, 0, 0)
SHIFTS = (2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 2, 2)
EVEN = (1,) * 24
SHIFT_DAYS = 240
IDLE_BLOCK_DAYS = 120


@lru_cache(maxsize=16_384)
def midnight(zone: str, day: int) -> int:
    """Local midnight of a day (ordinal) in UTC ms."""
    return int(datetime.combine(date.fromordinal(day), datetime.min.time(), ZoneInfo(zone)).timestamp() * 1_000)


@lru_cache(maxsize=16_384)
def _utc_day_offset(zone: str, hour: int) -> int:
    return datetime.fromtimestamp(hour * 3_600, ZoneInfo(zone)).toordinal()


def local_day(zone: str, at: int) -> int:
    """Ordinal of the local day at UTC ms (zones with odd minutes are off by less than an hour, at midnight)."""
    return _utc_day_offset(zone, at // 3_600_000)


@dataclass(slots=True)
class Usage:
    """Use of one device over time, in its own unit (pages, cups, hours)."""

    seed: int
    device: str
    per_day: float  # median of an ordinary working day
    zone: str = "UTC"
    weekdays: tuple[float, ...] = (1.0,) * 7
    holidays: frozenset[date] = frozenset()
    profile: tuple[float, ...] = OFFICE
    dispersion: float = 0.3  # variance of a day / (mean x ordinary day)
    season: float = 0.15
    wobble: float = 0.35
    _days: dict[int, tuple[float, ...]] = field(default_factory=dict)

    def level_of_day(self, day: int) -> float:
        """What is to be expected of this day before its own chance."""
        when = date.fromordinal(day)
        weight = self.weekdays[when.weekday()] * (0.1 if when in self.holidays else 1.0)
        season = 1 + self.season * math.cos(2 * math.pi * (when.timetuple().tm_yday - 30) / 365.25)
        drift = self.wobble * smooth(self.seed, ("drift", self.device), day / 28)
        block = (day + number(self.seed, "block", self.device) % SHIFT_DAYS) // SHIFT_DAYS
        shift = draws(self.seed, "shift", self.device, block).gauss(0, 0.35)
        return self.per_day * weight * season * math.exp(drift + shift) * (0.02 if self.idle(day) else 1.0)

    def idle(self, day: int) -> bool:
        block, offset = divmod(day, IDLE_BLOCK_DAYS)
        chance = draws(self.seed, "idle", self.device, block)
        if chance.random() > 0.25:
            return False
        start = chance.randrange(IDLE_BLOCK_DAYS - 20)
        return start <= offset < start + chance.randint(4, 20)

    def total(self, day: int) -> float:
        mean = self.level_of_day(day)
        if mean <= 0:
            return 0.0
        chance = draws(self.seed, "day", self.device, day)
        scale = self.dispersion * self.per_day
        amount = chance.gammavariate(mean / scale, scale)
        return amount * (chance.uniform(2.5, 5) if chance.random() < 0.015 else 1.0)

    def _hours(self, day: int) -> tuple[float, ...]:
        """Use since local midnight, at each full hour: 25 values."""
        known = self._days.get(day)
        if known is None:
            chance = draws(self.seed, "hours", self.device, day)
            weights = [share * chance.expovariate(1) for share in self.profile]
            whole = sum(weights) or 1.0
            amount, running, sums = self.total(day), 0.0, [0.0]
            for weight in weights:
                running += weight
                sums.append(amount * running / whole)
            if len(self._days) > 3:
                self._days.clear()
            known = self._days[day] = tuple(sums)
        return known

    def _until(self, day: int, at: int) -> float:
        hours = min(max((at - midnight(self.zone, day)) / 3_600_000, 0.0), 24.0)
        whole = min(int(hours), 23)
        sums = self._hours(day)
        return sums[whole] + (sums[whole + 1] - sums[whole]) * (hours - whole)

    def amount(self, after: int, until: int) -> float:
        """Use in (after, until], both UTC ms."""
        if until <= after:
            return 0.0
        first, last = local_day(self.zone, after), local_day(self.zone, until)
        if first == last:
            return self._until(last, until) - self._until(first, after)
        between = sum(self._hours(day)[24] for day in range(first + 1, last))
        return self._hours(first)[24] - self._until(first, after) + between + self._until(last, until)


def spread(seed: int, device: str, sigma: float = 0.6) -> float:
    """How much busier than its model's median this device is: log-normal."""
    return math.exp(draws(seed, "spread", device).gauss(0, sigma))


def holidays(first_year: int, years: int = 4) -> list[date]:
    """Fixed-date public holidays and the days between the years."""
    days = [(1, 1), (5, 1), (10, 3), (12, 24), (12, 25), (12, 26), (12, 31)]
    return [date(first_year + y, month, day) for y in range(years) for month, day in days]


def next_open(zone: str, open_days: tuple[int, ...], closed: frozenset[date], at: int, hour: int) -> int:
    """The first moment at or after `at` when the site takes goods: on an open day, not before the hour."""
    day = local_day(zone, at)
    for step in range(30):
        when = date.fromordinal(day) + timedelta(days=step)
        if open_days[when.weekday()] and when not in closed:
            return max(at, midnight(zone, when.toordinal()) + hour * 3_600_000)
    return at
