"""What is thrown at lenet, and where: each target draws a case from a generator and runs it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import throw_files
import throw_pictures
import throw_requests
import throw_words


@dataclass(frozen=True)
class Target:
    """One place that takes what strangers send. Of all cases it has a `share`; `warm` makes what all of them need."""

    name: str
    share: float
    run: Callable[[random.Random, Path], None]
    warm: Callable[[], object]


def _nothing() -> None:
    pass


TARGETS = {
    each.name: each
    for each in (
        Target("picture", 4, throw_pictures.throw_file, throw_pictures.make_files),
        Target("array", 3, throw_pictures.throw_array, throw_pictures.make_files),
        Target("archive", 8, throw_files.throw_archive, throw_files.make_stores),
        Target("parquet", 4, throw_files.throw_table, throw_files.make_stores),
        Target("idx", 12, throw_files.throw_idx, throw_files.make_stores),
        Target("weights", 4, throw_files.throw_weights, throw_files.make_weights),
        Target("run folder", 4, throw_files.throw_run_folder, throw_files.make_weights),
        Target("import", 4, throw_files.throw_import, throw_files.make_imports),
        Target("job", 6, throw_files.throw_job, _nothing),
        Target("labels", 12, throw_words.throw_labels, _nothing),
        Target("form", 8, throw_words.throw_form, _nothing),
        Target("pattern", 12, throw_words.throw_pattern, _nothing),
        Target("choices", 10, throw_words.throw_choices, _nothing),
        Target("recipe", 8, throw_words.throw_recipe, throw_words.make_recipes),
        Target("unipen", 8, throw_words.throw_unipen, throw_words.make_unipen),
        Target("http head", 8, throw_requests.throw_head, throw_requests.make_service),
        Target("http route", 6, throw_requests.throw_route, throw_requests.make_service),
    )
}
