"""What else reads numbers on the same pictures: Tesseract 5, and PP-OCRv6 as the package rapidocr has it.

Neither is needed: what is not installed is left out. PP-OCRv6 reads each picture as one line, which is what it does
best here (told to find lines first, it finds none in most cheque amounts), two ways: by rapidocr's own call, and by its
network on the picture's own width, of whose outputs the digits alone may be said.
"""

from __future__ import annotations

import io
import logging
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lenet.arrays import Uint8
from lenet.preprocessing.decode import open_page

# What a peer reads in a picture that holds one digit, or numbers.
Peer = Callable[[Uint8 | Path, bool], str]
TESSERACT, PLAIN, DIGITS = "Tesseract 5", "PP-OCRv6", "PP-OCRv6, digits alone"
# How high PP-OCRv6 sees a line; narrower pictures are not seen.
_HEIGHT, _NARROWEST = 48, 16


def find_peers() -> dict[str, Peer]:
    """Return what is installed here, by name."""
    peers: dict[str, Peer] = {}
    if shutil.which("tesseract"):
        peers[TESSERACT] = by_tesseract
    try:
        import rapidocr
    except ImportError:
        return peers
    logging.disable(logging.WARNING)
    engine = rapidocr.RapidOCR()
    asked = {"use_det": False, "use_cls": False, "use_rec": True}
    peers[PLAIN] = lambda page, _digit: _keep_digits(engine(_as_colours(page), **asked).txts or ())
    network = _load_recognition(Path(rapidocr.__file__).parent / "models" / "PP-OCRv6_rec_small.onnx")
    peers[DIGITS] = lambda page, _digit: network(_as_colours(page))
    return peers


def _as_grey(page: Uint8 | Path) -> Uint8:
    return page if isinstance(page, np.ndarray) else open_page(page).grey


def _as_colours(page: Uint8 | Path) -> Uint8:
    return np.repeat(_as_grey(page)[:, :, None], 3, axis=2)


def _keep_digits(texts: tuple[str, ...]) -> str:
    return "".join(sign for text in texts for sign in text if sign in "0123456789")


def _load_recognition(path: Path) -> Callable[[Uint8], str]:
    """Return what reads a picture by the recognition network, of whose labels the digits alone may be said."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    labels = session.get_modelmeta().custom_metadata_map["character"].splitlines()
    # The first output says nothing.
    digits = np.array([0, *(1 + labels.index(str(digit)) for digit in range(10))])

    def read(colours: Uint8) -> str:
        height, width = colours.shape[:2]
        wide = max(_NARROWEST, round(width * _HEIGHT / height))
        shown = np.asarray(Image.fromarray(colours).resize((wide, _HEIGHT), Image.Resampling.BILINEAR), np.float32)
        x = ((shown / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None]
        best = session.run(None, {session.get_inputs()[0].name: x})[0][0][:, digits].argmax(axis=1).tolist()
        kept = [label for place, label in enumerate(best) if place == 0 or best[place - 1] != label]
        return "".join(str(label - 1) for label in kept if label)

    return read


def by_tesseract(page: Uint8 | Path, digit: bool) -> str:
    """Return what Tesseract reads in a picture, asked for digits alone: one character, or one line."""
    source = _as_grey(page)
    # It wants letters of some 30 pixels: small pages are enlarged.
    times = max(1, 64 // min(source.shape))
    shown = Image.fromarray(np.kron(source, np.ones((times, times), np.uint8)))
    data = io.BytesIO()
    shown.save(data, "PNG")
    command = ["tesseract", "stdin", "stdout", "--psm", "10" if digit else "7"]
    command += ["-c", "tessedit_char_whitelist=0123456789"]
    done = subprocess.run(command, input=data.getvalue(), capture_output=True, check=False)
    return "".join(done.stdout.decode().split())
