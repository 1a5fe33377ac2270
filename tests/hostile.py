"""Pictures that are none: bytes, what is said of them, and the status that the service answers."""

from __future__ import annotations

import struct
import zlib


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces a size and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


HOSTILE = [
    (b"", "is empty", 400),
    (b"hello, world", "is not a picture in a known format", 415),
    (b"%PDF-1.7 ...", "is a PDF, which is not read; save it as PNG or JPEG", 415),
    (b"\x00\x00\x00\x18ftypheic....", "is a HEIC photograph", 415),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is an SVG drawing", 415),
    (png_header(10_000, 10_000), "10000x10000 is 100,000,000 pixels; at most 64,000,000 are read", 413),
    (png_header(60_000, 60_000), "far too many pixels|3,600,000,000 pixels", 413),
    (png_header(20, 20), "cannot be decoded", 422),
    (png_header(0, 20), "cannot be decoded|known format|0x20 pixels", 415),
]
