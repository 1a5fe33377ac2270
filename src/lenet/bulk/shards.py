"""A folder of answers in Parquet parts, which the workers of a cluster write, each part whole or not at all.

part-00000.parquet  the answers of the first pictures, in their order; the next parts those that follow
_manifest.json      the job, its pictures and, when all is done, every part with its rows and its failed pictures
_part-N.begun       a part that is being read, or was when its worker was lost
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from lenet.bulk.inputs import find_file, open_pictures
from lenet.bulk.jobs import Asked, limit_time, read_in_processes, read_one_by_one
from lenet.bulk.outputs import import_arrow, make_reading_rows, write_answers
from lenet.bulk.table_outputs import PART_ROWS
from lenet.engine import load
from lenet.errors import LenetError, reason
from lenet.files import Lock, claim_folder, escape_name, replace_text
from lenet.tables.read_page import TableOptions

_MANIFEST = "_manifest.json"
# Pictures of a part: at most so many, and so few that every core has several parts to do.
_MOST, _PARTS_A_CORE = 1_000, 8


@dataclass(frozen=True)
class Shards:
    """The parts of one job: `names` are all its pictures, `size` of them are in a part; `lock` keeps others away."""

    folder: Path
    names: list[str]
    size: int
    lock: Lock | None = None

    def left(self) -> list[dict[str, Any]]:
        """Return the number and the pictures of each part that is not there, as `make_shard_writer` takes them."""
        firsts = range(0, len(self.names), self.size)
        return [
            _row(number, self.names[first : first + self.size])
            for number, first in enumerate(firsts)
            if not find_shard(self.folder, number).exists()
        ]

    def finish(self) -> dict[str, Any]:
        """Count every picture in every part, complete the manifest, and return it.

        Raises LenetError when a part is not there or is not of its pictures.
        """
        pa = import_arrow()
        parts: list[dict[str, Any]] = []
        try:
            manifest = _load_manifest(self.folder)
            for number, first in enumerate(range(0, len(self.names), self.size)):
                file = find_shard(self.folder, number)
                table = pa.parquet.read_table(file, columns=["path", "error"])
                found = [name for name, _rows in groupby(table["path"].to_pylist())]
                if found != [escape_name(name) for name in self.names[first : first + self.size]]:
                    raise LenetError(file, "holds other pictures than its own", "delete it, and --resume")
                failed = sum(bool(each) for each in table["error"].to_pylist())
                parts.append({"file": file.name, "rows": len(table), "failed": failed, "bytes": file.stat().st_size})
            manifest |= {"failed": sum(each["failed"] for each in parts), "parts": parts}
            replace_text(self.folder / _MANIFEST, json.dumps(manifest, indent=1) + "\n")
            if self.lock is not None:
                self.lock.remove()
            for unfinished in (*self.folder.glob(".part-*"), *self.folder.glob("_part-*")):
                unfinished.unlink(missing_ok=True)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise LenetError(self.folder, f"is not complete ({reason(error)})", "--resume") from error
        return manifest


def find_shard(folder: Path, number: int) -> Path:
    """Return where a part is."""
    return folder / f"part-{number:05d}.parquet"


def open_shards(folder: Path, job: dict[str, Any], names: list[str], cores: int, *, resume: bool) -> Shards:
    """Make the folder of a job, or take up an interrupted one with `resume`.

    Raises LenetError when it cannot be written, holds something else, or another job, or another process writes it.
    """
    import_arrow()
    told = {
        "job": job,
        "pictures": len(names),
        "sha256": hashlib.sha256("\0".join(names).encode(errors="replace")).hexdigest(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fresh = not any(each.name != ".lock" for each in folder.iterdir())
        if not fresh and not (folder / _MANIFEST).exists():
            raise LenetError(folder, "is not empty", "choose another folder for --out")
        lock = claim_folder(folder)
        if lock is None:
            raise LenetError(folder, "is being written by another lenet", "wait for it, or choose another folder")
        if fresh:
            size = max(1, min(_MOST, len(names) // (_PARTS_A_CORE * cores)))
            replace_text(folder / _MANIFEST, json.dumps(told | {"pictures_a_part": size}) + "\n")
            return Shards(folder, names, size, lock)
        found = _load_manifest(folder)
        if not resume:
            if "parts" in found:
                raise LenetError(folder, "holds a finished job", "choose another folder for --out")
            raise LenetError(folder, "holds an interrupted job", "--resume goes on with it; or choose another folder")
        for key, value in json.loads(json.dumps(told)).items():
            if found.get(key) != value:
                what = "other options" if key == "job" else "other pictures"
                raise LenetError(folder, f"was begun with {what}", "give the same command, or choose another folder")
        return Shards(folder, names, int(found["pictures_a_part"]), lock)
    except OSError as error:
        raise LenetError(folder, f"cannot be written ({reason(error)})") from error
    except (KeyError, TypeError, ValueError) as error:
        raise LenetError(folder / _MANIFEST, "is damaged", "choose another folder for --out") from error


def _row(number: int, names: list[str]) -> dict[str, Any]:
    # JSON, for a file's name need not be text that Ray can take; and one that is there, for nodes that do not see it.
    there = next((path for path in map(find_file, names) if _exists(path)), None)
    return {"number": number, "count": len(names), "given": json.dumps({"names": names, "there": there})}


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def _load_manifest(folder: Path) -> dict[str, Any]:
    found = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def make_shard_writer(
    folder: str, column: str | None, model: str, asked: Asked, timeout: float | None = None
) -> Callable[[dict[str, Any]], None]:
    """Return what writes a part, in a worker: it loads the network once.

    A part whose worker was lost may hold a picture that brings down who reads it, or one that takes more than `timeout`
    CPU seconds, which ends the worker: its pictures are read in a process of their own, so that this one is found out
    and the others are read.
    """
    network = replace(load(model), threads=1)

    def do(row: dict[str, Any]) -> None:
        given = json.loads(row["given"])
        if given["there"] is not None and not _exists(given["there"]):
            remedy = "pictures must be on a file system that all nodes share"
            raise LenetError(f"node {platform.node()}", f"does not see {given['there']}", remedy)
        file = find_shard(Path(folder), row["number"])
        mark = file.with_name(f"_{file.stem}.begun")
        if file.exists():
            return
        try:
            lost = mark.exists()
            mark.touch()
            pictures = open_pictures(given["names"], column)
            answers = (
                read_in_processes(1, pictures, model, asked, chunk=1, timeout=timeout)
                if lost
                else read_one_by_one(pictures, network, asked, limit_time(timeout))
            )
            write_answers(
                file,
                (answer.as_json() for answer in answers),
                PART_ROWS if isinstance(asked, TableOptions) else make_reading_rows(asked.best),
            )
            with suppress(FileNotFoundError):
                mark.unlink()
        except OSError as error:
            raise LenetError(file, f"cannot be written ({reason(error)})") from error

    return do
