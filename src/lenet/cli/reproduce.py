"""`lenet reproduce`: progress on stderr, the verdict as a line on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lenet.cli.progress import bar, downloads
from lenet.errors import Interrupted

if TYPE_CHECKING:
    from lenet.report.reproduce import ReportStep


def reproduce(
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Where runs, figures and the page go.")
    ] = Path("runs/reproduction"),
    quick: Annotated[bool, typer.Option("--quick", help="A small version, in DIR/quick, in minutes.")] = False,
    part: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Train this alone, e.g. paper or svm; repeatable.")
    ] = None,
    without_pictures: Annotated[
        bool, typer.Option("--without-pictures", help="Leave out the figures that show digits of MNIST.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as one JSON object.")] = False,
) -> None:
    """Put the figures and tables of 1998 beside ours, on one page.

    Trains what is missing and goes on with what was cut off. The whole of it may take hours; with
    --part its parts can be run one by one, and the page is made of what is there.

    \b
    Example:
      lenet reproduce --quick
    """
    from lenet.report.reproduce import reproduce as run

    with downloads() as report_fetch, _steps() as report:
        try:
            found = run(
                out,
                quick=quick,
                only=part or None,
                pictures=not without_pictures,
                report=report,
                report_fetch=report_fetch,
            )
        except KeyboardInterrupt:
            raise Interrupted(out, "stopped", "type the same command to go on") from None
    page = (out / "quick" if quick else out) / "index.html"
    print(json.dumps(found | {"page": str(page)}) if as_json else _sentence(found, page))


def _sentence(found: dict[str, Any], page: Path) -> str:
    names = {"paper": "LeNet-5", "distorted_as_written": "distorted as written", "distorted": "distorted"}
    each = [
        f"{words} {found[part]['mean']:.2f} ± {found[part]['std']:.2f} % ({found[part]['replicas']} replicas)"
        for part, words in names.items()
        if part in found
    ]
    return f"{', '.join(each) or 'nothing trained yet'}: {page}"


@contextmanager
def _steps() -> Iterator[Callable[[ReportStep], None]]:
    """Yield what shows a reproduction: a line for each step and, on a terminal, a bar of all training."""
    told: set[int] = set()
    with bar("training", "patterns") as move:

        def report(step: ReportStep) -> None:
            if step.number not in told:
                told.add(step.number)
                print(f"{step.number}/{step.steps} {step.words}", file=sys.stderr, flush=True)
            if step.total:
                move(step.done, step.total)

        yield report
