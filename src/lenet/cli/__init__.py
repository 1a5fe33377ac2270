"""The command `lenet`: parse, call one function, print. Answers go to stdout, everything else to stderr."""

from __future__ import annotations

import io
import os
import sys
import warnings
from typing import Annotated, Any

import typer

from lenet.cli import (
    bench,
    data,
    evaluate,
    explain,
    export,
    form,
    import_model,
    read,
    reproduce,
    serve,
    summary,
    table,
    train,
)
from lenet.errors import Interrupted, LenetError, UsageError, reason
from lenet.version import __version__

# The exit status of what Ctrl-C ended, as shells have it: 128, and the number of the signal.
_INTERRUPTED = 130

app = typer.Typer(
    name="lenet",
    help="Read handwritten numbers in pictures and on pages; train, measure and export LeNet-5.",
    add_completion=True,
    rich_markup_mode=None,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lenet {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


app.command("read")(read.read)
app.command("table")(table.table)
app.command("form")(form.form)
app.command("explain")(explain.explain)
app.command("evaluate")(evaluate.evaluate)
app.command("train")(train.train)
app.command("reproduce")(reproduce.reproduce)
app.command("bench")(bench.bench)
app.command("export")(export.export)
app.command("import")(import_model.convert)
app.command("serve")(serve.serve)
app.command("summary")(summary.summary)
app.add_typer(data.app, name="data")


def main(arguments: list[str] | None = None) -> None:
    """Run the command and leave with its status: 0 all done, 1 something failed, 2 wrong usage, 130 Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name need not be valid text
            stream.reconfigure(errors="backslashreplace")
    warnings.showwarning = _show_warning  # type: ignore[assignment]
    try:
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
