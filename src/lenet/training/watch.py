"""What a training run says of itself: a line for each pass, a bar in a notebook, a result that shows itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from html import escape
from typing import Any

from lenet.progress import silent
from lenet.training.loop import Progress


class RunResult(dict[str, Any]):
    """A run's result, as its folder has it; in a notebook it shows itself as a table."""

    def _repr_html_(self) -> str:
        """Return the errors of every replica, counted before and after where a run goes on from weights."""
        rows = [("recipe", self["recipe"]), ("folder", self["out"])]
        rows += [
            (f"seed {each['seed']}", f"{each['errors']:,} wrong of {each['n']:,}: {each['weights']}")
            for each in self["replicas"]
        ]
        for when in ("before", "after"):
            counts = (
                f"{kind} {found['errors']:,} wrong of {found['n']:,}" for kind, found in self.get(when, {}).items()
            )
            rows += [(when, ", ".join(counts))] if when in self else []
        rows.append(("seconds", f"{self['seconds']:g}"))
        cells = "".join(f"<tr><th style='text-align:left'>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in rows)
        return f"<table>{cells}</table>"


def describe_pass(progress: Progress) -> str:
    """Return what a pass that has ended says: its loss, its errors, its speed."""
    line = progress.line
    assert line is not None
    loss = ", ".join(f"{each:.4f}" for each in line["loss"])
    training = ", ".join(f"{100 * each / progress.total:.2f}" for each in line.get("train_errors", ()))
    told = f"{training} % wrong in training, " if training else ""
    held_out = ", ".join(map(str, line["held_out_errors"]))
    return (
        f"pass {progress.passed}/{progress.passes}: loss {loss}, {told}"
        f"{held_out} held-out errors, {line['images_per_second']:,.0f} images/s"
    )


def watch_run() -> Callable[[Progress], None]:
    """Return what shows a run in the notebook that this process serves; elsewhere it shows nothing."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if getattr(shell, "kernel", None) is None:
        return silent
    return _NotebookBar(sys.modules["IPython"]).report


class _NotebookBar:
    """A bar in a notebook's cell, with the passes that have ended below it; drawn anew for each percent."""

    def __init__(self, ipython: Any) -> None:
        self._display = ipython.display.display
        self._handle: Any = None
        self._drawn: tuple[int, int] | None = None
        self._lines: list[str] = []

    def report(self, progress: Progress) -> None:
        """Show where the run is."""
        if progress.line:
            self._lines.append(describe_pass(progress))
        done = (progress.passed - 1) * progress.total + progress.done
        percent = 100 * done // max(1, progress.passes * progress.total)
        if self._drawn == (percent, len(self._lines)):
            return
        self._drawn = percent, len(self._lines)
        words = f"pass {progress.passed} of {progress.passes}, {percent} %, on {progress.runs_on}"
        told = "".join(f"<br><small>{escape(line)}</small>" for line in self._lines)
        shown = {
            "text/html": f'<progress value="{percent}" max="100"></progress> {escape(words)}{told}',
            "text/plain": "\n".join((words, *self._lines)),
        }
        if self._handle is None:
            self._handle = self._display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)
