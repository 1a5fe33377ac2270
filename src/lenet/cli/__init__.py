"""The command `lenet`: parse, call one function, print. Answers go to stdout, everything else to stderr."""

from __future__ import annotations

import io
import os
import sys
import warnings
from typing import Any

from lenet.errors import Interrupted, LenetError, UsageError, reason

# The exit status of what Ctrl-C ended, as shells have it: 128, and the number of the signal.
_INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> None:
    """Run the command and leave with its status: 0 all done, 1 something failed, 2 wrong usage, 130 Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name need not be valid text
            stream.reconfigure(errors="backslashreplace")
    warnings.showwarning = _show_warning  # type: ignore[assignment]
    try:
        status = _run(sys.argv[1:] if arguments is None else arguments)
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


def _run(given: list[str]) -> int:
    """Run the command and return its status; pictures that are to be read as ever need no parser of options."""
    if given[:1] == ["read"] and given[1:] and not any(each.startswith("-") for each in given):
        from lenet.cli.reading_job import read_pictures

        return int(not read_pictures(given[1:]))
    from lenet.cli.app import run_app

    return run_app(given)


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
