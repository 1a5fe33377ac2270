"""`lenet.read_many`: whatever holds pictures, in order, a bad one as its error in place."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import lenet
from lenet.bulk import many
from looping import PYTHON

from conftest import ROOT
from held import prepare

EXAMPLES = ROOT / "examples"
ZIP = EXAMPLES / "zip.jpg"
CROP = np.asarray(Image.open(EXAMPLES / "pen.png").convert("L").resize((64, 64)))


def texts(pictures: Any, **options: Any) -> list[str]:
    """What each picture says, or what is wrong with it."""
    return [
        each.text if isinstance(each, lenet.Reading) else str(each) for each in lenet.read_many(pictures, **options)
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures, one of them damaged, and a file that is none."""
    inside = tmp_path / "scans"
    inside.mkdir()
    (inside / "a.jpg").write_bytes(ZIP.read_bytes())
    (inside / "b.png").write_bytes(b"no picture")
    (inside / "notes.txt").write_text("?")
    return inside


def test_a_folder_is_read_in_order_with_its_errors_in_place(folder: Path) -> None:
    """A reading and an error, both with the file's name; nothing is raised."""
    good, bad = lenet.read_many(folder)
    assert isinstance(good, lenet.Reading)
    assert (good.text, good.path) == ("90210", str(folder / "a.jpg"))
    assert isinstance(bad, lenet.PictureError)
    assert bad.kind == "unsupported"
    assert bad.path == str(folder / "b.png")
    assert str(bad) == f"{bad.path}: is not a picture in a known format; save it as PNG or JPEG"


def test_globs_archives_and_lists_of_them_are_read(folder: Path, tmp_path: Path) -> None:
    """As `lenet read` takes them on its command line."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(ZIP, "inside.jpg")
    with tarfile.open(tmp_path / "b.tar", "w") as tape:
        tape.add(ZIP, "inside.jpg")
    assert texts(str(folder / "*.jpg")) == ["90210"]
    found = list(lenet.read_many([tmp_path / "a.zip", folder / "a.jpg", tmp_path / "b.tar"]))
    assert [each.text for each in found if isinstance(each, lenet.Reading)] == ["90210"] * 3
    assert found[0].path == f"{tmp_path / 'a.zip'}::inside.jpg"


def test_a_column_of_parquet_is_read(tmp_path: Path) -> None:
    """By its name where there are several."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    table = pa.table({"scan": [ZIP.read_bytes()], "thumb": [b"small"]})
    pq.write_table(table, tmp_path / "scans.parquet")
    assert texts(tmp_path / "scans.parquet", column="scan") == ["90210"]


def test_a_generator_may_mix_all_that_read_takes(folder: Path) -> None:
    """Bytes, arrays, images, open files, folders; what is no picture is an error in its place."""

    def given() -> Iterator[Any]:
        yield ZIP.read_bytes()
        yield np.asarray(Image.open(ZIP))
        yield None
        yield Image.open(ZIP)
        yield io.BytesIO(ZIP.read_bytes())
        yield folder

    found = list(lenet.read_many(given()))
    assert [each.text for each in found if isinstance(each, lenet.Reading)] == ["90210"] * 5
    assert str(found[2]) == (
        "2: is None, not a picture; give a path, bytes, an open file, an array (H, W[, 1 to 4]) or a Pillow image"
    )
    assert [each.path for each in found] == ["0", "1", "2", str(ZIP), "4", str(folder / "a.jpg"), str(folder / "b.png")]


def test_a_stack_is_as_many_pictures_and_one_picture_is_one() -> None:
    """(N, H, W), (N, H, W, C); a picture (H, W) or (H, W, 3), its bytes, and a tensor (C, H, W) are one."""
    colours = np.asarray(Image.open(ZIP).convert("RGB"))
    for one in (ZIP.read_bytes(), colours, colours[..., 0], Image.open(ZIP), io.BytesIO(ZIP.read_bytes())):
        assert texts(one) == ["90210"]
    assert texts(np.stack([colours, colours])) == ["90210"] * 2
    assert texts(np.stack([colours[..., 1]] * 3)) == ["90210"] * 3
    assert list(lenet.read_many([])) == []
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(colours.copy()).permute(2, 0, 1)
    assert texts(tensor) == ["90210"]
    assert texts(torch.stack([tensor, tensor])) == ["90210"] * 2


def test_processes_read_what_one_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same readings in the same order, of a network that the caller holds; a bad one among them."""
    given = [CROP if number % 5 else b"bad" for number in range(20)]
    network = lenet.load("lenet5-reader")
    alone = list(lenet.read_many(given, model=network, workers=1))
    monkeypatch.setattr(many, "_LOOKED_FOR", 10)
    several = list(lenet.read_many(iter(given), model=network, workers=2))
    assert [str(each) for each in several] == [str(each) for each in alone]
    assert [each.path for each in several] == [str(number) for number in range(20)]
    glyphs = [
        each.digits[0].glyph for each in (alone[1], several[1]) if isinstance(each, lenet.Reading) and each.digits
    ]
    assert (glyphs[0] == glyphs[1]).all()


def test_pictures_are_drawn_from_a_generator_as_they_are_read() -> None:
    """A camera without end can be read: little is held, and closing ends it."""
    drawn = 0

    def frames() -> Iterator[np.ndarray[Any, Any]]:
        nonlocal drawn
        while True:
            drawn += 1
            yield CROP

    reading = lenet.read_many(frames(), workers=1)
    for _frame in range(3):
        assert isinstance(next(reading), lenet.Reading)
    assert drawn <= many._LOOKED_FOR + 3
    reading.close()  # type: ignore[attr-defined]


def test_progress_is_told(folder: Path) -> None:
    """How many are read, and of how many; None where nobody knows."""
    seen: list[tuple[int, int | None]] = []
    list(lenet.read_many(folder, progress=lambda done, total: seen.append((done, total))))
    list(lenet.read_many(iter([CROP]), progress=lambda done, total: seen.append((done, total))))
    list(lenet.read_many(CROP, progress=lambda done, total: seen.append((done, total))))
    list(lenet.read_many([CROP, folder / "a.jpg"], progress=lambda done, total: seen.append((done, total))))
    assert seen == [(1, 2), (2, 2), (1, None), (1, 1), (1, None), (2, None)]


def test_what_is_wrong_with_the_options_raises_at_once() -> None:
    """Before anything is drawn or read."""
    for options in ({"workers": 0}, {"pattern": "("}, {"best": -1}, {"digit": True, "choices": ["1"]}):
        with pytest.raises(lenet.UsageError):
            lenet.read_many([ZIP], **options)  # type: ignore[arg-type]
    with pytest.raises(lenet.WeightsError):
        lenet.read_many([ZIP], model="nosuch")


def test_a_picture_that_takes_too_long_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By CPU seconds, in a process of its own; the others are read."""
    monkeypatch.setenv(*prepare(tmp_path).environment.popitem())
    found = list(lenet.read_many([PYTHON, CROP], timeout=1.0, workers=1))
    assert str(found[0]) == "0: took more than 1 CPU second to read; leave it out, or give a larger --timeout"
    assert isinstance(found[1], lenet.Reading)


def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    """Processes do not run the caller's program again: no `if __name__ == "__main__"`."""
    script = tmp_path / "count.py"
    script.write_text(
        "import lenet\nprint('once')\n"
        f"found = list(lenet.read_many([{str(EXAMPLES / 'pen.png')!r}] * 4, workers=2))\nprint(len(found))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.split() == ["once", "4"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_readings_make_a_data_frame(library: str, folder: Path) -> None:
    """A row for each picture, errors among them."""
    frames = pytest.importorskip(library)
    frame = frames.DataFrame([each.to_dict() for each in lenet.read_many(folder)])
    assert list(frame["path"]) == [str(folder / "a.jpg"), str(folder / "b.png")]
    assert next(iter(frame["text"])) == "90210"
    assert list(frame["error"])[1].endswith("save it as PNG or JPEG")
