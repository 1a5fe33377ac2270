"""`lenet data`: the public data sets."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from lenet.cli.progress import downloads

# The strokes that lines are made of: no set of pictures, so not among `lenet.data.sources`.
UNIPEN = "unipen"
_ABOUT = "pen strokes of 200 hands and more: characters, numbers, words (UNIPEN train_r01_v07, 1999)"
_TERMS = "CC BY 4.0, says its repository; see docs/data.md"

app = typer.Typer(help="List and fetch the public data sets, checked by checksum.", rich_markup_mode=None)


@app.command("list")
def list_sets(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per data set.")] = False,
) -> None:
    """List the data sets and which are on this machine."""
    from lenet.data.fetch import find_local
    from lenet.data.sources import SOURCES
    from lenet.data.unipen_sets import SETS, find_sets

    for source in SOURCES.values():
        found = [find_local(source, role) for role in source.files]
        here = "here" if all(found) else "partly here" if any(found) else "not here"
        if as_json:
            folder = next((str(path.parent) for path in found if path), None)
            row = {"name": source.name, "about": source.about, "terms": source.terms, "state": here, "folder": folder}
            print(json.dumps(row))
        else:
            print(f"{source.name:<15}{here:<13}{source.about}; {source.terms}")
    strokes = find_sets()
    here = "here" if len(strokes) == len(SETS) else "partly here" if strokes else "not here"
    if as_json:
        folder = str(strokes[0].parent) if strokes else None
        print(json.dumps({"name": UNIPEN, "about": _ABOUT, "terms": _TERMS, "state": here, "folder": folder}))
    else:
        print(f"{UNIPEN:<15}{here:<13}{_ABOUT}; {_TERMS}")


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A data set of `lenet data list`.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Fetch a data set and check every file.

    What is on this machine already is checked, not fetched again.
    """
    from lenet.data.fetch import find_local, read_content
    from lenet.data.sources import SOURCES
    from lenet.data.unipen_sets import fetch_sets
    from lenet.errors import UsageError

    if name not in (*SOURCES, UNIPEN):
        raise UsageError(f"data set {name!r}", "no such data set", f"expected one of {', '.join((*SOURCES, UNIPEN))}")
    files = []
    with downloads() as report:
        if name == UNIPEN:
            files = [str(path) for path in fetch_sets(report)]
        else:
            for role in SOURCES[name].files:
                read_content(SOURCES[name], role, report)
                files.append(str(find_local(SOURCES[name], role)))
    print(json.dumps({"name": name, "files": files}) if as_json else "\n".join(files))
