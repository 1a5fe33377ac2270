"""Opening pictures: every mode and format that people have, and one clear line for every bad file."""

from __future__ import annotations

import contextlib
import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lenet.errors import LenetError, PictureError
from lenet.preprocessing.decode import MOST_PIXELS, open_page

from conftest import notes_of
from hostile import HOSTILE


def drawing() -> np.ndarray:
    """A dark bar on light paper, (40, 30) uint8."""
    grey = np.full((40, 30), 230, np.uint8)
    grey[8:32, 13:18] = 20
    return grey


def as_bytes(picture: Image.Image, form: str, **options: object) -> bytes:
    """Encode a picture."""
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "F", "I;16", "1"])
def test_every_mode_gives_dark_ink_on_light_paper(mode: str) -> None:
    """Whatever the mode, the bar is darker than the paper by far."""
    deep = Image.fromarray(drawing().astype(np.uint16) * 257)
    picture = deep if mode == "I;16" else Image.fromarray(drawing()).convert(mode)
    page = open_page(picture)
    assert page.grey.shape == (40, 30)
    assert page.grey.dtype == np.uint8
    assert int(page.grey[2, 2]) - int(page.grey[20, 15]) > 150


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"])
def test_every_format_is_read(form: str, tmp_path: Path) -> None:
    """From bytes, from a path and from a string, the same page."""
    data = as_bytes(Image.fromarray(drawing()), form)
    path = tmp_path / "picture"
    path.write_bytes(data)
    pages = [open_page(data), open_page(path), open_page(str(path))]
    assert all((page.grey == pages[0].grey).all() for page in pages)
    assert np.abs(pages[0].grey.astype(int) - drawing()).max() < 40


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_arrays_of_every_type_are_read(dtype: type, channels: int | None) -> None:
    """(H, W), (H, W, 1) and (H, W, 3), in 0 to 1, 0 to 255 or the full range of 16 bits."""
    array = drawing() > 128 if dtype is bool else drawing().astype(dtype)
    if dtype in (np.float32,):
        array = array / 255
    if dtype is np.uint16:
        array = array * 257
    if channels:
        array = np.repeat(array[..., None], channels, axis=2)
    page = open_page(array)
    assert int(page.grey[2, 2]) - int(page.grey[20, 15]) > 150


def test_exif_turns_the_picture_and_says_so() -> None:
    """Orientation 6: stored lying, shown upright."""
    picture = Image.fromarray(drawing()).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    page = open_page(as_bytes(picture, "PNG", exif=exif))
    assert (page.grey == drawing()).all()
    assert page.size == (30, 40)
    assert notes_of(page) == ("turned as its EXIF data say",)


@pytest.mark.parametrize(("colour", "laid_over"), [(0, "white"), (255, "black")])
def test_a_transparent_canvas_gets_the_backdrop_that_shows_its_ink(colour: int, laid_over: str) -> None:
    """Black strokes need white paper, white strokes black paper."""
    alpha = 255 - drawing()
    rgba = np.dstack([np.full((40, 30, 3), colour, np.uint8), np.where(alpha > 100, 255, 0).astype(np.uint8)])
    for source in (Image.fromarray(rgba), rgba):
        page = open_page(source)
        assert notes_of(page) == (f"transparent: laid over {laid_over}",)
        assert abs(int(page.grey[2, 2]) - int(page.grey[20, 15])) == 255


def test_transparent_corners_do_not_become_ink() -> None:
    """A mostly opaque picture gets its own middle grey where it is transparent."""
    alpha = np.full((40, 30), 255, np.uint8)
    alpha[:4, :4] = 0
    page = open_page(np.dstack([drawing(), alpha]))
    assert page.grey[1, 1] == 230


def test_the_first_frame_is_read_with_a_note() -> None:
    """An animated GIF."""
    frames = [Image.fromarray(drawing()), Image.fromarray(255 - drawing())]
    data = as_bytes(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert notes_of(open_page(data)) == ("first of 2 frames",)


def test_large_pictures_are_reduced_and_boxes_know_the_scale() -> None:
    """25 megapixels become at most 4.2; the scale leads back."""
    page = open_page(np.full((5000, 5000), 200, np.uint8))
    assert page.grey.size <= 4_200_000
    assert page.size == (5000, 5000)
    assert page.scale * page.grey.shape[1] == pytest.approx(5000, rel=1e-3)


def test_a_large_jpeg_is_decoded_small() -> None:
    """The decoder's own reduction counts in the scale."""
    data = as_bytes(Image.fromarray(np.full((4000, 6000), 200, np.uint8)), "JPEG")
    page = open_page(data)
    assert page.size == (6000, 4000)
    assert page.scale * page.grey.shape[1] == pytest.approx(6000, rel=1e-2)


@pytest.mark.parametrize(("data", "message"), [each[:2] for each in HOSTILE])
def test_bad_bytes_give_one_clear_line(data: bytes, message: str) -> None:
    """What is wrong, and what to do."""
    with pytest.raises(PictureError, match=message) as caught:
        open_page(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", ["GIF", "TIFF"])
def test_truncated_frames_give_one_clear_line(form: str) -> None:
    """Several frames, cut off anywhere: a page or one line, never another exception."""
    frames = [Image.fromarray(np.roll(drawing(), shift)) for shift in (0, 5, 9)]
    data = as_bytes(frames[0], form, save_all=True, append_images=frames[1:])
    for length in range(0, len(data), 7):
        with contextlib.suppress(LenetError):
            open_page(data[:length])


def test_the_callers_image_is_left_alone() -> None:
    """A JPEG that the caller opened keeps its size: it is read twice with the same boxes."""
    picture = Image.open(io.BytesIO(as_bytes(Image.fromarray(np.full((2400, 2400), 200, np.uint8)), "JPEG")))
    first, second = open_page(picture), open_page(picture)
    assert picture.size == (2400, 2400)
    assert (first.size, first.scale) == (second.size, second.scale)


@pytest.mark.parametrize(
    "array", [np.full((40, 40), 65535, np.uint16), np.full((40, 40), 300.0), np.full((9, 9), -1.0)]
)
def test_pages_of_one_value_are_flat(array: np.ndarray) -> None:
    """Whatever the value: no division by an empty range."""
    assert np.ptp(open_page(array).grey) == 0


def test_the_range_of_values_is_told_by_the_largest() -> None:
    """16 bits are not stretched until rounding becomes ink; masks, wide integers and RGBA are understood."""
    deep = np.full((40, 30), 60000, np.uint16)
    deep[8:32, 13:18] = 59990
    assert np.ptp(open_page(deep).grey) == 0
    twelve = drawing().astype(np.uint16) * 16
    assert np.abs(open_page(twelve).grey.astype(int) - drawing()).max() <= 2
    mask = (drawing() < 100).astype(np.uint8)
    assert np.ptp(open_page(mask).grey) == np.ptp(open_page(np.repeat(mask[..., None], 3, 2)).grey) == 255
    rgba = np.dstack([np.zeros((40, 30, 3), int), np.where(drawing() < 100, 255, 0)])
    assert np.ptp(open_page(rgba).grey) == 255


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_truncated_file_gives_one_clear_line(form: str, share: float, rng: np.random.Generator) -> None:
    """Cut off early, in the middle or near the end."""
    data = as_bytes(Image.fromarray(rng.integers(0, 256, (60, 60)).astype(np.uint8)), form)
    with pytest.raises(PictureError):
        open_page(data[: int(len(data) * share)])


@given(
    st.binary(max_size=300), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF89a", b"II*\x00", b"\xff\xd8\xff"])
)
def test_any_bytes_are_a_page_or_one_clear_line(data: bytes, magic: bytes) -> None:
    """No other exception escapes."""
    try:
        open_page(magic + data)
    except LenetError as error:
        assert "\n" not in str(error)


def test_bad_paths_give_one_clear_line(tmp_path: Path) -> None:
    """A missing file, a folder, a pipe, a name with a zero byte."""
    with pytest.raises(PictureError, match="no such file"):
        open_page(tmp_path / "missing.png")
    with pytest.raises(PictureError, match="is a folder, not a picture"):
        open_page(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PictureError, match="is not a regular file"):
        open_page(tmp_path / "pipe")
    with pytest.raises(PictureError):
        open_page("a\0b")


def test_no_permission_gives_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read; the refusal is played, because root may read everything."""

    def refuse(self: Path) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    path = tmp_path / "secret.png"
    path.write_bytes(b"x")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(PictureError, match=r"secret.png: cannot be read \(permission denied\)"):
        open_page(path)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 5), np.uint8), "nothing to read"),
        (np.zeros(5, np.uint8), r"shape \(5,\)"),
        (np.zeros((5, 5, 7), np.uint8), r"shape \(5, 5, 7\)"),
        (np.array([["a", "b"]]), "type <U1"),
        (np.array([[0.5, np.nan]]), r"nan at \[0, 1\]"),
        (np.zeros((1, 1), np.complex64), "type complex64"),
        (np.broadcast_to(np.uint8(0), (MOST_PIXELS + 1, 1)), "pixels are read"),
    ],
)
def test_bad_arrays_give_one_clear_line(array: np.ndarray, message: str) -> None:
    """The message names shape, type or place."""
    with pytest.raises(PictureError, match=message):
        open_page(array)
