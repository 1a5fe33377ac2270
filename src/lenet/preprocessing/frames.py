"""The pages of one file: frames of a TIFF or a GIF, pages of a PDF, each a picture of its own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from lenet.errors import LenetError, MissingExtra, PictureError, reason
from lenet.preprocessing.decode import MOST_PIXELS
from lenet.preprocessing.sources import MOST_BYTES

# How the names of files end that may have several pages.
FRAMED, PDF = (".tif", ".tiff", ".gif"), ".pdf"
# No more pages of a file are read.
_MOST_PAGES = 10_000
# A page of a PDF is drawn with so many points to an inch, of 72 points.
_DPI, _POINTS = 200, 72


def count_pages(path: str) -> int:
    """Return how many pages a file has. Raises PictureError where that cannot be told, and MissingExtra for a PDF."""
    if path.lower().endswith(PDF):
        document = _open_pdf(path)
        try:
            return _check_count(path, len(document))
        finally:
            document.close()
    try:
        with _quiet(), Image.open(path) as picture:
            return _check_count(path, getattr(picture, "n_frames", 1))
    except LenetError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly every class on hostile bytes
        raise PictureError(path, f"cannot be decoded ({reason(error)})") from error


def open_pages(path: str, numbers: list[int]) -> Iterator[Image.Image | LenetError]:
    """Yield the pages of a file with these numbers, from 1 on; in the place of a bad one what is wrong with it.

    One page is held at a time. Raises LenetError where the file cannot be opened at all.
    """
    if path.lower().endswith(PDF):
        yield from _draw_pages(path, numbers)
        return
    try:
        with _quiet():
            picture = Image.open(path)
    except Exception as error:
        raise PictureError(path, f"cannot be decoded ({reason(error)})") from error
    with picture:
        for number in numbers:
            try:
                with _quiet():
                    picture.seek(number - 1)
                    _check_size(f"{path}, page {number}", *picture.size)
                    frame = picture.copy()
                yield frame
            except LenetError as error:
                yield error
            except Exception as error:
                yield PictureError(f"{path}, page {number}", f"cannot be decoded ({reason(error)})")


def _draw_pages(path: str, numbers: list[int]) -> Iterator[Image.Image | LenetError]:
    document = _open_pdf(path)
    try:
        for number in numbers:
            try:
                page = document[number - 1]
                wide, high = (round(side * _DPI / _POINTS) for side in page.get_size())
                _check_size(f"{path}, page {number}", wide, high)
                yield page.render(scale=_DPI / _POINTS).to_pil()
            except LenetError as error:
                yield error
            except Exception as error:
                yield PictureError(f"{path}, page {number}", f"cannot be drawn ({reason(error)})")
    finally:
        document.close()


def _open_pdf(path: str) -> Any:
    try:
        import pypdfium2
    except ImportError as error:
        raise MissingExtra(path, "pypdfium2", "pdf") from error
    try:
        if Path(path).stat().st_size > MOST_BYTES:
            raise PictureError(path, "too large", f"at most {MOST_BYTES:,} bytes are read", kind="too large")
        return pypdfium2.PdfDocument(path)
    except LenetError:
        raise
    except Exception as error:  # damaged, encrypted, or not there any more
        raise PictureError(path, f"is no PDF that can be read ({reason(error)})") from error


def _check_count(path: str, count: int) -> int:
    if count > _MOST_PAGES:
        raise PictureError(path, f"{count:,} pages", f"at most {_MOST_PAGES:,} are read", kind="too large")
    return count


def _check_size(name: str, wide: int, high: int) -> None:
    if wide * high > MOST_PIXELS:
        problem = f"{wide}x{high} is {wide * high:,} pixels"
        raise PictureError(name, problem, f"at most {MOST_PIXELS:,} are read", kind="too large")


def _quiet() -> warnings.catch_warnings[None]:
    """Keep Pillow's warnings of what is either read all the same or refused."""
    return warnings.catch_warnings(action="ignore")
