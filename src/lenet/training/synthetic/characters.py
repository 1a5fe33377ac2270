"""UNIPEN's characters as glyphs: digits, capitals, small letters and signs of many hands, by pens of many kinds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lenet.data.dataset import Dataset, Digits, load_test
from lenet.data.fetch import Report
from lenet.data.strokes import Part, StrokeKind, StrokeSet, load_strokes
from lenet.engine import Network
from lenet.errors import UsageError
from lenet.network.spec import GLYPH_SIZE, PRINTABLE
from lenet.progress import silent
from lenet.training.synthetic.hand_glyphs import draw_glyph

# What this data set is called.
NAME = "unipen"
KINDS: tuple[StrokeKind, ...] = ("digits", "upper", "lower", "symbols")
# Every so many writers one is held out, to choose and to calibrate on.
_HELD_OUT_ONE_IN = 10


@dataclass(frozen=True)
class Hand:
    """A sample of a set of strokes: its row there, what it says as a label of `PRINTABLE`, and who wrote it."""

    kind: StrokeKind
    row: int
    label: int
    writer: str


def list_hands(part: Part) -> list[Hand]:
    """Return every character of a part of UNIPEN. Raises DataError."""
    found = []
    for kind in KINDS:
        strokes = load_strokes(part, kind)
        for row, (text, writer) in enumerate(zip(strokes.labels, strokes.writers, strict=True)):
            found.append(Hand(kind, row, PRINTABLE.index(str(text)), str(writer)))
    return found


def list_held_writers() -> set[str]:
    """Return the writers of the part "train" whose characters are held out. Raises DataError."""
    return set(sorted({hand.writer for hand in list_hands("train")})[::_HELD_OUT_ONE_IN])


def choose_hands(hands: list[Hand], count: int, rng: np.random.Generator) -> list[Hand]:
    """Draw so many: each sign as likely as any, and of a sign's writers each as likely as any."""
    by_sign: dict[int, dict[str, list[Hand]]] = {}
    for hand in hands:
        by_sign.setdefault(hand.label, {}).setdefault(hand.writer, []).append(hand)
    signs = sorted(by_sign)
    writers = {sign: sorted(by_sign[sign]) for sign in signs}
    chosen = []
    for sign in rng.choice(signs, count):
        own = writers[int(sign)]
        of_writer = by_sign[int(sign)][own[int(rng.integers(len(own)))]]
        chosen.append(of_writer[int(rng.integers(len(of_writer)))])
    return chosen


def draw_characters(count: int, seed: int = 0, report: Callable[[int, int], None] = silent) -> Dataset:
    """Draw `count` characters to learn from, and those of the writers apart to measure on. Raises DataError.

    Every tenth writer's are held out, to choose by. The same seed draws the same.
    """
    rng = np.random.default_rng([seed, 0xA5C1])
    hands, held_writers = list_hands("train"), list_held_writers()
    held = [hand for hand in hands if hand.writer in held_writers]
    learned = choose_hands([hand for hand in hands if hand.writer not in held_writers], count, rng)
    train, test = draw_hands("train", [*learned, *held], rng, report), draw_apart()
    digest = hashlib.md5(usedforsecurity=False)
    for each in (train, test):
        digest.update(each.glyphs.tobytes() + each.labels.tobytes())
    return Dataset(NAME, train, test, np.arange(len(train)) >= len(learned), digest.hexdigest())


def draw_apart() -> Digits:
    """Draw each character of the writers apart ("dev") once, always the same. Raises DataError."""
    return draw_hands("dev", list_hands("dev"), np.random.default_rng(0xA9A7))


def draw_hands(
    part: Part, hands: list[Hand], rng: np.random.Generator, report: Callable[[int, int], None] = silent
) -> Digits:
    """Draw characters of a part, each by a pen of its own."""
    sets: dict[StrokeKind, StrokeSet] = {kind: load_strokes(part, kind) for kind in KINDS}
    glyphs = np.empty((len(hands), GLYPH_SIZE, GLYPH_SIZE), np.uint8)
    for row, hand in enumerate(hands):
        glyphs[row] = draw_glyph(sets[hand.kind].sample(hand.row), rng)
        report(row + 1, len(hands))
    return Digits(glyphs, np.array([hand.label for hand in hands], np.uint8))


def load_measured(network: Network, data: str | Path, report: Report = silent) -> tuple[Digits, str]:
    """Return what a network is measured on, and its name: a set or folder, or characters for one that says them.

    Raises DataError, and UsageError for a set of digits with a network of characters.
    """
    if not network.net.says_characters:
        return load_test(data, report), str(data)
    if str(data) not in ("mnist", NAME):
        raise UsageError(f"data {data}", f"{network.weights.name} says characters", "leave it out: they are UNIPEN's")
    return draw_apart(), NAME
