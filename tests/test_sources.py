"""What a picture may be given as."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import lenet
from lenet.preprocessing import sources
from lenet.preprocessing.sources import take_source

from conftest import ROOT

ZIP = ROOT / "examples" / "zip.jpg"
GIVEN: dict[str, Callable[[], Any]] = {
    "path": lambda: ZIP,
    "text": lambda: str(ZIP),
    "bytes": ZIP.read_bytes,
    "bytearray": lambda: bytearray(ZIP.read_bytes()),
    "memoryview": lambda: memoryview(ZIP.read_bytes()),
    "BytesIO": lambda: io.BytesIO(ZIP.read_bytes()),
    "Pillow": lambda: Image.open(ZIP),
    "array": lambda: np.asarray(Image.open(ZIP)),
}


@pytest.mark.parametrize("kind", GIVEN)
def test_a_picture_may_be_given_as_anything_that_holds_one(kind: str) -> None:
    """The answer is that of the path."""
    assert lenet.read(GIVEN[kind]()).text == "90210"


def test_an_open_file_is_read() -> None:
    """From where it stands, to its end."""
    with ZIP.open("rb") as file:
        assert lenet.read(file).text == "90210"
        assert file.read() == b""


def test_a_tensor_is_read_with_its_channels_first() -> None:
    """As PyTorch has pictures, floats of 0 to 1 in (C, H, W); grey ones, and those with channels last, too."""
    torch = pytest.importorskip("torch")
    picture = np.asarray(Image.open(ZIP).convert("RGB"), np.float32) / 255
    first = torch.from_numpy(picture).permute(2, 0, 1)
    for tensor in (first, first.mean(dim=0), first.mean(dim=0, keepdim=True), torch.from_numpy(picture)):
        assert lenet.read(tensor).text == "90210"


class Foreign:
    """An array of a library that lenet does not know."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.asarray(Image.open(ZIP).convert("L"))


def test_an_array_of_any_library_is_read() -> None:
    """By the array protocol."""
    assert lenet.read(Foreign()).text == "90210"


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (None, "picture: is None, not a picture; give a path, bytes, an open file, an array (H, W[, 1 to 4])"),
        (7, "picture: is an int, not a picture; give a path"),
        ([ZIP, ZIP], "picture: is a list, not a picture; lenet.read_many reads several pictures"),
        (io.StringIO("zip"), 'picture: is open as text; open it with mode "rb"'),
        (io.BytesIO(), "picture: is empty"),
    ],
)
def test_what_is_no_picture_says_what_to_give(given: Any, line: str) -> None:
    """One line, a LenetError as every other."""
    with pytest.raises(lenet.PictureError) as caught:
        lenet.read(given)
    assert str(caught.value).startswith(line)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A closed file, one open for writing: by its own name."""
    closed = ZIP.open("rb")
    closed.close()
    with pytest.raises(lenet.PictureError, match=r"zip.jpg: cannot be read \(read of closed file\)"):
        take_source(closed)
    with (tmp_path / "out.png").open("wb") as file, pytest.raises(lenet.PictureError, match="out.png: cannot be read"):
        take_source(file)


def test_a_file_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is taken than is read from a path."""
    monkeypatch.setattr(sources, "MOST_BYTES", 1000)
    with pytest.raises(lenet.PictureError, match="more than 1,000 bytes") as caught:
        take_source(io.BytesIO(bytes(5000)))
    assert caught.value.kind == "too large"


def test_a_tensor_that_cannot_be_an_array_says_why() -> None:
    """In its library's own words, in one line."""
    torch = pytest.importorskip("torch")
    with pytest.raises(lenet.PictureError, match="cannot be taken as an array .*requires grad"):
        lenet.read(torch.zeros(40, 40, requires_grad=True))


def test_taking_a_picture_imports_no_framework() -> None:
    """The protocol is enough: PyTorch is not imported to see what is a tensor."""
    program = f"import lenet, sys; lenet.read({str(ZIP)!r}); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
