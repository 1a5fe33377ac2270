"""Reading one digit, end to end: any source, any page, and the right answer for digits nobody has seen."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lenet
from lenet.data.dataset import Dataset

from conftest import ROOT

pytestmark = pytest.mark.engine

# What each sample picture says.
EXAMPLES = {
    "pen.png": "7",
    "pencil.jpg": "3",
    "chalk.jpg": "5",
    "marker.png": "2",
    "photo.jpg": "4",
    "canvas.png": "6",
    "canvas-white.png": "9",
    "thin.png": "8",
    "fax.tif": "0",
    "sticky-note.webp": "1",
    "whiteboard.jpg": "3",
    "phone.jpg": "7",
    "tiny.bmp": "2",
    "blank.jpg": "",
    "zip.jpg": "90210",
    "form.png": "4736",
    "touching.jpg": "8053",
    "two-lines.jpg": "1998\n2026",
    "amount.jpg": "12.750.-",
    "boxes.png": "305617",
    "lined.jpg": "26082",
    "code.png": "7204",  # digits alone: letters are for lenet5-ascii
}


@pytest.mark.parametrize(("name", "text"), list(EXAMPLES.items()))
def test_every_sample_picture_is_read(name: str, text: str) -> None:
    """Twenty-two pictures as people have them, each right and sure of it; the blank one abstains."""
    reading = lenet.read(ROOT / "examples" / name)
    assert reading.text == text
    assert reading.abstained == ("blank" if not text else False)
    assert reading.confidence > (0.9 if len(text) == 1 else 0.6) or not text


def test_the_sample_pictures_are_drawn_by_the_script(tmp_path: Path) -> None:
    """examples/make_pictures.py draws what is in the folder: the same files, of nearly the same pixels."""
    from make_pictures import draw_all

    draw_all(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(EXAMPLES)
    for name in EXAMPLES:
        with Image.open(tmp_path / name) as made, Image.open(ROOT / "examples" / name) as kept:
            difference = np.asarray(made.convert("L"), float) - np.asarray(kept.convert("L"), float)
        assert np.abs(difference).mean() < 2, name


def test_the_source_may_be_a_path_bytes_an_array_or_an_image() -> None:
    """Four ways to the same reading, glyph and all."""
    path = ROOT / "examples" / "pencil.jpg"
    with Image.open(path) as picture:
        picture.load()
        sources = [path, str(path), path.read_bytes(), np.asarray(picture), picture.copy()]
    readings = [lenet.read(source) for source in sources]
    assert all(reading == readings[0] for reading in readings)
    assert all((reading.digits[0].glyph == readings[0].digits[0].glyph).all() for reading in readings)


def test_a_reading_says_everything_about_its_digit() -> None:
    """Label, confidence, runner-up, box in the picture's pixels, the glyph that the network saw, the notes."""
    reading = lenet.read(ROOT / "examples" / "chalk.jpg")
    (digit,) = reading.digits
    assert (digit.label, digit.line) == ("5", 0)
    assert digit.confidence >= digit.runner_up.confidence > 0
    assert digit.runner_up.label != "5"
    assert digit.box == pytest.approx((110, 65, 230, 240), abs=20)
    assert digit.glyph.shape == (28, 28)
    assert digit.glyph.dtype == np.uint8
    assert "light ink on dark paper" in reading.notes


def test_the_box_is_in_the_turned_pictures_pixels() -> None:
    """A phone's EXIF rotation: the box is where a person sees the digit."""
    (digit,) = lenet.read(ROOT / "examples" / "phone.jpg").digits
    assert digit.box == pytest.approx((130, 140, 260, 325), abs=20)


@pytest.mark.parametrize("size", [8, 12, 28, 100, 1000, 7000])
def test_pictures_of_8_pixels_to_49_megapixels_are_read(size: int) -> None:
    """The same bar of a 1, from the smallest to the largest picture."""
    picture = np.full((size, size), 250, np.uint8)
    picture[size // 8 : size - size // 8, size // 2 : size // 2 + max(1, size // 9)] = 10
    assert lenet.read(picture).text == "1"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_formats_and_modes_are_read_alike(form: str, mode: str) -> None:
    """The marker's 2 in every format and in the modes that all formats share."""
    with Image.open(ROOT / "examples" / "marker.png") as picture:
        converted = picture.convert("L").convert(mode)
    if form in ("JPEG", "WEBP") and mode in ("1", "P"):
        converted = converted.convert("L")
    out = io.BytesIO()
    converted.save(out, form)
    assert lenet.read(out.getvalue()).text == "2"


def test_an_unsure_answer_is_a_guess() -> None:
    """Scribble: when the probability is below a half the reading is "uncertain", its text empty, its digits a guess."""
    rng = np.random.default_rng(0)
    for _try in range(200):
        scribble = np.kron(rng.integers(0, 2, (6, 6)), np.ones((20, 20))) * 255
        reading = lenet.read(255 - np.pad(scribble, 30).astype(np.uint8))
        assert (reading.abstained == "uncertain") == (reading.confidence < 0.5)
        if reading.abstained:
            assert (reading.text, reading.guess) == ("", "".join(digit.label for digit in reading.digits))
            assert not any(digit.answered for digit in reading.digits)
            return
    pytest.fail("no scribble was uncertain")


def test_unseen_digits_are_read_from_random_pages(mnist: Dataset) -> None:
    """120 digits of held-out writers pasted at random, as benchmarks/read_pasted.py does: 97 % right."""
    from read_pasted import paste

    held_out = mnist.split(True)[1]
    rng = np.random.default_rng(7)
    wrong = 0
    for row in rng.choice(len(held_out), 120, replace=False):
        page, _made = paste(held_out.glyphs[row], rng)
        wrong += lenet.read(page).text != str(held_out.labels[row])
    assert wrong <= 3


def test_unseen_digits_are_read_as_they_are(mnist: Dataset) -> None:
    """300 glyphs of held-out writers as 28x28 pictures: 98 % right (half of them are students', the hard kind)."""
    held_out = mnist.split(True)[1]
    rows = np.random.default_rng(7).choice(len(held_out), 300, replace=False)
    wrong = sum(lenet.read(held_out.glyphs[row]).text != str(held_out.labels[row]) for row in rows)
    assert wrong <= 6
