"""Find a data set's files on this machine, or download them: checked by sum, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from lenet.data.idx import decompress
from lenet.data.sources import DataSource, Pinned, Role
from lenet.errors import DataError, reason
from lenet.files import replacing
from lenet.progress import silent

# Called with what is being done, the bytes so far and the bytes in all (0 when the server does not say).
Report = Callable[[str, int, int], None]

_TIMEOUT_SECONDS = 30.0
_CHUNK_BYTES = 1 << 18
_MOST_BYTES = 1 << 30


def cache_folder() -> Path:
    """Return the user's cache folder for lenet (not made yet)."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "lenet"


def search_folders(name: str) -> list[Path]:
    """Return where a set is looked for, in order: ``$LENET_DATA/<name>``, then the cache."""
    given = os.environ.get("LENET_DATA")
    return [Path(base) / name for base in (given, cache_folder()) if base]


def find_local(source: DataSource, role: Role) -> Path | None:
    """Return the path of a file that is on this machine, compressed or (if its content is pinned) not."""
    name = source.files[role].name
    names = [name, name.removesuffix(".gz")] if source.sums_of == "content" else [name]
    candidates = (folder / each for folder in search_folders(source.name) for each in names)
    return next((path for path in candidates if path.is_file()), None)


def read_content(source: DataSource, role: Role, report: Report = silent) -> bytes | bytearray:
    """Return the decompressed and checked bytes of one file, downloading the set's file if it is nowhere.

    Raises DataError when no mirror has it, or when the bytes are not the pinned ones.
    """
    path = find_local(source, role) or _download(source, role, report)
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise DataError(path, reason(error)) from error
    return _check_content(source, source.files[role], packed, path)


def _check_content(source: DataSource, pinned: Pinned, packed: bytes, thing: object) -> bytes | bytearray:
    raw = decompress(packed, thing)
    if pinned.md5:
        found = hashlib.md5(raw if source.sums_of == "content" else packed, usedforsecurity=False).hexdigest()
        if found != pinned.md5:
            raise DataError(thing, f"MD5 {found}, expected {pinned.md5}", "delete it and fetch it again")
    return raw


def _download(source: DataSource, role: Role, report: Report) -> Path:
    folder = cache_folder() / source.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(folder, reason(error), "set LENET_DATA or XDG_CACHE_HOME to a folder") from error
    wanted = source.archive or source.files[role]
    failures = []
    for mirror in source.mirrors:
        try:
            with replacing(folder / wanted.name) as temporary:
                download(mirror + wanted.name, temporary, report)
                if source.archive:
                    _check_sum(temporary, wanted)
                else:
                    _check_content(source, wanted, temporary.read_bytes(), mirror + wanted.name)
        except (OSError, HTTPException, DataError) as error:
            cause = error.reason if isinstance(error, urllib.error.URLError) else error
            failures.append(f"{mirror}: {cause}")
            continue
        if source.archive:
            _unpack(source, folder / wanted.name)
        return folder / source.files[role].name
    raise DataError(
        f"{source.name}: {wanted.name}",
        "not found here and no mirror gave it (" + " | ".join(failures) + ")",
        f"put the file into {search_folders(source.name)[0]}",
    )


def download(url: str, path: Path, report: Report) -> None:
    """Write what an address serves to a file. Raises OSError, HTTPException or DataError; a part of it may be there."""
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer, path.open("wb") as file:
        total = int(answer.headers.get("Content-Length") or 0)
        if total > _MOST_BYTES:
            raise DataError(url, f"{total:,} bytes announced", "not the file that was asked for")
        done = 0
        while chunk := answer.read(_CHUNK_BYTES):
            file.write(chunk)
            done += len(chunk)
            if done > _MOST_BYTES:
                raise DataError(url, f"more than {_MOST_BYTES:,} bytes", "not the file that was asked for")
            report(url, done, total)
        if total and done != total:
            raise DataError(url, f"{done:,} bytes of {total:,}", "the connection was cut")


def _check_sum(path: Path, pinned: Pinned) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != pinned.md5:
        raise DataError(pinned.name, f"MD5 {found}, expected {pinned.md5}", "the mirror has another file")


def _unpack(source: DataSource, archive: Path) -> None:
    """Take the set's own files out of the archive by name, wherever they stand in it, and drop the archive."""
    try:
        with zipfile.ZipFile(archive) as packed:
            members = {Path(member).name: member for member in packed.namelist()}
            for pinned in source.files.values():
                member = packed.open(members[pinned.name])
                with replacing(archive.parent / pinned.name) as temporary, member, temporary.open("wb") as file:
                    shutil.copyfileobj(member, file, _CHUNK_BYTES)
    except (zipfile.BadZipFile, KeyError) as error:
        raise DataError(archive, f"does not hold the set ({error})", "delete it and fetch it again") from error
    archive.unlink()
