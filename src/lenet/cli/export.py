"""`lenet export`: a network for elsewhere, compared before it is said to be done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer


def export(
    net: Annotated[str, typer.Argument(metavar="NET", help="Shipped weights by name, or a weights file.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="OUT", help="A file for onnx and html, a folder for c and pytorch.")
    ],
    form: Annotated[str, typer.Option("--format", metavar="onnx|c|pytorch|html", help="What to make of it.")] = "onnx",
    int8: Annotated[bool, typer.Option("--int8", help="C in 8-bit integers alone, for microcontrollers.")] = False,
    check: Annotated[
        str,
        typer.Option(
            metavar="mnist|examples",
            help="Compare it on MNIST's 10,000 test digits, or on ten that come with lenet.",
        ),
    ] = "mnist",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")] = False,
) -> None:
    """Export a network to ONNX, C, PyTorch, or one page.

    MNIST's 10,000 test digits are answered with what was made before it is done; where MNIST is not at hand, --check
    examples compares ten digits that come with lenet.

    onnx is a graph from 28x28 grey levels to scores and probabilities, and one for lines of writing beside it; c is a
    folder with one C99 file and its header, test vectors and a Makefile; pytorch is a folder that the Hub's
    from_pretrained and torch.export load; html is one file for any browser, without a server, in which the network is
    drawn to, looked into and trained. report.json says how far scores are apart and how many answers differ.

    \b
    Examples:
      lenet export lenet5-modern --format onnx -o lenet5.onnx
      lenet export lenet5-1998 --format html -o lenet.html
    """
    from lenet.export import export as start

    report = start(net, form, out, int8=int8, check=check)
    print(json.dumps(report) if as_json else _sentence(report))


def _sentence(report: dict[str, Any]) -> str:
    lost = f"{report['errors']} of {report['n']:,} test digits wrong there, {report['errors_here']} here"
    far = f"scores at most {report['largest_difference_of_a_score']:.2g} apart"
    return f"{report['out']}: {report['answers_that_differ']} answers differ ({lost}), {far}, run by {report['run_by']}"
