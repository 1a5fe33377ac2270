"""Folders of labelled pictures: labels.csv (path,label[,part]), or sub-folders 0 to 9 and none."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from lenet.data.sources import SOURCES
from lenet.errors import DataError, reason
from lenet.files import unescape_name

LABEL_FILE = "labels.csv"
# Whole cells beside their digits, in the corrections of `lenet table --review`.
CELL_FILE = "cells.csv"
# The label of a picture that is not a digit.
NONE = "none"
_TEXT = frozenset("0123456789.,:/-")
# So many files, and bytes in all, are unpacked of an archive.
_MOST_MEMBERS, _MOST_BYTES = 200_000, 2_000_000_000


@dataclass(frozen=True)
class Labelled:
    """A picture's path within its folder, what it says, the part it belongs to ("" if none), and where that stands."""

    path: str
    text: str
    part: str
    place: str


@contextmanager
def open_folder(path: Path) -> Iterator[Path]:
    """Yield a folder, or for a .zip file one with all that is in it, while it is needed. Raises DataError."""
    if path.suffix.lower() != ".zip" or not path.is_file():
        yield path
        return
    with TemporaryDirectory(prefix="lenet-") as folder:
        try:
            with zipfile.ZipFile(path) as store:
                members = store.infolist()
                size = sum(member.file_size for member in members)
                if len(members) > _MOST_MEMBERS or size > _MOST_BYTES:
                    told = f"{len(members):,} files of {size:,} bytes"
                    raise DataError(path, told, f"at most {_MOST_MEMBERS:,} of {_MOST_BYTES:,} are unpacked")
                for member in members:
                    store.extract(member, folder)  # which keeps what is in it inside the folder
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, EOFError) as error:
            raise DataError(path, f"its archive cannot be read ({reason(error)})", "it is damaged") from error
        try:
            yield Path(folder)
        except DataError as error:  # what is wrong there is told of the archive
            if not str(error).startswith(folder):
                raise
            inside = str(error).removesuffix(error.problem).removeprefix(folder).strip(": /")
            raise DataError(f"{path}{' ' + inside if inside else ''}", error.problem) from error


def read_labels(folder: Path, *, whole: bool = False) -> list[Labelled]:
    """Return what a folder's labels.csv or its sub-folders say, or a table of answers that were corrected.

    Such a table is what `lenet read --out` wrote, with a column `corrected`: rows without it are left out, and paths
    are as they were read. Of the corrections of `lenet table --review` the `whole` cells are returned if asked, in
    place of their digits. Raises DataError with one clear line.
    """
    if folder.suffix.lower() == ".csv" and folder.is_file():
        return _read_corrected(folder)
    try:
        found = folder.is_dir()
    except (OSError, ValueError):  # a name that is too long, or has a zero byte
        found = False
    if not found and (folder.suffix or len(folder.parts) > 1):
        raise DataError(folder, "no such file or folder", "give a folder with labels.csv, or a table with corrections")
    if not found:
        raise DataError(folder, "no such data set or folder", f"known sets: {', '.join(SOURCES)}")
    if whole and (folder / CELL_FILE).is_file():
        rows = [replace(row, text=row.text or NONE) for row in _label_file(folder / CELL_FILE, "text")]
    else:
        rows = _label_file(folder / LABEL_FILE) if (folder / LABEL_FILE).is_file() else _sub_folders(folder)
    if not rows:
        remedy = f"give it a {LABEL_FILE} (path,label) or sub-folders 0 to 9"
        if (folder / CELL_FILE).is_file():
            remedy = f"it has {CELL_FILE}, of whole numbers: give --numbers"
        raise DataError(folder, "no labelled pictures", remedy)
    return rows


def has_numbers(data: Path) -> bool:
    """Return whether any label of a folder, an archive or a table of answers is longer than a digit."""
    with open_folder(data) as folder:
        return any(len(row.text) > 1 and row.text != NONE for row in read_labels(folder))


def read_numbers(data: str) -> list[Labelled]:
    """Return a folder's rows that are to be measured on, if any label is longer than a digit: it is of numbers.

    Those marked "train" are left out, unless all are. Returns none for a public set's name. Raises DataError.
    """
    if data in SOURCES:
        return []
    with open_folder(Path(data)) as folder:
        rows = read_labels(folder)
    if all(len(row.text) == 1 or row.text == NONE for row in rows):
        return []
    if not Path(data).is_dir():
        raise DataError(data, "holds numbers of several digits", "unpack it, and give the folder")
    for row in rows:
        if row.text != NONE and not (row.text and set(row.text) <= _TEXT):
            raise DataError(row.place, f"label {row.text!r}", f"expected digits and . , : / -, or {NONE!r}")
    return [row for row in rows if row.part != "train"] or rows


def _read_corrected(file: Path) -> list[Labelled]:
    every = _label_file(file, "corrected")
    rows = [row for row in every if row.text]
    if len(rows) < min(2, len(every)):
        told = f"{len(rows)} of {len(every)} rows have a text in the column corrected"
        raise DataError(file, told, "write what is right there for every picture, also where the answer is right")
    # Joined to the folder of the table, an absolute path stays what it is.
    return [replace(row, path=str(Path(unescape_name(row.path)).absolute())) for row in rows]


def _label_file(file: Path, column: str = "label") -> list[Labelled]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            table = csv.DictReader(lines)
            if not {"path", column} <= set(table.fieldnames or ()):
                columns = ",".join(table.fieldnames or ()) or "none"
                remedy = f"expected path,{column}[,part]"
                if column == "corrected" and "label" in (table.fieldnames or ()):
                    remedy = f"for labels give the folder, {file.parent}; else {remedy}"
                raise DataError(file, f"columns {columns}", remedy)
            rows = []
            for row in table:
                place = f"{file} line {table.line_num}"
                if row["path"] is None or row[column] is None:
                    raise DataError(place, f"{column} {row[column]!r}", f"expected path,{column}[,part]")
                rows.append(Labelled(row["path"], row[column], row.get("part") or "", place))
            return rows
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(file, f"cannot be read ({reason(error)})") from error


def _sub_folders(folder: Path) -> list[Labelled]:
    return [
        Labelled(str(path.relative_to(folder)), label, "", str(folder))
        for label in (*"0123456789", NONE)
        for path in sorted((folder / label).glob("*"))
        if path.is_file() and not path.name.startswith(".")
    ]
