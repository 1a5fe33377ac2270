"""What the page shows of a network: the sum behind a value, what flips an answer, what a digit bears."""

from __future__ import annotations

import numpy as np
import pytest

from lenet.engine import load
from lenet.network.weights import list_shipped
from lenet.serve.inspect import explain_unit
from lenet.serve.occlusion import CHANGES, find_runner_up, vary

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("name", list_shipped())
def test_a_unit_is_the_sum_of_its_terms(name: str, rng: np.random.Generator) -> None:
    """For a value of every layer of every network: bias and terms make the sum, its activation the value itself."""
    network = load(name)
    glyph = rng.integers(0, 256, (28, 28)).astype(np.uint8)
    for layer, values in list(network.activations(glyph[None]).items())[1:]:
        place = tuple(int(rng.integers(size)) for size in values.shape[1:])
        found = explain_unit(network, glyph, layer, place)
        total = found["bias"] + sum(term["comes_to"] for term in found["terms"])
        assert total == pytest.approx(found["sum"], rel=1e-4, abs=1e-4)
        assert found.get("activated", found["sum"]) == pytest.approx(found["value"], rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("name", ["lenet5-1998", "lenet5-reader"])
def test_nothing_outside_its_field_moves_a_unit(name: str, rng: np.random.Generator) -> None:
    """Noise everywhere but in the field that is told leaves the value as it is."""
    network = load(name)
    glyph = rng.integers(0, 256, (28, 28)).astype(np.uint8)
    for layer in ("C1", "S2", "C3", "S4"):
        x0, y0, x1, y1 = (each - 2 for each in explain_unit(network, glyph, layer, (1, 2, 3))["field"])
        other = rng.integers(0, 256, (28, 28)).astype(np.uint8)
        inside = (slice(max(0, y0), y1), slice(max(0, x0), x1))
        other[inside] = glyph[inside]
        before, after = (network.activations(each[None])[layer][0, 1, 2, 3] for each in (glyph, other))
        assert after == pytest.approx(before, rel=1e-5, abs=1e-5)


def test_what_flips_the_answer_flips_it(rng: np.random.Generator) -> None:
    """The patch that is told, set as it is told, changes the answer to what is told; no smaller one does."""
    network = load("lenet5-modern")
    glyph = np.zeros((28, 28), np.uint8)
    glyph[5:23, 13:16] = 255
    found = find_runner_up(network, glyph)
    flips = found["flips"]
    assert flips is not None
    x0, y0, x1, y1 = flips["box"]
    changed = glyph.copy()
    changed[y0:y1, x0:x1] = 255 if flips["set_to"] == "pen" else 0
    assert str(network.probabilities(changed[None])[0].argmax()) == flips["becomes"] != found["answer"]


def test_no_change_leaves_the_digit_as_it_is(rng: np.random.Generator) -> None:
    """All curves pass through the probabilities of the digit as it was written."""
    network = load("lenet5-modern")
    glyph = np.zeros((28, 28), np.uint8)
    glyph[5:23, 13:16] = 255
    found = vary(network, glyph, {}, None)
    plain = network.probabilities(glyph[None])[0]
    assert found["probabilities"] == pytest.approx(plain.tolist(), abs=1e-3)
    assert set(found["curves"]) == set(CHANGES)
    turned = vary(network, glyph, {"turn": 60.0}, "turn")
    assert turned["curves"]["turn"]["probabilities"][-1] == pytest.approx(turned["probabilities"], abs=1e-3)
