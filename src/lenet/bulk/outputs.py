"""Answers as a file: a line of JSON or a row of a table for each picture, whole or not at all, resumable."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lenet.errors import LenetError, MissingExtra, UsageError, reason
from lenet.files import escape_name, replacing, take_lock

COLUMNS = ("path", "text", "confidence", "abstained", "state", "guess", "notes", "error", "likeliest")
FORMATS = (".csv", ".jsonl", ".parquet")
# Rows that are held until they are written to a Parquet file together.
_ROWS = 5_000

Put = Callable[[dict[str, Any]], None]
Write = Callable[[Path, Iterable[dict[str, Any]]], None]


@dataclass(frozen=True)
class Rows:
    """How answers are rows of a table: its `columns`, which of them are numbers, and the rows of an answer."""

    columns: tuple[str, ...]
    make: Callable[[dict[str, Any]], list[dict[str, Any]]]
    fractions: frozenset[str] = frozenset(("confidence",))
    whole: frozenset[str] = frozenset()


@contextmanager
def open_output(
    path: Path,
    job: dict[str, Any],
    names: list[str],
    *,
    resume: bool,
    overwrite: bool = False,
    write: Write | None = None,
    formats: tuple[str, ...] = FORMATS,
) -> Iterator[tuple[Put, int]]:
    """Yield a function that adds an answer, as `lenet read --json` has it, and how many pictures are done already.

    Answers go into PATH.part, a line each; at the end they become the .csv, .jsonl or .parquet file in one step. What
    an interrupt leaves of PATH.part is gone on with by `resume`, if the `job` is the same and its first pictures are
    the first `names`: so every picture has its answer exactly once. With `overwrite` a file that is there is replaced.
    `write` makes the file of all answers, of one of the `formats`; None: a row for each.
    Raises UsageError for another ending and a file that may not be replaced, MissingExtra for Parquet without pyarrow,
    and LenetError when nothing can be written, or when PATH.part is another job's or another process writes it.
    """
    if path.suffix not in formats:
        raise UsageError(f"--out {path}", f"ends in {path.suffix!r}", f"expected {', '.join(formats)}")
    if path.suffix == ".parquet":
        import_arrow()
    part = path.with_name(f"{path.name}.part")
    _check_place(path, part, resume=resume, overwrite=overwrite)
    try:
        lock = take_lock(part)
        if lock is None:
            raise LenetError(part, "is being written by another lenet", "wait until it is done, or choose another file")
        try:
            yield from _write_part(part, job, names, resume=resume)
            _finish(path, part, write or partial(write_answers, rows=make_reading_rows(int(job.get("best", 0)))))
            lock.remove()
        except BaseException:
            if not _has_answers(part):  # nothing to go on with
                lock.remove()
            raise
        finally:
            lock.release()
    except OSError as error:
        raise LenetError(path, f"cannot be written ({reason(error)})") from error


def _write_part(part: Path, job: dict[str, Any], names: list[str], *, resume: bool) -> Iterator[tuple[Put, int]]:
    """Yield what adds a line to a part, and how many lines it has already."""
    if part.stat().st_size and not resume:
        raise LenetError(part, "an interrupted job", "--resume goes on with it; or delete it")
    done = _take_up(part, job, names)
    if not done:
        part.write_text(json.dumps({"job": job}) + "\n", encoding="utf-8")
    with part.open("a", encoding="utf-8", buffering=1) as file:  # a line is written as soon as it is there
        yield lambda answer: print(json.dumps(answer), file=file), done


def _finish(path: Path, part: Path, write: Write) -> None:
    """Make the file of all answers of a part. Raises LenetError for one that somebody changed."""
    try:
        write(path, _read_answers(part))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:  # pyarrow's are such too
        raise LenetError(part, f"is damaged ({reason(error)})", "delete it, and read again") from error


def _has_answers(part: Path) -> bool:
    """Tell whether a part has a line beside its first."""
    try:
        with part.open("rb") as file:
            return bool(file.readline()) and bool(file.readline())
    except OSError:
        return False


def _check_place(path: Path, part: Path, *, resume: bool, overwrite: bool) -> None:
    """Raise what is wrong with a place for answers where something is already."""
    if path.is_dir():
        raise UsageError(f"--out {path}", "is a folder", "give a file")
    if not path.exists():
        return
    if resume and not part.exists():
        remedy = "give --overwrite in place of --resume to read again, or choose another file"
        raise LenetError(path, "is finished", remedy)
    if not resume and not overwrite:
        raise UsageError(f"--out {path}", "is there already", "give --overwrite to replace it, or choose another file")


def write_answers(path: Path, answers: Iterable[dict[str, Any]], rows: Rows | None = None) -> None:
    """Write a .csv, .jsonl or .parquet file, a row for each answer or its own `rows`, whole or not at all.

    Raises OSError when it cannot be written.
    """
    with replacing(path) as temporary, _WRITERS[path.suffix](temporary, rows or READING_ROWS) as put:
        for answer in answers:
            put(answer)


def format_likeliest(answer: dict[str, Any]) -> str:
    """Return the likeliest texts of an answer with their confidences, best first; a bar parts lines of writing."""

    def told(text: dict[str, Any]) -> str:
        return f"{text['text'] or 'nothing'} {format_confidence(text['confidence'])}"

    return " | ".join(", ".join(map(told, line.get("likeliest", ()))) for line in answer.get("lines", ())).strip(" |")


def describe_withheld(answer: dict[str, Any]) -> list[str]:
    """Say why an answer, or a line of one, is withheld, and what it may be: "uncertain: perhaps 1701770"."""
    guess = str(answer["guess"]).replace("\n", " ")
    if answer["abstained"]:
        return [f"{answer['state']}: perhaps {guess}" if guess else answer["state"]]
    told = []
    for row in range(len(answer["lines"])):
        own = [number for number in answer["numbers"] if number["line"] == row]
        for place, number in enumerate(own, 1):
            if number["abstained"]:
                name = f"number {place} of line {row + 1}" if len(own) > 1 else f"line {row + 1}"
                told.append(f"{name} {number['state']}: perhaps {number['guess']}")
    return told


def format_confidence(confidence: float) -> str:
    """Return a confidence as a line of text has it: nothing is certain, whatever four digits say."""
    return f"{min(confidence, 0.9999):.4f}"


def _take_up(part: Path, job: dict[str, Any], names: list[str]) -> int:
    """Return how many answers an interrupted job has; what it was writing when it ended is cut off."""
    done, whole = 0, 0
    with part.open("rb") as file:
        for line in file:
            try:
                found = json.loads(line) if line.endswith(b"\n") else None
            except (ValueError, RecursionError):
                found = None
            if not isinstance(found, dict):
                break
            if whole == 0:
                if found.get("job") != json.loads(json.dumps(job)):
                    raise LenetError(part, "was begun with other options", "give the same command, or delete it")
            elif done >= len(names) or found.get("path") != names[done]:
                raise LenetError(part, f"picture {done + 1} is another one", "give the same pictures, or delete it")
            else:
                done += 1
            whole += len(line)
    with part.open("r+b") as file:
        file.truncate(whole)
    return done


def _read_answers(part: Path) -> Iterator[dict[str, Any]]:
    with part.open(encoding="utf-8", newline="\n") as file:
        next(file)
        for line in file:
            yield json.loads(line)


@contextmanager
def _open_jsonl(path: Path, _rows: Rows) -> Iterator[Put]:
    with path.open("w", encoding="utf-8") as file:
        yield lambda answer: print(json.dumps(answer), file=file)


@contextmanager
def _open_csv(path: Path, rows: Rows) -> Iterator[Put]:
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.DictWriter(file, rows.columns, lineterminator="\n")
        lines.writeheader()
        yield lambda answer: lines.writerows(rows.make(answer))


def import_arrow() -> Any:
    """Return pyarrow with its Parquet. Raises MissingExtra."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("--out .parquet", "pyarrow", "parquet") from error
    return pyarrow


@contextmanager
def _open_parquet(path: Path, rows: Rows) -> Iterator[Put]:
    pa = import_arrow()
    kinds = dict.fromkeys(rows.fractions, pa.float64()) | dict.fromkeys(rows.whole, pa.int64())
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in rows.columns])
    waiting: list[dict[str, Any]] = []
    with pa.parquet.ParquetWriter(path, schema) as file:

        def flush() -> None:
            file.write_table(pa.Table.from_pylist(waiting, schema))
            waiting.clear()

        def put(answer: dict[str, Any]) -> None:
            waiting.extend(rows.make(answer))
            if len(waiting) >= _ROWS:
                flush()

        yield put
        flush()


_WRITERS = {".csv": _open_csv, ".jsonl": _open_jsonl, ".parquet": _open_parquet}


def _row(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer as a flat row; a picture that failed has only its path and its error."""
    return {
        "path": escape_name(answer["path"]),
        "text": answer.get("text"),
        "confidence": answer.get("confidence"),
        "abstained": answer.get("abstained") or "",
        "state": answer.get("state", "error"),
        "guess": answer.get("guess"),
        "notes": "; ".join(answer.get("notes", ())),
        "error": escape_name(answer.get("error", "")),
        "likeliest": format_likeliest(answer),
    }


def _rank_texts(answer: dict[str, Any], best: int) -> list[tuple[tuple[str, ...], float]]:
    """Return the `best` likeliest texts of a picture, a text for each line: the products of what its lines list."""
    lists = [line["likeliest"] for line in answer.get("lines", ()) if line.get("likeliest")]
    ranked: list[tuple[tuple[str, ...], float]] = [((), 1.0)] if lists else []
    for own in lists:
        longer = [((*texts, each["text"]), sure * each["confidence"]) for texts, sure in ranked for each in own]
        ranked = sorted(longer, key=lambda each: -each[1])[:best]
    return ranked


def make_reading_rows(best: int) -> Rows:
    """Return how readings are rows: one each, with two more columns for each of the `best` likeliest texts.

    They are the text, lines parted by newlines, and the probability that all of it is right.
    """
    names = [f"{name}_{place}" for place in range(1, best + 1) for name in ("likeliest", "confidence")]

    def make(answer: dict[str, Any]) -> list[dict[str, Any]]:
        row = _row(answer)
        for place, (texts, confidence) in enumerate(_rank_texts(answer, best) if best else (), 1):
            row[f"likeliest_{place}"], row[f"confidence_{place}"] = "\n".join(texts), confidence
        return [row]

    fractions = frozenset(name for name in names if name.startswith("confidence"))
    return Rows((*COLUMNS, *names), make, READING_ROWS.fractions | fractions)


READING_ROWS = Rows(COLUMNS, lambda answer: [_row(answer)])
