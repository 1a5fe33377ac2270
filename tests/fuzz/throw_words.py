"""Words: labels, forms, patterns, choices, settings of recipes, and pen strokes as UNIPEN writes them."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

from mutate import EDGES, WORDS, mutate_bytes, mutate_json, mutate_text

from lenet.cli.reading_job import read_choices
from lenet.data.labels import read_labels, read_numbers
from lenet.data.unipen import read_ink, read_segments
from lenet.decoding.formats import SYMBOLS, accept_choices, accepts, parse_pattern
from lenet.tables.form import load_form
from lenet.training.corrections import count_corrections
from lenet.training.recipe import change_recipe
from lenet.training.recipes import RECIPES

LABELS = (
    "path,label\n000001-7.png,7\n000002-none.png,none\n000003-1.png,1\n",
    "path,label,part\na.png,12,train\nb.png,3.50,test\nc.png,none,\n",
    "path,text,confidence,abstained,corrected\na.png,12,0.9,,12\nb.png,3,0.8,,4\nc.png,,0,,\n",
)
SHAPES = {
    "version": "5.4.1",
    "flags": {},
    "shapes": [
        {"label": "year:digits:4", "points": [[0, 0], [9, 0], [9, 9], [0, 9]], "shape_type": "polygon"},
        {
            "label": "sum",
            "points": [[0.5, 20], [90, 40]],
            "description": "boxes 0.0 0.5 1.0",
            "shape_type": "rectangle",
        },
    ],
    "imagePath": "missing.png",
    "imageData": None,
    "imageHeight": 100,
    "imageWidth": 100,
}
INK = '.VERSION 1.0\n.COORD X Y\n.SEGMENT DIGIT 0 GOOD "7"\n.PEN_DOWN\n1 2\n3 4\n5 6\n.PEN_UP\n'
_PIECES = (
    *SYMBOLS,
    *r"()|?*+[]{}^$.\,-0123456789",
    r"\d",
    "{2,5}",
    "{99}",
    "(?:",
    "[0-9]",
    "[^1]",
    "zip",
    "luhn",
    "digits:",
)


def throw_labels(rng: random.Random, folder: Path) -> None:
    """Read and count a folder's damaged labels, of digits, of numbers, and of answers that were corrected."""
    file = folder / rng.choice(("labels.csv", "labels.csv", "cells.csv", "answers.csv"))
    for each in folder.glob("*.csv"):
        each.unlink()
    file.write_bytes(mutate_text(rng, rng.choice(LABELS), list(LABELS)))
    count_corrections(folder)
    read_labels(file if file.name == "answers.csv" else folder, whole=rng.random() < 0.3)
    read_numbers(str(folder))


def throw_form(rng: random.Random, folder: Path) -> None:
    """Load a damaged form."""
    file = folder / "form.json"
    file.write_bytes(mutate_json(rng, SHAPES))
    load_form(file)


def throw_pattern(rng: random.Random, _folder: Path) -> None:
    """Parse an expression of any pieces; one that is taken answers for a text."""
    pattern = "".join(rng.choice(_PIECES) for _piece in range(rng.choice((1, 3, 8, 20, 60))))
    if rng.random() < 0.3:
        depth = rng.choice((1, 3, 30, 2_000))
        repeat = rng.choice(("", "?", "*", "{9}", "{0,40}"))
        pattern = "(" * depth + rng.choice((r"\d?", ".", pattern[:20])) + f"){repeat}" * depth
    if rng.random() < 0.05:
        pattern += rng.choice(WORDS)
    accepts(parse_pattern(pattern), "".join(rng.choice(SYMBOLS) for _sign in range(5)))


def throw_choices(rng: random.Random, folder: Path) -> None:
    """Take a list of choices, as a file has them and as a program gives them."""
    words = [
        "".join(rng.choice(SYMBOLS) for _sign in range(rng.choice((0, 1, 4, 9))))
        for _word in range(rng.choice((1, 9, 200)))
    ]
    file = folder / "choices.txt"
    file.write_bytes(mutate_text(rng, "\n".join(words), ["12\n13\n"]))
    if rng.random() < 0.5:
        words = read_choices(file, None)
    elif rng.random() < 0.2:
        words[rng.randrange(len(words))] = rng.choice((*WORDS, *EDGES, None, b"1"))  # type: ignore[call-overload]
    allowed = accept_choices(words, "choices")
    assert all(accepts(allowed, word) for word in words)


@cache
def make_recipes() -> list[str]:
    """Return the names of all settings."""
    return list(RECIPES["modern"].as_dict())


def throw_recipe(rng: random.Random, _folder: Path) -> None:
    """Change any setting of any recipe to anything."""
    names = [*make_recipes(), "learning_rate", "", "name"]
    values = (
        "0",
        "1",
        "0.5",
        "-1",
        "nan",
        "inf",
        "1e400",
        "9" * 5_000,
        "true",
        "relu",
        "lenet5",
        *WORDS,
        "1_000",
        "0x10",
    )
    settings = {rng.choice(names): rng.choice(values) for _setting in range(rng.choice((1, 1, 2, 3)))}
    change_recipe(RECIPES[rng.choice(list(RECIPES))], settings)


@cache
def make_unipen() -> str:
    """Return ink of a few segments."""
    return INK * 3


def throw_unipen(rng: random.Random, _folder: Path) -> None:
    """Read damaged ink and its segments."""
    text = mutate_text(rng, make_unipen(), [INK]).decode(errors="replace")
    if rng.random() < 0.2:
        text = mutate_bytes(rng, text.encode(), [INK.encode()]).decode(errors="replace")
    read_ink(text)
    list(read_segments(text, "someone", lambda _name: INK))
