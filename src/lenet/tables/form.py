"""Forms: the fields of an empty form, found, named, kept in LabelMe's format, and brought onto filled pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from lenet.arrays import Float64, Uint8
from lenet.decoding.formats import parse_pattern
from lenet.errors import DataError, LenetError, PictureError, UsageError, reason
from lenet.files import replace_text
from lenet.grids.cells import Grid, GridCell
from lenet.grids.register import SAME, list_mappings, map_points, measure_overlap
from lenet.network.spec import CELL_LABELS
from lenet.preprocessing.sources import PictureSource
from lenet.tables.sight import SeenCell, SeenGrid, SeenPage, see_cells, see_page

# A cell of an empty form is a field if it is empty, likelier than this.
_EMPTY, _LIKELY = CELL_LABELS.index("empty"), 0.5
# So much of the fields' area must be found again on a page, on average, that the form is on it.
_FOUND = 0.3
# LabelMe's own version, whose format this is; its file is at most so large.
_LABELME, _MOST_BYTES = "5.5.0", 64_000_000


@dataclass(frozen=True)
class Field:
    """A field of a form: its name, the pattern of what is written in it, and its corners (4, 2) on the empty form.

    `boxes` of a strip are its lines from left to right, 0 to 1; a field of no table has row and column by its place.
    """

    name: str
    pattern: str | None
    corners: Float64
    boxes: tuple[float, ...] = ()


@dataclass(frozen=True)
class Form:
    """An empty form: its fields, its picture (H, W) uint8 if that is known, and its grids there."""

    fields: tuple[Field, ...]
    picture: Uint8 | None
    grids: tuple[Grid, ...]


def find_form(source: PictureSource) -> tuple[Form, tuple[int, int]]:
    """Find the fields of an empty form: its empty cells, boxes and strips; return it, and its picture's size.

    Places are in the picture's own pixels. Raises PictureError when it cannot be decoded or has no field.
    """
    page = see_page(source)
    fields = []
    for number, seen in enumerate(page.grids):
        for cell in seen.cells:
            if cell.chances[_EMPTY] < _LIKELY:
                continue
            place = cell.place
            kind = "digits" if place.boxes else "box"
            name = (
                f"{kind}_{place.row}_{place.column}" if seen.grid.loose else f"t{number}_r{place.row}_c{place.column}"
            )
            _box, quad = page.place(place.corners)
            fields.append(Field(name, None, np.array(quad, np.float64), place.boxes))
    if not fields:
        raise PictureError(
            str(source), "no empty cell or box found", "give a picture of the form that is not filled in"
        )
    return Form(tuple(fields), None, ()), page.size


def save_form(form: Form, size: tuple[int, int], picture: Path, path: Path) -> None:
    """Write a form as LabelMe does, `picture` beside it by name. Raises LenetError."""
    shapes = [
        {
            "label": field.name if field.pattern is None else f"{field.name}:{field.pattern}",
            "points": field.corners.tolist(),
            "group_id": None,
            "description": f"boxes {' '.join(f'{share:.4f}' for share in field.boxes)}" if field.boxes else "",
            "shape_type": "polygon",
            "flags": {},
            "mask": None,
        }
        for field in form.fields
    ]
    told: dict[str, Any] = {
        "version": _LABELME,
        "flags": {},
        "shapes": shapes,
        "imagePath": _name_beside(picture, path),
    }
    told |= {"imageData": None, "imageHeight": size[1], "imageWidth": size[0]}
    try:
        replace_text(path, json.dumps(told, indent=2) + "\n")
    except OSError as error:
        raise LenetError(path, f"cannot be written ({reason(error)})") from error


def _name_beside(picture: Path, path: Path) -> str:
    """Return a picture's name as LabelMe has it: from the folder of the form."""
    try:
        return str(picture.resolve().relative_to(path.resolve().parent))
    except ValueError:
        return str(picture.resolve())


def load_form(path: Path) -> Form:
    """Load a form, and its picture if that is where the form says. Raises DataError for a file that is none."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(path, f"{path.stat().st_size:,} bytes", "not a form")
        told = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(path, f"is no form that can be read ({reason(error)})") from error
    shapes = told.get("shapes") if isinstance(told, dict) else None
    if not isinstance(shapes, list) or not shapes:
        raise DataError(path, "has no shapes", "expected LabelMe's format, as lenet form writes it")
    fields = tuple(_read_shapes(shapes, path))
    name = told.get("imagePath")
    picture = path.parent / name if isinstance(name, str) and name else None
    if picture is None or not _is_file(picture):
        return Form(fields, None, ())
    seen = see_page(picture, turn=False)
    scaled = tuple(replace(field, corners=field.corners / seen.scale) for field in fields)
    return Form(scaled, seen.grey, tuple(each.grid for each in seen.grids))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _read_shapes(shapes: list[Any], path: Path) -> Iterator[Field]:
    seen: set[str] = set()
    for number, shape in enumerate(shapes):
        place = f"{path} shape {number}"
        if not isinstance(shape, dict) or not isinstance(shape.get("label"), str):
            raise DataError(place, "has no label", "expected name, or name:pattern")
        name, colon, pattern = shape["label"].partition(":")
        if not name or name in seen:
            raise DataError(place, f"label {shape['label']!r}", "give each field a name of its own")
        seen.add(name)
        try:
            if colon:
                parse_pattern(pattern)
        except UsageError as error:
            raise DataError(place, f"label {shape['label']!r}: {error}") from error
        yield Field(name, pattern if colon else None, _read_points(shape, place), _read_boxes(shape))


def _read_points(shape: dict[str, Any], place: str) -> Float64:
    """Return the corners (4, 2) of a polygon of four points, or of a rectangle of two, clockwise from upper left."""
    try:
        points = np.array(shape["points"], np.float64)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DataError(place, "has no points", "expected four of x, y") from error
    if points.shape == (2, 2):
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
        points = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    if points.shape != (4, 2) or not np.isfinite(points).all():
        raise DataError(place, f"points of shape {points.shape}", "expected four of x, y, or two of a rectangle")
    middle = points.mean(axis=0)
    order = np.argsort(np.arctan2(points[:, 1] - middle[1], points[:, 0] - middle[0]))
    points = points[order]
    return np.roll(points, -int(points.sum(axis=1).argmin()), axis=0)


def _read_boxes(shape: dict[str, Any]) -> tuple[float, ...]:
    """Return the lines of a strip, as `save_form` describes them; none: a plain field."""
    words = str(shape.get("description") or "").split()
    try:
        shares = tuple(float(word) for word in words[1:]) if words[:1] == ["boxes"] else ()
    except ValueError:
        return ()
    ordered = all(0 <= a < b <= 1 for a, b in pairwise(shares))
    return shares if ordered and len(shares) > 2 else ()  # noqa: PLR2004


def place_form(form: Form, page: SeenPage) -> tuple[SeenGrid, tuple[Field, ...]]:
    """Return the fields of a form as cells of a page, row by row, and the fields in that order.

    A field whose cell is found on the page has that cell's corners. Raises PictureError if the form is not on the page.
    """
    grids = [seen.grid for seen in page.grids]
    if form.picture is None:
        raise PictureError("form", "the form's picture is not where imagePath says", "put it there")
    cells = [cell for grid in grids for cell in grid.cells]
    tried = [
        _snap(form.fields, mapping, cells)
        for mapping in list_mappings(form.picture, page.grey, list(form.grids), grids)
    ]
    if not tried or max(share for share, _places in tried) < _FOUND:
        raise PictureError("form", "the form is not found on it", "give the page as a whole, or another form")
    _share, places = max(tried, key=lambda each: each[0])
    rows = _sort_by_row(form.fields)
    placed = []
    for row, own in enumerate(rows):
        for column, number in enumerate(own):
            place = replace(places[number], row=row, column=column, rows=1, columns=1)
            placed.append((place, form.fields[number]))
    thick = max([grid.thick for grid in grids], default=0.0)
    grid = Grid(len(rows), max(map(len, rows)), tuple(place for place, _field in placed), thick)
    chances = see_cells(page.grey, grid)
    cells_seen = tuple(SeenCell(place, each.chances) for (place, _field), each in zip(placed, chances, strict=True))
    return SeenGrid(grid, cells_seen), tuple(field for _place, field in placed)


def _snap(fields: tuple[Field, ...], mapping: Float64, cells: list[GridCell]) -> tuple[float, list[GridCell]]:
    """Return which share of the fields is on cells of a page, on average, and the fields' places there."""
    shares, places = [], []
    for field in fields:
        corners = map_points(mapping, field.corners)
        overlaps = [_overlap(corners, cell) for cell in cells]
        best = int(np.argmax(overlaps)) if overlaps else -1
        share = overlaps[best] if overlaps else 0.0
        shares.append(share)
        known = cells[best].corners if share > SAME else corners
        boxes = cells[best].boxes if share > SAME and field.boxes else field.boxes
        places.append(GridCell(0, 0, 1, 1, known, share, boxes))
    return float(np.mean(shares)), places


def _overlap(corners: Float64, cell: GridCell) -> float:
    """Return how far a field (4, 2) is on a cell; 0 without looking further where they are apart."""
    apart = (corners.min(axis=0) > cell.corners.max(axis=0)) | (corners.max(axis=0) < cell.corners.min(axis=0))
    return 0.0 if apart.any() else measure_overlap(corners, cell.corners)


def _sort_by_row(fields: tuple[Field, ...]) -> list[list[int]]:
    """Return the numbers of fields row by row, from left to right: a row's middles are within half a field's height."""
    middles = np.array([field.corners.mean(axis=0) for field in fields])
    heights = [float(np.ptp(field.corners[:, 1])) for field in fields]
    rows: list[list[int]] = []
    for number in np.argsort(middles[:, 1], kind="stable").tolist():
        last = rows[-1][0] if rows else -1
        if rows and middles[number, 1] - middles[last, 1] < heights[last] / 2:
            rows[-1].append(number)
        else:
            rows.append([number])
    return [sorted(row, key=lambda number: float(middles[number, 0])) for row in rows]
