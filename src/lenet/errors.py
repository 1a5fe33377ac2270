"""Everything that lenet raises on purpose.

LenetError                the one line that the user sees: "<thing>: <what is wrong>; <what to do>"
├── UsageError            a name or a value that is not on offer: exit status 2
├── PictureError          a picture that cannot be read
├── DataError             a data set, a label file or a folder that cannot be used
├── WeightsError          a weights file that is damaged or does not fit its network
├── TrainingError         a run that cannot go on (divergence, a foreign run folder)
├── Interrupted           Ctrl-C ended what the same command goes on with: exit status 130
└── MissingExtra          an optional part that is not installed
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

# What is named in a line, said of it or advised has so many characters at most.
_LONGEST = 1_000
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


class LenetError(Exception):
    """An error whose text is one clear line for the user; `problem` is that line without the thing.

    `path` names the picture that it is of, where several are read.
    """

    path: str | None = None

    def __init__(self, thing: object, problem: str, remedy: str = "") -> None:
        self.problem = _write_in_line(problem) + (f"; {_write_in_line(remedy)}" if remedy else "")
        super().__init__(f"{_write_in_line(str(thing))}: {self.problem}")

    def about(self, path: str) -> LenetError:
        """Return the same error as that of a picture, whose name stands before it."""
        return _as_it_was(type(self), f"{path}: {self.problem}", {**vars(self), "path": path})

    def to_dict(self) -> dict[str, Any]:
        """Return the error as `lenet read --json` has it: its path and its line."""
        return {"path": self.path, "error": str(self)}

    def __reduce__(self) -> tuple[Any, ...]:
        """Go from one process to another as the line that it is."""
        return _as_it_was, (type(self), str(self), vars(self))


def _write_in_line(words: str) -> str:
    """Return words as a part of a line: without what moves a terminal's pen, the middle of what is long left out."""
    line = " ".join(words.split()).translate(_CONTROLS)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST // 2]} ... {line[-_LONGEST // 2 :]}"


def _as_it_was(kind: type[LenetError], line: str, said: dict[str, Any]) -> LenetError:
    error = kind.__new__(kind, line)
    vars(error).update(said)
    return error


class UsageError(LenetError):
    """A name or a value that is not on offer."""


class PictureError(LenetError):
    """A picture that cannot be read: empty, too large, of a format that is not supported, or damaged in some way."""

    def __init__(
        self,
        thing: object,
        problem: str,
        remedy: str = "",
        *,
        kind: Literal["empty", "too large", "unsupported", "damaged"] = "damaged",
    ) -> None:
        self.kind = kind
        super().__init__(thing, problem, remedy)


class DataError(LenetError):
    """A data set, a label file or a folder of pictures that cannot be used."""


class WeightsError(LenetError):
    """A weights file that is damaged or does not fit its network."""


class TrainingError(LenetError):
    """A run that cannot go on."""


class Interrupted(LenetError):
    """Ctrl-C ended what can be gone on with."""


class MissingExtra(LenetError, ImportError):
    """An optional part of lenet that is not installed."""

    def __init__(self, thing: str, module: str, extra: str) -> None:
        super().__init__(thing, f"needs {module}, which is not installed", f"pip install 'lenet[{extra}]'")


def warn_renamed(old: str, new: str) -> None:
    """Say in one line, as a FutureWarning, that what the caller's caller used is called otherwise now."""
    warnings.warn(f"{old}: is called {new} now; the old name works until lenet 0.3", FutureWarning, stacklevel=3)


def reason(error: BaseException) -> str:
    """Return an operating system's or library's error as words without its path or its class name."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
