"""Measure the reading of numbers: best texts, answers, what is withheld, edit distances, and what doubt would save."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lenet.bulk.inputs import open_pictures
from lenet.bulk.jobs import read_all
from lenet.data.labels import NONE, Labelled
from lenet.errors import DataError
from lenet.evaluation.calibration import calibration_gap
from lenet.evaluation.interval import wilson95
from lenet.evaluation.result import Misread, NumbersEvaluation
from lenet.progress import silent
from lenet.reader import ReadOptions
from lenet.result import Reading

# The shares of pictures, the surest first, at which the curve of errors is given.
_SHARES = (0.25, 0.5, 0.75, 0.9, 0.95, 1.0)


def edit_distance(one: str, other: str) -> int:
    """Return how many insertions, deletions and changes of a character lead from one text to the other."""
    row = list(range(len(other) + 1))
    for index, character in enumerate(one, 1):
        before, row[0] = row[0], index
        for place, wanted in enumerate(other, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (character != wanted))
    return row[-1]


def compare_texts(text: str, label: str) -> bool:
    """Return whether a text is what a label says: its digits, of a label of digits alone, or exactly.

    Of digits alone is also a label that a folder wrote without the signs that stand in its pictures. "none" is no text.
    """
    if label == NONE:
        return not text
    if label.isdecimal():
        return "".join(filter(str.isdecimal, text)) == label
    return text == label


def find_confidence(reading: Reading, label: str) -> float:
    """Return how sure a reading is of what is compared with a label: of its digits alone, if these are the label's."""
    return reading.digits_confidence if label.isdecimal() else reading.confidence


def evaluate_numbers(
    model: str | Path,
    folder: Path,
    rows: list[Labelled],
    options: ReadOptions = ReadOptions(),  # noqa: B008 - it is frozen
    report: Callable[[int, int], None] = silent,
) -> NumbersEvaluation:
    """Read a folder's pictures of numbers and count. Raises DataError when there are none, or none can be read."""
    if not rows:
        raise DataError(folder, "no numbers to measure on")
    paths = [str(folder / row.path) for row in rows]
    misread, unreadable, best = [], [], []
    answered = answered_wrong = by_digits = digits = distances = 0
    answers = read_all(open_pictures(paths), len(paths), model, options)
    for number, (row, answer) in enumerate(zip(rows, answers, strict=True)):
        report(number + 1, len(rows))
        found = answer.reading
        if found is None:
            unreadable.append((row.path, str(answer.error)))
            continue
        right = compare_texts(found.best_text, row.text)
        best.append((find_confidence(found, row.text), right))
        answered += bool(found.text)
        answered_wrong += bool(found.text) and not compare_texts(found.text, row.text)
        by_digits += row.text.isdecimal()
        label = "" if row.text == NONE else row.text
        digits += len(label)
        text = "".join(filter(str.isdecimal, found.best_text)) if label.isdecimal() else found.best_text
        distances += edit_distance(text, label)
        if not right:
            misread.append(Misread(row.path, row.text, found.text, found.guess, found.confidence, found.abstained))
    if not best:
        raise DataError(folder, f"none of {len(rows)} pictures can be read ({unreadable[0][1]})")
    confidences, rights = np.array([each[0] for each in best]), np.array([each[1] for each in best])
    return NumbersEvaluation(
        Path(model).stem,
        str(folder),
        len(best),
        len(misread),
        wilson95(len(misread), len(best)),
        answered,
        answered_wrong,
        by_digits,
        digits,
        distances,
        calibration_gap(confidences, rights),
        _measure_curve(best),
        tuple(sorted(misread, key=lambda each: -each.confidence)),
        tuple(unreadable),
    )


def _measure_curve(answers: list[tuple[float, bool]]) -> tuple[tuple[float, float], ...]:
    """Return (share of pictures, share of those wrong), the surest first."""
    surest = [right for _confidence, right in sorted(answers, key=lambda each: -each[0])]
    points = []
    for share in _SHARES:
        kept = surest[: max(1, round(share * len(surest)))]
        points.append((share, 1 - sum(kept) / len(kept)))
    return tuple(points)
