"""`lenet train`: progress on stderr, the result as the one line on stdout."""

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
    from lenet.training.loop import Progress


def train(
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="R",
            help="quick, modern, lenet5, best, reader, paper or paper-distorted; a wrong name lists all.",
            show_default="modern; own-numbers or corrections for a folder of your own",
        ),
    ] = None,
    data: Annotated[
        str, typer.Option(metavar="NAME|FOLDER", help="A data set, or a folder of labelled pictures, or a .zip of one.")
    ] = "mnist",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="The run folder.", show_default="runs/RECIPE-seedN"),
    ] = None,
    passes: Annotated[
        int | None, typer.Option(metavar="N", help="Passes over the set instead of the recipe's.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="The first replica's seed; the next count on.")] = 0,
    replicas: Annotated[int, typer.Option(metavar="N", help="How many networks to train side by side.")] = 1,
    init: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="Start from these weights instead of drawn ones.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    backend: Annotated[
        str | None,
        typer.Option(
            metavar="engine|torch", help="What does the steps.", show_default="engine; torch for --device cuda"
        ),
    ] = None,
    device: Annotated[str | None, typer.Option(metavar="D", help="cpu, cuda or mps.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change the recipe, e.g. activation=sigmoid; repeatable."),
    ] = None,
    numbers: Annotated[
        bool, typer.Option("--numbers", help="The folder's labels are of numbers, even those of one digit.")
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="local|ADDRESS",
            help="Spread replicas over a Ray cluster, of this machine's cores or at an address.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Train a network by a named recipe.

    Everything goes into a run folder; a run that was killed at any moment goes on with --resume.

    The last line says how many test digits are wrong. The weights in the run folder can be read with at once:
    lenet read --model DIR/weights.safetensors PICTURE.

    \b
    Examples:
      lenet train --recipe quick
      lenet train --init lenet5-hands --data my-numbers/ -o mine
      lenet train --init lenet5-reader --data my-digits/
    """
    from lenet.errors import UsageError
    from lenet.training.own_numbers import RECIPE
    from lenet.training.ranks import Ranks
    from lenet.training.spread import train_spread
    from lenet.training.start import run_folder
    from lenet.training.start import train as start

    if recipe is None:
        recipe = _choose_recipe(init, data, numbers)
    elif numbers and recipe != RECIPE:
        raise UsageError("--numbers", f"recipe {recipe} learns digits", f"leave out --recipe, or give {RECIPE}")
    changes = dict(_pair(setting) for setting in settings or [])
    folder = run_folder(out, recipe, seed)
    common: dict[str, Any] = {"passes": passes, "seed": seed, "replicas": replicas, "init": init, "resume": resume}
    common |= {"backend": backend, "device": device, "settings": changes}
    pictures = bar("making training pictures", "parts of 64 pictures")
    with downloads() as report_fetch:
        common["report_fetch"] = report_fetch
        try:
            if cluster is not None:
                with bar("training", "passes of all tasks") as move:
                    result = train_spread(cluster, recipe, data, folder, report=move, **common)
            else:
                with pictures as report_pictures, _passes() as report:
                    result = start(recipe, data, folder, report=report, report_school=report_pictures, **common)
        except KeyboardInterrupt:
            raise Interrupted(folder, "stopped", "type the same command with --resume to go on") from None
    if Ranks.here().first:
        print(json.dumps(result) if as_json else _sentence(result))


def _choose_recipe(init: str | None, data: str, numbers: bool) -> str:
    """Return what a folder of one's own is learned by: its numbers as a whole, or its digits, beside given weights."""
    from lenet.data.labels import has_numbers
    from lenet.data.sources import SOURCES
    from lenet.training.own_numbers import RECIPE

    if data in SOURCES:
        return "modern"
    if numbers or (Path(data).exists() and has_numbers(Path(data))):
        return RECIPE
    return "corrections" if init is not None else "modern"


def _pair(setting: str) -> tuple[str, str]:
    name, equals, value = setting.partition("=")
    if not equals:
        raise typer.BadParameter(f"{setting!r}: expected NAME=VALUE", param_hint="--set")
    return name.strip(), value.strip()


def _sentence(result: dict[str, Any]) -> str:
    from lenet.training.line_recipe import LINE_RECIPES

    each = ", ".join(f"{replica['errors']} (seed {replica['seed']})" for replica in result["replicas"])
    what = "characters of writers apart" if result["data"] == "unipen" else "test digits"
    what = "lines of held-out hands" if result["recipe"] in LINE_RECIPES else what
    mean = f"{result['errors']:g} errors of {result['n']:,} {what}"
    if "before" in result:
        kinds = {"own": "your digits", "mnist": "MNIST"}
        if "made" in result["before"]:
            kinds = {"own": "your numbers", "made": "numbers in MNIST's hands"}
        told = [_compared(result, kind, words) for kind, words in kinds.items()]
        if passed_over := result.get("learned", {}).get("passed_over"):
            told.append(f"{passed_over} pictures passed over, in which no line agrees with the label")
        return f"{'; '.join(told)}: {result['out']}/{result['replicas'][0]['weights']}"
    return (
        f"{result['recipe']}: {mean} [{each}] after {result['passes']} passes, {result['seconds']} s: {result['out']}"
    )


def _compared(result: dict[str, Any], kind: str, words: str) -> str:
    counts = []
    for when in ("before", "after"):
        found = result[when][kind]
        share, low, high = (100 * each for each in (found["errors"] / found["n"], *found["interval95"]))
        counts.append(f"{when} {found['errors']} ({share:.1f} %, 95 % interval {low:.1f} to {high:.1f})")
    return f"{words}, {result['after'][kind]['n']:,} kept apart: wrong {', '.join(counts)}"


@contextmanager
def _passes() -> Iterator[Callable[[Progress], None]]:
    """Yield what shows a run: a bar with images per second and time left on a terminal, and a line per pass."""
    from lenet.training.watch import describe_pass

    started = False

    def first_line(progress: Progress) -> str:
        nonlocal started
        told, started = started, True
        return "" if told else f"training on {progress.runs_on}"

    if not sys.stderr.isatty():

        def say(progress: Progress) -> None:
            for words in (first_line(progress), describe_pass(progress) if progress.line else ""):
                if words:
                    print(words, file=sys.stderr, flush=True)

        yield say
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[speed]}"), TimeRemainingColumn())
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as shown:
        task = shown.add_task("training", total=None, speed="")

        def report(progress: Progress) -> None:
            for words in (first_line(progress), describe_pass(progress) if progress.line else ""):
                if words:
                    console.print(words, highlight=False)
            done = (progress.passed - 1) * progress.total + progress.done
            speed = shown.tasks[task].speed
            shown.update(
                task,
                description=f"pass {progress.passed} of {progress.passes}",
                completed=done,
                total=progress.passes * progress.total,
                speed=f"{speed:,.0f} images/s" if speed else "",
            )

        yield report
