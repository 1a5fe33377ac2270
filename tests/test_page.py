"""The page in a real browser, at a desktop's and a phone's size: no other host is asked, no error logged."""

from __future__ import annotations

import csv
import io
import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lenet.data.labels import open_folder, read_labels
from lenet.drawing.review import ReviewParts, open_parts, write_review
from lenet.tables.result import Cell, PageTables, Table

from conftest import ROOT, served
from held import prepare

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
if not CHROMIUM and os.environ.get("LENET_REQUIRE_BROWSER"):
    pytest.fail("needs chromium", pytrace=False)
api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs a browser: apt-get install chromium")
SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1200, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "color_scheme": "dark"},
}
ON_A_DESK = pytest.mark.parametrize("visit", ["desktop"], indirect=True)
# Milliseconds after which the page is given up: far more than it takes on a machine that has other work.
GIVEN_UP = 200_000
# Strokes as shares of the pad.
THREE = [[(0.4, 0.22), (0.5, 0.15), (0.57, 0.28), (0.48, 0.45), (0.59, 0.62), (0.52, 0.82), (0.4, 0.76)]]
FORTY_SEVEN = [
    [(0.30, 0.20), (0.24, 0.55), (0.42, 0.55)],
    [(0.37, 0.35), (0.36, 0.85)],
    [(0.52, 0.20), (0.70, 0.20), (0.58, 0.85)],
]


@dataclass
class Visit:
    """A page, and what went wrong on it."""

    page: Any
    wrong: list[str] = field(default_factory=list)

    def draw(self, strokes: list[list[tuple[float, float]]]) -> None:
        """Draw with the mouse."""
        self.page.locator("body[data-shown]").wait_for()  # nobody draws on what is not there yet
        box = self.page.locator("#pad").bounding_box()
        for stroke in strokes:
            points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
            self.page.mouse.move(*points[0])
            self.page.mouse.down()
            for point in points[1:]:
                self.page.mouse.move(*point, steps=5)
            self.page.mouse.up()

    def says(self, text: str) -> None:
        """Wait until this is read, and nothing of it is being read anew."""
        api.expect(self.page.locator("#answer:not([aria-busy=true])")).to_have_text(text)

    def open(self, panel: str) -> None:
        """Open a panel."""
        self.page.locator(f"#{panel}-panel > summary").click()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless browser."""
    api.expect.set_options(timeout=GIVEN_UP)
    with api.sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, few_digits: Path) -> Iterator[str]:
    """A service of the page's own, which may train, on few digits."""
    folder = tmp_path_factory.mktemp("page")
    with served(folder, **prepare(folder).environment, LENET_DATA=str(few_digits)) as (found, _process):
        yield found


@pytest.fixture(params=SIZES)
def visit(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Visit]:
    """The page, just opened; in the end nothing must have gone wrong on it."""
    context = browser.new_context(**SIZES[request.param])
    context.set_default_timeout(GIVEN_UP)
    found = Visit(context.new_page())

    def at_home(route: Any) -> None:
        if route.request.url.startswith((address, "blob:", "data:", "file:")):
            route.continue_()
        else:
            found.wrong.append(f"asked for {route.request.url}")
            route.abort()

    context.route("**/*", at_home)
    found.page.on("console", lambda told: found.wrong.append(told.text) if told.type in ("error", "warning") else None)
    found.page.on("pageerror", lambda error: found.wrong.append(str(error)))
    found.page.goto(address)
    api.expect(found.page.locator("#model option").first).to_be_attached()
    api.expect(found.page.locator("#finetune")).to_be_attached()
    found.page.locator("body[data-shown]").wait_for()
    yield found
    assert found.wrong == []
    context.close()


def test_what_is_drawn_is_read_and_looked_into(visit: Visit) -> None:
    """A 3, then a 47: answer, tiles, candidates, every layer, a sum, the runner-up; nothing overflows."""
    page = visit.page
    visit.draw(THREE)
    visit.says("3")
    page.locator("#clear").click()
    visit.draw(FORTY_SEVEN)
    visit.says("47")
    api.expect(page.locator("#tiles .tile")).to_have_count(2)
    api.expect(page.locator("#overlay rect")).to_have_count(2)
    visit.open("graph")
    api.expect(page.locator("#graph td.chosen")).to_have_count(2)
    page.locator("#graph td.chosen").first.focus()
    api.expect(page.locator("#overlay .candidate")).to_have_count(1)
    page.locator("#tiles .tile").nth(1).click()
    api.expect(page.locator("#inside-of")).to_have_text("the 2nd digit, read as 7")
    page.locator("#layer-C3 canvas").scroll_into_view_if_needed()
    page.locator("#layer-C3 canvas").hover(position={"x": 3, "y": 3})
    api.expect(page.locator("#explained h2")).to_contain_text("C3, map 0")
    page.locator("#layer-C3 canvas").focus()
    page.keyboard.press("ArrowRight")
    api.expect(page.locator("#explained h2")).to_contain_text("column")
    visit.open("why")
    api.expect(page.locator("#why")).to_contain_text("smallest patch")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_a_file_is_dropped_and_a_network_is_chosen(visit: Visit) -> None:
    """A file is chosen, dropped, pasted; then a network of 1998, its codes beside F6; one that slides; then undo."""
    page = visit.page
    page.locator("#file").set_input_files(ROOT / "examples" / "amount.jpg")
    visit.says("12750")
    page.locator("#clear").click()
    data = (ROOT / "examples" / "fax.tif").read_bytes()
    transfer = page.evaluate_handle(
        "bytes => { const all = new DataTransfer();"
        " all.items.add(new File([new Uint8Array(bytes)], 'fax.tif', {type: 'image/tiff'})); return all; }",
        list(data),
    )
    page.locator("#drop").dispatch_event("drop", {"dataTransfer": transfer})
    visit.says("0")
    page.locator("#clear").click()
    png = page.evaluate_handle(
        "bytes => { const all = new DataTransfer();"
        " all.items.add(new File([new Uint8Array(bytes)], 'form.png', {type: 'image/png'})); return all; }",
        list((ROOT / "examples" / "form.png").read_bytes()),
    )
    page.evaluate("all => document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: all}))", png)
    visit.says("4736")
    page.locator("#clear").click()
    page.locator("#model").select_option("lenet5-1998")
    visit.draw(THREE)
    visit.says("3")
    api.expect(page.locator("#network .code")).to_have_count(10)
    page.locator("#model").select_option("lenet5-sweep")
    visit.says("3")
    page.locator("#undo").click()
    visit.says("")


@ON_A_DESK
def test_a_slider_moves_the_digit_and_its_curves(visit: Visit) -> None:
    """Turned by 60 degrees a 3 is less sure; as written it is again."""
    page = visit.page
    visit.draw(THREE)
    visit.says("3")
    visit.open("gallery")
    api.expect(page.locator("#gallery .curve polyline.is")).to_have_count(8)
    api.expect(page.locator("#bars span").first).to_have_text("3")
    api.expect(page.locator("#legend")).to_contain_text("Orange: 3.")
    before = page.locator("#bars span").nth(1).inner_text()
    page.locator("#change-noise").fill("40")
    api.expect(page.locator("#bars span").nth(1)).not_to_have_text(before)
    page.get_by_role("button", name="As written").click()
    api.expect(page.locator("#bars span").nth(1)).to_have_text(before)


@ON_A_DESK
def test_the_keyboard_draws(visit: Visit) -> None:
    """Arrows and space alone write a 1, and Ctrl+Z takes it back."""
    page = visit.page
    page.locator("#pad").focus()
    page.keyboard.press("Space")
    for _step in range(20):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    visit.says("1")
    page.keyboard.press("Control+z")
    visit.says("")


@ON_A_DESK
def test_corrections_are_kept_and_a_network_is_trained(visit: Visit, mnist: object) -> None:
    """Three corrections make fine-tuning possible; one pass is trained, seen and kept, and can be chosen."""
    page = visit.page
    visit.draw(THREE)
    visit.says("3")
    page.locator("#truth").select_option("3")
    visit.open("corrections")
    page.on("dialog", lambda asked: asked.accept())
    page.get_by_role("button", name="Forget them").evaluate("button => button.disabled || button.click()")
    api.expect(page.locator("#corrections-words")).to_contain_text("mark a digit")
    page.locator("#keep-correction").click()
    api.expect(page.locator("#corrections-words")).to_contain_text("1 corrected digits (3: 1)")
    page.locator("#truth").select_option("5")
    page.locator("#keep-correction").click()  # another opinion of the same digit
    api.expect(page.locator("#corrections-words")).to_contain_text("1 corrected digits (5: 1)")
    page.locator("#clear").click()
    visit.draw(FORTY_SEVEN)
    visit.says("47")
    for number, label in ((0, "4"), (1, "7")):
        page.locator("#tiles .tile").nth(number).click()
        page.locator("#truth").select_option(label)
        page.locator("#keep-correction").click()
        api.expect(page.locator("#kept .tile")).to_have_count(2 + number)
    page.locator("#kept .tile").last.click()  # taken back
    api.expect(page.locator("#corrections-words")).to_contain_text("2 corrected digits (4: 1, 7: 1)")
    page.locator("#clear").click()
    visit.draw(THREE)
    visit.says("3")
    page.locator("#truth").select_option("3")
    page.locator("#keep-correction").click()
    api.expect(page.locator("#corrections-words")).to_contain_text("3 corrected digits (3: 1, 4: 1, 7: 1)")
    visit.open("train")
    page.locator("#passes").fill("1")
    page.locator("#lesson-train").click()
    api.expect(page.locator("#lesson-words")).to_contain_text("of 500 test digits wrong after 1 passes")
    api.expect(page.locator("#lesson .filters canvas")).to_have_count(6)
    page.locator("#lesson-keep").click()
    api.expect(page.locator("#lesson-words")).to_contain_text("Kept as trained-")
    name = page.locator("#lesson-words").inner_text().split()[2].rstrip(";")
    page.locator("#model").select_option(name)
    visit.says("3")
    page.locator("#model").select_option("lenet5-reader")
    page.locator("#finetune").click()
    api.expect(page.locator("#lesson-words")).to_contain_text("wrong before")
    page.get_by_role("button", name="Throw away").click()


def test_nobody_is_kept_out_of_the_service(visit: Visit) -> None:
    """axe finds nothing on its page with a number drawn and all panels open."""
    page = visit.page
    visit.draw(FORTY_SEVEN)
    visit.says("47")
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    api.expect(page.locator("#changed")).to_be_attached()
    api.expect(page.locator("#mistakes-told")).not_to_be_empty()
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []
    visit.wrong[:] = [each for each in visit.wrong if "409" not in each]  # without MNIST there are no mistakes to show


def test_the_whole_network_is_on_the_first_screen(visit: Visit) -> None:
    """On a desk of 900 pixels' height: pad, answer, every layer and its name, with nothing to scroll."""
    if visit.page.viewport_size["width"] < 860:
        pytest.skip("is of a desk")
    visit.page.set_viewport_size({"width": 1280, "height": 900})
    visit.page.wait_for_timeout(300)
    for name in ("#pad", "#answer", "#layer-input .layer-name", "#layer-C1 .layer-name", "#layer-output .layer-name"):
        box = visit.page.locator(name).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900, name
    assert visit.page.evaluate("(row => row.scrollWidth - row.clientWidth)(document.querySelector('.layers'))") <= 1


def test_it_says_when_the_server_is_gone(browser: Any, tmp_path: Path) -> None:
    """A clear line, the drawing kept; when the server is back, it is read."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(GIVEN_UP)
    visit = Visit(page)
    with served(tmp_path) as (found, _process):
        page.goto(found)
        visit.draw(THREE)
        visit.says("3")
    visit.draw([[(0.8, 0.2), (0.8, 0.8)]])
    api.expect(page.locator("#gone")).to_contain_text("The server does not answer")
    page.close()


@ON_A_DESK
def test_a_page_of_numbers_is_dropped_and_looked_at(visit: Visit) -> None:
    """At /tables a class list becomes cells with their pictures; what is typed over is in the saved table."""
    page = visit.page
    page.goto(page.url + "tables")
    data = list((ROOT / "examples" / "pages" / "log-sheet.jpg").read_bytes())
    transfer = page.evaluate_handle(
        "bytes => { const all = new DataTransfer();"
        " all.items.add(new File([new Uint8Array(bytes)], 'log.jpg', {type: 'image/jpeg'})); return all; }",
        data,
    )
    page.locator("#drop").dispatch_event("drop", {"dataTransfer": transfer})
    api.expect(page.locator("#says")).to_contain_text("24 cells")
    page.locator("#review summary").click()
    api.expect(page.locator("#review .cell")).to_have_count(24)
    with page.expect_download() as told:
        page.locator("#csv").click()
    lines = Path(told.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0] == "path,page,table,row,column,field,text,confidence,state,guess,box"
    assert len(lines) == 25
    assert lines[6].startswith("log.jpg,0,0,1,1,,12,")


@ON_A_DESK
def test_a_review_is_typed_over_and_saved(visit: Visit, tmp_path: Path) -> None:
    """Doubtful cells come first; Enter goes on; the table and the archive, to train on, have what was typed."""
    glyph = np.full((28, 28), 200, np.uint8)
    box, quad = (10, 10, 60, 40), ((10, 10), (60, 10), (60, 40), (10, 40))
    doubtful = (
        Cell(0, 0, "", 0.3, "uncertain", "17", box, quad, glyphs=(glyph, glyph)),
        Cell(0, 1, "", 0.4, "uncertain", "5", box, quad, glyphs=(glyph,)),
    )
    sure = (Cell(0, 2, "8", 0.99, "read", "", box, quad), Cell(0, 3, "", 0.99, "empty", "", box, quad))
    review = tmp_path / "review.html"
    picture = np.full((60, 80), 240, np.uint8)
    ReviewParts(open_parts(review, fresh=True))(
        0, "a </script> b.png", picture, PageTables((Table(1, 4, (*doubtful, *sure)),)), ()
    )
    write_review(review, [0])
    page = visit.page
    page.goto(review.as_uri())
    api.expect(page.locator("#left")).to_have_text("2 of 2 doubtful cells left.")
    inputs = page.locator("#doubtful input")
    api.expect(inputs).to_have_count(2)
    api.expect(inputs.first).to_be_focused()
    page.keyboard.type("12")
    page.keyboard.press("Enter")
    api.expect(inputs.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    api.expect(page.locator("#left")).to_have_text("0 of 2 doubtful cells left.")
    with page.expect_download() as told:
        page.locator("#csv").click()
    rows = list(csv.DictReader(io.StringIO(Path(told.value.path()).read_text(encoding="utf-8"))))
    assert [(row["text"], row["state"]) for row in rows] == [
        ("12", "read"),
        ("5", "read"),
        ("8", "read"),
        ("", "empty"),
    ]
    assert rows[0]["path"] == "a </script> b.png"
    with page.expect_download() as told:
        page.locator("#zip").click()
    archive = tmp_path / "corrections.zip"
    told.value.save_as(archive)
    with zipfile.ZipFile(archive) as store:
        assert store.testzip() is None
        labels = list(csv.DictReader(io.StringIO(store.read("labels.csv").decode())))
        assert store.read("cells.csv").decode().splitlines()[1:] == ["cells/000001.png,12", "cells/000002.png,5"]
    assert [row["label"] for row in labels] == ["1", "2", "5"]
    with open_folder(archive) as folder:
        assert [row.text for row in read_labels(folder)] == ["1", "2", "5"]
        assert [(row.path, row.text) for row in read_labels(folder, whole=True)] == [
            ("cells/000001.png", "12"),
            ("cells/000002.png", "5"),
        ]
