"""The tuned numbers in front of the networks: each with its unit, role and source; the same in C++ and in docs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import get_args

import pytest

import lenet.preprocessing.parameters as before
import lenet.segmentation.parameters as behind
from lenet.tuned import Source, list_parameters

from conftest import ROOT

STAGES = {name: each for module in (before, behind) for name, each in vars(module).items() if name.isupper()}
# No more numbers were tried by hand or measured than this; those that follow from a shape or bound time are others.
MOST_TUNED, MOST = 140, 170


@pytest.mark.parametrize("name", STAGES)
def test_every_number_says_what_it_is(name: str) -> None:
    """Its unit, what it decides, and where it comes from; none can be changed by accident."""
    for field, _value, unit, role, source in list_parameters(STAGES[name]):
        assert unit
        assert len(role.split()) >= 2, field
        assert source in get_args(Source)
    with pytest.raises(FrozenInstanceError):
        STAGES[name].anything = 1


def test_there_are_not_more_than_can_be_known() -> None:
    """It takes a reason to add one."""
    sources = [source for stage in STAGES.values() for *_known, source in list_parameters(stage)]
    assert len(sources) <= MOST
    assert sum(source in ("tried", "MNIST") for source in sources) <= MOST_TUNED


def test_every_number_is_used() -> None:
    """In Python or in C++, by its name."""
    sources = [each for each in (ROOT / "src").rglob("*") if each.suffix in (".py", ".cpp", ".hpp")]
    text = "\n".join(each.read_text(encoding="utf-8") for each in sources)
    unused = [
        f"{name}.{field}"
        for name, stage in STAGES.items()
        for field, *_rest in list_parameters(stage)
        if not re.search(rf"\b{name}\.{field}\b|\bnumbers\.{field}\b", text)
    ]
    assert not unused


def test_no_stage_has_a_number_by_position() -> None:
    """Constants of several numbers at once, explained by their order, are what the sets are there to replace."""
    for folder in ("preprocessing", "segmentation"):
        for path in (ROOT / "src" / "lenet" / folder).glob("*.py"):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
                    assert len(node.targets[0].elts) <= 2 or "Params()" in ast.unparse(node), (
                        f"{path.name}: {ast.unparse(node)}"
                    )


def test_cpp_has_the_numbers_of_python(tmp_path: Path) -> None:
    """The build writes them from the sets, with nothing but the standard library."""
    out = tmp_path / "parameters.hpp"
    subprocess.run([sys.executable, "-S", str(ROOT / "cmake" / "write_parameters.py"), str(out)], check=True)
    header = out.read_text(encoding="utf-8")
    for name, stage in STAGES.items():
        assert f"inline constexpr {type(stage).__name__} {name};" in header
        body = header.split(f"struct {type(stage).__name__} {{")[1].split("}")[0]
        told = dict(re.findall(r"(?:int|double) (\w+) = ([^;]+);", body))
        assert {field: float(text) for field, text in told.items()} == {
            field: float(value) for field, value, *_rest in list_parameters(stage)
        }


def test_the_document_has_every_number() -> None:
    """docs/parameters.md is what the benchmark writes: the values are those of the code, each with what it is worth."""
    document = (ROOT / "docs" / "parameters.md").read_text(encoding="utf-8")
    for name, stage in STAGES.items():
        section = document.split(f"## {name}\n")[1].split("\n## ")[0]
        for field, value, unit, *_rest in list_parameters(stage):
            row = next(line for line in section.splitlines() if line.startswith(f"| `{field}` |"))
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            assert cells[1:3] == [f"{value:,}" if isinstance(value, int) else f"{value:.4g}", unit], field
            assert all(re.fullmatch(r"\d+( \([+-]\d+\))?", cell) for cell in cells[-2:]), field
