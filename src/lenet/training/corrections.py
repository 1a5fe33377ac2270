"""Digits as they were seen, written as small pictures with a labels.csv: correct its labels and train on the folder."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lenet.arrays import Uint8
from lenet.bulk.jobs import Answer
from lenet.data.labels import LABEL_FILE
from lenet.drawing.pictures import save_glyph
from lenet.errors import LenetError, PictureError, reason
from lenet.files import escape_name, replace_text, take_lock
from lenet.preprocessing.decode import open_page

Keep = Callable[[Answer], None]
# So many corrections are shown, and looked through for the same digit.
LATEST = 24
_COLUMNS = ("path", "label", "picture", "confidence")
# Who adds a correction waits so long for others that add theirs, in seconds: a picture is a millisecond.
_PATIENCE = 10.0


@contextmanager
def keep_corrections(folder: Path) -> Iterator[Keep]:
    """Yield a function that writes an answer's glyphs into a folder and adds them to its labels.csv.

    Files are named NUMBER-LABEL.png and numbered on from those that are in the folder, which stay as they
    are, and their labels. Points and dashes are no digits and are left out. Several processes may add at once.
    Raises LenetError when the folder cannot be written.
    """
    with _told_of(folder):
        kept = _Corrections(folder)

        def keep(answer: Answer) -> None:
            for digit in answer.reading.digits if answer.reading is not None else ():
                kept.add(digit.glyph, digit.label, answer.path, digit.confidence)

        yield keep


def add_correction(folder: Path, glyph: Uint8, label: str) -> None:
    """Add one glyph (28, 28) with its true label, 0 to 9 or "none", to a folder. Raises LenetError.

    One that was added a short while before is another opinion of the same digit: it has the new label alone.
    """
    with _told_of(folder):
        kept = _Corrections(folder)
        for name, _label, before in list_latest(folder):
            if (before == glyph).all():
                kept.remove(name)
        kept.add(glyph, label, "", 1.0)


def remove_correction(folder: Path, name: str) -> None:
    """Take one picture of a folder back, and its row. Raises LenetError for a name that has no row."""
    with _told_of(folder):
        _Corrections(folder).remove(name)


def list_latest(folder: Path, most: int = LATEST) -> list[tuple[str, str, Uint8]]:
    """Return the names of the last pictures of a folder, their labels and glyphs (28, 28), the newest first."""
    found = []
    for row in reversed(_read_rows(folder)[-most:]):
        glyph = _load_glyph(folder / row[0])
        if glyph is not None:
            found.append((row[0], row[1], glyph))
    return found


def count_corrections(folder: Path) -> dict[str, int]:
    """Return how many digits a folder has of each label; none if there is no such folder. Raises LenetError.

    A row that broke off when a process was killed, or that has no label, is not counted.
    """
    try:
        with (folder / LABEL_FILE).open(encoding="utf-8", newline="") as file:
            labels = Counter(row["label"] for row in csv.DictReader(file))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise LenetError(folder / LABEL_FILE, f"cannot be read ({reason(error)})") from error
    return {label: labels[label] for label in sorted(filter(None, labels))}


def _read_rows(folder: Path) -> list[list[str]]:
    """Return the rows of a folder's labels.csv, without its head; those that broke off are left out."""
    try:
        with (folder / LABEL_FILE).open(encoding="utf-8", errors="replace", newline="") as file:
            return [row for row in csv.reader(file) if len(row) > 1][1:]
    except (FileNotFoundError, csv.Error):
        return []


def _load_glyph(path: Path) -> Uint8 | None:
    """Return what `save_glyph` wrote, or None for what is no such picture."""
    try:
        page = open_page(path)
    except PictureError:
        return None
    return 255 - page.grey if page.grey.shape == (28, 28) else None


@contextmanager
def _told_of(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LenetError(folder, f"cannot be written ({reason(error)})") from error


class _Corrections:
    """A folder that grows by a picture and its row at a time, which no other process does meanwhile."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._rows = folder, folder / LABEL_FILE
        # The number of the last picture, and when the folder was changed last, by this process.
        self._number, self._changed = 0, -1
        with self._alone():
            self._mend()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        lock = take_lock(self._folder / ".lock", _PATIENCE)
        if lock is None:
            raise LenetError(self._folder, "is being written by another lenet", "try again")
        try:
            yield
        finally:
            lock.release()

    def add(self, glyph: Uint8, label: str, picture: str, confidence: float) -> None:
        """Write a glyph, with its label, its picture and the confidence in it. Raises OSError or LenetError."""
        with self._alone():
            if self._folder.stat().st_mtime_ns != self._changed:  # others have been here
                self._number = max((int(each.name[:6]) for each in self._pictures()), default=0)
            self._number += 1
            name = f"{self._number:06d}-{label}.png"
            save_glyph(glyph, self._folder / name)
            self._append((name, label, escape_name(picture), f"{confidence:.4f}"))
            self._changed = self._folder.stat().st_mtime_ns

    def remove(self, name: str) -> None:
        """Take a picture and its row away. Raises LenetError where there is none, and OSError."""
        with self._alone():
            lines = self._rows.read_text(encoding="utf-8").splitlines(keepends=True) if self._rows.exists() else []
            left = [line for line in lines[1:] if not line.startswith(f"{name},")]
            if not name or len(left) == len(lines[1:]):
                raise LenetError(self._folder, f"has no picture {name!r}")
            replace_text(self._rows, "".join([*lines[:1], *left]))
            (self._folder / name).unlink(missing_ok=True)

    def _append(self, row: tuple[str, ...]) -> None:
        with self._rows.open("a", encoding="utf-8", newline="") as file:
            if not file.tell():
                csv.writer(file, lineterminator="\n").writerow(_COLUMNS)
            csv.writer(file, lineterminator="\n").writerow(row)

    def _mend(self) -> None:
        """End a row that has no end: a person's editor left it so, or a kill, after which it may be none."""
        whole = self._rows.read_bytes() if self._rows.exists() else b""
        if not whole or whole.endswith(b"\n"):
            return
        first = whole.rfind(b"\n") + 1
        name, _comma, rest = whole[first:].decode(errors="replace").partition(",")
        with self._rows.open("r+b") as file:
            if not first or (rest and name and (self._folder / name).is_file()):
                file.seek(len(whole))
                file.write(b"\n")
            else:
                file.truncate(first)

    def _pictures(self) -> Iterator[Path]:
        return self._folder.glob("[0-9]" * 6 + "-*.png")
