"""How a number was read, drawn: `lenet explain`, the sweep, and boxes on the picture."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageColor

import lenet
from lenet.bulk import inputs
from lenet.bulk.jobs import read_all
from lenet.drawing.pictures import ACCENT, GREY, annotate, describe_answer
from lenet.network.spec import DEFAULT
from lenet.reader import ReadOptions
from lenet.result import Digit, Line, Reading, RunnerUp, Sign, note_passed_over
from lenet.segmentation.candidates import find_candidates
from test_cli import run

from conftest import ROOT

pytestmark = pytest.mark.engine

EXAMPLES = ROOT / "examples"


def test_explain_draws_a_number(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The page, its pieces, every candidate and the path; one digit gets the layers."""
    out = tmp_path / "number.png"
    status, line, _err = run(capsys, "explain", str(EXAMPLES / "zip.jpg"), "-o", str(out))
    assert status == 0
    assert line.split("\t")[1] == "90210"
    with Image.open(out) as drawn:
        assert drawn.width == 1120
    candidates = len(find_candidates(EXAMPLES / "zip.jpg").lattice.arcs)
    assert candidates >= 5


def test_explain_leaves_out_no_candidate_of_a_long_number(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Every digit of the answer is framed, twelve of them too, whose columns do not stand side by side."""
    page = np.hstack([np.asarray(Image.open(EXAMPLES / "touching.jpg").convert("L"))] * 3)
    Image.fromarray(page).save(tmp_path / "long.png")
    out = tmp_path / "seen.png"
    _status, line, _err = run(capsys, "explain", str(tmp_path / "long.png"), "-o", str(out))
    assert "\t805380538053\t" in line
    framed = (np.asarray(Image.open(out).convert("RGB")) == (0xC2, 0x41, 0x0C)).all(axis=2).astype(np.uint8)
    _count, _labels, boxes, _ = cv2.connectedComponentsWithStats(framed)
    assert int((boxes[1:, :4:2].max(axis=1) >= 40).sum()) == 12


def test_explain_draws_the_sweep(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The upright line above its columns of scores, as wide as the line; weights without a blank are refused."""
    out = tmp_path / "sweep.png"
    status, line, _err = run(capsys, "explain", str(EXAMPLES / "touching.jpg"), "--method", "sweep", "-o", str(out))
    assert status == 0
    assert line.split("\t")[1] == "8053"
    with Image.open(out) as drawn:
        assert drawn.width > 4 * 4 * 20
    words = ["explain", str(EXAMPLES / "touching.jpg"), "--method", "sweep", "--model", "lenet5", "-o", str(out)]
    assert run(capsys, *words)[0] == 2


def test_annotate_has_a_confidence_for_narrow_digits(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A small picture is enlarged; a label stands above each box, and its confidence below."""
    page = np.pad(np.asarray(Image.open(EXAMPLES / "touching.jpg").convert("L")), 60, constant_values=240)
    Image.fromarray(page[::6, ::6]).save(tmp_path / "small.png")
    out = tmp_path / "seen.png"
    assert run(capsys, "read", str(tmp_path / "small.png"), "--annotate", str(out))[0] == 0
    drawn = np.asarray(Image.open(out).convert("RGB")).astype(int)
    accent = drawn[..., 0] > drawn[..., 2] + 60
    rows = np.flatnonzero(accent.any(axis=1))
    width = np.flatnonzero((drawn == (0xC2, 0x41, 0x0C)).all(axis=2).sum(axis=1) > 40)  # the boxes' tops and bottoms
    assert rows[0] < width[0] - 8
    assert rows[-1] > width[-1] + 6


def test_annotate_marks_boxes_and_cuts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Touching digits are cut between them: a cut lies between the boxes' middles, in its own colour."""
    out = tmp_path / "marked.png"
    assert run(capsys, "read", str(EXAMPLES / "touching.jpg"), "--annotate", str(out))[0] == 0
    candidates, reading = find_candidates(EXAMPLES / "touching.jpg"), lenet.read(EXAMPLES / "touching.jpg")
    first, last = reading.digits[0].box, reading.digits[-1].box
    assert any((first[0] + first[2]) / 2 < x < (last[0] + last[2]) / 2 for x, _y in candidates.cuts())
    with Image.open(out) as drawn:
        colours = {colour for _count, colour in drawn.convert("RGB").getcolors(1 << 24) or ()}
    assert {(0xC2, 0x41, 0x0C), (0x0E, 0x74, 0x90)} <= colours


def draw_alone(source: Path, out: Path, *, sliding_window: bool) -> None:
    """Draw a picture's answer on it, everything done for it anew."""
    from lenet.drawing.pictures import annotate, save_picture
    from lenet.preprocessing.decode import open_page

    reading = lenet.read(source, sliding_window=sliding_window, readers="cut")
    page = open_page(source)
    cuts = find_candidates(source).cuts() if len(reading.digits) > 1 and not sliding_window else ()
    save_picture(annotate(page.grey, reading, page.scale, cuts), out)


@pytest.mark.parametrize(("times", "method"), [(1, "cut"), (1, "sweep"), (12, "cut")])
def test_what_was_read_is_what_is_drawn_on(
    times: int, method: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process and in several: in order, each as if it were drawn alone; what cannot be read is not drawn."""
    names = ["touching.jpg", "zip.jpg", "make_pictures.py", "fax.tif"]
    with tarfile.open(tmp_path / "pictures.tar", "w") as tape:
        for number in range(times):
            for name in names:
                tape.add(EXAMPLES / name, f"{number}/{name}".replace(".py", ".png"))
    folder = tmp_path / "drawn"
    arguments = ("read", str(tmp_path / "pictures.tar"), "--method", method, "--annotate", str(folder))
    status, out, _err = run(capsys, *arguments)
    assert (status, out.count("\n")) == (1, 3 * times)
    stems = [f"{number + 1:04}-{Path(names[number % 4]).stem}.png" for number in range(4 * times) if number % 4 != 2]
    assert sorted(each.name for each in folder.iterdir()) == stems
    for number, stem in enumerate(stems):
        alone = tmp_path / f"{number % 3}.png"
        if number < 3:
            draw_alone(EXAMPLES / names[number + number // 2], alone, sliding_window=method == "sweep")
        same = (folder / stem).read_bytes() == alone.read_bytes()
        assert same, stem  # what differs would take minutes to say


def make_archive(file: Path, members: list[bytes]) -> None:
    """Write a zip or a tar archive of pictures."""
    if file.suffix == ".zip":
        with zipfile.ZipFile(file, "w") as archive:
            for number, data in enumerate(members):
                archive.writestr(f"{number}.png", data)
        return
    with tarfile.open(file, "w:gz" if file.suffix == ".gz" else "w") as tape:
        for number, data in enumerate(members):
            member = tarfile.TarInfo(f"{number}.png")
            member.size = len(data)
            tape.addfile(member, io.BytesIO(data))


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "zip"])
def test_drawing_opens_an_archive_once(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twice the members are twice the bytes that are read of it, and it is opened to list and to read, not to draw."""
    for count in (5, 10):
        make_archive(tmp_path / f"{count}.{ending}", [(EXAMPLES / "fax.tif").read_bytes()] * count)
    seen: list[int] = []

    class Counting(io.FileIO):
        def __init__(self, name: str, *_more: object) -> None:
            super().__init__(name)
            seen.append(0)

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            count = super().readinto(buffer) or 0
            seen[-1] += count
            return count

    with ExitStack() as files:

        def count_bytes(name: str) -> io.BufferedReader:
            return files.enter_context(io.BufferedReader(Counting(name)))

        open_tar, open_zip = inputs._Tape.open, zipfile.ZipFile
        with monkeypatch.context() as changed:
            changed.setattr(inputs._Tape, "open", lambda name: open_tar(name, fileobj=count_bytes(name)))
            changed.setattr(zipfile, "ZipFile", lambda name: open_zip(count_bytes(name)))
            read: list[int] = []
            for count in (5, 10):
                seen.clear()
                drawn = tmp_path / f"drawn-{count}"
                run(capsys, "read", "--digit", str(tmp_path / f"{count}.{ending}"), "--annotate", str(drawn))
                assert len(list(drawn.iterdir())) == count
                assert len(seen) == 2
                read.append(sum(seen))
            assert read[1] < 2.5 * read[0]


@pytest.mark.parametrize("times", [2, 60])
def test_a_drawing_that_cannot_be_written_ends_the_job_with_one_line(
    times: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever draws it, this process or another; the answers before it are printed."""
    (tmp_path / "drawn" / "0002-fax.png").mkdir(parents=True)
    status, out, err = run(capsys, "read", *[EXAMPLES / "fax.tif"] * times, "--annotate", str(tmp_path / "drawn"))
    assert (status, out.count("\n")) == (1, 2)
    assert err.startswith(f"{tmp_path / 'drawn' / '0002-fax.png'}: cannot be written (is a directory)")
    assert err.count("\n") == 1


def test_a_fault_of_the_drawing_is_a_line_that_names_the_picture() -> None:
    """No traceback, and not the fault of the one who read it: the reading is there."""

    def draw(*_given: object) -> None:
        raise ZeroDivisionError("no pen")

    (answer,) = read_all([("a", (EXAMPLES / "fax.tif").read_bytes())], 1, DEFAULT, ReadOptions(), draw=draw)
    assert answer.reading is not None
    assert str(answer.undrawn) == "a: drawing it failed (ZeroDivisionError: no pen)"


@pytest.mark.parametrize("name", ["long", "größer"])
def test_a_member_with_a_name_of_any_length_is_drawn(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its drawing has the beginning of the name, cut between letters, and the whole of one that is short enough."""
    long = name * (3_000 // len(name))
    with tarfile.open(tmp_path / "a.tar", "w") as tape:
        for member in (long, name):
            tape.add(EXAMPLES / "fax.tif", f"b/{member}.png")
    folder = tmp_path / "drawn"
    assert run(capsys, "read", str(tmp_path / "a.tar"), "--annotate", str(folder))[::2] == (0, "")
    first, second = sorted(each.name for each in folder.iterdir())
    assert second == f"0002-{name}.png"
    assert 190 <= len(os.fsencode(first)) <= 210
    assert long.startswith(first.removeprefix("0001-").removesuffix(".png"))


def test_what_is_drawn_has_its_colour_and_a_legend() -> None:
    """Signs and what was passed over beside digits; of digits alone the picture is as large as it was."""
    page = np.full((480, 480), 255, np.uint8)
    digit = Digit("7", 0.9, RunnerUp("1", 0.1), 0, (20, 40, 60, 90), np.zeros((28, 28), np.uint8))
    plain = Reading("7", "", 0.9, False, digits=(digit,))
    assert annotate(page, plain, 1.0).size == (480, 480)
    sign, steps = Sign("/", 0.9, 0, (80, 40, 100, 90)), tuple(note_passed_over([(150, 40, 190, 90)]))
    drawn = annotate(page, replace(plain, signs=(sign,), steps=steps), 1.0)
    assert drawn.size[1] > 480
    found = {colour for _count, colour in drawn.getcolors(1 << 24) or ()}
    assert {ImageColor.getrgb(name) for name in ("#c2410c", "#6d28d9", "#a16207")} <= found


def test_a_figure_shows_no_guess_as_an_answer() -> None:
    """A line that is withheld has a question mark, its digits' boxes are grey; without lines the state stands there."""
    lines = (Line("12", "", 0.9, False, (0, 0, 9, 9)), Line("", "7", 0.2, "uncertain", (0, 0, 9, 9)))
    assert describe_answer(Reading("12\n?", "", 0.9, False, lines)) == "12  7?"
    assert describe_answer(Reading("", "", 0.0, "blank")) == "blank"
    drawn = {}
    for answered in (True, False):
        digit = Digit("7", 0.9, RunnerUp("1", 0.1), 0, (20, 20, 60, 80), np.zeros((28, 28), np.uint8), answered)
        reading = Reading("7", "", 0.9, False, digits=(digit,))
        colours = annotate(np.full((100, 100), 255, np.uint8), reading, 1.0).getcolors(1 << 24)
        drawn[answered] = {colour for _count, colour in colours or ()}
    accent, grey = (ImageColor.getrgb(name) for name in (ACCENT, GREY))
    assert grey not in drawn[True]
    assert {accent, grey} & drawn[True] == {accent}
    assert grey in drawn[False]
