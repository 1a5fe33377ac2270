"""Intervals around measured figures: Wilson's for an error rate, Student's for a mean over seeds."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist, mean, stdev

_Z95 = NormalDist().inv_cdf(0.975)
# Student's t at 97.5 % for 1 to 30 degrees of freedom; beyond, the normal's with its first two corrections.
_T95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


def wilson95(errors: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of an error rate as two fractions in [0, 1].

    Raises ValueError unless 0 <= errors <= n and n >= 1.
    """
    if n < 1 or not 0 <= errors <= n:
        raise ValueError(f"{errors} errors of {n}: need 0 <= errors <= n and n >= 1")
    rate, z2 = errors / n, _Z95**2
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 / (1 + z2 / n) * sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    low = 0.0 if errors == 0 else centre - half
    high = 1.0 if errors == n else centre + half
    return low, high


def mean95(values: list[float]) -> tuple[float, float]:
    """Return Student's 95 % interval of the mean of two or more values, in their own unit."""
    if len(values) < 2:  # noqa: PLR2004
        raise ValueError(f"{len(values)} value: an interval needs two or more")
    freedom = len(values) - 1
    t = _T95[freedom - 1] if freedom <= len(_T95) else _t_of_many(freedom)
    half = t * stdev(values) / sqrt(len(values))
    return mean(values) - half, mean(values) + half


def _t_of_many(freedom: int) -> float:
    z = _Z95
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
