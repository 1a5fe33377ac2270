"""The page of `lenet export --format html` in a browser, from a file, the network cut off: a network that is alive."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from lenet.export import export
from test_page import CHROMIUM, GIVEN_UP, SIZES, THREE, Visit, address, api, browser  # noqa: F401 -- fixtures

pytest.importorskip("wasmtime")


# How elements of an SVG are called.
SVG = "{http://www.w3.org/2000/svg}"


class Alive(Visit):
    """The page in a browser without a network."""

    def ready(self) -> None:
        """Wait until it is there."""
        self.page.wait_for_function("document.body.dataset.ready === 'true'")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page of the paper's network."""
    folder = tmp_path_factory.mktemp("html")
    export("lenet5-1998", "html", folder / "lenet.html", check="examples")
    return folder


@pytest.fixture(params=SIZES)
def alive(request: pytest.FixtureRequest, browser: Any, pages: Path) -> Iterator[Alive]:  # noqa: F811
    """The page from a file, with the network cut off; in the end nothing must have gone wrong on it."""
    if not CHROMIUM:
        pytest.skip("needs a browser: apt-get install chromium")
    context = browser.new_context(**SIZES[request.param], offline=True, accept_downloads=True)
    context.set_default_timeout(GIVEN_UP)
    found = Alive(context.new_page())
    found.page.on("request", lambda asked: found.wrong.append(asked.url) if asked.url.startswith("http") else None)
    found.page.on("console", lambda told: found.wrong.append(told.text) if told.type in ("error", "warning") else None)
    found.page.on("pageerror", lambda error: found.wrong.append(str(error)))
    found.page.goto((pages / "lenet.html").as_uri())
    found.ready()
    yield found
    assert found.wrong == []
    context.close()


ON_A_DESK = pytest.mark.parametrize("alive", ["desktop"], indirect=True)


def test_the_first_screen_shows_the_network_alive(alive: Alive) -> None:
    """A sample is read already: every layer has values, the answer stands there, a value is explained."""
    page = alive.page
    assert page.locator("#answer").inner_text() == "2"
    assert [each.inner_text() for each in page.locator(".layer-name").all()] == [
        *("Input", "C1", "S2", "C3", "S4", "C5", "F6", "Output"),
    ]
    inked = page.evaluate(
        "[...document.querySelectorAll('canvas.maps')].map(c => new Set(c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data).size)"
    )
    assert min(inked) > 3
    assert page.locator(".answers li").count() == 10
    assert "60,000 parameters, 340,908 connections" in page.locator("#about").inner_text()
    assert page.locator("#networks .own .name").all_text_contents() == ["lenet5-1998"]
    assert page.locator("#networks tr").count() > 6
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]


def number(text: str) -> float:
    """A number as the page writes it."""
    return float(text.replace("−", "-").replace("+", "").replace(" ", ""))


@ON_A_DESK
def test_a_sum_adds_up(alive: Alive) -> None:
    """Of a value of C3 the windows and kernels that are shown make the sums that are shown, and these the value."""
    page = alive.page
    page.locator("#layer-C3 .layer-name").click()
    terms = page.locator("#explained .term-sum")
    assert 3 <= terms.count() <= 6
    total = 0.0
    for term in terms.all():
        window, kernel = (
            [number(cell) for cell in table.locator("td").all_inner_texts()] for table in term.locator("table").all()
        )
        told = float(term.locator("figcaption").get_attribute("data-sum"))
        assert sum(a * b for a, b in zip(window, kernel, strict=True)) == pytest.approx(told, abs=0.15)
        total += told
    adds = page.locator("#explained .adds").inner_text()
    bias = number(re.search(r"([+−] [\d.]+) \(bias\)", adds)[1])
    shown = number(page.locator("#explained .total").inner_text())
    assert total + bias == pytest.approx(shown, abs=2e-3)
    value = number(page.locator("#explained .value").inner_text())
    assert 1.7159 * np.tanh(2 / 3 * shown) == pytest.approx(value, abs=2e-3)
    assert page.locator("#about-layer .table-one th.here").count() == 1


def test_what_is_drawn_is_read(alive: Alive) -> None:
    """A 3; undo takes it away, and the page says so; every panel that was full is empty then."""
    alive.page.locator("#pad").scroll_into_view_if_needed()
    alive.draw(THREE)
    api.expect(alive.page.locator("#answer")).to_have_text("3")
    alive.page.locator("#undo").click()
    api.expect(alive.page.locator("#answer")).to_have_text("")
    api.expect(alive.page.locator("#sure")).to_have_text("Draw a digit, or choose one below.")
    assert alive.page.locator("#explained .terms").count() == 0


@ON_A_DESK
def test_the_tour_is_walked(alive: Alive) -> None:
    """Six steps, each with words and a place; the last says what would change the answer, and does it."""
    page = alive.page
    page.locator("#tour-begin").click()
    titles = []
    for _step in range(6):
        titles.append(page.locator("#tour h2").inner_text())
        if page.locator("#tour-next").inner_text() == "Next":
            page.locator("#tour-next").click()
    assert [title[:6] for title in titles] == [f"{step} of 6" for step in range(1, 7)]
    assert "comes second" in page.locator("#tour").inner_text()
    before = page.evaluate("Array.from(lenet.glyph).join()")
    page.locator("#make-change").click()
    assert page.evaluate("Array.from(lenet.glyph).join()") != before


@ON_A_DESK
def test_an_address_keeps_what_is_shown(alive: Alive, pages: Path) -> None:
    """A drawing and the value that is looked at are there after a reload, and in another window by the address."""
    page = alive.page
    alive.draw(THREE)
    page.locator("#layer-S4 canvas").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.hash.includes('at=S4,0,0,1')")
    kept = page.url
    page.reload()
    alive.ready()
    api.expect(page.locator("#answer")).to_have_text("3")
    assert "S4, map 0, row 0, column 1" in page.locator("#explained h2").inner_text()
    other = page.context.new_page()
    other.goto(kept.replace("lenet.html", "lenet.html?embed"))
    api.expect(other.locator("#answer")).to_have_text("3")
    api.expect(other.locator("footer")).to_be_hidden()
    (pages / "slide.html").write_text('<iframe src="lenet.html?embed#digit=7" width="900" height="700"></iframe>')
    other.goto((pages / "slide.html").as_uri())
    api.expect(other.frame_locator("iframe").locator("#answer")).to_have_text("7")


@ON_A_DESK
def test_a_pass_of_training_changes_the_kernels(alive: Alive) -> None:
    """From pass 0 on, with the errors of digits kept apart; one can look into the network that learns, and back."""
    page = alive.page
    page.locator("#lesson-panel summary").click()
    api.expect(page.locator("#lesson-told")).to_contain_text("0 passes over 320 drawn digits")
    kernels = "[...document.querySelectorAll('.kernels canvas')].map(each => each.toDataURL()).join()"
    before = page.evaluate(kernels)
    page.locator("#lesson-step").click()
    api.expect(page.locator("#lesson-told")).to_contain_text("1 step of 10")
    page.locator("#lesson-pass").click()
    api.expect(page.locator("#lesson-told")).to_contain_text("1 pass over 320 drawn digits")
    assert page.evaluate(kernels) != before
    sure = page.locator("#sure").inner_text()
    page.locator("#lesson-use").click()
    assert page.locator("#sure").inner_text() != sure
    page.locator("#lesson-use").click()
    assert page.locator("#sure").inner_text() == sure


@ON_A_DESK
def test_training_is_stopped_and_looked_into(alive: Alive) -> None:
    """A button that is held for a while is pressed all the same; the network above is the one that learns."""
    page = alive.page
    page.locator("#lesson-panel summary").click()
    page.locator("#lesson-use").click()
    first = page.locator("#sure").inner_text()
    page.locator("#lesson-run").click()
    api.expect(page.locator("#lesson-told")).to_contain_text("2 passes over")
    assert page.locator("#sure").inner_text() != first
    assert page.locator("#training").inner_text().startswith("in training: ")
    page.locator("#lesson-run").hover()
    page.mouse.down()
    page.wait_for_timeout(120)
    page.mouse.up()
    api.expect(page.locator("#lesson-run")).to_have_text("Run")
    page.locator("#lesson-run").click()
    page.locator("#lesson-panel summary").click()
    page.wait_for_function("lenet.lesson.timer === null")
    page.locator("#lesson-panel summary").click()
    page.locator("#lesson-use").click()
    assert page.locator("#training").inner_text() == ""


@ON_A_DESK
def test_what_is_chosen_stays(alive: Alive) -> None:
    """A value that was clicked is not lost to the pointer on its way; clicked again, the pointer is followed."""
    page = alive.page
    page.locator("#layer-C1 canvas").click(position={"x": 20, "y": 20})
    chosen = page.locator("#explained h2").inner_text()
    page.locator("#layer-C3 canvas").hover(position={"x": 10, "y": 10})
    assert page.locator("#explained h2").inner_text() == chosen
    page.locator("#layer-C1 canvas").click(position={"x": 20, "y": 20})
    page.locator("#layer-C3 canvas").hover(position={"x": 12, "y": 12})
    assert page.locator("#explained h2").inner_text().startswith("C3")


@ON_A_DESK
def test_an_address_keeps_a_changed_digit_and_an_empty_pad(alive: Alive) -> None:
    """What the last step changed is there after a reload; so is nothing, and what was cleared comes back by undo."""
    page = alive.page
    page.locator("#tour-begin").click()
    for _step in range(5):
        page.locator("#tour-next").click()
    page.locator("#make-change").click()
    page.wait_for_function("location.hash.includes('glyph=')")
    glyph = page.evaluate("Array.from(lenet.glyph, (grey) => Math.round(grey / 17)).join()")
    page.reload()
    alive.ready()
    assert page.evaluate("Array.from(lenet.glyph, (grey) => Math.round(grey / 17)).join()") == glyph
    page.locator("#clear").click()
    page.wait_for_function("location.hash.includes('empty=1')")
    page.reload()
    alive.ready()
    assert page.locator("#answer").inner_text() == ""
    page.locator(".sample").nth(7).click()
    page.locator("#clear").click()
    page.locator("#undo").click()
    api.expect(page.locator("#answer")).to_have_text("7")


def test_a_term_is_explained_on_the_screen(alive: Alive) -> None:
    """Its tip stands beside it, whole, and Escape takes it away."""
    page = alive.page
    page.locator("#layer-C3 .layer-name").click()
    term = page.locator("#about-layer .term").last
    term.scroll_into_view_if_needed()
    term.focus()
    tip = page.locator("#tip")
    api.expect(tip).to_be_visible()
    box, size = tip.bounding_box(), page.viewport_size
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    page.keyboard.press("Escape")
    api.expect(tip).to_be_hidden()


def take(page: Any, button: str) -> Any:
    """What a button saves."""
    with page.expect_download() as told:
        page.locator(f"#{button}").click()
    return told.value


@pytest.mark.parametrize("alive", ["phone"], indirect=True)
def test_on_a_phone_the_tour_hides_nothing_that_it_speaks_of(alive: Alive) -> None:
    """The value that is looked at, or the drawing, stands on the screen above the words."""
    page = alive.page
    page.locator("#tour-begin").click()
    above = """(spoken) => {
        const [box, words] = [spoken, "#tour"].map((each) => document.querySelector(each)?.getBoundingClientRect());
        return box?.height > 0 && box.top >= 0 && box.bottom <= words.top;
    }"""
    for step in range(6):
        page.wait_for_function(above, arg="#pad" if step in (0, 5) else "#network rect.here")
        page.locator("#tour-next").click()


@ON_A_DESK
def test_the_sum_the_kernels_and_table_one_are_taken_along(alive: Alive) -> None:
    """As SVG with every number and word of them, as PNG with the colours that they have on the page."""
    page = alive.page
    for layer, figure, part in (
        ("C1", "kernels", ".kernels-now"),
        ("C3", "table-one", ".table-one"),
        ("C3", "sum", "#explained > div"),
    ):
        page.locator(f"#layer-{layer} .layer-name").click()
        page.locator("#figure").focus()
        page.locator("#figure").select_option(figure)
        drawn = ElementTree.parse(take(page, "save-svg").path())
        said = " ".join(each.text or "" for each in drawn.iter(f"{SVG}text"))
        told = page.locator(part).inner_text()
        assert "".join(said.split()) == "".join(told.split())
        taken = take(page, "save")
        assert taken.suggested_filename == f"lenet5-1998-{figure}.png"
        seen = cv2.imread(str(taken.path()))
        box = page.locator(part).bounding_box()
        assert seen.shape[:2] == tuple(2 * (math.ceil(box[side]) + 32) for side in ("height", "width"))
        if figure != "table-one":
            assert len(np.unique(seen.reshape(-1, 3), axis=0)) > 50


def test_without_simd_the_page_runs_the_other_machine(alive: Alive) -> None:
    """A browser that has none gives the very values of the one that has."""
    page = alive.page
    values = "lenet.machine.run(lenet.glyph).map((layer) => [...layer])"
    assert page.evaluate("lenet.machine.simd")
    wanted = page.evaluate(values)
    page.add_init_script("WebAssembly.validate = () => false")
    page.reload()
    alive.ready()
    assert not page.evaluate("lenet.machine.simd")
    assert page.evaluate(values) == wanted


@ON_A_DESK
def test_a_picture_and_a_program_are_taken_along(alive: Alive, tmp_path: Path) -> None:
    """Every figure as PNG and as SVG; Python that prints the very value that is looked at."""
    page = alive.page
    page.locator("#layer-F6 .layer-name").click()
    assert take(page, "save").suggested_filename == "lenet5-1998-F6.png"
    assert cv2.imread(str(take(page, "save").path())).shape == (2 * (12 * 8 + 48), 2 * (7 * 8 + 32), 3)
    layer = ElementTree.parse(take(page, "save-svg").path())
    squares = [each for each in layer.iter(f"{SVG}rect") if each.get("height") == "1"]
    assert sum(int(each.get("width", "0")) for each in squares) == 84
    page.locator("#figure").focus()
    assert page.locator("#figure option").all_inner_texts() == ["F6", "network", "sum"]
    page.locator("#figure").select_option("network")
    whole = ElementTree.parse(take(page, "save-svg").path())
    named = [each.text for each in whole.iter(f"{SVG}text")]
    assert {"Input", "C1", "S2", "C3", "S4", "C5", "F6", "Output", "6 @ 28 × 28"} <= set(named)
    assert len(list(whole.iter(f"{SVG}line"))) > 10
    assert cv2.imread(str(take(page, "save").path())).shape[1] > 1000
    page.locator("#python").click()
    program = page.locator("#code").inner_text()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(number(page.locator("#explained .value").inner_text()), abs=2e-3)


@ON_A_DESK
def test_a_change_is_taken_back(alive: Alive) -> None:
    """What the last step changes, and a sample that was shown before, come again by undo."""
    page = alive.page
    page.locator("#samples .sample").nth(4).click()
    before = page.evaluate("lenet.glyph.join()")
    page.locator("#tour-begin").click()
    for _step in range(5):
        page.locator("#tour-next").click()
    page.locator("#make-change").click()
    assert page.evaluate("lenet.glyph.join()") != before
    page.locator("#undo").click()
    assert page.evaluate("lenet.glyph.join()") == before


@ON_A_DESK
def test_a_pupil_is_looked_into_as_it_is(alive: Alive) -> None:
    """Its kernels in words are its own, and it is as sure as its loss says."""
    page = alive.page
    page.locator("#layer-C1 .layer-name").click()
    kernels = "[...document.querySelectorAll('#about-layer .kernels canvas')].map(each => each.toDataURL()).join()"
    trained, temperature = page.evaluate(kernels), page.evaluate("lenet.machine.network.temperature")
    page.locator("#lesson-panel > summary").click()
    page.locator("#lesson-step").click()
    page.locator("#lesson-use").click()
    assert page.evaluate(kernels) != trained
    assert page.evaluate("lenet.machine.network.temperature") == 1
    page.locator("#lesson-use").click()
    assert page.evaluate(kernels) == trained
    assert page.evaluate("lenet.machine.network.temperature") == temperature


@ON_A_DESK
def test_the_page_works_by_keyboard(alive: Alive) -> None:
    """A stroke is drawn and read; its pen is shown, and is no ink; the arrow keys go through a layer."""
    page = alive.page
    page.locator("#clear").click()
    page.locator("#pad").focus()
    page.keyboard.press("Space")
    for _time in range(16):
        page.keyboard.press("ArrowDown")
    api.expect(page.locator("#answer")).to_have_text("1")
    page.keyboard.press("Space")
    marked, plain = page.evaluate(
        "() => { const seen = () => Array.from(lenet.pen.pen.getImageData(0, 0, 256, 256).data).join();"
        " lenet.pen.draw(); const marked = seen(); lenet.pen.draw(false); return [marked, seen()]; }"
    )
    assert marked != plain
    focused = page.evaluate("lenet.pen.greys.join()")
    page.locator("#pad").blur()
    assert page.evaluate("lenet.pen.greys.join()") == focused
    page.locator("#layer-C1 canvas").focus()
    page.keyboard.press("ArrowRight")
    first = page.locator("#explained h2").inner_text()
    page.keyboard.press("ArrowDown")
    assert page.locator("#explained h2").inner_text() != first


def test_nobody_is_kept_out(alive: Alive) -> None:
    """axe finds nothing on the page with all its panels open."""
    axe = files("axe_playwright_python") / "axe.min.js"
    page = alive.page
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    page.locator("#tour-begin").click()
    api.expect(page.locator("#lesson-told")).to_be_attached()
    page.evaluate(axe.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []


def test_the_service_has_the_same_page(browser: Any, address: str) -> None:  # noqa: F811
    """Of each shipped network at /alive, under a policy that lets it run itself alone; others are not found."""
    if not CHROMIUM:
        pytest.skip("needs a browser: apt-get install chromium")
    context = browser.new_context()
    wrong: list[str] = []
    page = context.new_page()
    page.on("console", lambda told: wrong.append(told.text) if told.type in ("error", "warning") else None)
    page.goto(address)
    page.locator("#model").select_option("lenet5-modern")
    page.locator("#alive").click()
    api.expect(page.locator("body")).to_have_attribute("data-ready", "true")
    assert page.locator("#name").inner_text() == "lenet5-modern"
    api.expect(page.locator("#answer")).to_have_text("2")
    assert page.locator("#layer-F6").count() == 1
    assert wrong == []
    assert page.goto(f"{address}/alive?net=/etc/passwd").status == 404
    context.close()
