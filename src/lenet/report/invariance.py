"""Section III.E: how far a digit may be shifted, resized, turned, thickened or covered with noise before it is lost.

Some of the test digits, of all writers, are changed by one amount at a time and scored by every replica. Shifts, sizes
and turns act on network input; stroke width and noise act on glyphs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lenet.arrays import Float32, Uint8
from lenet.data.dataset import Digits
from lenet.engine.transforms import flip_pixels, place_affine, sample_affine, thicken
from lenet.network.inputs import to_input
from lenet.report.measured import Run, Spread, count_error_rates


@dataclass(frozen=True)
class Change:
    """A way to change glyphs (n, 28, 28) by an amount into network input, and the amounts to try.

    `unchanged` is the amount that changes nothing.
    """

    name: str
    unit: str
    amounts: tuple[float, ...]
    changed: Callable[[Uint8, float], Float32]
    unchanged: float = 0


CHANGES = (
    Change(
        "horizontal shift",
        "pixels to the right",
        tuple(range(-14, 15, 2)),
        lambda glyphs, by: sample_affine(glyphs, place_affine(by, 0, 1, 0, 1, 0)),
    ),
    Change(
        "vertical shift",
        "pixels down",
        tuple(range(-14, 15, 2)),
        lambda glyphs, by: sample_affine(glyphs, place_affine(0, by, 1, 0, 1, 0)),
    ),
    Change(
        "size",
        "times",
        (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6),
        lambda glyphs, by: sample_affine(glyphs, place_affine(0, 0, by, 0, 1, 0)),
        unchanged=1,
    ),
    Change(
        "turn",
        "degrees clockwise",
        tuple(range(-60, 61, 10)),
        lambda glyphs, by: sample_affine(glyphs, place_affine(0, 0, 1, by, 1, 0)),
    ),
    Change(
        "stroke width",
        "pixels added on every side",
        (-2, -1, 0, 1, 2, 3),
        lambda glyphs, by: to_input(thicken(glyphs, by)),
    ),
    Change(
        "noise",
        "per cent of the pixels inverted",
        (0, 2, 5, 10, 15, 20, 25, 30),
        lambda glyphs, by: to_input(flip_pixels(glyphs, by)),
    ),
)


def tolerance(run: Run, digits: Digits, change: Change) -> list[Spread]:
    """Return the errors over a run's replicas for each amount of a change."""
    return [
        count_error_rates(run.scores(change.changed(digits.glyphs, each)), digits.labels) for each in change.amounts
    ]


def borne(change: Change, curve: list[Spread], most: float) -> tuple[float, float] | None:
    """Return the least and the greatest amount around "unchanged" with at most `most` per cent of errors, or None."""
    low = high = change.amounts.index(change.unchanged)
    if curve[low].mean > most:
        return None
    while low > 0 and curve[low - 1].mean <= most:
        low -= 1
    while high < len(curve) - 1 and curve[high + 1].mean <= most:
        high += 1
    return change.amounts[low], change.amounts[high]
