"""The commands of lenet, their options and their help, by Typer."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer

from lenet.version import __version__

# Every command, or group of some, with its module here and what in it is called.
_COMMANDS = {
    "read": ("read", "read"),
    "table": ("table", "table"),
    "form": ("form", "form"),
    "explain": ("explain", "explain"),
    "evaluate": ("evaluate", "evaluate"),
    "train": ("train", "train"),
    "reproduce": ("reproduce", "reproduce"),
    "bench": ("bench", "bench"),
    "export": ("export", "export"),
    "import": ("import_model", "convert"),
    "serve": ("serve", "serve"),
    "summary": ("summary", "summary"),
    "data": ("data", "app"),
}


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lenet {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


def make_app(names: Iterable[str] = _COMMANDS) -> typer.Typer:
    """Return the command line with these of its commands: one alone starts sooner than all."""
    app = typer.Typer(
        name="lenet",
        help="Read handwritten numbers in pictures and on pages; train, measure and export LeNet-5.",
        add_completion=True,
        rich_markup_mode=None,
        no_args_is_help=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name in names:
        module, called = _COMMANDS[name]
        command = getattr(import_module(f"lenet.cli.{module}"), called)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def run_app(given: list[str]) -> int:
    """Run a command and return its status. Raises what it raises, and Typer's own errors for wrong options."""
    app = make_app(given[:1]) if given[:1] and given[0] in _COMMANDS else make_app()
    return int(app(args=given, prog_name="lenet", standalone_mode=False) or 0)
