"""The forecast in closed form, scalar, by + - * / and sqrt only (STEP.md, Exact arithmetic).

Used by the fold and by ticks alike. Levels in per cent, rates in per cent per business day, times in business days.
"""

from math import sqrt

from models.depletion.normal import normal_cdf
from models.jit import jit

PRIOR_DAYS = 8.0  # weight of the class's rate in a slot's slow rate, business days (k0)
FLOOR = 0.01  # squared coefficient of variation that no reading takes away (c0)
LEVEL_FLOOR = 0.3  # what still counts as left at empty
LONGEST = 2000.0
MOST_SPREAD = 1.2  # of s squared
LN2 = 0.6931471805599453


@jit
def slow_rate(used: float, span: float, prior: float) -> float:
    """Long-run rate: discounted use over discounted time, shrunk to the class's rate `prior`."""
    return max((max(used, 0.0) + PRIOR_DAYS * prior) / (span + PRIOR_DAYS), 0.03 * prior)


@jit
def forecast(
    level: float,
    extra: float,
    rate: float,
    p11: float,
    p22: float,
    phi: float,
    used: float,
    span: float,
    prior: float,
    kappa: float,
    eta: float,
) -> tuple[float, float]:
    """(T, s): median time until level + extra is used up, and the spread of its logarithm.

    `extra` is what stands by (spares and what is on order), in per cent. The rate returns to the slow rate at `kappa`:
    level = slow T + (rate - slow) T / (1 + kappa T), solved for T.
    """
    left = max(level, LEVEL_FLOOR) + extra
    days = span + PRIOR_DAYS
    slow = slow_rate(used, span, prior)
    b = max(rate, 0.02 * prior) - kappa * left
    a = 2.0 * kappa * slow
    t = min(max((sqrt(b * b + 2.0 * a * left) - b) / a, 0.02), LONGEST)
    kt = kappa * t
    h = 1.0 / (1.0 + kt)  # weight of the present rate over the horizon
    g = 1.0 - h
    known = max(rate, 0.2 * slow)
    inverse = 1.0 / max(left, 1.0)
    variance = (
        h * h * p22 / (known * known)
        + g * g * (phi / (slow * days) + 0.01)
        + (p11 + 0.1) * inverse * inverse
        + phi * inverse
        + eta * eta / kappa * g * min(1.0, 1.0 / kt)
        + FLOOR
    )
    return t, sqrt(min(variance, MOST_SPREAD))


@jit
def empty_before(tau: float, t: float, s: float) -> float:
    """P(empty within `tau`): first passage of Birnbaum and Saunders (1969) with median t and spread s."""
    if tau <= 0.0:
        return 0.0
    root = sqrt(tau / t)
    return normal_cdf((root - 1.0 / root) / s)


@jit
def quantile(z: float, t: float, s: float) -> float:
    """Time by which it is empty with the probability that belongs to `z`."""
    c = 0.5 * s * z
    d = c + sqrt(c * c + 1.0)
    return t * d * d


@jit
def halved(dt: float, half: float) -> float:
    """0.5 ** (dt / half) by a Pade approximant [2/2] of a quarter, to the fourth power. Always in 0..1."""
    x = dt * (LN2 / 4.0) / half
    y = x * x * (1.0 / 12.0)
    p = (1.0 - 0.5 * x + y) / (1.0 + 0.5 * x + y)
    p = p * p
    return min(p * p, 1.0)


@jit
def covariance_after(
    rate: float, p11: float, p12: float, p22: float, phi: float, eta: float, most: float, dt: float
) -> tuple[float, float, float]:
    """Covariance of (level, -rate) after `dt` without a reading, kept positive semi-definite; `most` bounds p22."""
    a = min(max(p11 + dt * (2.0 * p12 + dt * p22) + phi * rate * dt, 1e-6), 2500.0)
    c = min(max(p22 + eta * rate * (eta * rate) * dt, 1e-8), most)
    bound = 0.99 * sqrt(a * c)
    return a, min(max(p12 + dt * p22, -bound), bound), c
