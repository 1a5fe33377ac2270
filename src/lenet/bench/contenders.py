"""The contenders: each turns a piece of work into a function without arguments that does it once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from lenet.arrays import Float32, Int32, Uint8
from lenet.engine import Network
from lenet.engine.gradients import Loss
from lenet.engine.learner import SGD, TrainingSet
from lenet.engine.learners import batch_learner, online_learner
from lenet.engine.packing import pack_tensors
from lenet.engine.warp import AFFINE
from lenet.network.spec import INPUT_SIZE
from lenet.network.weights import Weights

Work = Callable[[], object]

_RATE, _MOMENTUM = 0.01, 0.9
_RATES_OF_THEIR_OWN = 1e-4


@dataclass(frozen=True)
class TrainingWork:
    """What is learned: inputs (n, 1, 32, 32), labels (n,), in mini-batches of `batch`; affine distortions or None."""

    inputs: Float32
    labels: Uint8
    batch: int
    distortions: Float32 | None = None


class Contender(Protocol):
    """One way to run and train a network; a method gives None for work that it does not do."""

    name: str

    def forward(self, weights: Weights, inputs: Float32, threads: int) -> Work | None:
        """Score all inputs in one call."""

    def train(self, weights: Weights, lesson: TrainingWork, threads: int) -> Work | None:
        """One pass over the lesson: SGD with momentum on the cross-entropy."""

    def online(self, weights: Weights, lesson: TrainingWork, replicas: int, threads: int) -> tuple[Work, int] | None:
        """One pass, a pattern at a time, every parameter at its own rate; also the patterns seen, over all replicas."""


class Engine:
    """lenet's own."""

    name = "engine"

    def forward(self, weights: Weights, inputs: Float32, threads: int) -> Work:
        network = Network(weights, threads=threads)
        return lambda: network.forward(inputs)

    def train(self, weights: Weights, lesson: TrainingWork, threads: int) -> Work:
        learner = batch_learner(weights.net, Loss(), SGD(lesson.batch, _MOMENTUM), threads)
        learner.set("parameters", pack_tensors(weights.net, weights.tensors))
        patterns, order = TrainingSet(lesson.inputs, lesson.labels), _rows(lesson)
        rates = np.full(-(-len(order) // lesson.batch), _RATE, np.float32)
        return lambda: learner.run(patterns, order, lesson.distortions, rates, 0, 0)

    def online(self, weights: Weights, lesson: TrainingWork, replicas: int, threads: int) -> tuple[Work, int]:
        learner = online_learner(weights.net, Loss("distance"), replicas, threads)
        for replica in range(replicas):
            learner.set("parameters", replica, pack_tensors(weights.net, weights.tensors))
        patterns, orders = TrainingSet(lesson.inputs, lesson.labels), np.tile(_rows(lesson), (replicas, 1))
        rates = np.full(len(lesson.labels), _RATES_OF_THEIR_OWN, np.float32)
        return lambda: learner.run(patterns, orders, None, rates), orders.size


class _Scorer:
    """A framework that only scores."""

    def train(self, weights: Weights, lesson: TrainingWork, threads: int) -> None:
        return None

    def online(self, weights: Weights, lesson: TrainingWork, replicas: int, threads: int) -> None:
        return None


class OnnxRuntime(_Scorer):
    """ONNX Runtime on the CPU, on a graph as an exporter would make it."""

    name = "onnxruntime"

    def forward(self, weights: Weights, inputs: Float32, threads: int) -> Work:
        import onnxruntime

        from lenet.export.onnx_graph import input_model

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(input_model(weights), options, providers=["CPUExecutionProvider"])
        return lambda: session.run(None, {"input": inputs})


class OpenVino(_Scorer):
    """OpenVINO on the CPU, on the same graph, as it is by default: with bfloat16 where the machine has it."""

    name = "openvino"
    _precise = False

    def forward(self, weights: Weights, inputs: Float32, threads: int) -> Work:
        import openvino

        from lenet.export.onnx_graph import input_model

        core = openvino.Core()
        model = core.read_model(input_model(weights))
        model.reshape([inputs.shape[0], *inputs.shape[1:]])
        settings: dict[str, Any] = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
        if self._precise:
            settings["INFERENCE_PRECISION_HINT"] = "f32"
        request = core.compile_model(model, "CPU", settings).create_infer_request()
        return lambda: request.infer([inputs])


class OpenVinoFloat(OpenVino):
    """OpenVINO held to float32."""

    name = "openvino f32"
    _precise = True


class LiteRt(_Scorer):
    """LiteRT (once TensorFlow Lite) on the CPU, with its XNNPACK kernels."""

    name = "litert"

    def forward(self, weights: Weights, inputs: Float32, threads: int) -> Work:
        from ai_edge_litert.interpreter import Interpreter

        from lenet.bench.tflite_graph import write_tflite

        interpreter = Interpreter(model_content=write_tflite(weights, len(inputs)), num_threads=threads)
        interpreter.allocate_tensors()
        given, answer = (each()[0]["index"] for each in (interpreter.get_input_details, interpreter.get_output_details))
        last = np.ascontiguousarray(np.moveaxis(inputs, 1, 3))

        def work() -> object:
            interpreter.set_tensor(given, last)
            interpreter.invoke()
            return interpreter.get_tensor(answer)

        return work


class TorchEager:
    """PyTorch, as it is written down."""

    name = "torch eager"

    def forward(self, weights: Weights, inputs: Float32, threads: int) -> Work:
        import torch

        torch.set_num_threads(threads)
        model, x = self._model(weights).eval(), torch.from_numpy(inputs)

        def work() -> None:
            with torch.inference_mode():
                model(x)

        return work

    def train(self, weights: Weights, lesson: TrainingWork, threads: int) -> Work:
        import torch
        from torch.nn import functional as F

        torch.set_num_threads(threads)
        model = self._model(weights)
        optimiser = torch.optim.SGD(model.parameters(), lr=_RATE, momentum=_MOMENTUM)
        x, y = torch.from_numpy(lesson.inputs), torch.from_numpy(lesson.labels.astype(np.int64))
        theta = None if lesson.distortions is None else torch.from_numpy(_theta(lesson.distortions))

        def work() -> None:
            for first in range(0, len(y), lesson.batch):
                here = slice(first, first + lesson.batch)
                shown = x[here]
                if theta is not None:
                    grid = F.affine_grid(theta[here], list(shown.shape), align_corners=False)
                    shown = F.grid_sample(shown, grid, "bilinear", "border", align_corners=False)
                loss = F.cross_entropy(model(shown), y[here])
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()

        return work

    def online(self, weights: Weights, lesson: TrainingWork, replicas: int, threads: int) -> tuple[Work, int]:
        import torch

        torch.set_num_threads(threads)
        model = self._model(weights)
        parameters = list(model.parameters())
        scales = [torch.full_like(parameter, _RATES_OF_THEIR_OWN) for parameter in parameters]
        x, y = torch.from_numpy(lesson.inputs), lesson.labels.tolist()

        def work() -> None:
            for row, label in enumerate(y):
                model.zero_grad(set_to_none=True)
                (-model(x[row : row + 1])[0, label]).backward()
                with torch.no_grad():
                    torch._foreach_addcmul_(parameters, [p.grad for p in parameters], scales, value=-1)

        return work, len(y)

    def _model(self, weights: Weights) -> Any:
        from lenet.nets import LeNet

        model = LeNet(weights.net)
        model.load(weights.tensors)
        return model


class TorchCompiled(TorchEager):
    """PyTorch after `torch.compile`; compiled once for each piece of work."""

    name = "torch compiled"

    def online(self, weights: Weights, lesson: TrainingWork, replicas: int, threads: int) -> None:  # type: ignore[override]
        return None

    def _model(self, weights: Weights) -> Any:
        import torch

        return torch.compile(super()._model(weights))


def find_contenders() -> tuple[list[Contender], list[str]]:
    """Return the contenders that are installed, and a line for each that is not."""
    found: list[Contender] = [Engine()]
    missing = []
    for contenders, modules in (
        ([OnnxRuntime()], ("onnx", "onnxruntime")),
        ([OpenVino(), OpenVinoFloat()], ("onnx", "openvino")),
        ([LiteRt()], ("ai_edge_litert", "flatbuffers")),
        ([TorchEager(), TorchCompiled()], ("torch",)),
    ):
        absent = [module for module in modules if find_spec(module) is None]
        if absent:
            missing += [f"{each.name}: {absent[0]} is not installed; pip install 'lenet[bench]'" for each in contenders]
        else:
            found += contenders
    return found, missing


def _rows(lesson: TrainingWork) -> Int32:
    return np.arange(len(lesson.labels), dtype=np.int32)


def _theta(distortions: Float32) -> Float32:
    """Return PyTorch's (n, 2, 3) affine matrices, in half fields, of (n, 56) distortion parameters in pixels."""
    theta = distortions[:, :AFFINE].reshape(-1, 2, 3).copy()
    theta[:, :, 2] *= 2 / INPUT_SIZE
    return theta
