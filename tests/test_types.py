"""What users write against lenet's types is checked as they would check it: by mypy, strictly, and by Pyright."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

SCRIPTS = sorted((ROOT / "examples" / "scripts").glob("*.py"))
# Its classifiers are of scikit-learn, which has no types.
UNTYPED = "sklearn_pipeline"
WRONG = """import lenet
print(lenet.read("a.png").confidense)
for reading in lenet.read_many("folder"):
    print(reading.text)
"""


def check(checker: str, scripts: list[Path], folder: Path) -> tuple[int, str]:
    """Run a checker on scripts; return its exit status and what it says."""
    if checker == "mypy":
        command = [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "--follow-imports=silent"]
        command += map(str, scripts)
    else:
        told = {"include": list(map(str, scripts)), "typeCheckingMode": "standard", "pythonVersion": "3.11"}
        (folder / "pyrightconfig.json").write_text(json.dumps(told), encoding="utf-8")
        command = [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable, "-p", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_what_users_write_has_types(checker: str, tmp_path: Path) -> None:
    """All scripts of examples/scripts are right; what has no such attribute, or may be an error, is found."""
    typed = [script for script in SCRIPTS if script.stem != UNTYPED]
    assert len(typed) == 9
    status, said = check(checker, typed, tmp_path)
    assert (status, said) == (0, said)
    wrong = tmp_path / "wrong.py"
    wrong.write_text(WRONG, encoding="utf-8")
    status, said = check(checker, [wrong], tmp_path)
    assert status == 1
    assert '"confidense"' in said
    assert "LenetError" in said
    assert "2 errors" in said
