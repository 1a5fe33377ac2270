"""Learning lines: the loss over all alignments, gradients and steps of every engine, against PyTorch and all ways."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet.arrays import Floats, Tensors
from lenet.decoding.alignments import score_texts
from lenet.engine.gradients import backward, outputs
from lenet.engine.learner import AdamW, LineLesson
from lenet.engine.learners import LineLearner, line_learner
from lenet.engine.line_loss import text_loss
from lenet.engine.lines import join_columns, split_columns
from lenet.engine.packing import pack_tensors, unpack_tensors
from lenet.native import dispatch
from lenet.network.initialisation import draw_tensors
from lenet.network.probabilities import log_probabilities, probabilities
from lenet.network.spec import LINE_NETS, Convolution, Net, Subsampling

pytestmark = pytest.mark.engine
ENGINES = pytest.mark.parametrize("engine", dispatch.available_engines())
# Padded and not, wide kernels and high ones, maxima along one side, both and none; more maps than a vector, and fewer.
SMALL = Net(
    "small",
    (
        Convolution("C1", 5, 5, "relu", padding=(2, 2)),
        Subsampling("S2", "max"),
        Convolution("C3", 19, 3, "squash", width=2, padding=(1, 0)),
        Subsampling("S4", "max", window=(2, 1)),
        Convolution("C5", 70, 4, "relu", width=3, padding=(0, 1)),
        Subsampling("S6", "max", window=(1, 2)),
        Convolution("C7", 9, 5, "sigmoid", width=1),
        Convolution("output", 2 * 4, 1),
    ),
    "for tests",
    columns=2,
)


def draw_lesson(net: Net, n: int = 5, width: int = 44) -> LineLesson:
    """Random lines with short texts, of which one is empty and one has more labels than columns."""
    rng = np.random.default_rng(7)
    most = split_columns(net, np.zeros((1, net.outputs, 1, 10), np.float32)).shape[2] - 1
    inputs = rng.normal(0, 1, (n, 1, 32, width)).astype(np.float32)
    columns = np.array([10, 8, 9, 7, 2, 10][:n], np.int32)
    texts = rng.integers(0, most, (n, 5)).astype(np.int32)
    return LineLesson(inputs, columns, texts, np.array([3, 2, 0, 4, 5, 1][:n], np.int32))


def learner(net: Net, rule: AdamW, engine: str, monkeypatch: pytest.MonkeyPatch, threads: int = 2) -> LineLearner:
    """A learner on an engine, with weights drawn at random."""
    monkeypatch.setenv("LENET_ENGINE", engine)
    made = line_learner(net, rule, threads)
    for part in ("parameters", "average"):
        made.set(part, pack_tensors(net, draw_tensors(net, "he", np.random.default_rng(3))))
    return made


def lesson_loss(net: Net, tensors: Tensors, lesson: LineLesson) -> float:
    """The mean loss of a lesson in double precision."""
    scores = split_columns(net, outputs(net, tensors, lesson.inputs.astype(np.float64), {})[-1])
    lines = zip(scores, lesson.columns, lesson.texts, lesson.lengths, strict=True)
    return float(np.mean([text_loss(each[:columns], text[:length])[0] for each, columns, text, length in lines]))


def collapse(labels: tuple[int, ...], nothing: int) -> tuple[int, ...]:
    """What columns of labels say."""
    apart = [label for place, label in enumerate(labels) if place == 0 or labels[place - 1] != label]
    return tuple(label for label in apart if label != nothing)


@given(st.lists(st.integers(0, 2), max_size=3), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_the_loss_is_over_all_alignments(text: list[int], columns: int, seed: int) -> None:
    """The sum over every way to write labels into the columns that says the text, found by trying all."""
    scores = np.random.default_rng(seed).normal(0, 2, (columns, 4))
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    every = [way for way in product(range(4), repeat=columns) if collapse(way, 3) == tuple(text)]
    loss, gradient = text_loss(scores, np.array(text, np.int32))
    if not every:
        assert (loss, np.abs(gradient).max()) == (0, 0)
        return
    total = sum(float(np.prod(shares[np.arange(columns), way])) for way in every)
    assert loss == pytest.approx(-np.log(total) / (len(text) + 1))


def test_the_loss_is_what_decoding_says(rng: np.random.Generator) -> None:
    """Training and reading have the same probability of a text, each in its own code."""
    scores = rng.normal(0, 3, (30, 12))
    text = np.array([1, 1, 0, 10, 4], np.int32)
    said = score_texts(log_probabilities(probabilities(scores, 1.0)), [tuple(text.tolist())])[0]
    assert text_loss(scores, text)[0] == pytest.approx(-said / 6)


def test_the_gradient_of_the_loss_is_its_slope(rng: np.random.Generator) -> None:
    """By small steps in every score."""
    scores, text = rng.normal(0, 1, (9, 5)), np.array([2, 2, 3], np.int32)
    gradient = text_loss(scores, text)[1]
    for place in np.ndindex(scores.shape):
        step = np.zeros_like(scores)
        step[place] = 1e-5
        slope = (text_loss(scores + step, text)[0] - text_loss(scores - step, text)[0]) / 2e-5
        assert gradient[place] == pytest.approx(slope, abs=1e-8)


def test_columns_are_split_and_joined(rng: np.random.Generator) -> None:
    """Each undoes the other."""
    scores: Floats = rng.normal(0, 1, (3, SMALL.outputs, 1, 7))
    assert (join_columns(SMALL, split_columns(SMALL, scores)) == scores).all()


def test_the_reference_gradient_is_the_slope() -> None:
    """Of every tensor of padded, wide and high kernels and of maxima along one side, by small steps."""
    tensors = {
        name: each.astype(np.float64) for name, each in draw_tensors(SMALL, "he", np.random.default_rng(3)).items()
    }
    lesson = draw_lesson(SMALL)
    values = outputs(SMALL, tensors, lesson.inputs.astype(np.float64), {})
    scores = split_columns(SMALL, values[-1])
    d_scores = np.zeros_like(scores)
    for line, columns in enumerate(lesson.columns):
        d_scores[line, :columns] = text_loss(scores[line, :columns], lesson.texts[line, : lesson.lengths[line]])[1]
    found = backward(SMALL, tensors, values, join_columns(SMALL, d_scores / len(scores)), {})
    rng = np.random.default_rng(5)
    for name, tensor in tensors.items():
        place = tuple(int(rng.integers(side)) for side in tensor.shape)
        slopes = []
        for step in (1e-6, -1e-6):
            moved = {**tensors, name: tensor.copy()}
            moved[name][place] += step
            slopes.append(lesson_loss(SMALL, moved, lesson))
        assert found[name][place] == pytest.approx((slopes[0] - slopes[1]) / 2e-6, rel=1e-4, abs=1e-8), name


@ENGINES
@pytest.mark.parametrize("net", [SMALL, LINE_NETS["lenet-line"]], ids=["small", "lenet-line"])
def test_a_step_is_pytorchs(engine: str, net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss, the gradient of every tensor, and where AdamW moves it, on every engine, against PyTorch."""
    torch = pytest.importorskip("torch")
    from lenet.nets.modules import LeNet

    rule = AdamW(decay=0.02, longest_step=0.05)
    one = learner(net, rule, engine, monkeypatch)
    lesson = draw_lesson(net)
    model = LeNet(net)
    model.load(unpack_tensors(net, one.get("parameters")))
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": rule.decay},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=1e-4, betas=(rule.first, rule.second))
    k = net.outputs // net.columns
    scores = model(torch.from_numpy(lesson.inputs))[:, :, 0].unflatten(1, (net.columns, k)).permute(0, 3, 1, 2)
    log_probs = scores.reshape(len(scores), -1, k).log_softmax(2).transpose(0, 1)
    sizes = [torch.from_numpy(each.astype(np.int64)) for each in (lesson.texts, lesson.columns, lesson.lengths)]
    losses = torch.nn.functional.ctc_loss(log_probs, *sizes, k - 1, "none", zero_infinity=True)
    expected = (losses / (sizes[2] + 1)).mean()
    expected.backward()
    gradient = {name: each.grad.numpy().copy() for name, each in model.named_parameters()}
    assert one.step(lesson, 1e-4) == pytest.approx(float(expected.detach()), rel=1e-5)
    found = unpack_tensors(net, one.get("gradient"))
    for name, each in gradient.items():
        assert np.abs(found[name] - each).max() <= 1e-4 * np.abs(each).max() + 1e-7, name
    torch.nn.utils.clip_grad_norm_(model.parameters(), rule.longest_step)
    optimiser.step()
    moved = unpack_tensors(net, one.get("parameters"))
    for name, each in model.named_parameters():
        sure = np.abs(gradient[name]) > 1e-3 * np.abs(gradient[name]).max()  # a first step goes by signs
        assert np.abs(moved[name] - each.detach().numpy())[sure].max() <= 2e-6, name


@pytest.mark.parametrize("engine", dispatch.available_engines()[:-1])
def test_steps_are_the_twins(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several steps in a row, with the average: the native learner stays where the readable one goes."""
    rule = AdamW(averaging=0.9)
    one, twin = (learner(SMALL, rule, each, monkeypatch) for each in (engine, dispatch.REFERENCE))
    for rate in (1e-4, 3e-4, 2e-4):
        losses = [each.step(draw_lesson(SMALL), rate) for each in (one, twin)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert one.steps == twin.steps == 3
    for part in ("parameters", "average", "mean", "square"):
        assert np.abs(one.get(part) - twin.get(part)).max() <= 2e-3 * np.abs(twin.get(part)).max(), part


@pytest.mark.parametrize("engine", dispatch.available_engines()[:-1])
def test_threads_change_no_bit(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread, two or five: the same parameters."""
    found = []
    for threads in (1, 2, 5):
        one = learner(SMALL, AdamW(), engine, monkeypatch, threads)
        one.step(draw_lesson(SMALL, 6), 1e-3)
        found.append(one.get("parameters"))
    assert (found[0] == found[1]).all()
    assert (found[0] == found[2]).all()


@ENGINES
def test_lines_are_learned(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five lines are known after some steps; what has no alignment is left out."""
    one = learner(SMALL, AdamW(), engine, monkeypatch)
    lesson = draw_lesson(SMALL)
    losses = [one.step(lesson, 3e-3) for _step in range(60)]
    assert losses[-1] < 0.35 * losses[0]


@pytest.mark.parametrize("engine", dispatch.available_engines()[:-1])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": np.array([99, 1, 1, 1, 1], np.int32)}, "columns: more than the network has, or none"),
        ({"columns": np.array([0, 1, 1, 1, 1], np.int32)}, "columns: more than the network has, or none"),
        ({"lengths": np.array([6, 1, 1, 1, 1], np.int32)}, "lengths: longer than the rows of texts"),
        ({"texts": np.full((5, 5), 3, np.int32)}, "texts: a label that the network does not have"),
        ({"lengths": np.ones(4, np.int32)}, "lines: expected columns"),
        ({"inputs": np.zeros((5, 1, 31, 44), np.float32)}, "inputs: expected"),
        ({"inputs": np.zeros((5, 1, 32, 2), np.float32)}, "inputs: expected a w that leaves a column"),
    ],
)
def test_a_wrong_lesson_is_refused(
    engine: str, change: dict[str, np.ndarray], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is learned from it."""
    one = learner(SMALL, AdamW(), engine, monkeypatch)
    with pytest.raises(ValueError, match=message):
        one.step(LineLesson(**{**vars(draw_lesson(SMALL)), **change}), 1e-3)
    assert one.steps == 0


def test_padding_as_large_as_the_kernel_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its outputs would not depend on any input; only reading takes it."""
    odd = Net("odd", (Convolution("C1", 4, 32, width=2, padding=(0, 2)), *SMALL.layers[-1:]), "for tests", columns=2)
    monkeypatch.setenv("LENET_ENGINE", dispatch.available_engines()[0])
    if dispatch.chosen_engine() != dispatch.REFERENCE:
        with pytest.raises(ValueError, match="padding as large as the kernel"):
            line_learner(odd, AdamW(), 1)
