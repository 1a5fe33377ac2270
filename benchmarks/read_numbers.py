"""How well lenet reads numbers and single digits, made from MNIST and real ones, and how often it is rightly silent.

    python benchmarks/read_numbers.py [--n 500] [--model NAME] [--readers both] [--no-peers] [--test] [--only NAME]

Made sets are of held-out writers' training digits by default; --test takes the test set's, for the final figure. Real
sets are the parts `dev` of the folders in $LENET_DATA/real, left out with a line where they are missing. PP-OCRv6 (pip
install 'lenet[peers]') and Tesseract read the same pictures where they are installed.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
from model_card import fill

from lenet.arrays import Int64, Uint8
from lenet.bench.peers import PLAIN, TESSERACT, Peer, find_peers
from lenet.data import dataset
from lenet.decoding.decoder import UNCERTAIN
from lenet.engine import Network, load
from lenet.errors import LenetError
from lenet.evaluation.calibration import calibration_gap
from lenet.evaluation.interval import wilson95
from lenet.evaluation.numbers import compare_texts, find_confidence
from lenet.network.spec import DEFAULT, NOT_A_DIGIT
from lenet.preprocessing.decode import open_page
from lenet.progress import silent
from lenet.reader import Readers, ReadOptions, read
from lenet.training.synthetic import negatives
from lenet.training.synthetic.compose import Writing, resize_digits, space_out, tile
from lenet.training.synthetic.degrade import degrade, warp_writing
from lenet.training.synthetic.styles import STYLES, draw_style

Pictures = Iterator[tuple[Uint8 | Path, str]]
Answer = tuple[float, bool, bool]
SINGLES = ("sudoku-natural", "student-digits", "nsysu-digits", "digilets-digits", "semeion")
NUMBERS = ("orand-car-a", "nist-hsf")
# Digits of a ZIP code, of an amount and of a time, as in MDW.
LENGTHS = {"zip": (5, 5), "amount": (3, 6), "time": (4, 4)}
# Tesseract takes a tenth of a second for a picture: it reads the first so many of each set; other peers these.
_TESSERACT, _PEERS = 60, 300
# How often truth is drawn to tell what an honest reader's calibration error would be.
_DRAWS = 200
# The names of all MDW-style numbers together, and of MNIST's digits as they are.
MDW, GLYPHS = "zip, amount and time", "MNIST's glyphs, one look"


class Digits:
    """MNIST digits and who wrote them: held-out writers' training digits, or the test set."""

    def __init__(self, test: bool) -> None:
        data = dataset.load("mnist")
        part = "test" if test else "train"
        digits = data.test if test else data.train
        who = dataset.load_writers(part, len(digits)).astype(np.int64)
        chosen = np.ones(len(digits), bool) if test else data.held_out
        self.glyphs, self.labels = digits.glyphs[chosen], digits.labels[chosen]
        self.writers: Int64 = (who[:, 0] * 100_000 + who[:, 1])[chosen]

    def of_one_writer(self, count: int, rng: np.random.Generator) -> tuple[Uint8, Uint8]:
        """Return so many digits of one writer, drawn at random."""
        own = np.flatnonzero(self.writers == self.writers[rng.integers(len(self.writers))])
        rows = rng.choice(own, count)
        return self.glyphs[rows], self.labels[rows]


def plain(writing: Writing) -> tuple[Uint8, str]:
    """Return writing as a page: black on white."""
    return (255 - np.rint(writing.ink * 255)).astype(np.uint8), writing.text


def numbers(digits: Digits, form: str, tiles: bool, n: int) -> Pictures:
    """Yield MDW-style numbers: one writer's digits at the paper's gaps of -1 to 4 pixels, or as tiles."""
    rng = np.random.default_rng([0x3D3, *form.encode(), tiles])
    low, high = LENGTHS[form]
    for _number in range(n):
        glyphs, labels = digits.of_one_writer(int(rng.integers(low, high + 1)), rng)
        if tiles:
            yield plain(tile(glyphs, labels))
        else:
            gaps = rng.integers(-1, 5, len(glyphs) - 1).astype(np.int32)
            yield plain(space_out(glyphs, labels, gaps, np.zeros(len(glyphs), np.int32)))


def touching_pairs(digits: Digits, n: int) -> Pictures:
    """Yield pairs of one writer's digits whose boxes overlap by 0 to 3 pixels."""
    rng = np.random.default_rng(0x707)
    for _pair in range(n):
        glyphs, labels = digits.of_one_writer(2, rng)
        yield plain(space_out(glyphs, labels, -rng.integers(0, 4, 1).astype(np.int32), np.zeros(2, np.int32)))


def lines_of_ten(digits: Digits, n: int) -> Pictures:
    """Yield lines of ten digits: gaps of -1 to 8 pixels, slant to 20 degrees, a wobbling base line."""
    rng = np.random.default_rng(0x10)
    for _line in range(n):
        glyphs, labels = digits.of_one_writer(10, rng)
        drops = np.rint(np.cumsum(rng.normal(0, 0.8, 10))).astype(np.int32)
        writing = space_out(glyphs, labels, rng.integers(-1, 9, 9).astype(np.int32), np.clip(drops, -4, 4))
        ink, owners = warp_writing(writing, 2.0, 1.0, float(np.tan(np.radians(rng.uniform(-20, 20)))), 0.0)
        yield plain(Writing(ink, owners, writing.text))


def of_sizes(digits: Digits, n: int) -> Pictures:
    """Yield numbers whose digits are of several sizes: many with a large first one or small last ones, on one line."""
    rng = np.random.default_rng(0x512E)
    for _number in range(n):
        glyphs, labels = digits.of_one_writer(int(rng.integers(3, 8)), rng)
        gaps = rng.integers(-1, 7, len(glyphs) - 1).astype(np.int32)
        yield plain(space_out(glyphs, labels, gaps, np.zeros(len(glyphs), np.int32), resize_digits(len(glyphs), rng)))


def on_a_line(digits: Digits, n: int) -> Pictures:
    """Yield numbers written on a ruled line, as dark as the pen or paler, that meets their feet or lies lower."""
    rng = np.random.default_rng(0x41E)
    for _number in range(n):
        glyphs, labels = digits.of_one_writer(int(rng.integers(3, 8)), rng)
        gaps = rng.integers(-1, 7, len(glyphs) - 1).astype(np.int32)
        writing = space_out(glyphs, labels, gaps, np.zeros(len(glyphs), np.int32))
        ink, owners = warp_writing(writing, 2.0, 1.0, 0.0, 0.0)
        y, x = np.mgrid[: ink.shape[0], : ink.shape[1]]
        foot = np.flatnonzero((ink > 0.5).any(axis=1))[-1] + rng.uniform(-8, 4)
        away = np.abs(y - foot - rng.normal(0, 0.005) * (x - ink.shape[1] / 2))
        line = np.clip(rng.uniform(1, 4) / 2 + 0.5 - away, 0, 1) * rng.uniform(0.3, 1)
        yield plain(Writing(np.maximum(ink, line).astype(np.float32), owners, writing.text))


def in_boxes(digits: Digits, n: int) -> Pictures:
    """Yield numbers with a box, or the tooth of a comb, for each digit, as dark as the pen or paler."""
    rng = np.random.default_rng(0xB0C)
    cell, margin, scale = 33, 5, 2
    for _number in range(n):
        glyphs, labels = digits.of_one_writer(int(rng.integers(3, 8)), rng)
        ink = np.zeros((cell + 2 * margin, cell * len(glyphs) + 2 * margin), np.float32)
        for place, glyph in enumerate(glyphs):
            right, down = (int(way) + margin for way in rng.integers(0, cell - 27, 2))
            part = ink[down : down + 28, right + cell * place : right + cell * place + 28]
            np.maximum(part, glyph.astype(np.float32) / 255, out=part)
        ink = np.kron(ink, np.ones((scale, scale), np.float32))
        thick, grey = int(rng.integers(1, 4)), rng.uniform(0.3, 1)
        top, low, left, right = (
            scale * side for side in (margin, margin + cell, margin, ink.shape[1] // scale - margin)
        )
        teeth = top if rng.random() < 0.5 else low - int(rng.uniform(0.25, 0.6) * scale * cell)
        lines = np.zeros_like(ink)
        lines[low : low + thick, left : right + thick] = grey
        for x in range(left, right + 1, scale * cell):
            lines[teeth:low, x : x + thick] = grey
        if teeth == top:
            lines[top : top + thick, left : right + thick] = grey
        yield plain(Writing(np.maximum(ink, lines), np.zeros(ink.shape, np.int32), "".join(map(str, labels))))


def in_shadow(digits: Digits, n: int) -> Pictures:
    """Yield photographs of numbers over which the edge of a shadow goes, hard or soft, a fifth to three fifths dark."""
    rng = np.random.default_rng(0x5AD)
    for _number in range(n):
        glyphs, labels = digits.of_one_writer(int(rng.integers(3, 8)), rng)
        gaps = rng.integers(1, 7, len(glyphs) - 1).astype(np.int32)
        writing = space_out(glyphs, labels, gaps, np.zeros(len(glyphs), np.int32))
        ink, _owners = warp_writing(writing, float(rng.uniform(1.5, 4)), 1.0, 0.0, 0.0)
        high, wide = (len(side) for side in (ink, ink[0]))
        ink = np.pad(ink, int(rng.uniform(0.5, 1.5) * high))
        y, x = np.mgrid[: ink.shape[0], : ink.shape[1]]
        turn, edge = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 8)
        away = (x - ink.shape[1] / 2 - rng.uniform(-0.4, 0.4) * wide) * np.cos(turn)
        away += (y - ink.shape[0] / 2 - rng.uniform(-0.3, 0.3) * high) * np.sin(turn)
        light = 1 - rng.uniform(0.2, 0.6) * np.clip(away / (2 * edge) + 0.5, 0, 1)
        grey = (rng.uniform(200, 250) - 190 * ink) * light + rng.normal(0, rng.uniform(0.5, 3), ink.shape)
        yield np.clip(np.rint(grey), 0, 255).astype(np.uint8), writing.text


def styled(n: int) -> Pictures:
    """Yield single digits drawn in the styles that MNIST hardly has, photographed."""
    rng = np.random.default_rng(0x57)
    for number in range(n):
        glyph, label = draw_style(STYLES[number % len(STYLES)], rng)
        yield (
            degrade(Writing(glyph.astype(np.float32) / 255, np.zeros((28, 28), np.int32), ""), rng).grey,
            str(label),
        )


def no_digits(n: int) -> Pictures:
    """Yield pictures without a digit: blank pages, noise, horizontal lines, letters, blots, textures."""
    rng = np.random.default_rng(0x0D)
    for number in range(n):
        kind = ("blank", "noise", "lines", "letter", "blot", "texture")[number % 6]
        shape = tuple(int(side) for side in rng.integers(40, 300, 2))
        if kind == "blank":
            page = rng.uniform(60, 255) + rng.normal(0, rng.uniform(0, 4), shape)
        elif kind == "noise":
            page = rng.uniform(60, 200) + rng.normal(0, rng.uniform(10, 60), shape)
        elif kind == "lines":
            page = np.full(shape, 230.0)
            for row in rng.integers(2, shape[0] - 2, int(rng.integers(1, 5))):
                page[row : row + int(rng.integers(1, 4)), int(rng.integers(0, 20)) :] = rng.uniform(20, 120)
        else:
            ink = negatives.draw_negative(rng, kind)
            page = degrade(Writing(ink, np.zeros(ink.shape, np.int32), ""), rng).grey
        yield np.clip(np.rint(page), 0, 255).astype(np.uint8), ""


def dev_part(name: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """Yield the pictures of a real set's part `dev` with their rows of labels. Raises OSError when it is missing."""
    folder = Path(os.environ.get("LENET_DATA", "")) / "real" / name
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["part"] == "dev"]
    for row in rows:
        yield folder / row["path"], row


def real(name: str) -> Pictures:
    """Yield the pictures of a real set's part `dev` and what they say."""
    for path, row in dev_part(name):
        yield path, row["label"]


def boxed_digits(name: str) -> Pictures:
    """Yield the digits of a real set's numbers, cut out by the boxes that go with them (label:x/y/width/height;...)."""
    for path, row in dev_part(name):
        grey = open_page(path).grey
        for each in filter(None, row["boxes"].split(";")):
            label, box = each.split(":")
            x, y, wide, high = (int(side) for side in box.split("/"))
            yield np.ascontiguousarray(grey[y : y + high, x : x + wide]), label


def compared(pictures: Pictures, digit: bool, peers: dict[str, Peer], n: int) -> dict[str, tuple[int, int]]:
    """Return how many of the first pictures each peer reads right, and of how many; Tesseract reads fewer."""
    some = list(itertools.islice(pictures, n))
    found = {}
    for name, peer in peers.items():
        own = some[:_TESSERACT] if name == TESSERACT else some
        found[name] = sum(peer(page, digit) == text.replace("\n", "") for page, text in own), len(own)
    return found


def answered(pictures: Pictures, network: Network, asked: ReadOptions) -> list[Answer]:
    """Read pictures; return the confidence of each answer, if it was right, and if there was one.

    Labels are of digits alone, so the confidence is of the digits.
    """
    answers = []
    for page, text in pictures:
        reading = read(page, network, asked)
        said = bool(reading.text)
        # Where there is nothing to read, to withhold a guess is right.
        right = compare_texts(reading.best_text, text) if text else not said
        answers.append((find_confidence(reading, text), right, said))
    return answers


def at_one_look(digits: Digits, network: Network) -> list[Answer]:
    """Answer MNIST's glyphs as `lenet evaluate` does: by the network's scores alone."""
    probs = network.probabilities(digits.glyphs)
    said, most = probs.argmax(axis=1), probs.max(axis=1)
    told = (said != NOT_A_DIGIT) & (most >= UNCERTAIN)
    return list(zip(most.tolist(), (said == digits.labels).tolist(), told.tolist(), strict=True))


def measured(answers: list[Answer]) -> dict[str, Any]:
    """Return how many were right, the error at 90 % coverage, and how honest the confidences are.

    "calibration_error_if_honest" is what chance alone leaves of it with so many answers: its mean if each were right
    with just the probability that it is said to be.
    """
    n, right = len(answers), sum(each[1] for each in answers)
    surest = sorted(answers, reverse=True)[: max(1, round(0.9 * n))]
    confidence = np.array([each[0] for each in answers])
    gap = calibration_gap(confidence, np.array([each[1] for each in answers]))
    rng = np.random.default_rng(0)
    by_chance = [calibration_gap(confidence, rng.random(n) < confidence) for _draw in range(_DRAWS)]
    return {
        "n": n,
        "right": right,
        "share": right / n,
        "interval95": wilson95(right, n),
        "error_at_90": 1 - sum(each[1] for each in surest) / len(surest),
        "calibration_error": gap,
        "calibration_error_if_honest": float(np.mean(by_chance)),
        "answered": sum(each[2] for each in answers),
    }


def tell(name: str, each: dict[str, Any]) -> None:
    """Print a set's row."""
    low, high = each["interval95"]
    print(
        f"{name:30} {each['right']:>5} of {each['n']:>5}  {100 * each['share']:6.2f} % "
        f"({100 * low:.1f} to {100 * high:.1f})  90 %: {100 * each['error_at_90']:5.2f} % wrong  "
        f"calibration {100 * each['calibration_error']:4.1f} % "
        f"(honest: {100 * each['calibration_error_if_honest']:.1f})  answered {each['answered']}  "
        + "  ".join(f"{other} {right} of {n}" for other, (right, n) in each.get("others", {}).items()),
        flush=True,
    )


def into_card(card: Path, found: dict[str, dict[str, Any]], options: argparse.Namespace) -> None:
    """Put the table into a model card."""
    alone = f" --readers {options.readers}" if options.readers != ReadOptions().readers else ""
    asked = f"--n {options.n}{' --test' * options.test}{alone}"
    source = "MNIST test digits" if options.test else "held-out writers' digits of the training set"
    rows = [
        f"`python benchmarks/read_numbers.py {asked}`; made sets are of {source}.",
        "",
        "The calibration error is of how sure the digits are, in brackets what chance alone leaves an honest reader.",
        "",
        *(["Cut and line are the two readers alone."] if not alone else []),
        "",
    ]
    others = list(dict.fromkeys(name for each in found.values() for name in each.get("others", {})))
    rows += [
        f"| pictures | right | 95 % | wrong among the surest 90 % | calibration error | {' | '.join(others)} |",
        "|---|---|---|---|---|" + "---|" * len(others),
    ]
    for name, each in found.items():
        low, high = each["interval95"]
        honest = f"{100 * each['calibration_error']:.1f} % ({100 * each['calibration_error_if_honest']:.1f} %)"
        shares = f"{100 * each['error_at_90']:.1f} % | {honest}"
        right = f"{each['right']:,} of {each['n']:,} ({100 * each['share']:.1f} %)"
        told = each.get("others", {})
        cells = " | ".join("{} of {}".format(*told[other]) if other in told else "" for other in others)
        rows.append(f"| {name} | {right} | {100 * low:.1f} to {100 * high:.1f} % | {shares} | {cells} |")
    if said := mean_of_singles(found):
        rows += ["", f"The {said}."]
    fill(card, "reading", "read_numbers.py", rows)


def mean_of_singles(found: dict[str, dict[str, Any]]) -> str:
    """Return what to say of the sets of real single digits together, one vote each; nothing if there are none."""
    shares = [found[f"{name} (digit)"]["share"] for name in SINGLES if f"{name} (digit)" in found]
    return f"mean over {len(shares)} sets of single digits: {100 * float(np.mean(shares)):.2f} %" if shares else ""


def every_set(digits: Digits, n: int, readers: Readers) -> dict[str, tuple[Callable[[], Pictures], ReadOptions]]:
    """Return what makes the pictures of each set, and what to ask for; made sets have `n` pictures."""
    one, many = ReadOptions(digit=True), ReadOptions(readers=readers)
    sets: dict[str, tuple[Callable[[], Pictures], ReadOptions]] = {}
    for form in LENGTHS:
        sets[f"{form}, spaced"] = partial(numbers, digits, form, False, n), many
        sets[f"{form}, tiles"] = partial(numbers, digits, form, True, n), many
    sets["touching pairs"] = partial(touching_pairs, digits, n), many
    sets["lines of ten"] = partial(lines_of_ten, digits, n), many
    sets["digits of several sizes"] = partial(of_sizes, digits, n), many
    sets["on a ruled line"] = partial(on_a_line, digits, n), many
    sets["a box for each digit"] = partial(in_boxes, digits, n), many
    sets["in a shadow"] = partial(in_shadow, digits, n), many
    sets |= {name: (partial(real, name), many) for name in NUMBERS}
    for name in SINGLES:
        sets |= {f"{name} (digit)": (partial(real, name), one), f"{name} (read)": (partial(real, name), many)}
    sets["orand-car-a, its boxes (digit)"] = partial(boxed_digits, "orand-car-a"), one
    sets["drawn styles (digit)"] = partial(styled, n), one
    sets["no digit"] = partial(no_digits, max(6, 2 * n)), many
    return sets


def main() -> None:
    """Read every set and print a table, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--readers", default=ReadOptions().readers, choices=get_args(Readers))
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="leave Tesseract and PP-OCRv6 out")
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--card", type=Path, help="write the table into this model card")
    options = parser.parse_args()
    network = replace(load(options.model), threads=1)
    peers = find_peers() if options.peers else {}
    for name in {TESSERACT, PLAIN} - peers.keys() if options.peers else ():
        print(f"{name}: left out, it is not installed", file=sys.stderr)
    show: Callable[[str, dict[str, Any]], None] = silent if options.json else tell
    digits = Digits(options.test)
    found: dict[str, dict[str, Any]] = {}
    together: list[Answer] = []
    if options.only in GLYPHS:
        found[GLYPHS] = measured(at_one_look(digits, network))
        show(GLYPHS, found[GLYPHS])
    for name, (pictures, asked) in every_set(digits, options.n, options.readers).items():
        if options.only not in name:
            continue
        try:
            answers = answered(pictures(), network, asked)
            found[name] = measured(answers)
            others: dict[str, tuple[int, int]] = {}
            for readers in () if asked.digit or options.readers != ReadOptions().readers else ("cut", "line"):
                alone = answered(pictures(), network, replace(asked, readers=readers))
                others[readers] = sum(right for _confidence, right, _said in alone), len(alone)
            found[name]["others"] = others
            if name != "no digit":
                others |= compared(pictures(), asked.digit, peers, _PEERS)
        except (OSError, LenetError) as error:
            print(f"{name}: left out ({error})", file=sys.stderr)
            continue
        show(name, found[name])
        together += answers if name.partition(",")[0] in LENGTHS else []
    if together:
        found[MDW] = measured(together)
        show(MDW, found[MDW])
    if options.card:
        into_card(options.card, found, options)
    if options.json:
        print(json.dumps(found))
        return
    if said := mean_of_singles(found):
        print(said)


if __name__ == "__main__":
    main()
