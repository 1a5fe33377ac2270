"""Bytes, texts and JSON that are nearly what they should be, drawn from seeds by a generator: each comes again."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

# Numbers where something ends: of a byte, of 16, 31, 32 and 63 bits, and one that no machine has.
EDGES = (0, 1, -1, 7, 9, 10, 127, 128, 255, 256, 32_767, 65_535, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 10**400)
WORDS = (
    "",
    " ",
    "\x00",
    "\n",
    "::",
    "../..",
    "/",
    "a" * 3_000,
    "\udcff",
    "٣",
    "²",
    "NaN",
    "Infinity",
    "-0",
    "1e999",
    "null",
)


def mutate_bytes(rng: random.Random, seed: bytes, others: list[bytes]) -> bytes:
    """Change a few places of a seed: bits, bytes, slices, whole numbers, and parts of other seeds."""
    data = bytearray(seed)
    for _change in range(rng.choice((1, 1, 2, 3, 8))):
        place = rng.randrange(len(data) + 1)
        size = min(rng.choice((1, 2, 4, 8, 64, 1_000)), len(data) - place)
        kind = rng.randrange(8)
        if kind == 0 and place < len(data):
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[place : place + size] = rng.randbytes(size)
        elif kind == 2:
            del data[place : place + size]
        elif kind == 3:
            data[place:place] = data[place : place + size] * rng.choice((1, 2, 100))
        elif kind == 4:
            del data[place:]
        elif kind == 5:
            width = rng.choice((1, 2, 4, 8))
            edge = rng.choice(EDGES[:-1]) % (1 << (8 * width))
            data[place : place + width] = edge.to_bytes(width, rng.choice(("little", "big")))
        elif kind == 6:
            other = rng.choice(others)
            begin = rng.randrange(len(other) + 1)
            data[place : place + size] = other[begin : begin + rng.choice((4, 64, 4_000))]
        else:
            data[place:place] = rng.choice(WORDS).encode(errors="surrogateescape")
    return bytes(data[:1_000_000])


def mutate_text(rng: random.Random, seed: str, others: list[str]) -> bytes:
    """Change a text, line by line or sign by sign; it may be none any more."""
    if rng.random() < 0.3:
        return mutate_bytes(rng, seed.encode(), [other.encode() for other in others])
    lines = seed.splitlines(keepends=True) or [""]
    for _change in range(rng.choice((1, 1, 2, 4))):
        place = rng.randrange(len(lines))
        kind = rng.randrange(6)
        if kind == 0:
            lines[place] = rng.choice(WORDS) + "\n"
        elif kind == 1:
            lines.insert(place, rng.choice(lines))
        elif kind == 2 and len(lines) > 1:
            del lines[place]
        elif kind == 3:
            cells = lines[place].split(",")
            cells[rng.randrange(len(cells))] = rng.choice((*WORDS, *map(str, EDGES)))
            lines[place] = ",".join(cells)
        elif kind == 4:
            lines[place] = lines[place].rstrip("\n")[: rng.randrange(len(lines[place]) + 1)]
        else:
            lines[place] = rng.choice(('"', '"""\n', ",,,,,\n", "\r", "\ufeff")) + lines[place]
    return "".join(lines).encode(errors="surrogateescape")


def mutate_json(rng: random.Random, seed: Any) -> bytes:
    """Change a few values anywhere in a JSON document, or its text."""
    told = json.loads(json.dumps(seed))
    for _change in range(rng.choice((1, 1, 2, 4))):
        told = _change_value(rng, told)
    text = json.dumps(told)
    if rng.random() < 0.1:
        text = text.replace("1", rng.choice(("NaN", "1e999", "[" * 20_000, "9" * 5_000)), 1)
    return mutate_bytes(rng, text.encode(), [text.encode()]) if rng.random() < 0.1 else text.encode()


def _change_value(rng: random.Random, told: Any) -> Any:
    inside: dict[Any, Any] | list[Any] | None = told if isinstance(told, dict | list) and told else None
    if inside is None or rng.random() < 0.1:
        return draw_value(rng)
    key = rng.choice(list(inside) if isinstance(inside, dict) else range(len(inside)))
    if rng.random() < 0.15:
        del inside[key]
    else:
        inside[key] = _change_value(rng, inside[key])
    return inside


def draw_value(rng: random.Random) -> Any:
    """Draw a value of JSON of any kind."""
    makers: tuple[Callable[[], Any], ...] = (
        lambda: rng.choice(EDGES),
        lambda: rng.choice(WORDS),
        lambda: rng.choice((None, True, False, [], {}, [[]], {"": None}, 0.5, -1e308, 1e-320, float("nan"))),
        lambda: rng.uniform(-1e6, 1e6),
        lambda: [rng.choice(EDGES)] * rng.choice((1, 3, 1_000)),
    )
    return rng.choice(makers)()
