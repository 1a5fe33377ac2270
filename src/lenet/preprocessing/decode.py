"""Decode: a path, bytes, an array or a Pillow image becomes one grey page. The only place that opens pictures."""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lenet.arrays import Floats, Uint8, percentile
from lenet.errors import PictureError, reason
from lenet.preprocessing.parameters import DECODE, INK, SHEET
from lenet.preprocessing.sources import MOST_BYTES, PictureSource, name_source, take_source
from lenet.steps import Step, Values

# Refused before decoding: a small file can announce gigabytes.
MOST_PIXELS = 64_000_000
# Larger pictures are averaged down to about this many pixels, so that reading takes bounded time, and longer ones to so
# many on their longer side: OpenCV samples pictures (remap) of at most 32,767, and a line that leans gets longer.
_WORKING_PIXELS, _LONGEST = 4_200_000, 24_000
# Pillow's own weights for luminance, ITU-R 601-2.
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
# What Pillow may decode: no format that runs another program or that nobody photographs in.
_FORMATS = ("PNG", "JPEG", "MPO", "TIFF", "WEBP", "BMP", "GIF", "PPM", "AVIF", "HEIF")
# How the names of such pictures end.
SUFFIXES = frozenset(
    (
        *(".png", ".jpg", ".jpeg", ".mpo", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".ppm", ".pgm", ".pbm", ".avif"),
        *(".heic", ".heif"),
    )
)
# A pixel is opaque, and a picture mostly so, above a half; darker ink than half of white lies on white.
_HALF = 0.5
# The value of full white, by bit depth; 1 for floats and masks.
_FULL_VALUES = (1, 255, 1023, 4095, 16383, 65535)
# EXIF's tag for how the camera was held, and the first of its values for a picture that lies on its side.
_ORIENTATION, _LYING = 0x0112, 5
# Formats that are refused by name, by how their files begin (offset, bytes); and those of HEIC photographs.
_REFUSED = {
    "a PDF": (0, b"%PDF"),
    "an SVG drawing": (0, b"<svg"),
}
_HEIC = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1", b"ftypheif")


@dataclass(frozen=True)
class Page:
    """A grey picture, (H, W) uint8, and how it was made.

    `colours` (H, W, 3) uint8 are red, green and blue, if the picture has any but greys. `scale` is how many of the
    picture's own pixels one page pixel stands for; `size` is the picture's own (width, height) after any rotation that
    its EXIF data ask for. `before` is the page without steps that may be wrong, table and shadow, if they were done.
    """

    grey: Uint8
    size: tuple[int, int]
    scale: float
    steps: tuple[Step, ...]
    colours: Uint8 | None = None
    before: Page | None = None


def open_page(source: PictureSource, most_pixels: int = _WORKING_PIXELS) -> Page:
    """Decode any supported picture to a grey page.

    Arrays are (H, W), (H, W, 1 to 4) of bool, integer or float; their range is told by their largest value: 1
    (masks and floats), 255, or the full value of 10 to 16 bits. Transparent pictures get the backdrop that lets
    their ink be seen. What has more than about `most_pixels` is averaged down to it. Raises PictureError with one clear
    line for anything that cannot be read.
    """
    name, source = name_source(source), take_source(source)
    steps: list[Step] = []
    if isinstance(source, np.ndarray):
        grey, alpha, colours = _split_array(source, name, steps)
        size = (grey.shape[1], grey.shape[0])
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of what is either read all the same or refused here
            if isinstance(source, Image.Image):
                grey, alpha, colours, size = _decode(source, name, steps, most_pixels, ours=False)
            else:
                with _open(_read(source, name), name) as picture:
                    grey, alpha, colours, size = _decode(picture, name, steps, most_pixels, ours=True)
    if alpha is not None:
        grey, colours = _lay_over_backdrop(grey, alpha, steps), None
    whole = grey if grey.dtype == np.uint8 else np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return _reduce_page(np.ascontiguousarray(whole, np.uint8), colours, size, steps, most_pixels)


def _read(source: str | os.PathLike[str] | bytes, name: str) -> bytes:
    if isinstance(source, bytes):
        return source
    path = Path(source)
    try:
        if path.is_dir():
            raise PictureError(name, "is a folder, not a picture", "give the pictures in it, such as FOLDER/*.png")
        if not path.exists():
            raise PictureError(name, "no such file")
        if not path.is_file():
            raise PictureError(name, "is not a regular file")
        if path.stat().st_size > MOST_BYTES:
            size = f"{path.stat().st_size:,} bytes"
            raise PictureError(name, size, f"at most {MOST_BYTES:,} are read", kind="too large")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise PictureError(name, f"cannot be read ({reason(error)})") from error


def _open(data: bytes, name: str) -> Image.Image:
    if not data:
        raise PictureError(name, "is empty", kind="empty")
    for what, (offset, magic) in _REFUSED.items():
        if data[offset:].startswith(magic):
            raise PictureError(name, f"is {what}, which is not read", "save it as PNG or JPEG", kind="unsupported")
    if data[4:12] in _HEIC:
        _know_heic(name)
    try:
        picture = Image.open(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise PictureError(
            name, "far too many pixels", f"at most {MOST_PIXELS:,} are read", kind="too large"
        ) from error
    except UnidentifiedImageError as error:
        heic = "is a HEIC photograph that cannot be decoded"
        problem = heic if data[4:12] in _HEIC else "is not a picture in a known format"
        raise PictureError(name, problem, "save it as PNG or JPEG", kind="unsupported") from error
    except Exception as error:  # Pillow's decoders raise nearly every class on hostile bytes
        raise PictureError(name, f"cannot be decoded ({reason(error)})") from error
    if picture.format not in _FORMATS:  # nothing is decoded yet
        raise PictureError(
            name, f"is {picture.format}, which is not read", "save it as PNG or JPEG", kind="unsupported"
        )
    return picture


def _know_heic(name: str) -> None:
    """Have Pillow know HEIC. Raises PictureError without the library for it."""
    try:
        import pillow_heif
    except ImportError as error:
        problem = "is a HEIC photograph, which needs pillow-heif"
        remedy = "pip install 'lenet[heic]', or save it as JPEG"
        raise PictureError(name, problem, remedy, kind="unsupported") from error
    pillow_heif.register_heif_opener()


def _decode(
    picture: Image.Image, name: str, steps: list[Step], most_pixels: int, *, ours: bool
) -> tuple[Floats, Floats | None, Uint8 | None, tuple[int, int]]:
    """Return grey values 0 to 255, alpha 0 to 1 or None, colours or None, and the size, of a Pillow image in any mode.

    An image that the caller holds (not `ours`) is left as it is.
    """
    width, height = picture.size
    if not width or not height:
        raise PictureError(name, f"{width}x{height} pixels", "there is nothing to read")
    if width * height > MOST_PIXELS:
        pixels = f"{width}x{height} is {width * height:,} pixels"
        raise PictureError(name, pixels, f"at most {MOST_PIXELS:,} are read", kind="too large")
    try:
        frames = getattr(picture, "n_frames", 1)
        if frames > 1:
            steps.append(Step("first-frame", {"frames": frames}))
        if ours and picture.format == "JPEG":  # decode a huge photograph at a half, quarter or eighth of its size
            factor = (width * height / most_pixels) ** 0.5
            picture.draft(None, (round(width / factor), round(height / factor)))
        picture.load()
        orientation = picture.getexif().get(_ORIENTATION, 1)
        if orientation in range(2, 9):
            steps.append(Step("exif-rotated"))
            if orientation >= _LYING:
                width, height = height, width
            picture = ImageOps.exif_transpose(picture)
        return *_split_image(picture, name, steps, most_pixels), (width, height)
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(
            name, "far too many pixels", f"at most {MOST_PIXELS:,} are read", kind="too large"
        ) from error
    except Exception as error:  # as in _open
        raise PictureError(name, f"cannot be decoded ({reason(error)})", "it may be cut off or unusual") from error


def _split_image(
    picture: Image.Image, name: str, steps: list[Step], most_pixels: int
) -> tuple[Floats, Floats | None, Uint8 | None]:
    """Return grey values 0 to 255, alpha (0 to 1, or None) and colours, if any, of an upright Pillow image."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _scale_to_255(np.asarray(picture), name, steps), None, None
    if picture.mode in ("P", "PA", "LA", "La", "RGBA", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        factor = _choose_factor(picture.width, picture.height, most_pixels)
        picture = picture.reduce(factor) if factor > 1 else picture
        alpha = np.asarray(picture.getchannel("A"), np.float32) / 255
        rgb = picture.convert("RGB")
        return np.asarray(rgb.convert("L"), np.float32), (None if alpha.min() == 1 else alpha), _find_colours(rgb)
    return np.asarray(picture.convert("L")), None, None if picture.mode in ("1", "L") else _find_colours(picture)


def _find_colours(picture: Image.Image) -> Uint8 | None:
    """Return (H, W, 3) red, green and blue, or None of a picture whose every look is grey."""
    picture = picture if picture.mode == "RGB" else picture.convert("RGB")  # which copies
    step = max(1, int((picture.width * picture.height / INK.samples) ** 0.5))
    looks = picture.resize((max(1, picture.width // step), max(1, picture.height // step)), Image.Resampling.NEAREST)
    red, green, blue = np.moveaxis(np.asarray(looks), 2, 0)  # channel by channel: along the last axis is slow
    far = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return np.asarray(picture) if percentile(far, 100 * (1 - SHEET.least_ink)) > DECODE.coloured else None


def _split_array(
    array: np.ndarray[Any, Any], name: str, steps: list[Step]
) -> tuple[Floats, Floats | None, Uint8 | None]:
    """Return grey values 0 to 255, alpha (0 to 1, or None) and colours, if any, of an array picture."""
    if array.ndim not in (2, 3) or (array.ndim == 3 and not 1 <= array.shape[2] <= 4):
        raise PictureError(name, f"array of shape {array.shape}", "expected (H, W) or (H, W, 1 to 4)")
    if not array.size:
        raise PictureError(name, f"array of shape {array.shape}", "there is nothing to read")
    if array.shape[0] * array.shape[1] > MOST_PIXELS:
        raise PictureError(name, f"array of shape {array.shape}", f"at most {MOST_PIXELS:,} pixels are read")
    if array.dtype.kind not in "buif":
        raise PictureError(name, f"array of type {array.dtype}", "expected bool, integers or floats")
    values = _scale_to_255(array, name, steps)
    if array.ndim == 2:
        return values, None, None
    transparent = array.shape[2] in (2, 4)
    colours = values[..., :-1] if transparent else values
    grey = colours @ LUMINANCE if colours.shape[2] == 3 else colours[..., 0]
    alpha = values[..., -1] / np.float32(255) if transparent else None
    rgb = None
    if colours.shape[2] == 3:
        rgb = _find_colours(Image.fromarray(np.clip(np.rint(colours), 0, 255).astype(np.uint8)))
    return grey, (None if alpha is None or alpha.min() == 1 else alpha), rgb


def _scale_to_255(array: np.ndarray[Any, Any], name: str, steps: list[Step]) -> Floats:
    """Map values of any type to 0 to 255, black staying black, before anything else is done to them.

    The largest value tells the range: 1 for floats and for masks, 255, or the full value of 10, 12, 14 or 16
    bits. Other ranges, negative values among them, are stretched, as a step says.
    """
    if array.dtype == np.uint8 and array.max() != 1:
        return array
    values = array.astype(np.float32)
    finite = np.isfinite(values)
    if not finite.all():
        place = [int(i) for i in np.unravel_index(int(np.argmin(finite)), values.shape)]
        raise PictureError(name, f"{values[tuple(place)]} at {place}", "every value must be finite")
    low, high = float(values.min()), float(values.max())
    full = next((each for each in _FULL_VALUES if high <= each), None)
    if low >= 0 and full is not None:
        if full not in (1, 255):
            steps.append(Step("values-scaled", {"highest": high, "full": full}))
        return values * np.float32(255 / full)
    steps.append(Step("values-stretched", {"lowest": low, "highest": high}))
    return (values - low) * np.float32(255 / max(high - low, 1e-30))


def _lay_over_backdrop(grey: Floats, alpha: Floats, steps: list[Step]) -> Floats:
    """Lay a transparent picture over the backdrop that lets its ink be seen.

    A canvas is mostly transparent and what is opaque is the ink: it gets paper of the opposite end. A picture
    with transparent corners is mostly opaque: it gets its own middle grey there.
    """
    weight = float(alpha.sum())
    mean = float((grey * alpha).sum()) / weight if weight else 0.0
    if alpha.mean() > _HALF:
        backdrop, what = float(np.median(grey[alpha > _HALF])), "its own grey"
    else:
        backdrop, what = (255.0, "white") if mean < 255 * _HALF else (0.0, "black")
    steps.append(Step("backdrop-laid", {"backdrop": what}))
    return grey * alpha + backdrop * (1 - alpha)


def _reduce_page(
    grey: Uint8, colours: Uint8 | None, size: tuple[int, int], steps: list[Step], most_pixels: int
) -> Page:
    """Average a large page down by a whole factor; the scale also counts what JPEG decoding left out."""
    factor = _choose_factor(grey.shape[1], grey.shape[0], most_pixels)
    if factor > 1:
        grey = np.asarray(Image.fromarray(grey).reduce(factor))
        colours = None if colours is None else np.asarray(Image.fromarray(colours).reduce(factor))
    scale = size[0] / grey.shape[1] if grey.shape[1] != size[0] else 1.0
    if scale != 1.0:
        sides: Values = {"from_width_pixels": size[0], "from_height_pixels": size[1]}
        steps.append(Step("reduced", sides | {"width_pixels": grey.shape[1], "height_pixels": grey.shape[0]}))
    return Page(grey, size, scale, tuple(steps), colours)


def _choose_factor(width: int, height: int, most_pixels: int) -> int:
    """Return the whole factor by which a picture's sides are divided to have about so many pixels at most."""
    return max(1, ceil((width * height / most_pixels) ** 0.5), ceil(max(width, height) / _LONGEST))
