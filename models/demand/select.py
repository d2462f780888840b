"""Choice of the discount, the number of groups and the prior's strength by pinball on the last training weeks."""

from itertools import product

import numpy as np

from models.demand.bins import Floats, quantiles
from models.demand.histogram import DiscountedHistogram, Setting, pooled
from models.demand.score import PROBABILITIES, pinball

DISCOUNTS = (0.75, 0.85, 0.9, 0.95, 0.97, 0.99, 1.0)
GROUPS = (1, 10, 50)
STRENGTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


def choose(history: Floats, holdout: int = 4) -> Setting:
    """The best Setting for `history` (series, weeks); the default one when there are too few weeks to judge."""
    if history.shape[1] < 2 * holdout or np.isnan(history[:, -holdout:]).all():
        return Setting()
    past, last = history[:, :-holdout], history[:, -holdout:]
    best = (np.inf, Setting())
    for discount in DISCOUNTS:
        counts = DiscountedHistogram.fit(past, Setting(discount=discount)).counts
        weight = counts.sum(axis=1)
        for groups, strength in product(GROUPS, STRENGTHS):
            if groups > 1 and groups > len(history):
                continue
            pmf = (counts + strength * pooled(counts, groups)) / (weight + strength)[:, None]
            forecast = np.repeat(quantiles(pmf, PROBABILITIES)[:, None, :], holdout, axis=1)
            score = pinball(last, forecast)
            if score < best[0] - 1e-12:
                best = (score, Setting(discount, groups, strength))
    return best[1]
