"""The networks in PyTorch and in NumPy: equal to each other, and to sliding on wider fields."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import lenet
from lenet import nets
from lenet.arrays import Tensors
from lenet.engine import reference
from lenet.nets import LeNet
from lenet.network.initialisation import draw_tensors
from lenet.network.spec import NETS, Net

NAMES = list(NETS)


def random_tensors(net: Net, rng: np.random.Generator) -> Tensors:
    """Initial weights with every bias and coefficient shaken, so that nothing is zero by chance."""
    tensors = draw_tensors(net, "efficient-backprop", rng)
    for name, tensor in tensors.items():
        if tensor.ndim == 1:
            tensors[name] = (tensor + rng.normal(0, 0.1, tensor.shape)).astype(np.float32)
    return tensors


def both(net: Net, inputs: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Score inputs with PyTorch and with the reference, in the inputs' own precision."""
    tensors = random_tensors(net, rng)
    model = LeNet(net).eval()
    model.load(tensors)
    if inputs.dtype == np.float64:
        model = model.double()
        tensors = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}
    with torch.no_grad():
        theirs = model(torch.from_numpy(inputs)).numpy()
    return reference.forward(net, tensors, inputs), theirs


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("activation", ["squash", "relu", "sigmoid"])
def test_reference_equals_pytorch_in_float64(name: str, activation: str, rng: np.random.Generator) -> None:
    """To 1e-10 of the largest score, on random weights and inputs."""
    net = NETS[name].with_activation(activation)  # type: ignore[arg-type]
    ours, theirs = both(net, rng.uniform(-0.1, 1.175, (5, 1, 32, 32)), rng)
    assert ours.shape == (5, net.outputs)
    assert np.abs(ours - theirs).max() <= 1e-10 * np.abs(theirs).max()


@pytest.mark.parametrize("name", NAMES)
def test_reference_equals_pytorch_in_float32(name: str, rng: np.random.Generator) -> None:
    """To a few roundings of the largest score: 2e-6 of it."""
    ours, theirs = both(NETS[name], rng.uniform(-0.1, 1.175, (70, 1, 32, 32)).astype(np.float32), rng)
    assert ours.dtype == np.float32
    assert np.abs(ours - theirs).max() <= 2e-6 * np.abs(theirs).max()


@pytest.mark.parametrize("name", NAMES)
@given(width=st.integers(32, 75), height=st.integers(32, 44))
def test_a_wide_field_equals_sliding_at_step_4(name: str, width: int, height: int) -> None:
    """(n, 1, H, W) gives (n, k, (H - 32) // 4 + 1, (W - 32) // 4 + 1), each as the 32x32 network sees it."""
    rng = np.random.default_rng(width * 100 + height)
    net = NETS[name]
    tensors = {key: value.astype(np.float64) for key, value in random_tensors(net, rng).items()}
    field = rng.uniform(-0.1, 1.175, (1, 1, height, width))
    scores = reference.forward(net, tensors, field)
    model = LeNet(net).eval().double()
    model.load(tensors)
    with torch.no_grad():
        theirs = model(torch.from_numpy(field)).numpy()
    rows, columns = (height - 32) // 4 + 1, (width - 32) // 4 + 1
    windows = [field[:, :, 4 * y : 4 * y + 32, 4 * x : 4 * x + 32] for y in range(rows) for x in range(columns)]
    slid = reference.forward(net, tensors, np.concatenate(windows)).T.reshape(1, net.outputs, rows, columns)
    flat = scores if scores.ndim == 4 else scores[:, :, None, None]
    assert flat.shape == slid.shape
    assert np.abs(flat - slid).max() <= 1e-10 * np.abs(slid).max()
    assert np.abs(theirs.reshape(slid.shape) - slid).max() <= 1e-10 * np.abs(slid).max()


def test_32_high_and_64_wide_gives_nine_columns() -> None:
    """Section VII: the replicated network of Fig. 25."""
    assert LeNet(NETS["lenet5-1998"])(torch.zeros(1, 1, 32, 64)).shape == (1, 10, 1, 9)


def test_lenet1_never_sees_its_margin(rng: np.random.Generator) -> None:
    """LeNet-1 works on the central 28x28 of its input."""
    inputs = rng.uniform(-0.1, 1.175, (1, 1, 32, 32))
    framed = inputs.copy()
    framed[:, :, :2], framed[:, :, -2:], framed[:, :, :, :2], framed[:, :, :, -2:] = 9, 9, 9, 9
    tensors = random_tensors(NETS["lenet1"], rng)
    scores = [reference.forward(NETS["lenet1"], tensors, each) for each in (inputs, framed)]
    assert (scores[0] == scores[1]).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_module_trains_as_many_parameters_as_the_paper_counts(name: str) -> None:
    """Kernels that the table leaves out exist as zeros and get no gradient."""
    from lenet.network.summary import count_trainable

    model = LeNet(NETS[name], seed=3)
    model(torch.rand(8, 1, 32, 32)).square().sum().backward()
    moved = sum(int((p.grad != 0).sum()) for p in model.parameters() if p.grad is not None)
    assert moved <= count_trainable(NETS[name])
    masked = sum(p.numel() for p in model.parameters()) - count_trainable(NETS[name])
    zeros = sum(int((p.grad == 0).sum()) for p in model.parameters() if p.grad is not None)
    assert zeros >= masked


def test_batch_normalisation_is_folded_exactly(rng: np.random.Generator) -> None:
    """The folded tensors give the scores of the network in evaluation, to 1e-10 in float64."""
    model = LeNet(NETS["lenet5-modern"], batch_norm=True, dropout=0.5).double()
    assert sum(p.numel() for p in model.parameters()) == 61_750
    inputs = torch.from_numpy(rng.uniform(-0.1, 1.175, (32, 1, 32, 32)))
    for _step in range(5):  # move the running statistics
        model(inputs)
    model.eval()
    with torch.no_grad():
        expected = model(inputs).numpy()
    found = reference.forward(model.net, model.folded(), inputs.numpy())
    assert np.abs(found - expected).max() <= 1e-10 * np.abs(expected).max()


def test_dropout_drops_only_in_training() -> None:
    """Two passes differ in training and are equal in evaluation."""
    model = LeNet(NETS["lenet5-modern"], dropout=0.5)
    x = torch.rand(4, 1, 32, 32)
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))


def test_activations_have_every_layer_by_name(rng: np.random.Generator) -> None:
    """The input first, then each layer in order, the last being the scores."""
    net = NETS["lenet5-1998"]
    tensors = random_tensors(net, rng)
    inputs = rng.uniform(-0.1, 1.175, (2, 1, 32, 32))
    inside = reference.activations(net, tensors, inputs)
    assert list(inside) == ["input", "C1", "S2", "C3", "S4", "C5", "F6", "output"]
    assert (inside["output"][:, :, 0, 0] == reference.forward(net, tensors, inputs)).all()


def test_an_empty_batch_gives_no_scores(rng: np.random.Generator) -> None:
    """(0, 1, 32, 32) -> (0, 10)."""
    net = NETS["lenet5"]
    assert reference.forward(net, random_tensors(net, rng), np.zeros((0, 1, 32, 32))).shape == (0, 10)


@pytest.mark.parametrize("shape", [(1, 32, 32), (1, 3, 32, 32), (1, 1, 31, 32), (1, 1, 32, 8)])
def test_a_wrong_shape_is_named(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    """The message has the shape that was given."""
    net = NETS["lenet5"]
    with pytest.raises(ValueError, match="shape"):
        reference.forward(net, random_tensors(net, rng), np.zeros(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_in_the_input_names_its_first_index(value: float, rng: np.random.Generator) -> None:
    """NaN or infinity in: ValueError with the place."""
    inputs = np.zeros((2, 1, 32, 32))
    inputs[1, 0, 3, 7] = value
    net = NETS["lenet5"]
    with pytest.raises(ValueError, match=r"inputs\[1, 0, 3, 7\]"):
        reference.forward(net, random_tensors(net, rng), inputs)


def test_create_model_builds_every_listed_model() -> None:
    """`list_networks` and `create_model` agree, each with a sentence; an unknown name lists what there is."""
    for name, about in lenet.list_networks().items():
        assert lenet.create_model(name)(torch.zeros(1, 1, 32, 32)).shape == (1, NETS[name].outputs)
        assert len(about.split()) >= 3
    with pytest.raises(ValueError, match="'resnet': expected one of lenet5-1998"):
        lenet.create_model("resnet")


def test_all_listed_weights_can_be_loaded() -> None:
    """`list_models` is what `load` takes, and the default is among them."""
    assert [lenet.load(name).weights.name for name in lenet.list_models()] == lenet.list_models()
    assert lenet.load().weights.name in lenet.list_models()


@pytest.mark.parametrize("shape", [(1, 1, 28, 28), (28, 28), (3, 28, 28)])
def test_glyphs_given_to_a_module_say_what_to_do(shape: tuple[int, ...]) -> None:
    """One line that names what makes network input of them, in place of PyTorch's own about kernels."""
    with pytest.raises(ValueError, match=r"expected \(n, 1, 32, 32\) or wider; lenet.network.inputs.to_input makes it"):
        lenet.create_model("lenet5")(torch.zeros(shape))


@pytest.mark.engine
def test_pretrained_scores_as_the_engine(rng: np.random.Generator) -> None:
    """The PyTorch module with shipped weights and `lenet.load` agree to 1e-5 of the largest score."""
    from lenet.network.inputs import to_input

    glyphs = rng.integers(0, 256, (9, 28, 28)).astype(np.uint8)
    model = lenet.create_model("lenet5-modern", pretrained=True).eval()
    with torch.no_grad():
        theirs = model(torch.from_numpy(to_input(glyphs))).numpy()
    assert np.abs(lenet.load("lenet5-modern").scores(glyphs) - theirs).max() <= 1e-5 * np.abs(theirs).max()


def test_pretrained_refuses_batch_normalisation() -> None:
    """Shipped weights are folded and have their activation: the options exclude each other."""
    for options in ({"batch_norm": True}, {"activation": "sigmoid"}):
        with pytest.raises(ValueError, match="folded"):
            nets.create_model("lenet5-modern", pretrained=True, **options)  # type: ignore[arg-type]
