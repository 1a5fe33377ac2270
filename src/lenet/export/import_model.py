"""Other people's LeNet-5 becomes ours: a PyTorch state dict, a Keras file or an ONNX graph of the 6-16-120-84-10 shape.

Five matrices and their biases are looked for, in order. What their input had for paper and for pen is folded into the
first layer, exactly, so that ours (-0.1 for paper, 1.175 for pen) gives the same scores; a plain tanh becomes the
paper's.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lenet.arrays import Tensors
from lenet.errors import LenetError, MissingExtra, UsageError, WeightsError, reason
from lenet.network.spec import (
    BACKGROUND,
    FOREGROUND,
    NETS,
    SQUASH_AMPLITUDE,
    SQUASH_SLOPE,
    Activation,
    Convolution,
    Net,
)
from lenet.network.summary import tensor_shapes
from lenet.network.weights import Weights

Array = npt.NDArray[Any]
# The bytes of a file, and of what it unpacks to; and the values of all its arrays.
_MOST_BYTES, _MOST_VALUES = 1 << 26, 1 << 24


def import_model(
    file: Path,
    *,
    activation: str = "relu",
    pooling: str = "max",
    paper: float = 0.0,
    pen: float = 1.0,
    padding: int = 0,
) -> Weights:
    """Return the weights of another LeNet-5 as ours.

    `activation` is relu, sigmoid, tanh or squash, `pooling` max or average; `paper` and `pen` are the values that its
    input had for grey 0 and 255, such as -0.4242 and 2.8215 for MNIST brought to mean 0 and deviation 1; `padding` 2
    says that its first layer saw 28x28 and padded them with zeros.
    Raises WeightsError when the file cannot be taken, and UsageError for an option.
    """
    net = _net(activation, pooling)
    if not np.isfinite([paper, pen]).all() or paper == pen:
        raise UsageError(f"paper {paper:g} and pen {pen:g}", "expected two different numbers")
    if padding not in (0, 2) or (padding and paper):
        hint = "its margin of zeros is not paper, and cannot be folded exactly" if padding == 2 else "expected 0 or 2"
        raise UsageError(f"padding {padding} with paper {paper:g}", hint)
    readers: dict[str, Callable[[Path], list[tuple[str, Array]]]] = {
        **dict.fromkeys((".pt", ".pth", ".bin"), _load_pytorch),
        ".safetensors": _load_safetensors,
        **dict.fromkeys((".h5", ".hdf5", ".keras"), _load_keras),
        ".onnx": _load_onnx,
    }
    if file.suffix not in readers:
        raise WeightsError(file, f"ends in {file.suffix or 'nothing'}", f"expected one of {', '.join(readers)}")
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise WeightsError(file, f"{file.stat().st_size:,} bytes", "not a LeNet-5")
        found = readers[file.suffix](file)
    except LenetError:
        raise
    except OSError as error:
        raise WeightsError(file, reason(error)) from error
    except Exception as error:  # names and shapes that nobody would give
        raise WeightsError(file, f"damaged ({reason(error)})") from error
    tensors = _fit_tensors(net, found, file)
    if any(not np.isfinite(each).all() for each in tensors.values()):
        raise WeightsError(file, "a weight is not finite")  # also one beyond what 32 bits hold
    if activation == "tanh":
        _is_squashed(tensors)
    # (x - paper) / (pen - paper) is the share of grey that both inputs have: fold theirs into the first layer.
    slope = (pen - paper) / (FOREGROUND - BACKGROUND)
    first = tensors["c1.weight"].astype(np.float64)
    offset = paper - slope * BACKGROUND
    tensors["c1.bias"] = (tensors["c1.bias"] + offset * first.sum(axis=(1, 2, 3))).astype(np.float32)
    tensors["c1.weight"] = (slope * first).astype(np.float32)
    options = {"activation": activation, "pooling": pooling, "paper": paper, "pen": pen, "padding": padding}
    return Weights(net, tensors, 1.0, {"brought_from": {"file": file.name, **options}}, file.stem)


def _net(activation: str, pooling: str) -> Net:
    known: dict[str, Activation] = {"relu": "relu", "sigmoid": "sigmoid", "squash": "squash", "tanh": "squash"}
    if activation not in known:
        raise UsageError(f"activation {activation}", f"expected {', '.join(known)}")
    name = {"max": "lenet5-modern", "average": "lenet5"}.get(pooling)
    if name is None:
        raise UsageError(f"pooling {pooling}", "expected max or average")
    return NETS[name].with_activation(known[activation])


def _is_squashed(tensors: Tensors) -> None:
    """Make a network of tanh(x) one of A tanh(S x): its sums 1 / S times as large, what comes after A times smaller."""
    for name in ("c1", "c3", "c5", "f6"):
        for part in ("weight", "bias"):
            tensors[f"{name}.{part}"] = tensors[f"{name}.{part}"] / np.float32(SQUASH_SLOPE)
    for name in ("c3", "c5", "f6", "output"):
        tensors[f"{name}.weight"] = tensors[f"{name}.weight"] / np.float32(SQUASH_AMPLITUDE)


def _fit_tensors(net: Net, found: list[tuple[str, Array]], file: Path) -> Tensors:
    """Match matrices and biases, in order, with C1, C3, C5, F6 and the output."""
    shapes = tensor_shapes(net)
    names = [layer.name.lower() for layer in net.layers if isinstance(layer, Convolution)]
    wanted = [f"{name}.{part}" for name in names for part in ("weight", "bias")]
    told = ", ".join(f"{name} {array.shape}" for name, array in found[:12])
    if len(found) != len(wanted):
        raise WeightsError(file, f"{len(found)} tensors: {told}", "expected 5 matrices, each with its bias")
    tensors: Tensors = {}
    for name, (theirs, array) in zip(wanted, found, strict=True):
        if array.size != int(np.prod(shapes[name])):
            expected = f"{name} {shapes[name]}"
            raise WeightsError(file, f"{theirs} has shape {array.shape}", f"a LeNet-5 of 6-16-120-84-10 has {expected}")
        tensors[name] = array.reshape(shapes[name]).astype(np.float32)
    return tensors


def _convert_arrays(arrays: Iterable[tuple[str, Any]]) -> list[tuple[str, Array]]:
    """Keep what is trained: matrices and biases, without counters and single numbers."""
    found = [(name, np.asarray(each)) for name, each in arrays]
    return [(name, each) for name, each in found if each.ndim and each.dtype.kind == "f"]


def _is_archive(file: Path) -> bool:
    try:
        return zipfile.is_zipfile(file)
    except zipfile.BadZipFile:  # it is one, of several files
        return True


def _check_archive(file: Path) -> None:
    """Refuse an archive that unpacks to more than any LeNet-5, before it is unpacked. Raises WeightsError."""
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except Exception as error:
        raise WeightsError(file, f"a damaged archive ({reason(error)})") from error
    if size > _MOST_BYTES:
        raise WeightsError(file, f"unpacks to {size:,} bytes", "not a LeNet-5")


def _load_pytorch(file: Path) -> list[tuple[str, Array]]:
    try:
        import torch
    except ImportError as error:
        raise MissingExtra("a PyTorch file", "PyTorch", "torch") from error

    if _is_archive(file):
        _check_archive(file)
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # its readers raise nearly every class on hostile bytes
        raise WeightsError(
            file, "holds more than weights, or is damaged", "save it with torch.save(model.state_dict(), FILE)"
        ) from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(each, torch.Tensor) for each in state.values()):
        raise WeightsError(file, "not a state dict", "save it with torch.save(model.state_dict(), FILE)")
    floats = {str(name): each for name, each in state.items() if each.is_floating_point()}
    if sum(each.numel() for each in floats.values()) > _MOST_VALUES:  # views of a few bytes may be of any size
        raise WeightsError(file, f"more than {_MOST_VALUES:,} values", "not a LeNet-5")
    try:
        return _convert_arrays((name, each.detach().float().numpy()) for name, each in floats.items())
    except (RuntimeError, TypeError, ValueError) as error:
        raise WeightsError(file, "holds tensors of an unusual kind", "save them dense, on the CPU") from error


def _load_safetensors(file: Path) -> list[tuple[str, Array]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    data = file.read_bytes()
    try:
        tensors = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise WeightsError(file, f"damaged, or of a kind that NumPy has not ({reason(error)})") from error
    # Tensors are sorted by their place in the file by the header alone: layers are told by their names' order there.
    order = sorted(tensors, key=lambda name: (_layer_order(name), header[name]["data_offsets"]))
    return _convert_arrays((name, tensors[name]) for name in order)


def _layer_order(name: str) -> tuple[int, int, str, int]:
    """Order names as layers come: convolutions first, then by number, a weight before its bias."""
    layer, _dot, part = name.rpartition(".")
    digits = "".join(each if each.isdigit() else " " for each in layer).split()
    kind = 0 if "conv" in layer or layer.startswith(("c1", "c3", "features")) else 1
    return kind, int(digits[-1]) if digits else 99, layer, part != "weight"


def _load_keras(file: Path) -> list[tuple[str, Array]]:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtra("a Keras file", "h5py", "import") from error
    try:
        source: Any = file
        if _is_archive(file):
            _check_archive(file)
            with zipfile.ZipFile(file) as archive:
                source = io.BytesIO(archive.read("model.weights.h5"))
        arrays: list[tuple[str, Array]] = []
        with h5py.File(source, "r") as tree:

            def visit(name: str, each: Any) -> None:
                if isinstance(each, h5py.Dataset) and each.dtype.kind == "f":
                    if sum(array.size for _name, array in arrays) + each.size > _MOST_VALUES:
                        raise ValueError(f"more than {_MOST_VALUES:,} values")
                    arrays.append((name, each[()]))

            tree.visititems(visit)
    except WeightsError:
        raise
    except Exception as error:  # its readers raise nearly every class on hostile bytes
        raise WeightsError(file, f"not a Keras file ({reason(error)})") from error
    kept = [(name, each) for name, each in _convert_arrays(arrays) if "optimizer" not in name]
    kernels = sorted((each for each in kept if each[1].ndim > 1), key=_keras_order)
    biases = sorted((each for each in kept if each[1].ndim == 1), key=_keras_order)
    if len(kernels) != len(biases):
        raise WeightsError(file, f"{len(kernels)} kernels and {len(biases)} biases", "expected 5 of each")
    return [each for kernel, bias in zip(kernels, biases, strict=True) for each in (_channels_first(kernel), bias)]


def _keras_order(each: tuple[str, Array]) -> tuple[int, int]:
    """Order as layers come: convolutions, then dense layers, by their number, which Keras leaves out for the first."""
    layer = next((part for part in each[0].lower().split("/") if part.startswith(("conv", "dense"))), each[0])
    number = layer.rpartition("_")[2]
    return (0 if layer.startswith("conv") else 1), (int(number) if number.isdigit() else 0)


def _channels_first(kernel: tuple[str, Array]) -> tuple[str, Array]:
    """Turn Keras' order round: (h, w, in, out) kernels, and dense (in, out), 400 inputs being rows, columns, maps."""
    name, array = kernel
    if array.ndim == 4:
        return name, array.transpose(3, 2, 0, 1)
    if array.shape[0] == 400:
        return name, array.reshape(5, 5, 16, -1).transpose(3, 2, 0, 1)
    return name, array.T


def _load_onnx(file: Path) -> list[tuple[str, Array]]:
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise MissingExtra("an ONNX graph", "onnx", "export") from error
    try:
        graph = onnx.load_model_from_string(file.read_bytes()).graph
        if any(each.data_location == onnx.TensorProto.EXTERNAL for each in graph.initializer):
            raise WeightsError(file, "keeps its weights in another file", "save it as one file")
        constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    except WeightsError:
        raise
    except Exception as error:  # protobuf raises classes of its own
        raise WeightsError(file, f"not an ONNX graph ({reason(error)})") from error
    found: list[tuple[str, Array]] = []
    for node in graph.node:
        if node.op_type not in ("Conv", "Gemm"):
            continue
        given = [(name, constants[name]) for name in node.input[1:] if name in constants]
        if len(given) != 2:
            raise WeightsError(
                file, f"{node.op_type} {node.name or ', '.join(node.output)} lacks weights or a bias of its own"
            )
        turned = any(each.name == "transB" and each.i == 1 for each in node.attribute)
        weight = given[0][1] if node.op_type == "Conv" or turned else given[0][1].T
        found += [(given[0][0], weight), given[1]]
    if any(each.dtype.kind != "f" for _name, each in found):
        raise WeightsError(file, "its weights are no floats", "save it unquantised")
    return found
