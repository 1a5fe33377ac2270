"""Fit how looks at a page from four sides are weighed: which of them has the number that somebody wrote.

    python benchmarks/fit_looks.py [--share 1.0] [--check]

Pages of numbers that lie or stand on their head, and of upright ones, columns, labels, letters, signs and tables, by
hands that are learned from, are read as they are and turned by quarters. It prints LOOK_WEIGHTS and TURNED of
`lenet.answers.looks`. With --check nothing is fitted: held-out hands, and how many are right as the weights stand.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace

import numpy as np
from kinds import KINDS, Pen, Picture
from read_kinds import is_wrong

from lenet.answers.looks import LOOK_FEATURES, LOOK_WEIGHTS, SQUARE, TURNED, is_answer, look_features, may_lie
from lenet.arrays import Float64
from lenet.engine import Network, load
from lenet.errors import LenetError
from lenet.evaluation.calibration import fit_confidence
from lenet.preprocessing.pipeline import find_writing, prepare_page, turn_page
from lenet.reader import ReadOptions, explain_page, read
from lenet.result import Reading
from lenet.training.line_stream import load_hands
from lenet.training.synthetic.fonts import find_fonts
from lenet.training.synthetic.line_texts import LinePart, write_number_text
from lenet.training.synthetic.lines import LineMaker

# How many pages there are of each kind.
_PAGES = {
    "turned": 260,
    "turned line": 160,
    "upright": 200,
    "one digit": 150,
    "digit torn across": 80,
    "boxes, all resolutions": 60,
    "upright line": 160,
    "column": 150,
    "block": 60,
    "turned block": 180,
    "labelled": 120,
    "letters": 150,
    "numbers apart": 80,
    "table": 50,
    "unit behind": 60,
    "struck out": 60,
    "slash": 60,
}
_LETTERS = list("abdefhkmnprtuwxyABDEFHKMNPRT")


@dataclass(frozen=True)
class SeenLooks:
    """LOOK_FEATURES and whether it is turned (n, 6) of the looks that may count, and which of them are right (n,)."""

    features: Float64
    right: list[bool]


def column(pen: Pen) -> Picture:
    """Draw two to five numbers one below the other, now and then single digits."""
    most = 1 if pen.rng.random() < 0.4 else 4
    texts = [pen.number(1, most) for _line in range(int(pen.rng.integers(2, 6)))]
    placed = [mark for row, text in enumerate(texts) for mark in pen.write(text, y=1.8 * row)[0]]
    return pen.expose(pen.page(placed)), "\n".join(texts)


def block(pen: Pen) -> Picture:
    """Draw two to five numbers one below the other, about as long as they are high together."""
    several = int(pen.rng.integers(2, 6))
    texts = [pen.number(2, 2 * several) for _line in range(several)]
    placed = [mark for row, text in enumerate(texts) for mark in pen.write(text, y=1.8 * row)[0]]
    return pen.expose(pen.page(placed)), "\n".join(texts)


def labelled(pen: Pen) -> Picture:
    """Draw one to three numbers, each below some letters: the numbers are right."""
    texts, placed = [], []
    for row in range(int(pen.rng.integers(1, 4))):
        word = "".join(pen.rng.choice(_LETTERS, int(pen.rng.integers(1, 5))))
        texts.append(pen.number(1, 3))
        placed += pen.write(word, y=3.6 * row)[0] + pen.write(texts[-1], y=3.6 * row + 1.8)[0]
    return pen.expose(pen.page(placed)), "\n".join(texts)


def made_line(pen: Pen, maker: LineMaker) -> Picture:
    """Make the picture of a line with one number of two signs and more."""
    text = ""
    while len(text) < 2:
        text = write_number_text(pen.rng)
    made = maker.make_page(pen.rng, [LinePart("number", text)])
    return made.grey, made.text


def draw(kind: str, pen: Pen, maker: LineMaker) -> Picture:
    """Draw a page of a kind."""
    own = {
        "upright": lambda: pen.picture(pen.number(1, 6)),
        "one digit": lambda: pen.picture(pen.number(1, 1)),
        "column": lambda: column(pen),
        "block": lambda: block(pen),
        "turned block": lambda: block(pen),
        "labelled": lambda: labelled(pen),
        "upright line": lambda: made_line(pen, maker),
        "turned line": lambda: made_line(pen, maker),
    }
    page, text = own[kind]() if kind in own else KINDS[kind](pen)
    quarters = int(pen.rng.integers(1, 4)) if kind in ("turned line", "turned block") else 0
    return np.ascontiguousarray(np.rot90(page, quarters)), text


def see(picture: Picture, network: Network) -> SeenLooks:
    """Read a page as it is and turned; looks that could not count are left out."""
    page, text = prepare_page(picture[0]), picture[1]
    high, wide = find_writing(page).ink.strokes.shape
    features, right = [], []
    sides = (0, 1, 3) if high > wide else (0, 2)
    for quarters in (0, 1, 2, 3) if max(high, wide) <= SQUARE * min(high, wide) else sides:
        found: Reading = explain_page(turn_page(page, quarters) if quarters else page, network, ReadOptions()).reading
        if found.state == "blank":
            break
        if quarters == 0 or (is_answer(found) and may_lie(found)):
            features.append([*look_features(found), float(quarters > 0)])
            right.append(found.best_text == text)
    return SeenLooks(np.array(features).reshape(-1, len(LOOK_FEATURES) + 1), right)


def fit_looks(seen: list[SeenLooks]) -> Float64:
    """Return the weights (6,) that tell right looks from others of the same page, the first of them 1."""
    differences = [
        looks.features[row] - looks.features[other]
        for looks in seen
        for row in np.flatnonzero(looks.right)
        for other in np.flatnonzero(~np.array(looks.right))
    ]
    both = np.array([*differences, *(-each for each in differences)]).reshape(-1, len(LOOK_FEATURES) + 1)
    weights = fit_confidence(both, np.arange(len(both)) < len(differences))[:-1]
    return np.array(weights / weights[0])


def main() -> None:
    """Read the pages, and print the weights, or how many are right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="of the pages of each kind")
    parser.add_argument("--check", action="store_true", help="how the weights do, by held-out hands")
    options = parser.parse_args()
    network = replace(load(), threads=1)
    try:
        hands = load_hands("dev" if options.check else "train")
    except LenetError as error:
        sys.exit(str(error))
    maker, seen = LineMaker(hands, find_fonts()), []
    for kind, count in _PAGES.items():
        pen = Pen(np.random.default_rng([0x100C, *kind.encode()]), hands)
        right = wrong = 0
        for _page in range(round(options.share * count)):
            pen.choose_writer()
            picture = draw(kind, pen, maker)
            if not options.check:
                seen.append(see(picture, network))
            found = read(picture[0], network)
            right += found.best_text == picture[1]
            wrong += bool(found.text) and is_wrong(found.text, picture[1], loose=False)
        print(
            f"{kind:14} {right:4} of {round(options.share * count):4} right, {wrong:3} answered and wrong", flush=True
        )
    if seen:
        weights = fit_looks(seen)
        told = ", ".join(f"{name} {weight:.2f}" for name, weight in zip(LOOK_FEATURES, weights, strict=False))
        print(f"{told}; turned {-weights[-1]:.2f}; now {LOOK_WEIGHTS.tolist()} and {TURNED}")


if __name__ == "__main__":
    main()
