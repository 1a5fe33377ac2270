"""Take the pictures of the page for the documentation: python docs/make_page_pictures.py (needs chromium)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import which

from playwright.sync_api import FloatRect, Page, sync_playwright

HERE = Path(__file__).resolve().parent
# The strokes of a 4 and a 7, as shares of the pad.
STROKES = [
    [(0.30, 0.20), (0.24, 0.55), (0.42, 0.55)],
    [(0.37, 0.35), (0.36, 0.85)],
    [(0.52, 0.20), (0.70, 0.20), (0.58, 0.85)],
]
VIEWS = {
    "page-desktop": ({"viewport": {"width": 1200, "height": 1000}}, ()),
    "page-phone": (
        {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "color_scheme": "dark"},
        (),
    ),
}
# The page on which a network is alive, and the value that is looked at.
ALIVE = {
    "alive": ({"viewport": {"width": 1280, "height": 1040}}, "C3,4,2,4"),
    "alive-wide": ({"viewport": {"width": 1920, "height": 1080}, "color_scheme": "dark"}, "output,3,0,0"),
    "alive-tablet": ({"viewport": {"width": 768, "height": 1024}, "color_scheme": "dark"}, "S2,1,5,5"),
    "alive-phone": ({"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}, "C1,2,5,12"),
}


def take_lesson(page: Page, address: str) -> None:
    """Take a picture of each of the six steps, and of a training."""
    page.goto(f"{address}/alive#digit=4")
    page.locator("body[data-ready=true]").wait_for()
    for step in range(1, 7):
        page.locator("#tour-begin" if step == 1 else "#tour-next").click()
        page.wait_for_timeout(400)
        page.screenshot(path=HERE / f"lesson-{step}.png", clip=_find_part(page))
    page.locator("#lesson-panel > summary").click()
    page.locator("#lesson-run").click()
    page.wait_for_timeout(9000)
    page.locator("#lesson-panel").screenshot(path=HERE / "lesson-7.png")


def _find_part(page: Page) -> FloatRect:
    """Return the box of the network and of what is said of it."""
    boxes = [page.locator(name).bounding_box() for name in ("#stage", "#beside")]
    assert boxes[0] is not None
    assert boxes[1] is not None
    foot = min(boxes[1]["y"] + boxes[1]["height"], boxes[0]["y"] + boxes[0]["height"] + 480)
    return {"x": boxes[0]["x"], "y": boxes[0]["y"], "width": boxes[0]["width"], "height": foot - boxes[0]["y"]}


def main() -> None:
    """Serve, draw, and take a picture at each size."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        command = [
            sys.executable,
            "-c",
            "from lenet.cli import main; main()",
            "serve",
            "--port",
            "0",
            "--folder",
            folder,
        ]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        browser = started.chromium.launch(executable_path=which("chromium"), args=["--no-sandbox"])
        for name, (options, panels) in VIEWS.items():
            page = browser.new_context(**options).new_page()
            page.goto(address)
            page.locator("#finetune").wait_for(state="attached")
            box = page.locator("#pad").bounding_box()
            assert box is not None
            for stroke in STROKES:
                points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
                page.mouse.move(*points[0])
                page.mouse.down()
                for point in points[1:]:
                    page.mouse.move(*point, steps=5)
                page.mouse.up()
            for panel in panels:
                page.locator(f"#{panel}-panel > summary").click()
            page.wait_for_timeout(1500)
            page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=HERE / f"{name}.png")
        for name, (options, place) in ALIVE.items():
            page = browser.new_context(**options).new_page()
            page.goto(f"{address}/alive#digit=2&at={place}")
            page.locator("body[data-ready=true]").wait_for()
            page.wait_for_timeout(500)
            page.screenshot(path=HERE / f"{name}.png")
        take_lesson(browser.new_context(viewport={"width": 1180, "height": 1500}).new_page(), address)
        browser.close()
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
