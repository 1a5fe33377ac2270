"""Lines without end: processes that make them, and a pool that keeps the latest, by width, to draw batches from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType

import numpy as np

from lenet.arrays import Int32, Uint8
from lenet.data import dataset
from lenet.data.strokes import Part, load_strokes
from lenet.errors import TrainingError
from lenet.network.inputs import LINE_HEIGHT, PAPER_GREY
from lenet.network.spec import LINE_LABELS
from lenet.processes import start_child
from lenet.training.synthetic.lines import WIDEST, LineMaker, MadeLine
from lenet.training.synthetic.marks import gather_pens

# Lines travel in parts of so many.
_PART = 256
# No text is longer than this, in labels.
LONGEST = 96
# Strips are padded to a multiple of so many pixels, so that those of a batch are alike.
BUCKET = 32


def load_maker(part: Part, fonts: tuple[str, ...] = ()) -> LineMaker:
    """Return what makes lines of the writers who may be learned from ("train"), or of those held out ("dev")."""
    characters = [load_strokes(part, kind) for kind in ("digits", "upper", "lower", "symbols")]
    pens = gather_pens(characters, load_strokes(part, "numbers"), load_strokes(part, "words"), LINE_LABELS)
    data = dataset.load("mnist")
    rows = np.flatnonzero(data.held_out if part == "dev" else ~data.held_out)
    return LineMaker(pens, data.train, dataset.number_writers(data), rows, fonts)


def find_fonts() -> tuple[str, ...]:
    """Return the files of this machine's DejaVu and Liberation fonts, to print with; there may be none."""
    folder = Path(os.environ.get("LENET_FONTS", "/usr/share/fonts/truetype"))
    return tuple(str(path) for path in sorted(folder.glob("*/*.ttf")) if path.parent.name in ("dejavu", "liberation"))


def pad_strip(strip: Uint8, width: int) -> Uint8:
    """Return a strip (32, w) with paper behind it: (32, width)."""
    return np.pad(strip, ((0, 0), (0, width - strip.shape[1])), constant_values=PAPER_GREY)


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


def _make_parts(pipe: Connection, number: int, seed: int, fonts: tuple[str, ...]) -> None:
    maker = load_maker("train", fonts)
    rng = np.random.default_rng([seed, number])
    with suppress(OSError):  # nobody learns any more
        while True:
            pipe.send(gather_lines([maker.make(rng) for _line in range(_PART)]))


@dataclass
class LineStream:
    """So many processes that make lines until the stream is closed; `take` returns what there is."""

    processes: int
    seed: int
    fonts: tuple[str, ...] = ()

    def __enter__(self) -> LineStream:
        self._makers = [start_child(_make_parts, number, self.seed, self.fonts) for number in range(self.processes)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for maker in self._makers:
            maker.end()

    def take(self, patience: float = 0.0) -> Iterator[tuple[int, LineBatch]]:
        """Yield the lines that are made, by width, waiting so many seconds for the first of them.

        Raises TrainingError when a process that makes them has ended.
        """
        for pipe in wait([maker.pipe for maker in self._makers], patience):
            assert isinstance(pipe, Connection)
            try:
                yield from pipe.recv().items()
            except EOFError as error:
                problem = "a process that makes lines has ended"
                raise TrainingError("lines", problem, "see what it said above") from error


def bucket_of(width: int) -> int:
    """Return the width that a strip so wide is padded to."""
    return min(WIDEST, max(LINE_HEIGHT, -(-width // BUCKET) * BUCKET))
