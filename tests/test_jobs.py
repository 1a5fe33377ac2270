"""Many pictures: inside archives and tables, interrupted and gone on with, held no more of than are being read."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import tarfile
import threading
import warnings
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lenet.bulk import cpu_limit, jobs
from lenet.bulk.inputs import list_pictures, open_pictures
from lenet.bulk.jobs import read_all, read_in_processes
from lenet.cli.reading_job import read_pictures
from lenet.cli.table import table
from lenet.errors import DataError, LenetError, MissingExtra, PictureError
from lenet.native.dispatch import count_cores
from lenet.network.spec import DEFAULT
from lenet.reader import ReadOptions
from test_cli import run

from conftest import ROOT
from held import POISON, prepare

EXAMPLES = ROOT / "examples"
# What a job without options writes of itself into its file.
JOB = {
    "model": DEFAULT,
    "method": "both",
    "column": None,
    "digit": False,
    "pattern": None,
    "best": 0,
    "max_error": None,
    "sweep": False,
    "choices": None,
}


def stores(folder: Path) -> dict[str, list[str]]:
    """A zip, a compressed tar and a table with two pictures each and what is none; and what their pictures say."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    members = {"b/form.png": "form.png", "a/zip.jpg": "zip.jpg", "notes.txt": "make_pictures.py"}
    with (
        zipfile.ZipFile(folder / "pictures.zip", "w") as archive,
        tarfile.open(folder / "pictures.tar.gz", "w:gz") as tape,
    ):
        for name, source in members.items():
            archive.write(EXAMPLES / source, name)
            tape.add(EXAMPLES / source, name)
    rows = [{"bytes": (EXAMPLES / source).read_bytes(), "path": name} for name, source in members.items()]
    table = pa.Table.from_pylist([{"image": row, "id": 1} for row in rows])
    parquet.write_table(table, folder / "pictures.parquet", row_group_size=1)
    texts = ["4736", "90210"]
    return {"pictures.zip": texts, "pictures.tar.gz": texts, "pictures.parquet": [*texts, "error"]}


def test_pictures_are_read_inside_archives_and_tables(tmp_path: Path) -> None:
    """Named by their store and their place in it, in its order; what is no picture there has its line."""
    for store, texts in stores(tmp_path).items():
        names = list_pictures([str(tmp_path / store)])
        answers = list(read_all(open_pictures(names), len(names), DEFAULT, ReadOptions()))
        assert [answer.path for answer in answers] == names
        assert all(name.startswith(f"{tmp_path / store}::") for name in names)
        assert [answer.reading.text if answer.reading else "error" for answer in answers] == texts


def test_the_last_pictures_of_a_store_are_found_alone(tmp_path: Path) -> None:
    """As a part of a job asks for them: what lies before is passed over."""
    for store in stores(tmp_path):
        names = list_pictures([str(tmp_path / store)])
        assert list(open_pictures(names[-1:])) == list(open_pictures(names))[-1:]
        assert list(open_pictures(names[:1])) == list(open_pictures(names))[:1]


def test_a_store_may_have_a_name_twice(tmp_path: Path) -> None:
    """As after an update: both are there, each under a name of its own, also when they are asked for alone."""
    versions = [("a.png", "form.png"), ("b.png", "form.png"), ("a.png", "zip.jpg"), ("c##2.png", "form.png")]
    with (
        zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive,
        tarfile.open(tmp_path / "twice.tar", "w") as tape,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # zipfile says so too
        for name, source in versions:
            archive.write(EXAMPLES / source, name)
            tape.add(EXAMPLES / source, name)
    for store in ("twice.zip", "twice.tar"):
        names = list_pictures([str(tmp_path / store)])
        assert [name.partition("::")[2] for name in names] == ["a.png", "b.png", "a.png##2", "c##2.png"]
        for name, (_name, source) in zip(names, versions, strict=True):
            assert list(open_pictures([name])) == [(name, (EXAMPLES / source).read_bytes())]


def problem(path: str, column: str | None = None) -> str:
    """Return what is wrong with a path that holds no pictures."""
    assert list_pictures([path], column) == [path]
    ((_name, found),) = open_pictures([path], column)
    assert isinstance(found, LenetError)
    return str(found)


def test_damaged_stores_give_one_clear_line(tmp_path: Path) -> None:
    """Cut off, empty, of another kind, a table without pictures or with two columns of them."""
    stores(tmp_path)
    for name in ("pictures.zip", "pictures.tar.gz", "pictures.parquet"):
        for length in (0, 30, 100):
            file = tmp_path / f"cut-{name}"
            file.write_bytes((tmp_path / name).read_bytes()[:length])
            assert "\n" not in problem(str(file))
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    two = pa.Table.from_pylist([{"a": b"x", "b": b"y", "c": 1}])
    parquet.write_table(two, tmp_path / "two.parquet")
    assert "columns of bytes: a, b; choose one with --column" in problem(str(tmp_path / "two.parquet"))
    assert list_pictures([str(tmp_path / "two.parquet")], "b") == [f"{tmp_path / 'two.parquet'}::0"]
    assert "c is not one of them" in problem(str(tmp_path / "two.parquet"), "c")
    (tmp_path / "folder").mkdir()
    assert "holds no pictures" in problem(str(tmp_path / "folder"))
    assert "an empty name is no picture" in problem("")


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_an_interrupted_job_goes_on_where_it_stopped(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed in the middle of a line: with --resume every picture has its answer once, as if nothing had happened."""
    files = [str(EXAMPLES / name) for name in ("zip.jpg", "form.png", "touching.jpg", "missing.png", "blank.jpg")]
    whole, out = tmp_path / f"whole{ending}", tmp_path / f"out{ending}"
    run(capsys, "read", *files, "--out", str(whole))
    names = [json.loads(line)["path"] for line in run(capsys, "read", *files, "--json")[1].splitlines()]
    assert names == files
    lines = [json.dumps({"job": JOB}), *run(capsys, "read", *files[:2], "--json")[1].splitlines()]
    part = tmp_path / f"out{ending}.part"
    part.write_text("\n".join(lines) + '\n{"path": "half a li')
    status, _out, err = run(capsys, "read", *files, "--out", str(out))
    assert (status, err.count("an interrupted job; --resume goes on with it; or delete it")) == (1, 1)
    status, _out, err = run(capsys, "read", *files, "--digit", "--out", str(out), "--resume")
    assert (status, err.count("was begun with other options")) == (1, 1)
    status, _out, err = run(capsys, "read", *files[1:], "--out", str(out), "--resume")
    assert (status, err.count("picture 1 is another one")) == (1, 1)
    run(capsys, "read", *files, "--out", str(out), "--resume")
    assert out.read_bytes() == whole.read_bytes()
    assert not part.exists()


def test_a_bad_store_stops_no_other_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has its line and its row; the others are read."""
    bad, out = str(tmp_path / "bad.zip"), tmp_path / "out.jsonl"
    Path(bad).write_bytes(b"no archive")
    status, _out, err = run(capsys, "read", bad, str(EXAMPLES / "zip.jpg"), "--out", str(out))
    assert (status, err.count("\n"), "bad.zip: cannot be read" in err) == (1, 1, True)
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row.get("text") for row in rows] == [None, "90210"]


def test_a_finished_job_is_not_thrown_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--resume of another job leaves its table as it is; --resume alone is no command."""
    out = tmp_path / "out.csv"
    assert run(capsys, "read", str(EXAMPLES / "zip.jpg"), "--out", str(out))[0] == 0
    table = out.read_text(encoding="utf-8")
    status, _out, err = run(capsys, "read", str(EXAMPLES / "form.png"), "--out", str(out), "--resume")
    assert (status, err.count("out.csv: is finished; give --overwrite in place of --resume to read again")) == (1, 1)
    assert out.read_text(encoding="utf-8") == table
    assert run(capsys, "read", str(EXAMPLES / "zip.jpg"), "--resume")[0] == 2


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_a_file_that_is_there_is_replaced_only_on_demand(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status 2 without --overwrite; with it the old answers stay until the new ones are whole, also after Ctrl-C."""
    from lenet.bulk import jobs

    out, (first, second) = tmp_path / f"out{ending}", [str(EXAMPLES / name) for name in ("zip.jpg", "form.png")]
    assert run(capsys, "read", first, "--out", str(out))[0] == 0
    old = out.read_bytes()
    status, _out, err = run(capsys, "read", second, "--out", str(out))
    line = f"--out {out}: is there already; give --overwrite to replace it, or choose another file\n"
    assert (status, err, out.read_bytes()) == (2, line, old)

    def interrupted(source: str, *_more: object) -> object:
        if source == first:
            raise KeyboardInterrupt
        return real(source, *_more)  # type: ignore[arg-type]

    real = jobs.read
    with monkeypatch.context() as changed:
        changed.setattr(jobs, "read", interrupted)
        assert run(capsys, "read", second, first, "--out", str(out), "--overwrite")[0] == 130
    assert out.read_bytes() == old
    assert run(capsys, "read", second, first, "--out", str(out), "--overwrite", "--resume")[0] == 0
    assert not (tmp_path / f"out{ending}.part").exists()
    run(capsys, "read", second, first, "--out", str(tmp_path / f"whole{ending}"))
    assert out.read_bytes() == (tmp_path / f"whole{ending}").read_bytes() != old
    assert run(capsys, "read", first, "--out", str(out), "--overwrite")[0] == 0
    assert out.read_bytes() == old


def test_a_folder_is_no_file_for_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said before anything is read, also with --overwrite; which alone replaces nothing."""
    status, _out, err = run(capsys, "read", "x.png", "--out", str(make_folder(tmp_path / "a.csv")), "--overwrite")
    assert (status, err) == (2, f"--out {tmp_path / 'a.csv'}: is a folder; give a file\n")
    status, _out, err = run(capsys, "read", "x.png", "--overwrite")
    assert (status, err) == (2, "--overwrite: replaces the file of --out; give --out\n")


def make_folder(path: Path) -> Path:
    """Make a folder."""
    path.mkdir()
    return path


def test_many_pictures_of_an_archive_are_opened_as_they_are_read(tmp_path: Path) -> None:
    """Never more than the readers have ahead of them are held, however many there are."""
    held = most = 0
    count = 64 * count_cores() + 100
    ok, packed = cv2.imencode(".png", np.pad(np.zeros((20, 4), np.uint8), 12, constant_values=255))
    assert ok
    data = packed.tobytes()

    def source() -> Iterator[tuple[str, bytes]]:
        nonlocal held, most
        for number in range(count):
            held += 1
            most = max(most, held)
            yield str(number), data

    for _answer in read_all(source(), count, DEFAULT, ReadOptions(digit=True)):
        held -= 1
    assert held == 0
    if count_cores() > 1:
        assert most <= 64 * count_cores() + 1


def test_a_store_that_changes_under_way_gives_one_clear_line(tmp_path: Path) -> None:
    """Listed, and then gone or cut off: each of its pictures has a line that names it."""
    for store in stores(tmp_path):
        names = list_pictures([str(tmp_path / store)])
        (tmp_path / store).write_bytes(b"")
        found = list(open_pictures(names))
        assert [name for name, _source in found] == names
        assert all(isinstance(source, LenetError) and store in str(source) for _name, source in found)


def test_a_poisoned_picture_has_its_line_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ends its process stops nothing: its process is replaced, and those that were with it are read."""
    monkeypatch.setenv(*prepare(tmp_path).environment.popitem())
    good = (EXAMPLES / "form.png").read_bytes()
    given: list[tuple[str, object]] = [(str(number), POISON if number in (3, 4, 40) else good) for number in range(50)]
    given[5] = "5", DataError("5", "has no bytes")
    given[6] = "6", 3.0  # what no reader knows
    answers = list(read_in_processes(2, given, DEFAULT, ReadOptions()))
    assert [answer.path for answer in answers] == [str(number) for number in range(50)]
    told = [answer.reading.text if answer.reading else answer.error for answer in answers]
    expected = ["4736"] * 50
    expected[5] = "5: has no bytes"
    assert told[6]
    assert told[6].startswith("6: is a float, not a picture; give a path, bytes, ")
    expected[6] = told[6]
    for number in (3, 4, 40):
        expected[number] = f"{number}: reading it ended the process that read it"
    assert told == expected


def test_a_fault_of_ours_is_the_picture_s_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is raised on the way, the others are read."""

    def fail(*_given: object) -> object:
        raise RuntimeError("no luck\nat all")

    monkeypatch.setattr(jobs, "read", fail)
    answers = list(read_all([("a.png", b"")], 1, DEFAULT, ReadOptions()))
    assert [answer.error for answer in answers] == ["a.png: reading it failed (RuntimeError: no luck)"]


def test_a_job_that_fails_leaves_no_watch_behind(tmp_path: Path) -> None:
    """While the error is still held, the process hears its signals as before, and the thread that watched is gone."""
    heard, threads = signal.getsignal(cpu_limit._SIGNAL), threading.active_count()
    path = tmp_path / "no-such-kind-of.psd"
    for read_job in (partial(read_pictures, annotate=path), partial(table, annotate=path)):
        with pytest.raises(LenetError) as caught:
            read_job([str(EXAMPLES / "form.png")])
        assert "no-such-kind-of.psd" in str(caught.value)
        assert signal.getsignal(cpu_limit._SIGNAL) is heard
        assert threading.active_count() == threads


@pytest.mark.parametrize(
    "error", [DataError("a", "b", "c"), PictureError("a", "b", kind="empty"), MissingExtra("a", "b", "c")]
)
def test_errors_go_from_one_process_to_another(error: LenetError) -> None:
    """With their kind, their line and all else that they say."""
    came = pickle.loads(pickle.dumps(error))
    assert (type(came), str(came), vars(came)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_likeliest_texts_have_columns_of_their_own(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --best: of a picture of two lines the likeliest pairs, best first; a blank one has none."""
    pandas = pytest.importorskip("pandas")
    out = tmp_path / f"answers.{ending}"
    names = [str(EXAMPLES / name) for name in ("two-lines.jpg", "blank.jpg")]
    assert run(capsys, "read", *names, "--best", "2", "--out", str(out))[0] == 0
    frame = pandas.read_csv(out) if ending == "csv" else pandas.read_parquet(out)
    assert list(frame.columns[-4:]) == ["likeliest_1", "confidence_1", "likeliest_2", "confidence_2"]
    first = frame.iloc[0]
    assert first["likeliest_1"] == first["text"] == "1998\n2026"
    assert first["confidence_1"] == pytest.approx(first["confidence"])
    one, other = first["likeliest_2"].split("\n")
    assert (one == "1998") != (other == "2026")  # what is next differs in one line alone
    assert 0 < first["confidence_2"] < first["confidence_1"]
    assert frame.iloc[1][["likeliest_1", "confidence_2"]].isna().all()


@pytest.mark.skipif(os.name == "nt", reason="folders of another kind")
def test_a_folder_that_cannot_be_opened_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands behind the pictures, and opening it says why; a link that leads nowhere is no picture."""
    (tmp_path / "a" / "shut").mkdir(parents=True)
    shutil.copy(ROOT / "examples" / "pen.png", tmp_path / "a" / "pen.png")
    (tmp_path / "a" / "lost.png").symlink_to("nowhere.png")
    real = os.scandir

    def deny(path: Any = ".") -> Any:
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", deny)
    names = list_pictures([str(tmp_path)])
    assert [Path(name).name for name in names] == ["pen.png", "shut"]
    (_pen, (name, error)) = list(open_pictures(names))
    assert str(error) == f"{name}: cannot be read (permission denied)"
