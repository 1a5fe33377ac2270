"""How lenet reads hands that taught its networks nothing: UNIPEN's digits, numbers and signs, letters, words, marks.

How sure answers are, and the arc scorer, were fitted on lines and digits by these hands.

    python benchmarks/read_hands.py [--n 500] [--model NAME] [--only NAME]

Each writing is drawn with a pen of 6 to 12 % of its height. Both readers together are the default; cut and line are
each alone. Digits count without the signs between them, "exact" with them and without spaces.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from lenet.answers.line import Readers
from lenet.arrays import Float32, Uint8
from lenet.data.strokes import StrokeKind, load_strokes
from lenet.decoding.letters import LIKE_DIGITS
from lenet.engine import Network, load
from lenet.errors import LenetError
from lenet.evaluation.interval import wilson95
from lenet.network.spec import DEFAULT, LINE_LABELS, PASSED_OVER
from lenet.reader import ReadOptions, read
from lenet.result import Reading
from lenet.training.line_stream import load_hands
from lenet.training.synthetic.fonts import find_fonts
from lenet.training.synthetic.line_texts import LinePart, write_number_text
from lenet.training.synthetic.lines import LineMaker
from lenet.training.synthetic.marks import join_label, mark_strokes, paint

Pictures = Iterator[tuple[Uint8, str]]
# Whether a reading is what it should be of a text.
Rule = Callable[[Reading, str], bool]
READERS: tuple[Readers, ...] = ("both", "cut", "line")
# Pixels that a hand's digits are high; a pen's thickness as a share of that, least and greatest.
_HIGH, _PENS = 60, (0.06, 0.12)
# An answer above this is sure.
_SURE = 0.95


def draw(text: str, strokes: list[Float32], size: float, rng: np.random.Generator) -> Uint8:
    """Return a page with one writing of `size` digit heights, dark on white."""
    mark = mark_strokes(text, strokes, size, 0.5, False)
    wide, high = mark.box[2], max(mark.box[3], 1.0) - min(mark.box[1], 0.0)
    ink = np.zeros((round(_HIGH * (high + 1)), round(_HIGH * (wide + 1))), np.float32)
    down = _HIGH * (0.5 - min(mark.box[1], 0.0))
    paint([(mark, 0, 0)], ink, _HIGH, (_HIGH / 2, down), float(rng.uniform(*_PENS)), 0, rng)
    return (255 - np.rint(ink * 220)).astype(np.uint8)


def written(kind: StrokeKind, n: int, unlike: str = "") -> Pictures:
    """Yield writings of UNIPEN's part dev and what they say, n at most: every so many of those not in `unlike`."""
    strokes = load_strokes("dev", kind)
    rng = np.random.default_rng([0x4A, *kind.encode()])
    rows = np.flatnonzero(~np.isin(strokes.labels, list(unlike)))
    for row in rows[:: max(1, len(rows) // n)][:n]:
        text = str(strokes.labels[row])
        yield draw(text, strokes.sample(row), 1.1 if kind == "words" else 1.0, rng), text


def numbers(*, new: bool = False) -> Pictures:
    """Yield the numbers of one line in UNIPEN's part dev; `new`: only texts that nobody wrote in its part train."""
    pens, known = load_hands("dev").pens, set(load_hands("train").pens.numbers.texts.tolist())
    rng = np.random.default_rng(0x4A)
    for row, label in enumerate(pens.numbers.labels.tolist()):
        if not (new and label in known):
            yield draw(label, pens.numbers.sample(row), 1.1, rng), join_label(label)


def signed(n: int) -> Pictures:
    """Yield made lines of held-out hands with one number each, every one with a sign."""
    maker, rng = LineMaker(load_hands("dev"), find_fonts()), np.random.default_rng(0x516)
    for _line in range(n):
        text = "0"
        while text.isdigit():
            text = write_number_text(rng)
        made = maker.make_page(rng, [LinePart("number", text)])
        yield made.grey, made.text


def nothing(n: int) -> Pictures:
    """Yield papers that are blank, ruled or scribbled on."""
    rng = np.random.default_rng(0x0B)
    for number in range(n):
        high, wide = (int(side) for side in rng.integers(50, 260, 2))
        page = rng.uniform(120, 255) + rng.normal(0, rng.uniform(0, 5), (high, wide))
        if number % 3 == 1:
            for row in range(int(rng.integers(5, 20)), high, int(rng.integers(18, 40))):
                page[row : row + int(rng.integers(1, 3))] = rng.uniform(40, 110)
        if number % 3 == 2:
            points = np.cumsum(rng.normal(0, 0.14, (int(rng.integers(25, 70)), 2)), axis=0).astype(np.float32)
            page = draw("", [points - points.min(axis=0)], 1.0, rng).astype(np.float64)
        yield np.clip(np.rint(page), 0, 255).astype(np.uint8), ""


def keep_signs(text: str) -> str:
    """Return a text without spaces and what was passed over."""
    return "".join(sign for sign in text if sign in LINE_LABELS.replace(" ", "").replace(PASSED_OVER, ""))


def is_exact(reading: Reading, text: str) -> bool:
    """Whether the best text is right with its signs, spaces left out."""
    return keep_signs(reading.best_text) == keep_signs(text)


def has_digits(reading: Reading, text: str) -> bool:
    """Whether the best text is right by its digits."""
    return "".join(filter(str.isdigit, reading.best_text)) == "".join(filter(str.isdigit, text))


def is_silent(reading: Reading, _text: str) -> bool:
    """Whether nothing is answered."""
    return not reading.text


def every_set(n: int) -> dict[str, tuple[Callable[[], Pictures], Rule, ReadOptions]]:
    """Return what makes the pictures of each set, what is right, and what to ask for."""
    one, many = ReadOptions(digit=True), ReadOptions()
    return {
        "UNIPEN's digits (digit)": (partial(written, "digits", 10_000), has_digits, one),
        "UNIPEN's digits (read)": (partial(written, "digits", 10_000), has_digits, many),
        "UNIPEN's numbers, digits": (numbers, has_digits, many),
        "UNIPEN's numbers, exact": (numbers, is_exact, many),
        "the same, texts not in train": (partial(numbers, new=True), is_exact, many),
        "made lines with signs, exact": (partial(signed, n), is_exact, many),
        "made lines with signs, digits": (partial(signed, n), has_digits, many),
        "capitals, silent": (partial(written, "upper", 150, LIKE_DIGITS), is_silent, many),
        "small letters, silent": (partial(written, "lower", 150, LIKE_DIGITS), is_silent, many),
        "words, silent": (partial(written, "words", 300), is_silent, many),
        "marks, silent": (partial(written, "symbols", 100, "|"), is_silent, many),
        "blank, ruled, scribbled, silent": (partial(nothing, 300), is_silent, many),
    }


def count(pictures: Pictures, rule: Rule, network: Network, asked: ReadOptions) -> tuple[int, int, int, int]:
    """Return how many pictures there are, how many are right, how many are answered surely, how many of these wrong."""
    n = right = sure = wrong = 0
    for page, text in pictures:
        reading = read(page, network, asked)
        good = rule(reading, text)
        said = bool(reading.text) and reading.confidence > _SURE
        n, right, sure, wrong = n + 1, right + good, sure + said, wrong + (said and not good)
    return n, right, sure, wrong


def main() -> None:
    """Read every set by both readers and by each alone, and print a row of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=500, help="made lines")
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    network = replace(load(options.model), threads=1)
    for name, (pictures, rule, asked) in every_set(options.n).items():
        if options.only not in name:
            continue
        try:
            told = []
            for readers in READERS:
                n, right, sure, wrong = count(pictures(), rule, network, replace(asked, readers=readers))
                low, high = wilson95(right, n)
                share = f"{100 * right / n:5.1f} % ({100 * low:.1f} to {100 * high:.1f})" if readers == "both" else ""
                told.append(f"{readers} {right:>4} of {n} {share} sure {sure}, of them wrong {wrong}")
        except LenetError as error:
            print(f"{name}: left out ({error})", file=sys.stderr)
            continue
        print(f"{name:32} {'   '.join(told)}", flush=True)


if __name__ == "__main__":
    main()
