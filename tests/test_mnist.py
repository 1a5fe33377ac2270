"""The idx format: what is read, and the one clear line for each kind of damage."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet.data import idx
from lenet.data.dataset import Dataset
from lenet.errors import DataError, LenetError

from conftest import write_idx


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_arrays_come_back_as_written(tmp_path: Path, suffix: str, dtype: type, rng: np.random.Generator) -> None:
    """Bytes and big-endian integers, compressed or not."""
    array = rng.integers(0, 200, (3, 5, 4)).astype(dtype)
    path = tmp_path / f"a-idx3{suffix}"
    write_idx(path, array)
    assert (idx.parse_idx(idx.decompress(path.read_bytes(), path), path) == array).all()


@given(st.binary(max_size=200))
def test_any_bytes_are_an_array_or_one_clear_line(data: bytes) -> None:
    """No traceback of another kind, no enormous allocation."""
    try:
        idx.parse_idx(idx.decompress(data, "file"), "file")
    except LenetError as error:
        assert str(error).startswith("file: ")
        assert "\n" not in str(error)


def test_a_truncated_file_says_how_many_bytes_are_missing() -> None:
    """The message has both sizes and the shape."""
    data = bytes([0, 0, 8, 3]) + np.array([2, 28, 28], ">u4").tobytes() + bytes(100)
    with pytest.raises(DataError, match=r"116 bytes, 1,584 expected for \(2, 28, 28\)"):
        idx.parse_idx(data, "file")


def test_a_wrong_magic_number_is_shown() -> None:
    """A PNG is not idx."""
    with pytest.raises(DataError, match="magic number 0x89504e47"):
        idx.parse_idx(b"\x89PNG\r\n\x1a\n", "file")


def packed_idx(count: int, more: bytes = b"") -> bytes:
    """A gzip-compressed idx file of so many random bytes as (count,), and what stands behind them."""
    data = np.random.default_rng(0).bytes(count)
    return gzip.compress(bytes([0, 0, 8, 1]) + count.to_bytes(4, "big") + data + more)


def test_half_a_gzip_file_is_named() -> None:
    """A cut-off download that still begins well."""
    with pytest.raises(DataError, match="gzip data end early"):
        idx.decompress(packed_idx(5000)[:2000], "file")


def test_damaged_gzip_data_are_named() -> None:
    """Bytes overwritten in the middle."""
    packed = bytearray(packed_idx(5000))
    packed[100:120] = bytes(20)
    with pytest.raises(DataError, match="gzip"):
        idx.decompress(bytes(packed), "file")


def test_no_more_is_unpacked_than_the_largest_set_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a header announces is known before anything is unpacked."""
    assert idx._MOST_BYTES == 814_255 * 28 * 28 + 16
    monkeypatch.setattr(idx, "_MOST_BYTES", 100_008)
    assert len(idx.parse_idx(idx.decompress(packed_idx(100_000), "file"), "file")) == 100_000
    with pytest.raises(DataError, match="more than 100,008 bytes when decompressed"):
        idx.decompress(packed_idx(100_001), "file")


def test_a_gzip_bomb_is_not_unpacked() -> None:
    """Ten megabytes behind an idx file of five thousand, or behind no idx file: a byte too much is enough to know."""
    data = idx.decompress(packed_idx(5000, bytes(10_000_000)), "file")
    assert len(data) == 5009
    with pytest.raises(DataError, match="5,009 bytes, 5,008 expected"):
        idx.parse_idx(data, "file")
    assert len(idx.decompress(gzip.compress(bytes(10_000_000)), "file")) == 17


def test_label_10_is_named_with_its_row() -> None:
    """Labels are 0 to 9."""
    with pytest.raises(DataError, match="label 10 in row 2"):
        idx.as_labels(np.array([0, 9, 10], np.uint8), "file", 3)


def test_a_label_file_of_another_length_is_an_error() -> None:
    """One label per image."""
    with pytest.raises(DataError, match="expected 4, one per image"):
        idx.as_labels(np.zeros(3, np.uint8), "file", 4)


def test_images_must_be_28_by_28() -> None:
    """Another size is another set."""
    with pytest.raises(DataError, match=r"shape \(3, 32, 32\)"):
        idx.as_images(np.zeros((3, 32, 32), np.uint8), "file")


def test_qmnist_labels_give_the_class_and_the_writer() -> None:
    """Column 0 is the class, columns 1 and 2 series and writer."""
    rows = np.array([[5, 4, 2154, 0, 0, 0, 0, 0], [0, 0, 17, 0, 0, 0, 0, 0]], np.int32)
    assert idx.as_labels(rows, "file", 2).tolist() == [5, 0]
    assert idx.as_writers(rows, "file", 2).tolist() == [[4, 2154], [0, 17]]


def test_mnist_is_mnist(mnist: Dataset) -> None:
    """60,000 and 10,000 digits; the first labels of both parts; the known number of ones."""
    assert (len(mnist.train), len(mnist.test)) == (60_000, 10_000)
    assert mnist.train.labels[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
    assert mnist.test.labels[:8].tolist() == [7, 2, 1, 0, 4, 1, 4, 9]
    assert int((mnist.train.labels == 1).sum()) == 6742
