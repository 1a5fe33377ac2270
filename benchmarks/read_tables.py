"""What lenet reads of pages: cells found, numbers right, what is answered, empty, marks; the bars beside the figures.

    python benchmarks/read_tables.py [--speed] [--made 20] [--part dev] [--no-peers] [--only NAME]

Pages are those of $LENET_DATA/pages, with the pattern of each in patterns.csv and without, and made ones by held-out
hands (--part dev; those that are learned from, to develop on, with --part train). A cell is found if what is found
overlaps it by half (intersection over union); one that is not counts as wrong. Peers read the same cells, cut out
alike, each as one line; what they do not say they leave empty.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from lenet.arrays import Uint8
from lenet.bench.peers import find_peers
from lenet.engine import Network, load
from lenet.grids.crops import CLOSE, cut_cell
from lenet.network.spec import DEFAULT
from lenet.preprocessing.decode import open_page
from lenet.reader import read
from lenet.result import Box
from lenet.tables.read_page import read_tables, table_options
from lenet.tables.result import Cell
from lenet.training.line_stream import Part, load_hands
from lenet.training.synthetic.page_plan import PagePlan, PlannedCell, PlannedRule
from lenet.training.synthetic.pages import PageMaker

# Cells overlap by so much that they are one.
_SAME = 0.5
_DIGITS = frozenset("0123456789")


@dataclass(frozen=True)
class LabelledCell:
    """A cell of a page as a person, or its maker, has it."""

    box: Box
    kind: str
    label: str


@dataclass(frozen=True)
class LabelledPage:
    """A page, its name, its cells, and the pattern of its numbers, if there is one."""

    name: str
    source: Path | Uint8
    cells: list[LabelledCell]
    pattern: str | None


def list_pages(only: str) -> Iterator[LabelledPage]:
    """Yield the labelled pages of the data."""
    folder = Path(os.environ.get("LENET_DATA", "")) / "pages"
    with (folder / "patterns.csv").open(encoding="utf-8", newline="") as file:
        patterns = {row["path"]: row["pattern"] for row in csv.DictReader(file)}
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for path, pattern in patterns.items():
        if only in path:
            own = [
                LabelledCell(_read_box(row["box"]), row["kind"], row["label"]) for row in rows if row["path"] == path
            ]
            yield LabelledPage(Path(path).stem, folder / path, own, pattern)


def make_pages(part: Part, count: int) -> Iterator[LabelledPage]:
    """Yield made pages; header cells and labels are print."""
    maker = PageMaker(load_hands(part))
    for number in range(count):
        page = maker.make(np.random.default_rng([0x9A6E, number]))
        cells = []
        for cell in page.cells:
            (x0, y0), (x1, y1) = cell.corners.min(axis=0), cell.corners.max(axis=0)
            cells.append(LabelledCell((round(x0), round(y0), round(x1), round(y1)), cell.kind, cell.text))
        yield LabelledPage(f"made page {number}", np.ascontiguousarray(page.picture[..., ::-1]), cells, None)


def _read_box(text: str) -> Box:
    x0, y0, x1, y1 = map(int, text.split("/"))
    return x0, y0, x1, y1


def measure_overlap(one: Box, other: Box) -> float:
    """Return the intersection of two boxes over their union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(0, width) * max(0, height)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return common / max(1, sum(areas) - common)


def match_cells(page: LabelledPage, found: list[Cell]) -> list[tuple[LabelledCell, Cell | None]]:
    """Return each labelled cell with the cell that was found there, or none."""
    matched: list[tuple[LabelledCell, Cell | None]] = []
    for labelled in page.cells:
        best = max(found, key=lambda cell: measure_overlap(cell.box, labelled.box), default=None)
        there = best is not None and measure_overlap(best.box, labelled.box) >= _SAME
        matched.append((labelled, best if there else None))
    return matched


def count_cells(matched: list[tuple[LabelledCell, Cell | None]]) -> Counter[str]:
    """Return what came of the cells of a page."""
    counts: Counter[str] = Counter()
    for labelled, cell in matched:
        kind = "mark" if labelled.kind == "struck" else labelled.kind
        counts[kind] += 1
        counts["cells"] += 1
        counts["found"] += cell is not None
        state = cell.state if cell else "missed"
        counts[f"{kind} {state}"] += 1
        if kind == "hand" and cell is not None:
            counts["right"] += cell.best_text == labelled.label
            counts["wrong"] += state == "read" and cell.text != labelled.label
    return counts


def tell(name: str, counts: Counter[str], seconds: float) -> None:
    """Print a page's row."""
    print(
        f"{name:18} found {counts['found']:>4} of {counts['cells']:>4}  right {counts['right']:>4} of "
        f"{counts['hand']:>4}  answered {counts['hand read']:>4}, wrong {counts['wrong']:>3}  empty "
        f"{counts['empty empty']:>3} of {counts['empty']:>3}  marks answered {counts['mark read']:>2} of "
        f"{counts['mark']:>3}  print told {counts['printed print']:>3} of {counts['printed']:>3}  "
        f"empty called numbers {counts['empty read']}, numbers called empty {counts['hand empty']}  {seconds:.1f} s",
        flush=True,
    )


def tell_states(counts: Counter[str]) -> None:
    """Print what each kind of cell was taken for."""
    states = ("read", "uncertain", "empty", "mark", "print", "failed", "missed")
    print(" " * 12 + "".join(f"{state:>11}" for state in states))
    for kind in ("hand", "empty", "mark", "printed", "overwritten"):
        if counts[kind]:
            print(f"{kind:12}" + "".join(f"{counts[f'{kind} {state}']:>11}" for state in states))


def tell_bars(plain: Counter[str], patterned: Counter[str]) -> None:
    """Print each bar with the figure beside it."""
    bars: list[tuple[str, float, str, float]] = [
        ("cells found", plain["found"] / plain["cells"], "at least", 0.98),
        ("numbers right, no pattern", plain["right"] / plain["hand"], "at least", 0.94),
        ("numbers right, with patterns", patterned["right"] / patterned["hand"], "at least", 0.96),
        ("answered, with patterns", patterned["hand read"] / patterned["hand"], "at least", 0.88),
        ("of these wrong, with patterns", patterned["wrong"] / max(1, patterned["hand read"]), "at most", 0.01),
        ("answered, no pattern", plain["hand read"] / plain["hand"], "at least", 0.88),
        ("of these wrong, no pattern", plain["wrong"] / max(1, plain["hand read"]), "at most", 0.01),
        ("empty told", patterned["empty empty"] / max(1, patterned["empty"]), "at least", 0.97),
    ]
    for name, share, way, bar in bars:
        held = share >= bar if way == "at least" else share <= bar
        print(f"{name:32} {100 * share:6.2f} %  {way} {100 * bar:g} %  {'holds' if held else 'MISSED'}")
    for name, counts in (("no pattern", plain), ("with patterns", patterned)):
        marks, numbers, none = counts["mark read"], counts["empty read"], counts["hand empty"]
        print(f"{name}: marks answered {marks} (at most 4), empty called numbers {numbers} (0), ", end="")
        print(f"numbers called empty {none} (0)")


def read_all(pages: list[LabelledPage], network: Network, *, patterned: bool) -> Counter[str]:
    """Read pages, print a row of each, and return what came of all."""
    every: Counter[str] = Counter()
    for page in pages:
        options = table_options(network, pattern=page.pattern if patterned else None)
        begun = time.perf_counter()
        source = str(page.source) if isinstance(page.source, Path) else page.source
        found = [cell for table in read_tables(source, network, options).tables for cell in table.cells]
        counts = count_cells(match_cells(page, found))
        tell(page.name, counts, time.perf_counter() - begun)
        every += counts
    tell("all", every, 0.0)
    tell_states(every)
    return every


def read_peers(pages: list[LabelledPage], network: Network) -> None:
    """Have each peer read the numbers by hand, in the cells that were found, and print how many are right."""
    cuts: list[tuple[Uint8, str]] = []
    for page in pages:
        found = [cell for table in read_tables(str(page.source), network).tables for cell in table.cells]
        opened = open_page(page.source, 16_000_000)
        for labelled, cell in match_cells(page, found):
            if labelled.kind == "hand" and cell is not None:
                corners = np.array(cell.quad, np.float64) / opened.scale
                cuts.append((cut_cell(opened.grey, corners, 4.0, CLOSE), labelled.label))
    peers: dict[str, Callable[[Uint8, bool], str]] = dict(find_peers())
    if not peers:
        print("no peer is installed", file=sys.stderr)
    for name, peer in peers.items():
        begun = time.perf_counter()
        said = ["".join(sign for sign in peer(cut, False) if sign in _DIGITS) for cut, _label in cuts]
        right = sum(text == label for text, (_cut, label) in zip(said, cuts, strict=True))
        nothing = sum(not text for text in said)
        each = 1000 * (time.perf_counter() - begun) / len(cuts)
        print(f"{name:26} right {right} of {len(cuts)} found cells, nothing said in {nothing}, {each:.1f} ms a cell")


def measure_speed(network: Network) -> None:
    """Print what a page of 12 megapixels with 30 rows of 20 numbers costs beside reading its cells, cut out, once."""
    plan = PagePlan(tables=1)
    rng = np.random.default_rng(12)
    edges, rows = np.linspace(60, 1180, 21), np.linspace(80, 1700, 31)
    for row, (top, foot) in enumerate(pairwise(rows.tolist())):
        for column, (left, right) in enumerate(pairwise(edges.tolist())):
            text = "".join(rng.choice(list("0123456789"), int(rng.integers(1, 4))))
            plan.cells.append(PlannedCell(0, row, column, (left, top, right, foot), "hand", text))
    plan.rules += [PlannedRule((60, y, 1180, y), 2, 0.8) for y in rows.tolist()]
    plan.rules += [PlannedRule((x, 80, x, 1700), 2, 0.8) for x in edges.tolist()]
    made = PageMaker(load_hands("dev")).make(rng, plan)
    page = Image.fromarray(np.ascontiguousarray(made.picture[..., ::-1]))
    scale = (12_000_000 / (page.width * page.height)) ** 0.5
    kept = io.BytesIO()
    page.resize((round(page.width * scale), round(page.height * scale))).save(kept, "JPEG", quality=90)
    data = kept.getvalue()
    times: dict[str, list[float]] = {"decoding": [], "page": [], "cells": []}
    for _round in range(3):
        begun = time.perf_counter()
        opened = open_page(data, 16_000_000)
        times["decoding"].append(time.perf_counter() - begun)
        begun = time.perf_counter()
        found = read_tables(data, network)
        times["page"].append(time.perf_counter() - begun)
        picture = opened.grey if opened.colours is None else opened.colours
        cells = [cell for table in found.tables for cell in table.cells]
        cuts = [cut_cell(picture, np.array(cell.quad, np.float64) / opened.scale, 4.0, CLOSE) for cell in cells]
        begun = time.perf_counter()
        for cut in cuts:
            read(cut, network)
        times["cells"].append(time.perf_counter() - begun)
    decoding, whole, alone = (median(times[name]) for name in ("decoding", "page", "cells"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{len(cells)} cells of {opened.size[0]}x{opened.size[1]} pixels: {whole:.1f} s; reading the cut cells once ",
        end="",
    )
    print(
        f"{alone:.1f} s, decoding {decoding:.2f} s: {(whole - 2 * decoding) / alone:.2f} times (at most 2.2), ", end=""
    )
    print(f"peak memory {peak:.0f} MB (at most 600)")


def main() -> None:
    """Read all pages and print their figures beside the bars."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--made", type=int, default=20)
    parser.add_argument("--part", choices=("dev", "train"), default="dev")
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--only", default="")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--speed", action="store_true", help="only time a page of 600 cells beside reading its cells")
    options = parser.parse_args()
    network = replace(load(options.model), threads=1)
    if options.speed:
        measure_speed(network)
        return
    pages = list(list_pages(options.only))
    if pages:
        print("labelled pages, no pattern")
        plain = read_all(pages, network, patterned=False)
        print("labelled pages, with patterns")
        tell_bars(plain, read_all(pages, network, patterned=True))
        if not options.no_peers:
            read_peers(pages, network)
    if options.made:
        print(f"made pages, hands {options.part}")
        read_all(list(make_pages(options.part, options.made)), network, patterned=False)


if __name__ == "__main__":
    main()
