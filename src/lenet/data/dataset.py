"""A data set by name, or a folder of pictures, as glyphs and labels ready for training and measuring."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lenet.arrays import Bools, Int32, Int64, Uint8
from lenet.data import idx
from lenet.data.fetch import Report, read_content
from lenet.data.labels import NONE, Labelled, open_folder, read_labels
from lenet.data.sources import SOURCES, DataSource, Role
from lenet.errors import DataError
from lenet.network.spec import GLYPH_SIZE, NOT_A_DIGIT
from lenet.progress import silent
from lenet.segmentation.candidates import find_digit

# QMNIST's series number of the high-school students; the other series are employees of the Census Bureau.
STUDENTS = 4
# One writer in twelve of each series is held out: 5,092 of MNIST's 60,000 training digits.
_HELD_OUT_ONE_IN = 12


@dataclass(frozen=True)
class Digits:
    """Glyphs (n, 28, 28) uint8 with labels (n,) uint8; `paths` names their pictures when they came from a folder.

    A picture in which no ink was found is a glyph of zeros.
    """

    glyphs: Uint8
    labels: Uint8
    paths: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, chosen: Bools) -> Digits:
        """Return the digits for which `chosen` (n,) holds."""
        paths = tuple(path for path, keep in zip(self.paths, chosen, strict=False) if keep)
        return Digits(self.glyphs[chosen], self.labels[chosen], paths)


@dataclass(frozen=True)
class Dataset:
    """A training and a test part; `held_out` (n,) marks the training digits kept for choosing and calibrating.

    `corrected` (n,) marks those that are learned by their labels where a teacher says of the others what they are.
    """

    name: str
    train: Digits
    test: Digits
    held_out: Bools
    checksum: str
    corrected: Bools | None = None

    def split(self, hold_out: bool) -> tuple[Digits, Digits]:
        """Return what to train on and what to choose on; the latter is empty when nothing is held out."""
        kept = self.held_out if hold_out else np.zeros(len(self.train), bool)
        return self.train.where(~kept), self.train.where(kept)


def load(name: str | Path, report: Report = silent) -> Dataset:
    """Load a public set by name, or a folder of pictures. Raises DataError for what is missing or wrong.

    A folder whose labels.csv marks no part "train" gives every tenth picture to the test part.
    """
    source = SOURCES.get(str(name))
    if source is None:
        return load_marked(name, one_in=10)
    train, test = _digits(source, "train", report), _digits(source, "test", report)
    mnist_order = str(name) in ("mnist", "qmnist") and len(train) == 60_000
    held_out = load_held_out_mask() if mnist_order else _every_tenth(len(train))
    return Dataset(str(name), train, test, held_out, _checksum([train, test]))


def load_marked(folder: str | Path, one_in: int) -> Dataset:
    """Load a folder of pictures of digits: what it marks "train", or else all but one in so many, is to train on."""
    digits, training = _from_folder(Path(folder))
    if training.all() or not training.any():
        training = np.arange(len(digits)) % one_in != one_in - 1
    train, test = digits.where(training), digits.where(~training)
    if not len(train) or not len(test):
        raise DataError(folder, f"{len(train)} pictures to train on, {len(test)} to test on", "needs some of both")
    return Dataset(str(folder), train, test, _every_tenth(len(train)), _checksum([train, test]))


def load_test(name: str | Path, report: Report = silent) -> Digits:
    """Load what a set is measured on: a public set's test part, or what a folder does not mark "train".

    A folder that marks nothing, or all of it, is measured on as a whole: also on what `load` would train on.
    """
    source = SOURCES.get(str(name))
    if source is not None:
        return _digits(source, "test", report)
    digits, training = _from_folder(Path(name))
    return digits if training.all() else digits.where(~training)


def _every_tenth(n: int) -> Bools:
    return np.arange(n) % 10 == 9


def _digits(source: DataSource, part: str, report: Report) -> Digits:
    roles: tuple[Role, Role] = ("train images", "train labels") if part == "train" else ("test images", "test labels")
    images_file, labels_file = (f"{source.name}: {source.files[role].name}" for role in roles)
    images, labels = (read_content(source, role, report) for role in roles)
    glyphs = idx.as_images(idx.parse_idx(images, images_file), images_file)
    if source.transposed:
        glyphs = np.ascontiguousarray(glyphs.transpose(0, 2, 1))
    return Digits(glyphs, idx.as_labels(idx.parse_idx(labels, labels_file), labels_file, len(glyphs)))


def _checksum(parts: list[Digits]) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for digits in parts:
        digest.update(digits.glyphs.tobytes())
        digest.update(digits.labels.tobytes())
    return digest.hexdigest()


def load_writers(part: str, n: int, report: Report = silent) -> Int32:
    """Return the (series, writer) of MNIST's first `n` "train" or "test" digits, from QMNIST's labels."""
    role: Role = "train labels" if part == "train" else "test labels"
    name = SOURCES["qmnist"].files[role].name
    return idx.as_writers(idx.parse_idx(read_content(SOURCES["qmnist"], role, report), name), name, n)


def number_writers(data: Dataset) -> Int64:
    """Return one number (n,) for each writer of MNIST's training digits. Raises DataError for another set."""
    if data.name not in ("mnist", "qmnist") or len(data.train) != 60_000:
        raise DataError(
            data.name, "who wrote its digits is not known, so no pictures are made of them", "train on mnist"
        )
    series_and_writer = load_writers("train", len(data.train)).astype(np.int64)
    return series_and_writer[:, 0] * 1_000_000 + series_and_writer[:, 1]


def choose_held_out(series_and_writer: Int32) -> Bools:
    """Return which digits (n,) belong to held-out writers: in each series, every twelfth by number.

    The choice by writer, not by digit, matters: the last 5,000 training digits share their students with
    the rest, so that validation on them flatters the hard half.
    """
    chosen = np.zeros(len(series_and_writer), bool)
    for series in np.unique(series_and_writer[:, 0]):
        inside = series_and_writer[:, 0] == series
        numbers = np.unique(series_and_writer[inside, 1])[::_HELD_OUT_ONE_IN]
        chosen |= inside & np.isin(series_and_writer[:, 1], numbers)
    return chosen


def load_held_out_mask() -> Bools:
    """Return `choose_held_out` for MNIST's 60,000 training digits, kept with lenet as one bit each."""
    packed = (Path(__file__).parents[1] / "assets" / "held-out-writers.bin").read_bytes()
    return np.unpackbits(np.frombuffer(packed, np.uint8))[:60_000].astype(bool)


def _from_folder(place: Path) -> tuple[Digits, Bools]:
    """Read a folder of labelled digits, or a .zip of it; return them and which of them are marked for training."""
    with open_folder(place) as folder:
        return _read_folder(folder)


def _read_folder(folder: Path) -> tuple[Digits, Bools]:
    rows = read_labels(folder)
    labels = np.array([_label(row) for row in rows], np.uint8)
    glyphs = np.zeros((len(rows), GLYPH_SIZE, GLYPH_SIZE), np.uint8)
    for number, row in enumerate(rows):
        for glyph in find_digit(folder / row.path).glyphs[:1]:
            glyphs[number] = glyph
    return Digits(glyphs, labels, tuple(row.path for row in rows)), np.array([row.part == "train" for row in rows])


def _label(row: Labelled) -> int:
    if row.text == NONE:
        return NOT_A_DIGIT
    if not (len(row.text) == 1 and row.text in "0123456789"):
        raise DataError(row.place, f"label {row.text!r}", f"expected one digit, or {NONE!r}")
    return int(row.text)
