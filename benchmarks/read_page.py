"""Reading five digits on a page of a megapixel, as a multiple of Pillow's decoding of the same page as RGB PNG.

    python benchmarks/read_page.py [--model NAME] [--card FILE]

One core, warm, medians of 15 runs in turn. The digits are of held-out writers, on paper with and without noise and a
gradient of light, large and small, and one number drawn in Pillow's font.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from model_card import fill
from PIL import Image

from lenet.arrays import Uint8
from lenet.data import dataset
from lenet.drawing.pictures import draw_text
from lenet.engine import load
from lenet.native.dispatch import chosen_engine
from lenet.network.spec import DEFAULT
from lenet.reader import read
from lenet.training.synthetic.compose import space_out
from lenet.training.synthetic.degrade import warp_writing

_SIDE, _RUNS = 1000, 15


def pages() -> dict[str, Uint8]:
    """Return pages (1000, 1000) by what is on them."""
    data = dataset.load("mnist")
    rows = np.flatnonzero(data.held_out)[[5, 17, 99, 1000, 3000]]
    digits = data.train.glyphs[rows], data.train.labels[rows]
    writing = space_out(*digits, np.array([2, -1, 3, 1], np.int32), np.zeros(5, np.int32))
    noise = np.random.default_rng(0).normal(0, 3, (_SIDE, _SIDE))
    light = np.linspace(-20, 20, _SIDE)[None, :]
    found = {}
    for name, scale, extra in (
        ("large, noise, light", 7.0, noise + light),
        ("large", 7.0, 0.0),
        ("small, noise", 2.6, noise),
    ):
        ink, _owners = warp_writing(writing, scale, 1.0, 0.15, 0.0)
        page = np.full((_SIDE, _SIDE), 225.0)
        page[300 : 300 + ink.shape[0], 20 : 20 + ink.shape[1]] -= 170 * ink
        found[name] = np.clip(np.rint(page + extra), 0, 255).astype(np.uint8)
    found["drawn letters"] = 255 - draw_text("25836", 150, _SIDE)
    return found


def main() -> None:
    """Time each page, and print a line for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--card", type=Path, help="write the table into this model card")
    options = parser.parse_args()
    network = replace(load(options.model), threads=1)
    rows = [
        (
            f"`python benchmarks/read_page.py`: five digits on a megapixel, one core, medians of {_RUNS} runs, "
            f"{chosen_engine()}."
        ),
        "",
        "| page | decoding as RGB PNG | reading after it | times |",
        "|---|---|---|---|",
    ]
    for name, grey in pages().items():
        packed = io.BytesIO()
        Image.fromarray(grey).convert("RGB").save(packed, "PNG")
        decoding, reading = [], []
        text = ""
        for _run in range(_RUNS + 1):
            started = time.perf_counter()
            page = Image.open(packed).convert("RGB")
            decoded = time.perf_counter()
            text = read(page, network).best_text
            reading.append(1000 * (time.perf_counter() - decoded))
            decoding.append(1000 * (decoded - started))
        one, other = statistics.median(decoding[1:]), statistics.median(reading[1:])
        print(f"{name:20} {text:6} decoding {one:5.1f} ms, reading {other:5.1f} ms: {other / one:.2f} times")
        rows.append(f"| {name} | {one:.1f} ms | {other:.1f} ms | {other / one:.2f} |")
    if options.card:
        fill(options.card, "pages", "read_page.py", rows)


if __name__ == "__main__":
    main()
