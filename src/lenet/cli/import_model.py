"""`lenet import`: another LeNet-5 becomes a weights file of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def convert(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .pt, .pth, .safetensors, .h5, .keras or .onnx file.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.safetensors", help="The weights file to write.")],
    activation: Annotated[str, typer.Option(metavar="relu|sigmoid|tanh|squash", help="Its activation.")] = "relu",
    pooling: Annotated[str, typer.Option(metavar="max|average", help="Its pooling.")] = "max",
    paper: Annotated[float, typer.Option(metavar="X", help="What its input had for paper, MNIST's grey 0.")] = 0.0,
    pen: Annotated[float, typer.Option(metavar="X", help="What its input had for full ink, MNIST's grey 255.")] = 1.0,
    padding: Annotated[int, typer.Option(metavar="0|2", help="2 if its first layer padded 28x28 with zeros.")] = 0,
) -> None:
    """Take over another LeNet-5, from PyTorch, Keras or ONNX.

    Its shape is 6-16-120-84-10; what differs is refused with a line that says why.

    Its range of input is folded into the first layer, exactly. Files that hold more than weights, as pickles may, are
    refused. The answers on MNIST, if it is on this machine, are counted by: lenet evaluate --model OUT.safetensors.

    \b
    Example:
      lenet import model.pt -o mine.safetensors
    """
    from lenet.export.import_model import import_model
    from lenet.network.weights import save_weights

    weights = import_model(file, activation=activation, pooling=pooling, paper=paper, pen=pen, padding=padding)
    save_weights(out, weights)
    print(f"{file}\t{weights.net.name}\t{out}")
