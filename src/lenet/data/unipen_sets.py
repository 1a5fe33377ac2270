"""UNIPEN's public collection into the arrays that lenet learns from: the samples that are pinned, and no others.

A sample is known by a digest of its contributor, its label and its strokes. The pinned digests say which samples there
are, in which order, and who wrote them; writers who are kept apart for a last measurement are not among them.
"""

from __future__ import annotations

import hashlib
import tempfile
import warnings
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from importlib.resources import files
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any, cast

import numpy as np

from lenet.arrays import Int16
from lenet.data.fetch import Report, cache_folder, download, search_folders
from lenet.data.unipen import Segment, read_segments
from lenet.errors import DataError, reason
from lenet.files import replacing
from lenet.progress import silent

# The collection with patches that let it be parsed, at the commit that the digests were taken of.
COMMIT = "552a4d44"
ARCHIVE = f"https://github.com/GreenCappuccino/train_r01_v07/archive/{COMMIT}.zip"
SETS = tuple(
    f"{part}-{kind}"
    for part in ("train", "dev")
    for kind in ("digits", "upper", "lower", "symbols", "numbers", "words")
)
# A set is as good without so few of its samples: the whole collection could not be tried here, four of its files were.
_MOST_MISSING = 0.02
# No file of the collection is larger, in bytes.
_LARGEST_FILE = 64 << 20


@dataclass(frozen=True)
class PinnedSet:
    """The samples (n,) of a set: their digests, their writers and contributors, and the digest of all of its arrays."""

    digests: np.ndarray
    writers: np.ndarray
    contributors: np.ndarray
    whole: str


def digest_sample(contributor: str, label: str, strokes: tuple[Int16, ...]) -> int:
    """Return 32 bits that a sample is known by."""
    told = hashlib.blake2b(digest_size=4)
    told.update(f"{contributor}\0{label}\0".encode())
    for stroke in strokes:
        told.update(len(stroke).to_bytes(4, "little") + np.ascontiguousarray(stroke, "<i2").tobytes())
    return int.from_bytes(told.digest(), "little")


def digest_arrays(arrays: dict[str, np.ndarray]) -> str:
    """Return the digest of a set's arrays, by name and value."""
    told = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        values = arrays[name]
        text = "\0".join(values.tolist()) if values.dtype.kind == "U" else ""
        raw = text.encode() if text else np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
        told.update(f"{name} {len(values)} ".encode() + raw)
    return told.hexdigest()


def pin_set(arrays: dict[str, np.ndarray]) -> PinnedSet:
    """Return what pins a set that is there."""
    digests = []
    for row, (label, contributor) in enumerate(zip(arrays["label"], arrays["contributor"], strict=True)):
        bounds = arrays["strokes"][arrays["samples"][row] : arrays["samples"][row + 1] + 1]
        strokes = tuple(arrays["points"][a:b] for a, b in pairwise(bounds))
        digests.append(digest_sample(str(contributor), str(label), strokes))
    return PinnedSet(np.array(digests, np.uint32), arrays["writer"], arrays["contributor"], digest_arrays(arrays))


def save_pinned(path: Path, pinned: dict[str, PinnedSet]) -> None:
    """Write what pins all sets into one file."""
    arrays: dict[str, Any] = {}
    for name, each in pinned.items():
        writers, number = np.unique(each.writers, return_inverse=True)
        contributors, whose = np.unique(each.contributors, return_inverse=True)
        arrays |= {f"{name}/digests": each.digests, f"{name}/whole": np.array(each.whole)}
        arrays |= {f"{name}/writers": writers, f"{name}/writer": number.astype(np.uint16)}
        arrays |= {f"{name}/contributors": contributors, f"{name}/contributor": whose.astype(np.uint8)}
    np.savez_compressed(path, **arrays)


def load_pinned() -> dict[str, PinnedSet]:
    """Load what pins the sets."""
    with (files("lenet") / "assets" / "unipen-samples.npz").open("rb") as file, np.load(file) as found:
        return {
            name: PinnedSet(
                found[f"{name}/digests"],
                found[f"{name}/writers"][found[f"{name}/writer"]],
                found[f"{name}/contributors"][found[f"{name}/contributor"]],
                str(found[f"{name}/whole"]),
            )
            for name in SETS
        }


def read_archive(path: Path, report: Callable[[str, int, int], None] = silent) -> Iterator[tuple[str, Segment]]:
    """Yield (contributor, segment) of a zip archive of the collection. Raises DataError when it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {each.filename: each.file_size for each in archive.infolist()}
            tops = {name[: name.index("/data/")] for name in sizes if "/data/" in name and name.endswith(".dat")}
            tops = {top for top in tops if "/include" not in f"/{top}"}
            if len(tops) != 1:
                raise DataError(path, "does not hold the collection", "expected one folder with data/ and include/")
            (top,) = tops

            def read(name: str) -> str:
                if sizes.get(name, 0) > _LARGEST_FILE:
                    raise DataError(f"{path}: {name}", f"{sizes[name]:,} bytes", "not the file that was asked for")
                return archive.read(name).decode("latin-1") if name in sizes else ""

            names = sorted(name for name in sizes if name.startswith(f"{top}/data/") and name.endswith(".dat"))
            for number, name in enumerate(names, 1):
                contributor = PurePosixPath(name).relative_to(f"{top}/data").parts[1]
                for segment in read_segments(read(name), contributor, lambda own: read(f"{top}/include/{own}")):
                    yield contributor, segment
                report(str(path), number, len(names))
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(path, f"does not hold the collection ({reason(error)})", "fetch it again") from error


def convert_archive(
    path: Path,
    folder: Path,
    pinned: dict[str, PinnedSet],
    report: Callable[[str, int, int], None] = silent,
) -> list[Path]:
    """Write the pinned sets of a zip archive of the collection into a folder; return their paths.

    Raises DataError when a sample is missing, or when the arrays are not the pinned ones: nothing is written then.
    """
    waiting: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for name, each in pinned.items():
        for row, digest in reversed(list(enumerate(each.digests.tolist()))):
            waiting[digest].append((name, row))
    found: dict[str, dict[int, Segment]] = {name: {} for name in pinned}
    for contributor, segment in read_archive(path, report):
        rows = waiting.get(digest_sample(contributor, segment.label, segment.strokes))
        if rows:
            name, row = rows.pop()
            found[name][row] = segment
    arrays = {name: _put_together(path, name, each, found[name]) for name, each in pinned.items()}
    paths = []
    for name, values in arrays.items():
        with replacing(folder / f"{name}.npz") as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **cast("dict[str, Any]", values))
        paths.append(folder / f"{name}.npz")
    return paths


def _put_together(path: Path, name: str, pinned: PinnedSet, found: dict[int, Segment]) -> dict[str, np.ndarray]:
    """Return a set's arrays, without the samples that are missing, of which it warns. Raises DataError for others."""
    count, remedy = len(pinned.digests), f"fetch the collection at commit {COMMIT}"
    rows = np.array(sorted(found), np.int64)
    missing = f"{count - len(rows):,} of {count:,} samples of {name} are not in it"
    if count - len(rows) > _MOST_MISSING * count:
        raise DataError(path, missing, remedy)
    samples = [found[row] for row in rows.tolist()]
    strokes = [stroke for segment in samples for stroke in segment.strokes]
    ends = np.cumsum([len(stroke) for stroke in strokes])
    arrays: dict[str, np.ndarray] = {
        "points": np.concatenate(strokes),
        "strokes": np.concatenate([[0], ends]).astype(np.int32),
        "samples": np.concatenate([[0], np.cumsum([len(segment.strokes) for segment in samples])]).astype(np.int32),
        "label": np.array([segment.label for segment in samples]),
        "contributor": pinned.contributors[rows],
        "writer": pinned.writers[rows],
    }
    if len(rows) < count:
        warnings.warn(f"{path}: {missing}; they are left out", stacklevel=3)
    elif digest_arrays(arrays) != pinned.whole:
        raise DataError(path, f"{name} is not the set that was pinned", remedy)
    return arrays


def find_sets() -> list[Path]:
    """Return the files of the sets that are on this machine, in the first folder that has any."""
    folders = search_folders("unipen")
    found = ([folder / f"{name}.npz" for name in SETS if (folder / f"{name}.npz").is_file()] for folder in folders)
    return next(filter(None, found), [])


def fetch_sets(report: Report = silent) -> list[Path]:
    """Return the files of all sets, checked; where any is missing, the collection is downloaded and converted.

    Raises DataError when it cannot be had, or is not the pinned one.
    """
    pinned, paths = load_pinned(), find_sets()
    if len(paths) == len(SETS):
        for path in paths:
            _check_set(path, pinned[path.stem])
        return paths
    folder = cache_folder() / "unipen"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as room:
            archive = Path(room) / f"{COMMIT}.zip"
            download(ARCHIVE, archive, report)
            return convert_archive(archive, folder, pinned, report)
    except (OSError, HTTPException) as error:
        remedy = "put the sets into $LENET_DATA/unipen/"
        raise DataError("unipen", f"not found here, and {ARCHIVE} gave nothing ({reason(error)})", remedy) from error


def _check_set(path: Path, pinned: PinnedSet) -> None:
    """Raise DataError unless a file holds a pinned set, or all of it but a few samples."""
    try:
        with np.load(path, allow_pickle=False) as given:
            arrays = {name: given[name] for name in given.files}
        known = digest_arrays(arrays) == pinned.whole
        if not known:  # all of it but a few samples?
            own = pin_set(arrays).digests
            missing = len(pinned.digests) - len(own)
            known = 0 < missing <= _MOST_MISSING * len(pinned.digests) and bool(np.isin(own, pinned.digests).all())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(path, f"no strokes ({reason(error)})", "delete it and fetch it again") from error
    if not known:
        raise DataError(path, "is not the set that was pinned", "delete it and fetch it again")
