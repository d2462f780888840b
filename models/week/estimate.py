"""From evidence to weeks: a device class's from its sites, a site's from its own evidence and its classes' weeks.

Empirical Bayes with normal priors (Efron and Morris, JASA 1973): a site's week lies around its class's by SPREAD, a
class's around the default by CLASS_SPREAD. What a site has shown outweighs that as it grows: in weeks where sensors are
fine, in months where they are coarse. The strengths forecast best on worlds set apart for
choosing them (bench/week.py).

The weekdays keep the sum that was given. Rates are per cent per business day, in facts and in each slot's state: as
long as a week holds as many business days as before, no rate changes its meaning when a site's clock is learned anew.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.week.evidence import NOTHING, SIZE, Evidence, settled, vector
from models.week.shape import WEEKDAYS, Week

SPREAD = np.array([0.15] * 5 + [0.5] * 2 + [0.5])
"""Standard deviation of sites around their class: Monday .. Sunday, holiday factor."""
CLASS_SPREAD = np.array([0.15] * 5 + [0.5] * 2 + [0.5])


def class_week(sites: Sequence[Evidence]) -> Week:
    """The week around which the sites of a class lie, drawn towards the default."""
    tight = np.diag(1.0 / CLASS_SPREAD**2)
    left, right = tight.copy(), tight @ vector(Week())
    spread = np.diag(SPREAD**2)
    for one in sites:
        shrunk = np.linalg.inv(np.eye(SIZE) + one.a @ spread)
        left, right = left + shrunk @ one.a, right + shrunk @ one.b
    return _week(np.linalg.solve(left, right))


def site_week(found: Sequence[tuple[Evidence, Week]], given: Week) -> Week:
    """A site's week with the sum of the given one. `found`: of each of its classes the evidence here and its week.

    Weights that a person gave are the prior themselves; where nobody did, it is the classes', by their slots."""
    whole = sum((evidence for evidence, _ in found), NOTHING)
    if not whole.slots:
        return given
    prior = vector(given)
    if given.weekdays == WEEKDAYS:
        prior = sum((evidence.slots * vector(week) for evidence, week in found), np.zeros(SIZE)) / whole.slots
    tight = 1.0 / SPREAD**2
    theta = np.linalg.solve(np.diag(tight) + whole.a, tight * prior + whole.b)
    return _week(theta).scaled(given.total)


def _week(theta: npt.NDArray[np.floating[Any]]) -> Week:
    clean = settled(theta)
    return Week(tuple(clean[:7].tolist()), float(clean[7]))
