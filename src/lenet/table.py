"""Answers as a file: a line of JSON or a row of a table for each picture, whole or not at all."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lenet.errors import LenetError, MissingExtra, UsageError, reason
from lenet.files import replacing

COLUMNS = ("path", "text", "confidence", "abstained", "notes", "error")
FORMATS = (".csv", ".jsonl", ".parquet")
# Rows that are held until they are written to a Parquet file together.
_ROWS = 5_000

Put = Callable[[dict[str, Any]], None]


@contextmanager
def written(path: Path) -> Iterator[Put]:
    """Yield a function that adds an answer, as `lenet read --json` has it, to a .csv, .jsonl or .parquet file.

    Raises UsageError for another ending, MissingExtra for Parquet without pyarrow, and LenetError when the file
    cannot be written; then it stays as it was.
    """
    if path.suffix not in FORMATS:
        raise UsageError(f"--out {path}", f"ends in {path.suffix!r}", f"expected {', '.join(FORMATS)}")
    writer = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}[path.suffix]
    try:
        with replacing(path) as temporary, writer(temporary) as put:
            yield put
    except OSError as error:
        raise LenetError(path, f"cannot be written ({reason(error)})") from error


@contextmanager
def _jsonl(path: Path) -> Iterator[Put]:
    with path.open("w", encoding="utf-8") as file:
        yield lambda answer: print(json.dumps(answer), file=file)


@contextmanager
def _csv(path: Path) -> Iterator[Put]:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        rows.writeheader()
        yield lambda answer: rows.writerow(_row(answer))


@contextmanager
def _parquet(path: Path) -> Iterator[Put]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtra("--out .parquet", "pyarrow", "parquet") from error
    kinds = {"confidence": pa.float64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    waiting: list[dict[str, Any]] = []
    with pq.ParquetWriter(path, schema) as file:

        def flush() -> None:
            file.write_table(pa.Table.from_pylist(waiting, schema))
            waiting.clear()

        def put(answer: dict[str, Any]) -> None:
            waiting.append(_row(answer))
            if len(waiting) == _ROWS:
                flush()

        yield put
        flush()


def _row(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer as a flat row; a picture that failed has only its path and its error."""
    return {
        "path": answer["path"],
        "text": answer.get("text"),
        "confidence": answer.get("confidence"),
        "abstained": answer.get("abstained") or "",
        "notes": "; ".join(answer.get("notes", ())),
        "error": answer.get("error", ""),
    }
