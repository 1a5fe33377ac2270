"""`lenet evaluate`: errors out of n, with an interval."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lenet.cli.progress import bar, downloads


def evaluate(
    model: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="Shipped weights by name, or a weights file.")
    ] = "lenet5-modern",
    data: Annotated[
        str, typer.Option(metavar="NAME|FOLDER", help="A data set, or a folder of labelled pictures.")
    ] = "mnist",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="SHEET.png", help="Draw the wrong answers.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Count the errors of a network on a set.

    Prints the rate with a 95 % interval, the errors by writers where they are known, the confusion and the
    surest mistakes.
    """
    from lenet import draw, measure
    from lenet.dataset import load_test
    from lenet.engine import load
    from lenet.result import Evaluation

    network = load(model)
    with downloads() as report:
        digits = load_test(data, report)
    with bar("evaluating", "glyphs") as move:
        found: Evaluation = measure.evaluate(network, digits, data, move)
    if out is not None:
        title = f"{found.model} on {data}: {found.errors} errors of {found.n:,}, the surest first"
        draw.save_picture(draw.mistakes_sheet(found.mistakes, title), out)
    if as_json:
        print(json.dumps({**found.as_json(), "engine": network.engine}))
        return
    low, high = found.interval95
    print(f"{found.model} on {data}: {found.errors} errors of {found.n:,}", end="")
    print(f" ({100 * found.error_rate:.2f} %, 95 % interval {100 * low:.2f} to {100 * high:.2f} %)")
    for name, (errors, n) in found.groups.items():
        print(f"  {name}: {errors} errors of {n:,} ({100 * errors / n:.2f} %)")
    print(f"  expected calibration error {100 * found.calibration_error:.2f} %, engine {network.engine}")
    if found.errors:
        _print_confusion(found.confusion)
        print("surest mistakes (row: truth > answer, probability):")
        for mistake in found.mistakes[:10]:
            where = f" {mistake.path}" if mistake.path else ""
            print(f"  {mistake.row}: {mistake.label} > {mistake.answer}, {mistake.confidence:.3f}{where}")


def _print_confusion(confusion: tuple[tuple[int, ...], ...]) -> None:
    """Print the table of truths against answers; the eleventh row and column only if they hold something."""
    rubbish = any(confusion[10]) or any(row[10] for row in confusion)
    labels = [*map(str, range(10)), *(["none"] if rubbish else [])]
    print("confusion (rows: truth, columns: answer):")
    print("      " + "".join(f"{label:>6}" for label in labels))
    for label, row in zip(labels, confusion, strict=False):
        cells = "".join(f"{count or '.':>6}" for count in row[: len(labels)])
        print(f"  {label:>4}{cells}")
