"""Draw the sample pictures of this folder: python examples/make_pictures.py [FOLDER].

Each digit is a few strokes through hand-placed points, bent and shaken a little, and rendered as people have
them: pen, pencil, chalk, marker, a photograph in uneven light, a transparent canvas. Nothing is taken from
any data set. The same seed draws the same pictures.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Floats = npt.NDArray[np.float64]
Colour = tuple[int, int, int]

# Strokes in a unit box, y downwards. A point given twice is a corner.
STROKES: dict[str, list[list[tuple[float, float]]]] = {
    "0": [[(0.55, 0.01), (0.25, 0.12), (0.12, 0.5), (0.28, 0.9), (0.55, 0.99), (0.82, 0.78), (0.86, 0.4), (0.5, 0.0)]],
    "1": [[(0.5, 0.0), (0.5, 0.5), (0.46, 1.0)]],
    "1 with a serif": [[(0.24, 0.28), (0.42, 0.14), (0.55, 0.0), (0.55, 0.0), (0.54, 0.5), (0.52, 1.0)]],
    "2": [
        [(0.15, 0.24), (0.32, 0.03), (0.62, 0.02), (0.78, 0.24), (0.6, 0.56), (0.12, 0.97)],
        [(0.12, 0.97), (0.35, 0.93), (0.6, 0.98), (0.88, 0.93)],
    ],
    "3": [
        [(0.17, 0.1), (0.45, 0.0), (0.74, 0.13), (0.64, 0.38), (0.38, 0.47)],
        [(0.38, 0.47), (0.72, 0.56), (0.8, 0.82), (0.48, 1.0), (0.12, 0.9)],
    ],
    "4": [[(0.32, 0.0), (0.2, 0.35), (0.1, 0.62), (0.1, 0.62), (0.45, 0.6), (0.9, 0.58)], [(0.68, 0.22), (0.62, 1.0)]],
    "5": [
        [(0.82, 0.02), (0.55, 0.04), (0.28, 0.04)],
        [(0.28, 0.04), (0.22, 0.44), (0.22, 0.44), (0.5, 0.38), (0.8, 0.56), (0.74, 0.86), (0.45, 1.0), (0.12, 0.9)],
    ],
    "6": [
        [
            *((0.7, 0.0), (0.4, 0.2), (0.2, 0.55), (0.24, 0.86), (0.5, 1.0)),
            *((0.77, 0.84), (0.7, 0.6), (0.45, 0.54), (0.22, 0.72)),
        ]
    ],
    "7": [[(0.1, 0.06), (0.45, 0.05), (0.86, 0.03), (0.86, 0.03), (0.6, 0.45), (0.42, 1.0)]],
    "7 with a bar": [
        [(0.1, 0.06), (0.45, 0.05), (0.86, 0.03), (0.86, 0.03), (0.6, 0.45), (0.42, 1.0)],
        [(0.32, 0.5), (0.55, 0.48), (0.8, 0.49)],
    ],
    "8": [
        [
            *((0.74, 0.14), (0.47, 0.0), (0.24, 0.18), (0.46, 0.45), (0.76, 0.72)),
            *((0.5, 1.0), (0.2, 0.8), (0.44, 0.5), (0.7, 0.3), (0.74, 0.12)),
        ]
    ],
    "9": [
        [
            *((0.76, 0.22), (0.52, 0.02), (0.24, 0.2), (0.34, 0.46), (0.64, 0.42)),
            *((0.77, 0.18), (0.73, 0.6), (0.62, 1.0)),
        ]
    ],
    "K": [
        [(0.2, 0.0), (0.18, 0.5), (0.2, 1.0)],
        [(0.82, 0.03), (0.5, 0.32), (0.2, 0.56), (0.2, 0.56), (0.5, 0.74), (0.86, 0.98)],
    ],
    "R": [
        [(0.2, 1.0), (0.19, 0.5), (0.2, 0.02)],
        [
            *((0.2, 0.03), (0.55, 0.0), (0.82, 0.16), (0.66, 0.42), (0.22, 0.5), (0.22, 0.5)),
            *((0.5, 0.7), (0.86, 0.99)),
        ],
    ],
}


def curve(points: list[tuple[float, float]], rng: np.random.Generator, shake: float) -> Floats:
    """Return (n, 2) points of a Catmull-Rom spline through shaken points; doubled points stay corners."""
    knots: Floats = np.array(points) + rng.normal(0, shake, (len(points), 2))
    for index in range(1, len(points)):
        if points[index] == points[index - 1]:
            knots[index] = knots[index - 1]
    padded = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    t = np.linspace(0, 1, 60)[:, None]
    parts = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        parts.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.vstack(parts)


def ink(
    digit: str,
    size: tuple[int, int],
    box: tuple[float, float, float],
    width: float,
    rng: np.random.Generator,
    slant: float = 0.1,
) -> Floats:
    """Return the ink (H, W), 0 to 1, of a digit on a page of `size` (width, height).

    `box` is x and y of the top left corner and the height of the digit, `width` the stroke's, in pixels. The
    pressure of the hand varies along each stroke.
    """
    fine = 4
    canvas = np.zeros((size[1] * fine, size[0] * fine), np.uint8)
    x0, y0, height = box
    for stroke in STROKES[digit]:
        places = curve(stroke, rng, 0.012)
        pressure = 1 + 0.18 * np.sin(np.linspace(rng.uniform(0, 6), rng.uniform(6, 10), len(places)))
        for (x, y), press in zip(places, pressure, strict=True):
            centre = ((x0 + height * (0.72 * x + slant * (1 - y))) * fine, (y0 + height * y) * fine)
            radius = max(1, round(width * press * fine / 2))
            cv2.circle(canvas, (round(centre[0]), round(centre[1])), radius, 255, -1, cv2.LINE_AA)
    return cv2.resize(canvas, size, interpolation=cv2.INTER_AREA).astype(np.float64) / 255


def written(
    number: str | list[str],
    size: tuple[int, int],
    box: tuple[float, float, float],
    width: float,
    rng: np.random.Generator,
    gap: float,
) -> Floats:
    """Return the ink of a number, or of named strokes, as `ink` does for a digit.

    `gap` is the room between digits, a share of their height.

    Digits stand a little up or down and lean a little differently; points and dashes are drawn where they belong.
    """
    x, y, height = box
    share = np.zeros((size[1], size[0]))
    for character in number:
        up, lean = height * rng.normal(0, 0.03), rng.normal(0.12, 0.03)
        if character in ".-":
            page = np.zeros(share.shape, np.uint8)
            end = (0.02, 0.97) if character == "." else (0.35, 0.55)
            places = [
                (x + height * (gap + 0.02), y + height * 0.97),
                (x + height * (gap + end[0]), y + height * end[1]),
            ]
            if character == "-":
                places[0] = (x + height * gap, y + height * 0.57)
            first, last = (tuple(round(16 * side) for side in place) for place in places)
            cv2.line(page, first, last, 255, max(2, round(width)), cv2.LINE_AA, 4)
            share = np.maximum(share, page / 255)
            x += height * (end[0] + gap + 0.12)
            continue
        share = np.maximum(share, ink(character, size, (x, y + up, height), width, rng, lean))
        x += height * ((0.3 if character == "1" else 0.66) + gap)
    return share


def grain(size: tuple[int, int], scale: float, rng: np.random.Generator) -> Floats:
    """Return smooth noise (H, W) with mean 0 and standard deviation 1, whose lumps are about `scale` pixels."""
    noise = cv2.GaussianBlur(rng.normal(0, 1, (size[1], size[0])), (0, 0), scale)
    return (noise - noise.mean()) / noise.std()


def mix(paper: Floats, share: Floats, colour: Colour) -> Floats:
    """Lay ink of a colour over (H, W, 3) paper, `share` (H, W) of it."""
    return paper * (1 - share[..., None]) + np.array(colour, float) * share[..., None]


def sheet(size: tuple[int, int], colour: Colour) -> Floats:
    """Return plain (H, W, 3) paper."""
    return np.full((size[1], size[0], 3), colour, float)


def picture(values: Floats) -> Image.Image:
    """Return values, 0 to 255, as a Pillow image."""
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def uneven_light(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Return the light (H, W, 1) of a lamp to one side, with the soft shadow of a hand in a corner."""
    y, x = np.mgrid[: size[1], : size[0]] / max(size)
    lamp = 1.05 - 0.35 * np.hypot(x - 0.2, y - 0.1)
    shadow = 1 - 0.3 / (1 + np.exp(-(x + 1.3 * y - 1.35) * 14))
    return (lamp * shadow + 0.006 * grain(size, 1, rng))[..., None]


def draw_all(folder: Path, seed: int = 1998) -> None:
    """Write every sample picture into `folder`."""
    rng = np.random.default_rng(seed)

    size = (200, 220)
    picture(mix(sheet(size, (255, 255, 255)), ink("7 with a bar", size, (45, 40, 140), 7, rng), (24, 32, 92))).save(
        folder / "pen.png"
    )

    size = (240, 240)
    lead = ink("3", size, (70, 50, 130), 6, rng) * np.clip(0.62 + 0.2 * grain(size, 0.8, rng), 0, 1)
    paper = sheet(size, (244, 242, 236)) + 2.5 * grain(size, 1.2, rng)[..., None]
    picture(mix(paper, lead, (70, 70, 74))).save(folder / "pencil.jpg", quality=88)

    size = (320, 300)
    chalk = ink("5", size, (100, 70, 165), 13, rng) * np.clip(0.8 + 0.45 * grain(size, 0.9, rng), 0, 1)
    board = sheet(size, (38, 66, 54)) + 6 * grain(size, 14, rng)[..., None] + 3 * grain(size, 1, rng)[..., None]
    picture(mix(board, chalk, (236, 238, 230))).save(folder / "chalk.jpg", quality=88)

    size = (260, 260)
    thick = ink("2", size, (70, 55, 150), 30, rng)
    picture(mix(sheet(size, (252, 252, 250)), thick, (20, 20, 20))).save(folder / "marker.png")

    size = (640, 480)
    page = mix(sheet(size, (226, 220, 206)), ink("4", size, (330, 150, 190), 9, rng), (40, 44, 60))
    photo = cv2.GaussianBlur(page * uneven_light(size, rng), (0, 0), 1.1) + rng.normal(0, 3, (*page.shape[:2], 1))
    picture(photo).save(folder / "photo.jpg", quality=85)

    size = (280, 280)
    line = ink("6", size, (90, 60, 160), 8, rng)
    picture(np.dstack([np.zeros((*line.shape, 3)), 255 * line])).save(folder / "canvas.png")

    size = (300, 300)
    line = ink("9", size, (100, 60, 180), 10, rng)
    picture(np.dstack([np.full((*line.shape, 3), 255.0), 255 * line])).save(folder / "canvas-white.png")

    size = (500, 500)
    thin = ink("8", size, (160, 90, 300), 2.5, rng)
    picture(mix(sheet(size, (255, 255, 255)), thin, (0, 0, 0))).save(folder / "thin.png")

    size = (220, 260)
    fax = ink("0", size, (60, 60, 140), 9, rng) > 0.5
    fax |= rng.random(fax.shape) < 0.0006
    Image.fromarray(~fax).save(folder / "fax.tif", compression="group4")

    size = (320, 320)
    note = sheet(size, (250, 226, 110)) * (1 - 0.0004 * np.arange(size[0])[None, :, None])
    picture(mix(note, ink("1 with a serif", size, (110, 80, 150), 8, rng), (176, 32, 40))).save(
        folder / "sticky-note.webp", quality=85
    )

    size = (400, 300)
    y, x = np.mgrid[: size[1], : size[0]]
    glare = 22 * np.exp(-((x - 310) ** 2 + (y - 60) ** 2) / 9000)[..., None]
    white = sheet(size, (226, 230, 234)) + glare + 1.5 * grain(size, 1, rng)[..., None]
    picture(mix(white, 0.9 * ink("3", size, (120, 80, 150), 12, rng, 0.16), (18, 120, 76))).save(
        folder / "whiteboard.jpg", quality=85
    )

    size = (360, 480)
    upright = mix(sheet(size, (232, 232, 228)), ink("7", size, (120, 140, 180), 10, rng), (30, 30, 44))
    turned = picture(upright + rng.normal(0, 2, (*upright.shape[:2], 1))).rotate(90, expand=True)
    exif = turned.getexif()
    exif[0x0112] = 6  # how a phone held upright writes it: turn by 90 degrees to the right to see it
    turned.save(folder / "phone.jpg", quality=85, exif=exif)

    size = (24, 24)
    tiny = ink("2", size, (6, 4, 15), 2, rng)
    picture(mix(sheet(size, (255, 255, 255)), tiny, (40, 40, 40))).convert("L").save(folder / "tiny.bmp")

    size = (200, 260)
    paper = sheet(size, (248, 246, 240)) + 2 * grain(size, 1, rng)[..., None]
    picture(paper).save(folder / "blank.jpg", quality=88)

    size = (900, 420)
    paper = sheet(size, (228, 224, 214)) + 3 * grain(size, 8, rng)[..., None]
    page = mix(paper, written("90210", size, (170, 150, 130), 8, rng, 0.12), (36, 44, 96))
    photo = cv2.GaussianBlur(page * uneven_light(size, rng), (0, 0), 0.9) + rng.normal(0, 2.5, (*page.shape[:2], 1))
    picture(photo).save(folder / "zip.jpg", quality=85)

    size = (520, 160)
    form = sheet(size, (255, 255, 255))
    cv2.rectangle(form, (30, 25), (490, 135), (90, 90, 90), 3)
    cv2.line(form, (60, 112), (460, 112), (150, 150, 150), 2)
    picture(mix(form, written("4736", size, (100, 42, 70), 6, rng, 0.2), (16, 40, 160))).save(folder / "form.png")

    size = (420, 170)
    paper = sheet(size, (246, 244, 238)) + 2 * grain(size, 1, rng)[..., None]
    picture(mix(paper, written("8053", size, (50, 40, 90), 8, rng, -0.08), (40, 40, 44))).save(
        folder / "touching.jpg", quality=88
    )

    size = (460, 380)
    paper = sheet(size, (236, 238, 240)) + 2 * grain(size, 1, rng)[..., None]
    lines = np.maximum(
        written("1998", size, (60, 60, 90), 7, rng, 0.15), written("2026", size, (80, 220, 90), 7, rng, 0.15)
    )
    picture(mix(paper, lines, (30, 36, 48))).save(folder / "two-lines.jpg", quality=88)

    size = (640, 180)
    paper = sheet(size, (250, 248, 240)) + 2 * grain(size, 1, rng)[..., None]
    picture(mix(paper, written("12.750.-", size, (60, 45, 85), 7, rng, 0.14), (28, 36, 110))).save(
        folder / "amount.jpg", quality=88
    )

    # As dark as the pen: only where it goes tells a line from a stroke.
    size = (640, 150)
    boxed = np.zeros((size[1], size[0]), np.uint8)
    cv2.rectangle(boxed, (20, 25), (620, 125), 255, 3)
    for x in range(120, 620, 100):
        cv2.line(boxed, (x, 25), (x, 125), 255, 3)
    share = boxed / 255
    for place, digit in enumerate("305617"):
        share = np.maximum(share, ink(digit, size, (45 + 100 * place, 40, 66 + 6 * (place % 3)), 7, rng))
    picture(mix(sheet(size, (250, 250, 248)), share, (32, 32, 38))).save(folder / "boxes.png")

    size = (640, 300)
    paper = sheet(size, (240, 238, 230)) + 2 * grain(size, 1, rng)[..., None]
    ruled = np.zeros((size[1], size[0]), np.uint8)
    for y in (66, 178, 290):
        cv2.line(ruled, (0, y), (639, y + 5), 150, 3, cv2.LINE_AA)
    paper = mix(paper, np.maximum(ruled / 255, written("26082", size, (90, 92, 88), 7, rng, 0.16)), (44, 44, 50))
    picture(paper).save(folder / "lined.jpg", quality=85)

    size = (620, 170)
    paper = sheet(size, (248, 248, 244)) + 2 * grain(size, 1, rng)[..., None]
    picture(mix(paper, written("KR7204", size, (50, 42, 84), 7, rng, 0.2), (34, 34, 60))).save(folder / "code.png")


if __name__ == "__main__":
    draw_all(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
