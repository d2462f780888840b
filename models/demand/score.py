"""Scores. On intermittent series the all-zero forecast wins MAE and MASE: only quantile scores decide."""

from collections.abc import Sequence

import numpy as np

from models.demand.bins import Floats

PROBABILITIES = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)


def pinball(actual: Floats, forecast: Floats, probabilities: Sequence[float] = PROBABILITIES) -> float:
    """Mean pinball loss of quantile forecasts; `actual` (...,), NaN left out, `forecast` (..., len(probabilities))."""
    levels = np.asarray(probabilities)
    error = actual[..., None] - forecast
    loss = np.maximum(levels * error, (levels - 1.0) * error)
    return float(np.nanmean(loss))
