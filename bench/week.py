"""Learned weeks: how near they come to the true ones, and what they are worth in forecasts of days to empty.

`python -m bench week`: simulated sites of six profiles with coarse, noisy, silent sensors, each beginning with the
default's week. `python -m bench.week FILE`: the same on real usage, a shop's daily sales (CSV with `day` and a column
per product, may be gzipped). `python -m bench.week --tune`: strengths of the prior, on worlds set apart for choosing
them. Pinball is over models.depletion.PROBABILITIES, in days, by the product's own filter; the clock changes at the end
of the history."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

from bench.week_score import Scores, score
from bench.week_world import HISTORY, MACHINES, PROFILES, Place, place, real_places
from ledger.registry.weeks import MOST
from models.week import estimate, evidence, spans
from models.week.estimate import class_week, site_week
from models.week.evidence import Days, Evidence
from models.week.shape import Week, distance, nearest, rounded

SEED = 11
TUNING = 5
SITES = 15  # of each profile
WEEKS = (2, 4, 8, 12, 26)
DRAWS = 2000
FLAT = Week((1.0,) * 7, 1.0).scaled(Week().total)
Weeks = Sequence[Week]


class Gain(NamedTuple):
    """Geometric mean over sites of the pinball's ratio to the default week's, with its 95 % interval."""

    ratio: float
    low: float
    high: float


def heard(p: Place, k: int, since: int, until: int) -> spans.Spans:
    """What of slot `k` is known between two midnights, as the job knows it."""
    at = p.days.starts
    levels = [spans.Level(int(at[d]), float(p.told[k, d])) for d in range(since, until + 1) if p.told[k, d] >= 0.0]
    rose = np.flatnonzero(p.left[k, since + 1 : until + 1] > p.left[k, since:until]) + since
    rises = [spans.Rise(int(at[d + 1]), float(p.left[k, d + 1] - p.left[k, d] + p.used[k, d])) for d in rose.tolist()]
    return spans.of_levels(levels, rises, float(p.steps[k]))


def gathered(p: Place, weeks: int) -> dict[str, Evidence]:
    """Evidence of the last `weeks` of the history, by device model."""
    since = HISTORY - 7 * weeks
    names = sorted(set(p.models))
    groups = [[heard(p, k, since, HISTORY) for k in range(len(p.models)) if p.models[k] == name] for name in names]
    days = Days(p.days.starts[since : HISTORY + 1], p.days.weekday[since:HISTORY], p.days.holiday[since:HISTORY])
    return dict(zip(names, evidence.gather(groups, days, Week()), strict=True))


def learned(found: Sequence[dict[str, Evidence]]) -> list[Week]:
    """Of each site, with what its classes show elsewhere."""
    classes = {name: class_week([one[name] for one in found if name in one]) for name in MACHINES}
    return [site_week([(one[name], classes[name]) for name in one], Week()) for one in found]


def shared(weeks: Weeks) -> list[Week]:
    """As sites take calendars of each other (ledger.registry.weeks.choose)."""
    known, out = [Week()], []
    for week in weeks:
        best = nearest(week, known)
        if distance(week, known[best]) > 1.0 and len(known) <= MOST:
            known.append(rounded(week))
            best = len(known) - 1
        out.append(known[best])
    return out


def gain(scores: Sequence[Scores], base: Sequence[Scores], soon: bool = False) -> Gain:
    """Sites are drawn with replacement."""
    pairs = [(s.soon, b.soon) if soon else (s.pinball, b.pinball) for s, b in zip(scores, base, strict=True)]
    logs = np.log([s / b for s, b in pairs if b > 0.0])
    draws = np.random.default_rng(SEED).integers(0, len(logs), (DRAWS, len(logs)))
    low, high = np.quantile(logs[draws].mean(1), (0.025, 0.975))
    return Gain(*(round(float(np.exp(x)), 4) for x in (logs.mean(), low, high)))


def error(places: Sequence[Place], weeks: Weeks) -> float:
    """Root mean square of the weekdays' weights against the true ones, in business days."""
    pairs = zip(places, weeks, strict=True)
    return float(np.sqrt(np.mean([np.subtract(w.weekdays, p.week.weekdays) ** 2 for p, w in pairs])))


def simulated(seed: int, sites: int) -> list[Place]:
    chance = np.random.default_rng(seed)
    return [place(profile, chance) for profile in PROFILES for _ in range(sites)]


def scored(places: Sequence[Place], weeks: Weeks) -> list[Scores]:
    return [score(p, week) for p, week in zip(places, weeks, strict=True)]


def run() -> dict[str, Any]:
    places = simulated(SEED, SITES)
    base, truth = scored(places, [Week()] * len(places)), scored(places, [p.week for p in places])
    begun = time.process_time()
    found = {weeks: [gathered(p, weeks) for p in places] for weeks in WEEKS}
    spent = time.process_time() - begun
    estimates = {weeks: learned(found[weeks]) for weeks in WEEKS}
    scores = {weeks: scored(places, estimates[weeks]) for weeks in WEEKS}
    used = shared(estimates[WEEKS[-1]])
    slots = sum(len(p.models) for p in places)
    by_profile = {}
    for profile in PROFILES:
        mine = [k for k, p in enumerate(places) if p.profile == profile]
        by_profile[profile] = {
            "default": _mean(base, mine),
            "true": _mean(truth, mine),
            **{f"{weeks} weeks": _mean(scores[weeks], mine) for weeks in WEEKS},
            **{f"ratio {weeks} weeks": _of(mine, scores[weeks], base) for weeks in WEEKS},
        }
    return {
        "sites": len(places),
        "slots": slots,
        "error": {"default": error(places, [Week()] * len(places)), **{w: error(places, estimates[w]) for w in WEEKS}},
        "true": gain(truth, base)._asdict(),
        "true_soon": gain(truth, base, soon=True)._asdict(),
        "learned": {weeks: gain(scores[weeks], base)._asdict() for weeks in WEEKS},
        "learned_soon": {weeks: gain(scores[weeks], base, soon=True)._asdict() for weeks in WEEKS},
        "shared": gain(scored(places, used), base)._asdict(),
        "calendars": len(set(used)),
        "profiles": by_profile,
        "ms_per_slot": 1000 * spent / slots / len(WEEKS),
    }


def _mean(scores: Sequence[Scores], mine: Iterable[int]) -> float:
    return float(np.mean([scores[k].pinball / scores[k].count for k in mine]))


def _of(mine: Sequence[int], scores: Sequence[Scores], base: Sequence[Scores]) -> dict[str, float]:
    return gain([scores[k] for k in mine], [base[k] for k in mine])._asdict()


def rows(figures: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    def said(one: dict[str, float]) -> str:
        return f"{one['ratio']:.3f} ({one['low']:.3f} to {one['high']:.3f})"

    out = [("pinball of days to empty, ratio to the default week: the true week", said(figures["true"]), "", "")]
    out += [(f"the week learned from {weeks} weeks", said(one), "< 1", "") for weeks, one in figures["learned"].items()]
    out.append((f"the same, {figures['calendars']} shared calendars", said(figures["shared"]), "< 1", ""))
    out.append(("empty within 14 days: the true week", said(figures["true_soon"]), "", ""))
    soon = figures["learned_soon"].items()
    out += [(f"empty within 14 days: learned from {weeks} weeks", said(one), "< 1", "") for weeks, one in soon]
    for profile, one in figures["profiles"].items():
        days = ", ".join(f"{name} {one[name]:.2f}" for name in ("default", "2 weeks", "26 weeks", "true"))
        out.append((f"pinball at a site of profile {profile}, days", days, "", ""))
    return out


def real(path: str) -> dict[str, Any]:
    """Four products each are a site of the shop; the "true" week is that of all its sales."""
    places = real_places(path, np.random.default_rng(SEED))
    choices: dict[str, Callable[[], list[Week]]] = {
        "flat week": lambda: [FLAT] * len(places),
        **{f"learned from {w} weeks": lambda w=w: learned([gathered(p, w) for p in places]) for w in WEEKS},  # type: ignore[misc]
        "week of all five years": lambda: [p.week for p in places],
    }
    base = scored(places, [Week()] * len(places))
    out: dict[str, Any] = {"sites": len(places), "default week": _mean(base, range(len(base)))}
    for name in track(choices, "weeks", console=Console(stderr=True), transient=True):
        scores = scored(places, choices[name]())
        soon = gain(scores, base, soon=True)._asdict()
        out[name] = {"pinball": _mean(scores, range(len(scores))), **gain(scores, base)._asdict(), "soon": soon}
    return out


def tune() -> None:
    """Every strength on the worlds that are set apart for it; the least ratio wins."""
    places = simulated(TUNING, 8)
    base = scored(places, [Week()] * len(places))
    found = {weeks: [gathered(p, weeks) for p in places] for weeks in (2, 4, 12, 26)}
    for workday, weekend in ((0.1, 0.2), (0.15, 0.3), (0.15, 0.5), (0.25, 0.5), (0.4, 0.8)):
        estimate.SPREAD = np.array([workday] * 5 + [weekend] * 3)
        ratios = {w: gain(scored(places, learned(found[w])), base).ratio for w in found}
        print(workday, weekend, ratios, flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--tune"]:
        tune()
    elif len(sys.argv) == 2:
        for name, value in real(sys.argv[1]).items():
            print(name, value)
    else:
        sys.exit(__doc__)
