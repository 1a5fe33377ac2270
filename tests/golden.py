"""Pictures of many kinds, drawn always alike, and all that is read of them: python tests/golden.py writes golden.json.

Digits are drawn along the paths of docs/make_page_digits.py; nobody wrote them. What stands in golden.json is no
promise that it is right: it is what is read today, so that no change of it goes unnoticed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "docs"))
from make_page_digits import PATHS  # noqa: E402

import lenet  # noqa: E402
from lenet.arrays import Float64, Uint8  # noqa: E402

FILE = Path(__file__).with_suffix(".json")
EXAMPLES = [
    each for each in sorted((ROOT / "examples").iterdir()) if each.suffix in (".png", ".jpg", ".tif", ".bmp", ".webp")
]
PAGES = ("class-list.jpg", "log-sheet.jpg", "exam.jpg", "exam-photo.jpg", "sudoku.jpg")
PAPER, INK = 232, 38
Pen = np.random.Generator


def write(
    page: Uint8, text: str, x: float, y: float, height: float, rng: Pen, ink: int = INK, gap: float = 0.25
) -> float:
    """Write digits and signs from x on, y the top of a line; return where it ends."""
    pen = max(1, round(height / rng.uniform(8, 13)))
    slant = rng.normal(0.08, 0.1)
    for sign in text:
        if sign == " ":
            x += height
            continue
        wide = 0.62 * height if sign.isdigit() else 0.3 * height
        for points in _strokes(sign, rng):
            places = np.stack(
                [
                    x + (points[:, 0] / 10) * wide + slant * (5 - points[:, 1]) / 10 * height,
                    y + points[:, 1] / 10 * height,
                ],
                axis=1,
            )
            cv2.polylines(page, [np.rint(places * 16).astype(np.int32)], False, ink, pen, cv2.LINE_AA, 4)
        x += wide + gap * height
    return x


def _strokes(sign: str, rng: Pen) -> Iterator[Float64]:
    signs = {"/": "9,0 1,10", "-": "1,5 9,5", ".": "5,9.6 5.2,9.8", ",": "5,9 4,11.5", ":": "5,3 5.2,3.2|5,8 5.2,8.2"}
    path = rng.choice(PATHS[int(sign)]) if sign.isdigit() else signs[sign]
    for stroke in str(path).split("|"):
        points = np.array([[float(number) for number in point.split(",")] for point in stroke.split()])
        yield points + rng.normal(0, 0.25, points.shape)


def blank(width: int = 420, height: int = 120) -> Uint8:
    """Return an empty page."""
    return np.full((height, width), PAPER, np.uint8)


def line(text: str, rng: Pen, gap: float = 0.25, height: int = 56, ink: int = INK) -> Uint8:
    """Draw one line of writing."""
    page = blank()
    write(page, text, 24, 30, height, rng, ink, gap)
    return page


def ruled(step: int, across: bool, thick: int, rng: Pen) -> Uint8:
    """Draw a number on ruled or squared paper."""
    page = blank(420, 160)
    page[step // 2 :: step] = 120
    for more in range(1, thick):
        page[step // 2 + more :: step] = 120
    if across:
        page[:, step // 2 :: step] = 120
    write(page, "90417", 30, 48, 62, rng)
    return page


def boxes(joined: bool, thick: int, rng: Pen) -> Uint8:
    """Draw a digit in each box of a form."""
    page = blank(420, 110)
    for place, sign in enumerate("30582"):
        x = 20 + place * (64 if joined else 76)
        cv2.rectangle(page, (x, 20), (x + 64, 92), 90, thick)
        write(page, sign, x + 14, 34, 44, rng)
    return page


def table(rng: Pen, kind: str = "closed", rows: int = 3, columns: int = 3) -> Uint8:
    """Draw a table of numbers: closed, open at its sides, with a joined cell, dashed, or doubly lined."""
    wide, high = 150, 83
    page = blank(60 + wide * columns, 60 + high * rows)
    thick = 1 if kind == "thin" else 2
    for place in range(columns + 1):
        if not (kind == "open" and place in (0, columns)):
            x = 30 + place * wide
            for y in range(30, 30 + high * rows, 12 if kind == "dashed" else high * rows):
                end = min(y + (7 if kind == "dashed" else high * rows), 30 + high * rows)
                cv2.line(page, (x, y), (x, end - 1), 80, thick)
    for place in range(rows + 1):
        y = 30 + place * high
        cv2.line(page, (30, y), (30 + wide * columns, y), 80, thick)
        if kind == "double" and place == 1:
            cv2.line(page, (30, y + 5), (30 + wide * columns, y + 5), 80, thick)
    if kind == "joined":
        page[34 : 30 + high - 3, 30 + wide - 3 : 30 + wide + 4] = PAPER
    for row in range(rows):
        for column in range(columns):
            if (row + 2 * column) % 5 != 3 and not (kind == "joined" and row == 0 and column == 1):
                write(page, str(rng.integers(10, 999)), 46 + column * wide, 48 + row * high, 44, rng)
    return page


def lean(page: Uint8, degrees: float, depth: float = 0.0) -> Uint8:
    """Turn a page a little on a dark desk, and photograph it from one side."""
    page = cv2.copyMakeBorder(page, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=70)  # type: ignore[assignment]
    high, wide = page.shape
    turn = np.vstack([cv2.getRotationMatrix2D((wide / 2, high / 2), degrees, 1.0), [0, 0, 1]])
    slope = np.array([[1, 0, 0], [0, 1, 0], [depth / wide, 0, 1]])
    return cv2.warpPerspective(page, slope @ turn, (wide, high), borderValue=70)  # type: ignore[return-value]


def marked(mark: str, rng: Pen) -> Uint8:
    """Draw a number that is underlined, struck out, or in a circle."""
    page = blank(420, 140)
    end = write(page, "5" if mark == "circle" else "2864", 90, 40, 52, rng)
    if mark == "underline":
        cv2.line(page, (80, 108), (int(end) + 8, 112), INK, 3)
    elif mark == "strike":
        cv2.line(page, (80, 60), (int(end), 72), INK, 3)
        write(page, "19", end + 30, 40, 52, rng)
    else:
        cv2.circle(page, (106, 66), 48, INK, 3)
    return page


def lines(count: int, rng: Pen) -> Uint8:
    """Draw several lines of writing, the second half a little turned."""
    page = blank(420, 90 * count)
    for row in range(count):
        write(page, str(rng.integers(1_000, 99_999)), 30 + 7 * row, 24 + 88 * row, 48, rng)
    return page


def seen(change: Callable[[Uint8, Pen], Any], rng: Pen) -> Uint8:
    """Draw a line of writing, seen in another light or by another camera."""
    return np.clip(change(line("60379", rng), rng), 0, 255).astype(np.uint8)


def _shadow(page: Uint8, _rng: Pen) -> Any:
    rows, columns = np.mgrid[0 : page.shape[0], 0 : page.shape[1]]
    return page * np.clip(1.1 - columns / 600 - rows / 500, 0.3, 1)


def _hard_shadow(page: Uint8, _rng: Pen) -> Any:
    rows, columns = np.mgrid[0 : page.shape[0], 0 : page.shape[1]]
    return np.where(columns + rows > 260, page * 0.55, page)


def _resize(times: float, page: Uint8, _rng: Pen) -> Any:
    way = cv2.INTER_CUBIC if times > 1 else cv2.INTER_AREA
    return cv2.resize(page, None, fx=times, fy=times, interpolation=way)


CAMERAS: dict[str, Callable[[Uint8, Pen], Any]] = {
    "shadow": _shadow,
    "hard shadow": _hard_shadow,
    "noise": lambda page, rng: page + rng.normal(0, 16, page.shape),
    "faint": lambda page, _rng: PAPER - (PAPER - page.astype(int)) * 0.16,
    "dust": lambda page, rng: np.where(rng.random(page.shape) < 0.004, 60, page),
    "white on black": lambda page, _rng: 255 - page,
    "blurred": lambda page, _rng: cv2.GaussianBlur(page, (0, 0), 3.2),
    "on a table": lambda page, _rng: cv2.copyMakeBorder(page, 60, 50, 70, 40, cv2.BORDER_CONSTANT, value=45),
    "large": partial(_resize, 5),
    "small": partial(_resize, 0.3),
}


def turned(degrees: float, rng: Pen) -> Uint8:
    """Draw a line of writing that leans, or stands on its side."""
    page = cv2.copyMakeBorder(line("71826", rng), 140, 140, 20, 20, cv2.BORDER_CONSTANT, value=PAPER)
    middle = (page.shape[1] / 2, page.shape[0] / 2)
    turn = cv2.getRotationMatrix2D(middle, degrees, 1.0)
    return cv2.warpAffine(page, turn, page.shape[::-1], borderValue=PAPER)  # type: ignore[return-value]


def coloured(what: str, rng: Pen) -> Uint8:
    """Draw a number in blue on a form printed in red, or with a coloured seal; or on a clear canvas."""
    ink = line("48105", rng)
    share = (PAPER - ink.astype(float))[..., None] / PAPER
    page = np.full((*ink.shape, 3), PAPER, float)
    if what == "form":
        page[20::30], page[:, 10::60] = (205, 90, 90), (205, 90, 90)
    elif what == "seal":
        cv2.circle(page, (200, 60), 50, (210, 60, 60), 4)
    if what == "canvas":
        return np.dstack([np.zeros((*ink.shape, 3)), 255 * share[..., 0]]).astype(np.uint8)
    return (page * (1 - share) + np.array([40, 60, 160]) * share).astype(np.uint8)


KINDS: dict[str, Callable[[Pen], Uint8]] = {
    "digits": partial(line, "27540"),
    "close": partial(line, "83619", gap=0.02),
    "touching": partial(line, "50842", gap=-0.06),
    "thin and small": partial(line, "16473", height=18),
    "date": partial(line, "24/09/81", gap=0.12, height=46),
    "amount": partial(line, "1.204,50", gap=0.12, height=46),
    "time": partial(line, "19:45"),
    "two numbers": partial(line, "31 742", height=50),
    "one digit": partial(line, "4"),
    "grey ink": partial(line, "90218", ink=130),
    "ruled": partial(ruled, 40, False, 1),
    "thickly ruled": partial(ruled, 56, False, 3),
    "squared": partial(ruled, 28, True, 1),
    "boxes": partial(boxes, False, 2),
    "joined boxes": partial(boxes, True, 3),
    "table": table,
    "underlined": partial(marked, "underline"),
    "struck out": partial(marked, "strike"),
    "circle": partial(marked, "circle"),
    "two lines": partial(lines, 2),
    "five lines": partial(lines, 5),
    **{what: partial(seen, change) for what, change in CAMERAS.items()},
    **{f"turned by {angle}": partial(turned, angle) for angle in (-9, 4, 90, 180)},
    **{what: partial(coloured, what) for what in ("form", "seal", "canvas")},
}
TIMES = 2


def list_cases() -> list[tuple[str, Callable[[], dict[str, Any]]]]:
    """Return the name of each case, and what reads it."""
    cases: list[tuple[str, Callable[[], dict[str, Any]]]] = []
    for kind, draw in KINDS.items():
        for turn in range(TIMES):
            page = partial(draw, np.random.default_rng([len(cases), 1998]))
            readers = "cut" if turn else "both"
            cases.append((f"{kind} {turn} {readers}", partial(_read, page, readers=readers)))
    for file in EXAMPLES:
        cases.append((file.name, partial(_read, partial(str, file))))
    for name in ("date", "amount", "time", "digits"):
        page = partial(KINDS[name], np.random.default_rng(7))
        pattern = name if name != "digits" else "digits:5"
        cases.append((f"{name} as {pattern}", partial(_read, page, pattern=pattern, best=3)))
    cases.append(
        ("digits by sliding", partial(_read, partial(KINDS["digits"], np.random.default_rng(8)), sliding_window=True))
    )
    cases.append(("one digit alone", partial(_read, partial(KINDS["one digit"], np.random.default_rng(9)), digit=True)))
    pages = ROOT / "examples" / "pages"
    for name in PAGES:
        cases.append((name, partial(_read_tables, partial(str, pages / name))))
    cases.append(
        ("exam.jpg as a form", partial(_read_tables, partial(str, pages / "exam.jpg"), fields=pages / "exam.json"))
    )
    for kind in ("closed", "thin", "open", "joined", "dashed", "double"):
        page = partial(table, np.random.default_rng(len(cases)), kind)
        cases.append((f"{kind} table", partial(_read_tables, page)))
    for name, degrees, depth in (("leaning", 3.5, 0.0), ("seen from a side", -2.0, 0.12), ("on its head", 180.0, 0.0)):
        cases.append((f"{name} table", partial(_read_tables, partial(_lean_table, len(cases), degrees, depth))))
    tall = partial(table, np.random.default_rng(len(cases)), "closed", 5, 2)
    cases.append(("a table with its sums", partial(_read_tables, tall, sums="last-row", columns={1: "digits:3"})))
    two = partial(_two_tables, len(cases))
    cases.append(("two tables", partial(_read_tables, two, printed=True, best=2)))
    cases.append(
        ("boxes as a table", partial(_read_tables, partial(boxes, True, 2, np.random.default_rng(len(cases)))))
    )
    return cases


def _lean_table(seed: int, degrees: float, depth: float) -> Uint8:
    return lean(table(np.random.default_rng(seed), rows=4), degrees, depth)


def _two_tables(seed: int) -> Uint8:
    rng = np.random.default_rng(seed)
    one, other = table(rng, rows=2), table(rng, "open", rows=3, columns=2)
    gap = ((0, 0), (0, one.shape[1] - other.shape[1]))
    return np.vstack([one, np.pad(other, gap, constant_values=PAPER)])


def _read(page: Callable[[], Any], **options: Any) -> dict[str, Any]:
    return lenet.read(page(), **options).to_dict()


def _read_tables(page: Callable[[], Any], **options: Any) -> dict[str, Any]:
    return {"tables": [each.as_json() for each in lenet.read_table(page(), **options)]}


def round_values(told: Any) -> Any:
    """Return what was read with its shares to five places: more says nothing."""
    if isinstance(told, dict):
        return {key: round_values(value) for key, value in told.items() if key not in ("path", "text_of_steps")}
    if isinstance(told, list):
        return [round_values(each) for each in told]
    return round(told, 5) if isinstance(told, float) else told


def main() -> None:
    """Read all cases, and write what is read."""
    told = {name: round_values(read()) for name, read in list_cases()}
    lines_of = (f"{json.dumps(name)}: {json.dumps(each)}" for name, each in told.items())
    FILE.write_text("{\n" + ",\n".join(lines_of) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
