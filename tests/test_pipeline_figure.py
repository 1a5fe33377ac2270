"""docs/pipeline.svg shows the way of a picture as the code has it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

from make_pipeline import FIGURE, NO_STAGE, caption, draw, read_order

from test_architecture import INSIDE, NAMES, WALK

from conftest import ROOT

NAME = re.compile(r'class="name" >([^<]+)<')


def test_the_figure_is_what_the_code_says() -> None:
    """`python docs/make_pipeline.py` would change nothing."""
    assert FIGURE.read_text(encoding="utf-8") == draw()
    ET.fromstring(draw())


def test_the_check_fails_when_the_figure_is_old(tmp_path: Path) -> None:
    """Exit status 0 as it is, 1 once a module's caption has changed, and nothing is written."""
    copy = tmp_path / "project"
    for file in [*(ROOT / "src" / "lenet").rglob("*.py"), *(ROOT / "docs").glob("*pipeline*")]:
        place = copy / file.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (copy / "tests").mkdir()
    held = (ROOT / "tests" / "test_architecture.py").read_text(encoding="utf-8")
    (copy / "tests" / "test_architecture.py").write_text(held, encoding="utf-8")
    command = [sys.executable, str(copy / "docs" / "make_pipeline.py"), "--check"]
    assert subprocess.run(command, check=False).returncode == 0
    module = copy / "src" / "lenet" / "segmentation" / "seams.py"
    module.write_text(module.read_text(encoding="utf-8").replace('"""', '"""New: ', 1), encoding="utf-8")
    assert subprocess.run(command, check=False).returncode == 1
    assert (copy / "docs" / "pipeline.svg").read_text(encoding="utf-8") == FIGURE.read_text(encoding="utf-8")


def test_packages_and_modules_are_those_of_the_architecture() -> None:
    """In the order of the walk and of the house, each with a caption; what is left out is there."""
    packages, inside = read_order()
    assert packages == [name for name in WALK if name != "network"]
    assert all(inside[package] == INSIDE[package] for package in packages)
    listed = [name for package in packages for name in INSIDE[package] if name not in NO_STAGE.get(package, ())]
    shown = NAME.findall(draw())
    assert shown == [name for name in listed if name in set(shown)]
    assert all(caption(f"{package}.{name}") for package in packages for name in INSIDE[package])
    assert {f"{package}.{name}" for package, names in NO_STAGE.items() for name in names} <= NAMES
