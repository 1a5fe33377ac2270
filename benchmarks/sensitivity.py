"""What each tuned number in front of the networks is worth: a third up, a third down, on a fixed sample of pictures.

    python benchmarks/sensitivity.py --out FOUND.json [--stage InkParams] [--write]

The sample is of the reading benchmark's sets (held-out writers, parts `dev`), $LENET_DATA/field, examples/ and the
tests' drawn pictures. Integers move by at least 1. A stage whose numbers are varied runs in Python, as its twin: C++
was compiled with the numbers as they are. What is counted is the texts that change, and how many more are right.
Answers are kept in --out, so that it can be stopped and called again; --write makes a document of them.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import itertools
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from kinds import KINDS, ONE_DIGIT, Pen
from PIL import Image
from read_numbers import Digits, every_set

import lenet.answers.whole_line
import lenet.preprocessing.parameters as before
import lenet.reader
import lenet.segmentation.line_strips
import lenet.segmentation.parameters as behind
import lenet.segmentation.text_lines
from lenet.engine import Network, load
from lenet.files import replace_text
from lenet.native.dispatch import REFERENCE
from lenet.network.spec import DEFAULT
from lenet.preprocessing.decode import Page
from lenet.preprocessing.pipeline import PageInk, find_writing, prepare_page
from lenet.preprocessing.sources import PictureSource
from lenet.reader import ReadOptions
from lenet.segmentation.text_lines import list_slants
from lenet.training.line_stream import load_hands
from lenet.tuned import list_parameters

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("LENET_DATA", ""))
# How many pictures of each set of the reading benchmark, and of each made kind, are in the sample.
_OF_SET = {"orand-car-a": 50, "nist-hsf": 25, "on a ruled line": 50, "a box for each digit": 50, "no digit": 20}
_OF_SETS, _OF_KIND, _OF_DRAWN = 5, 6, 50
# Where the stages are, and what of them runs in C++.
_NATIVE = {"INK": "binarize", "RULE": "ruled_lines", "UPRIGHT": "form_boxes", "SEAM": "lattice", "LATTICE": "lattice"}
_NATIVE |= {"TEXT_LINE": "text_lines", "GLYPH": "glyphs"}
_SAMPLE = 800
_HEAD = """# The tuned numbers

What stands before and around the networks was chosen, not learned: this is all of it, made by `python
benchmarks/sensitivity.py --out FOUND.json`, then `--write docs/parameters.md`. The values stand in
`preprocessing/parameters.py` and `segmentation/parameters.py`; C++ is compiled with the same.

A number is *tried* (by hand, on drawn pages, `data/real` and `data/field`), measured on *MNIST*'s training digits,
follows from the *shape* of the thing, or bounds *time* and hardly the answer. The last two columns say how many of
800 pictures read otherwise when it is a third less or more (integers by at least 1), and in brackets how many more of
them are right. The pictures: 172 of `data/field`, 200 of hard shadows, sheets on tables, coloured ink and two inks,
100 on ruled lines and in boxes, 50 cheques, and a few of every other set of the reading benchmark and every made
kind. Where both are 0 no picture of these has what the number is for, or others stand in for it. Of 225 numbers 96
went or became one with another, because they changed nothing or hardly anything: 56 on 2026-11-27, 40 on
2026-11-28. Numbers that then got a second role were measured after it, most of the others before.
"""
_COLUMNS = "| number | value | unit | what it decides | from | a third less | a third more |"


@dataclass(frozen=True)
class Sampled:
    """A picture of the sample: which set it is of, its pixels or its path, what is asked, and what is right."""

    of: str
    source: PictureSource
    options: ReadOptions
    label: str


def draw_two_inks(rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Draw a number in blue on a form that is printed in black, or in black on one in red."""
    page = np.asarray(Image.open(ROOT / "examples" / "touching.jpg").convert("L")).astype(np.float32)
    page = np.pad(page, 50, constant_values=float(np.median(page)))
    inked = np.clip((np.median(page) - page) / (np.median(page) - page.min()), 0, 1)[..., None]
    pen, print_ = [((30, 60, 170), (25, 25, 30)), ((35, 35, 35), (200, 50, 50))][int(rng.integers(2))]
    colours = np.array((244, 243, 238)) * (1 - inked) + np.array(pen) * inked
    canvas = np.ascontiguousarray(colours.astype(np.uint8))
    for row in range(3):
        place = (int(rng.integers(5, 40)), 18 + row * 14)
        cv2.putText(canvas, "Amount in words", place, cv2.FONT_HERSHEY_SIMPLEX, 0.35, print_, 1, cv2.LINE_AA)
    return np.clip(canvas + rng.normal(0, 2, canvas.shape), 0, 255).astype(np.uint8)


def draw_pictures() -> Iterator[tuple[str, np.ndarray[Any, Any], str]]:
    """Yield pictures as the tests draw them: hard shadows, sheets on tables, coloured ink, two inks."""
    sys.path.insert(0, str(ROOT / "tests"))
    import test_shadow
    import test_sheet
    import test_tint

    for seed in range(_OF_DRAWN):
        rng = np.random.default_rng(seed)
        shape = ("hand", "head", "phone")[seed % 3]
        depth, soft = float(rng.uniform(0.2, 0.65)), float(rng.uniform(0.5, 8))
        yield "shadows", test_shadow.shaded(test_shadow.paper(), depth, soft, shape, seed), "8053"
        yield "sheets", test_sheet.on_table(int(rng.integers(30, 140)), float(rng.uniform(-5, 5)), seed), "8053"
        paper, pen = test_tint.PAIRS[seed % 3][:: 1 if seed % 2 else -1]
        yield "coloured ink", test_tint.written(paper, pen, float(rng.uniform(0, 4))), "8053"
        yield "two inks", draw_two_inks(rng), "8053"


def take_sample() -> list[Sampled]:
    """Return the fixed sample."""
    many, one = ReadOptions(), ReadOptions(digit=True)
    found: list[Sampled] = []
    for name, (pictures, asked) in every_set(Digits(test=False), 50, "both").items():
        for page, text in itertools.islice(pictures(), _OF_SET.get(name, _OF_SETS)):
            found.append(Sampled(name, page, asked, text))
    with (DATA / "field" / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["scored"] != "no"]
    found += [Sampled("field", DATA / "field" / row["path"], many, row["label"]) for row in rows]
    hands = load_hands("dev")
    for name, draw in KINDS.items():
        pen = Pen(np.random.default_rng(7), hands)
        for _picture in range(_OF_KIND):
            pen.choose_writer()
            page, label = draw(pen)
            found.append(Sampled(name, page, one if name in ONE_DIGIT else many, label))
    found += [Sampled(name, page, many, label) for name, page, label in draw_pictures()]
    examples = sorted((ROOT / "examples").glob("*.*g")) + sorted((ROOT / "examples").glob("*.[btw]*"))
    found += [Sampled("examples", path, many, "") for path in examples if path.suffix != ".py"]
    return found[:_SAMPLE]


@dataclass(frozen=True)
class Seen:
    """What a picture is read as, whether that is right, and by which ink, if it was looked at once.

    Of an example nobody counts what is right.
    """

    text: str
    right: bool
    ink: bytes = b""


def read_sampled(sampled: Sampled, plain: Seen | None = None) -> Seen:
    """Read a picture; one whose ink is what it was in `plain` reads as it did."""
    page = prepare_page(sampled.source)
    if plain is not None and plain.ink and digest(page, find_writing(page, tall=sampled.options.digit)) == plain.ink:
        return plain
    looks: list[bytes] = []

    def look(page: Page, *, tall: bool = False, inverted: bool = False) -> PageInk:
        writing = find_writing(page, tall=tall, inverted=inverted)
        looks.append(digest(page, writing))
        return writing

    lenet.reader.find_writing = look  # type: ignore[attr-defined]
    reading = lenet.reader.look_page(page, _network(), sampled.options).reading
    said = reading.best_text if sampled.label else reading.text
    right = "".join(filter(str.isdigit, said)) == "".join(filter(str.isdigit, sampled.label))
    return Seen(reading.best_text, right and sampled.of != "examples", looks[0] if len(looks) == 1 else b"")


def digest(page: Page, writing: PageInk) -> bytes:
    """Return what the greys and the ink of a page are, in short."""
    ink = writing.ink
    known = hashlib.blake2b(repr((ink.noise, ink.edge, ink.ambiguous_polarity, writing.scale, writing.steps)).encode())
    for array in (page.grey, ink.levels, ink.strokes, writing.ruled):
        known.update(np.ascontiguousarray(array).tobytes())
    return known.digest()


_LOADED: list[Network] = []


def _network() -> Network:
    if not _LOADED:
        _LOADED.append(replace(load(DEFAULT), threads=1))
    return _LOADED[0]


def list_stages() -> dict[str, Any]:
    """Return the parameter sets by the name under which modules have them."""
    return {
        name: each
        for module in (before, behind)
        for name, each in vars(module).items()
        if name.isupper() and type(each).__name__.endswith("Params")
    }


@contextmanager
def changed(name: str, stage: Any) -> Iterator[None]:
    """Let a stage run with other numbers, in Python."""
    lenets = [module for key, module in sys.modules.items() if key.startswith("lenet.")]
    put: list[tuple[Any, str, Any]] = []

    def patch(module: Any, key: str, value: Any) -> None:
        put.append((module, key, getattr(module, key)))
        setattr(module, key, value)

    # What modules made of these numbers when they were imported.
    if name == "STRIP":
        for module in (lenet.segmentation.line_strips, lenet.answers.whole_line):
            patch(module, "VIEWS", (stage.near, stage.far))
    if name == "TEXT_LINE":
        patch(lenet.segmentation.text_lines, "_SLANTS", list_slants(stage))
    for module in lenets:
        if name in vars(module) and type(vars(module)[name]) is type(stage):
            patch(module, name, stage)
        if name in _NATIVE and module.__name__.endswith(f".{_NATIVE[name]}"):
            if "runs_natively" in vars(module):
                patch(module, "runs_natively", lambda: False)
            if "chosen_engine" in vars(module):
                patch(module, "chosen_engine", lambda: REFERENCE)
    try:
        yield
    finally:
        for module, key, value in reversed(put):
            setattr(module, key, value)


def vary(value: float, unit: str, way: int) -> float:
    """Return a number a third less or more; an integer by at least 1; a percentage up to 100."""
    other = value * (1 + way / 3)
    if isinstance(value, int):
        return max(0, min(round(other), value - 1) if way < 0 else max(round(other), value + 1))
    return min(other, 100.0) if unit == "per cent" else other


def read_all(sample: list[Sampled], plain: list[Seen] | None = None) -> list[Seen]:
    """Read the sample; a picture that cannot be read with such numbers says so."""
    found = []
    for sampled, before_ in zip(sample, plain or [None] * len(sample), strict=True):
        try:
            found.append(read_sampled(sampled, before_))
        except Exception as error:  # a number of zero may break anything
            found.append(Seen(type(error).__name__, False))
    return found


def measure_stage(name: str, stage: Any, sample: list[Sampled], known: dict[str, Any], out: Path) -> None:
    """Vary each number of a stage, a third down and up, and keep what changes."""
    with changed(name, stage):
        plain = read_all(sample)
    for field, value, unit, _role, _source in list_parameters(stage):
        key = f"{name}.{field}"
        if key in known and known[key]["value"] == value:
            continue
        row: dict[str, Any] = {"value": value, "pictures": len(sample)}
        for way, label in ((-1, "down"), (1, "up")):
            with changed(name, replace(stage, **{field: vary(value, unit, way)})):
                varied = read_all(sample, plain if name in vars(before) else None)
            moved = Counter(each.of for each, a, b in zip(sample, plain, varied, strict=True) if a.text != b.text)
            better = sum(each.right for each in varied) - sum(each.right for each in plain)
            row[label] = {"texts": sum(moved.values()), "right": better, "sets": dict(moved.most_common(3))}
        known[key] = row
        replace_text(out, json.dumps(known, indent=1) + "\n")
        print(key, value, "down", row["down"], "up", row["up"], flush=True)


def write_document(known: dict[str, Any], out: Path) -> None:
    """Write a table of each stage's numbers: what each is, and how many texts change when it does."""
    lines = [_HEAD]
    for name, stage in list_stages().items():
        lines += [f"## {name}", "", str(type(stage).__doc__), "", _COLUMNS, "|---|---|---|---|---|---|---|"]
        for field, value, unit, role, source in list_parameters(stage):
            row = known.get(f"{name}.{field}")
            told = ["", ""] if row is None or row["value"] != value else [_tell(row[way]) for way in ("down", "up")]
            lines.append(f"| `{field}` | {show_value(value)} | {unit} | {role} | {source} | {told[0]} | {told[1]} |")
        lines.append("")
    replace_text(out, "\n".join(lines))


def show_value(value: float) -> str:
    """Return a number as the document has it."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _tell(moved: dict[str, Any]) -> str:
    return f"{moved['texts']} ({moved['right']:+d})" if moved["texts"] else "0"


def main() -> None:
    """Vary all numbers, or those of one stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--stage", default="", help="only stages whose set has this in its name")
    parser.add_argument(
        "--write", type=Path, metavar="OUT.md", help="write what is known as a document, and read nothing"
    )
    options = parser.parse_args()
    if options.write:
        write_document(json.loads(options.out.read_text(encoding="utf-8")), options.write)
        return
    sample = take_sample()
    print(len(sample), "pictures", Counter(each.of for each in sample), file=sys.stderr)
    known = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else {}
    for name, stage in list_stages().items():
        if options.stage in type(stage).__name__:
            measure_stage(name, stage, sample, known, options.out)


if __name__ == "__main__":
    main()
