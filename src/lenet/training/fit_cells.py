"""Fit how sure the text of a cell is, on made pages by held-out hands: python -m lenet.training.fit_cells [--pages N].

Cells that hold no number are among them: a text that is read there is wrong.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from lenet.arrays import Float64
from lenet.decoding.confidence import calibrate_confidence
from lenet.decoding.formats import parse_pattern
from lenet.engine import Network, load
from lenet.errors import LenetError
from lenet.evaluation.calibration import fit_confidence
from lenet.grids.cells import GridCell
from lenet.grids.crops import CLOSE, cut_cell
from lenet.native.dispatch import count_cores
from lenet.network.spec import CELL_DEFAULT, DEFAULT
from lenet.network.weights import find_weights, load_weights, save_weights
from lenet.reader import ReadOptions
from lenet.tables.read_cells import group_chances, read_twice
from lenet.tables.sight import SeenCell, tell_cells
from lenet.training.fit_decoder import count_error_curve
from lenet.training.line_stream import load_hands
from lenet.training.synthetic.pages import PageMaker

# Pages that are read; of each so many cells at most. Corners are found off by this share of a cell's side.
PAGES, _CELLS, _OFF, _THICK = 200, 40, 0.01, 3.0
_SEED = 2_000_000
# A cell is read if it is so likely a number; every second page with a pattern of digits.
_LIKELY = 0.05

_maker: PageMaker | None = None
_network: Network | None = None


def _load() -> None:
    """Keep what makes and reads pages in this process."""
    global _maker, _network
    _maker, _network = PageMaker(load_hands("dev")), Network(load(DEFAULT).weights, threads=1)


def _read_page(number: int) -> list[tuple[Float64, bool]]:
    """Return the features of the texts of a made page's cells, and whether each is right."""
    assert _maker is not None
    assert _network is not None
    rng = np.random.default_rng([_SEED, number])
    page = _maker.make(rng)
    picture = np.ascontiguousarray(page.picture[..., ::-1])
    plain = [cell for cell in page.cells if cell.boxes == 1]
    places = [GridCell(cell.row, cell.column, 1, 1, cell.shift_corners(_OFF, rng), 1.0) for cell in plain]
    told = tell_cells([cut_cell(page.grey, place.corners, _THICK, CLOSE) for place in places])
    options = ReadOptions(allowed=parse_pattern(r"\d{1,5}") if number % 2 else None)
    found = []
    for row in rng.permutation(len(plain))[:_CELLS].tolist():
        chances = group_chances(told[row], printed=False)
        if chances["read"] + chances["uncertain"] < _LIKELY:
            continue
        said = read_twice(picture, SeenCell(places[row], told[row]), _THICK, _network, options)
        if said.text:
            found.append((said.features, plain[row].kind == "hand" and said.text == plain[row].text))
    return found


def main() -> None:
    """Fit, and write the weights anew, from the command line."""
    parser = argparse.ArgumentParser(description="Fit how sure the text of a cell is.")
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--out", type=Path, help="where the weights go; by default where they are")
    options = parser.parse_args()
    try:
        found: list[tuple[Float64, bool]] = []
        with get_context("spawn").Pool(count_cores(), _load) as pool:
            for done, own in enumerate(pool.imap(_read_page, range(options.pages)), 1):
                found += own
                if done % 20 == 0:
                    print(f"{done} of {options.pages} pages", file=sys.stderr)
        features, right = np.array([each for each, _ok in found]), np.array([ok for _each, ok in found])
        fitted = fit_confidence(features, right)
        weights = load_weights(CELL_DEFAULT)
        sure = np.array([calibrate_confidence(each, fitted) for each in features])
        curve = count_error_curve(sure, right)
        calibration = {**weights.card.get("calibration", {}), "cell_weights": fitted.tolist(), "error_curve": curve}
        told = f"{len(right)} cells of {options.pages} made pages by held-out hands, {int(right.sum())} of them right"
        calibration["cell_weights_fitted_on"] = told
        save_weights(
            options.out or find_weights(CELL_DEFAULT),
            replace(weights, card={**weights.card, "calibration": calibration}),
        )
        print(told)
        print(np.round(fitted, 3).tolist())
        for row in curve:
            print("from {:.4f} on {:.4f} wrong of {:.3f} answered".format(*row))
    except LenetError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
