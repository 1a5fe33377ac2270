"""Distortions: parameters as data, and one warp in NumPy, C++ and PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lenet.engine.warp import PARAMETERS, spline_basis, warp
from lenet.native import _native
from lenet.network.inputs import to_input
from lenet.training.distortions import FIGURE_7, Ranges, draw
from lenet.training.torch_backend import Warper

FULL = Ranges(zoom=0.3, squeeze=0.2, rotation=0.4, shear=0.3, shift=4, elastic=1.5)


def test_no_range_means_no_distortion(rng: np.random.Generator) -> None:
    """Parameters drawn from empty ranges leave every input as it is."""
    inputs = to_input(rng.integers(0, 256, (3, 28, 28)).astype(np.uint8))
    assert np.allclose(warp(inputs, draw(Ranges(), 3, rng)), inputs, atol=1e-6)


def test_a_shift_moves_by_whole_pixels(rng: np.random.Generator) -> None:
    """Looking 3 to the right and 2 down moves the picture 3 left and 2 up; the rest is background."""
    inputs = to_input(rng.integers(0, 256, (1, 28, 28)).astype(np.uint8))
    parameters = np.zeros((1, PARAMETERS), np.float32)
    parameters[0, :6] = [1, 0, 3, 0, 1, 2]
    warped = warp(inputs, parameters)
    assert np.allclose(warped[0, 0, :30, :29], inputs[0, 0, 2:, 3:], atol=1e-6)
    assert np.allclose(warped[0, 0, 30:], -0.1)
    assert np.allclose(warped[0, 0, :, 29:], -0.1)


def test_a_common_displacement_of_all_control_points_is_a_shift() -> None:
    """The cubic B-splines add up to one at every pixel."""
    assert np.allclose(spline_basis().sum(axis=0), 1)


@given(st.integers(0, 2**32 - 1))
def test_pytorch_warps_as_numpy_does(seed: int) -> None:
    """To 1e-5, with every distortion at full range and digits that reach the edge."""
    rng = np.random.default_rng(seed)
    inputs = to_input(rng.integers(0, 256, (4, 28, 28)).astype(np.uint8))
    parameters = draw(FULL, 4, rng)
    theirs = Warper(torch.device("cpu"))(torch.from_numpy(inputs), torch.from_numpy(parameters)).numpy()
    assert np.abs(theirs - warp(inputs, parameters)).max() <= 1e-5


@pytest.mark.parametrize("instructions", _native.available())
@given(st.integers(0, 2**32 - 1), st.sampled_from([FULL, Ranges(zoom=3, shift=60), Ranges(shear=0.14, shift=2)]))
def test_the_engine_warps_as_numpy_does(instructions: str, seed: int, ranges: Ranges) -> None:
    """To 1e-5, also far outside the field and without an elastic part."""
    rng = np.random.default_rng(seed)
    inputs = to_input(rng.integers(0, 256, (4, 28, 28)).astype(np.uint8))
    parameters = draw(ranges, 4, rng)
    ours = np.empty_like(inputs)
    _native.warp(instructions, inputs, parameters, ours)
    assert np.abs(ours - warp(inputs, parameters)).max() <= 1e-5


def test_figure_7_moves_digits_as_the_paper_does(rng: np.random.Generator) -> None:
    """By the inverse matrix: sizes 0.71 to 1.30, squeezed by a tenth, shear 0.14, shifts of 2 pixels, independent.

    The baseline's row goes up and down by the shift alone, the pivot's row sideways by it alone; nothing turns.
    """
    drawn = draw(FIGURE_7, 20_000, rng).astype(np.float64)
    assert (drawn[:, 6:] == 0).all()
    looks = np.zeros((len(drawn), 3, 3))
    looks[:, :2] = drawn[:, :6].reshape(-1, 2, 3)
    looks[:, 2, 2] = 1
    moves = np.linalg.inv(looks)
    sx, k, sy = moves[:, 0, 0], moves[:, 0, 1], moves[:, 1, 1]
    assert np.abs(moves[:, 1, 0]).max() < 1e-6
    down = (moves @ [0, FIGURE_7.baseline, 1])[:, 1] - FIGURE_7.baseline
    right = (moves @ [0, FIGURE_7.pivot, 1])[:, 0]
    found = [np.log(np.sqrt(sx * sy)), np.log(np.sqrt(sx / sy)), k / sx, right, down]
    expected = [(np.log(1 / 1.40), np.log(1 / 0.77)), (-0.1, 0.1), (-0.14, 0.14), (-2, 2), (-2, 2)]
    for values, (low, high) in zip(found, expected, strict=True):
        assert values.min() == pytest.approx(low, abs=0.005 * (high - low))
        assert values.max() == pytest.approx(high, abs=0.005 * (high - low))
        assert values.std() == pytest.approx((high - low) / np.sqrt(12), rel=0.02)
    apart = np.corrcoef(found)[~np.eye(5, dtype=bool)]
    assert np.abs(apart).max() < 0.03
