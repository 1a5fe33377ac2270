"""Folders of labelled pictures: labels.csv (path,label[,part]), or sub-folders 0 to 9 and none."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lenet.data.sources import SOURCES
from lenet.errors import DataError, reason

LABEL_FILE = "labels.csv"
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
        yield Path(folder)


def read_labels(folder: Path) -> list[Labelled]:
    """Return what a folder's labels.csv or its sub-folders say. Raises DataError with one clear line."""
    try:
        found = folder.is_dir()
    except (OSError, ValueError):  # a name that is too long, or has a zero byte
        found = False
    if not found:
        raise DataError(folder, "no such data set or folder", f"known sets: {', '.join(SOURCES)}")
    rows = _label_file(folder / LABEL_FILE) if (folder / LABEL_FILE).is_file() else _sub_folders(folder)
    if not rows:
        raise DataError(folder, "no labelled pictures", f"give it a {LABEL_FILE} (path,label) or sub-folders 0 to 9")
    return rows


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


def _label_file(file: Path) -> list[Labelled]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            table = csv.DictReader(lines)
            if not {"path", "label"} <= set(table.fieldnames or ()):
                raise DataError(file, f"columns {table.fieldnames}", "expected path,label[,part]")
            rows = []
            for row in table:
                place = f"{file} line {table.line_num}"
                if row["path"] is None or row["label"] is None:
                    raise DataError(place, f"label {row['label']!r}", "expected path,label[,part]")
                rows.append(Labelled(row["path"], row["label"], row.get("part") or "", place))
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
