"""Pictures: files of every format with a few bytes changed, and arrays of every kind."""

from __future__ import annotations

import io
import random
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from mutate import mutate_bytes
from PIL import Image, ImageDraw

import lenet


def draw_number(size: tuple[int, int], mode: str = "L") -> Image.Image:
    """Draw a small picture of "17" as a pen would."""
    picture = Image.new("L", size, 235)
    pen = ImageDraw.Draw(picture)
    wide, high = size
    pen.line([(wide // 4, high // 5), (wide // 4, 4 * high // 5)], fill=20, width=3)
    pen.line([(wide // 2, high // 5), (3 * wide // 4, high // 5), (3 * wide // 5, 4 * high // 5)], fill=20, width=3)
    return picture.convert(mode)


@cache
def make_files() -> list[bytes]:
    """Return small pictures in every format that is read."""
    found = []
    for kind, mode, more in (
        ("PNG", "L", {}),
        ("PNG", "RGBA", {}),
        ("PNG", "P", {}),
        ("PNG", "1", {}),
        ("PNG", "I;16", {}),
        ("JPEG", "L", {}),
        (
            "JPEG",
            "RGB",
            {"exif": b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"},
        ),
        ("TIFF", "L", {"compression": "tiff_lzw"}),
        ("TIFF", "1", {"compression": "group4"}),
        ("TIFF", "RGB", {"compression": "jpeg"}),
        ("WEBP", "RGB", {}),
        ("BMP", "P", {}),
        ("GIF", "P", {}),
        ("PPM", "L", {}),
        ("AVIF", "RGB", {}),
    ):
        out = io.BytesIO()
        draw_number((44, 32), mode).save(out, kind, **more)
        found.append(out.getvalue())
    lenet.read(found[0])
    return found


def throw_file(rng: random.Random, _folder: Path) -> None:
    """Read a picture's bytes of which some are others."""
    seeds = make_files()
    data = mutate_bytes(rng, rng.choice(seeds), seeds)
    lenet.read(data, digit=rng.random() < 0.5)


def throw_array(rng: random.Random, _folder: Path) -> None:
    """Read an array of any type, shape and values, or one of ink that nobody would write."""
    make_files()
    values = np.random.default_rng(rng.getrandbits(32))
    if rng.random() < 0.5:
        kinds = ("u1", "u2", "i4", "i8", "f2", "f4", "f8", "?", "c8", "U3", "O", "M8[s]")
        shape = tuple(
            rng.choice((0, 1, 1, 2, 3, 4, 5, 28, 40, 200, 3_000))
            for _side in range(rng.choice((0, 1, 2, 2, 2, 3, 3, 4)))
        )
        if np.prod(shape, dtype=float) > 1_000_000:
            shape = shape[:2]
        array: Any = np.asarray(values.random(shape) * rng.choice((1, 255, 70_000, 1e30))).astype(rng.choice(kinds))
        if array.dtype.kind == "f" and array.size and rng.random() < 0.2:
            array.flat[rng.randrange(array.size)] = rng.choice((np.nan, np.inf, -np.inf))
    else:
        array = _draw_odd(rng, values)
    lenet.read(array, digit=rng.random() < 0.3, readers=rng.choice(("cut", "line", "both")))


def _draw_odd(rng: random.Random, values: np.random.Generator) -> np.ndarray[Any, Any]:
    """Draw stripes, boards, noise, specks, one long line, or a number among lines."""
    high, wide = rng.choice(((28, 28), (30, 200), (120, 160), (2, 600), (600, 2), (90, 900)))
    page = np.full((high, wide), 230, np.uint8)
    kind = rng.randrange(6)
    step = rng.choice((2, 3, 5, 17))
    if kind == 0:
        page[::step] = 10
    elif kind == 1:
        page[::step], page[:, ::step] = 10, 10
    elif kind == 2:
        page = values.integers(0, 256, page.shape).astype(np.uint8)
    elif kind == 3:
        page[values.random(page.shape) < 1 / step**2] = 10
    elif kind == 4:
        page[high // 2] = 10
        page[:, :: step * 7] = 10
    else:
        page = np.asarray(draw_number((wide, high))).copy()
        page[:: step * 4] = 30
    return page if rng.random() < 0.7 else 255 - page
