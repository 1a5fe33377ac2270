"""The same digits, answered here and elsewhere: how far scores are apart, and which answers are others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lenet.arrays import Float32, Uint8
from lenet.data.dataset import Digits
from lenet.engine import Network
from lenet.errors import LenetError
from lenet.preprocessing.decode import open_page

_TEN_DIGITS = Path(__file__).parents[1] / "assets" / "ten-digits.png"
# Of 10,000 answers so many may be lost in 8 bits.
MOST_LOST = 5


def ten_digits() -> Uint8:
    """Return the digits 0 to 9 of `examples/` as glyphs (10, 28, 28), as a reader sees them."""
    return np.stack(np.split(open_page(_TEN_DIGITS).grey, 10, axis=1))


@dataclass(frozen=True)
class Answers:
    """Digits (n, 28, 28) with their labels, and the engine's scores (n, k) of them."""

    glyphs: Uint8
    labels: Uint8
    scores: Float32

    @classmethod
    def of(cls, network: Network, digits: Digits) -> Answers:
        """Ask the engine."""
        labels = digits.labels
        if network.net.says_characters:
            labels = np.array([network.net.signs.index(str(label)) for label in labels], np.uint8)
        return cls(digits.glyphs, labels, network.scores(digits.glyphs))

    def compared(self, name: str, found: npt.NDArray[Any], *, exact: bool = True) -> dict[str, Any]:
        """Compare scores that were found elsewhere; return what a report says of it.

        Raises LenetError when an answer differs, or, unless it has to be `exact`, when more than 5 right ones are lost.
        """
        ours, theirs = self.scores.argmax(axis=1), found.argmax(axis=1)
        differ = int((ours != theirs).sum())
        errors, errors_here = int((theirs != self.labels).sum()), int((ours != self.labels).sum())
        told = {
            "n": len(self.labels),
            "largest_difference_of_a_score": float(np.abs(found - self.scores).max()),
            "answers_that_differ": differ,
            "errors": errors,
            "errors_here": errors_here,
        }
        if differ if exact else errors - errors_here > MOST_LOST:
            raise LenetError(name, f"{differ} of {len(self.labels):,} answers differ", "this export is not to be used")
        return told
