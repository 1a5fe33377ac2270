"""The figures, as SVG text: the paper's points beside our curves, bars, and sheets of digits."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lenet.arrays import Uint8
from lenet.network.spec import CODE_HEIGHT, CODE_WIDTH, FIRST_CHARACTER, GLYPH_ROWS, code
from lenet.report.invariance import CHANGES
from lenet.report.measured import Spread
from lenet.report.paper import DISTORTED_POINT, FIGURE_5_TEST, FIGURE_5_TRAIN, FIGURE_6

_OURS, _THEIRS, _SECOND, _GREY = "#c2410c", "#1b1b1f", "#2563eb", "#a3a3ad"
_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "lenet",  # the same figures give the same bytes
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e7e7ee",
    "legend.frameon": False,
}


@contextmanager
def _drawn(width: float, height: float, into: list[str], **grid: Any) -> Iterator[Any]:
    """Yield the axes of a figure of so many inches; its SVG is put into the list."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure.subplots(**grid)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
        into.append(text.getvalue()[text.getvalue().index("<svg") :])


def _band(axes: Axes, x: Sequence[float], curve: Sequence[Spread], colour: str, label: str, style: str = "-") -> None:
    """Draw the mean of each place, and between its least and its greatest a band."""
    axes.plot(x, [each.mean for each in curve], style, color=colour, label=label, linewidth=1.4)
    low, high = ([end(each.values) for each in curve] for end in (min, max))
    axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)


def figure_3() -> str:
    """Draw the 96 codes."""
    codes = [code(FIRST_CHARACTER + place) for place in range(len(GLYPH_ROWS))]
    inked = np.array(codes).reshape(-1, CODE_HEIGHT, CODE_WIDTH) > 0
    return sheet(255 * inked.astype(np.uint8), [""] * len(inked), columns=16)


def figure_5(train: list[Spread], test: list[Spread]) -> str:
    """Draw the errors after each pass over the paper's points."""
    with _drawn(7, 3.6, made := list[str]()) as axes:
        passes = range(1, len(FIGURE_5_TEST) + 1)
        axes.plot(passes, FIGURE_5_TEST, "o", color=_THEIRS, markersize=4, label="test, 1998")
        axes.plot(passes, FIGURE_5_TRAIN, "o", color=_THEIRS, markersize=4, fillstyle="none", label="training, 1998")
        _band(axes, range(1, len(test) + 1), test, _OURS, f"test, {len(test[0].values)} replicas")
        _band(axes, range(1, len(train) + 1), train, _SECOND, "training, seen on the fly")
        axes.set(
            xlabel="pass", ylabel="error, %", ylim=(0, max(5.2, 1.1 * train[0].mean)), xlim=(0, len(FIGURE_5_TEST) + 1)
        )
        axes.set_xticks(range(0, len(FIGURE_5_TEST) + 1, 5))
        axes.legend()
    return made[0]


def figure_6(sizes: dict[int, tuple[Spread, Spread]], distorted: dict[str, Spread]) -> str:
    """Draw the errors over the number of training patterns: test, and training after the last pass."""
    with _drawn(7, 3.4, made := list[str]()) as axes:
        x = sorted(FIGURE_6)
        axes.plot(x, [FIGURE_6[n][0] for n in x], "o", color=_THEIRS, label="test, 1998")
        axes.plot(x, [FIGURE_6[n][1] for n in x], "o", color=_THEIRS, fillstyle="none", label="training, 1998")
        ours = sorted(sizes)
        _band(axes, ours, [sizes[n][0] for n in ours], _OURS, "test")
        _band(axes, ours, [sizes[n][1] for n in ours], _SECOND, "training, seen on the fly")
        axes.plot(
            [max(x)], [DISTORTED_POINT], "s", color=_THEIRS, fillstyle="none", label="test with distortions, 1998"
        )
        for (name, each), mark in zip(distorted.items(), "s^", strict=False):
            axes.plot([max(ours)], [each.mean], mark, color=_OURS, fillstyle="none", label=f"test, {name}")
        axes.set(xlabel="training patterns", ylabel="error, %", ylim=(0, None))
        axes.legend(fontsize=8)
    return made[0]


def histogram(errors: Spread, stated: float) -> str:
    """Draw how many replicas have which error, in per cent, and the paper's."""
    with _drawn(7, 2.8, made := list[str]()) as axes:
        bins = np.arange(min(*errors.values, stated) - 0.02, max(*errors.values, stated) + 0.04, 0.02)
        axes.hist(errors.values, bins=list(bins), color=_OURS, alpha=0.8, label=f"{len(errors.values)} replicas")
        axes.axvline(errors.mean, color=_OURS, linewidth=1.4, label=f"their mean, {errors.mean:.2f} %")
        axes.axvline(stated, color=_THEIRS, linestyle="--", linewidth=1.4, label=f"1998, {stated:.2f} %")
        axes.set(xlabel="test error, %", ylabel="replicas")
        axes.legend()
    return made[0]


def bars(rows: Sequence[tuple[str, float | None, Spread | None]], unit: str) -> str:
    """Draw a pair of bars for each row: the paper's and ours, with ours from its least to its greatest."""
    with _drawn(7, 0.6 + 0.38 * len(rows), made := list[str]()) as axes:
        for place, (_name, theirs, ours) in enumerate(rows):
            if theirs is not None:
                axes.barh(place - 0.2, theirs, 0.36, color=_GREY)
                axes.text(theirs, place - 0.2, f" {theirs:.3g}", va="center", fontsize=8)
            if ours is not None:
                spread = [[ours.mean - min(ours.values)], [max(ours.values) - ours.mean]]
                axes.barh(place + 0.2, ours.mean, 0.36, color=_OURS, xerr=spread)
                axes.text(max(ours.values), place + 0.2, f" {ours.mean:.3g}", va="center", fontsize=8)
        axes.set_yticks(range(len(rows)), [name for name, _theirs, _ours in rows])
        axes.invert_yaxis()
        axes.set(xlabel=unit)
        axes.legend([Patch(color=_GREY), Patch(color=_OURS)], ["1998", "here"], loc="lower right")
    return made[0]


def figure_13(curves: dict[str, dict[str, list[Spread]]]) -> str:
    """Draw the errors over each kind of change, a line for each run: run -> change -> curve."""
    with _drawn(7.4, 7.2, made := list[str](), nrows=3, ncols=2) as axes:
        for panel, change in zip(axes.flat, CHANGES, strict=True):
            for (name, found), colour in zip(curves.items(), (_OURS, _SECOND), strict=False):
                _band(panel, change.amounts, found[change.name], colour, name)
            panel.set(title=change.name, xlabel=change.unit, ylabel="error, %", ylim=(0, 100))
        axes.flat[0].legend(fontsize=8)
    return made[0]


def sheet(glyphs: Uint8, captions: Sequence[str], columns: int = 10) -> str:
    """Draw digits (n, h, w), ink dark, each with a line of text above it."""
    n, high, wide = glyphs.shape
    rows, gap, head = -(-n // columns), 2, 9 if any(captions) else 2
    picture = np.zeros((rows * (high + head), columns * (wide + gap)), np.uint8)
    corners = [(k // columns * (high + head) + head, k % columns * (wide + gap)) for k in range(n)]
    for glyph, (y, x) in zip(glyphs, corners, strict=True):
        picture[y : y + high, x : x + wide] = glyph
    with _drawn(7, 7 * picture.shape[0] / picture.shape[1], made := list[str]()) as axes:
        axes.imshow(picture, cmap="gray_r", vmin=0, vmax=255)
        axes.set_axis_off()
        for caption, (y, x) in zip(captions, corners, strict=True):
            axes.text(x + wide / 2, y - 1, caption, fontsize=7, ha="center", va="bottom")
    return made[0]
