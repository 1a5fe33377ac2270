"""Damaged archives and tables: whatever happened to their bytes, each listed picture has an answer or an error."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lenet.bulk.inputs import list_pictures, open_pictures
from lenet.bulk.jobs import read_one_by_one
from lenet.engine import load
from lenet.errors import LenetError
from lenet.network.spec import DEFAULT
from lenet.reader import ReadOptions
from test_cli import run

COUNT = 4


@cache
def pictures() -> tuple[bytes, ...]:
    """Small pictures of a one, of some hundred bytes that hardly get smaller."""
    found = []
    for number in range(COUNT):
        page = np.random.default_rng(number).integers(235, 256, (40, 40)).astype(np.uint8)
        page[10:30, 15 + number : 19 + number] = 0
        file = io.BytesIO()
        Image.fromarray(page).save(file, "png")
        found.append(file.getvalue())
    return tuple(found)


def zipped(method: int) -> bytes:
    """The pictures in a zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for number, data in enumerate(pictures()):
            archive.writestr(f"{number}.png", data)
    return file.getvalue()


def taped(mode: str, **more: int) -> bytes:
    """The pictures in a tar archive, the third under a name that takes a header of its own."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, **more) as tape:  # type: ignore[call-overload]
        for number, data in enumerate(pictures()):
            member = tarfile.TarInfo(f"{'é' * 60 if number == 2 else ''}{number}.png")
            member.size = len(data)
            tape.addfile(member, io.BytesIO(data))
    return file.getvalue()


def tabled(compression: str) -> bytes:
    """The pictures in a table, two to a row group."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    file = io.BytesIO()
    table = pa.Table.from_pylist([{"image": data} for data in pictures()])
    parquet.write_table(table, file, row_group_size=2, compression=compression, use_dictionary=False)
    return file.getvalue()


STORES: dict[str, Callable[[], bytes]] = {
    "stored.zip": lambda: zipped(zipfile.ZIP_STORED),
    "deflated.zip": lambda: zipped(zipfile.ZIP_DEFLATED),
    "bzip2.zip": lambda: zipped(zipfile.ZIP_BZIP2),
    "lzma.zip": lambda: zipped(zipfile.ZIP_LZMA),
    "plain.tar": lambda: taped("w"),
    "a.tar.gz": lambda: taped("w:gz"),
    "a.tar.bz2": lambda: taped("w:bz2"),
    "a.tar.xz": lambda: taped("w:xz"),
    "plain.parquet": lambda: tabled("NONE"),
    "snappy.parquet": lambda: tabled("SNAPPY"),
}


@pytest.mark.parametrize("store", STORES)
@settings(max_examples=15)
@given(
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=4),
    kept=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_each_listed_picture_has_an_answer_or_an_error(store: str, flips: list[tuple[float, int]], kept: float) -> None:
    """In order, however a store's bytes were flipped and wherever it was cut off: what is unharmed is read."""
    data = bytearray(STORES[store]())
    for place, change in flips:
        data[int(place * len(data))] ^= change
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / store
        file.write_bytes(data[: int(kept * len(data))])
        names = list_pictures([str(file)])
        opened = list(open_pictures(names))
        answers = list(read_one_by_one(opened, load(DEFAULT), ReadOptions(digit=True)))
    assert names
    assert [answer.path for answer in answers] == names
    assert all((answer.reading is None) != (answer.error is None) for answer in answers)
    assert all(isinstance(source, bytes | LenetError) for _name, source in opened)
    for answer in answers:
        assert answer.error is None or (answer.error.startswith(answer.path) and "\n" not in answer.error)
    if not flips and kept == 1:
        assert [source for _name, source in opened] == list(pictures())


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_member_of_a_zip_archive_stops_no_other(
    method: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has its line and its row, status 1; all other members are read, and --resume finds the job finished."""
    whole, file, out = zipped(method), tmp_path / "a.zip", tmp_path / "out.jsonl"
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        member = archive.infolist()[1]
    at = member.header_offset + 30 + len(member.filename)
    file.write_bytes(whole[:at] + b"\xff" * 20 + whole[at + 20 :])
    status, _out, err = run(capsys, "read", "--digit", str(file), "--out", str(out))
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith(f"{file}::1.png: cannot be read (")
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(row["path"], row.get("text")) for row in rows] == [
        (f"{file}::{number}.png", None if number == 1 else "1") for number in range(COUNT)
    ]
    assert not (tmp_path / "out.jsonl.part").exists()


def test_of_a_damaged_tape_all_before_the_damage_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The archive has a line of its own behind them, which says where it breaks off."""
    file, whole = tmp_path / "a.tar.gz", taped("w:gz", compresslevel=0)
    file.write_bytes(whole[: whole.index(pictures()[2]) + 100])
    status, out, err = run(capsys, "read", "--digit", str(file), "--json")
    assert status == 1
    third, archive = err.splitlines()
    assert third.startswith(f"{file}::{'é' * 60}2.png: cannot be read (Compressed file ended before")
    assert archive.startswith(f"{file}: cannot be read behind {'é' * 60}2.png (Compressed file ended before")
    assert [json.loads(line).get("text") for line in out.splitlines()] == ["1", "1", None, None]


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_tape_that_breaks_off_says_so_for_each_member_behind(ending: str, tmp_path: Path) -> None:
    """Listed, and then cut off: what was before is read, each picture behind has its own line."""
    file, mode = tmp_path / f"a.{ending}", f"w:{ending[4:]}".rstrip(":")
    file.write_bytes(taped(mode))
    names = list_pictures([str(file)])
    whole = file.read_bytes()
    for length in range(0, len(whole), 97):
        file.write_bytes(whole[:length])
        found = list(open_pictures(names))
        assert [name for name, _source in found] == names
        read = [isinstance(source, bytes) for _name, source in found]
        assert read == sorted(read, reverse=True)
        assert [source for _name, source in found if isinstance(source, bytes)] == list(pictures()[: sum(read)])


def test_a_damaged_header_is_no_end_of_a_tape(tmp_path: Path) -> None:
    """The members behind it cannot be found: the archive has its line, and is not taken for a shorter one."""
    file, whole = tmp_path / "a.tar", taped("w")
    at = whole.index(b"1.png")
    file.write_bytes(whole[:at] + b"x" + whole[at + 1 :])
    first, behind = open_pictures(list_pictures([str(file)]))
    assert first == (f"{file}::0.png", pictures()[0])
    assert str(behind[1]) == f"{file}: cannot be read behind 0.png (bad checksum); it may be cut off"


def test_a_tape_that_goes_backwards_ends(tmp_path: Path) -> None:
    """A member of negative size would be found again and again."""
    member = tarfile.TarInfo("a.png")
    member.pax_headers = {"size": "-1536"}
    file, whole = tmp_path / "a.tar", taped("w")
    at = whole.index(b"1.png")
    file.write_bytes(whole[:at] + member.tobuf(tarfile.PAX_FORMAT) + whole[at:])
    _first, (_name, source) = open_pictures(list_pictures([str(file)]))
    assert str(source) == f"{file}: cannot be read behind 0.png (a member of negative size); it may be cut off"


def test_a_damaged_row_group_stops_no_other(tmp_path: Path) -> None:
    """Each of its rows has a line, also behind the damage; the rows of the other groups are read."""
    file, whole = tmp_path / "a.parquet", tabled("NONE")
    at = whole.index(pictures()[1]) - 4  # its length
    file.write_bytes(whole[:at] + b"\xff\xff\xff\x7f" + whole[at + 4 :])
    names = list_pictures([str(file)])
    found = list(open_pictures(names))
    assert [name for name, _source in found] == names == [f"{file}::{row}" for row in range(COUNT)]
    assert [isinstance(source, bytes) for _name, source in found] == [False, False, True, True]
    assert str(found[1][1]).startswith(f"{file}::1: its row group is damaged (")
