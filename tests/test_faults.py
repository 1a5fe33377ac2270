"""What goes wrong around lenet: a clock that is set back, no home, signals at any moment, two of a thing at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import lenet
from lenet.network.weights import load_weights, save_weights

from conftest import ROOT

PICTURE = ROOT / "examples" / "zip.jpg"
LENET = [sys.executable, "-c", "from lenet.cli import main; main()"]


def test_no_time_is_taken_by_the_clock_on_the_wall() -> None:
    """A clock may be set back at any moment: what lasts is measured by one that only goes on."""
    told = [
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for file in sorted((ROOT / "src" / "lenet").rglob("*.py"))
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r"\btime\.time\(|datetime\.utcnow|\btime\.ctime\(", line)
    ]
    assert told == []


@pytest.mark.parametrize("home", [None, "/nonexistent", "/proc"])
def test_reading_needs_no_home(home: str | None, tmp_path: Path) -> None:
    """Nor a place to write to, but for what it was asked to write."""
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_CACHE_HOME")}
    environment |= {} if home is None else {"HOME": home}
    out = tmp_path / "out.csv"
    command = [*LENET, "read", str(PICTURE), "--out", str(out)]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "90210" in out.read_text()


SIGNALS = """
import signal
import numpy as np
import lenet

heard = []
network = lenet.load("lenet5-reader")
glyphs = np.random.default_rng(0).integers(0, 256, (3_000, 28, 28)).astype(np.uint8)
wanted, reading = network.scores(glyphs), lenet.read({picture!r})
signal.signal(signal.SIGALRM, lambda *_: heard.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
found = [network.scores(glyphs) for _turn in range(5)]
again = [lenet.read({picture!r}) for _turn in range(3)]
signal.setitimer(signal.ITIMER_REAL, 0)
signal.signal(signal.SIGALRM, signal.SIG_IGN)  # the last one may still be on its way
assert heard
assert all((each == wanted).all() for each in found)
assert [each.to_dict() for each in again] == [reading.to_dict()] * 3
"""


def test_signals_change_no_score() -> None:
    """A thousand a second, each heard by Python, while the engine runs and a picture is read.

    In a process of its own: OpenVINO, which other tests run, leaves a stack for signals behind that it has unmapped.
    """
    program = SIGNALS.format(picture=str(PICTURE))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_threads_read_as_one_does() -> None:
    """Eight at once, of one network and of several: each has the answer that it has alone."""
    pictures = [ROOT / "examples" / name for name in ("zip.jpg", "amount.jpg", "touching.jpg", "form.png")]
    wanted = [lenet.read(each).to_dict() for each in pictures]
    network = lenet.load("lenet5-reader")
    other = lenet.read(PICTURE, model=network).to_dict()
    wrong: list[str] = []

    def read(first: int) -> None:
        for turn in range(len(pictures)):
            place = (first + turn) % len(pictures)
            if lenet.read(pictures[place]).to_dict() != wanted[place]:
                wrong.append(pictures[place].name)
            if lenet.read(PICTURE, model=network).to_dict() != other:
                wrong.append("another network")

    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []


def test_two_that_write_one_file_leave_one_whole_file(tmp_path: Path) -> None:
    """Of two exports and of eight threads that save weights: the file is one of them, and nothing is left beside it."""
    out = tmp_path / "net.onnx"
    command = [*LENET, "export", "lenet5", "--format", "onnx", "--check", "examples", "-o", str(out)]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _n in range(2)]
    assert [each.communicate()[1] for each in both] == ["", ""]
    assert out.stat().st_size > 100_000
    weights = load_weights("lenet5")
    threads = [threading.Thread(target=save_weights, args=(tmp_path / "own.safetensors", weights)) for _n in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    again = load_weights(tmp_path / "own.safetensors").tensors
    assert all((again[name] == tensor).all() for name, tensor in weights.tensors.items())
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "net-wide.onnx",
        "net.onnx",
        "net.report.json",
        "own.safetensors",
    ]
