"""A few cases of each target of tests/fuzz, so that the fuzzer itself works; `make fuzz` runs them by the hour."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

for module in ("fastapi", "pyarrow", "h5py", "torch", "onnx"):
    pytest.importorskip(module)

RUN = [sys.executable, str(ROOT / "tests" / "fuzz" / "run.py")]


def test_what_is_nearly_right_has_an_answer_or_one_line(tmp_path: Path) -> None:
    """A thousand cases over all targets, always the same ones."""
    out = tmp_path / "told.json"
    found = subprocess.run([*RUN, "--cases", "1000", "--json", str(out)], capture_output=True, text=True, check=False)
    told = json.loads(out.read_text())
    assert told["faults"] == []
    assert found.returncode == 0
    assert told["cases"] >= 1000
    assert len(told["targets"]) == 17


@pytest.mark.parametrize(
    ("target", "what"),
    [
        ("raises", "ZeroDivisionError"),
        ("says nothing", "no line"),
        ("hangs", "more than 1 seconds"),
        ("takes much", "more than a gigabyte"),
        ("dies", "the process ended with -9"),
    ],
)
def test_a_fault_is_found(target: str, what: str, tmp_path: Path) -> None:
    """A traceback, no line, a hang, a gigabyte, a process that ends: each is told, and the rest is run."""
    broken = tmp_path / "broken.py"
    broken.write_text(
        "import sys, os, time; sys.path.insert(0, sys.argv.pop(1))\n"
        "import run; from targets import Target; from lenet.errors import LenetError\n"
        "if sys.argv[2] == 'hangs': run.MOST_SECONDS, run.BUSY = 1, 1\n"
        "def fault(rng, folder):\n"
        "    if rng.random() > 0.05: return\n"
        "    name = sys.argv[2]\n"
        "    if name == 'raises': 1 / 0\n"
        "    if name == 'says nothing': error = LenetError('a', 'b'); error.args = ('a\\nb',); raise error\n"
        "    if name == 'hangs': time.sleep(5)\n"
        "    if name == 'takes much': b'x' * 1_100_000_000\n"
        "    if name == 'dies': os.kill(os.getpid(), 9)\n"
        "run.TARGETS = {sys.argv[2]: Target(sys.argv[2], 1, fault, lambda: None)}\n"
        "run.main()\n"
    )
    command = [sys.executable, str(broken), str(ROOT / "tests" / "fuzz"), "--target", target, "--cases", "50"]
    found = subprocess.run([*command, "--processes", "1"], capture_output=True, text=True, check=False)
    assert what in found.stderr
    assert found.returncode == 1
    assert found.stdout.splitlines()[-1].startswith("50 cases in ")
