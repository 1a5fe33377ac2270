"""`lenet form`: the fields of an empty form, found and named."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def form(
    empty: Annotated[Path, typer.Argument(metavar="EMPTY", help="A picture of the form that is not filled in.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FORM.json", help="Where the fields go.")],
) -> None:
    """Find the fields of an empty form.

    They are the empty cells of its tables, boxes, strips and combs.

    The file is in LabelMe's format. Name a field, and say what it may hold, by its label: name, or name:pattern. With
    `lenet table FILLED --fields FORM.json` the same fields are found on filled pages, and read.

    \b
    Example:
      lenet form empty.png -o form.json
    """
    from lenet.errors import LenetError
    from lenet.tables.form import find_form, save_form

    if out.exists() and out.resolve() == empty.resolve():
        raise LenetError(out, "is the picture itself", "choose another name")
    found, size = find_form(empty)
    save_form(found, size, empty, out)
    strips = sum(bool(field.boxes) for field in found.fields)
    print(f"{out}: {len(found.fields)} fields, {strips} of them with a box a digit")
