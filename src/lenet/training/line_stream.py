"""Lines to learn from, pass by pass: who writes them, how they are gathered by width, the processes that make them."""

from __future__ import annotations

from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.pool import AsyncResult
from types import TracebackType

import numpy as np

from lenet.arrays import Int32, Uint8
from lenet.data import dataset
from lenet.data.strokes import Part, load_strokes
from lenet.native.dispatch import count_cores
from lenet.network.inputs import LINE_HEIGHT, PAPER_GREY
from lenet.network.spec import LINE_LABELS, Net
from lenet.training.synthetic.fonts import NO_FONTS, Fonts
from lenet.training.synthetic.lines import WIDEST, Hands, LineMaker, MadeLine
from lenet.training.synthetic.marks import gather_pens

# A line network has a place of its output for every so many pixels.
PIXELS_A_PLACE = 4
# Lines are made in parts of so many.
PART = 256
# No text is longer than this, in labels.
LONGEST = 96
# Strips are padded to a multiple of so many pixels, so that those of a batch are alike.
BUCKET = 32


def load_hands(part: Part) -> Hands:
    """Return the writers who may be learned from ("train"), or those held out ("dev"). Raises DataError."""
    characters = [load_strokes(part, kind) for kind in ("digits", "upper", "lower", "symbols")]
    pens = gather_pens(characters, load_strokes(part, "numbers"), load_strokes(part, "words"), LINE_LABELS)
    data = dataset.load("mnist")
    rows = np.flatnonzero(data.held_out if part == "dev" else ~data.held_out)
    return Hands(pens, data.train, dataset.number_writers(data), rows)


def pad_strip(strip: Uint8, width: int) -> Uint8:
    """Return a strip (32, w) with paper behind it: (32, width)."""
    return np.pad(strip, ((0, 0), (0, width - strip.shape[1])), constant_values=PAPER_GREY)


def count_columns(widths: Int32, width: int, net: Net) -> Int32:
    """Return how many columns of labels (n,) there are for `widths` (n,) of a strip that is `width` pixels wide."""
    most = width // PIXELS_A_PLACE * net.columns
    return np.minimum(-(-widths // PIXELS_A_PLACE) * net.columns, most).astype(np.int32)


def encode_text(text: str) -> Int32:
    """Return a text as labels, 0 for the first of `LINE_LABELS`."""
    return np.array([LINE_LABELS.index(character) for character in text], np.int32)


def decode_labels(labels: list[int]) -> str:
    """Return labels as a text."""
    return "".join(LINE_LABELS[label] for label in labels)


@dataclass(frozen=True)
class LineBatch:
    """Lines of about one width: `strips` (n, 32, w) with paper behind them, their own `widths` (n,), and their texts.

    A text is the first `counts` (n,) of its `labels` (n, LONGEST).
    """

    strips: Uint8
    widths: Int32
    labels: Int32
    counts: Int32


def gather_lines(lines: list[MadeLine]) -> dict[int, LineBatch]:
    """Return lines as batches, by the width that they are padded to; those of longer texts are left out."""
    by_width: dict[int, list[MadeLine]] = {}
    for line in lines:
        if len(line.text) <= LONGEST:
            by_width.setdefault(bucket_of(line.strip.shape[1]), []).append(line)
    batches = {}
    for width, own in by_width.items():
        labels = np.zeros((len(own), LONGEST), np.int32)
        for row, line in enumerate(own):
            labels[row, : len(line.text)] = encode_text(line.text)
        counts = np.array([len(line.text) for line in own], np.int32)
        widths = np.array([line.strip.shape[1] for line in own], np.int32)
        batches[width] = LineBatch(np.stack([pad_strip(line.strip, width) for line in own]), widths, labels, counts)
    return batches


_maker: LineMaker | None = None


def _load_maker(fonts: Fonts) -> None:
    """Keep what makes lines in this process."""
    global _maker  # noqa: PLW0603 - a process of a pool has nowhere else
    _maker = LineMaker(load_hands("train"), fonts)


def _make_part(seed: tuple[int, int, int]) -> dict[int, LineBatch]:
    """Make the lines of one part of a pass."""
    assert _maker is not None
    rng = np.random.default_rng(seed)
    return gather_lines([_maker.make(rng) for _line in range(PART)])


@dataclass
class LineSource:
    """Processes that make the lines of each pass, the same for any number of them; begun before they are needed."""

    seed: int
    parts: int
    fonts: Fonts = NO_FONTS
    processes: int = field(default_factory=count_cores)

    def __enter__(self) -> LineSource:
        self._pool = get_context("spawn").Pool(self.processes, _load_maker, (self.fonts,))
        self._begun: dict[int, AsyncResult[list[dict[int, LineBatch]]]] = {}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.terminate()

    def begin(self, passed: int) -> None:
        """Have the lines of a pass made, if nobody has asked for them yet."""
        if passed not in self._begun:
            seeds = [(self.seed, passed, part) for part in range(self.parts)]
            self._begun[passed] = self._pool.map_async(_make_part, seeds, chunksize=1)

    def take(self, passed: int) -> dict[int, LineBatch]:
        """Return the lines of a pass by width, when they are made."""
        self.begin(passed)
        by_width: dict[int, list[LineBatch]] = {}
        for part in self._begun.pop(passed).get():
            for width, batch in part.items():
                by_width.setdefault(width, []).append(batch)
        return {width: _join(batches) for width, batches in sorted(by_width.items())}


def _join(batches: list[LineBatch]) -> LineBatch:
    names = ("strips", "widths", "labels", "counts")
    return LineBatch(*(np.concatenate([getattr(each, name) for each in batches]) for name in names))


def bucket_of(width: int) -> int:
    """Return the width that a strip so wide is padded to."""
    return min(WIDEST, max(LINE_HEIGHT, -(-width // BUCKET) * BUCKET))
