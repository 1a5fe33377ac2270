"""docs/deploy.md: its commands and examples run as they stand, and its reports are of the shipped weights."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from lenet.cli import main
from lenet.network.weights import list_shipped, load_weights

from conftest import ROOT

for needed in ("onnxruntime", "torch", "huggingface_hub"):
    pytest.importorskip(needed)
TEXT = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The examples in a language."""
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the examples, where the first commands of the page have been run."""
    from lenet.data import dataset
    from lenet.errors import DataError

    try:
        dataset.load("mnist")
    except DataError as error:
        pytest.skip(f"needs MNIST: {error}")
    if not shutil.which("cc"):
        pytest.skip("needs a C compiler")
    folder = tmp_path_factory.mktemp("deploy")
    (folder / "examples").symlink_to(ROOT / "examples")
    for line in blocks("sh")[0].splitlines():
        _status, out, err = ours(line, folder)
        told = re.search(r": (\d+) answers differ \((\d+) of 10,000 test digits wrong there, (\d+) here\)", out)
        assert told, err
        # In floats no answer may differ; in 8 bits at most five right ones may be lost.
        differ, there, here = (int(count) for count in told.groups())
        assert there - here <= 5 if "--int8" in line else differ == 0
    return folder


def ours(line: str, folder: Path) -> tuple[int, str, str]:
    """Run a line of the page, `lenet` being this one; return status, stdout and stderr."""
    words = shlex.split(line)
    if words[0] != "lenet":
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr
    with chdir(folder), redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        with pytest.raises(SystemExit) as left:
            main(words[1:])
        return int(left.value.code or 0), out.getvalue(), err.getvalue()


def test_the_c_is_made_and_prints_its_vectors(place: Path) -> None:
    """For this machine always, for the chip where its tools are; the function of the page compiles and answers."""
    for line in blocks("sh")[1].splitlines():
        if "cortex-m" in line and not (shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm")):
            continue
        assert ours(line, place)[0] == 0
    (function,) = blocks("c")
    program = '#include <stdio.h>\n#include "digits.h"\nint main(void)\n{\n    int d;\n'
    program += '    for (d = 0; d < 10; d++)\n        printf("%d ", digit_of(digits[d]));\n    return 0;\n}\n'
    (place / "reader-c" / "page.c").write_text(function + program)
    flags = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"]
    command = ["cc", *flags, "-o", "page", "page.c", "lenet5_reader.c"]
    subprocess.run(command, cwd=place / "reader-c", check=True)
    said = subprocess.run([place / "reader-c" / "page"], capture_output=True, text=True, check=True).stdout
    assert said.split() == [str(digit) for digit in range(10)]


def test_the_python_examples_run(place: Path) -> None:
    """ONNX Runtime reads the digit that lenet reads; the Hub's folder and the exported program agree."""
    for example, words in zip(blocks("python"), ("0 0", "True"), strict=True):
        done = subprocess.run([sys.executable, "-c", example], cwd=place, capture_output=True, text=True, check=False)
        assert done.stdout.strip().endswith(words), done.stderr


def test_the_import_example_runs(place: Path) -> None:
    """A stranger's network of tanh and average pooling is taken over."""
    import torch
    from torch import nn

    layers = [
        nn.Conv2d(1, 6, 5, padding=2),
        nn.Conv2d(6, 16, 5),
        nn.Linear(400, 120),
        nn.Linear(120, 84),
        nn.Linear(84, 10),
    ]
    torch.save(nn.Sequential(*layers).state_dict(), place / "theirs.pt")
    assert ours(blocks("sh")[2].splitlines()[0], place)[0] == 0
    assert load_weights(place / "ours.safetensors").net.name == "lenet5"


def test_the_reports_are_of_the_shipped_weights() -> None:
    """A row and a report for every shipped network in every format, each with parity met."""
    for name in list_shipped():
        weights = load_weights(name)
        forms = ["onnx", "c", "pytorch", "c-int8"]
        assert TEXT.count(f"| `{name}` |") == len(forms)
        errors = weights.card["test"]["errors"]
        for form in forms:
            report = json.loads((ROOT / "docs" / "exports" / f"{name}-{form}.json").read_text(encoding="utf-8"))
            assert (report["net"], report["n"]) == (name, 10_000)
            if weights.net.says_characters:  # its errors are of characters
                errors = report["errors_here"]
            assert report["errors_here"] == errors
            assert report["errors"] - errors <= 5 if form == "c-int8" else report["answers_that_differ"] == 0
