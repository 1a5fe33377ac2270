"""Fit how two readers make one answer, on lines by held-out hands: how much each counts, and how sure the answer is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lenet.answers.readers import ComparedLine, compare_readers, is_enough, is_one_digit
from lenet.arrays import Bools, Float64, Uint8
from lenet.decoding.confidence import calibrate_confidence
from lenet.decoding.two_readers import PAIR_FEATURES, PairedText, keep_digits, pair_texts
from lenet.decoding.whole_lines import split_numbers
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
PAGES = 8_000
# The share of lines of any kind among the pages, and of MNIST numbers, of which so many are one digit and so
# many hard; of the rest, which say nothing, so many are words.
_LINES, _NUMBERS, _SINGLE, _HARD, _WORDS = 0.45, 0.38, 0.25, 0.3, 0.5


@dataclass(frozen=True)
class ReadTwice:
    """What both readers say of a line, and what is right, its spaces left out."""

    said: ComparedLine
    text: str

    def is_right(self, text: str) -> bool:
        """Return whether a text has the right digits."""
        return keep_digits(text) == keep_digits(self.text)


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
            found.append(ReadTwice(lines[0], SPACE.join(split_numbers(text.replace(SPACE, "")))))
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


def weigh_pairs(lines: list[ReadTwice], shares: Float64) -> tuple[Float64, Bools]:
    """Return PAIR_FEATURES (n, 10) of what two readers say, and which of it is right (n,), of lines in doubt.

    What the first view of a line is enough for, and lines that say nothing, are left out.
    """
    doubtful = [line for line in lines if not is_enough(line.said.first)]
    return _collect([(pair_texts(line.said.cut, line.said.whole, shares), line) for line in doubtful])


def weigh_alone(lines: list[ReadTwice], shares: Float64) -> tuple[Float64, Bools]:
    """Return PAIR_FEATURES (n, 10) of what the first views of lines say, and which of it is right (n,)."""
    return _collect([(pair_texts({}, line.said.first, shares), line) for line in lines])


def _collect(found: list[tuple[PairedText, ReadTwice]]) -> tuple[Float64, Bools]:
    said = [(paired.features, line.is_right(paired.text)) for paired, line in found if paired.text]
    features = np.array([each for each, _right in said]).reshape(-1, len(PAIR_FEATURES))
    return features, np.array([right for _each, right in said], bool)


def answer_lines(
    lines: list[ReadTwice], shares: Float64, pair_weights: Float64, alone_weights: Float64
) -> tuple[Float64, Bools]:
    """Return how sure the answers to lines are (n,), and which are right (n,), each by the readers that are asked."""
    found = []
    for line in lines:
        cut, chance = max(line.said.cut.items(), key=lambda each: each[1], default=("", 0.0))
        if is_one_digit(cut, chance):
            found.append((chance, line.is_right(cut)))
            continue
        alone = is_enough(line.said.first)
        paired = pair_texts({} if alone else line.said.cut, line.said.first if alone else line.said.whole, shares)
        if paired.text:
            confidence = calibrate_confidence(paired.features, alone_weights if alone else pair_weights)
            found.append((confidence, line.is_right(paired.text)))
    return np.array([sure for sure, _right in found]), np.array([right for _sure, right in found], bool)


def fit_pair(weights: Weights, lines: list[ReadTwice]) -> Weights:
    """Return a line network's weights with how sure its answers are, alone and with the lattice's, on such lines."""
    shares = weights.lattice_shares
    (pairs, pairs_right), (alone, alone_right) = weigh_pairs(lines, shares), weigh_alone(lines, shares)
    pair_weights, alone_weights = fit_confidence(pairs, pairs_right), fit_confidence(alone, alone_right)
    sure, right = answer_lines(lines, shares, pair_weights, alone_weights)
    calibration = {
        **weights.card.get("calibration", {}),
        "lattice_shares": shares.tolist(),
        "pair_weights": pair_weights.tolist(),
        "alone_weights": alone_weights.tolist(),
        "pair_fitted_on": (
            f"{len(pairs_right):,} answers of two readers and {len(alone_right):,} of one to {len(lines):,} lines of"
            " held-out hands"
        ),
        "error_curve": count_error_curve(sure, right),
    }
    return replace(weights, card={**weights.card, "calibration": calibration})
