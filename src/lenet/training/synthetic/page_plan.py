"""What stands on a made page: tables, forms with boxes and strips, squares; for each cell what is written in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from lenet.training.synthetic.line_texts import write_number_text

# What is in a cell, in the words of the labelled pages: a number by hand, print, nothing, a mark that is no number, a
# number that is struck out, or two numbers one over the other.
CellKind = Literal["hand", "printed", "empty", "mark", "struck", "overwritten"]
# A page has so many pixels across and down, as A4 at 150 dots an inch.
PAGE_WIDTH, PAGE_HEIGHT = 1240, 1754
_MARGIN = 90
# This share of the tables has a dark header.
_BANDED = 0.25
# This share of the strips of boxes are combs.
_COMBED = 0.3
_WORDS = (
    *("Name", "Total", "Date", "Score", "Code", "Group", "Sheet", "Meter", "Student", "Player", "Team", "Result"),
    *("Points", "Hour", "Station", "Reading", "Week", "Item", "Count", "Amount", "Room", "Exam", "Question"),
)


@dataclass(frozen=True)
class PlannedCell:
    """A cell: its place in its table, its box x0, y0, x1, y1 on the flat page, what is in it and what that says.

    `boxes` is how many boxes of a strip it has, one for each digit; 1: it is a plain cell.
    """

    table: int
    row: int
    column: int
    box: tuple[float, float, float, float]
    kind: CellKind
    text: str
    boxes: int = 1


@dataclass(frozen=True)
class PlannedRule:
    """A line from x, y to x, y on the flat page; how thick and how dark (0 to 1) it is."""

    ends: tuple[float, float, float, float]
    thick: int
    dark: float


@dataclass
class PagePlan:
    """All on a page: cells, rules, print (text, x, y of its left foot, height), dark bands (x0, y0, x1, y1)."""

    cells: list[PlannedCell] = field(default_factory=list)
    rules: list[PlannedRule] = field(default_factory=list)
    print_: list[tuple[str, float, float, float]] = field(default_factory=list)
    bands: list[tuple[float, float, float, float]] = field(default_factory=list)
    tables: int = 0


@dataclass(frozen=True)
class Shares:
    """How likely a cell of a table has each kind but a number by hand; and how long numbers are at most."""

    empty: float
    mark: float
    struck: float
    printed: float
    overwritten: float
    longest: int
    signs: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Shares:
        """Return shares drawn at random: many tables have neither marks nor print in their cells."""
        return cls(
            float(rng.uniform(0.05, 0.4)),
            float(rng.choice([0.0, 0.05, 0.3])),
            float(rng.choice([0.0, 0.03, 0.08])),
            float(rng.choice([0.0, 0.1, 0.3])),
            float(rng.choice([0.0, 0.04])),
            int(rng.choice([1, 2, 3, 4, 5])),
            bool(rng.random() < 0.25),
        )

    def choose(self, rng: np.random.Generator) -> tuple[CellKind, str]:
        """Return what is in a cell, and what it says."""
        text = write_number_text(rng) if self.signs else _write_digits(rng, int(rng.integers(1, self.longest + 1)))
        draw = rng.random()
        kinds: tuple[CellKind, ...] = ("empty", "mark", "struck", "printed", "overwritten")
        for kind in kinds:
            draw -= float(getattr(self, kind))
            if draw < 0:
                return kind, text if kind in ("printed", "struck", "overwritten") else ""
        return "hand", text


def plan_page(rng: np.random.Generator) -> PagePlan:
    """Return a page with a title and one to three parts, each a table, squares, or a form."""
    plan = PagePlan()
    y = float(rng.uniform(40, 140))
    if rng.random() < 0.8:
        size = float(rng.uniform(16, 34))
        plan.print_.append((" ".join(rng.choice(_WORDS, int(rng.integers(2, 6)))), _MARGIN, y + size, size))
        y += size + float(rng.uniform(20, 90))
    while y < PAGE_HEIGHT - 250:
        part = rng.random()
        if part < 0.55:
            y = _plan_table(plan, y, rng)
        elif part < 0.72:
            y = _plan_squares(plan, y, rng)
        else:
            y = _plan_form(plan, y, rng)
        y += float(rng.uniform(50, 160))
        if rng.random() < 0.4:
            break
    return plan


def _write_digits(rng: np.random.Generator, count: int) -> str:
    return "".join(rng.choice(list("0123456789"), count))


def _plan_table(plan: PagePlan, y: float, rng: np.random.Generator) -> float:
    """Add a table with a printed header and labels; return where it ends."""
    high = float(rng.uniform(32, 76))
    rows = min(int(rng.integers(2, 26)), int((PAGE_HEIGHT - 60 - y) / high - 1))
    columns = int(rng.integers(2, 11))
    if rows < 1:
        return PAGE_HEIGHT
    first = float(rng.uniform(90, 330))
    rest = max(1.1 * high, float(rng.uniform(0.5, 1.0)) * (PAGE_WIDTH - 2 * _MARGIN - first) / columns)
    columns = int(min(columns, (PAGE_WIDTH - _MARGIN - first - 20) / rest))
    x = float(rng.uniform(20, max(21, PAGE_WIDTH - 20 - first - rest * columns)))
    wide = [first, *(rest * (rng.uniform(0.7, 1.3, columns) if rng.random() < 0.3 else np.ones(columns)))]
    shrink = min(1.0, (PAGE_WIDTH - 20 - x) / sum(wide))
    edges = [x, *(x + shrink * np.cumsum(wide))]
    tall = [high * float(rng.uniform(0.7, 1.2)), *([high] * rows)]
    lines = [y, *(y + np.cumsum(tall))]
    _rule_table(plan, edges, lines, rng)
    table, shares = plan.tables, Shares.draw(rng)
    plan.tables += 1
    if rng.random() < _BANDED:
        plan.bands.append((edges[0], lines[0], edges[-1], lines[1]))
    for row in range(rows + 1):
        for column in range(columns + 1):
            box = (edges[column], lines[row], edges[column + 1], lines[row + 1])
            kind: CellKind
            if row and column:
                kind, text = shares.choose(rng)
            else:
                text = _write_label(row, column, rng) if row + column else ""
                kind = "printed" if text else "empty"
            plan.cells.append(PlannedCell(table, row, column, box, kind, text))
    return float(lines[-1])


def _write_label(row: int, column: int, rng: np.random.Generator) -> str:
    word = str(rng.choice(_WORDS))
    return f"{word} {row or column}" if rng.random() < 0.7 else str(row or column)


def _rule_table(plan: PagePlan, edges: list[float], lines: list[float], rng: np.random.Generator) -> None:
    """Rule a table; some have no outer lines at their sides, some a thicker frame."""
    thick, dark = int(rng.choice([1, 1, 2, 2, 3, 4])), float(rng.uniform(0.35, 1))
    frame = thick + int(rng.choice([0, 0, 1, 3]))
    bare = rng.random() < 0.1
    for row, y in enumerate(lines):
        outer = row in (0, len(lines) - 1)
        plan.rules.append(PlannedRule((edges[0], y, edges[-1], y), frame if outer else thick, dark))
    for column, x in enumerate(edges):
        outer = column in (0, len(edges) - 1)
        if not (bare and outer):
            plan.rules.append(PlannedRule((x, lines[0], x, lines[-1]), frame if outer else thick, dark))


def _plan_squares(plan: PagePlan, y: float, rng: np.random.Generator) -> float:
    """Add a square of squares, a digit in each, every third line thick; return where it ends."""
    side = float(rng.uniform(40, 86))
    if y + 9 * side > PAGE_HEIGHT - 30:
        return PAGE_HEIGHT
    x = float(rng.uniform(30, PAGE_WIDTH - 30 - 9 * side))
    thin, dark, given = int(rng.choice([1, 2])), float(rng.uniform(0.4, 1)), float(rng.uniform(0.2, 0.5))
    empty = float(rng.choice([0.0, 0.1, 0.5]))
    for line in range(10):
        thick = thin if line % 3 else thin + int(rng.integers(2, 4))
        at = line * side
        plan.rules.append(PlannedRule((x, y + at, x + 9 * side, y + at), thick, dark))
        plan.rules.append(PlannedRule((x + at, y, x + at, y + 9 * side), thick, dark))
    for row in range(9):
        for column in range(9):
            box = (x + column * side, y + row * side, x + (column + 1) * side, y + (row + 1) * side)
            kind: CellKind = "printed" if rng.random() < given else "empty" if rng.random() < empty else "hand"
            text = "" if kind == "empty" else str(rng.integers(1, 10))
            plan.cells.append(PlannedCell(plan.tables, row, column, box, kind, text))
    plan.tables += 1
    return y + 9 * side


def _plan_form(plan: PagePlan, y: float, rng: np.random.Generator) -> float:
    """Add lines with a printed label, and boxes to fill in beside it: single ones, or a strip with a box a digit."""
    high = float(rng.uniform(36, 70))
    thick, dark, shares = int(rng.choice([1, 2, 2, 3])), float(rng.uniform(0.35, 1)), Shares.draw(rng)
    for _line in range(int(rng.integers(1, 8))):
        if y + high > PAGE_HEIGHT - 40:
            break
        x, size = _MARGIN + float(rng.uniform(0, 60)), high * float(rng.uniform(0.3, 0.45))
        label = str(rng.choice(_WORDS))
        plan.print_.append((f"{label}:", x, y + (high + size) / 2, size))
        x += size * len(label) + float(rng.uniform(20, 120))
        while x < PAGE_WIDTH - 4 * high:
            count = int(rng.integers(3, 9)) if rng.random() < 0.5 else 1
            wide = high * float(rng.uniform(0.75, 1.0)) * count if count > 1 else high * float(rng.uniform(1.2, 3.5))
            if x + wide > PAGE_WIDTH - 40:
                break
            kind, text = shares.choose(rng)
            if count > 1:
                kind = "empty" if kind == "empty" else "hand"
                text = _write_digits(rng, count) if kind == "hand" else ""
            box = (x, y, x + wide, y + high)
            plan.cells.append(PlannedCell(plan.tables, 0, 0, box, kind, text, count))
            plan.tables += 1
            comb = count > 3 and rng.random() < _COMBED
            top = y + high * float(rng.uniform(0.35, 0.7)) if comb else y
            for line in (y + high,) if comb else (y, y + high):
                plan.rules.append(PlannedRule((x, line, x + wide, line), thick, dark))
            for edge in range(count + 1):
                at = x + edge * wide / count
                plan.rules.append(PlannedRule((at, top, at, y + high), thick, dark))
            x += wide + high * float(rng.uniform(1.2, 3))
            if rng.random() < 0.5:
                break
        y += high + float(rng.uniform(24, 90))
    return y
