"""Networks for elsewhere, each with a report of how the same 10,000 digits were answered there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lenet.data import dataset
from lenet.data.dataset import Dataset, Digits
from lenet.engine import Network, load
from lenet.errors import DataError, LenetError, MissingExtra, UsageError, reason
from lenet.export.parity import Answers, ten_digits
from lenet.files import replace_text
from lenet.network.weights import find_weights

FORMATS = ("onnx", "c", "pytorch", "html")
# What an export is compared on: MNIST's 10,000 test digits, or the ten that come with lenet.
CHECKS = ("mnist", "examples")


@dataclass(frozen=True)
class Export:
    """What is exported: a network, the digits to be compared on, and where to.

    `card` is where its model card in Markdown would be: beside its weights, as that of shipped weights is.
    """

    network: Network
    answers: Answers
    out: Path
    card: Path


def export(net: str, form: str, out: Path, *, int8: bool = False, check: str = "mnist") -> dict[str, Any]:
    """Export a network by name or file; return the report, which is also written beside what was exported.

    Every export is run on the 10,000 test digits of MNIST before it is said to be done; where MNIST cannot be had, a
    `check` on the ten digits of the "examples" does. Raises UsageError for an unknown form or check, MissingExtra for
    what is not installed, and LenetError when an answer differs or nothing can be written.
    """
    if form not in FORMATS:
        raise UsageError(f"--format {form}", f"expected {', '.join(FORMATS)}")
    if int8 and form != "c":
        raise UsageError("--int8", f"goes with --format c, not {form}")
    if check not in CHECKS:
        raise UsageError(f"--check {check}", f"expected {' or '.join(CHECKS)}")
    if int8 and check != "mnist":
        raise UsageError("--int8", "takes its ranges from MNIST's digits", "leave out --check")
    network = load(net)
    learned = None
    if check == "mnist":
        data = _load_mnist()
        learned, compared = data.train.where(~data.held_out).glyphs if int8 else None, data.test
    else:
        compared = Digits(ten_digits(), np.arange(10, dtype=np.uint8))
    asked = Export(network, Answers.of(network, compared), out, find_weights(net).with_suffix(".md"))
    made: Callable[[], dict[str, Any]]
    try:
        if form == "onnx":
            from lenet.export.to_onnx import to_onnx

            made = lambda: to_onnx(asked)  # noqa: E731
        elif form == "c":
            from lenet.export.to_c import to_c

            made = lambda: to_c(asked, learned)  # noqa: E731
        elif form == "html":
            from lenet.export.to_html import to_html

            made = lambda: to_html(asked)  # noqa: E731
        else:
            from lenet.export.to_pytorch import to_pytorch

            made = lambda: to_pytorch(asked)  # noqa: E731
    except ImportError as error:
        raise MissingExtra(f"--format {form}", str(error.name), "export") from error
    try:
        report = {"net": network.weights.name, "format": f"{form}{'-int8' if int8 else ''}", "out": str(out), **made()}
        place = out / "report.json" if out.is_dir() else out.with_suffix(".report.json")
        replace_text(place, json.dumps(report, indent=2) + "\n")
    except OSError as error:
        raise LenetError(out, f"cannot be written ({reason(error)})") from error
    return report


def _load_mnist() -> Dataset:
    """Return MNIST. Raises DataError, which says what does without it, where it cannot be had."""
    try:
        return dataset.load("mnist")
    except DataError as error:
        thing = str(error).removesuffix(f": {error.problem}")
        raise DataError(thing, error.problem, "or compare on ten digits: --check examples") from error
