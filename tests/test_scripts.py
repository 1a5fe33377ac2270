"""The scripts in examples/scripts: each is short, and does what its first line says."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from test_own_numbers import (
    small,  # noqa: F401 -- a fixture
    write_folder,
)

from conftest import ROOT

SCRIPTS = ROOT / "examples" / "scripts"
EXAMPLES = ROOT / "examples"


def run_script(name: str, *arguments: object) -> str:
    """What a script prints; it must end well."""
    command = [sys.executable, str(SCRIPTS / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.py")), ids=lambda path: str(path.stem))
def test_a_script_is_short_and_says_how_it_is_run(script: Path) -> None:
    """Under 15 lines, its own name in its first one."""
    lines = script.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 15
    assert script.stem in lines[0]


def test_there_are_ten() -> None:
    """No more to keep than people ask for."""
    assert len(list(SCRIPTS.glob("*.py"))) == 10


def test_a_folder_becomes_a_frame(tmp_path: Path) -> None:
    """A row for each picture."""
    (tmp_path / "a.jpg").write_bytes((EXAMPLES / "zip.jpg").read_bytes())
    assert re.search(r"a.jpg +90210 +0\.9", run_script("folder_to_frame.py", tmp_path))


def test_crops_of_opencv_are_read() -> None:
    """The two halves of a page."""
    assert [line.split()[0] for line in run_script("opencv_crops.py", EXAMPLES / "two-lines.jpg").splitlines()] == [
        "1998",
        "2026",
    ]


def test_frames_of_a_camera_are_read(tmp_path: Path) -> None:
    """Of a video whose first frames are blank."""
    number = cv2.imread(str(EXAMPLES / "zip.jpg"))
    blank = cv2.imread(str(EXAMPLES / "blank.jpg"))
    size = number.shape[1] // 2 * 2, number.shape[0] // 2 * 2
    video = cv2.VideoWriter(str(tmp_path / "film.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, size)
    for frame in (blank, blank, number, number):
        video.write(cv2.resize(frame, size))
    video.release()
    assert run_script("camera_frames.py", tmp_path / "film.avi").strip() == "90210"


def test_a_page_is_a_table() -> None:
    """With its sums."""
    said = run_script("table_of_page.py", EXAMPLES / "pages" / "log-sheet.jpg")
    assert "\t43\t1140\t43\n" in said
    assert said.endswith("sums hold: True\n")


@pytest.mark.usefixtures("mnist", "small")
def test_own_numbers_are_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And read with what was learned; here in one process, in a run of seconds."""
    script = SCRIPTS / "own_numbers.py"
    given = [script, write_folder(tmp_path / "mine"), EXAMPLES / "zip.jpg", tmp_path / "run"]
    monkeypatch.setattr(sys, "argv", list(map(str, given)))
    runpy.run_path(str(script))
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("0 wrong before, ")
    assert said[1] == "90210"


def test_answers_are_withheld_where_too_many_are_wrong() -> None:
    """What is asked for decides."""
    pictures = [EXAMPLES / name for name in ("zip.jpg", "amount.jpg", "touching.jpg")]
    first, second = run_script("answers_that_hold.py", *pictures).splitlines()
    assert first.startswith("3 of 3 answered: 90210")
    assert int(second[0]) < 3


def test_onnx_runtime_says_what_lenet_says() -> None:
    """Of the same glyph."""
    assert run_script("onnx_elsewhere.py", EXAMPLES / "pen.png") == "ONNX Runtime: 7  lenet: 7\n"


def test_f6_is_near_its_code() -> None:
    """A 7's is the nearest by far."""
    assert run_script("codes_of_1998.py", EXAMPLES / "pen.png").startswith("7: squared distance ")


def test_scikit_learn_trains_it() -> None:
    """Three folds, all far from chance."""
    scores = [float(each) for each in re.findall(r"0\.\d+", run_script("sklearn_pipeline.py"))]
    assert len(scores) == 3
    assert min(scores) > 0.7


def test_an_upload_is_read() -> None:
    """And what is no picture is 422, with the reason."""
    program = (
        f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); import web_upload\n"
        "from fastapi.testclient import TestClient\n"
        "client = TestClient(web_upload.app)\n"
        f"good = client.post('/number', files={{'file': open({str(EXAMPLES / 'zip.jpg')!r}, 'rb')}})\n"
        "bad = client.post('/number', files={'file': b'nothing'})\n"
        "print(good.json()['text'], bad.status_code, bad.json()['detail'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("90210 422 ")
    assert "is not a picture in a known format" in done.stdout
