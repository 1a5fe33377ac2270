"""What a picture may be given as: a path, bytes in any form, an open file, a Pillow image, an array or a tensor."""

from __future__ import annotations

import io
import os
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from PIL import Image

from lenet.errors import PictureError, reason

# More bytes than this are refused before anything is decoded.
MOST_BYTES = 256_000_000


@runtime_checkable
class ReadableFile(Protocol):
    """A file that is open for reading bytes, such as `open(path, "rb")` or `io.BytesIO`."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes."""


@runtime_checkable
class ArrayLike(Protocol):
    """What NumPy can take as an array, such as a tensor of PyTorch or JAX."""

    def __array__(self, *arguments: Any) -> np.ndarray[Any, Any]:
        """Return the array."""


# What one picture is as it is decoded, and what a caller may give it as.
PlainSource: TypeAlias = "str | os.PathLike[str] | bytes | np.ndarray[Any, Any] | Image.Image"
PictureSource: TypeAlias = "PlainSource | bytearray | memoryview | ReadableFile | ArrayLike"

_EXPECTED = "give a path, bytes, an open file, an array (H, W[, 1 to 4]) or a Pillow image"


def take_source(source: object) -> PlainSource:
    """Return a picture as what can be decoded: files are read, and tensors (C, H, W) become arrays (H, W, C).

    Raises PictureError, with what to give instead, for what is no picture.
    """
    if isinstance(source, str | os.PathLike | bytes | np.ndarray | Image.Image):
        return source
    if isinstance(source, bytearray | memoryview):
        return bytes(source)
    if isinstance(source, list | tuple | set | dict):
        raise _refuse(source, "lenet.read_many reads several pictures")
    if isinstance(source, io.TextIOBase):
        name = str(getattr(source, "name", "picture"))
        raise PictureError(name, "is open as text", 'open it with mode "rb"', kind="unsupported")
    if isinstance(source, ReadableFile):
        return _read_file(source)
    if isinstance(source, ArrayLike):
        return _take_array(source)
    raise _refuse(source, _EXPECTED)


def is_tensor(source: object) -> bool:
    """Return whether something is an array of another library, whose pictures have their channels first."""
    return isinstance(source, ArrayLike) and not isinstance(source, np.ndarray | Image.Image)


def name_source(source: object) -> str:
    """Return what a picture is called in messages: its path, or just that."""
    return str(source) if isinstance(source, str | os.PathLike) else "picture"


def _refuse(source: object, remedy: str) -> PictureError:
    kind = type(source).__name__
    told = "None" if source is None else f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"
    return PictureError("picture", f"is {told}, not a picture", remedy, kind="unsupported")


def _read_file(file: ReadableFile) -> bytes:
    name = str(getattr(file, "name", "picture"))
    try:
        data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise PictureError(name, f"cannot be read ({reason(error)})") from error
    if len(data) > MOST_BYTES:
        raise PictureError(name, f"more than {MOST_BYTES:,} bytes", "that is the most that is read", kind="too large")
    return data


def _take_array(source: ArrayLike) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(source)
    except Exception as error:  # a tensor on a GPU, or one that asks for its gradient: its library says so
        said = reason(error).splitlines()[0].rstrip(".")
        raise PictureError("picture", f"cannot be taken as an array ({said})", kind="unsupported") from error
    channels_first = array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] > 4  # noqa: PLR2004
    return np.moveaxis(array, 0, 2) if channels_first else array
