"""Measure a network: errors out of n with an interval, confusion, and the mistakes it is surest of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lenet.arrays import Float32
from lenet.data.dataset import STUDENTS, Digits, load_writers
from lenet.data.fetch import find_local
from lenet.data.sources import SOURCES
from lenet.engine import Network
from lenet.errors import DataError
from lenet.evaluation.calibration import expected_calibration_error
from lenet.evaluation.interval import wilson95
from lenet.evaluation.result import Evaluation, Mistake
from lenet.network.probabilities import probabilities
from lenet.progress import silent

_GLYPHS_AT_ONCE = 500
# The kinds of characters, as errors of each are counted.
KINDS: dict[str, Callable[[str], bool]] = {
    "digits": str.isdigit,
    "capitals": str.isupper,
    "small letters": str.islower,
    "signs": lambda sign: not sign.isalnum(),
}


def evaluate(network: Network, digits: Digits, data: str, report: Callable[[int, int], None] = silent) -> Evaluation:
    """Answer every glyph and count. A picture without ink counts as answered "not a digit".

    Raises DataError when there is nothing to measure on.
    """
    if not len(digits):
        raise DataError(data, "no digits to measure on")
    scores = _scores(network, digits, report)
    probability = probabilities(scores, network.weights.temperature)
    answers, confidence = probability.argmax(axis=1), probability.max(axis=1)
    blank = ~digits.glyphs.any(axis=(1, 2))
    none = len(network.net.signs)
    answers[blank], confidence[blank] = none, 0.0
    wrong = answers != digits.labels
    confusion = np.zeros((none + 1, none + 1), int)
    np.add.at(confusion, (digits.labels, answers), 1)
    rows = np.flatnonzero(wrong)
    mistakes = tuple(
        Mistake(
            int(row),
            digits.paths[row] if digits.paths else None,
            int(digits.labels[row]),
            int(answers[row]),
            float(confidence[row]),
            digits.glyphs[row],
        )
        for row in rows[np.argsort(-confidence[rows], kind="stable")]
    )
    return Evaluation(
        network.weights.name,
        data,
        len(digits),
        int(wrong.sum()),
        wilson95(int(wrong.sum()), len(digits)),
        tuple(tuple(row) for row in confusion.tolist()),
        expected_calibration_error(probability[~blank], digits.labels[~blank]),
        mistakes,
        _by_kinds(network, digits, scores) if network.net.says_characters else _by_writers(data, wrong),
        network.net.signs,
    )


def _scores(network: Network, digits: Digits, report: Callable[[int, int], None]) -> Float32:
    parts = []
    for first in range(0, len(digits), _GLYPHS_AT_ONCE):
        parts.append(network.scores(digits.glyphs[first : first + _GLYPHS_AT_ONCE]))
        report(min(first + _GLYPHS_AT_ONCE, len(digits)), len(digits))
    return np.concatenate(parts)


def _by_kinds(network: Network, digits: Digits, scores: Float32) -> dict[str, tuple[int, int]]:
    """Count errors of digits, capitals, small letters and signs, among all signs and among those of their kind alone.

    A format says of what kind a sign is. Where a capital may be a small letter, what differs by size alone is right.
    """
    signs = np.array(list(network.net.signs))
    answers = scores.argmax(axis=1)
    found = {}
    for kind, is_kind in KINDS.items():
        own = np.flatnonzero([is_kind(sign) for sign in signs])
        rows = np.isin(digits.labels, own)
        alone = own[scores[np.ix_(rows, own)].argmax(axis=1)]
        count = int(rows.sum())
        found[kind] = int((answers[rows] != digits.labels[rows]).sum()), count
        found[f"{kind}, of their kind alone"] = int((alone != digits.labels[rows]).sum()), count
    small = np.char.lower(signs)
    found["small letters for capitals allowed"] = int((small[answers] != small[digits.labels]).sum()), len(digits)
    return found


def _by_writers(data: str, wrong: np.ndarray) -> dict[str, tuple[int, int]]:
    """Count errors of students and of employees, if the set is MNIST's and QMNIST's labels are on this machine."""
    if data != "mnist" or find_local(SOURCES["qmnist"], "test labels") is None:
        return {}
    student = load_writers("test", len(wrong))[:, 0] == STUDENTS
    return {
        name: (int(wrong[group].sum()), int(group.sum()))
        for name, group in (("students", student), ("employees", ~student))
    }
