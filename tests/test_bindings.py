"""The native module refuses arrays of the wrong size, and networks that would make its kernels leave their memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

from lenet.engine.gradients import Loss, LossKind
from lenet.engine.learner import SGD, AdamW
from lenet.engine.native_learners import NativeBatchLearner, NativeOnlineLearner
from lenet.engine.packing import describe_layers
from lenet.engine.twins import TwinBatchLearner, TwinLineLearner, TwinOnlineLearner
from lenet.engine.warp import PARAMETERS
from lenet.native import _native
from lenet.network.spec import LINE_NETS, NETS, Activation, Subsampling
from lenet.network.summary import count_trainable

NET = NETS["lenet5"]
BEST = _native.available()[0]
N, BATCH, REPLICAS = 6, 4, 3


def zeros(*shape: int) -> np.ndarray:
    """Float32 zeros."""
    return np.zeros(shape, np.float32)


def order(*rows: int) -> np.ndarray:
    """Rows as an order."""
    return np.array(rows, np.int32)


def described(**changes: Any) -> _native.Network:
    """The network as the native module has it."""
    net = replace(NET, **changes)
    return _native.Network(describe_layers(net), net.margin)


def model() -> _native.Model:
    """A model whose parameters are all zero."""
    return _native.Model(described(), zeros(count_trainable(NET)), BEST)


def patterns(label: int = 9) -> _native.Patterns:
    """Some empty fields; the last has this label."""
    return _native.Patterns(zeros(N, 1, 32, 32), np.array([0] * (N - 1) + [label], np.uint8))


def batch(**arguments: Any) -> object:
    """Run a learner of mini-batches over all patterns, with some arguments changed."""
    learner = NativeBatchLearner(NET, Loss(), SGD(BATCH), BEST, 1)._learner
    usual = {"patterns": patterns(), "order": order(*range(N)), "distortions": None, "targets": None}
    usual |= {"rates": zeros(2), "first": 0, "noise": 0, "threads": 2}
    return learner.run(**(usual | arguments))


def online(method: str = "run", **arguments: Any) -> object:
    """Run, or ask, an on-line learner of three replicas, two patterns for each, with some arguments changed."""
    learner = NativeOnlineLearner(NET, Loss(), REPLICAS, BEST, 1)._learner
    usual: dict[str, Any] = {"patterns": patterns(), "orders": order(*range(6)), "threads": 2}
    usual |= {"distortions": None, "rates": zeros(2)} if method == "run" else {"mu": 0.02}
    return getattr(learner, method)(**(usual | arguments))


WRONG_ARRAYS: dict[str, tuple[Callable[[], object], str]] = {
    "parameters": (lambda: _native.Model(described(), zeros(5), BEST), "parameters: not as many"),
    "inputs, three axes": (lambda: model().forward(zeros(2, 32, 32), zeros(2, 10), 1), "inputs: expected"),
    "inputs, two channels": (lambda: model().forward(zeros(2, 2, 32, 32), zeros(2, 10), 1), "inputs: expected"),
    "inputs, too low": (lambda: model().forward(zeros(2, 1, 31, 32), zeros(2, 10), 1), "inputs: expected h and w"),
    "inputs, too wide": (lambda: model().forward(zeros(0, 1, 32, 2**33 + 40), zeros(0, 10), 1), "inputs: expected h"),
    "scores, too few rows": (lambda: model().forward(zeros(5, 1, 32, 32), zeros(4, 10), 1), "scores: expected"),
    "scores, too few columns": (lambda: model().forward(zeros(5, 1, 32, 32), zeros(5, 9), 1), "scores: expected"),
    "scores, none": (lambda: model().forward(zeros(5, 1, 32, 32), zeros(0), 1), "scores: expected"),
    "scores, more than there are": (lambda: model().forward(zeros(5, 1, 32, 32), zeros(5, 11), 1), "scores: expected"),
    "scores, turned": (lambda: model().forward(zeros(5, 1, 32, 32), zeros(10, 5), 1), "scores: expected"),
    "scores of a wide field": (lambda: model().forward(zeros(2, 1, 32, 64), zeros(2, 10), 1), "scores: expected"),
    "activations": (lambda: model().activations(zeros(2, 1, 32, 36)), r"inputs: expected \(n, 1, 32, 32\)"),
    "warp, distortions": (
        lambda: _native.warp(BEST, zeros(2, 1, 32, 32), zeros(1, PARAMETERS), zeros(2, 1, 32, 32)),
        "warp: expected",
    ),
    "warp, inputs": (
        lambda: _native.warp(BEST, zeros(2, 1, 32, 31), zeros(1, PARAMETERS), zeros(2, 1, 32, 31)),
        "warp: expected",
    ),
    "warp, warped": (
        lambda: _native.warp(BEST, zeros(2, 1, 32, 32), zeros(2, PARAMETERS), zeros(1, 1, 32, 32)),
        "warp: expected",
    ),
    "patterns, inputs": (lambda: _native.Patterns(zeros(2, 1, 28, 28), np.zeros(2, np.uint8)), "patterns: expected"),
    "patterns, labels": (lambda: _native.Patterns(zeros(2, 1, 32, 32), np.zeros(1, np.uint8)), "patterns: expected"),
    "order, beyond": (lambda: batch(order=order(0, 1, 2, 3, 4, N)), "order: a row that is not there"),
    "order, negative": (lambda: batch(order=order(0, 1, 2, 3, 4, -1)), "order: a row that is not there"),
    "labels": (lambda: batch(patterns=patterns(10)), "labels: one that the network has no output for"),
    "distortions": (lambda: batch(distortions=zeros(N - 1, PARAMETERS)), "distortions: expected 56 values"),
    "targets": (lambda: batch(targets=zeros(N, 9)), "targets: expected one for each output"),
    "rates": (lambda: batch(rates=zeros(1)), "rates: expected one for each step"),
    "orders, beyond": (lambda: online(orders=order(0, 1, 2, 3, 4, N)), "order: a row that is not there"),
    "orders, too few": (lambda: online(orders=order(0, 1, 2, 3)), "orders: expected a row"),
    "orders, labels": (lambda: online(patterns=patterns(10)), "labels: one that the network"),
    "orders, distortions": (lambda: online(distortions=zeros(5, PARAMETERS)), "distortions: expected 56 values"),
    "orders, rates": (lambda: online(rates=zeros(3)), "orders: expected a row of as many as rates"),
    "estimate, none": (lambda: online("estimate", orders=order()), "orders: expected a row for each replica"),
    "estimate, uneven": (lambda: online("estimate", orders=order(0, 1, 2, 3)), "orders: expected a row"),
    "estimate, beyond": (lambda: online("estimate", orders=order(0, 1, N)), "order: a row that is not there"),
    "estimate, labels": (lambda: online("estimate", patterns=patterns(10)), "labels: one that the network"),
    "values of a batch learner": (
        lambda: NativeBatchLearner(NET, Loss(), SGD(1), BEST, 1).set("average", zeros(7)),
        "values: not as many",
    ),
    "values of an on-line learner": (
        lambda: NativeOnlineLearner(NET, Loss(), 1, BEST, 1).set("parameters", 0, zeros(7)),
        "values: not as many",
    ),
    "a replica that is not there": (lambda: NativeOnlineLearner(NET, Loss(), 1, BEST, 1).get("scales", 1), "replica"),
    "dropout": (
        lambda: _native.BatchLearner(described(), BEST, "distance", 0, 0, 1, 8, 0, 0, False, 0, [0.0]),
        "dropout: expected a share for each stage",
    ),
    "no batch": (lambda: NativeBatchLearner(NET, Loss(), SGD(0), BEST, 1), "batch: expected at least 1"),
    "no replicas": (lambda: NativeOnlineLearner(NET, Loss(), 0, BEST, 1), "replicas: expected at least 1"),
    "instructions": (lambda: _native.warp("sse9", zeros(0, 1, 32, 32), zeros(0, 56), zeros(0, 1, 32, 32)), "sse9"),
}


@pytest.mark.parametrize(("call", "message"), WRONG_ARRAYS.values(), ids=list(WRONG_ARRAYS))
def test_an_array_of_the_wrong_size_is_refused(call: Callable[[], object], message: str) -> None:
    """Every array argument of every call: one line that names it, and no memory is touched."""
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("call", [batch, online, lambda: online("estimate")], ids=["batch", "online", "estimate"])
def test_the_usual_arguments_are_taken(call: Callable[[], object]) -> None:
    """What the cases of wrong arrays change is right before they change it."""
    call()


@pytest.mark.parametrize("scores", [np.zeros((2, 10)), np.zeros((2, 10), np.float32)[:, ::-1], None])
def test_scores_are_written_where_the_caller_sees_them(scores: Any) -> None:
    """An array that would have to be copied first is refused, and so is none at all."""
    with pytest.raises(TypeError):
        model().forward(zeros(2, 1, 32, 32), scores, 1)


def test_an_array_that_is_not_to_be_written_is_not() -> None:
    """Scores and warped inputs that NumPy marks as read-only are refused."""
    scores, warped = zeros(2, 10), zeros(2, 1, 32, 32)
    for each in (scores, warped):
        each.flags.writeable = False
    with pytest.raises(TypeError):
        model().forward(zeros(2, 1, 32, 32), scores, 1)
    with pytest.raises(TypeError):
        _native.warp(BEST, zeros(2, 1, 32, 32), zeros(2, PARAMETERS), warped)


C1 = ("convolution", 6, 5, "relu", [])
S2 = ("subsampling", "max", "none", 1)
C5 = ("convolution", 10, 14, "none", [])
WRONG_RECORDS: dict[str, tuple[list[Any], int, str]] = {
    "no tuple": ([C1, S2, 7], 0, "layers: expected tuples"),
    "an empty tuple": ([C1, S2, ()], 0, "layers: expected tuples"),
    "another kind": ([C1, S2, ("pooling", "max", "none", 1)], 0, "layers: expected convolution, subsampling or codes"),
    "no kind": ([(6, 5, "relu", [])], 0, "layers: a record with a value of another type"),
    "too few values": ([("convolution", 6, 5)], 0, "layers: a record with more or fewer values"),
    "a value of another type": (
        [("convolution", 6, "5", "relu", [])],
        0,
        "layers: a record with a value of another type",
    ),
    "an unknown activation": (
        [("convolution", 6, 5, "tanh", [])],
        0,
        "activation 'tanh': expected one of none, squash",
    ),
    "an unknown subsampling": (
        [C1, ("subsampling", "mean", "none", 1)],
        0,
        "subsampling 'mean': expected one of train",
    ),
    "an activation by number": ([("convolution", 6, 5, 1, [])], 0, "layers: a record with a value of another type"),
    "no layer": ([], 0, "begins with a convolution"),
    "a short table": ([C1, S2, ("convolution", 10, 14, "none", [1] * 59)], 0, "a table of another size"),
    "a short table of the first layer": ([("convolution", 6, 5, "relu", [1]), S2, C5], 0, "a table of another size"),
    "a negative margin": ([C1, S2, ("convolution", 10, 18, "none", [])], -4, "a margin below 0"),
    "a margin that leaves too little": ([C1, S2], 10, "a margin below 0, or one that leaves"),
    "a margin beyond an int": ([C1, S2, C5], 2**30 + 1, "a margin below 0, or one that leaves too little"),
    "copies beyond an int": ([C1, ("subsampling", "max", "none", 2**30), C5], 0, "no copies of a map, or too many"),
    "a larger convolution than its input": ([C1, S2, C1, S2, C1, S2], 2, "larger than what it sees"),
    "convolutions alone": ([C1, S2], 0, "ends with a layer that has one position"),
    "codes without values": ([C1, S2, C5, ("codes", 10, [])], 0, "no codes"),
    "codes of another length": ([C1, S2, C5, ("codes", 10, [1.0] * 99)], 0, "codes of another length"),
}


@pytest.mark.parametrize(("layers", "margin", "message"), WRONG_RECORDS.values(), ids=list(WRONG_RECORDS))
def test_a_network_that_would_leave_memory_is_refused(layers: list[Any], margin: int, message: str) -> None:
    """Records that are none, a table or codes of the wrong size, layers that see nothing: one line says which."""
    with pytest.raises(ValueError, match=message):
        _native.Network(layers, margin)
    _native.Network([C1, S2, C5], 0)


def test_python_and_cpp_mean_the_same_names() -> None:
    """Activations, subsamplings and losses are those of the Python types; parts are those of the NumPy twins."""
    sides = {
        "activation": get_args(Activation),
        "subsampling": get_args(get_type_hints(Subsampling)["kind"]),
        "loss": get_args(LossKind),
        "batch part": tuple(TwinBatchLearner(NET, Loss(), SGD(1))._state),
        "online part": tuple(TwinOnlineLearner(NET, Loss(), 1)._state),
        "line part": tuple(TwinLineLearner(LINE_NETS["lenet-line"], AdamW())._state),
    }
    assert {what: sorted(names) for what, names in _native.names().items()} == {
        what: sorted(names) for what, names in sides.items()
    }


def test_an_unknown_name_is_refused() -> None:
    """Of a loss or of a part of a learner: one line with the names that there are."""
    with pytest.raises(
        ValueError, match="loss 'hinge': expected one of cross-entropy, mean squared error, distance, d"
    ):
        NativeBatchLearner(NET, Loss("hinge"), SGD(1), BEST, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="loss 'hinge': expected one of"):
        NativeOnlineLearner(NET, Loss("hinge"), 1, BEST, 1)  # type: ignore[arg-type]
    batches, replicas = NativeBatchLearner(NET, Loss(), SGD(1), BEST, 1), NativeOnlineLearner(NET, Loss(), 1, BEST, 1)
    with pytest.raises(ValueError, match="part 'scales': expected one of parameters, velocity, average, gradient"):
        batches.get("scales")
    with pytest.raises(ValueError, match="part 'velocity': expected one of parameters, scales"):
        replicas.get("velocity", 0)
    for call in (lambda: batches.set("rates", zeros(1)), lambda: replicas.set("rates", 0, batches.get("parameters"))):
        with pytest.raises(ValueError, match="part 'rates'"):
            call()


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (lambda: _native.find_texts(np.zeros((0, 3)), 8, None, None), "log_probs: expected"),
        (lambda: _native.find_texts(np.zeros((2, 3)), 0, None, None), "width: expected one text"),
        (lambda: _native.find_texts(np.zeros((2, 3)), 8, order(0), None), "transitions and accepting: expected both"),
        (
            lambda: _native.find_texts(np.zeros((2, 3)), 8, order(7).reshape(1, 1), np.ones(1, bool)),
            "transitions: a state that there is not",
        ),
        (lambda: _native.score_texts(np.zeros((2, 3)), [(2,)]), "texts: a label that no column has"),
        (lambda: _native.place_labels(np.zeros((2, 3)), (0, 0)), "text: longer than the columns have room for"),
        (lambda: _native.viterbi(2, order(1), order(1), order(0), np.zeros(1)), "an arc that leads to no larger node"),
        (lambda: _native.forward(2, order(0), order(2), order(0), np.zeros(1)), "an arc that leads to no larger node"),
        (lambda: _native.posteriors(2, order(0), order(1), order(-2), np.zeros(1)), "a label that there is not"),
        (lambda: _native.text_penalty(2, order(0), order(1), order(0), np.zeros(2), [0]), "as many sources as"),
        (lambda: _native.rank_texts(2, order(0), order(1), order(0), np.zeros(1), 0, 8.0), "followed: expected one"),
    ],
)
def test_columns_graphs_and_texts_are_checked(ask: Callable[[], object], why: str) -> None:
    """No text is looked for outside of the columns, no path outside of the graph."""
    with pytest.raises(ValueError, match=why):
        ask()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"levels": np.zeros((4, 5), np.uint8)}, "levels and pieces: expected"),
        ({"boxes": order(0, 0, 5, 4).reshape(1, 4)}, "boxes: one without pixels, or beyond the page"),
        ({"boxes": order(2, 1, 2, 3).reshape(1, 4)}, "boxes: one without pixels, or beyond the page"),
        ({"broader": np.zeros(2)}, "arcs, boxes and broader: expected"),
        ({"instructions": "sse9"}, "sse9"),
    ],
)
def test_boxes_of_glyphs_are_checked(changed: dict[str, Any], why: str) -> None:
    """No ink is cut out beyond the page."""
    asked: dict[str, Any] = {
        "instructions": BEST,
        "levels": np.zeros((4, 4), np.uint8),
        "pieces": np.ones((4, 4), np.int32),
        "clear": 0.0,
        "arcs": order(1, 2).reshape(1, 2),
        "boxes": order(0, 0, 4, 4).reshape(1, 4),
        "broader": np.zeros(1),
    }
    assert _native.make_glyphs(**asked).shape == (1, 28, 28)
    with pytest.raises(ValueError, match=why):
        _native.make_glyphs(**(asked | changed))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"pieces": np.zeros((4, 5), np.int32)}, "levels, labels and pieces: expected"),
        ({"boxes": order(0, 0, 5, 4).reshape(1, 4)}, "boxes: one without pixels, or beyond the page"),
        ({"boxes": np.zeros((2, 4), np.int32)}, "labels and boxes of a line: expected"),
        ({"line": (0.0, 0.0, 2.0, 0.0)}, "line: lower than a pixel"),
        ({"line": (4.0, float("nan"), 2.0, 0.0)}, "line: lower than a pixel, or more slanted"),
    ],
)
def test_lines_to_cut_are_checked(changed: dict[str, Any], why: str) -> None:
    """No piece is numbered beyond the page."""
    asked: dict[str, Any] = {
        "levels": np.full((4, 4), 255, np.uint8),
        "labels": np.ones((4, 4), np.int32),
        "own": order(1),
        "boxes": order(0, 0, 4, 4).reshape(1, 4),
        "line": (4.0, 0.0, 2.0, 0.0),
        "first": 1,
        "most": 9,
        "pieces": np.zeros((4, 4), np.int32),
    }
    assert _native.cut_line(**asked)[0] >= 1
    with pytest.raises(ValueError, match=why):
        _native.cut_line(**(asked | changed))


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (lambda: _native.find_rules(np.zeros((0, 4), bool), 14), "strokes: expected"),
        (lambda: _native.find_rules(np.zeros((9, 40), bool), 0), "slimmest: expected a number above 0"),
        (lambda: _native.follow_side(np.zeros((9, 9), bool), (0.0, 1.0, 1.0), 0, 0, 9, 9), "way: expected 1 or -1"),
        (lambda: _native.follow_side(np.zeros((9, 9), bool), (0.0, 1.0, 1.0), 1, 0, 9, 0), "count and steps: expected"),
        (lambda: _native.follow_side(np.zeros((9, 9), bool), (9.0, 1.0, 1.0), 1, 0, 9, 9), "line: far from the page"),
        (
            lambda: _native.estimate_slant(
                np.ones((4, 4), np.int32), order(1), order(0, 0, 5, 4).reshape(1, 4), [0.0], 1.0, 9
            ),
            "boxes: one without pixels, or beyond the page",
        ),
        (
            lambda: _native.estimate_slant(
                np.ones((4, 4), np.int32), order(1), order(0, 0, 4, 4).reshape(1, 4), [9.0], 1.0, 9
            ),
            "slants: more slanted than any",
        ),
        (lambda: _native.find_ink(BEST, np.zeros((0, 4), np.uint8), False), "grey: expected"),
        (lambda: _native.find_ink("sse9", np.zeros((4, 4), np.uint8), False), "sse9"),
    ],
)
def test_pages_are_checked(ask: Callable[[], object], why: str) -> None:
    """No ink is looked for beyond the page."""
    with pytest.raises(ValueError, match=why):
        ask()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"glyphs": np.zeros((1, 28, 27), np.uint8)}, "glyphs: expected"),
        ({"levels": zeros(255)}, "levels: expected one for each of 256 greys"),
        ({"scores": zeros(2, 10)}, "scores: expected"),
        ({"scores": zeros(1, 9)}, "scores: expected"),
    ],
)
def test_glyphs_to_score_are_checked(changed: dict[str, Any], why: str) -> None:
    """No score is written past the array's end."""
    asked: dict[str, Any] = {
        "glyphs": np.zeros((1, 28, 28), np.uint8),
        "levels": zeros(256),
        "scores": zeros(1, 10),
        "threads": 1,
    }
    model().score(**asked)
    with pytest.raises(ValueError, match=why):
        model().score(**(asked | changed))
