"""How well lenet reads digits pasted at random on pages: any size, place, polarity, light and noise.

    python benchmarks/read_pasted.py [--n 500] [--model NAME or FILE] [--test] [--seed 0] [--json]

Digits of held-out writers of the training set by default; --test takes the test set's, for the final figure.
A page has a side of 40 to 2,000 pixels and a digit 16 to 400 high (at most 0.8 of the page), a contrast of 60
grey levels or more, either polarity, Gaussian noise of sigma 0 to 8 and a linear gradient of up to 60.
"""

from __future__ import annotations

import argparse
import json

import cv2
import numpy as np

import lenet
from lenet.arrays import Float32, Uint8
from lenet.data import dataset
from lenet.evaluation.interval import wilson95
from lenet.network.spec import DEFAULT

_LEAST_CONTRAST, _MOST_GRADIENT, _MOST_NOISE = 60, 60.0, 8.0


def gradient(shape: tuple[int, int], rng: np.random.Generator) -> Float32:
    """Return a linear gradient (H, W) from 0 to at most 60 grey levels in any direction."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    along = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
    along -= along.min()
    return along * np.float32(rng.uniform(0, _MOST_GRADIENT) / max(1e-6, float(along.max())))


def paste(glyph: Uint8, rng: np.random.Generator) -> tuple[Uint8, dict[str, float]]:
    """Return a page (H, W) uint8 with the glyph's digit on it, and how it was made."""
    digit = glyph[glyph.any(axis=1)][:, glyph.any(axis=0)].astype(np.float32) / 255
    while True:
        height, width = (int(np.exp(rng.uniform(np.log(40), np.log(2000)))) for _side in range(2))
        high = int(rng.uniform(16, min(400, 0.8 * height)))
        wide = max(1, round(digit.shape[1] * high / digit.shape[0]))
        if wide <= width:
            break
    enlarged = np.clip(cv2.resize(digit, (wide, high), interpolation=cv2.INTER_CUBIC), 0, 1)
    light = gradient((height, width), rng)
    top = 255 - int(np.ceil(light.max()))
    dark = int(rng.integers(0, top - _LEAST_CONTRAST + 1))
    bright = int(rng.integers(dark + _LEAST_CONTRAST, top + 1))
    paper, ink = (bright, dark) if rng.random() < 0.5 else (dark, bright)
    share = np.zeros((height, width), np.float32)
    y, x = int(rng.integers(0, height - high + 1)), int(rng.integers(0, width - wide + 1))
    share[y : y + high, x : x + wide] = enlarged
    sigma = rng.uniform(0, _MOST_NOISE)
    page = paper + (ink - paper) * share + light + rng.normal(0, sigma, share.shape).astype(np.float32)
    made = {"height": height, "width": width, "digit": high, "paper": paper, "ink": ink, "sigma": sigma}
    return np.clip(np.rint(page), 0, 255).astype(np.uint8), made


def main() -> None:
    """Read pasted and plain digits and print how many were right."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    network = lenet.load(options.model)
    digits = dataset.load_test("mnist") if options.test else dataset.load("mnist").split(True)[1]
    rng = np.random.default_rng(options.seed)
    rows = rng.choice(len(digits), options.n, replace=False)
    wrong = {"pasted": 0, "plain": 0}
    single = not network.weights.reads_numbers
    for row in rows:
        page, made = paste(digits.glyphs[row], rng)
        truth = str(digits.labels[row])
        reading = lenet.read(page, model=network, digit=single)
        if reading.best_text != truth:
            wrong["pasted"] += 1
            if not options.json:
                print(f"row {row}: {truth} read as {reading.best_text or reading.state}", made, reading.notes)
        wrong["plain"] += lenet.read(digits.glyphs[row], model=network, digit=single).best_text != truth
    for what, errors in wrong.items():
        low, high = wilson95(errors, options.n)
        found = {"work": what, "part": "test" if options.test else "held-out writers", "n": options.n}
        if options.json:
            print(json.dumps({**found, "errors": errors, "interval95": [low, high]}))
        else:
            print(f"{what}: {errors} errors of {options.n} ({100 * low:.2f} to {100 * high:.2f} %), {found['part']}")


if __name__ == "__main__":
    main()
