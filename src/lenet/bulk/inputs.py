"""Where pictures lie: files, their pages, members of archives, rows of a table; named alike, opened in order."""

from __future__ import annotations

import glob
import os
import tarfile
import zipfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from lenet.errors import DataError, LenetError, MissingExtra, PictureError, reason
from lenet.preprocessing.decode import SUFFIXES
from lenet.preprocessing.frames import FRAMED, PDF, count_pages, open_pages
from lenet.preprocessing.sources import MOST_BYTES

# Between a store's path and what lies in it: forms.zip::page/3.png, scans.parquet::17, and the page of scans.pdf::2.
INSIDE = "::"
# Between a member's name and its number, if the name was there before: a.png, then a.png##2.
AGAIN = "##"
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_STORES = (".zip", ".parquet", *_TARS)
# Files whose pages are pictures of their own, and what may lie among pictures without a word.
_PAGED, _BESIDE = (*FRAMED, PDF), frozenset(("labels.csv", "Thumbs.db", "desktop.ini"))
# Rows of a table that are held at once, and those that a table may have: a list of their names is kept.
_ROWS, _MOST_ROWS = 64, 10_000_000
# An archive or a table may unpack to so many bytes, and to so many times its own size more.
_LEAST_UNPACKED, _MOST_RATIO = 1_000_000_000, 200
# What describes the member of a tar archive behind it, such as a long name, and how long it may be, in bytes.
_DESCRIBING = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_MOST_DESCRIPTION = 1 << 20


def list_pictures(
    paths: Iterable[str], column: str | None = None, pass_over: Callable[[str], None] = lambda _line: None
) -> list[str]:
    """Return the names of the pictures that paths, folders (with all that is in them), globs and stores hold, in order.

    A file of several pages is as many pictures. `pass_over` is called with a line for each file of a folder that is
    none. Stores are .zip, .tar (also compressed) and .parquet files; of a table the `column` of bytes is taken, or the
    only one. What is not there is kept, and a glob that nothing matches, and a folder or a store without pictures:
    opening it says what is wrong, and the others are read. A store that is damaged is kept, behind those of its
    pictures that were found before the damage. Raises MissingExtra for Parquet without pyarrow.
    """
    found: list[str] = []
    for path in paths:
        try:
            folder = path not in ("-", "") and Path(path).is_dir()
            there = folder or path == "-" or Path(path).exists()
        except (OSError, ValueError):  # a name that is too long, or has a zero byte
            folder, there = False, True
        if folder:
            found += _list_folder(Path(path), pass_over) or [path]
        elif not there and glob.has_magic(path):
            matching = glob.glob(path, recursive=True)  # noqa: PTH207 - an absolute pattern is allowed
            found += list_pictures(sorted(matching), column, pass_over) or [path]
        elif there and _is_store(path):
            inside, problem = _list_members(path, column)
            found += [*inside, path] if problem or not inside else inside
        else:
            found += _list_pages(path) if there and path.lower().endswith(_PAGED) else [path]
    return found


def _list_folder(folder: Path, pass_over: Callable[[str], None]) -> list[str]:
    """Return the pictures in a folder; a line for each file that is none, hidden ones and labels left out.

    A folder in it that cannot be opened is returned as it is: opening it says what is wrong.
    """
    found: list[str] = []
    closed: list[OSError] = []
    files = [Path(place, name) for place, _folders, names in os.walk(folder, onerror=closed.append) for name in names]
    for file in sorted(each for each in files if not _is_missing(each)):
        if _is_picture(file.name) or file.suffix.lower() == PDF:
            try:
                found += _list_pages(str(file), strict=file.suffix.lower() == PDF)
            except LenetError as error:
                pass_over(f"{file}: passed over ({error.problem})")
        elif not file.name.startswith(".") and file.name not in _BESIDE:
            pass_over(f"{file}: passed over (not a picture in a known format)")
    return found + sorted(str(error.filename) for error in closed if error.filename)


def _is_missing(file: Path) -> bool:
    """Return whether there is no such file: a link that leads nowhere, a pipe."""
    try:
        return not file.is_file()
    except OSError:  # it is there, and may not be looked at
        return False


def _list_pages(path: str, *, strict: bool = False) -> list[str]:
    """Return a file's pages, or the file itself if it has one; one that cannot be opened is kept, unless `strict`."""
    if not path.lower().endswith(_PAGED):
        return [path]
    try:
        count = count_pages(path)
    except LenetError:
        if strict:
            raise
        return [path]
    one = count == 1 and not path.lower().endswith(PDF)
    return [path] if one else [f"{path}{INSIDE}{number}" for number in range(1, count + 1)]


def find_page(name: str) -> int | None:
    """Return which page of its file a picture is, from 1 on; None if it is no page."""
    before, _inside, page = name.rpartition(INSIDE)
    return int(page) if before.lower().endswith(_PAGED) and page.isdecimal() else None


def open_pictures(names: list[str], column: str | None = None, given: bytes = b"") -> Iterator[tuple[str, Any]]:
    """Yield (name, what is read): a path, a member's bytes, those `given` for "-", or what is wrong with a bad one.

    A store is opened once for all of its pictures, and streamed: one member or 64 rows at a time are held. Whatever is
    damaged there, each name has its turn. A page is a Pillow image.
    """
    for store, group in groupby(names, find_store):
        if store is None:
            for name in group:
                yield name, given if name == "-" else _check_alone(name, column)
        else:
            yield from _open_members(store, list(group), column)


def _open_members(store: str, names: list[str], column: str | None) -> Iterator[tuple[str, Any]]:
    left = deque(names)
    try:
        for name, source in _stream(store, names, column):
            left.popleft()
            yield name, source
        problem = DataError(store, "is not there any more", "it has changed")
    except MissingExtra:
        raise
    except DataError as error:
        problem = error
    except Exception as error:  # damaged, or changed since it was listed
        found = f"its archive cannot be read up to here ({_explain(error)})"
        problem = DataError(store, found, "it is damaged, or was changed")
    for name in left:
        yield name, problem


def _explain(error: Exception) -> str:
    """Return what is wrong in a store. Those who read archives raise nearly any exception when they are damaged."""
    return reason(error).split("\n", maxsplit=1)[0].rstrip(":")


def _check_alone(name: str, column: str | None) -> str | LenetError:
    """Return a picture's own name, or what is wrong with what holds no pictures."""
    try:
        return _find_problem(name, column) or name
    except PermissionError as error:
        return DataError(name, f"cannot be read ({reason(error)})")
    except LenetError as error:
        return error
    except (OSError, ValueError):
        return name


def _find_problem(name: str, column: str | None) -> LenetError | None:
    if _is_store(name):
        inside, problem = _list_members(name, column)
        return problem or DataError(name, "was damaged when it was listed" if inside else "holds no pictures")
    if not name:
        return DataError(name, "an empty name is no picture")
    if Path(name).is_dir():
        os.scandir(name).close()  # raises what is in the way
        return DataError(name, "holds no pictures")
    if name.lower().endswith(PDF) and Path(name).is_file() and count_pages(name) == 0:
        return PictureError(name, "holds no pages")
    return None


def _is_store(path: str) -> bool:
    return path.lower().endswith(_STORES) and Path(path).is_file()


def find_file(name: str) -> str:
    """Return the file that a picture is in, or is."""
    return find_store(name) or name


def find_store(name: str) -> str | None:
    """Return the store that a name is inside of, if any."""
    before, inside, _member = name.partition(INSIDE)
    return before if inside and before.lower().endswith((*_STORES, *_PAGED)) else None


def _list_members(path: str, column: str | None) -> tuple[list[str], DataError | None]:
    """List a store's pictures, under their names, and say what is damaged behind them, if anything is."""
    found: list[str] = []
    try:
        for own in _name_members(path, column):
            found.append(f"{path}{INSIDE}{own}")
    except DataError as error:
        return found, error
    except MissingExtra:
        raise
    except Exception as error:
        where = f" behind {found[-1].partition(INSIDE)[2]}" if found else ""
        return found, DataError(path, f"cannot be read{where} ({_explain(error)})", "it may be cut off")
    return found, None


def _name_members(path: str, column: str | None) -> Iterator[str]:
    """Yield what a store's pictures are called there, in its order."""
    if path.lower().endswith(".parquet"):
        yield from map(str, range(_open_table(path, column)[0].metadata.num_rows))
    elif path.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            for own, each in _number_members(archive.infolist(), "filename"):
                if not each.is_dir() and _is_picture(each.filename):
                    yield own
    else:
        with _Tape.open(path) as tape:
            for own, each in _number_members(tape, "name"):
                if each.isfile() and _is_picture(each.name):
                    yield own


def _find_most(path: str) -> int:
    """Return how many bytes an archive may unpack to in all: no pictures that are worth keeping shrink so far."""
    return _LEAST_UNPACKED + _MOST_RATIO * Path(path).stat().st_size


class _Member(tarfile.TarInfo):
    """A member of a tar archive. A damaged header would end the archive as if nothing were behind it: it is told.

    So is what would be unpacked without end, before it is: to get behind a member is to unpack it.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Member:
        """Return the member that a header describes. Raises ReadError for a name or a table of many megabytes."""
        found = super().frombuf(buf, encoding, errors)
        if found.type in _DESCRIBING and found.size > _MOST_DESCRIPTION:
            raise tarfile.ReadError(f"a member's description of {found.size:,} bytes")
        return found

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> _Member:
        """Return the next member. Raises ReadError for what is no member and no end."""
        try:
            found = super().fromtarfile(tarfile_)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(str(error)) from error
        if found.size < 0:  # the archive would go back, for ever
            raise tarfile.ReadError("a member of negative size")
        if isinstance(tarfile_, _Tape) and found.offset_data + found.size > tarfile_.most:
            raise tarfile.ReadError(f"it unpacks to more than {tarfile_.most:,} bytes")
        return found


class _Tape(tarfile.TarFile):
    """A tar archive, and how many bytes it may unpack to."""

    tarinfo = _Member

    @cached_property
    def most(self) -> int:
        """How many bytes at most."""
        return _find_most(str(self.name))


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
    elif store.lower().endswith(_PAGED):
        yield from zip(names, open_pages(store, [find_page(name) or 0 for name in names]), strict=True)
    elif store.lower().endswith(".zip"):
        left = _find_most(store)
        with zipfile.ZipFile(store) as archive:
            members = dict(_number_members(archive.infolist(), "filename"))
            for name in names:
                member = members.get(name.partition(INSIDE)[2])
                left -= member.file_size if member and member.file_size <= MOST_BYTES else 0
                if left < 0:
                    raise zipfile.BadZipFile(f"it unpacks to more than {_find_most(store):,} bytes")
                yield name, _read_member(archive, name, member)
    else:
        yield from _stream_tar(store, names)


def _read_member(archive: zipfile.ZipFile, name: str, member: zipfile.ZipInfo | None) -> bytes | LenetError:
    if member is None:
        return DataError(name, "is not there")
    try:
        with archive.open(member) as file:
            return _read_bytes(name, file, member.file_size)
    except Exception as error:  # encrypted, or damaged
        return DataError(name, f"cannot be read ({_explain(error)})")


def _stream_tar(store: str, names: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield a tape's members. What lies behind a damaged one is lost: DataError says so."""
    left = names[::-1]
    with _Tape.open(store) as tape:
        for own, each in _number_members(tape, "name"):
            if f"{store}{INSIDE}{own}" == left[-1]:
                name = left.pop()
                try:
                    found = _read_bytes(name, tape.extractfile(each), each.size)
                except Exception as error:
                    why = _explain(error)
                    yield name, DataError(name, f"cannot be read ({why})")
                    raise DataError(store, f"lies behind {own}, where the archive is damaged ({why})") from error
                yield name, found
                if not left:
                    break


def _read_bytes(name: str, file: IO[bytes] | None, size: int) -> bytes | LenetError:
    """Return a member's bytes, or what is wrong with it; what its archive's reader raises for damage is not caught."""
    if file is None:
        return DataError(name, "is no file")
    if size > MOST_BYTES:
        return DataError(name, f"{size:,} bytes", f"at most {MOST_BYTES:,} are read")
    return file.read(MOST_BYTES + 1)


def _open_table(path: str, column: str | None) -> tuple[Any, str]:
    """Open a table; return it and the name of its column of bytes, which may be a field `bytes` of a column."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtra(path, "pyarrow", "parquet") from error
    table = pq.ParquetFile(path)
    if table.metadata.num_rows > _MOST_ROWS:
        raise DataError(path, f"{table.metadata.num_rows:,} rows", f"at most {_MOST_ROWS:,} are read; split it")
    rows = sum(table.metadata.row_group(group).num_rows for group in range(table.num_row_groups))
    if rows != table.metadata.num_rows:
        raise DataError(path, f"{table.metadata.num_rows:,} rows, {rows:,} in its row groups", "it is damaged")
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
    wanted = deque(int(name.partition(INSIDE)[2]) for name in names)
    first = 0
    for group in range(table.num_row_groups):
        past = first + table.metadata.row_group(group).num_rows
        inside: deque[int] = deque()
        while wanted and wanted[0] < past:
            inside.append(wanted.popleft())
        if inside:
            batches = table.iter_batches(batch_size=_ROWS, row_groups=[group], columns=[chosen])
            for row, found in _stream_group(batches, first, inside):
                name = f"{store}{INSIDE}{row}"
                yield name, DataError(name, found) if isinstance(found, str) else found
        first = past


def _stream_group(batches: Iterable[Any], first: int, wanted: deque[int]) -> Iterator[tuple[int, bytes | str]]:
    """Yield the `wanted` rows of a row group, whose rows count from `first` on, with their bytes or what is wrong."""
    row = first
    try:
        for batch in batches:
            for value in batch.column(0):
                if wanted and row == wanted[0]:
                    data = value.as_py()
                    data = data["bytes"] if isinstance(data, dict) else data
                    yield wanted.popleft(), "has no bytes" if data is None else data
                row += 1
        problem = "is not there"
    except Exception as error:
        problem = f"its row group is damaged ({_explain(error)})"
    for row in wanted:
        yield row, problem
