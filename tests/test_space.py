"""The page for a Space of the Hugging Face Hub: its app, with a stand-in for the library that draws the page."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import ROOT

SPACE = ROOT / "examples" / "space"


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The app, loaded as a Space loads it, where gradio keeps what it is given."""
    gradio: Any = ModuleType("gradio")
    for name in ("Image", "Textbox", "Checkbox", "Dataframe", "Interface"):
        setattr(gradio, name, SimpleNamespace)
    monkeypatch.setitem(sys.modules, "gradio", gradio)
    spec = importlib.util.spec_from_file_location("space_app", SPACE / "app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def picture_of(name: str) -> np.ndarray[Any, Any]:
    """An example as gradio gives it."""
    return np.asarray(Image.open(ROOT / "examples" / name).convert("RGB"))


def test_the_page_asks_what_the_app_takes(app: ModuleType) -> None:
    """Three things in, three out, by the function that reads."""
    assert app.page.fn is app.read_numbers
    assert (len(app.page.inputs), len(app.page.outputs)) == (3, 3)


def test_the_app_reads_numbers_and_tables(app: ModuleType) -> None:
    """A picture with boxes, its text, a row for each number; the cells of a page that are not empty."""
    drawn, said, rows = app.read_numbers(picture_of("two-lines.jpg"), "", False)
    assert (drawn.mode, said) == ("RGB", "1998\n2026")
    assert [(row[0], row[2]) for row in rows] == [("1998", "line 1"), ("2026", "line 2")]
    assert all(0.5 < float(row[1]) <= 1 for row in rows)
    _drawn, said, rows = app.read_numbers(picture_of("pages/class-list.jpg"), "", True)
    assert said.endswith("of them empty")
    assert len(rows) > 10
    assert rows[0][2].startswith("row 1, column ")


def test_the_app_says_why_it_reads_nothing(app: ModuleType) -> None:
    """No picture, one that is too large, a pattern that is none, a page without ink."""
    assert app.read_numbers(None, "", False)[1] == "Choose a picture first."
    assert "at most 12,000,000 pixels" in app.read_numbers(np.zeros((4_000, 4_000, 3), np.uint8), "", False)[1]
    _drawn, said, rows = app.read_numbers(picture_of("zip.jpg"), "(", False)
    assert "pattern" in said
    assert not rows
    assert app.read_numbers(picture_of("blank.jpg"), "", False)[1:] == ("blank", [])
