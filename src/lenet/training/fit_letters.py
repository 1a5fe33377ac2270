"""Fit how sure one digit is beside all letters, on digits and letters of hands that taught no network anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lenet.answers.whole_line import SeenLines
from lenet.arrays import Bools, Float64, Uint8
from lenet.data.strokes import Part
from lenet.decoding.decoder import withhold
from lenet.decoding.letters import LETTER_FEATURES, letter_features, may_be_letter
from lenet.decoding.whole_lines import SpelledLine
from lenet.engine import Network
from lenet.evaluation.calibration import fit_confidence
from lenet.network.weights import Weights
from lenet.preprocessing.decode import Page
from lenet.preprocessing.pipeline import find_writing, prepare_page
from lenet.progress import silent
from lenet.reader import ReadOptions, explain_page
from lenet.segmentation.candidates import outline_numbers
from lenet.training.synthetic.degrade import picture_sign
from lenet.training.synthetic.hand_glyphs import HandGlyphs, draw_hand_glyphs
from lenet.training.synthetic.lines import Hands

# So many pages with one sign are read: nobody knows how many of people's are letters; here it is so large a share, and
# of the digits this share is UNIPEN's, the rest MNIST's.
PAGES = 12_000
_LETTERS, _UNIPEN = 0.45, 0.5


@dataclass(frozen=True)
class Singles:
    """What read as one digit that is answered: LETTER_FEATURES (n, 5), and which of it is right (n,); of all pages."""

    features: Float64
    right: Bools
    pages: int


def forget_letters(weights: Weights) -> Weights:
    """Return a line network's weights as they were before they knew of letters."""
    fitted = weights.card.get("calibration", {})
    return replace(
        weights, card={**weights.card, "calibration": {k: v for k, v in fitted.items() if k != "letter_weights"}}
    )


def picture_singles(
    network: Network,
    hands: Hands,
    count: int,
    seed: int,
    report: Callable[[int, int], None] = silent,
    part: Part = "dev",
) -> Singles:
    """Picture so many pages with a digit or a letter of hands that taught nothing, and read them by both readers.

    Pages that read as nothing, as several signs, so that nothing would be answered, or as what is hardly a letter, are
    left out: only the rest is asked whether it may be one. Raises DataError where UNIPEN is missing.
    """
    rng = np.random.default_rng([seed, 0x1E77])
    written = draw_hand_glyphs(count // 2, count // 2, part=part)
    features, right = [], []
    for number in range(count):
        glyph, text = _choose(hands, written, rng)
        page = prepare_page(picture_sign(glyph, rng))
        reading = explain_page(page, network, ReadOptions()).reading
        report(number + 1, count)
        if len(reading.text) != 1 or not reading.text.isdigit() or withhold(reading.confidence):
            continue
        likely = network.characters.probabilities(reading.digits[0].glyph[None])[0]
        if not may_be_letter(likely):
            continue
        features.append(letter_features(reading.text, reading.confidence, likely, _spell(page, network)))
        right.append(reading.text == text)
    return Singles(np.array(features).reshape(-1, len(LETTER_FEATURES)), np.array(right, bool), count)


def _spell(page: Page, network: Network) -> SpelledLine | None:
    """Return what the first line of a page spells as a whole."""
    writing = find_writing(page)
    seen = SeenLines(page, writing, outline_numbers(writing).lattice, network.lines)
    whole = seen.read(0, views=1)
    return None if whole is None else whole.spelled


def _choose(hands: Hands, written: HandGlyphs, rng: np.random.Generator) -> tuple[Uint8, str]:
    """Return the glyph (28, 28) of a digit, and which it is, or that of a letter, and nothing."""
    if rng.random() < _LETTERS:
        return written.letters[rng.integers(len(written.letters))], ""
    digits, row = written.digits, int(rng.integers(len(written.digits)))
    if rng.random() >= _UNIPEN:
        digits, row = hands.digits, int(rng.choice(hands.choose_digits(rng)))
    return digits.glyphs[row], str(digits.labels[row])


def fit_letters(weights: Weights, singles: Singles) -> Weights:
    """Return a line network's weights with how sure one digit is beside all letters."""
    calibration = {
        **weights.card.get("calibration", {}),
        "letter_weights": fit_confidence(singles.features, singles.right).tolist(),
        "letters_fitted_on": f"{len(singles.right):,} of {singles.pages:,} pages with one sign by held-out hands that"
        f" read as a digit, {int((~singles.right).sum()):,} of them wrongly",
    }
    return replace(weights, card={**weights.card, "calibration": calibration})
