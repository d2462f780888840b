"""What the counter clock is worth: the same machines, each level once by the calendar and once by the page counter.

python -m bench.clock [SEEDS]: pinball (days, mean over models.depletion.PROBABILITIES) and mean absolute error of the
median of the days to empty, both clocks on the same readings, per scenario; and how often the 80 % interval holds. The
prior, the calendar and the sensor are the same; nothing is calibrated.
"""

import sys
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from models.calendar import compile_days
from models.depletion import PROBABILITIES
from models.facts import AccountFact, CalendarFact, ClassFact, DeviceFact, Mode, SiteFact, SlotFact
from models.frame import COUNTER, MEASURE, READING, SIGNAL, SUPPLY, Frame
from models.partition import Partition
from models.records import Tick
from models.units import DAY, HOUR

Floats = npt.NDArray[np.float64]

START = 1_780_272_000_000  # Monday 2026-06-01 00:00 UTC
OFFICE = (1.3, 1.4, 1.4, 1.3, 1.2, 0.2, 0.2)
DAYS, PER_DAY, LEARNING, EVERY = 200, 4, 15, 5
DEVICES, USUAL = 80, 260.0
TYPICAL = 40.0  # days that a supply lasts at the usual pace


@dataclass(frozen=True)
class Scenario:
    name: str
    daily: float = 0.3  # spread of the logarithm of a day's pages
    heavy: float = 0.0  # chance of a day with five times the pages
    shift: float = 0.0  # spread of the logarithm of a change of pace, one in 30 days
    drift: float = 0.0  # spread of the logarithm of what a page takes, anew each day: colour
    quantum: float = 1.0
    told: float = 1.0  # share of the days on which the counter is told
    calendar: tuple[float, ...] = OFFICE


SCENARIOS = (
    Scenario("even pace"),
    Scenario("heavy days", heavy=0.05),
    Scenario("changes of pace", shift=0.7),
    Scenario("changes, week not known", shift=0.7, calendar=(1,) * 7),
    Scenario("changes, steps of 10 %", shift=0.7, quantum=10),
    Scenario("changes, steps of 25 %", shift=0.7, quantum=25),
    Scenario("changes, counter told on a day in 4", shift=0.7, told=0.25),
    Scenario("what a page takes differs by day", shift=0.7, drift=0.5),
)


@dataclass(frozen=True)
class Truth:
    """Of each step and device."""

    pages: npt.NDArray[np.int64]  # the counter
    level: Floats
    empty: Floats  # days from the step until it is empty; NaN: not within the run
    told: npt.NDArray[np.bool_]


def simulate(s: Scenario, chance: np.random.Generator) -> Truth:
    """A supply that is empty is replaced at once; the days to empty are exact to a step."""
    shape, steps = (DAYS, DEVICES), DAYS * PER_DAY
    own = np.exp(chance.normal(0, 0.5, DEVICES))
    takes = np.exp(chance.normal(0, 0.2, DEVICES)) * np.exp(chance.normal(0, s.drift, shape))
    change = np.where(chance.random(shape) < 1 / 30, chance.normal(0, s.shift, shape), 0.0)
    pace = np.clip(own * np.exp(np.cumsum(change, axis=0)), 0.05, 8.0)
    day = pace * np.exp(chance.normal(0, s.daily, shape)) * np.where(chance.random(shape) < s.heavy, 5.0, 1.0)
    day *= np.array(OFFICE)[np.arange(DAYS) % 7][:, None]
    share = np.array([0.05, 0.4, 0.45, 0.1])
    pages = (day[:, None, :] * share[:, None] * USUAL).reshape(steps, DEVICES)
    used = np.cumsum(pages * np.repeat(takes, PER_DAY, axis=0) * (100.0 / TYPICAL / USUAL), axis=0)
    used += chance.uniform(0, 100, DEVICES)
    ends = 100.0 * (np.floor(used / 100.0) + 1.0)
    left = np.full(used.shape, np.nan)
    for d in range(DEVICES):
        at = np.searchsorted(used[:, d], ends[:, d])
        inside = at < steps
        left[inside, d] = (at[inside] - np.arange(steps)[inside]) / PER_DAY
    told = np.repeat(chance.random(shape) < s.told, PER_DAY, axis=0)
    return Truth(np.cumsum(pages, axis=0).astype(np.int64), ends - used, left, told)


def machines(s: Scenario) -> Partition:
    """Of device d the slots 2 d (by the calendar) and 2 d + 1 (by the counter)."""
    partition = Partition(0)
    starts, weights, opened = compile_days("UTC", date(2026, 5, 1), DAYS + 700, s.calendar, (), (1,) * 7)
    blocks = starts.tobytes(), weights.tobytes(), opened.tobytes()
    records = [
        AccountFact(version=1, account=1, mode=Mode.OFF),
        CalendarFact(version=1, calendar=1, starts=blocks[0], weights=blocks[1], open_days=blocks[2]),
        SiteFact(version=1, site=1, account=1, calendar=1, mode=Mode.OFF),
        ClassFact(version=1, slot_class=1, rate=100.0 / TYPICAL),
    ]
    for d in range(1, DEVICES + 1):
        records.append(DeviceFact(version=1, device=d, account=1, site=1, counters=1, counter_usuals=(USUAL,)))
        for slot, clock in ((2 * d, -1), (2 * d + 1, 0)):
            fact = SlotFact(
                version=1, slot=slot, device=d, name=f"s{slot}", slot_class=1, product=0, lane=0, clock=clock,
                quantum=s.quantum, registered=START,
            )  # fmt: skip
            records.append(fact)
    for n, record in enumerate(records):
        partition.step(n, record)
    return partition


def frame(s: Scenario, truth: Truth, step: int) -> Frame:
    """All devices speak at the end of the step."""
    reading, supply = np.zeros(DEVICES, READING), np.zeros(2 * DEVICES, SUPPLY)
    reading["device"], reading["boot"], reading["seq"] = np.arange(1, DEVICES + 1), 1, step + 1
    reading["ts"], reading["supplies"] = START + (step + 1) * (24 // PER_DAY) * HOUR, 2
    told = truth.told[step]
    reading["counters"] = told
    counter = np.zeros(int(told.sum()), COUNTER)
    counter["value"] = 10_000 + truth.pages[step][told]
    supply["slot"] = np.arange(2, 2 * DEVICES + 2)
    shown = np.minimum(np.ceil(truth.level[step] / s.quantum) * s.quantum, 100.0)
    supply["low"] = supply["high"] = np.repeat(shown, 2)
    return Frame(reading, supply, counter, np.zeros(0, MEASURE), np.zeros(0, SIGNAL))


def forecasts(s: Scenario, truth: Truth) -> tuple[Floats, Floats]:
    """(days to empty, quantiles of both clocks), of all moments whose truth is known: (n,), (n, 2, 9)."""
    partition = machines(s)
    days, quantiles = [], []
    for step in range(DAYS * PER_DAY):
        offset = 10_000 + 2 * step
        partition.step(offset, frame(s, truth, step))
        if step % (EVERY * PER_DAY) or step < LEARNING * PER_DAY:
            continue
        now = START + (step + 1) * (24 // PER_DAY) * HOUR + 1
        partition.step(offset + 1, Tick(now, HOUR))
        told = {view.slot: view.quantiles for view in partition.views()}
        known = np.flatnonzero(~np.isnan(truth.empty[step]))
        days.append(truth.empty[step][known])
        mine = [[told[2 * d + 2], told[2 * d + 3]] for d in known.tolist()]
        quantiles.append((np.array(mine, np.float64) - now) / DAY)
    return np.concatenate(days), np.concatenate(quantiles)


def scores(days: Floats, quantiles: Floats) -> Floats:
    """(pinball, mean absolute error, cover of the 80 % interval) of each clock, (2, 3)."""
    error = days[:, None, None] - quantiles
    p = np.array(PROBABILITIES)
    pinball = np.maximum(p * error, (p - 1.0) * error).mean(axis=(0, 2))
    inside = (days[:, None] >= quantiles[:, :, 2]) & (days[:, None] <= quantiles[:, :, 6])
    return np.stack([pinball, np.abs(error[:, :, 4]).mean(axis=0), inside.mean(axis=0)], axis=1)


def main(seeds: int) -> None:
    head = f"calendar / counter, days; {seeds} seeds"
    print(f"{head:38} {'pinball':>15} {'MAE':>15} {'cover 80 %':>15}  wins")
    for s in SCENARIOS:
        found = [scores(*forecasts(s, simulate(s, np.random.default_rng(seed)))) for seed in range(seeds)]
        mean = np.mean(found, axis=0)
        wins = sum(bool(one[1, 0] < one[0, 0]) for one in found)
        shown = "".join(f" {mean[0, k]:7.2f}{mean[1, k]:8.2f}" for k in range(3))
        print(f"{s.name:38}{shown}  {wins}/{seeds}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
