"""How one line is written: how large and how far apart, slanted, wobbling, joined, and what strikes a number out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenet.training.synthetic.marks import Mark

# A mark in a line: where it stands, in digit heights.
Placed = tuple[Mark, float, float]
# A digit as narrow as this is common, in digit heights: what a comb's pitch leaves beside it is no space.
_NARROW = 0.4


@dataclass(frozen=True)
class LineStyle:
    """How one line is written: all lengths in digit heights; `share` of the strip's height is a digit."""

    of_pixels: bool
    share: float
    gap: float
    spread: float
    pen: float
    shear: float
    rise: float
    wobble: float
    styled: float
    ligatures: float
    uneven: bool
    hang: float
    chained: bool
    pitch: float
    printed: bool
    font: int
    wide: float
    of_font: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> LineStyle:
        """Return a style drawn at random."""
        of_pixels = rng.random() < 0.38
        kind = rng.random()
        if kind < 0.35:
            gap, spread = rng.normal(-0.02, 0.08), 0.07
        elif kind < 0.8:
            gap, spread = rng.uniform(0.05, 0.35), rng.uniform(0.03, 0.15)
        elif kind < 0.95:
            gap, spread = rng.uniform(0.3, 0.9), rng.uniform(0.05, 0.25)
        else:
            gap, spread = rng.uniform(0.8, 1.2), rng.uniform(0.05, 0.15)
        return cls(
            of_pixels,
            float(rng.uniform(0.5, 0.98)),
            float(gap),
            float(spread),
            float(np.exp(rng.uniform(np.log(0.035), np.log(0.17)))),
            float(np.clip(rng.normal(0.1, 0.2), -0.35, 0.75))
            if not of_pixels
            else float(np.clip(rng.normal(0.05, 0.17), -0.4, 0.5)),
            float(rng.normal(0, 0.02)) if rng.random() < 0.6 else 0.0,
            float(abs(rng.normal(0, 0.05))),
            float(rng.choice([0.0, 0.08, 0.25, 0.6])),
            float(rng.choice([0.0, 0.0, 0.25, 0.6])),
            bool(rng.random() < 0.45),
            float(rng.choice([1.0, 1.0, 0.5, 0.0])),
            bool(rng.random() < 0.6 and not of_pixels),
            float(rng.uniform(1.0, 1.6)) if rng.random() < 0.07 else 0.0,
            bool(rng.random() < 0.06),
            int(rng.integers(1000)),
            float(np.clip(np.exp(rng.normal(0, 0.16)), 0.6, 1.7)) if rng.random() < 0.6 else 1.0,
            bool(not of_pixels and rng.random() < 0.08),
        )

    def choose_space(self, rng: np.random.Generator) -> float:
        """Return how far two numbers of the line stand apart: clearly more than digits of one do."""
        widest = max(self.gap + 2.5 * self.spread, self.pitch - _NARROW if self.pitch else 0.0, 0.25)
        return float(widest * rng.uniform(1.6, 2.2) + rng.uniform(0.25, 0.9))

    def choose_room(self, rng: np.random.Generator) -> float:
        """Return how far a unit stands behind its number: as near as its digits do to one another, or some way off."""
        return float(max(self.gap, 0.0) + rng.uniform(0.02, 0.7))

    def size(self, marks: list[Mark], rng: np.random.Generator) -> list[Mark]:
        """Return the marks of a number in their sizes: none quite as large as another, some ends larger or smaller."""
        sizes = np.exp(rng.normal(0, abs(rng.normal(0, 0.1)), len(marks)))
        if self.uneven:
            if rng.random() < 0.4:
                sizes[0] *= rng.uniform(1.15, 1.8)
            if rng.random() < 0.5 and len(marks) > 1:
                sizes[int(rng.integers(1, len(marks))) :] *= rng.uniform(0.5, 0.9)
        return [
            mark.resized(float(np.clip(size, 0.45, 1.9)), self.hang if mark.label.isdigit() else 0.6, self.wide)
            for mark, size in zip(marks, sizes, strict=True)
        ]

    def set_side_by_side(self, marks: list[Mark], placed: list[Placed], x: float, rng: np.random.Generator) -> float:
        """Place the marks of a number from x on, some joined by a stroke; return where it ends."""
        drop, before = 0.0, None
        right = x
        for number, mark in enumerate(marks):
            drop = 0.7 * drop + float(rng.normal(0, self.wobble))
            if self.pitch:
                at = x + number * self.pitch + float(rng.uniform(0, max(0.05, self.pitch - 0.2 - mark.box[2])))
            else:
                gap = float(rng.normal(self.gap, self.spread)) if number else 0.0
                small = mark.label in ".,:" or (before is not None and before[0].label in ".,:")
                at = right + (max(-0.05, 0.5 * gap) if small else max(gap, -0.4 * min(mark.box[2], right - x)))
            placed.append((mark, at, drop + self.rise * at))
            if before is not None and rng.random() < self.ligatures:
                joint = _join_marks(before, placed[-1], rng)
                if joint is not None:
                    placed.append((joint, 0.0, 0.0))
            before = (mark, at, drop + self.rise * at)
            right = max(right, at + mark.box[2]) if mark.label else right
        return right if not self.pitch else max(right, x + len(marks) * self.pitch)


def _join_marks(one: Placed, other: Placed, rng: np.random.Generator) -> Mark | None:
    """Return the stroke of a pen that is not lifted between two marks; None where it would be long."""
    if not (one[0].strokes and other[0].strokes and one[0].label.isdigit() and other[0].label.isdigit()):
        return None
    start = one[0].strokes[-1][-1] + np.array(one[1:], np.float32)
    end = other[0].strokes[0][0] + np.array(other[1:], np.float32)
    length = float(np.hypot(*(end - start)))
    if not 0.02 < length < 1.1 or end[0] < start[0] - 0.2:
        return None
    bulge = np.array([0, rng.normal(0.05, 0.15)]) * length
    t = np.linspace(0, 1, 8)[:, None]
    middle = (start + end) / 2 + bulge
    points = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
    return Mark("", (points.astype(np.float32),), None, (0, 0, 0, 0))


def strike_out(width: float, rng: np.random.Generator) -> Mark:
    """Return what strikes a number out: a line or two, a cross, or a scribble."""
    kind = rng.random()
    lines = []
    if kind < 0.5:
        for _line in range(int(rng.integers(1, 3))):
            lines.append([(-0.2, rng.uniform(0.3, 0.7)), (width + 0.2, rng.uniform(0.3, 0.7))])
    elif kind < 0.75:
        lines = [[(-0.1, 0.0), (width + 0.1, 1.0)], [(-0.1, 1.0), (width + 0.1, 0.0)]]
    else:
        count = max(6, int(8 * width))
        zigzag = np.stack([np.linspace(0, width, count), np.where(np.arange(count) % 2, 0.05, 0.95)], axis=1)
        lines = [(zigzag + rng.normal(0, 0.08, zigzag.shape)).tolist()]
    strokes = tuple(
        np.array(line, np.float32) + rng.normal(0, 0.03, (len(line), 2)).astype(np.float32) for line in lines
    )
    return Mark("", strokes, None, (0, 0, width, 1))
