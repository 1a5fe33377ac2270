"""Digits as they were seen, written as small pictures with a labels.csv: correct its labels and train on the folder."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lenet.draw import save_glyph
from lenet.errors import LenetError, reason
from lenet.jobs import Answer
from lenet.labels import LABEL_FILE

Keep = Callable[[Answer], None]


@contextmanager
def kept(folder: Path) -> Iterator[Keep]:
    """Yield a function that writes an answer's glyphs into a folder and adds them to its labels.csv.

    Files are named NUMBER-LABEL.png and numbered on from those that are in the folder, which stay as they
    are, and their labels. Points and dashes are no digits and are left out.
    Raises LenetError when the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = max((int(each.name[:6]) for each in folder.glob("[0-9]" * 6 + "-*.png")), default=0)
        fresh = not (folder / LABEL_FILE).exists()
        with (folder / LABEL_FILE).open("a", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            if fresh:
                rows.writerow(("path", "label", "picture", "confidence"))

            def keep(answer: Answer) -> None:
                nonlocal number
                for digit in answer.reading.digits if answer.reading else ():
                    if not digit.label.isdigit():
                        continue
                    number += 1
                    name = f"{number:06d}-{digit.label}.png"
                    save_glyph(digit.glyph, folder / name)
                    rows.writerow((name, digit.label, answer.path, f"{digit.confidence:.4f}"))

            yield keep
    except OSError as error:
        raise LenetError(folder, f"cannot be written ({reason(error)})") from error
