"""The command `lenet`: parse, call one function, print. Answers go to stdout, everything else to stderr."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated, Any

import typer

from lenet.errors import Interrupted, LenetError, UsageError, reason
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
# The exit status of what Ctrl-C ended, as shells have it: 128, and the number of the signal.
_INTERRUPTED = 130


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


def main(arguments: list[str] | None = None) -> None:
    """Run the command and leave with its status: 0 all done, 1 something failed, 2 wrong usage, 130 Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name need not be valid text
            stream.reconfigure(errors="backslashreplace")
    warnings.showwarning = _show_warning  # type: ignore[assignment]
    try:
        given = sys.argv[1:] if arguments is None else arguments
        app = make_app(given[:1]) if given[:1] and given[0] in _COMMANDS else make_app()
        status = app(args=arguments, prog_name="lenet", standalone_mode=False)
        if sys.stdout:
            sys.stdout.flush()
        if status == _INTERRUPTED:  # Typer has caught the KeyboardInterrupt
            _say("interrupted")
    except LenetError as error:
        _say(str(error))
        status = _find_status(error)
    except (BrokenPipeError, SystemExit):
        # The reader of our output has enough, as `head` does: Typer leaves with SystemExit for that alone. Python
        # must not complain when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 0
    except OSError as error:
        _say(f"lenet: {reason(error)}" + (f": {error.filename}" if error.filename else ""))
        status = 1
    except KeyboardInterrupt:
        _say("interrupted")
        status = _INTERRUPTED
    except Exception as error:
        if not hasattr(error, "format_message"):  # not one of Typer's own
            raise
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "lenet"
        words = str(error.format_message()).rstrip(".")
        _say(f"{command}: {words[:1].lower()}{words[1:]}; see {command} --help")
        status = 2
    try:
        sys.exit(int(status or 0))
    finally:
        _close_stdout()


def _find_status(error: LenetError) -> int:
    if isinstance(error, Interrupted):
        return _INTERRUPTED
    return 2 if isinstance(error, UsageError) else 1


def _close_stdout() -> None:
    """Flush what is left; a full disk was reported already, and Python must not report it again."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _show_warning(message: Warning | str, *_where: Any) -> None:
    """Say a warning as the one line that it is, without the place in the code."""
    _say(str(message))


def _say(line: str) -> None:
    print(" ".join(line.split()), file=sys.stderr)
