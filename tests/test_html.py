"""`lenet export --format html`: its machine gives what the engine gives, and the page is alive without any server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import lenet
from lenet.arrays import Uint8
from lenet.engine import load
from lenet.errors import LenetError, MissingExtra, UsageError
from lenet.export import export
from lenet.export.page_machine import PageMachine, read_machine
from lenet.export.page_network import describe_network
from lenet.export.parity import ten_digits
from lenet.export.to_html import MODULES, bundle_modules, read_page
from lenet.network.inputs import to_input
from lenet.network.weights import list_shipped
from lenet.segmentation.candidates import find_digit
from test_page import CHROMIUM, GIVEN_UP, SIZES, THREE, address, api, browser  # noqa: F401 -- fixtures

from conftest import ROOT

pytest.importorskip("wasmtime")
ONE_DIGIT = sorted(name for name in list_shipped() if name != "lenet5-sweep")


@pytest.mark.parametrize("name", ONE_DIGIT)
def test_the_machine_gives_what_the_engine_gives(name: str) -> None:
    """Every value of every layer for ten digits, to 1e-5 of the largest of its layer."""
    network = load(name)
    machine = PageMachine(describe_network(network.weights))
    glyphs = ten_digits()
    found = np.stack([machine.run(glyph) for glyph in glyphs])
    at = 0
    for layer, values in network.activations(glyphs).items():
        flat = values.reshape(len(glyphs), -1)
        apart = np.abs(found[:, at : at + flat.shape[1]] - flat).max()
        assert apart <= 1e-5 * max(1.0, float(np.abs(flat).max())), layer
        at += flat.shape[1]
    assert at == found.shape[1]


def draw_pages(count: int) -> Iterator[Uint8]:
    """Yield drawings of one piece or two, thin and thick, dark and pale, on white, and some white on dark."""
    rng = np.random.default_rng(28)
    for number in range(count):
        height, width = (int(rng.integers(40, 300)) for _side in range(2))
        page = np.full((height, width), 255, np.uint8)
        for _stroke in range(int(rng.integers(1, 3))):
            turns = rng.normal(0, 1, (4, 2)) / np.arange(1, 5)[:, None]
            along = np.linspace(0, 1, 24)[:, None]
            path = sum(turn * np.cos(k * np.pi * along) for k, turn in enumerate(turns))
            path = path * min(height, width) / 7 + np.array([width, height]) / 2
            pen, grey = int(rng.integers(2, 2 + min(height, width) // 8)), int(rng.integers(0, 120))
            cv2.polylines(page, [np.rint(path * 16).astype(np.int32)], False, grey, pen, cv2.LINE_AA, 4)
        yield 255 - page if number % 7 == 0 else page


def test_a_drawing_becomes_the_readers_glyph() -> None:
    """Of 60 drawings the page and the reader make the same glyph, to two of 255 levels; of nothing, none."""
    machine = PageMachine(describe_network(load("lenet5").weights))
    same = 0
    for page in draw_pages(60):
        seen, drawn = find_digit(page).glyphs, machine.draw_glyph(page)
        if not len(seen):
            assert drawn is None
            continue
        assert drawn is not None
        same += int(np.abs(seen[0].astype(int) - drawn).max() <= 2)
    assert same >= 58
    assert machine.draw_glyph(np.full((50, 60), 255, np.uint8)) is None
    speck = np.full((50, 60), 255, np.uint8)
    speck[20:22, 30] = 0
    assert machine.draw_glyph(speck) is None


@pytest.mark.parametrize("name", ["lenet5-1998", "lenet5-modern", "lenet5"])
def test_the_machine_learns_by_the_slopes_of_its_loss(name: str) -> None:
    """The gradient of a wrong label's cross-entropy is PyTorch's, to 1e-4 of the largest slope of each tensor."""
    torch = pytest.importorskip("torch")
    weights = load(name).weights
    told = describe_network(weights)
    slopes = PageMachine(told).find_gradient(ten_digits()[4], 9)
    model = lenet.create_model(weights.net.name)
    model.load(weights.tensors)
    scores = model(torch.from_numpy(to_input(ten_digits()[4:5])))
    torch.nn.functional.cross_entropy(scores.reshape(1, -1), torch.tensor([9])).backward()
    theirs = dict(model.named_parameters())
    for layer in told.description["layers"]:
        for part, span in (("weight", "weights"), ("coefficient", "weights"), ("bias", "biases")):
            tensor = theirs.get(f"{layer['name'].lower()}.{part}")
            if tensor is None or span not in layer:
                continue
            wanted, found = tensor.grad.numpy().ravel(), slopes[slice(*layer[span])]
            if part == "weight" and layer["table"]:
                wanted = np.where(weights.tensors["c3.weight"].ravel() == 0, 0, wanted)
            assert np.abs(wanted - found).max() <= 1e-4 * np.abs(wanted).max(), (layer["name"], part)


def test_the_page_is_one_file_that_asks_for_nothing(tmp_path: Path) -> None:
    """Under 700 kB, no address in it; its report says what was compared; many weights have 8 bits."""
    out = tmp_path / "a" / "lenet.html"
    report = export("lenet5-1998", "html", out, check="examples")
    page = out.read_text(encoding="utf-8")
    assert len(page.encode()) == report["bytes"] < 700_000
    assert not re.search(r"(src|href)=\"(?!data:|#)|https?://(?!www\.w3\.org)|@import|url\(", page)
    assert (report["answers_that_differ"], report["n"]) == (0, 10)
    assert report["largest_difference_of_a_value"] < 1e-5
    assert json.loads(out.with_suffix(".report.json").read_text()) == report
    large = export("lenet5-wide", "html", tmp_path / "wide.html", check="examples")
    assert large["bytes"] < 700_000
    assert large["largest_difference_of_a_value"] is None


def test_what_makes_no_page_is_refused(tmp_path: Path) -> None:
    """One line: a network of lines, 8 bits that are asked for."""
    with pytest.raises(LenetError, match="--format html: .* reads lines; choose a network of digits"):
        export("lenet-line", "html", tmp_path / "x.html", check="examples")
    with pytest.raises(UsageError, match="--int8: goes with --format c, not html"):
        export("lenet5", "html", tmp_path / "x.html", int8=True)
    assert not list(tmp_path.iterdir())


def test_without_wasmtime_the_page_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A base install says which extra has what runs the page's machine, and writes nothing."""
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    with pytest.raises(MissingExtra, match=r"--format html: needs wasmtime.*lenet\[export\]"):
        export("lenet5", "html", tmp_path / "net.html", check="examples")
    assert list(tmp_path.iterdir()) == []


def test_modules_become_one_script() -> None:
    """No import is left, every module is in it behind what it imports, and no name stands twice."""
    script = bundle_modules()
    assert not re.search(r"^(import|export) ", script, re.MULTILINE)
    names = re.findall(r"^(?:async )?(?:const|let|function|class) (\w+)", script, re.MULTILINE)
    assert len(names) == len(set(names)) > 30
    assert {f"{name}.js" for name in MODULES} == {
        each.name for each in (files("lenet") / "assets" / "page").iterdir() if each.name.endswith(".js")
    }
    for number, name in enumerate(MODULES):
        imported = re.findall(r'from "\./(\w+)\.js"', read_page(f"{name}.js"))
        assert set(imported) <= set(MODULES[:number])


def test_the_digits_of_the_page_are_those_of_the_script(tmp_path: Path) -> None:
    """Drawn anew they are the same file."""
    out = tmp_path / "digits.json"
    subprocess.run([sys.executable, str(ROOT / "docs" / "make_page_digits.py"), str(out)], check=True)
    assert out.read_text() == read_page("digits.json")


def test_the_machine_is_what_its_sources_make() -> None:
    """Byte for byte where the compiler is installed; the script says so where it is not."""
    said = subprocess.run(
        [ROOT / ".ci" / "wasm", "--check", sys.executable], capture_output=True, text=True, check=True
    )
    for machine in ("machine.wasm", "machine-simd.wasm"):
        assert f"{machine} is what its sources make" in said.stdout or "not installed" in said.stdout


@pytest.mark.parametrize("name", ONE_DIGIT)
def test_with_simd_and_without_the_machine_gives_the_same(name: str) -> None:
    """To the bit: of every layer's values, and of the slopes that it learns by."""
    told = describe_network(load(name).weights)
    plain, simd = PageMachine(told, simd=False), PageMachine(told)
    assert read_machine(simd=True) != read_machine(simd=False)
    for label, glyph in enumerate(ten_digits()):
        assert plain.run(glyph).tobytes() == simd.run(glyph).tobytes()
        assert plain.find_gradient(glyph, label).tobytes() == simd.find_gradient(glyph, label).tobytes()


def test_of_94_answers_the_ten_likeliest_are_shown(browser: Any, tmp_path: Path) -> None:  # noqa: F811
    """A 2, and what is written like it, with the codes; all the others are hidden, and what it learns are digits."""
    if not CHROMIUM:
        pytest.skip("needs a browser: apt-get install chromium")
    export("lenet5-ascii", "html", tmp_path / "ascii.html", check="examples")
    page = browser.new_page(viewport=SIZES["desktop"]["viewport"])
    page.goto((tmp_path / "ascii.html").as_uri())
    page.wait_for_function("document.body.dataset.ready === 'true'")
    shown = page.locator(".answers li:visible")
    assert shown.count() == 10
    signs = page.evaluate(
        "[...document.querySelectorAll('.answers li:not([hidden])')].sort((a, b) => a.style.order - b.style.order)"
        ".map((each) => each.querySelector('b').textContent)"
    )
    assert signs[0] == page.locator("#answer").inner_text() == "2"
    assert {"Z", "z"} <= set(signs[:4])
    assert "8,602 characters of writers that it never saw" in page.locator("#about").inner_text()
    assert page.evaluate("lenet.digits.every(each => lenet.machine.network.labels[each.target] === String(each.label))")
    page.close()
