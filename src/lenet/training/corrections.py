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
from lenet.errors import LenetError, reason
from lenet.files import escape_name

Keep = Callable[[Answer], None]
_Write = Callable[[Uint8, str, str, float], None]


@contextmanager
def keep_corrections(folder: Path) -> Iterator[Keep]:
    """Yield a function that writes an answer's glyphs into a folder and adds them to its labels.csv.

    Files are named NUMBER-LABEL.png and numbered on from those that are in the folder, which stay as they
    are, and their labels. Points and dashes are no digits and are left out.
    Raises LenetError when the folder cannot be written.
    """
    with _open_folder(folder) as write:

        def keep(answer: Answer) -> None:
            for digit in answer.reading.digits if answer.reading is not None else ():
                write(digit.glyph, digit.label, answer.path, digit.confidence)

        yield keep


def add_correction(folder: Path, glyph: Uint8, label: str) -> None:
    """Add one glyph (28, 28) with its true label, 0 to 9 or "none", to a folder. Raises LenetError."""
    with _open_folder(folder) as write:
        write(glyph, label, "", 1.0)


def count_corrections(folder: Path) -> dict[str, int]:
    """Return how many digits a folder has of each label; none if there is no such folder. Raises LenetError."""
    try:
        with (folder / LABEL_FILE).open(encoding="utf-8", newline="") as file:
            return dict(sorted(Counter(row["label"] for row in csv.DictReader(file)).items()))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise LenetError(folder / LABEL_FILE, f"cannot be read ({reason(error)})") from error


@contextmanager
def _open_folder(folder: Path) -> Iterator[_Write]:
    """Yield what writes a glyph, with its label, its picture and the confidence in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = max((int(each.name[:6]) for each in folder.glob("[0-9]" * 6 + "-*.png")), default=0)
        fresh = not (folder / LABEL_FILE).exists()
        with (folder / LABEL_FILE).open("a", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            if fresh:
                rows.writerow(("path", "label", "picture", "confidence"))

            def write(glyph: Uint8, label: str, picture: str, confidence: float) -> None:
                nonlocal number
                number += 1
                name = f"{number:06d}-{label}.png"
                save_glyph(glyph, folder / name)
                rows.writerow((name, label, escape_name(picture), f"{confidence:.4f}"))

            yield write
    except OSError as error:
        raise LenetError(folder, f"cannot be written ({reason(error)})") from error
