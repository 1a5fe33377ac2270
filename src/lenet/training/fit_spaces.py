"""Fit where one number of a line ends and another begins, on made lines by hands that taught the line network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lenet.answers.whole_line import read_whole_lines
from lenet.arrays import Bools, Float64, Int64
from lenet.decoding.spacing import SPACE_FEATURES, is_bound
from lenet.engine.lines import LineNetwork
from lenet.evaluation.calibration import fit_confidence
from lenet.network.probabilities import log_odds
from lenet.network.spec import PASSED_OVER, SPACE
from lenet.network.weights import Weights
from lenet.preprocessing.pipeline import find_writing, prepare_page
from lenet.progress import silent
from lenet.segmentation.candidates import segment_numbers
from lenet.training.synthetic.line_texts import LinePart, write_number_text
from lenet.training.synthetic.lines import LineMaker

# So many lines are made, of up to so many numbers, half of the lines of one.
LINES, _MOST_NUMBERS = 20_000, 4
# This share of the numbers has a digit or two; and this share of the lines is two numbers of one digit, which have no
# other room to compare theirs with.
_SHORT, _TWO_DIGITS = 0.3, 0.08
# Two digits that are so many heights apart, and no others, are two numbers to people, even if one was meant.
_FAR, _ROOM = 1.0, SPACE_FEATURES.index("room")


@dataclass(frozen=True)
class SeenSpaces:
    """Places between signs: SPACE_FEATURES (n, 8), which of them part numbers (n,), of which line each is (n,)."""

    features: Float64
    parted: Bools
    lines: Int64


def picture_spaces(
    maker: LineMaker, network: LineNetwork, count: int, seed: int, report: Callable[[int, int], None] = silent
) -> SeenSpaces:
    """Make so many lines of numbers, and return the places between their signs.

    Only lines whose signs the network reads right are asked: others do not say where a place is.
    """
    rng = np.random.default_rng([seed, 0x59A])
    features, parted, numbers = [np.zeros((0, len(SPACE_FEATURES)))], [np.zeros(0, bool)], [np.zeros(0, np.int64)]
    for number in range(count):
        several = int(rng.integers(2, _MOST_NUMBERS + 1)) if rng.random() < 0.5 else 1
        texts = [_write(rng) for _part in range(several)]
        if rng.random() < _TWO_DIGITS:
            several, texts = 2, [str(rng.integers(10)) for _part in range(2)]
        made = maker.make_page(rng, [LinePart("number", text) for text in texts])
        page = prepare_page(made.grey)
        writing = find_writing(page)
        lines = read_whole_lines(page, writing, segment_numbers(writing).lattice, network)
        text = made.text.replace(SPACE, "")
        report(number + 1, count)
        if len(lines) != 1 or lines[0] is None or PASSED_OVER in text or lines[0].spelled.text != text:
            continue
        found = lines[0].weigh_spaces(text)
        if several == 1 and len(found) == 1 and found[0, _ROOM] > _FAR:
            continue
        ends = np.cumsum([len(part) for part in made.text.split(SPACE)])[:-1] - 1
        free = [row for row in range(len(found)) if not is_bound(text, row)]
        features.append(found[free])
        parted.append(np.isin(free, ends))
        numbers.append(np.full(len(free), number, np.int64))
    return SeenSpaces(np.concatenate(features), np.concatenate(parted), np.concatenate(numbers))


def _write(rng: np.random.Generator) -> str:
    """Return a number as people write it, or a short one."""
    return str(rng.integers(100)) if rng.random() < _SHORT else write_number_text(rng)


def take_spaces(weights: Weights, others: Weights) -> Weights:
    """Return a line network's weights with places weighed as the card of others says."""
    known = others.card["calibration"]
    taken = {name: known[name] for name in ("space_weights", "space_trust", "spaces_fitted_on") if name in known}
    return replace(weights, card={**weights.card, "calibration": {**weights.card.get("calibration", {}), **taken}})


def fit_spaces(weights: Weights, seen: SeenSpaces) -> Weights:
    """Return a line network's weights with how such places are weighed, and how sure all of a line's places are."""
    parted = seen.parted
    fitted = fit_confidence(seen.features, parted)
    likely = 1 / (1 + np.exp(-(seen.features @ fitted[:-1] + fitted[-1])))
    sure = np.maximum(likely, 1 - likely)
    of_line = [seen.lines == line for line in np.unique(seen.lines)]
    least = np.array([log_odds(sure[own]).min() for own in of_line])
    right = np.array([((likely[own] > 0.5) == parted[own]).all() for own in of_line])
    calibration = {
        **weights.card.get("calibration", {}),
        "space_weights": fitted.tolist(),
        "space_trust": fit_confidence(least[:, None], right).tolist(),
        "spaces_fitted_on": f"{len(parted):,} places between signs, {int(parted.sum()):,} of them between numbers",
    }
    return replace(weights, card={**weights.card, "calibration": calibration})
