"""Fit when ruled lines are sides of a table's cells: tables beside boxes for digits and squared paper.

    python benchmarks/fit_cell_sides.py [--share 1.0] [--check]

Pages with wide cells, with cells hardly wider than their numbers, with boxes for digits, and numbers on squared paper,
all by hands that are learned from. It prints CELL_SIDES of `lenet.answers.whole_line`. With --check nothing is fitted:
held-out hands, and how many pages are taken for tables as the numbers stand.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

import numpy as np
from kinds import KINDS, Pen, Picture

from lenet.answers.whole_line import CELL_SIDES, CELL_SIGNS, SeenLines, find_cell_signs
from lenet.arrays import Float32, Float64
from lenet.engine import Network, load
from lenet.errors import LenetError
from lenet.evaluation.calibration import fit_confidence
from lenet.preprocessing.pipeline import find_writing, prepare_page
from lenet.segmentation.candidates import outline_numbers
from lenet.training.line_stream import load_hands

# How many pages there are of each kind; those of the first two are tables.
_PAGES = {"table": 160, "narrow table": 300, "squared": 300, "boxes, all resolutions": 150}
_TABLES = ("table", "narrow table")


def squared(pen: Pen) -> Picture:
    """Draw one or two lines, of one number or two, on squared paper of any pitch."""
    rng, placed, texts = pen.rng, [], []
    for row in range(int(rng.integers(1, 3))):
        texts.append(pen.number(2, 6) + (f" {pen.number(1, 4)}" if rng.random() < 0.3 else ""))
        placed += pen.write(texts[-1], y=row * 2.0, space=float(rng.uniform(1.2, 3)))[0]
    unit = float(rng.uniform(28, 60))
    ink = pen.page(placed, unit, beside=1.2)
    pitch = unit * float(np.exp(rng.uniform(np.log(0.5), np.log(2.2))))
    thick, dark, begin = int(rng.integers(1, 3)), float(rng.uniform(0.3, 1)), rng.uniform(0, pitch, 2)
    for side in np.arange(begin[0], ink.shape[0] - 3, pitch).astype(int).tolist():
        _darken(ink[side : side + thick], dark)
    for side in np.arange(begin[1], ink.shape[1] - 3, pitch).astype(int).tolist():
        _darken(ink[:, side : side + thick], dark)
    return pen.expose(ink), "\n".join(texts)


def narrow_table(pen: Pen) -> Picture:
    """Draw a table whose cells are hardly wider than the numbers in them."""
    rng, placed, texts = pen.rng, [], []
    rows, columns, wide, high = int(rng.integers(1, 4)), int(rng.integers(2, 5)), float(rng.uniform(1.5, 3.4)), 2.0
    for row in range(rows):
        own: list[str] = []
        while len(own) < columns:
            text = pen.number(1, 3)
            marks, end = pen.write(text)
            if end < wide - 0.25:
                left = len(own) * wide + (wide - end) * float(rng.uniform(0.3, 0.7))
                placed += [(mark, x + left, y + row * high) for mark, x, y in marks]
                own.append(text)
        texts.append(" ".join(own))
    unit = float(rng.uniform(28, 60))
    ink = pen.page(placed, unit, beside=1.2)
    thick, dark, x0, y0 = int(rng.integers(1, 4)), float(rng.uniform(0.5, 1)), 1.2 * unit, 0.7 * unit
    for row in range(rows + 1):
        top = round(y0 + row * high * unit)
        _darken(ink[top : top + thick, round(x0) : round(x0 + columns * wide * unit)], dark)
    for column in range(columns + 1):
        left = round(x0 + column * wide * unit)
        _darken(ink[round(y0) : round(y0 + rows * high * unit), left : left + thick], dark)
    return pen.expose(ink), "\n".join(texts)


def _darken(ink: Float32, dark: float) -> None:
    np.maximum(ink, dark, out=ink)


def see_signs(picture: Picture, network: Network) -> Float64:
    """Return CELL_SIGNS (n, 2) of those lines of a page that tell."""
    page = prepare_page(picture[0])
    writing = find_writing(page)
    candidates = outline_numbers(writing)
    seen = SeenLines(page, writing, candidates.lattice, network.lines)
    lines = [seen.read(line, views=1) for line in range(len(candidates.lattice.lines))]
    found = [signs for line in lines if line and (signs := find_cell_signs(line)) is not None]
    return np.array(found).reshape(-1, len(CELL_SIGNS))


def main() -> None:
    """Read the pages, and print the numbers, or how many pages are taken for tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="of the pages of each kind")
    parser.add_argument("--check", action="store_true", help="how the numbers do, by held-out hands")
    options = parser.parse_args()
    network = replace(load(), threads=1)
    try:
        hands = load_hands("dev" if options.check else "train")
    except LenetError as error:
        sys.exit(str(error))
    own = {"squared": squared, "narrow table": narrow_table}
    seen: dict[str, list[Float64]] = {}
    for kind, count in _PAGES.items():
        pen = Pen(np.random.default_rng([0xCE11, *kind.encode()]), hands)
        seen[kind] = []
        for _page in range(round(options.share * count)):
            pen.choose_writer()
            seen[kind].append(see_signs((own.get(kind) or KINDS[kind])(pen), network))
    every = [(kind, signs) for kind, pages in seen.items() for signs in pages if len(signs)]
    sides = CELL_SIDES
    if not options.check:
        is_cell = np.concatenate([np.full(len(signs), kind in _TABLES) for kind, signs in every])
        sides = fit_confidence(np.concatenate([signs for _kind, signs in every]), is_cell)
        print(f"{', '.join(CELL_SIGNS)}, offset: {np.round(sides, 2).tolist()}; now {CELL_SIDES.tolist()}")
    for kind, pages in seen.items():
        taken = sum(bool(len(signs)) and bool(signs.mean(axis=0) @ sides[:-1] + sides[-1] > 0) for signs in pages)
        print(f"{kind:24} {taken:4} of {len(pages):4} taken for tables")


if __name__ == "__main__":
    main()
