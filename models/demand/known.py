"""Known empties: what the depletion forecast of metered slots already sees coming, as draws of units per week."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.demand.bins import Floats
from models.units import DAY

WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class Empties:
    """Depletion of metered slots, one row per slot."""

    series: npt.NDArray[np.int64]  # (slots,) index of the (product, site) series that refills the slot
    quantiles: npt.NDArray[np.int64]  # (slots, p) times of empty, ms, ascending
    probabilities: Floats  # (p,) ascending, strictly inside 0..1
    cycle_ms: npt.NDArray[np.int64]  # (slots,) how long a full supply lasts at the slot's slow rate
    units: Floats  # (slots,) of stock that one refill uses


def draw_known(empties: Empties, series: int, now: int, horizon: int, draws: int, seed: int) -> Floats:
    """Units per week, (series, horizon, draws): the first empty of each slot and those of its next cycles.

    One uniform per slot and draw: who empties early now empties early again, for the rate is what is uncertain.
    What should have been empty before `now` counts in the first week.
    """
    result = np.zeros((series, horizon, draws))
    uniforms = np.random.default_rng(seed).random((len(empties.series), draws))
    for row, index in enumerate(empties.series):
        first = np.interp(uniforms[row], empties.probabilities, empties.quantiles[row].astype(np.float64)) - now
        median = max(float(np.interp(0.5, empties.probabilities, empties.quantiles[row])) - now, 1.0)
        # the ratio of draw to median carries over to the cycles after this one, within reason
        cycle = np.maximum(float(empties.cycle_ms[row]) * np.clip(first / median, 0.25, 4.0), DAY)
        due = np.maximum(first, 0.0)
        while (inside := due < horizon * WEEK).any():
            week = (due[inside] // WEEK).astype(np.int64)
            result[index, week, np.flatnonzero(inside)] += empties.units[row]
            due += cycle
    return result
