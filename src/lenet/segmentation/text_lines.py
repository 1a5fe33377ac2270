"""The lines of writing that components of ink stand in, top to bottom, with their height and their slant."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import cv2
import numpy as np

from lenet.arrays import Float64, Int32, median
from lenet.native.dispatch import runs_natively
from lenet.preprocessing.parameters import RULE, WRITING
from lenet.segmentation.components import Components, note_specks
from lenet.segmentation.parameters import TEXT_LINE, TextLineParams
from lenet.steps import Step

# More components than this, a page of 40 by 25 digits, are not looked at: the largest are, and a step says so.
_MOST_COMPONENTS = 1_000


def list_slants(numbers: TextLineParams) -> Float64:
    """Return the slants that are tried: columns to the right for each row up."""
    return np.arange(numbers.slant_from, numbers.slant_to + numbers.slant_step / 2, numbers.slant_step)


_SLANTS = list_slants(TEXT_LINE)


@dataclass(frozen=True)
class TextLine:
    """A line of writing: its components' labels, the height of its digits in pixels, its slant (columns a row).

    Its middle, in page rows, is `middle` + `rise` * column.
    """

    labels: Int32
    height: float
    slant: float
    middle: float
    rise: float

    def middle_at(self, column: float) -> float:
        """Return the row of the line's middle at a column."""
        return self.middle + self.rise * column


def find_text_lines(found: Components, steps: list[Step]) -> list[TextLine]:
    """Group the kept components into lines of writing, top to bottom, without specks."""
    kept = np.flatnonzero(found.kept & (found.dark >= 1))
    if not len(kept):
        return []
    note_left_out(len(kept) - _MOST_COMPONENTS, len(kept), steps)
    kept = np.sort(kept[np.argsort(-found.dark[kept], kind="stable")[:_MOST_COMPONENTS]])
    dropped = 0
    heights = found.boxes[:, 3] - found.boxes[:, 1]
    widths = found.boxes[:, 2] - found.boxes[:, 0]
    # A dash or a join of digits is as wide as a digit is high.
    tall = kept[heights[kept] >= RULE.tall * heights[kept].max()]
    groups = _mend(found, _merge(found.boxes, _chain(found.boxes, tall)))
    lines = []
    owners = np.full(len(found.boxes), -1)
    for number, group in enumerate(groups):
        owners[group] = number
    medians = [median(heights[group]) for group in groups]
    fits = [_fit_middle(found.boxes[group]) for group in groups]
    for label in kept[owners[kept] < 0]:
        x0, y0, x1, y1 = found.boxes[label]
        middle, away = [fit[0] + fit[1] * (x0 + x1) / 2 for fit in fits], []
        for number, height in enumerate(medians):
            outside = max(0.0, abs((y0 + y1) / 2 - middle[number]) - height / 2)
            away.append(outside / height)
        nearest = int(np.argmin(away))
        least = max(RULE.speck, TEXT_LINE.speck * medians[nearest] ** 2)
        if (
            away[nearest] <= TEXT_LINE.shared
            and max(found.dark[label], TEXT_LINE.filled * heights[label] * widths[label]) >= least
        ):
            owners[label] = nearest
        else:
            dropped += 1
    # Lines that are too low to be read are dust, if any is not.
    legible = [each >= WRITING.least_side or max(medians) < WRITING.least_side for each in medians]
    dust = [number for number, kept_line in enumerate(legible) if not kept_line]
    note_specks(dropped + int(np.isin(owners, dust).sum()), steps)
    order = sorted(
        np.flatnonzero(legible).tolist(),
        key=lambda number: fits[number][0] + fits[number][1] * found.boxes[groups[number], 0].min(),
    )
    stains = 0
    for number in order:
        labels = np.flatnonzero(owners == number).astype(np.int32)
        most = TEXT_LINE.stain * medians[number]
        thin = np.minimum(heights, widths)[labels] <= most  # ink is no thicker than its box
        thin |= [
            not slim and _measure_thickness(found, int(each)) <= most for each, slim in zip(labels, thin, strict=True)
        ]
        stains += int(np.count_nonzero(~thin))
        labels = labels[thin]
        if not len(labels):
            continue
        slant = estimate_slant(found, groups[number])
        lines.append(TextLine(labels, medians[number], slant, *fits[number]))
    if stains:
        steps.append(Step("stains-dropped", {"stains": stains}))
    return lines


def note_left_out(parts: int, every: int, steps: list[Step]) -> None:
    """Say that so many parts of the ink are not looked at, if any: components, pieces, or columns of a strip."""
    if parts > 0:
        steps.append(Step("ink-left-out", {"parts": parts, "all_parts": every}))


def measure_share_read(steps: tuple[Step, ...]) -> float:
    """Return the share of a page's ink that is looked at: 1 unless parts of it had to be left out."""
    shares = [1 - float(s.values["parts"]) / float(s.values["all_parts"]) for s in steps if s.id == "ink-left-out"]
    return prod(shares)


def _measure_thickness(found: Components, label: int) -> float:
    """Return how thick a component's ink is where it is thickest, in pixels."""
    x0, y0, x1, y1 = found.boxes[label]
    own = (found.labels[y0:y1, x0:x1] == label).view(np.uint8)
    own = cv2.copyMakeBorder(own, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0).astype(np.uint8, copy=False)
    return 2 * float(cv2.distanceTransform(own, cv2.DIST_L2, 3).max()) - 1


def _chain(boxes: Int32, tall: Int32) -> list[Int32]:
    """Group tall components: from left to right, each joins the line whose last member it stands beside."""
    groups: list[list[int]] = []
    for label in tall[np.argsort(boxes[tall, 0], kind="stable")]:
        _x0, y0, _x1, y1 = boxes[label]
        best, most = -1, TEXT_LINE.shared
        for number, group in enumerate(groups):
            tops, bottoms = boxes[group[-TEXT_LINE.beside :], 1], boxes[group[-TEXT_LINE.beside :], 3]
            shared = np.minimum(bottoms, y1) - np.maximum(tops, y0)
            share = float((shared / np.minimum(bottoms - tops, y1 - y0)).max())
            if share > most:
                best, most = number, share
        if best < 0:
            groups.append([int(label)])
        else:
            groups[best].append(int(label))
    return [np.array(group, np.int32) for group in groups]


def _merge(boxes: Int32, groups: list[Int32]) -> list[Int32]:
    """Put groups that stand inside the band of a larger one with it: a digit in two pieces began a line of its own."""
    whole: list[Int32] = []
    for group in sorted(groups, key=len, reverse=True):
        x0, y0, x1, y1 = boxes[group].T
        for number, other in enumerate(whole):
            middle, rise = _fit_middle(boxes[other])
            centre = middle + rise * (x0 + x1) / 2
            half = median(boxes[other, 3] - boxes[other, 1]) / 2
            inside = np.minimum(y1, centre + half) - np.maximum(y0, centre - half)
            if median(inside / (y1 - y0)) >= TEXT_LINE.inside or _hangs(boxes[group], boxes[other], centre, half):
                whole[number] = np.concatenate([other, group])
                break
        else:
            whole.append(group)
    return whole


def _hangs(group: Int32, other: Int32, centre: Float64, half: float) -> bool:
    """Return whether a group is one small component that begins in a line's lower half and hangs below: a comma."""
    if len(group) != 1 or len(other) < 2:  # noqa: PLR2004
        return False
    x0, y0, x1, y1 = group[0].tolist()
    within = other[:, 0].min() < x0 and x1 < other[:, 2].max()
    return bool(within and y1 - y0 <= TEXT_LINE.comma * 2 * half and centre[0] <= y0 <= centre[0] + half)


def _mend(found: Components, groups: list[Int32]) -> list[Int32]:
    """Put two groups of few components together that only a gap thinner than the pen parts, above each other.

    A digit that was torn across is no two lines; two digits, one below the other, are higher together.
    """
    if len(groups) != 2 or max(map(len, groups)) > TEXT_LINE.beside:  # noqa: PLR2004
        return groups
    one, other = groups
    boxes = [(*found.boxes[each, :2].min(axis=0), *found.boxes[each, 2:].max(axis=0)) for each in groups]
    (x0, y0, x1, y1), (left, top, right, foot) = np.array(boxes, int).tolist()
    pen = max(_measure_thickness(found, label) for label in (*one.tolist(), *other.tolist()))
    over = min(x1, right) - max(x0, left) >= min(x1 - x0, right - left) / 2
    high, wide = max(y1, foot) - min(y0, top), max(x1, right) - min(x0, left)
    if not over or high > TEXT_LINE.torn * wide:
        return groups
    apart = min(_measure_gap(found, label, below) for label in one.tolist() for below in other.tolist())
    return [np.concatenate(groups)] if apart <= pen else groups


def _measure_gap(found: Components, one: int, other: int) -> float:
    """Return how far two components are apart where they are nearest, in pixels between them."""
    boxes = found.boxes[[one, other]]
    (x0, y0), (x1, y1) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    labels = found.labels[y0:y1, x0:x1]
    away = cv2.distanceTransform((labels != one).astype(np.uint8), cv2.DIST_L2, 5)
    return float(away[labels == other].min()) - 1


def _fit_middle(boxes: Int32) -> tuple[float, float]:
    """Fit the middle of boxes (n, 4) by a line that rises at most by a third: its row at column 0, and its rise."""
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    spread = float(np.ptp(x))
    if len(boxes) < 3 or not spread:  # noqa: PLR2004
        return float(y.mean()), 0.0
    # A ridge keeps short numbers of uneven digits level.
    height = median(boxes[:, 3] - boxes[:, 1])
    centred = x - x.mean()
    rise = float((centred * (y - y.mean())).sum() / ((centred**2).sum() + TEXT_LINE.ridge * height**2))
    rise = float(np.clip(rise, -TEXT_LINE.steepest, TEXT_LINE.steepest))
    return float(y.mean() - rise * x.mean()), rise


def estimate_slant(found: Components, group: Int32) -> float:
    """Return the slant that makes the columns of the upright ink as full and as empty as can be."""
    if not runs_natively():
        return reference_estimate_slant(found, group)
    from lenet.native import _native

    boxes = found.boxes[group]
    column = max(1.0, median(boxes[:, 3] - boxes[:, 1]) / TEXT_LINE.columns)
    return _native.estimate_slant(found.labels, group, boxes, _SLANTS.tolist(), column, RULE.samples)


def reference_estimate_slant(found: Components, group: Int32) -> float:
    """Say in NumPy what `estimate_slant` does."""
    columns, rows = [], []
    for label in group:
        x0, y0, x1, y1 = found.boxes[label]
        y, x = np.nonzero(found.labels[y0:y1, x0:x1] == label)
        step = max(1, len(y) * len(group) // RULE.samples)
        columns.append(x[::step] + x0)
        rows.append(y[::step] + y0)
    x, y = np.concatenate(columns).astype(float), np.concatenate(rows).astype(float)
    height = median(found.boxes[group, 3] - found.boxes[group, 1])
    bin_width = max(1.0, height / TEXT_LINE.columns)
    sharpness = np.array([_measure_sharpness((x + slant * (y - y.mean())) / bin_width) for slant in _SLANTS])
    # Upright by default: a slant must pay.
    best = int(np.argmax(sharpness / (1 + TEXT_LINE.upright * np.abs(_SLANTS))))
    return float(_SLANTS[best])


def _measure_sharpness(columns: Float64) -> float:
    counts = np.bincount((columns - columns.min()).astype(int))
    return float((counts.astype(float) ** 2).sum())
