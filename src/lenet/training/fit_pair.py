"""Fit how two readers make one answer, on lines by held-out hands: how much each counts, and how sure the answer is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lenet.answers.line import compare_readers
from lenet.arrays import Bools, Float64, Uint8
from lenet.decoding.confidence import calibrate_confidence
from lenet.decoding.two_readers import PAIR_FEATURES, keep_digits, pair_texts
from lenet.decoding.whole_lines import SpelledLine, split_numbers
from lenet.engine import Network
from lenet.engine.lines import LineNetwork
from lenet.evaluation.calibration import fit_confidence
from lenet.network.spec import SPACE
from lenet.network.weights import Weights
from lenet.preprocessing.pipeline import prepare_page
from lenet.progress import silent
from lenet.training.fit_decoder import count_error_curve
from lenet.training.sequence_loss import LONGEST, picture_number
from lenet.training.synthetic.compose import Writing
from lenet.training.synthetic.degrade import degrade
from lenet.training.synthetic.fonts import Fonts
from lenet.training.synthetic.line_texts import LinePart
from lenet.training.synthetic.lines import Hands, LineMaker
from lenet.training.synthetic.negatives import draw_negative

# So many pages of held-out hands are read.
PAGES = 4_000
# The share of lines of any kind among the pages, and of MNIST numbers, of which so many are one digit and so
# many hard; of the rest, which say nothing, so many are words.
_LINES, _NUMBERS, _SINGLE, _HARD, _WORDS = 0.45, 0.38, 0.25, 0.3, 0.5


@dataclass(frozen=True)
class ReadTwice:
    """A line that both readers read: what the lattice says, the whole line, and what is right, its spaces left out."""

    cut: dict[str, float]
    whole: SpelledLine
    text: str


def picture_lines(
    network: Network,
    whole: LineNetwork,
    hands: Hands,
    fonts: Fonts,
    count: int,
    seed: int,
    report: Callable[[int, int], None] = silent,
) -> list[ReadTwice]:
    """Picture so many lines of hands and fonts, each a page, and read each twice.

    Some are lines of any kind, some numbers of MNIST's digits alone, some nothing that is a number. Pages that are
    seen as nothing, or as several lines, are left out.
    """
    maker = LineMaker(hands, fonts)
    rng = np.random.default_rng([seed, 0x9A1])
    found = []
    for number in range(count):
        page, text = _picture(hands, maker, rng)
        lines = compare_readers(prepare_page(page), network, whole)
        if len(lines) == 1:
            found.append(ReadTwice(*lines[0], SPACE.join(split_numbers(text.replace(SPACE, "")))))
        report(number + 1, count)
    return found


def _picture(hands: Hands, maker: LineMaker, rng: np.random.Generator) -> tuple[Uint8, str]:
    """Return a page and what it says."""
    kind = rng.random()
    if kind < _LINES:
        made = maker.make_page(rng)
        return made.grey, made.text
    if kind < _LINES + _NUMBERS:
        rows = rng.choice(hands.choose_digits(rng), 1 if rng.random() < _SINGLE else int(rng.integers(1, LONGEST + 1)))
        return picture_number(hands.digits.glyphs[rows], hands.digits.labels[rows], rng, _HARD)
    if rng.random() < _WORDS:
        return maker.make_page(rng, [LinePart("word", "")]).grey, ""
    ink = draw_negative(rng)
    return degrade(Writing(ink, np.zeros(ink.shape, np.int32), ""), rng).grey, ""


def weigh_lines(lines: list[ReadTwice], shares: Float64) -> tuple[Float64, Bools]:
    """Return PAIR_FEATURES (n, 10) of the lines that say something, and which of these are right (n,)."""
    paired = [pair_texts(each.cut, each.whole, shares) for each in lines]
    said = [
        (each.features, keep_digits(each.text) == keep_digits(line.text))
        for each, line in zip(paired, lines, strict=True)
        if each.text
    ]
    features = np.array([each for each, _right in said]).reshape(-1, len(PAIR_FEATURES))
    return features, np.array([right for _each, right in said], bool)


def fit_pair(weights: Weights, lines: list[ReadTwice]) -> Weights:
    """Return a line network's weights with how sure its answers and the lattice's together are, on such lines."""
    features, right = weigh_lines(lines, weights.lattice_shares)
    pair_weights = fit_confidence(features, right)
    honest = np.array([calibrate_confidence(each, pair_weights) for each in features])
    calibration = {
        **weights.card.get("calibration", {}),
        "lattice_shares": weights.lattice_shares.tolist(),
        "pair_weights": pair_weights.tolist(),
        "pair_fitted_on": f"{len(right):,} answers to {len(lines):,} lines of held-out hands",
        "error_curve": count_error_curve(honest, right),
    }
    return replace(weights, card={**weights.card, "calibration": calibration})
