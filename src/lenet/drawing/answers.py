"""The pictures of a job with their answers drawn on them: a file for each, written by the process that read it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from lenet.drawing.pictures import annotate, save_picture
from lenet.preprocessing.decode import open_page
from lenet.preprocessing.sources import PictureSource
from lenet.result import Reading

# Bytes of a picture's own name in that of its drawing: file systems take 255, with its number, the ending, and what the
# name of a temporary file has more.
_MOST_BYTES = 200


@dataclass(frozen=True)
class Drawings:
    """Where the drawings of a job go: `place` is a file, or a folder in which they are numbered from `first` + 1 on."""

    place: Path
    first: int = 0

    def __call__(
        self, number: int, path: str, source: PictureSource, reading: Reading, cuts: tuple[tuple[float, float], ...]
    ) -> None:
        """Draw a reading, and where ink was cut apart for it, on what it was read from. Raises LenetError."""
        page = open_page(source)
        save_picture(annotate(page.grey, reading, page.scale, cuts), self.find_file(number, path))

    def find_file(self, number: int, path: str) -> Path:
        """Return where the drawing of the picture with a number, from 0 on, is."""
        if not self.place.is_dir():
            return self.place
        stem = _shorten(Path(path).stem) if path != "-" else "stdin"
        return self.place / f"{self.first + number + 1:04d}-{stem}.png"


def _shorten(name: str) -> str:
    """Return a name, or as much of its beginning as the name of a file can have; a member's may be of any length."""
    data = os.fsencode(name)
    return name if len(data) <= _MOST_BYTES else data[:_MOST_BYTES].decode(errors="ignore")
