"""Measure the reading of numbers: whole numbers right, edit distances, and what abstaining would save."""

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

# The shares of pictures at which the curve of abstention is given.
_SHARES = (0.25, 0.5, 0.75, 0.9, 0.95, 1.0)


def edit_distance(one: str, other: str) -> int:
    """Return how many insertions, deletions and changes of a character lead from one text to the other."""
    row = list(range(len(other) + 1))
    for index, character in enumerate(one, 1):
        before, row[0] = row[0], index
        for place, wanted in enumerate(other, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (character != wanted))
    return row[-1]


def evaluate_numbers(
    model: str | Path,
    folder: Path,
    rows: list[Labelled],
    asked: ReadOptions = ReadOptions(),  # noqa: B008 - it is frozen
    report: Callable[[int, int], None] = silent,
) -> NumbersEvaluation:
    """Read a folder's pictures of numbers and count. Raises DataError when there are none, or none can be read."""
    if not rows:
        raise DataError(folder, "no numbers to measure on")
    paths = [str(folder / row.path) for row in rows]
    misread, unreadable, answers, distances, digits, abstained = [], [], [], 0, 0, 0
    for number, (row, answer) in enumerate(
        zip(rows, read_all(open_pictures(paths), len(paths), model, asked), strict=True)
    ):
        report(number + 1, len(rows))
        if answer.reading is None:
            unreadable.append((row.path, str(answer.error)))
            continue
        found = answer.reading
        wanted = "" if row.text == NONE else row.text
        right = found.text == wanted and (not found.abstained or not wanted)
        answers.append((found.confidence, right))
        abstained += bool(found.abstained)
        digits += len(wanted)
        distances += edit_distance(found.text, wanted)
        if not right:
            misread.append(Misread(row.path, row.text, found.text, found.confidence, found.abstained))
    if not answers:
        raise DataError(folder, f"none of {len(rows)} pictures can be read ({unreadable[0][1]})")
    wrong = len(misread)
    return NumbersEvaluation(
        Path(model).stem,
        str(folder),
        len(answers),
        wrong,
        wilson95(wrong, len(answers)),
        digits,
        distances,
        abstained,
        calibration_gap(np.array([each[0] for each in answers]), np.array([each[1] for each in answers])),
        _curve(answers),
        tuple(sorted(misread, key=lambda each: -each.confidence)),
        tuple(unreadable),
    )


def _curve(answers: list[tuple[float, bool]]) -> tuple[tuple[float, float], ...]:
    """Return (share answered, share of those wrong), where the least sure are not answered."""
    surest = [right for _confidence, right in sorted(answers, key=lambda each: -each[0])]
    points = []
    for share in _SHARES:
        kept = surest[: max(1, round(share * len(surest)))]
        points.append((share, 1 - sum(kept) / len(kept)))
    return tuple(points)
