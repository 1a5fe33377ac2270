"""The idx format of MNIST and its relatives: a big-endian header, then the values."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from lenet.arrays import Int32, Uint8
from lenet.errors import DataError

# The third header byte says the type of the values, the fourth the number of dimensions.
_TYPES: dict[int, np.dtype[Any]] = {0x08: np.dtype(np.uint8), 0x0C: np.dtype(">i4")}
# EMNIST's largest file holds 814,255 images; more is a file that nobody meant.
_MOST_BYTES = 814_255 * 28 * 28 + 16
# A header of three dimensions, and what is unpacked at a time.
_LONGEST_HEADER, _CHUNK_BYTES = 16, 1 << 20


def decompress(packed: bytes, thing: object) -> bytes | bytearray:
    """Return the bytes of an idx file that may be gzip-compressed; `thing` names it in an error.

    No more is unpacked than its header announces, and nothing where that is more than any such set has.
    """
    if not packed.startswith(b"\x1f\x8b"):
        return packed
    try:
        begin = zlib.decompressobj(wbits=31).decompress(packed, _LONGEST_HEADER)
        size = _find_size(begin)
        if size > _MOST_BYTES:
            raise DataError(thing, f"more than {_MOST_BYTES:,} bytes when decompressed", "not an MNIST-like set")
        raw, data, rest = zlib.decompressobj(wbits=31), bytearray(), packed
        while len(data) <= size and (part := raw.decompress(rest, min(_CHUNK_BYTES, size + 1 - len(data)))):
            data += part
            rest = raw.unconsumed_tail
    except zlib.error as error:
        raise DataError(thing, f"damaged gzip data ({error})", "delete it and fetch it again") from error
    if len(data) <= size and not raw.eof:
        raise DataError(thing, "gzip data end early", "delete it and fetch it again")
    return data


def _find_size(begin: bytes) -> int:
    """Return how many bytes an idx file has by its header, or those of its longest header where it has none."""
    dimensions, kind = (begin[3], begin[2]) if len(begin) > 3 else (0, 0)
    header = 4 + 4 * dimensions
    if kind not in _TYPES or header > min(len(begin), _LONGEST_HEADER):
        return _LONGEST_HEADER
    sides = np.frombuffer(begin, ">u4", dimensions, 4)
    return header + _TYPES[kind].itemsize * int(np.prod(sides, dtype=object))


def parse_idx(data: bytes | bytearray, thing: object) -> npt.NDArray[Any]:
    """Return the array in decompressed idx bytes: uint8 or int32, of one to three dimensions.

    Raises DataError naming the magic number, the size found or the size expected.
    """
    if len(data) < 4:
        raise DataError(thing, f"{len(data)} bytes, too short for an idx header", "delete it and fetch it again")
    zero, kind, dimensions = int.from_bytes(data[:2], "big"), data[2], data[3]
    if zero or kind not in _TYPES or not 1 <= dimensions <= 3:
        raise DataError(thing, f"magic number 0x{data[:4].hex()}", "expected an idx file of bytes or integers")
    header = 4 + 4 * dimensions
    if len(data) < header:
        raise DataError(thing, f"{len(data)} bytes, header cut off", "delete it and fetch it again")
    shape = tuple(int(size) for size in np.frombuffer(data, ">u4", dimensions, 4))
    dtype = _TYPES[kind]
    expected = header + dtype.itemsize * int(np.prod(shape, dtype=object))
    if len(data) != expected:
        raise DataError(
            thing, f"{len(data):,} bytes, {expected:,} expected for {shape}", "delete it and fetch it again"
        )
    return np.frombuffer(data, dtype, offset=header).reshape(shape)


def as_images(array: npt.NDArray[Any], thing: object) -> Uint8:
    """Check that an idx array holds images: (n, 28, 28) uint8 with n >= 1."""
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[1:] != (28, 28) or not len(array):
        raise DataError(thing, f"{array.dtype} values of shape {array.shape}", "expected images (n, 28, 28) uint8")
    return array


def as_labels(array: npt.NDArray[Any], thing: object, expected: int) -> Uint8:
    """Check that an idx array holds `expected` labels 0 to 9: (n,) uint8, or (n, 8) int32 as QMNIST has them."""
    classes = array[:, 0] if array.ndim == 2 and array.shape[1] == 8 else array
    if classes.ndim != 1 or len(classes) != expected:
        raise DataError(thing, f"labels of shape {array.shape}", f"expected {expected:,}, one per image")
    wrong = (classes < 0) | (classes > 9)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(thing, f"label {classes[row]} in row {row}", "labels are 0 to 9")
    return classes.astype(np.uint8)


def as_writers(array: npt.NDArray[Any], thing: object, expected: int) -> Int32:
    """Return QMNIST's (n, 2) series and writer of the first `expected` rows; series 4 are students."""
    if array.ndim != 2 or array.shape[1] != 8 or len(array) < expected:
        raise DataError(thing, f"labels of shape {array.shape}", f"expected at least ({expected:,}, 8)")
    return array[:expected, 1:3].astype(np.int32)
