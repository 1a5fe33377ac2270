"""Write docs/cli.md from the commands' own --help: python docs/make_cli.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COMMANDS = (
    "",
    "read",
    "table",
    "form",
    "explain",
    "evaluate",
    "train",
    "reproduce",
    "bench",
    "serve",
    "export",
    "import",
    "summary",
    "data",
    "data list",
    "data fetch",
)


def help_text(command: str) -> str:
    """Return what `lenet COMMAND --help` prints at a width of 80 columns."""
    program = [sys.executable, "-c", "from lenet.cli import main; main()", *command.split(), "--help"]
    environment = {**os.environ, "COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"}
    return subprocess.run(program, capture_output=True, text=True, check=True, env=environment).stdout


def page() -> str:
    """Return the page."""
    parts = ["# The command line\n\nMade by `python docs/make_cli.py` from the commands themselves.\n"]
    for command in COMMANDS:
        name = f"lenet {command}".strip()
        parts.append(f"## {name}\n\n```text\n{help_text(command).rstrip()}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    (Path(__file__).parent / "cli.md").write_text(page(), encoding="utf-8")
