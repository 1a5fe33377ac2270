"""Looking again: what the first look is sure of stays as it is, and what it doubts is the mean of seven looks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lenet
from lenet.data.dataset import Dataset
from lenet.engine.tta import score_with_tta
from lenet.engine.warp import PARAMETERS, warp
from lenet.network.inputs import to_input
from lenet.network.probabilities import probabilities

from conftest import ROOT

pytestmark = pytest.mark.engine


def digits() -> np.ndarray[Any, Any]:
    """Return a 7 and a 5 (2, 28, 28) that are easy to read."""
    return np.stack([lenet.read(ROOT / "examples" / name).digits[0].glyph for name in ("pen.png", "chalk.jpg")])


def doubtful(rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return a glyph that is half a 7 and half a 5, with some noise."""
    return (digits().mean(axis=0) + rng.integers(0, 9, (28, 28))).clip(0, 255).astype(np.uint8)


def test_a_sure_glyph_is_looked_at_once(rng: np.random.Generator) -> None:
    """What the network is sure of has the network's own probabilities, whatever stands beside it."""
    network = lenet.load()
    glyphs = np.concatenate([digits(), doubtful(rng)[None], rng.integers(0, 256, (5, 28, 28), np.uint8)])
    probs, again = score_with_tta(network, glyphs)
    alone = network.probabilities(glyphs)
    assert (again == (alone.max(axis=1) < 0.99) & (alone[:, 10] < 0.9)).all()
    assert again.any()
    assert not again.all()
    assert (probs[~again] == alone[~again]).all()
    assert np.allclose(probs.sum(axis=1), 1)
    many = score_with_tta(network, np.tile(glyphs, (50, 1, 1)))  # more than are looked at again at a time
    assert np.allclose(many.probabilities, np.tile(probs, (50, 1)), atol=1e-5)


def test_a_doubtful_glyph_is_the_mean_of_seven_looks(rng: np.random.Generator) -> None:
    """The scores are the mean over the glyph and its six distortions as NumPy makes them."""
    network = lenet.load()
    glyph = doubtful(rng)[None]
    cos, sin = np.cos(np.radians(12)), np.sin(np.radians(12))
    looks = np.zeros((7, PARAMETERS), np.float32)
    looks[:, [0, 1, 3, 4]] = [
        *((1, 0, 0, 1), (cos, sin, -sin, cos), (cos, -sin, sin, cos)),
        *((1, 0.2, 0, 1), (1, -0.2, 0, 1), (1.1, 0, 0, 1.1), (1 / 1.1, 0, 0, 1 / 1.1)),
    ]
    scores = network.forward(warp(np.repeat(to_input(glyph), 7, axis=0), looks)).mean(axis=0, keepdims=True)
    probs, again = score_with_tta(network, glyph)
    assert again.all()
    assert probs == pytest.approx(probabilities(scores, network.weights.temperature), abs=1e-4)


def test_no_glyphs_and_networks_that_read_digits_alone(rng: np.random.Generator) -> None:
    """Nothing is no probabilities; a network without "not a digit", as the paper's, has one look."""
    assert score_with_tta(lenet.load(), np.zeros((0, 28, 28), np.uint8)).probabilities.shape == (0, 11)
    network = lenet.load("lenet5-1998")
    glyphs = rng.integers(0, 256, (4, 28, 28), np.uint8)
    probs, again = score_with_tta(network, glyphs)
    assert not again.any()
    assert (probs == network.probabilities(glyphs)).all()


def test_fewer_errors_on_digits_of_writers_never_seen(mnist: Dataset) -> None:
    """Seven looks get fewer of held-out writers' digits wrong than one."""
    network = lenet.load()
    held = mnist.train.where(mnist.held_out)
    once = int((network.probabilities(held.glyphs)[:, :10].argmax(axis=1) != held.labels).sum())
    again = int((score_with_tta(network, held.glyphs).probabilities[:, :10].argmax(axis=1) != held.labels).sum())
    assert again < once
