"""The engine scores as the readable reference does, whatever the shape, the threads and the instruction set."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lenet
from lenet.engine import Network, reference
from lenet.engine.packing import pack_tensors, unpack_tensors
from lenet.errors import UsageError
from lenet.native import dispatch
from lenet.network.initialisation import draw_tensors
from lenet.network.inputs import to_input
from lenet.network.spec import NETS, Net
from lenet.network.summary import tensor_shapes
from lenet.network.weights import Weights

ENGINES = pytest.mark.parametrize("engine", dispatch.available_engines())
EVERY_NET = pytest.mark.parametrize("net", NETS.values(), ids=list(NETS))


def network(net: Net, engine: str, threads: int | None = None, seed: int = 0) -> Network:
    """A network with random weights, biases and coefficients."""
    rng = np.random.default_rng(seed)
    tensors = draw_tensors(net, "efficient-backprop", rng)
    for name, shape in tensor_shapes(net).items():
        if name.endswith("bias"):
            tensors[name] = rng.normal(0, 0.1, shape).astype(np.float32)
        if name.endswith("coefficient"):
            tensors[name] = tensors[name] * rng.uniform(0.5, 1.5, shape).astype(np.float32)
    return Network(Weights(net, tensors), engine, threads)


def inputs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Random network input (n, 1, h, w)."""
    return rng.uniform(-0.1, 1.175, (shape[0], 1, *shape[1:])).astype(np.float32)


def close(found: np.ndarray, expected: np.ndarray) -> bool:
    """Equal to single precision: to a few millionths of the largest value."""
    return found.shape == expected.shape and bool(np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max())


def truth(of: Network, x: np.ndarray) -> np.ndarray:
    """What the reference gives, in double precision."""
    tensors = {name: tensor.astype(np.float64) for name, tensor in of.weights.tensors.items()}
    return reference.forward(of.net, tensors, x.astype(np.float64))


@ENGINES
@EVERY_NET
@pytest.mark.parametrize("shape", [(1, 32, 32), (7, 32, 32), (9, 32, 32), (3, 32, 64), (9, 45, 71), (1, 33, 100)])
def test_scores_are_the_references(
    net: Net, engine: str, shape: tuple[int, int, int], rng: np.random.Generator
) -> None:
    """One image, a few, a few more than a vector has lanes, and wider fields."""
    ours, x = network(net, engine), inputs(rng, *shape)
    assert close(ours.forward(x), truth(ours, x))


@ENGINES
@pytest.mark.parametrize("activation", ["squash", "relu", "sigmoid"])
@pytest.mark.parametrize("name", ["lenet5", "lenet5-modern", "lenet5-dense"])
def test_every_activation_with_every_subsampling(
    name: str, activation: str, engine: str, rng: np.random.Generator
) -> None:
    """Average, maximum and trainable sum, alone and in a block."""
    ours = network(NETS[name].with_activation(activation), engine)  # type: ignore[arg-type]
    x = 3 * inputs(rng, 17, 32, 32)
    assert close(ours.forward(x), truth(ours, x))


@ENGINES
@settings(max_examples=15)
@given(st.integers(0, 20), st.integers(32, 60), st.integers(32, 90), st.sampled_from(sorted(NETS)))
def test_any_shape(engine: str, n: int, height: int, width: int, name: str) -> None:
    """Also an empty batch, which has an empty answer of the right shape."""
    ours, x = network(NETS[name], engine), inputs(np.random.default_rng(n), n, height, width)
    found, expected = ours.forward(x), truth(ours, x)
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    assert not n or close(found, expected)


@ENGINES
def test_a_thousand_images_and_a_field_of_4000(engine: str, rng: np.random.Generator) -> None:
    """Large work; the wide field equals sliding the 32x32 network over it."""
    ours = network(NETS["lenet5-modern"], engine)
    x = inputs(rng, 1000, 32, 32)
    found = ours.forward(x)
    assert close(found[[0, 500, 999]], truth(ours, x[[0, 500, 999]]))
    wide = inputs(rng, 1, 32, 4000)
    scores = ours.forward(wide)
    assert scores.shape == (1, 10, 1, 993)
    for place in (0, 1, 500, 992):
        window = wide[:, :, :, 4 * place : 4 * place + 32]
        assert close(ours.forward(window), scores[:, :, 0, place])


@ENGINES
def test_layout_and_precision_of_the_input_do_not_matter(engine: str, rng: np.random.Generator) -> None:
    """Reversed, strided, Fortran-ordered and double precision arrays give the scores of a plain copy."""
    ours, x = network(NETS["lenet5"], engine), inputs(rng, 12, 32, 32)
    plain = ours.forward(x)
    assert close(ours.forward(x[::-1])[::-1], plain)
    assert (ours.forward(x[::2].copy()) == ours.forward(x[::2])).all()
    assert (ours.forward(np.asfortranarray(x)) == plain).all()
    assert close(ours.forward(x.astype(np.float64)), plain)


@ENGINES
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 32, 32), np.float32), r"inputs of shape \(2, 32, 32\): expected \(n, 1, h, w\)"),
        (np.zeros((2, 3, 32, 32), np.float32), r"inputs of shape \(2, 3, 32, 32\)"),
        (np.zeros((2, 1, 31, 40), np.float32), r"inputs of shape \(2, 1, 31, 40\)"),
        (np.zeros((2, 1, 32, 32), np.uint8), "inputs of type uint8: expected floats, as lenet.network.inputs.to_input"),
        (np.zeros((2, 1, 32, 32), complex), "inputs of type complex128"),
    ],
)
def test_wrong_inputs_are_named(x: np.ndarray, message: str, engine: str) -> None:
    """Shape and type, before anything is computed."""
    with pytest.raises(ValueError, match=message):
        network(NETS["lenet5"], engine).forward(x)


@ENGINES
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("n", "row"), [(1, 0), (9, 8), (40, 33)])
def test_nan_and_infinity_are_refused_with_their_place(
    value: float, n: int, row: int, engine: str, rng: np.random.Generator
) -> None:
    """Wherever the image is: alone, left over after a block, or within one; also in the margin of LeNet-1."""
    for name in ("lenet5", "lenet1"):
        x = inputs(rng, n, 32, 40)
        x[row, 0, 5, 39] = value
        with pytest.raises(ValueError, match=rf"inputs\[{row}, 0, 5, 39\]: {value}; every value must be finite"):
            network(NETS[name], engine).forward(x)


def test_a_double_beyond_single_precision_is_named() -> None:
    """The native engine computes in float32: 1e300 is refused without a warning; the reference computes in float64."""
    x = np.zeros((1, 1, 32, 32))
    x[0, 0, 3, 4] = 1e300
    for engine in dispatch.available_engines()[:-1]:
        with pytest.raises(ValueError, match=r"inputs as float32\[0, 0, 3, 4\]: inf"):
            network(NETS["lenet5"], engine).forward(x)


@ENGINES
@EVERY_NET
def test_activations_are_the_references(net: Net, engine: str, rng: np.random.Generator) -> None:
    """The input and every layer, by name and in order, for one glyph and for more than a block."""
    ours = network(net, engine)
    for n in (1, 19):
        glyphs = rng.integers(0, 256, (n, 28, 28)).astype(np.uint8)
        found, expected = ours.activations(glyphs), Network(ours.weights, "reference").activations(glyphs)
        assert list(found) == list(expected) == ["input", *(layer.name for layer in net.layers)]
        for name, values in expected.items():
            assert close(found[name], values), name


@ENGINES
def test_threads_do_not_change_a_bit(engine: str, rng: np.random.Generator) -> None:
    """One thread, two or five: the same scores."""
    x = inputs(rng, 203, 32, 32)
    one, two, five = (network(NETS["lenet5"], engine, threads).forward(x) for threads in (1, 2, 5))
    assert (one == two).all()
    assert (one == five).all()


@ENGINES
def test_sixteen_callers_at_once(engine: str, rng: np.random.Generator) -> None:
    """Each gets the answer that it would have got alone."""
    ours = network(NETS["lenet5-modern"], engine)
    work = [inputs(rng, n, 32, 32 + 4 * (n % 3)) for n in range(1, 33)]
    alone = [ours.forward(x) for x in work]
    with ThreadPoolExecutor(16) as callers:
        together = list(callers.map(ours.forward, work * 3))
    assert all((found == expected).all() for found, expected in zip(together, alone * 3, strict=True))


FORKING = """
import os, sys
import numpy as np, lenet
network = lenet.load()
x = np.zeros((200, 1, 32, 32), np.float32)
expected = network.forward(x)
child = os.fork()
if child == 0:
    os._exit(0 if (network.forward(x) == expected).all() else 3)
assert (network.forward(x) == expected).all()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_child_has_threads_of_its_own() -> None:
    """After fork neither parent nor child waits for threads that are not there."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING], timeout=600, check=False, env=environment)
    assert done.returncode == 0


def test_lenet_engine_forces_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every engine of the machine by name; another name is one line that says what there is."""
    for engine in dispatch.available_engines():
        monkeypatch.setenv("LENET_ENGINE", engine)
        assert lenet.load().engine == engine
    monkeypatch.setenv("LENET_ENGINE", "sse9")
    with pytest.raises(UsageError, match="LENET_ENGINE 'sse9': this machine has .*reference"):
        lenet.load()
    monkeypatch.delenv("LENET_ENGINE")
    assert lenet.load().engine == dispatch.available_engines()[0] != "reference"


def test_cores_are_those_that_this_process_may_use() -> None:
    """Not those of the machine: its affinity counts."""
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("no affinity on this system")
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert dispatch.count_cores() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert 1 <= dispatch.count_cores() <= len(before)


def test_tensors_go_into_one_line_and_back() -> None:
    """Every tensor by name, as views of the line."""
    net = NETS["lenet5-1998"]
    tensors = draw_tensors(net, "efficient-backprop", np.random.default_rng(1))
    line = pack_tensors(net, tensors)
    back = unpack_tensors(net, line)
    assert list(back) == list(tensors)
    assert all((back[name] == tensors[name]).all() for name in tensors)
    back["c1.bias"][:] = 7
    assert (line == 7).sum() == 6


def test_networks_that_the_kernels_cannot_run_are_refused() -> None:
    """The native engine says which shape it wants; no network of the table is refused."""
    from lenet.engine.packing import describe_layers
    from lenet.native import _native

    net = NETS["lenet5"]
    without_subsampling = replace(net, layers=(net.layers[0], *net.layers[2:]))
    with pytest.raises(ValueError, match="5x5 convolutions with subsampling"):
        _native.Network(describe_layers(without_subsampling), 0)
    with pytest.raises(ValueError, match="not as many as the network has"):
        _native.Model(_native.Network(describe_layers(net), 0), np.zeros(5, np.float32), _native.available()[0])


def test_a_network_travels(rng: np.random.Generator) -> None:
    """Pickled or copied after its first call, it scores the same."""
    ours, x = network(NETS["lenet5"], dispatch.chosen_engine()), inputs(rng, 9, 32, 32)
    expected = ours.forward(x)
    assert (pickle.loads(pickle.dumps(ours)).forward(x) == expected).all()
    assert (copy.deepcopy(ours).forward(x) == expected).all()


LEAVING = """
import threading, time
import numpy as np, lenet
network, x = lenet.load(), np.zeros((64, 1, 32, 32), np.float32)
network.forward(x)
def score():
    while True:
        network.forward(x)
for _ in range(4):
    threading.Thread(target=score, daemon=True).start()
time.sleep(0.3)
"""


def test_daemon_threads_do_not_abort_the_end() -> None:
    """A program that ends while daemon threads score leaves with status 0, whenever that is."""
    for _time in range(5):
        done = subprocess.run([sys.executable, "-c", LEAVING], timeout=600, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.engine
def test_glyphs_are_scored_as_their_network_input_is(rng: np.random.Generator) -> None:
    """One, none and more than are converted at once: the same bits."""
    for count in (0, 1, 1030):
        glyphs = rng.integers(0, 256, (count, 28, 28)).astype(np.uint8)
        net = lenet.load("lenet5")
        np.testing.assert_array_equal(net.scores(glyphs), net.forward(to_input(glyphs)))
    assert (net.scores(glyphs[0]) == net.scores(glyphs[:1])).all()
    assert (net.scores(glyphs[:, ::-1]) == net.scores(glyphs[:, ::-1].copy())).all()
