"""Pen strokes of many hands (UNIPEN train_r01_v07): characters, numbers and words as they were written, by writer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from lenet.arrays import Bools, Float32, Int32
from lenet.data.fetch import search_folders
from lenet.errors import DataError, reason

StrokeKind = Literal["digits", "upper", "lower", "symbols", "numbers", "words"]
Part = Literal["train", "dev"]
_ARRAYS = ("points", "strokes", "samples", "label", "writer")
# Boxes below this many units of the tablet are stairs, which two passes of (1 2 1) / 4 smooth.
_COARSE = 60


@dataclass(frozen=True)
class StrokeSet:
    """Samples of handwriting as strokes: `points` (p, 2), y down; `strokes` and `samples` say where each begins.

    `labels` (n,) are what is written and `writers` (n,) who wrote it. Only ratios within a sample mean something:
    tablets differ in their units.
    """

    points: Float32
    strokes: Int32
    samples: Int32
    labels: np.ndarray
    writers: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def sample(self, row: int) -> list[Float32]:
        """Return the strokes of a sample, each (points, 2) with x and y from 0, y down."""
        first, past = self.samples[row], self.samples[row + 1]
        bounds = self.strokes[first : past + 1]
        points = self.points[bounds[0] : bounds[-1]]
        if float(np.ptp(points, axis=0).max(initial=0)) < _COARSE:
            return [_smooth(self.points[a:b]) for a, b in pairwise(bounds)]
        return [self.points[a:b] for a, b in pairwise(bounds)]

    @cached_property
    def sizes(self) -> Float32:
        """The width and height (n, 2) of each sample, in its own units."""
        starts = self.strokes[self.samples[:-1]]
        return np.maximum.reduceat(self.points, starts) - np.minimum.reduceat(self.points, starts)

    @cached_property
    def texts(self) -> np.ndarray:
        """What is written at all, each text once, in order."""
        return np.unique(self.labels)

    def where(self, chosen: Bools) -> StrokeSet:
        """Return the samples for which `chosen` (n,) holds, of the same points."""
        points, strokes, samples = [], [0], [0]
        for row in np.flatnonzero(chosen):
            first, past = self.samples[row], self.samples[row + 1]
            bounds = self.strokes[first : past + 1]
            points.append(self.points[bounds[0] : bounds[-1]])
            strokes += (bounds[1:] - bounds[0] + strokes[-1]).tolist()
            samples.append(len(strokes) - 1)
        joined = np.concatenate(points) if points else np.zeros((0, 2), np.float32)
        first_points, first_strokes = np.array(strokes, np.int32), np.array(samples, np.int32)
        return StrokeSet(joined, first_points, first_strokes, self.labels[chosen], self.writers[chosen])


def _smooth(stroke: Float32) -> Float32:
    for _time in range(2):
        inner = (stroke[:-2] + 2 * stroke[1:-1] + stroke[2:]) / 4
        stroke = np.concatenate([stroke[:1], inner, stroke[-1:]]) if len(stroke) > 1 else stroke
    return stroke


def find_strokes() -> Path:
    """Return the folder `unipen` of $LENET_DATA or of the cache. Raises DataError when neither is there."""
    folders = search_folders("unipen")
    for folder in folders:
        if any(folder.glob("*.npz")):
            return folder
    raise DataError(folders[0], "no strokes of UNIPEN", "lenet data fetch unipen, or set LENET_DATA")


def load_strokes(part: Part, kind: StrokeKind) -> StrokeSet:
    """Load the samples of a kind that are to learn from ("train") or to choose by ("dev"). Raises DataError."""
    path = find_strokes() / f"{part}-{kind}.npz"
    try:
        with np.load(path, allow_pickle=False) as found:
            points, strokes, samples, labels, writers = (found[name] for name in _ARRAYS)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(path, f"no strokes ({reason(error)})") from error
    return StrokeSet(points.astype(np.float32), strokes, samples, labels, writers)
