"""Draw docs/pipeline.svg, the modules that a picture passes when it is read: python docs/make_pipeline.py [--check].

The packages and their order are `WALK` of tests/test_architecture.py; `HOUSE` there has the order of their modules. The
figure shows what `lenet.reader` imports, directly or not, with the first line of each docstring. With --check nothing
is written, and the exit status is 1 if the committed figure is another.
"""

from __future__ import annotations

import ast
import sys
from html import escape
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIGURE = HERE / "pipeline.svg"
# Modules that are no stage: what stages share, what composes them, and the sliding window, which is another reader.
NO_STAGE = {
    "preprocessing": {"parameters", "morphology", "pipeline"},
    "segmentation": {"parameters", "candidates", "strip"},
    "engine": {"packing", "reference", "warp", "weighted", "__init__"},
    "decoding": {"sliding_window"},
}
# What a package hands on to the next one.
HANDS_ON = {
    "preprocessing": "the ink of the page",
    "segmentation": "lines of writing, candidates for digits",
    "answers": "glyphs of candidates, strips of lines",
    "engine": "scores",
}
WIDTH, SIDE, ROW, HEAD, GAP = 1000, 44, 20, 64, 44
STYLE = """
text { font: 13px sans-serif; fill: #1f2328 } .name { font: 600 13px monospace } .title { font: 600 16px sans-serif }
.about { fill: #57606a } .box { fill: #f6f8fa; stroke: #57606a } .page { fill: #ffffff }
.arrow { fill: none; stroke: #57606a; stroke-width: 2 } #head { fill: #57606a }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .about { fill: #9da7b1 } .page { fill: #0d1117 }
.box { fill: #161b22; stroke: #8b949e } .arrow { stroke: #8b949e } #head { fill: #8b949e } }
"""
TIP = '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="5" markerHeight="5" orient="auto">'


def read_order() -> tuple[list[str], dict[str, list[str]]]:
    """Return the packages that a picture passes and the modules of each package, both in order."""
    tests = ast.parse((HERE.parent / "tests" / "test_architecture.py").read_text(encoding="utf-8"))
    found = {ast.unparse(node.targets[0]): node.value for node in tests.body if isinstance(node, ast.Assign)}
    lines = ast.literal_eval(found["HOUSE"]).replace("\n  ", " ").splitlines()
    inside = {package: names.split() for package, _colon, names in (line.partition(":") for line in lines)}
    return [package for package in ast.literal_eval(found["WALK"]) if package != "network"], inside


def parse(name: str) -> ast.Module | None:
    """Return what a module holds, by its name below `lenet`; None if there is no such module."""
    place = HERE.parent.joinpath("src", "lenet", *name.split("."))
    path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else None


def find_imported(name: str, found: set[str]) -> set[str]:
    """Add a module and all that it imports of lenet, directly or not, to those that were found, and return them."""
    tree = parse(name)
    if tree and name not in found:
        found.add(name)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("lenet."):
                inner = node.module.removeprefix("lenet.")
                for imported in (inner, *(f"{inner}.{alias.name}" for alias in node.names)):
                    find_imported(imported, found)
    return found


def caption(name: str) -> str:
    """Return the first line of a module's docstring."""
    tree = parse(name)
    return ((tree and ast.get_docstring(tree)) or "").partition("\n")[0]


def text(x: float, y: float, words: str, kind: str, more: str = "") -> str:
    """Return a line of text."""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" {more}>{escape(words)}</text>'


def arrow(path: str) -> str:
    """Return an arrow along a path."""
    return f'<path class="arrow" marker-end="url(#head)" d="{path}"/>'


def draw() -> str:
    """Return the figure: a box for each package, from top to bottom, with its modules."""
    (packages, inside), reached = read_order(), find_imported("reader", set())
    middle, right, y, back = WIDTH // 2, WIDTH - SIDE, 60, 0
    parts = [text(middle, 28, "a picture", "title", 'text-anchor="middle"'), arrow(f"M{middle} 36V58")]
    for package in packages:
        left_out = NO_STAGE.get(package, ())
        shown = [each for each in inside[package] if f"{package}.{each}" in reached and each not in left_out]
        high = HEAD + ROW * len(shown) - 6
        parts.append(f'<rect class="box" x="{SIDE}" y="{y}" width="{right - SIDE}" height="{high}" rx="6"/>')
        parts += [text(SIDE + 14, y + 22, package, "title"), text(SIDE + 14, y + 42, caption(package), "about")]
        for row, name in enumerate(shown):
            at = y + HEAD + ROW * row
            parts += [text(SIDE + 14, at, name, "name"), text(SIDE + 124, at, caption(f"{package}.{name}"), "")]
        back = y + 24 if package == "answers" else back  # it asks those below it, and gives the reading
        y += high
        if package in HANDS_ON:
            parts += [arrow(f"M{middle} {y}v{GAP - 2}"), text(middle + 14, y + 27, HANDS_ON[package], "about")]
        y += GAP
    low = y - GAP
    parts += [arrow(f"M{right} {low - 24}h20V{back}h-18"), arrow(f"M{SIDE} {back}h-20V{y - 5}H{middle - 180}")]
    parts.append(text(right, low + 20, "texts, back to answers", "about", 'text-anchor="end"'))
    parts.append(text(middle - 172, y, "a reading: text, confidence, guess, steps", "title"))
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 20}" role="img">'
    style = f'<style>{STYLE}</style>{TIP}<path d="M0 0L8 4L0 8z"/></marker>'
    paper = '<rect class="page" width="100%" height="100%"/>'
    return "\n".join([frame, style, paper, *parts, "</svg>\n"])


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(FIGURE.read_text(encoding="utf-8") != draw())
    FIGURE.write_text(draw(), encoding="utf-8")
