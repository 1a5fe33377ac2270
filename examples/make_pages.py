"""Draw the sample pages of the folder pages: python examples/make_pages.py [FOLDER].

A class list as a phone photographs it, an exam form, empty and filled in, a sudoku, and a log sheet with sums. The
digits are the strokes of make_pictures.py; nothing is taken from any data set. The same seed draws the same pages.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from make_pictures import Colour, Floats, mix, picture, sheet, uneven_light, written

Size = tuple[int, int]
BLUE, BLACK, PRINT = (28, 44, 140), (34, 34, 38), (20, 20, 22)
# What is written in each page, row by row; "-" is a dash, "v" a tick, "" nothing.
CLASS_LIST = [["7", "v"], ["9", "v"], ["4", ""], ["10", "v"], ["", "-"], ["8", "v"], ["6", "v"], ["5", ""]]
EXAM = {"number": "2305814", "points": ["12", "8", "15", "", "9"], "total": "44"}
SUDOKU = [
    "534678912",
    "672195348",
    "198342567",
    "859761423",
    "426853791",
    "713924856",
    "961537284",
    "287419635",
    "345286179",
]
GIVEN = [
    "53..7....",
    "6..195...",
    ".98....6.",
    "8...6...3",
    "4..8.3..1",
    "7...2...6",
    ".6....28.",
    "...419..5",
    "....8..79",
]
LOG = [["12", "304", "8"], ["9", "287", "11"], ["15", "351", "4"], ["7", "198", "20"], ["43", "1140", "43"]]


def rule(size: Size, lines: list[tuple[float, float, float, float]], thick: int) -> Floats:
    """Return lines from x, y to x, y as ink (H, W), 0 to 1."""
    drawn = np.zeros((size[1], size[0]), np.uint8)
    for x0, y0, x1, y1 in lines:
        cv2.line(drawn, (round(x0), round(y0)), (round(x1), round(y1)), 255, thick)
    return drawn / 255


def rule_grid(size: Size, edges: list[float], rows: list[float], thick: int) -> Floats:
    """Return a grid with these columns' and rows' lines as ink."""
    lines = [(edges[0], y, edges[-1], y) for y in rows] + [(x, rows[0], x, rows[-1]) for x in edges]
    return rule(size, lines, thick)


def print_words(size: Size, words: list[tuple[str, float, float, int]]) -> Floats:
    """Return print as ink: texts with x and y of their upper left corner, and their size."""
    page = Image.new("L", size)
    pen = ImageDraw.Draw(page)
    for text, x, y, high in words:
        pen.text((x, y), text, 255, ImageFont.load_default(high))
    return np.asarray(page) / 255


def mark(size: Size, points: list[tuple[float, float]], wide: float) -> Floats:
    """Return one stroke through points as ink."""
    drawn = np.zeros((size[1], size[0]), np.uint8)
    cv2.polylines(drawn, [np.rint(np.array(points) * 16).astype(np.int32)], False, 255, round(wide), cv2.LINE_AA, 4)
    return drawn / 255


def fill(size: Size, text: str, box: tuple[float, float, float, float], rng: np.random.Generator) -> Floats:
    """Return what is written in a box x0, y0, x1, y1: a number, a tick "v", a dash "-", or nothing."""
    x0, y0, x1, y1 = box
    middle, high = (x0 + x1) / 2, y1 - y0
    if text == "v":
        return mark(
            size, [(middle - 9, y0 + 0.55 * high), (middle - 2, y0 + 0.78 * high), (middle + 16, y0 + 0.2 * high)], 3
        )
    if text == "-":
        return mark(size, [(middle - 14, (y0 + y1) / 2), (middle + 14, (y0 + y1) / 2 - 2)], 3)
    if not text:
        return np.zeros((size[1], size[0]))
    digit = high * float(rng.uniform(0.56, 0.66))
    left = middle - digit * 0.39 * len(text) + float(rng.normal(0, 3))
    top = y0 + (high - digit) / 2 + float(rng.normal(0, 1.5))
    strokes = ["7 with a bar" if character == "7" else character for character in text]
    return written(strokes, size, (left, top, digit), 3.2, rng, 0.12)


def photograph(page: Floats, corners: list[tuple[float, float]], size: Size, rng: np.random.Generator) -> Image.Image:
    """Return a photograph of a page that lies on a dark table, its corners at these places."""
    height, width = page.shape[:2]
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, np.array(corners, np.float32))
    seen = cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(52, 60, 78))
    seen = cv2.GaussianBlur(seen * uneven_light(size, rng), (0, 0), 0.8) + rng.normal(0, 2, (size[1], size[0], 1))
    return picture(seen)


def lay(size: Size, printed: Floats, pen: Floats, colour: Colour) -> Floats:
    """Return a page with print and writing on white paper."""
    return mix(mix(sheet(size, (250, 249, 246)), printed, PRINT), pen, colour)


def draw_class_list(folder: Path, rng: np.random.Generator) -> None:
    """Draw names, grades and who was there: a photograph."""
    size = (900, 760)
    edges, rows = [70.0, 430.0, 600.0, 770.0], [110.0 + 62 * row for row in range(len(CLASS_LIST) + 2)]
    words = [("Class list 5b", 70, 40, 34), ("Name", 84, 128, 24), ("Grade", 444, 128, 24), ("There", 614, 128, 24)]
    words += [(f"Student {row + 1}", 84, rows[row + 1] + 18, 24) for row in range(len(CLASS_LIST))]
    pen = np.zeros((size[1], size[0]))
    for row, texts in enumerate(CLASS_LIST, 1):
        for column, text in enumerate(texts, 1):
            box = (edges[column], rows[row], edges[column + 1], rows[row + 1])
            pen = np.maximum(pen, fill(size, text, box, rng))
    page = lay(size, np.maximum(rule_grid(size, edges, rows, 2), print_words(size, words)), pen, BLUE)
    corners = [(112, 60), (1010, 98), (1068, 812), (66, 846)]
    photograph(page, corners, (1130, 900), rng).save(folder / "class-list.jpg", quality=88)


def draw_exam(folder: Path, rng: np.random.Generator) -> None:
    """Draw an exam's cover: a number in boxes, points in a row, a total; empty, and a scan of it filled in."""
    size = (1000, 520)
    boxes, row = [300.0 + 58 * place for place in range(8)], [120.0, 190.0]
    edges, rows = [80.0, *(300.0 + 110 * place for place in range(6))], [290.0, 350.0, 424.0]
    total = [
        (850.0, 110.0, 950.0, 110.0),
        (950.0, 110.0, 950.0, 180.0),
        (950.0, 180.0, 850.0, 180.0),
        (850.0, 180.0, 850.0, 110.0),
    ]
    printed = np.maximum(rule_grid(size, boxes, row, 2), rule_grid(size, edges, rows, 2))
    printed = np.maximum(printed, rule(size, total, 2))
    words = [("Exam in statistics", 80, 30, 34), ("Student number", 80, 140, 26), ("Total", 770, 130, 26)]
    words += [("Question", 92, 306, 26), ("Points", 92, 372, 26)]
    words += [(str(place + 1), edges[place + 1] + 48, 306, 26) for place in range(5)]
    printed = np.maximum(printed, print_words(size, words))
    nothing = np.zeros((size[1], size[0]))
    picture(lay(size, printed, nothing, BLACK)).save(folder / "exam-empty.png")
    pen = nothing
    for place, digit in enumerate(EXAM["number"]):
        pen = np.maximum(pen, fill(size, digit, (boxes[place], row[0], boxes[place + 1], row[1]), rng))
    for place, points in enumerate(EXAM["points"]):
        pen = np.maximum(pen, fill(size, points, (edges[place + 1], rows[1], edges[place + 2], rows[2]), rng))
    pen = np.maximum(pen, fill(size, str(EXAM["total"]), (850, 110, 950, 180), rng))
    page = lay(size, printed, pen, BLUE)
    turned = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), 0.8, 1.0)
    scan = cv2.warpAffine(page, turned, size, flags=cv2.INTER_LINEAR, borderValue=(252, 252, 252))
    picture(scan + rng.normal(0, 2, (size[1], size[0], 1))).save(folder / "exam.jpg", quality=88)
    corners = [(90, 130), (1240, 60), (1290, 700), (40, 760)]
    photograph(page, corners, (1340, 840), rng).save(folder / "exam-photo.jpg", quality=88)


def draw_sudoku(folder: Path, rng: np.random.Generator) -> None:
    """Draw a sudoku that is solved by hand; what was given is print."""
    size, side = (660, 660), 64.0
    at = [42 + side * line for line in range(10)]
    printed = np.maximum(rule_grid(size, at, at, 1), rule_grid(size, at[::3], at[::3], 4))
    words, pen = [], np.zeros((size[1], size[0]))
    for row in range(9):
        for column in range(9):
            box = (at[column], at[row], at[column + 1], at[row + 1])
            if GIVEN[row][column] != ".":
                words.append((GIVEN[row][column], box[0] + 19, box[1] + 9, 42))
            else:
                pen = np.maximum(pen, fill(size, SUDOKU[row][column], box, rng))
    page = lay(size, np.maximum(printed, print_words(size, words)), pen, BLUE)
    picture(page + rng.normal(0, 2, (size[1], size[0], 1))).save(folder / "sudoku.jpg", quality=88)


def draw_log(folder: Path, rng: np.random.Generator) -> None:
    """Draw a log sheet whose last row is the sum of those above."""
    size = (900, 560)
    edges, rows = [80.0, 280.0, 460.0, 640.0, 820.0], [100.0 + 66 * row for row in range(len(LOG) + 2)]
    words = [("Rain gauge, June", 80, 36, 32), ("Station", 96, 120, 24)]
    words += [(name, edges[place + 1] + 20, 120, 24) for place, name in enumerate(("Rain", "Hours", "Gusts"))]
    words += [
        (f"Week {row + 1}" if row < len(LOG) - 1 else "Sum", 96, rows[row + 1] + 20, 24) for row in range(len(LOG))
    ]
    pen = np.zeros((size[1], size[0]))
    for row, texts in enumerate(LOG, 1):
        for column, text in enumerate(texts, 1):
            pen = np.maximum(pen, fill(size, text, (edges[column], rows[row], edges[column + 1], rows[row + 1]), rng))
    page = lay(size, np.maximum(rule_grid(size, edges, rows, 2), print_words(size, words)), pen, BLACK)
    picture(page + rng.normal(0, 2, (size[1], size[0], 1))).save(folder / "log-sheet.jpg", quality=88)


def draw_pages(folder: Path, seed: int = 1998) -> None:
    """Write every sample page into `folder`."""
    for number, draw in enumerate((draw_class_list, draw_exam, draw_sudoku, draw_log)):
        draw(folder, np.random.default_rng([seed, number]))


if __name__ == "__main__":
    draw_pages(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "pages")
