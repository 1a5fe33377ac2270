"""What the sweep learns from, as section VII has it: a digit between two others, or the place beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lenet.arrays import Int64, Uint8
from lenet.data.dataset import Dataset, Digits
from lenet.network.spec import GLYPH_SIZE, NOT_A_DIGIT
from lenet.training.synthetic.compose import PAPER_GAPS, space_out

# A window is a digit's when the middle of its box is at most so many pixels from the window's middle, half a step of
# the sweep; it is nobody's when every box's middle is at least so far away.
_OWN, _NOBODYS = 2, 4
# The share of windows beside a digit, and how far from it they may be.
_BESIDE, _FAR = 0.5, 13
# The share of windows with an empty place on one side, of noisy ones, and of pixels inverted in those, at most.
_ALONE, _NOISY, _INVERTED = 0.25, 0.3, 0.1
_HALF = GLYPH_SIZE // 2


def cut_windows(data: Dataset, writers: Int64, times: int = 2) -> Dataset:
    """Return the set with its training part turned into windows, `times` as many as there were digits to learn from.

    Held-out digits stay in the middle of a window each, flanked by others of their writers, to choose and to calibrate.
    """
    rng = np.random.default_rng(0x5D)
    mine, kept = np.flatnonzero(~data.held_out), np.flatnonzero(data.held_out)
    order = np.argsort(writers, kind="stable")
    starts = np.searchsorted(writers[order], writers, side="left")
    ends = np.searchsorted(writers[order], writers, side="right")

    def place_window(row: int, beside: float) -> tuple[Uint8, int]:
        flanks = order[rng.integers(starts[row], ends[row], 2)]
        rows = np.array([flanks[0], row, flanks[1]])
        return _window(data.train.glyphs[rows], data.train.labels[rows], beside, rng)

    made = [place_window(int(row), _BESIDE) for _time in range(times) for row in mine]
    made += [place_window(int(row), 0.0) for row in kept]
    train = Digits(np.stack([each[0] for each in made]), np.array([each[1] for each in made], np.uint8))
    held_out = np.arange(len(train)) >= times * len(mine)
    return replace(data, train=train, held_out=held_out, checksum=f"{data.checksum}, windows")


def _window(glyphs: Uint8, labels: Uint8, beside: float, rng: np.random.Generator) -> tuple[Uint8, int]:
    """Cut a window of 28x28 out of three digits: around the middle one's middle, or beside it."""
    if rng.random() < _ALONE:
        glyphs = glyphs.copy()
        glyphs[0 if rng.random() < 0.5 else 2] = 0
    gaps = rng.integers(PAPER_GAPS[0], PAPER_GAPS[1] + 1, 2).astype(np.int32)
    writing = space_out(glyphs, labels, gaps, np.zeros(3, np.int32), margin=GLYPH_SIZE)
    middles = [_middle(writing.owners == number) for number in (1, 2, 3)]
    middle = middles[1] or writing.ink.shape[1] / 2
    centre, label = middle + rng.integers(-_OWN, _OWN + 1), int(labels[1])
    if rng.random() < beside:
        aside = middle + rng.integers(_NOBODYS, _FAR + 1) * rng.choice((-1, 1))
        if min(abs(aside - each) for each in middles if each is not None) >= _NOBODYS:
            centre, label = aside, NOT_A_DIGIT
    left = round(centre) - _HALF
    cut = writing.ink[GLYPH_SIZE : 2 * GLYPH_SIZE, max(0, left) : max(0, left) + GLYPH_SIZE]
    ink = np.zeros((GLYPH_SIZE, GLYPH_SIZE), np.float32)
    ink[:, : cut.shape[1]] = cut
    window = np.rint(ink * 255).astype(np.uint8)
    if rng.random() < _NOISY:
        window = np.where(rng.random(window.shape) < _INVERTED * rng.random(), 255 - window, window).astype(np.uint8)
    return window, label


def _middle(own: np.ndarray) -> float | None:
    columns = np.flatnonzero(own.any(axis=0))
    return float(columns[0] + columns[-1] + 1) / 2 if len(columns) else None
