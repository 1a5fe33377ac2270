"""Ink that hangs together, without frames and specks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lenet.arrays import Bools, Int32, Int64
from lenet.preprocessing.binarize import Ink
from lenet.preprocessing.parameters import RULE
from lenet.segmentation.parameters import COMPONENT
from lenet.steps import Step

# Corners that a frame has, and edges of the page that a high one touches.
_MOST_OF_FOUR = 3


@dataclass(frozen=True)
class Components:
    """Connected ink: `labels` (H, W) int32 from 1, `boxes` (n, 4) x0, y0, x1, y1 and `dark` pixels (n,) of each.

    Row 0 is the paper. `kept` (n,) says which may be writing.
    """

    labels: Int32
    boxes: Int32
    dark: Int32
    kept: Bools


def find_components(ink: Ink, steps: list[Step]) -> Components:
    """Label the ink; frames and the paper's edge are not kept, as long as something else remains."""
    count, found, stats, _ = cv2.connectedComponentsWithStats(ink.strokes.astype(np.uint8), connectivity=8)
    labels = found.astype(np.int32)
    boxes = stats[:, :4].astype(np.int32)
    boxes[:, 2:] += boxes[:, :2]
    # A component counts by its dark pixels: where noise was blurred away, dust looks larger than it is.
    dark = np.bincount(labels[ink.levels > COMPONENT.dark], minlength=count).astype(np.int32)
    kept = np.zeros(count, bool)
    if count == 2:  # noqa: PLR2004
        kept[1] = True  # all the ink there is
    elif count > 2:  # noqa: PLR2004
        kept = _drop_frames(labels, boxes, dark, steps)
    large = kept & ((boxes[:, 2:] - boxes[:, :2]).min(axis=1) >= 2 * RULE.run)
    empty = [label for label in np.flatnonzero(large).tolist() if _is_box(labels, label, boxes[label])]
    kept[empty] = False
    if empty:
        steps.append(Step("boxes-dropped", {"boxes": len(empty)}))
    around = _find_around(boxes, np.flatnonzero(kept))
    rings = [label for label, inside in around.items() if _is_ring(labels, boxes, label, inside)]
    kept[rings] = False
    if rings:
        steps.append(Step("rings-dropped", {"rings": len(rings)}))
    return Components(labels, boxes, dark, kept)


def _drop_frames(labels: Int32, boxes: Int32, dark: Int32, steps: list[Step]) -> Bools:
    """Return which components are no frame, as long as something else that is no speck remains."""
    shape = labels.shape
    x0, y0, x1, y1 = boxes.T
    touched = (x0 == 0).astype(int) + (y0 == 0) + (x1 == shape[1]) + (y1 == shape[0])
    along = (x1 - x0 >= COMPONENT.frame * shape[1]) | (y1 - y0 >= COMPONENT.frame * shape[0])
    frame = (touched > 0) & along
    frame[0] = True  # component 0 is the paper
    inside = ~frame
    if inside.any():
        height = (y1 - y0)[inside].max()
        width, tall = x1 - x0, y1 - y0
        frame[1:] &= np.maximum(width, tall)[1:] >= RULE.times_height * height
        frame[1:] &= ((touched >= _MOST_OF_FOUR) | (np.minimum(width, tall) < height / 2))[1:]
        for label in (np.flatnonzero(frame[1:]) + 1).tolist():
            frame[label] = _hugs(labels, label, boxes[label])
        at_side, at_end = (x0 == 0) | (x1 == shape[1]), (y0 == 0) | (y1 == shape[0])
        thin = max(2.0, COMPONENT.corner * height)
        frame |= at_side & (width <= thin) & (tall >= COMPONENT.slim * width)
        frame |= at_end & (tall <= thin) & (width >= COMPONENT.slim * tall)
        inside = ~frame
    if not inside.any() or dark[inside].max() < max(RULE.speck, COMPONENT.speck * dark[1:].max()):
        inside[1:] = True
        return inside
    if frame[1:].any():
        steps.append(Step("frames-dropped", {"frames": int(frame[1:].sum())}))
    return inside


def _hugs(labels: Int32, label: int, box: Int32) -> bool:
    """Say whether a component runs along the page's edge or has corners, as paper and frames do and digits do not."""
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        if np.count_nonzero(edge == label) >= RULE.least_share * len(edge):
            return True
    x0, y0, x1, y1 = box
    own = labels[y0:y1, x0:x1] == label
    height, width = (max(1, round(COMPONENT.corner * side)) for side in own.shape)
    corners = (own[:height, :width], own[:height, -width:], own[-height:, :width], own[-height:, -width:])
    return sum(bool(corner.any()) for corner in corners) >= _MOST_OF_FOUR


def _is_box(labels: Int32, label: int, box: Int32) -> bool:
    """Say whether a component is nothing but four straight level sides; a 0 has no corners."""
    x0, y0, x1, y1 = box
    own = labels[y0:y1, x0:x1] == label
    height, width = own.shape
    thickness = own.sum() / (2 * (height + width))
    if min(height, width) < 2 * RULE.run or thickness > COMPONENT.thickest * min(height, width):
        return False
    corner = max(2, round(COMPONENT.rounded * thickness))
    ends = slice(corner), slice(-corner, None)
    if not all(own[y, x].any() for y in ends for x in ends):
        return False
    reach = int(np.ceil((1 + COMPONENT.rounded) * thickness + 1.5))
    sides = (own[:reach].any(axis=0), own[-reach:].any(axis=0), own[:, :reach].any(axis=1), own[:, -reach:].any(axis=1))
    inside = own[reach:-reach, reach:-reach].sum()
    return bool(min(side.mean() for side in sides) >= COMPONENT.frame and inside <= COMPONENT.speck * own.sum())


def _find_around(boxes: Int32, labels: Int64) -> dict[int, Int64]:
    """Return which of these components are around others that may be a part of writing, and which those are.

    What a ring is around may lie, or be in pieces: each is at least half as large as all of them have to be.
    """
    order = labels[np.argsort(boxes[labels, 0], kind="stable")]
    x0, y0, x1, y1 = boxes[order].T
    heights, sides = y1 - y0, np.maximum(x1 - x0, y1 - y0)
    # Only what begins between a component's two sides can be within it: the others are not looked at.
    first, behind = np.searchsorted(x0, x0, "right"), np.searchsorted(x0, x1)
    found = {}
    # What is so low that nothing large enough fits within it is around nothing.
    for at in np.flatnonzero((behind > first) & (heights - 2 >= COMPONENT.enclosed * heights)).tolist():
        some = slice(first[at], behind[at])
        within = (y0[some] > y0[at]) & (x1[some] < x1[at]) & (y1[some] < y1[at])
        within &= sides[some] >= COMPONENT.enclosed * heights[at] / 2
        if within.any():
            found[int(order[at])] = order[some][within]
    return found


def _is_ring(labels: Int32, boxes: Int32, label: int, inside: Int64) -> bool:
    """Say whether a component is a closed line drawn around other writing: a circle, or a box with round corners.

    Some of `inside` are in its box; what lies in the closed space has to be large enough for writing.
    """
    x0, y0, x1, y1 = boxes[label]
    height, width = int(y1 - y0), int(x1 - x0)
    own = labels[y0:y1, x0:x1] == label
    if own.sum() > COMPONENT.thickest * min(height, width) * 2 * (height + width):
        return False
    _count, spaces = cv2.connectedComponents(np.pad(~own, 1, constant_values=True).astype(np.uint8), connectivity=4)
    outside = labels[y0:y1, x0:x1][spaces[1:-1, 1:-1] == spaces[0, 0]]
    enclosed = boxes[np.setdiff1d(inside, outside)]
    if not len(enclosed):
        return False
    extent = enclosed[:, 2:].max(axis=0) - enclosed[:, :2].min(axis=0)
    return bool(extent.max() >= COMPONENT.enclosed * height)


def drop_specks(found: Components, steps: list[Step]) -> Bools:
    """Return which kept components are large enough, or near enough to the largest, to be part of one digit."""
    if not found.kept.any():
        return found.kept
    if len(found.kept) == 2:  # noqa: PLR2004
        note_specks(int(found.dark[1] < RULE.speck), steps)
        return found.kept & (found.dark >= RULE.speck)
    x0, y0, x1, y1 = found.boxes.T
    largest = int(np.argmax(np.where(found.kept, found.dark, 0)))
    reach = COMPONENT.near * max(x1[largest] - x0[largest], y1[largest] - y0[largest])
    gap = np.maximum(np.maximum(x0 - x1[largest], x0[largest] - x1), np.maximum(y0 - y1[largest], y0[largest] - y1))
    share = np.where(gap <= reach, COMPONENT.near_speck, COMPONENT.speck)
    large = found.kept & (found.dark >= np.maximum(share * found.dark[largest], RULE.speck))
    note_specks(int((found.kept & ~large).sum()), steps)
    return large


def note_specks(dropped: int, steps: list[Step]) -> None:
    """Say how many specks were dropped, if any."""
    if dropped:
        steps.append(Step("specks-dropped", {"specks": dropped}))
