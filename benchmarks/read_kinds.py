"""What lenet answers to what stands in pictures beside digits, kind by kind; what is answered and wrong counts.

    python benchmarks/read_kinds.py [--n 100] [--part dev] [--model NAME] [--only NAME] [--sheet OUT.png]

`field` are the pictures after public reports in $LENET_DATA/field. The others are made (benchmarks/kinds.py): by
held-out hands with --part dev, by those that are learned from, to develop on, with --part train. Right is what is
exactly the best text. Wrong is what is answered and does not stand there: a number that is withheld, "?", is no answer.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from kinds import KINDS, LOOSE, ONE_DIGIT, Pen
from PIL import Image

from lenet.bulk.inputs import list_pictures, open_pictures
from lenet.engine import Network, load
from lenet.network.spec import DEFAULT
from lenet.reader import ReadOptions, read
from lenet.result import WITHHELD, Reading
from lenet.training.line_stream import load_hands
from lenet.training.synthetic.lines import Hands

# An answer above this is sure.
_SURE = 0.9
# The kinds of `field` in which signs and spaces may be left out of both sides, if a step names what was passed over.
_LOOSE_FIELD = frozenset(("percent or currency sign", "phone number", "sum with + and =", "thousands separators"))
_SIGNS = re.compile(r"[%$€()/+=\-,. ]")


def is_right(said: str, label: str, loose: bool) -> bool:
    """Whether a text is a label: exactly, or without signs and spaces."""
    return said == label or (loose and bool(label) and _SIGNS.sub("", said) == _SIGNS.sub("", label))


def is_wrong(said: str, label: str, loose: bool) -> bool:
    """Whether anything that is answered is not what stands there; where a number is withheld any may stand."""
    if loose:
        said, label = _SIGNS.sub("", said), _SIGNS.sub("", label)
    return not re.fullmatch(re.escape(said).replace(re.escape(WITHHELD), "[^\n|]+"), label)


def read_field(network: Network) -> Iterator[tuple[str, list[Reading], str, bool]]:
    """Yield kind, readings, a frame each, label, and whether signs may be left out, of the scored pictures."""
    folder = Path(os.environ.get("LENET_DATA", "")) / "field"
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["scored"] != "no"]
    for row in rows:
        pages = [source for _name, source in open_pictures(list_pictures([str(folder / row["path"])]))]
        yield row["kind"], [read(page, network) for page in pages], row["label"], row["kind"] in _LOOSE_FIELD


def count(told: Iterator[tuple[str, list[Reading], str, bool]]) -> dict[str, np.ndarray[Any, Any]]:
    """Return for each kind how many there are, are right, answered, answered wrongly, and so surely; an array (5,)."""
    found: dict[str, np.ndarray[Any, Any]] = {}
    for kind, readings, label, loose in told:
        best = "|".join(reading.best_text for reading in readings)
        text = "|".join(reading.text for reading in readings)
        sure = min(reading.confidence for reading in readings)
        said = bool(text.strip("|"))
        wrong = said and is_wrong(text, label, loose)
        right = is_right(best, label, loose) if label else not said
        row = np.array([1, right, said, wrong, wrong and sure > _SURE])
        found[kind] = found.get(kind, np.zeros(5, int)) + row
    return found


def read_kind(name: str, pen: Pen, n: int, network: Network) -> Iterator[tuple[str, list[Reading], str, bool]]:
    """Yield n made pictures of a kind, read."""
    options = ReadOptions(digit=name in ONE_DIGIT)
    for _picture in range(n):
        pen.choose_writer()
        page, label = KINDS[name](pen)
        yield name, [read(page, network, options)], label, name in LOOSE


def draw_sheet(out: Path, hands: Hands) -> None:
    """Draw a row of pictures for each kind."""
    rows = []
    for name, make in KINDS.items():
        pen = Pen(np.random.default_rng([0x5EE, *name.encode()]), hands)
        cells = []
        for _picture in range(6):
            pen.choose_writer()
            picture = Image.fromarray(make(pen)[0])
            picture.thumbnail((220, 100))
            cell = Image.new("L", (224, 104), 128)
            cell.paste(picture, (2, 2))
            cells.append(np.asarray(cell))
        rows.append(np.hstack(cells))
    Image.fromarray(np.vstack(rows)).save(out)


def tell(name: str, row: np.ndarray[Any, Any]) -> None:
    """Print a kind's row."""
    n, right, said, wrong, sure = row.tolist()
    print(
        f"{name:62} {right:>4} of {n:>4} right ({100 * right / n:5.1f} %)  answered {said:>4}, "
        f"of them wrong {wrong:>3} ({100 * wrong / n:4.1f} %), above {_SURE} {sure}",
        flush=True,
    )


def main() -> None:
    """Read every kind and print a row of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--part", choices=("dev", "train"), default="dev")
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--only", default="")
    parser.add_argument("--sheet", type=Path, help="draw pictures of every kind, and read none")
    options = parser.parse_args()
    if options.sheet:
        draw_sheet(options.sheet, load_hands(options.part))
        return
    network = replace(load(options.model), threads=1)
    try:
        field = count(read_field(network)) if options.only in "field" else {}
        for name, row in sorted(field.items()):
            tell(f"field, {name}", row)
        if field:
            tell("field", sum(field.values(), np.zeros(5, int)))
    except OSError as error:
        print(f"field: left out ({error})", file=sys.stderr)
    hands = load_hands(options.part)
    for name in KINDS:
        if options.only in name:
            pen = Pen(np.random.default_rng([0x4B, *name.encode()]), hands)
            tell(name, sum(count(read_kind(name, pen, options.n, network)).values(), np.zeros(5, int)))


if __name__ == "__main__":
    main()
