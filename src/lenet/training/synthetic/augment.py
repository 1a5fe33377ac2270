"""The reader's training set: MNIST's digits as they are, photographed, in numbers, and what is no digit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing import get_context

import cv2
import numpy as np

from lenet.arrays import Float32, Int32, Int64, Uint8
from lenet.data.dataset import Dataset, Digits
from lenet.engine.transforms import thicken
from lenet.native.dispatch import count_cores
from lenet.network.spec import DIGIT_BOX, NOT_A_DIGIT
from lenet.progress import silent
from lenet.segmentation.candidates import PageCandidates, find_candidates, find_digit
from lenet.training.synthetic.compose import Writing, clutter, join, resize_digits, space_out
from lenet.training.synthetic.degrade import degrade
from lenet.training.synthetic.hand_glyphs import HandGlyphs
from lenet.training.synthetic.negatives import draw_negative
from lenet.training.synthetic.styles import STYLES, draw_style, restyle, round_off

# How many pictures of each kind are taken for every thousand digits, at a share of 1.
SINGLES, STYLED, SCRAPS, NUMBERS = 600, 340, 250, 270
# An arc is a digit with this share of the digit's ink, and of nobody else's this share; with less it is rubbish.
_WHOLE, _ALONE, _PART, _MIXED = 0.88, 0.12, 0.7, 0.3
# Wrong cuts that are kept from each number, at most: so many with a whole digit and more, which looks most like a
# digit, and so many others.
_KEPT_JOINS, _KEPT_OTHERS = 3, 3
_BATCH, _MOST_DIGITS = 64, 7
# This share of the numbers has points, dashes and the like around it, and this share is written in one go.
_CLUTTERED, _JOINED = 0.45, 0.12
# This share of the digits in numbers is drawn in a style that MNIST hardly has, if the digit has one.
_STYLED = 0.1
# This share of the numbers ends in 0s written in one go, as amounts do.
_ROUNDED_OFF = 0.1
# This share of the numbers has digits of several sizes; in this share the small ones stand higher. A stroke is twice so
# many pixels thick.
_UNEVEN, _HUNG, _PEN = 0.5, 0.4, 1.2


@dataclass(frozen=True)
class _Task:
    kind: str
    seed: int
    glyphs: Uint8
    labels: Uint8


def add_synthetic(
    data: Dataset,
    writers: Int64,
    share: float,
    report: Callable[[int, int], None] = silent,
    letters: Uint8 | None = None,
) -> Dataset:
    """Return the set with its training part widened; held-out writers are in none of the pictures that train.

    `writers` (n,) says who wrote each training digit: a number is one person's. Letters (m, 28, 28), if there are any,
    are photographed as what is no digit. Takes minutes; it gives the same pictures for any number of processes.
    """
    mine = np.flatnonzero(~data.held_out)
    tasks = list(_plan_tasks(data.train, mine, writers, share))
    if letters is not None:
        rng = np.random.default_rng(0xA12)
        for part in range(0, len(letters), _BATCH):
            shown = letters[part : part + _BATCH]
            tasks.append(_Task("letter", int(rng.integers(2**31)), shown, np.full(len(shown), NOT_A_DIGIT, np.uint8)))
    glyphs, labels = [data.train.glyphs], [data.train.labels]
    with get_context("spawn").Pool(count_cores()) as pool:
        for done, (more, kinds) in enumerate(pool.imap(_do_task, tasks, chunksize=4), 1):
            glyphs.append(more)
            labels.append(kinds)
            report(done, len(tasks))
    together = Digits(np.concatenate(glyphs), np.concatenate(labels))
    held_out = np.concatenate([data.held_out, np.zeros(len(together) - len(data.train), bool)])
    return replace(data, train=together, held_out=held_out, checksum=f"{data.checksum}, schooled {share:g}")


def add_hands(data: Dataset, writers: Int64, hands: HandGlyphs) -> tuple[Dataset, Int64]:
    """Return the set with other hands' digits among those that train, and who wrote which."""
    both = data.train, hands.digits
    together = Digits(np.concatenate([each.glyphs for each in both]), np.concatenate([each.labels for each in both]))
    held_out = np.concatenate([data.held_out, np.zeros(len(hands.digits), bool)])
    whose = np.concatenate([writers, int(writers.max(initial=-1)) + 1 + hands.writers])
    checksum = f"{data.checksum}, hands {len(hands.digits)}"
    return replace(data, train=together, held_out=held_out, checksum=checksum), whose


def _plan_tasks(train: Digits, mine: Int64, writers: Int64, share: float) -> Iterator[_Task]:
    """Yield the work in parts of 64 pictures, with the digits that each needs."""
    rng = np.random.default_rng(0xA11)
    thousands = len(mine) / 1000
    number = 0
    for kind, pictures in (("single", SINGLES), ("styled", STYLED), ("scrap", SCRAPS), ("number", NUMBERS)):
        for _part in range(max(1, round(thousands * share * pictures / _BATCH))):
            number += 1
            if kind == "number":
                rows = np.concatenate(
                    [choose_of_one_writer(rng, mine, writers, _MOST_DIGITS) for _picture in range(_BATCH)]
                )
            else:
                rows = rng.choice(mine, _BATCH)
            yield _Task(kind, int(rng.integers(2**31)) + number, train.glyphs[rows], train.labels[rows])


def choose_of_one_writer(rng: np.random.Generator, mine: Int64, writers: Int64, count: int) -> Int64:
    """Return so many of one writer's rows among `mine`, drawn at random."""
    own = mine[writers[mine] == writers[rng.choice(mine)]]
    return rng.choice(own, count)


def _do_task(task: _Task) -> tuple[Uint8, Uint8]:
    """Take the pictures of a task and look at them as the reader does; return glyphs and labels."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(task.seed)
    glyphs: list[Uint8] = []
    labels: list[int] = []
    for picture in range(len(task.labels) // (_MOST_DIGITS if task.kind == "number" else 1)):
        if task.kind == "number":
            shown = slice(picture * _MOST_DIGITS, picture * _MOST_DIGITS + int(rng.integers(2, _MOST_DIGITS + 1)))
            page = degrade(write_number(task.glyphs[shown], task.labels[shown], rng), rng)
            more, kinds = label_candidates(find_candidates(page.grey), page.owners, page.text, rng)
            glyphs.extend(more)
            labels.extend(kinds)
            continue
        glyph, label = task.glyphs[picture], int(task.labels[picture])
        if task.kind == "styled":
            glyph, label = draw_style(STYLES[int(rng.integers(len(STYLES)))], rng)
        ink = glyph.astype(np.float32) / 255
        if task.kind == "scrap":
            ink, label = _draw_scrap(rng), NOT_A_DIGIT
        seen = _photograph(ink, rng)
        glyphs.extend(seen)
        labels.extend([label] * len(seen))
    return np.array(glyphs, np.uint8).reshape(-1, 28, 28), np.array(labels, np.uint8)


def draw_scraps(count: int, rng: np.random.Generator) -> Uint8:
    """Return glyphs (count, 28, 28) of what is no digit, each photographed and looked at as the reader does.

    Takes 2 to 5 milliseconds each.
    """
    glyphs: list[Uint8] = []
    while len(glyphs) < count:
        glyphs.extend(_photograph(_draw_scrap(rng), rng))
    return np.array(glyphs[:count], np.uint8).reshape(-1, 28, 28)


def _draw_scrap(rng: np.random.Generator) -> Float32:
    """Return ink (28, 28) that is no digit, as large as a digit's."""
    return cv2.resize(draw_negative(rng), (28, 28), interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)


def _photograph(ink: Float32, rng: np.random.Generator) -> Uint8:
    """Photograph (28, 28) ink and look at it as the reader looks at one digit: one glyph (1, 28, 28), or none."""
    page = degrade(Writing(ink, np.zeros(ink.shape, np.int32), ""), rng)
    return find_digit(page.grey).glyphs


def write_number(
    glyphs: Uint8, labels: Uint8, rng: np.random.Generator, styled: float = _STYLED, rounded: float = _ROUNDED_OFF
) -> Writing:
    """Write a number with one writer's digits (n, 28, 28).

    The share `styled` of them is in another style if there is one, and the share `rounded` of numbers ends in 0s.
    """
    glyphs = restyle(glyphs, labels, styled, rng)
    if rng.random() < rounded:
        glyphs, labels = round_off(glyphs, labels, rng)
    return _compose(glyphs, labels, rng)


def _compose(glyphs: Uint8, labels: Uint8, rng: np.random.Generator) -> Writing:
    """Set digits side by side: near, touching or apart, of one size or of several, on a line that wobbles."""
    loose = rng.random()
    least, most = (-3, 2) if loose < 0.45 else (-1, 5) if loose < 0.85 else (3, 14)
    gaps = rng.integers(least, most, len(glyphs) - 1).astype(np.int32)
    drops = rng.normal(0, 1.2, len(glyphs))
    sizes = resize_digits(len(glyphs), rng) if rng.random() < _UNEVEN else np.ones(len(glyphs))
    if rng.random() < _HUNG:  # smaller digits stand higher, as on a line through the middle of all
        drops += rng.uniform(0, 0.6) * DIGIT_BOX * (sizes - 1)
    # One pen writes large and small digits.
    pen = _PEN * rng.random()
    glyphs = np.concatenate([thicken(glyphs[row : row + 1], pen * (1 / size - 1)) for row, size in enumerate(sizes)])
    writing = space_out(glyphs, labels, gaps, np.rint(drops).astype(np.int32), sizes)
    writing = join(writing, rng) if rng.random() < _JOINED else writing
    return clutter(writing, rng) if rng.random() < _CLUTTERED else writing


def label_candidates(
    candidates: PageCandidates, owners: Int32, text: str, rng: np.random.Generator
) -> tuple[list[Uint8], list[int]]:
    """Return the glyphs (28, 28) of a number's digits and of some wrong cuts, with labels; leave out what is neither.

    The number says `text`; `owners` (H, W) are those of the picture, as `Writing` has them.
    """
    digits, joins, others = [], [], []
    pieces, owners = candidates.lattice.pieces, candidates.shown(owners)
    count = int(pieces.max()) + 1
    whose = np.zeros((count, len(text) + 2))
    np.add.at(whose, (pieces.ravel(), owners.ravel()), 1)
    total = np.maximum(np.bincount(owners.ravel(), minlength=len(text) + 2)[1:-1], 1)
    for arc, (first, past) in enumerate(candidates.lattice.arcs):
        ink = whose[first:past].sum(axis=0)
        shares = ink[1:-1] / total
        best = int(shares.argmax())
        foreign = float(max([*np.delete(shares, best), ink[-1] / ink.sum()]))
        if shares[best] >= _WHOLE and foreign <= _ALONE:
            digits.append((arc, int(text[best])))
        elif shares[best] >= _WHOLE and foreign >= _MIXED:
            joins.append((arc, NOT_A_DIGIT))
        elif shares[best] <= _PART or foreign >= _MIXED:
            others.append((arc, NOT_A_DIGIT))
    chosen = list(digits)
    for wrong, most in ((joins, _KEPT_JOINS), (others, _KEPT_OTHERS)):
        chosen += [wrong[place] for place in rng.permutation(len(wrong))[:most]]
    return [candidates.glyphs[arc] for arc, _label in chosen], [label for _arc, label in chosen]
