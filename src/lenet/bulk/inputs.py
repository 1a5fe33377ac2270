"""Where pictures lie: files, members of tar and zip archives, rows of a Parquet table; named alike, opened in order."""

from __future__ import annotations

import glob
import tarfile
import zipfile
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from lenet.errors import DataError, LenetError, MissingExtra, reason
from lenet.preprocessing.decode import MOST_BYTES, SUFFIXES

# Between a store's path and what lies in it: forms.zip::page/3.png, scans.parquet::17.
INSIDE = "::"
# Between a member's name and its number, if the name was there before: a.png, then a.png##2.
AGAIN = "##"
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_STORES = (".zip", ".parquet", *_TARS)
# Rows of a table that are held at once.
_ROWS = 64


def list_pictures(paths: Iterable[str], column: str | None = None) -> list[str]:
    """Return the names of the pictures that paths, folders (with all that is in them), globs and stores hold, in order.

    Stores are .zip, .tar (also compressed) and .parquet files; of a table the `column` of bytes is taken, or the only
    one. What is not there is kept, and a glob that nothing matches, and a folder or a store without pictures or that
    cannot be read: opening it says what is wrong, and the others are read. Raises MissingExtra for Parquet without
    pyarrow.
    """
    found: list[str] = []
    for path in paths:
        try:
            folder = path not in ("-", "") and Path(path).is_dir()
            there = folder or path == "-" or Path(path).exists()
        except (OSError, ValueError):  # a name that is too long, or has a zero byte
            folder, there = False, True
        if folder:
            inside = sorted(str(each) for each in Path(path).rglob("*") if _is_picture(each.name))
            found += inside or [path]
        elif not there and glob.has_magic(path):
            matching = glob.glob(path, recursive=True)  # noqa: PTH207 - an absolute pattern is allowed
            found += list_pictures(sorted(matching), column) or [path]
        elif there and _is_store(path):
            with suppress(DataError):
                found += _list_members(path, column)
            if not found or find_store(found[-1]) != path:
                found.append(path)
        else:
            found.append(path)
    return found


def open_pictures(names: list[str], column: str | None = None, given: bytes = b"") -> Iterator[tuple[str, Any]]:
    """Yield (name, what is read): a path, a member's bytes, those `given` for "-", or what is wrong with a bad one.

    A store is opened once for all of its pictures, and streamed: one member or 64 rows at a time are held.
    """
    for store, group in groupby(names, find_store):
        if store is None:
            for name in group:
                yield name, given if name == "-" else _check_alone(name, column)
        else:
            left = deque(group)
            try:
                for name, source in _stream(store, list(left), column):
                    left.popleft()
                    yield name, source
                problem = DataError(store, "is not there any more", "it has changed")
            except (OSError, tarfile.TarError, zipfile.BadZipFile, EOFError) as error:  # since it was listed
                problem = DataError(store, f"cannot be read ({reason(error)})", "it has changed")
            except DataError as error:
                problem = error
            for name in left:
                yield name, problem


def _check_alone(name: str, column: str | None) -> str | LenetError:
    """Return a picture's own name, or what is wrong with what holds no pictures."""
    try:
        if _is_store(name):
            _list_members(name, column)
            return DataError(name, "holds no pictures")
        if not name:
            return DataError(name, "an empty name is no picture")
        if Path(name).is_dir():
            return DataError(name, "holds no pictures")
    except DataError as error:
        return error
    except (OSError, ValueError):
        pass
    return name


def _is_store(path: str) -> bool:
    return path.lower().endswith(_STORES) and Path(path).is_file()


def find_file(name: str) -> str:
    """Return the file that a picture is in, or is."""
    return find_store(name) or name


def find_store(name: str) -> str | None:
    """Return the store that a name is inside of, if any."""
    before, inside, _member = name.partition(INSIDE)
    return before if inside and before.lower().endswith(_STORES) else None


def _list_members(path: str, column: str | None) -> list[str]:
    """List a store's pictures, under their names."""
    try:
        if path.lower().endswith(".parquet"):
            return [f"{path}{INSIDE}{row}" for row in range(_open_table(path, column)[0].metadata.num_rows)]
        if path.lower().endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                members = _number_members(archive.infolist(), "filename")
                found = [own for own, each in members if not each.is_dir() and _is_picture(each.filename)]
        else:
            with tarfile.open(path) as tape:
                found = [own for own, each in _number_members(tape, "name") if each.isfile() and _is_picture(each.name)]
    except (OSError, tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise DataError(path, f"cannot be read ({reason(error)})", "it may be cut off") from error
    return [f"{path}{INSIDE}{own}" for own in found]


def _is_picture(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES


def _number_members(members: Iterable[Any], name: str) -> Iterator[tuple[str, Any]]:
    """Yield a store's members with names of their own: one that was there before, as after an update, is numbered."""
    seen: Counter[str] = Counter()
    for each in members:
        called = getattr(each, name)
        seen[called] += 1
        yield called if seen[called] == 1 else f"{called}{AGAIN}{seen[called]}", each


def _stream(store: str, names: list[str], column: str | None) -> Iterator[tuple[str, Any]]:
    if store.lower().endswith(".parquet"):
        yield from _stream_rows(store, names, column)
    elif store.lower().endswith(".zip"):
        with zipfile.ZipFile(store) as archive:
            members = dict(_number_members(archive.infolist(), "filename"))
            for name in names:
                yield name, _read_member(archive, name, members.get(name.partition(INSIDE)[2]))
    else:
        left = names[::-1]
        with tarfile.open(store, "r|*") as tape:
            for own, each in _number_members(tape, "name"):
                if f"{store}{INSIDE}{own}" == left[-1]:
                    name = left.pop()
                    yield name, _read_bytes(name, tape.extractfile(each), each.size)
                    if not left:
                        break


def _read_member(archive: zipfile.ZipFile, name: str, member: zipfile.ZipInfo | None) -> bytes | LenetError:
    if member is None:
        return DataError(name, "is not there")
    try:
        with archive.open(member) as file:
            return _read_bytes(name, file, member.file_size)
    except (RuntimeError, zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:  # encrypted, or damaged
        return DataError(name, f"cannot be read ({reason(error)})")


def _read_bytes(name: str, file: IO[bytes] | None, size: int) -> bytes | LenetError:
    if file is None:
        return DataError(name, "is no file")
    if size > MOST_BYTES:
        return DataError(name, f"{size:,} bytes", f"at most {MOST_BYTES:,} are read")
    try:
        return file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        return DataError(name, f"cannot be read ({reason(error)})")


def _open_table(path: str, column: str | None) -> tuple[Any, str]:
    """Open a table; return it and the name of its column of bytes, which may be a field `bytes` of a column."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtra(path, "pyarrow", "parquet") from error
    try:
        table = pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error
    columns = []
    for each in table.schema_arrow:
        kind = each.type.field("bytes").type if pa.types.is_struct(each.type) and _has_bytes(each.type) else each.type
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            columns.append(each.name)
    if column in columns or (column is None and len(columns) == 1):
        return table, column or columns[0]
    told = f"columns of bytes: {', '.join(columns) or 'none'}"
    raise DataError(path, f"{told}", f"{column} is not one of them" if column else "choose one with --column")


def _has_bytes(kind: Any) -> bool:
    return any(each.name == "bytes" for each in kind)


def _stream_rows(store: str, names: list[str], column: str | None) -> Iterator[tuple[str, Any]]:
    table, chosen = _open_table(store, column)
    wanted = {int(name.partition(INSIDE)[2]) for name in names}
    row = 0
    for group in range(table.num_row_groups):
        rows = table.metadata.row_group(group).num_rows
        if wanted.isdisjoint(range(row, row + rows)):
            row += rows
            continue
        for batch in table.iter_batches(batch_size=_ROWS, row_groups=[group], columns=[chosen]):
            for value in batch.column(0):
                if row in wanted:
                    data = value.as_py()
                    data = data["bytes"] if isinstance(data, dict) else data
                    name = f"{store}{INSIDE}{row}"
                    yield name, data if data is not None else DataError(name, "has no bytes")
                row += 1
