"""What `lenet read` does, without a command line: Typer takes as long to start as a small picture takes to be read."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from lenet.cli.progress import bar
from lenet.errors import Interrupted
from lenet.network.spec import DEFAULT, SLIDING_DEFAULT

# More CPU seconds than this are no limit for a picture, and more than clocks can be set to.
_LONGEST = 1_000_000
# So many CPU seconds a picture has, unless a limit is given.
TIMEOUT = 60.0

if TYPE_CHECKING:
    from lenet.answers.line import Readers
    from lenet.bulk.jobs import Answer, Asked, Draw
    from lenet.steps import Step

# Which readers a method has; "sweep" slides the network along the line.
_READERS: dict[str, Readers] = {"cut": "cut", "line": "line", "both": "both", "sweep": "cut"}


def read_pictures(
    paths: list[str],
    *,
    as_json: bool = False,
    verbose: bool = False,
    digit: bool = False,
    model: str | None = None,
    method: str = "both",
    pattern: str | None = None,
    choices: Path | None = None,
    best: int = 0,
    max_error: float | None = None,
    out: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    column: str | None = None,
    timeout: float = TIMEOUT,
    cluster: str | None = None,
    annotate: Path | None = None,
    save_glyphs: Path | None = None,
) -> bool:
    """Read pictures and print or write their answers, as the options of `lenet read` say; return whether all were.

    Raises what reading, writing and wrong options raise.
    """
    from lenet.bulk import jobs
    from lenet.bulk.inputs import list_pictures, open_pictures
    from lenet.bulk.outputs import open_output
    from lenet.engine import load
    from lenet.reader import list_symbols, read_options

    model = model or (SLIDING_DEFAULT if method == "sweep" else DEFAULT)
    _check_method(method)
    check_job(timeout, out, resume, overwrite)
    options: dict[str, Any] = {"digit": digit, "pattern": pattern, "best": best, "max_error": max_error}
    network = load(model)
    words = read_choices(choices, pattern, list_symbols(network)) if choices else None
    options |= {"sweep": method == "sweep", "choices": words}
    found = list_pictures(paths, column, lambda line: print(line, file=sys.stderr))
    job = {"model": model, "column": column, **options} | ({} if method in ("cut", "sweep") else {"method": method})
    sliding_window = options.pop("sweep")
    # Glyphs to train on are as they are cut, and not as a line shows them.
    more: dict[str, Any] = {
        "sliding_window": sliding_window,
        "readers": _READERS[method],
        "thorough": save_glyphs is not None,
    }
    asked = read_options(network, **options, **more)
    if cluster is not None:
        extras = bool(as_json or annotate or save_glyphs or overwrite)
        return read_on_cluster(cluster, out, job, found, asked, resume, timeout or None, "pictures", extras)
    prepare_drawings(annotate, found)
    with explain_stop(out), ExitStack() as open_files, ExitStack() as others:
        put, done = None, 0
        if out:
            put, done = open_files.enter_context(open_output(out, job, found, resume=resume, overwrite=overwrite))
        keep = others.enter_context(_keep_corrections(save_glyphs)) if save_glyphs else None
        move = others.enter_context(bar("reading", "pictures"))
        failed = False

        def give_up(answer: Answer) -> NoReturn:
            others.close()
            give_up_job(lambda: _tell(answer, as_json, False, put), out)

        given = standard_input() if "-" in found else b""
        left = found[done:]
        pictures = open_pictures(left, column, given)
        draw = _make_drawings(annotate, done) if annotate else None
        ways: dict[str, Any] = {"timeout": timeout or None, "give_up": give_up, "draw": draw}
        with closing(jobs.read_all(pictures, len(left), model, asked, **ways)) as answers:
            for number, answer in enumerate(answers, done):
                failed |= not _tell(answer, as_json, verbose, put)
                if answer.undrawn:
                    raise answer.undrawn
                if answer.reading is not None and keep:
                    keep(answer)
                if len(found) > 20:
                    move(number + 1, len(found))
    return not failed


def _keep_corrections(folder: Path) -> AbstractContextManager[Callable[[Answer], None]]:
    from lenet.training.corrections import keep_corrections

    return keep_corrections(folder)


def _check_method(method: str) -> None:
    """Raise UsageError for a method that is none."""
    from lenet.errors import UsageError

    if method not in _READERS:
        raise UsageError(f"--method {method}", f"expected {', '.join(_READERS)}")


def check_job(timeout: float, out: Path | None, resume: bool, overwrite: bool) -> None:
    """Raise UsageError for a time that is none, and for what needs --out."""
    from lenet.errors import UsageError

    if not 0 <= timeout <= _LONGEST:
        raise UsageError(f"--timeout {timeout:g}", f"expected 0 to {_LONGEST:,} CPU seconds")
    if resume and not out:
        raise UsageError("--resume", "goes on with a job of --out", "give --out")
    if overwrite and not out:
        raise UsageError("--overwrite", "replaces the file of --out", "give --out")


def read_on_cluster(
    address: str,
    out: Path | None,
    job: dict[str, Any],
    found: list[str],
    asked: Asked,
    resume: bool,
    timeout: float | None,
    unit: str,
    extras: bool,
) -> bool:
    """Have a cluster read all that is left of a job, and say what came of it; return whether all could be read.

    `extras` says whether what it cannot do is asked for.
    """
    from lenet.bulk.ray_cluster import join_cluster
    from lenet.bulk.shards import make_shard_writer, open_shards
    from lenet.errors import UsageError

    if out is None or extras or "-" in found:
        problem = "reads files into a folder of Parquet parts"
        remedy = "give --out FOLDER, without --json, --annotate, --save-glyphs and --overwrite"
        raise UsageError("--cluster", problem, remedy)
    with explain_stop(out), bar("reading", unit) as move, join_cluster(address) as cluster:
        parts = open_shards(out, job, found, cluster.cores, resume=resume)
        left = parts.left()
        sizes = {row["number"]: row["count"] for row in left}
        done = len(found) - sum(sizes.values())
        made = (str(out), job["column"], job["model"], asked, timeout)
        for number in cluster.mapped(make_shard_writer, made, left):
            done += sizes[number]
            move(done, len(found))
        manifest = parts.finish()
    failed, count = manifest["failed"], len(manifest["parts"])
    told = f", {failed:,} could not be read (column error)" if failed else ""
    print(f"{out}: {len(found):,} {unit} in {count:,} part{'' if count == 1 else 's'}{told}")
    return not failed


@contextmanager
def explain_stop(out: Path | None) -> Iterator[None]:
    """Say how to go on when Ctrl-C ends a job whose answers are kept. Raises Interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        if out is None or not (out.is_dir() or out.with_name(f"{out.name}.part").exists()):
            raise
        raise _stopped(out) from None


def _stopped(out: Path) -> Interrupted:
    return Interrupted(out, "stopped", "type the same command with --resume to go on")


def give_up_job(tell: Callable[[], object], out: Path | None) -> NoReturn:
    """Tell the answer to a picture whose reading goes on and on in this process, and end it with status 1."""
    try:
        tell()
        if out is not None:
            print(_stopped(out), file=sys.stderr)
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    finally:
        os._exit(1)


def read_choices(choices: Path, pattern: str | None, symbols: str | None = None) -> list[str]:
    """Return the words of a file of choices; beside a pattern, with which they are refused, whatever they are.

    `symbols` are all that they may be written of (None: those of numbers).

    Raises DataError when the file cannot be read, and UsageError for what is no choice.
    """
    from lenet.decoding.formats import SYMBOLS
    from lenet.errors import DataError, UsageError, reason

    symbols = symbols or SYMBOLS
    try:
        lines = choices.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(choices, f"cannot be read ({reason(error)})") from error
    words = [(number, word) for number, line in enumerate(lines, 1) for word in line.split()]
    if pattern is not None:
        return [word for _number, word in words]
    if not words:
        raise UsageError(choices, "has no choices", "give one to a line")
    for number, word in words:
        if not set(word) <= set(symbols):
            raise UsageError(f"{choices} line {number}", f"choice {word!r}", f"its signs may be {symbols}")
    return [word for _number, word in words]


def _tell(answer: Answer, as_json: bool, verbose: bool, put: Callable[[dict[str, Any]], None] | None) -> bool:
    """Print an answer and put it into the file; return whether there was one."""
    if answer.error:
        print(answer.error, file=sys.stderr)
    found = answer.as_json()
    if put:
        put(found)
    if as_json:
        print(json.dumps(found))
    elif answer.reading is not None and not put:
        print(_format_line(found, answer.reading.steps, verbose))
    return answer.reading is not None


def prepare_drawings(annotate: Path | None, found: list[str]) -> None:
    """Make the folder of several drawings. Raises LenetError when it cannot be made, or is the only picture itself."""
    from lenet.errors import LenetError, reason

    if annotate is not None:
        try:
            if len(found) > 1:
                annotate.mkdir(parents=True, exist_ok=True)
            elif annotate.exists() and Path(found[0]).exists() and annotate.samefile(found[0]):
                raise LenetError(annotate, "is the picture itself", "choose another name")
        except (OSError, ValueError) as error:
            raise LenetError(annotate, f"cannot be a folder of pictures ({reason(error)})") from error


def _make_drawings(annotate: Path, done: int) -> Draw:
    from lenet.drawing.answers import Drawings  # Pillow's drawing, only when it is asked for

    return Drawings(annotate, done)


def _format_line(found: dict[str, Any], steps: tuple[Step, ...], verbose: bool) -> str:
    """Return path, text, confidence and remarks, separated by tabs.

    Remarks are why nothing is answered and what it may be, and those steps that a person should know, or all of them.
    """
    from lenet.bulk.outputs import describe_withheld, format_confidence, format_likeliest

    ranked = format_likeliest(found)
    notes = [step.text for step in steps if step.notable or verbose]
    remarks = [*describe_withheld(found), *filter(None, [ranked and f"likeliest {ranked}"]), *notes]
    path = str(found["path"]).replace("\t", "\\t").replace("\n", "\\n")
    text = str(found["text"]).replace("\n", " ")
    return f"{path}\t{text}\t{format_confidence(found['confidence'])}\t{'; '.join(remarks)}".rstrip("\t")


def standard_input() -> bytes:
    """Return the bytes of standard input; empty when it is closed."""
    return sys.stdin.buffer.read() if sys.stdin else b""
