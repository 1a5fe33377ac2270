"""Reading beside other readers, on pictures made of the examples' ten digits; how time grows with what is on them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import cv2
import numpy as np

from lenet.arrays import Uint8
from lenet.bench.peers import TESSERACT, Peer, find_peers
from lenet.bench.timing import interleave
from lenet.decoding.formats import accept_choices
from lenet.engine import Network, load
from lenet.export.parity import ten_digits
from lenet.network.inputs import to_input
from lenet.network.weights import load_weights
from lenet.reader import ReadOptions, read

OURS, CLASSIC = "lenet", "OpenCV and ONNX Runtime"
_PAPER, _PEN = 235, 60
# Lower outlines are no digits, in pixels.
_LEAST_SIDE = 12
# Cheque-like lines, fields, digits and pages that are read in a turn: a page takes as long as twenty digits.
_PICTURES = {"line": 12, "field": 8, "digit": 24, "page": 3}
# What is on the largest pictures by which growth is measured.
GROWTH = {
    "digits in a line": (15, 60, 240),
    "ruled lines": (6, 25, 100),
    "specks": (200, 800, 3200),
    "pixels in a row": (10_000, 100_000, 1_000_000),
    "choices": (1_000, 10_000, 100_000),
}


@dataclass(frozen=True)
class Shown:
    """A page (h, w), 0 for black, and the digits on it; `digit` says that there is one alone."""

    page: Uint8
    text: str
    digit: bool = False


def make_pictures(kind: str, count: int) -> list[Shown]:
    """Make so many lines of a cheque, form fields, digits of 56 pixels, or pages of a megapixel; always the same."""
    rng = np.random.default_rng([0xBE, *kind.encode()])
    makers: dict[str, Callable[[np.random.Generator], Shown]] = {
        "line": _make_line,
        "field": _make_field,
        "digit": _make_digit,
        "page": _make_page,
    }
    return [makers[kind](rng) for _number in range(count)]


def write(page: Uint8, digits: list[int], left: int, top: int, size: int, step: int) -> None:
    """Write digits on a page, in place, so many pixels high, `step` apart."""
    glyphs = ten_digits()
    for place, digit in enumerate(digits):
        glyph = cv2.resize(glyphs[digit], (size, size), interpolation=cv2.INTER_CUBIC)
        part = page[top : top + size, left + step * place : left + step * place + size]
        inked = _PAPER - (_PAPER - _PEN) * (glyph[: part.shape[0], : part.shape[1]].astype(np.float32) / 255)
        np.minimum(part, inked.astype(np.uint8), out=part)


def _photograph(page: Uint8, rng: np.random.Generator) -> Uint8:
    """Return a page under uneven light, with noise."""
    light = 1 - rng.uniform(0, 0.15) * np.linspace(0, 1, page.shape[1])
    return np.clip(np.rint(page * light + rng.normal(0, 2, page.shape)), 0, 255).astype(np.uint8)


def _draw(rng: np.random.Generator, least: int, most: int) -> list[int]:
    return [int(digit) for digit in rng.integers(0, 10, int(rng.integers(least, most + 1)))]


def _make_line(rng: np.random.Generator) -> Shown:
    digits, size = _draw(rng, 4, 7), int(rng.integers(34, 48))
    step = int(size * rng.uniform(0.62, 0.8))
    page = np.full((size + 8, step * len(digits) + size), _PAPER, np.uint8)
    write(page, digits, size // 4, 4, size, step)
    return Shown(_photograph(page, rng), "".join(map(str, digits)))


def _make_field(rng: np.random.Generator) -> Shown:
    digits, cell = _draw(rng, 3, 6), int(rng.integers(52, 68))
    page = np.full((cell + 24, cell * len(digits) + 24), _PAPER, np.uint8)
    write(page, digits, 12 + cell // 8, 12 + cell // 8, cell - cell // 4, cell)
    for edge in range(len(digits) + 1):
        page[12 : 12 + cell, 12 + cell * edge : 14 + cell * edge] = 90
    page[12:14, 12 : 14 + cell * len(digits)] = page[10 + cell : 12 + cell, 12 : 14 + cell * len(digits)] = 90
    return Shown(_photograph(page, rng), "".join(map(str, digits)))


def _make_digit(rng: np.random.Generator) -> Shown:
    page = np.full((56, 56), _PAPER, np.uint8)
    digits = _draw(rng, 1, 1)
    write(page, digits, 0, 0, 56, 56)
    return Shown(_photograph(page, rng), str(digits[0]), digit=True)


def _make_page(rng: np.random.Generator) -> Shown:
    digits, size = _draw(rng, 5, 5), int(rng.integers(80, 180))
    page = np.full((1000, 1000), _PAPER, np.uint8)
    write(page, digits, 30, int(rng.integers(20, 800)), size, int(0.8 * size))
    return Shown(_photograph(page, rng), "".join(map(str, digits)))


def read_classic(page: Uint8, score: Callable[[Any], Any]) -> str:
    """Read a page in the forty lines that tutorials have: a threshold, outlines from left to right, a network each."""
    _level, ink = cv2.threshold(page, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    outlines, _tree = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = [tuple(map(int, cv2.boundingRect(outline))) for outline in outlines]
    boxes = sorted(box for box in found if box[3] >= _LEAST_SIDE)
    if not boxes:
        return ""
    glyphs = np.zeros((len(boxes), 28, 28), np.uint8)
    for row, (x, y, width, height) in enumerate(boxes):
        scale = 20 / max(width, height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(ink[y : y + height, x : x + width], size, interpolation=cv2.INTER_AREA)
        top, left = (28 - size[1]) // 2, (28 - size[0]) // 2
        glyphs[row, top : top + size[1], left : left + size[0]] = small
    return "".join(map(str, score(to_input(glyphs))[:, :10].argmax(axis=1)))


def find_readers(network: Network) -> dict[str, Peer]:
    """Return lenet and what else is installed here that reads numbers, by name, each on one thread."""
    readers: dict[str, Peer] = {OURS: lambda page, _digit: _keep_digits(read(page, network).best_text)}
    try:
        import onnxruntime

        from lenet.export.onnx_graph import input_model
    except ImportError:
        pass
    else:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        model = input_model(load_weights("lenet5-modern"))
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        readers[CLASSIC] = lambda page, _digit: read_classic(
            np.asarray(page), lambda inputs: session.run(None, {"input": inputs})[0]
        )
    return readers | find_peers()


def _keep_digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def compare_readers(say: Callable[[str], None], rounds: int) -> list[dict[str, Any]]:
    """Return a row for each kind of picture and reader: milliseconds a picture, beside lenet's, and how many are right.

    Tesseract, which is started anew for each picture, is left out of what takes turns with the others.
    """
    readers = find_readers(replace(load(), threads=1))
    rows = []
    for kind, count in _PICTURES.items():
        say(f"reading, {kind}")
        pictures = make_pictures(kind, count)
        own = {name: reader for name, reader in readers.items() if name != TESSERACT}
        works = {name: partial(_read_all, reader, pictures) for name, reader in own.items()}
        seconds = interleave(works, rounds)
        for name, reader in own.items():
            right = sum(reader(each.page, each.digit) == each.text for each in pictures)
            row = {"pictures": kind, "reader": name, "ms": round(1000 * seconds[name] / count, 3)}
            rows.append({**row, "times_lenet": round(seconds[name] / seconds[OURS], 3), "right": right, "n": count})
    return rows


def _read_all(reader: Peer, pictures: list[Shown]) -> None:
    for each in pictures:
        reader(each.page, each.digit)


def make_grown(axis: str, size: int) -> tuple[Uint8, ReadOptions]:
    """Make the picture of one axis of growth, with so much on it, and say what to ask of it."""
    rng = np.random.default_rng(size)
    if axis == "digits in a line":
        page = np.full((48, 24 * size + 40), _PAPER, np.uint8)
        write(page, _draw(rng, size, size), 12, 10, 28, 24)
        return page, ReadOptions()
    if axis == "pixels in a row":
        return rng.integers(0, 256, (1, size)).astype(np.uint8), ReadOptions()
    page = np.full((1000, 1000), _PAPER, np.uint8)
    write(page, [2, 0, 4, 1, 7], 300, 480, 40, 34)
    if axis == "ruled lines":
        for row in np.linspace(40, 960, size).astype(int):
            page[row : row + 2] = 90
    if axis == "specks":
        for y, x in rng.integers(5, 990, (size, 2)):
            page[y : y + 3, x : x + 3] = _PEN
    if axis == "choices":
        return page, ReadOptions(allowed=accept_choices([f"{7919 * k % 1_000_000:06}" for k in range(size)], "choices"))
    return page, ReadOptions()


def measure_growth(say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return how the time of a picture grows along each axis: milliseconds by size, the exponent at the upper end."""
    network, rows = replace(load(), threads=1), []
    for axis, sizes in GROWTH.items():
        say(f"growth, {axis}")
        took = []
        for size in sizes:
            page, options = make_grown(axis, size)
            took.append(min(_time(partial(read, page, network, options)) for _run in range(2)))
        exponent = math.log(took[-1] / took[-2]) / math.log(sizes[-1] / sizes[-2])
        ms = [round(1000 * each, 1) for each in took]
        rows.append({"axis": axis, "sizes": list(sizes), "ms": ms, "exponent": round(exponent, 2)})
    return rows


def _time(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started
