"""Reproduce the paper: train what is missing, measure, write the page. Everything is kept in one folder.

DIR/runs/PART/            a run folder for each training; a kill loses a pass at most
DIR/classifiers/NAME.json the other classifiers of Fig. 9
DIR/index.html, README.md, figure-*.svg, results.json

With `quick` all that is in DIR/quick, from fewer patterns and passes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lenet.bench.run import describe_machine
from lenet.data import dataset
from lenet.data.fetch import Report
from lenet.errors import LenetError, MissingExtra, UsageError, reason
from lenet.files import replace_text
from lenet.progress import silent
from lenet.report.parts import PARTS, Part, train_part
from lenet.training.loop import Progress
from lenet.training.run import find_commit

_QUICK_PATTERNS, _QUICK_DIGITS, _DIGITS = 2_000, 250, 2_000


@dataclass(frozen=True)
class ReportStep:
    """Where a reproduction is: step `number` of `steps`, in words, and how much of all training is done.

    `done` and `total` are presentations of a pattern to a replica, of the parts that were not there at the start.
    """

    number: int
    steps: int
    words: str
    done: int = 0
    total: int = 0


def reproduce(
    out: Path,
    *,
    quick: bool = False,
    only: list[str] | None = None,
    pictures: bool = True,
    report: Callable[[ReportStep], None] = silent,
    report_fetch: Report = silent,
) -> dict[str, Any]:
    """Train and measure what is missing in `out`, write the page, and return the results as results.json has them.

    `only` names the parts and classifiers to do; the page is made of all that is there. `pictures` False leaves out
    the figures that show MNIST's digits. Raises UsageError for an unknown part, MissingExtra without matplotlib or
    scikit-learn, and what training raises.
    """
    try:
        from lenet.report.classifiers import CLASSIFIERS, measure_classifier
        from lenet.report.write import write
    except ImportError as error:
        raise MissingExtra("lenet reproduce", "matplotlib", "reproduce") from error
    for name in only or []:
        if name not in PARTS and name not in CLASSIFIERS:
            raise UsageError(f"part {name!r}", f"expected one of {', '.join([*PARTS, *CLASSIFIERS])}")
    parts = [part for part in PARTS.values() if only is None or part.name in only]
    wanted = [name for name, each in CLASSIFIERS.items() if not (quick and each.slow)] if only is None else only
    names = [name for name in CLASSIFIERS if name in wanted]
    steps = len(parts) + len(names) + 1
    if names and find_spec("sklearn") is None:
        raise MissingExtra("the classifiers of Fig. 9", "scikit-learn", "reproduce")
    data = dataset.load("mnist", report_fetch)
    folder = out / "quick" if quick else out
    missing = [part for part in parts if not (folder / "runs" / part.name / "result.json").exists()]
    done, total = 0, sum(part.presentations(len(data.train), quick) for part in missing)
    for number, part in enumerate(parts, start=1):
        report(ReportStep(number, steps, part.about, done, total))

        def tell(progress: Progress, number: int = number, part: Part = part, before: int = done) -> None:
            seen = (max(progress.passed, 1) - 1) * progress.total + progress.done * (progress.passed > 0)
            report(ReportStep(number, steps, part.about, before + part.replicas * seen, total))

        train_part(part, data, folder / "runs", quick, tell)
        done += part.presentations(len(data.train), quick) if part in missing else 0
    patterns = _QUICK_PATTERNS if quick else len(data.train)
    for number, name in enumerate(names, start=len(parts) + 1):
        report(ReportStep(number, steps, f"classifier {name}"))
        measure_classifier(name, data, folder / "classifiers", patterns)
    report(ReportStep(steps, steps, "measuring and drawing"))
    results = {
        "unit": "per cent",
        "date": datetime.now(UTC).date().isoformat(),
        "commit": find_commit(),
        "machine": describe_machine(),
        "quick": quick,
    }
    try:
        found = write(folder, data, results, pictures, _QUICK_DIGITS if quick else _DIGITS)
        replace_text(folder / "results.json", json.dumps(found, indent=2) + "\n")
    except OSError as error:
        raise LenetError(folder, f"cannot be written ({reason(error)})", "choose another --out") from error
    return found
