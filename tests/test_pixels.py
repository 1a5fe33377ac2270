"""Network input: the one mapping that training and reading share."""

from __future__ import annotations

import numpy as np
import pytest

from lenet.data.dataset import Dataset
from lenet.network.inputs import to_input


def test_input_is_linear_in_grey_with_a_margin_of_background() -> None:
    """x = -0.1 + 1.275 v / 255 inside, -0.1 in the two pixels around."""
    glyph = np.arange(784).reshape(1, 28, 28).astype(np.uint8)
    field = to_input(glyph)
    assert field.shape == (1, 1, 32, 32)
    assert field.dtype == np.float32
    assert np.allclose(field[0, 0, 2:30, 2:30], -0.1 + 1.275 * glyph[0] / 255, atol=1e-7)
    assert (field[0, 0, :2] == np.float32(-0.1)).all()
    assert (field[0, 0, :, 30:] == np.float32(-0.1)).all()


def test_the_training_set_has_the_measured_mean_and_spread(mnist: Dataset) -> None:
    """At 32x32 the mean is 0.0275 and the standard deviation 0.351: the paper's "variance about 1" is not so."""
    grey = np.bincount(mnist.train.glyphs.ravel(), minlength=256).astype(np.float64)
    grey[0] += len(mnist.train) * (32 * 32 - 28 * 28)
    values = -0.1 + 1.275 * np.arange(256) / 255
    mean = (grey * values).sum() / grey.sum()
    spread = np.sqrt((grey * (values - mean) ** 2).sum() / grey.sum())
    assert mean == pytest.approx(0.0275, abs=1e-4)
    assert spread == pytest.approx(0.351, abs=1e-3)


@pytest.mark.parametrize(
    ("glyphs", "message"),
    [
        (np.zeros((2, 28, 28)), "type float64"),
        (np.zeros((2, 27, 28), np.uint8), r"\(2, 27, 28\)"),
        (np.zeros(28, np.uint8), r"\(28,\)"),
    ],
)
def test_other_types_and_shapes_are_errors(glyphs: np.ndarray, message: str) -> None:
    """Floats would hide a second normalisation: only uint8 glyphs are taken."""
    with pytest.raises(ValueError, match=message):
        to_input(glyphs)
