"""The notebooks in examples/notebooks run from their first cell to their last, in a folder with the examples."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lenet.training import own_numbers

from conftest import ROOT

NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))


def run_cells(notebook: Path) -> list[Any]:
    """Run all cells as a notebook does; return what each shows at its end, None for one that shows nothing."""
    names: dict[str, Any] = {}
    shown = []
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            body = ast.parse("".join(cell["source"])).body
            last = body.pop() if isinstance(body[-1], ast.Expr) else None
            exec(compile(ast.Module(body, []), notebook.name, "exec"), names)
            shown.append(
                None if last is None else eval(compile(ast.Expression(last.value), notebook.name, "eval"), names)
            )
    return shown


def test_there_are_four() -> None:
    """And none has outputs of somebody's machine."""
    assert len(NOTEBOOKS) == 4
    for notebook in NOTEBOOKS:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        assert cells[0]["cell_type"] == "markdown"
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


@pytest.mark.usefixtures("mnist")
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_a_notebook_runs(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an error, and what it shows is what its words say."""
    for example in (ROOT / "examples").glob("*.*g"):
        shutil.copy(example, tmp_path)
    shutil.copytree(ROOT / "examples" / "pages", tmp_path / "pages")
    monkeypatch.chdir(tmp_path)
    for name, value in {"_OLD": 12, "_COUNTED": 6, "_PASS": 24, "_RUNS": 2, "_LEAST_PASSES": 1}.items():
        monkeypatch.setattr(own_numbers, name, value)
    shown = run_cells(notebook)
    check = {
        "mnist_to_a_network": lambda: shown[0][0] < 500 and shown[3].text == "7",
        "a_class_list": lambda: len(shown[0].cells) > 20 and (tmp_path / "class-list.csv").stat().st_size > 500,
        "your_own_hand": lambda: shown[-1].text == "90210" and shown[1][0]["n"] == 4,
        "lenet5_layer_by_layer": lambda: shown[4][0] == "7" and shown[-1].width > 300,
    }
    assert check[notebook.stem]()
