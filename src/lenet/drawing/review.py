"""A page to look at doubtful cells: one file with their pictures, in which texts are typed over and saved."""

from __future__ import annotations

import base64
import io
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from lenet.errors import LenetError, reason
from lenet.files import replace_text
from lenet.preprocessing.decode import open_page
from lenet.preprocessing.sources import PictureSource
from lenet.tables.result import CELL_COLUMNS, Cell, PageTables

# The page's parts; `lenet serve` sends the same script and style.
REVIEW_FOLDER = Path(__file__).parents[1] / "assets" / "review"
# A cell's picture shows so much around it, as a share of its lesser side, and is at most so high and wide, in pixels.
_AROUND, _HIGH, _WIDE = 0.12, 72, 480
# What a page of cells is kept in until all are read.
_PART = "page-{:06d}.json"


@dataclass(frozen=True)
class ReviewParts:
    """Where the cells of pages are kept until all are read: a folder, in which pages count from `first` on."""

    folder: Path
    first: int = 0

    def __call__(
        self, number: int, path: str, source: PictureSource, reading: Any, cuts: tuple[tuple[float, float], ...]
    ) -> None:
        """Keep the cells of a page. Raises LenetError when they cannot be written."""
        assert isinstance(reading, PageTables)
        assert not cuts
        told = tell_review(reading, source, path)["cells"]
        try:
            (self.folder / _PART.format(self.first + number)).write_text(json.dumps(told), encoding="utf-8")
        except OSError as error:
            raise LenetError(self.folder, f"cannot be written ({reason(error)})") from error


def _tell_cell(cell: Cell, picture: Image.Image, scale: float) -> dict[str, Any]:
    """Return a cell as the page has it, with its picture and its digits as they were seen."""
    row = {name: getattr(cell, name) for name in ("row", "column", "field", "text", "state", "guess")}
    row |= {"confidence": round(min(cell.confidence, 0.9999), 4), "box": "/".join(map(str, cell.box))}
    return row | {
        "crop": _cut(cell, picture, scale),
        "glyphs": [_encode(Image.fromarray(255 - g)) for g in cell.glyphs],
    }


def _cut(cell: Cell, picture: Image.Image, scale: float) -> str:
    x0, y0, x1, y1 = (side / scale for side in cell.box)
    around = _AROUND * min(x1 - x0, y1 - y0)
    box = (
        max(0, round(x0 - around)),
        max(0, round(y0 - around)),
        min(picture.width, max(round(x1 + around), round(x0) + 1)),
        min(picture.height, max(round(y1 + around), round(y0) + 1)),
    )
    cut = picture.crop(box)
    shrink = min(1.0, _HIGH / cut.height, _WIDE / cut.width)
    return _encode(cut.resize((max(1, round(cut.width * shrink)), max(1, round(cut.height * shrink)))))


def _encode(picture: Image.Image) -> str:
    """Return a picture as an address that holds all of it."""
    kept = io.BytesIO()
    picture.save(kept, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(kept.getvalue()).decode()}"


def open_parts(path: Path, *, fresh: bool) -> Path:
    """Return the folder that cells are kept in until their page is written; a `fresh` one is empty.

    Raises LenetError when it cannot be made.
    """
    folder = path.with_name(f"{path.name}.parts")
    try:
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LenetError(path, f"cannot be written ({reason(error)})") from error
    return folder


def close_parts(path: Path) -> None:
    """Delete the folder that cells were kept in."""
    shutil.rmtree(path.with_name(f"{path.name}.parts"), ignore_errors=True)


def write_review(path: Path, pages: list[int]) -> None:
    """Write the page of all cells that were kept; `pages` are the numbers of theirs, from 0. Raises LenetError."""
    cells, folder = [], path.with_name(f"{path.name}.parts")
    try:
        for number, page in enumerate(pages):
            part = folder / _PART.format(number)
            for cell in json.loads(part.read_text(encoding="utf-8")) if part.exists() else []:
                cells.append(cell | {"page": page})
        replace_text(path, _fill_in({"columns": CELL_COLUMNS, "cells": cells}))
    except (OSError, ValueError) as error:
        raise LenetError(path, f"cannot be written ({reason(error)})") from error


def _fill_in(told: dict[str, Any]) -> str:
    """Return the page with its script, its style and its cells."""
    parts = {name: (REVIEW_FOLDER / name).read_text(encoding="utf-8") for name in ("review.css", "review.js")}
    page = (REVIEW_FOLDER / "page.html").read_text(encoding="utf-8")
    body = (REVIEW_FOLDER / "review.html").read_text(encoding="utf-8")
    for mark, part in (
        ("/*STYLE*/", parts["review.css"]),
        ("<!--BODY-->", body),
        ("/*SCRIPT*/", parts["review.js"]),
        ("/*DATA*/", json.dumps(told).replace("</", "<\\/")),
    ):
        page = page.replace(mark, part, 1)
    return page


def tell_review(found: PageTables, source: PictureSource, path: str) -> dict[str, Any]:
    """Return the cells of a page with their pictures, as the page to look at them takes them."""
    page = open_page(source)
    picture = Image.fromarray(page.grey if page.colours is None else page.colours)
    cells = [
        _tell_cell(cell, picture, page.scale) | {"path": path, "page": 0, "table": table.table}
        for table in found.tables
        for cell in table.cells
    ]
    return {"columns": CELL_COLUMNS, "cells": cells}
