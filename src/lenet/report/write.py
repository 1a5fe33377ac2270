"""From finished runs to the page: the sections in order, the verdicts first, and the figures as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lenet.data.dataset import Dataset
from lenet.report import sections
from lenet.report.page import Section, write_page
from lenet.report.sections import Found, run_folders
from lenet.report.verdicts import verdicts
from lenet.training.run import load_stored

TITLE = "LeNet-5, 1998, reproduced"


def write(folder: Path, data: Dataset, about: dict[str, Any], pictures: bool, digits: int) -> dict[str, Any]:
    """Write the page of what is in the folder and return the results: `about`, and each part's errors in per cent."""
    classifiers = {file.stem: load_stored(file) for file in sorted(folder.glob("classifiers/*.json"))}
    found = Found(data, run_folders(folder / "runs"), classifiers, pictures, digits)
    rivals = sections.rivals(found)
    size = "; a quick run of few patterns and passes, not to be compared with the paper" if about["quick"] else ""
    opening = Section(
        "What this is",
        [
            (
                "The paper is LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document "
                "recognition, Proceedings of the IEEE 86(11), 1998. Everything here was computed by `lenet reproduce` "
                "from run folders that anyone can repeat; errors are per cent of 10,000 test digits, mean ± standard "
                f"deviation{size}."
            ),
            f"{about['date']}, commit {about['commit']}, {about['machine']}.",
        ],
    )
    body = [
        opening,
        verdicts(found, rivals, about["quick"]),
        sections.architecture(found),
        sections.learning(found),
        sections.sizes(found),
        sections.distortions(found),
        sections.mistakes(found),
        sections.comparison(found, rivals),
        sections.invariance(found),
        sections.claims(found),
        sections.folders(found),
    ]
    write_page(folder, TITLE, body)
    parts = {part: run.test_errors.as_dict() for part, run in found.runs.items()}
    return {**about, **parts, "classifiers": {key: each.errors.as_dict() for key, each in rivals.items()}}
