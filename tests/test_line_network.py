"""The network that reads lines: one truth in NumPy, in PyTorch and on every instruction set, and what it refuses."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenet.engine import load
from lenet.engine.lines import LineNetwork, load_lines, split_columns
from lenet.errors import WeightsError
from lenet.native import dispatch
from lenet.network.initialisation import draw_tensors
from lenet.network.inputs import PAPER_GREY, PEN_GREY, standardise_line
from lenet.network.spec import DEFAULT, LINE_LABELS, LINE_NETS, Convolution, Net, Subsampling
from lenet.network.summary import count_trainable, layer_facts
from lenet.network.weights import Weights, list_line_weights, list_shipped

pytestmark = pytest.mark.engine
NET = LINE_NETS["lenet-line"]
NATIVE = [name for name in dispatch.available_engines() if name != dispatch.REFERENCE]


def network(net: Net, engine: str, seed: int = 0) -> LineNetwork:
    """A line network with random weights."""
    return LineNetwork(Weights(net, draw_tensors(net, "he", np.random.default_rng(seed))), engine)


def lines(rng: np.random.Generator, n: int, width: int) -> np.ndarray:
    """Random line input (n, 1, 32, width)."""
    return rng.normal(0, 1, (n, 1, 32, width)).astype(np.float32)


def test_the_network_has_under_a_million_weights() -> None:
    """762,660 of them, and 62 million multiplications for a line three and a half times as long as high."""
    assert count_trainable(NET) == 762_660
    assert sum(facts.macs for facts in layer_facts(NET, 32, 112)) == 62_297_088
    assert layer_facts(NET, 32, 112)[-1].output == (2 * (len(LINE_LABELS) + 1), 1, 28)


@pytest.mark.parametrize("engine", NATIVE)
@pytest.mark.parametrize("width", [32, 36, 52, 116, 200])
def test_an_engine_scores_as_the_reference(engine: str, width: int, rng: np.random.Generator) -> None:
    """To a few millionths of the largest score, for lines of any length, one or several."""
    x = lines(rng, 3, width)
    expected = network(NET, dispatch.REFERENCE).forward(x)
    found = network(NET, engine).forward(x)
    assert found.shape == expected.shape == (3, NET.outputs, 1, width // 4)
    assert np.abs(found - expected).max() <= 2e-5 * np.abs(expected).max()


@pytest.mark.parametrize("engine", NATIVE)
@settings(max_examples=12)
@given(
    maps=st.integers(1, 70),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 7)),
    window=st.sampled_from([(1, 1), (2, 1), (2, 2), (1, 2)]),
    width=st.integers(32, 61),
)
def test_an_engine_scores_any_layers(
    engine: str, maps: int, kernel: tuple[int, int], window: tuple[int, int], width: int
) -> None:
    """Kernels that are no squares, padding, windows along one side, maps that fill no vector."""
    first = Convolution("a", maps, kernel[0], "relu", width=kernel[1], padding=(kernel[0] // 2, kernel[1] // 2))
    pooled = (Subsampling("b", "max", window=window),) if window != (1, 1) else ()
    net = Net("any", (first, *pooled, Convolution("c", 5, 3, padding=(1, 1))), "", columns=1)
    x = lines(np.random.default_rng(width), 2, width)
    expected = network(net, dispatch.REFERENCE).forward(x)
    assert np.abs(network(net, engine).forward(x) - expected).max() <= 2e-5 * max(1.0, np.abs(expected).max())


def test_pytorch_scores_as_the_reference(rng: np.random.Generator) -> None:
    """The module that learns is the network that reads."""
    torch = pytest.importorskip("torch")
    from lenet.nets.modules import LeNet
    from lenet.training.line_torch import column_scores

    x = lines(rng, 2, 48)
    ours = network(NET, dispatch.REFERENCE)
    module = LeNet(NET)
    module.load(ours.weights.tensors)
    with torch.no_grad():
        theirs = module(torch.from_numpy(x))
    expected = ours.forward(x)
    assert np.abs(theirs.numpy() - expected).max() <= 2e-5 * np.abs(expected).max()
    assert column_scores(NET, theirs).numpy() == pytest.approx(split_columns(NET, expected), abs=1e-3)


@pytest.mark.parametrize("engine", dispatch.available_engines())
def test_what_is_not_finite_is_refused(engine: str, rng: np.random.Generator) -> None:
    """NaN and infinity are named with their index, wherever they are."""
    for value in (np.nan, np.inf):
        x = lines(rng, 2, 40)
        x[1, 0, 31, 39] = value
        with pytest.raises(ValueError, match=r"inputs\[1, 0, 31, 39\]"):
            network(NET, engine).forward(x)


def test_a_line_network_can_be_sent_to_another_process(rng: np.random.Generator) -> None:
    """Without what the native engine made of it."""
    one = network(NET, dispatch.chosen_engine())
    x = lines(rng, 1, 32)
    one.forward(x)
    assert (pickle.loads(pickle.dumps(one)).forward(x) == one.forward(x)).all()


def test_shipped_line_weights_read_lines_alone() -> None:
    """They are loaded once, stand beside the default ones, and those for digits are none for lines."""
    assert list(list_line_weights()) == ["lenet-cell", "lenet-line"]
    assert "lenet-line" not in list_shipped()
    assert load_lines() is load_lines()
    assert load("lenet-line").weights.name == DEFAULT
    assert load("lenet-line").lines.weights.name == "lenet-line"
    assert load().lines is load_lines()
    with pytest.raises(WeightsError, match="lenet-cell: reads cells of tables, not digits; choose lenet5-hands"):
        load("lenet-cell")
    with pytest.raises(WeightsError, match="reads no lines; choose lenet-line"):
        load_lines("lenet5-reader")


def test_paper_and_pen_of_a_line_have_their_greys(rng: np.random.Generator) -> None:
    """Whatever their contrast was, paper is 64 and pen 191; next to nothing stays next to nothing."""
    for paper, pen in ((10, 240), (100, 150)):
        greys = np.full((32, 100), paper, np.uint8)
        greys[8:24, 40:60] = pen
        strip = standardise_line(greys)
        assert (strip[0, 0], strip[16, 50]) == (PAPER_GREY, PEN_GREY)
    faint = standardise_line(np.where(rng.random((32, 100)) < 0.5, 100, 102).astype(np.uint8))
    assert int(faint.max()) - int(faint.min()) < 20
