"""`lenet evaluate`: errors out of n, with an interval."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lenet.cli.progress import bar, downloads
from lenet.network.spec import DEFAULT

if TYPE_CHECKING:
    from lenet.data.dataset import Digits
    from lenet.data.labels import Labelled
    from lenet.engine import Network
    from lenet.evaluation.result import Evaluation, Mistake, NumbersEvaluation
    from lenet.reader import ReadOptions

# A table of more signs than this is wider than a terminal.
_MOST_IN_A_TABLE = 11


def evaluate(
    model: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="Shipped weights by name, or a weights file.")
    ] = DEFAULT,
    data: Annotated[
        str, typer.Option(metavar="NAME|FOLDER", help="A data set, or a folder of labelled pictures.")
    ] = "mnist",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="SHEET.png", help="Draw the wrong answers.")
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME|FILE", help="More weights; list and draw what all get wrong. Repeatable."),
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(metavar="P", help="What the numbers of a folder may be, as for lenet read.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Count the errors of a network on digits or numbers.

    The data are a public set of digits, or a folder of labelled pictures. A network of characters is counted on
    those of UNIPEN's writers that were put apart.

    Prints the rate with a 95 % interval, the errors by writers where they are known, the confusion and the
    surest mistakes. A picture of numbers that cannot be read is not counted: one line on stderr, and exit status 1.

    \b
    Examples:
      lenet evaluate --model lenet5-modern --data mnist
      lenet evaluate --model lenet5-modern --beside lenet5-hands --beside lenet5-wide -o shared.png
      lenet evaluate --data my-numbers/ -o wrong.png
    """
    from lenet.data.labels import read_numbers
    from lenet.drawing import pictures as draw
    from lenet.engine import load
    from lenet.errors import UsageError
    from lenet.evaluation import digits as measure
    from lenet.reader import read_options
    from lenet.training.synthetic.characters import load_measured

    network = load(model)
    if rows := read_numbers(data):
        if beside:
            raise UsageError("--beside", f"{data} has numbers of several digits", "it is for single digits")
        _numbers(model, data, rows, read_options(network, pattern=pattern), out, as_json)
        return
    if pattern is not None:
        raise UsageError("--pattern", f"{data} has single digits", "leave it out")
    with downloads() as report:
        digits, data = load_measured(network, data, report)
    with bar("evaluating", "glyphs") as move:
        found: Evaluation = measure.evaluate(network, digits, data, move)
    others = [_measure_beside(name, network, digits, data) for name in beside or []]
    shown = found.find_shared(others)
    if out is not None:
        title = f"{found.model} on {data}: {found.errors} errors of {found.n:,}, the surest first"
        if others:
            title = f"{len(shown)} that {len(others) + 1} networks get wrong, and what {found.model} says"
        draw.save_picture(draw.draw_mistakes(shown, title, found.signs), out)
    if as_json:
        print(json.dumps({**found.as_json(), **_describe_shared(others, shown), "engine": network.engine}))
        return
    low, high = found.interval95
    print(f"{found.model} on {data}: {found.errors} errors of {found.n:,}", end="")
    print(f" ({100 * found.error_rate:.2f} %, 95 % interval {100 * low:.2f} to {100 * high:.2f} %)")
    for name, (errors, n) in found.groups.items():
        print(f"  {name}: {errors} errors of {n:,} ({100 * errors / n:.2f} %)")
    print(f"  expected calibration error {100 * found.calibration_error:.2f} %, engine {network.engine}")
    for each in others:
        print(f"  beside it {each.model}: {each.errors} errors")
    if found.errors:
        names = [*found.signs, "none"]
        _print_confusion(found.confusion, names)
        most = len(shown) if others else 10
        what = f"all of them get {len(shown)} wrong" if others else "surest mistakes"
        print(f"{what} (row: truth > answer, probability):")
        for mistake in shown[:most]:
            where = f" {mistake.path}" if mistake.path else ""
            print(f"  {mistake.row}: {names[mistake.label]} > {names[mistake.answer]}, {mistake.confidence:.3f}{where}")


def _measure_beside(name: str, network: Network, digits: Digits, data: str) -> Evaluation:
    """Measure more weights on the same glyphs. Raises UsageError for weights that say other signs."""
    from lenet.engine import load
    from lenet.errors import UsageError
    from lenet.evaluation.digits import evaluate as measure

    other = load(name)
    if other.net.signs != network.net.signs:
        raise UsageError(f"--beside {name}", f"says other signs than {network.weights.name}", "choose other weights")
    with bar(f"evaluating {name}", "glyphs") as move:
        return measure(other, digits, data, move)


def _describe_shared(others: list[Evaluation], shared: tuple[Mistake, ...]) -> dict[str, Any]:
    """Return what `--beside` adds to the JSON: the errors of each, and the rows that all get wrong."""
    if not others:
        return {}
    return {"beside": {each.model: each.errors for each in others}, "shared": [mistake.row for mistake in shared]}


def _numbers(model: str, data: str, rows: list[Labelled], asked: ReadOptions, out: Path | None, as_json: bool) -> None:
    """Measure on pictures of numbers and print what was found."""
    from lenet.evaluation.numbers import evaluate_numbers

    with bar("reading", "pictures") as move:
        found = evaluate_numbers(model, Path(data), rows, asked, report=move)
    for _path, error in found.unreadable:
        print(error, file=sys.stderr)
    _tell(found, data, out, as_json)
    if found.unreadable:
        raise typer.Exit(1)


def _tell(found: NumbersEvaluation, data: str, out: Path | None, as_json: bool) -> None:
    """Print what was found, and draw what was misread."""
    from lenet.drawing import pictures as draw

    if out is not None:
        draw.save_picture(draw.draw_misread(found, Path(data)), out)
    if as_json:
        print(json.dumps(found.as_json()))
        return
    low, high = found.interval95
    print(f"{found.model} on {data}: {found.string_errors} of {found.strings:,} numbers wrong", end="")
    print(
        f" ({100 * found.error_rate:.2f} %, 95 % interval {100 * low:.2f} to {100 * high:.2f} %), guesses counted too"
    )
    print(f"  answered: {found.answered_right} right, {found.answered_wrong} wrong; {found.withheld} withheld")
    exactly = found.strings - found.by_digits
    print(f"  compared: {found.by_digits} labels by their digits, signs left out; {exactly} exactly")
    print(f"  {found.digit_errors} digit errors (edit distance) of {found.digits:,}")
    print(f"  expected calibration error {100 * found.calibration_error:.2f} %")
    for coverage, error in found.curve:
        print(f"  the surest {100 * coverage:.0f} %: {100 * error:.2f} % wrong")
    if found.mistakes:
        print("surest mistakes (truth > answer, or guess?, probability):")
        for mistake in found.mistakes[:10]:
            read = mistake.text or (f"{mistake.guess}?" if mistake.guess else mistake.state)
            print(f"  {mistake.label} > {' '.join(read.split())}, {mistake.confidence:.3f} {mistake.path}")


def _print_confusion(confusion: tuple[tuple[int, ...], ...], names: list[str]) -> None:
    """Print the table of truths against answers, the last row and column only if they hold something.

    Of many signs the most frequent confusions alone are printed.
    """
    if len(names) > _MOST_IN_A_TABLE:
        pairs = [(row[j], names[i], names[j]) for i, row in enumerate(confusion) for j in range(len(row)) if i != j]
        print("most frequent confusions (truth > answer):")
        for count, truth, answer in sorted(pairs, key=lambda each: -each[0])[:20]:
            print(f"  {truth} > {answer}: {count}")
        return
    rubbish = any(confusion[-1]) or any(row[-1] for row in confusion)
    labels = names if rubbish else names[:-1]
    print("confusion (rows: truth, columns: answer):")
    print("      " + "".join(f"{label:>6}" for label in labels))
    for label, row in zip(labels, confusion, strict=False):
        cells = "".join(f"{count or '.':>6}" for count in row[: len(labels)])
        print(f"  {label:>4}{cells}")
