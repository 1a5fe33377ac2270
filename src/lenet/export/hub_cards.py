"""Shipped weights as folders for the Hugging Face Hub, each with its card and what the Hub wants to know before it.

`python -m lenet.export.hub_cards OUT` writes them all; `hf upload OWNER/NAME OUT/NAME` publishes one.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from lenet.errors import LenetError, UsageError, reason
from lenet.files import replace_text
from lenet.network.weights import list_line_weights, list_shipped

# Weights that learned from UNIPEN's pens beside MNIST's digits, and from these alone (NOTICE).
_HANDS = ("lenet5-hands", "lenet-line", "lenet-cell")
_CHARACTERS = ("lenet5-ascii", "lenet5-characters")
_TOLD = re.compile(r"\*\*([\d,]+) errors out of ([\d,]+)\*\*")


def describe_for_hub(name: str, card: str) -> str:
    """Return a card, in Markdown, behind the Hub's own words for weights of that name (YAML, between dashes).

    Those are the licence, the library, the task, the data, and the accuracy on MNIST's test digits if the card has it.
    """
    task = "image-to-text" if name == "lenet-line" else "image-classification"
    tags = [
        "lenet",
        "lenet-5",
        "handwriting",
        "digit-recognition",
        *(["unipen"] if name in _HANDS + _CHARACTERS else []),
    ]
    head = ["---", "license: mit", "library_name: lenet", f"pipeline_tag: {task}", "tags:"]
    head += [f"- {tag}" for tag in tags]
    if name in _CHARACTERS:  # nothing of the Hub's was learned or measured on
        return "\n".join((*head, "---", "", card))
    head += ["datasets:", "- ylecun/mnist"]
    if told := _TOLD.search(card):
        wrong, n = (int(count.replace(",", "")) for count in told.groups())
        head += ["model-index:", f"- name: {name}", "  results:", "  - task:", f"      type: {task}"]
        head += ["    dataset:", "      name: MNIST", "      type: ylecun/mnist", "      split: test"]
        head += ["    metrics:", "    - type: accuracy", f"      value: {(n - wrong) / n:.4f}"]
    return "\n".join((*head, "---", "", card))


def write_hub_folders(out: Path) -> list[Path]:
    """Write a folder for each of the shipped weights, with the file and its card; return them. Raises LenetError."""
    folders = []
    try:
        for name, path in (list_shipped() | list_line_weights()).items():
            folder = out / name
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / path.name)
            card = path.with_suffix(".md").read_text(encoding="utf-8")
            replace_text(folder / "README.md", describe_for_hub(name, card))
            folders.append(folder)
    except OSError as error:
        raise LenetError(out, f"cannot be written ({reason(error)})") from error
    return folders


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(str(UsageError("hub_cards", "expected one folder", "python -m lenet.export.hub_cards OUT")))
    try:
        for written in write_hub_folders(Path(sys.argv[1])):
            print(written)
    except LenetError as error:
        raise SystemExit(str(error)) from error
