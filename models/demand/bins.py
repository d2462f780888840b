"""Bins of counts: every integer first, geometric later, so that a histogram of any demand has some seventy of them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LARGEST = 5_000
GROWTH = 1.12


def _edges() -> Ints:
    edges = [0]
    while edges[-1] < LARGEST:
        edges.append(max(edges[-1] + 1, int(edges[-1] * GROWTH)))
    return np.array(edges, dtype=np.int64)


EDGES = _edges()
"""Lower edges; a bin holds the counts from its edge up to the next one."""
BINS = len(EDGES)
VALUES: Floats = np.append((EDGES[:-1] + EDGES[1:] - 1) / 2.0, float(EDGES[-1]))
"""The count that stands for a bin: its middle."""


def bin_of(counts: Floats) -> Ints:
    """The bin of each count (any shape, not negative, not NaN)."""
    return np.asarray(np.searchsorted(EDGES, counts, side="right") - 1, dtype=np.int64)


def quantiles(pmf: Floats, probabilities: Sequence[float]) -> Floats:
    """The smallest count whose cumulative probability reaches p: (series, bins) -> (series, len(probabilities))."""
    below = pmf.cumsum(axis=1)[:, :, None] < np.asarray(probabilities) - 1e-9
    result: Floats = VALUES[np.minimum(below.sum(axis=1), BINS - 1)]
    return result


def draw(pmf: Floats, uniforms: Floats) -> Floats:
    """Counts by inverse transform: (series, bins), (series, draws) in 0..1 -> (series, draws)."""
    cumulative = pmf.cumsum(axis=1)
    return np.stack(
        [VALUES[np.minimum(np.searchsorted(c, u - 1e-9), BINS - 1)] for c, u in zip(cumulative, uniforms, strict=True)]
    )
