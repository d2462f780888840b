"""Sites whose week is known: what their machines use, day by day, and what their sensors say of it."""

import csv
import gzip
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.units import DAY
from models.week.evidence import Days
from models.week.shape import Week

Floats = npt.NDArray[np.float64]

MONDAY = 20_458 * DAY  # 2026-01-05
HISTORY = 26 * 7
TESTED = 16 * 7
LENGTH = HISTORY + TESTED + 26 * 7  # what is forecast in the end must still run empty
PROFILES = {
    "office": Week((1.0, 1.05, 1.05, 1.0, 0.85, 0.06, 0.03), 0.08),
    "shop": Week((0.9, 0.9, 0.95, 1.0, 1.3, 1.6, 0.0), 0.0),
    "school": Week((1.1, 1.1, 1.1, 1.0, 0.7, 0.0, 0.0), 0.15),
    "restaurant": Week((0.0, 0.7, 0.8, 0.9, 1.4, 1.8, 1.2), 1.3),
    "hospital": Week((1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.7), 0.75),
    "always on": Week((1.0,) * 7, 1.0),
}
MACHINES = {  # device model: slots, business days of a supply, how its days spread (cv)
    "copier": (4, 30.0, 0.5),
    "coffee": (2, 12.0, 0.35),
    "alarm": (1, 300.0, 0.05),
}
AT = {  # which device models stand where
    "office": ("copier", "copier", "coffee"),
    "shop": ("copier", "coffee"),
    "school": ("copier", "copier"),
    "restaurant": ("coffee", "coffee"),
    "hospital": ("copier", "coffee", "copier"),
    "always on": ("alarm", "alarm", "copier"),
}
STEPS = (1.0, 1.0, 5.0, 10.0, 25.0)
NOISES = (0.0, 0.0, 0.7)
SILENT = 0.06  # share of a device's days on which nothing is heard of it


class Place(NamedTuple):
    profile: str
    week: Week  # the true one, 7-day sum as the default's
    days: Days
    models: tuple[str, ...]  # of each slot
    left: Floats  # slots x (days + 1): true level at each midnight; refilled when empty
    used: Floats  # slots x days, per cent
    told: Floats  # slots x (days + 1): what the sensor says at each midnight, NaN where nothing was heard
    steps: Floats


def holidays(profile: str, chance: np.random.Generator) -> Floats:
    """Ten single days a year; a school has its weeks instead."""
    free = np.zeros(LENGTH)
    if profile == "school":
        for week in range(5, LENGTH // 7, 9):
            free[week * 7 : week * 7 + 14] = 1.0
    else:
        free[chance.choice(LENGTH, LENGTH * 10 // 365, replace=False)] = 1.0
    return free


def place(profile: str, chance: np.random.Generator) -> Place:
    """One site; its own week lies around its profile's."""
    shape = PROFILES[profile]
    own = np.array(shape.weekdays) * np.exp(chance.normal(0.0, 0.12, 7))
    week = Week(tuple(own), shape.holiday * float(np.exp(chance.normal(0.0, 0.2)))).scaled(Week().total)
    number = np.arange(LENGTH)
    weekday, free = number % 7, holidays(profile, chance)
    days = Days(MONDAY + DAY * np.arange(LENGTH + 1, dtype=np.int64), weekday, free)
    clock = np.array(week.weekdays)[weekday] * np.where(free > 0.0, week.holiday, 1.0)
    busy = np.exp(chance.normal(0.0, 0.15, LENGTH))  # days on which the whole site does more
    rows = [row for model in AT[profile] for row in _machine(model, clock * busy, chance)]
    models, used, left, told, steps = zip(*rows, strict=True)
    return Place(profile, week, days, models, np.array(left), np.array(used), np.array(told), np.array(steps))


def _machine(model: str, clock: Floats, chance: np.random.Generator) -> list[tuple[str, Floats, Floats, Floats, float]]:
    slots, lasts, spread = MACHINES[model]
    shape = 1.0 / spread**2
    day = clock * chance.gamma(shape, 1.0 / shape, LENGTH)
    drift = np.exp(np.cumsum(chance.normal(0.0, 0.01, LENGTH)))
    heard = np.append(chance.random(LENGTH) > SILENT, True)
    step, noise = float(chance.choice(STEPS)), float(chance.choice(NOISES))
    out = []
    for _ in range(slots):
        rate = 100.0 / (lasts * np.exp(chance.normal(0.0, 0.5)))
        used = rate * day * drift * chance.gamma(6.0, 1.0 / 6.0, LENGTH)
        left = emptied(used, chance.uniform(20.0, 100.0))
        said = np.where(heard, shown(left, step, noise, chance, silent=0.0), np.nan)
        out.append((model, used, left, said, step))
    return out


def emptied(used: Floats, level: float) -> Floats:
    """Levels at midnights; an empty one is swapped at once, and the new one goes on where the old one ended."""
    left = np.empty(len(used) + 1)
    left[0] = level
    for k, amount in enumerate(used.tolist()):
        level -= amount
        if level <= 0.0:
            level = 100.0 + level % -100.0
        left[k + 1] = level
    return left


def shown(left: Floats, step: float, noise: float, chance: np.random.Generator, silent: float = SILENT) -> Floats:
    """What the sensor says; NaN on silent days."""
    said = np.ceil(np.clip(left + noise * chance.normal(size=len(left)), 0.0, 100.0) / step) * step
    return np.where(chance.random(len(left)) < silent, np.nan, said)


def real_places(path: str, chance: np.random.Generator, sites: int = 60) -> list[Place]:
    """Sites of four products each, at a random time of their history; `path`: daily sales, a column per product."""
    sales, first = _sales(path)
    total = sales.sum(0)
    weekday = (first + np.arange(len(total))) % 7
    usual = np.array([total[weekday == k].mean() for k in range(7)])
    week = Week(tuple((usual / usual.mean()).tolist())).scaled(Week().total)
    lively = np.flatnonzero((sales > 0).mean(1) > 0.2)
    out = []
    for _ in range(sites):
        begin = int(chance.integers(0, (sales.shape[1] - LENGTH) // 7)) * 7
        days = Days(
            MONDAY + DAY * np.arange(LENGTH + 1, dtype=np.int64), weekday[begin : begin + LENGTH], np.zeros(LENGTH)
        )
        slots = [_drained(sales[k, begin : begin + LENGTH], chance) for k in chance.choice(lively, 4, replace=False)]
        used, left, told, steps = zip(*slots, strict=True)
        out.append(
            Place("real", week, days, ("copier",) * 4, np.array(left), np.array(used), np.array(told), np.array(steps))
        )
    return out


def _drained(sold: Floats, chance: np.random.Generator) -> tuple[Floats, Floats, Floats, float]:
    """Sales drain a container that lasts a month or so; what its sensor tells."""
    mean = max(float(sold[:HISTORY].mean()), 0.05)
    used = np.asarray(sold / (mean * 30.0 * np.exp(chance.normal(0.0, 0.4))) * 100.0, np.float64)
    left = emptied(used, float(chance.uniform(20.0, 100.0)))
    step, noise = float(chance.choice([1.0, 5.0, 10.0, 1.0])), float(chance.choice([0.0, 0.5, 1.5]))
    return used, left, shown(left, step, noise, chance), step


def _sales(path: str) -> tuple[Floats, int]:
    """Products x days, 0 where the shop was closed; the first day's weekday."""
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt") as file:
        lines = list(csv.reader(file))[1:]
    day = [date.fromisoformat(line[0]).toordinal() for line in lines]
    sales = np.zeros((len(lines[0]) - 1, day[-1] - day[0] + 1))
    for at, line in zip(day, lines, strict=True):
        sales[:, at - day[0]] = [float(cell or 0.0) for cell in line[1:]]
    return sales, (day[0] + 6) % 7
