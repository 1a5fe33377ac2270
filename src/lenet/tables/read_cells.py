"""Read a cell of a table: cut out twice, closely and with a margin; what both say is sure, what one says is a guess."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lenet.arrays import Float64, Uint8
from lenet.decoding.confidence import calibrate_confidence
from lenet.decoding.formats import accepts, parse_pattern
from lenet.engine import Network
from lenet.engine.lines import load_lines
from lenet.errors import LenetError
from lenet.grids.cells import GridCell
from lenet.grids.crops import CLOSE, TIGHT, cut_cell
from lenet.network.probabilities import log_odds
from lenet.network.spec import CELL_DEFAULT, CELL_LABELS, SPACE
from lenet.network.weights import CELL_WEIGHT_COUNT
from lenet.preprocessing.pipeline import prepare_page
from lenet.reader import ReadOptions, explain_page
from lenet.result import Reading
from lenet.tables.result import Cell, CellState
from lenet.tables.sight import SeenCell, SeenPage, tell_cells

# What the confidence of a cell's text is weighed by, beside an offset.
CELL_FEATURES = (
    *("log-odds close", "log-odds with a margin", "number", "second best", "agree", "signs", "spaces", "lines"),
    *("digits", "lower of the two"),
)
assert len(CELL_FEATURES) + 1 == CELL_WEIGHT_COUNT
# Log-odds beyond this make no difference.
_MOST_ODDS = 8.0
# What the labels of the cell network are called in a table; a number is read.
_STATES: dict[str, CellState] = {"empty": "empty", "mark": "mark", "struck": "mark", "print": "print"}
# A text is answered from this confidence on. On made pages by held-out hands, which are harder than real ones, 8.0 %
# of such answers are wrong, 10.1 from 0.5 on (the error curve in the weights' card).
_ANSWERED = 0.6
# What is so unlikely a number is not read.
_MAYBE = 0.05
# A cell that comes so near to the page's edge, in pixels, is cut off.
_EDGE = 2.0
_TURN = CELL_LABELS.index("turned")
_LEAST = 1e-9
# The texts of both cuts are weighed among so many.
_WEIGHED = 10


@dataclass(frozen=True)
class CellText:
    """What a cell may say: its likeliest text, CELL_FEATURES (10,) of that, and all texts with their shares.

    `glyphs` (28, 28) uint8 are the digits of the text, if a reading says it digit by digit.
    """

    text: str
    features: Float64
    likeliest: tuple[tuple[str, float], ...]
    glyphs: tuple[Uint8, ...] = ()


def read_cell(
    page: SeenPage, seen: SeenCell, thick: float, network: Network, options: ReadOptions, *, printed: bool = False
) -> Cell:
    """Return what a cell of a page is, and what it says if that is a number; print is read if it is to be.

    `thick` is how thick the grid's lines are, in pixels of the page.
    """
    box, quad = page.place(seen.place.corners)
    place = seen.place
    blank = Cell(place.row, place.column, "", 0.0, "failed", "", box, quad, rows=place.rows, columns=place.columns)
    try:
        return _tell(page, seen, thick, network, options, printed, blank)
    except LenetError:
        raise
    except Exception:  # a fault of ours: it is this cell's, and the others are read
        return blank


def _tell(
    page: SeenPage, seen: SeenCell, thick: float, network: Network, options: ReadOptions, printed: bool, blank: Cell
) -> Cell:
    if seen.place.boxes:
        return _read_strip(page, seen.place, thick, network, options, printed, blank)
    chances = group_chances(seen.chances, printed=printed)
    state = max(chances, key=lambda each: chances[each])
    if chances["read"] + chances["uncertain"] < _MAYBE:
        return replace(blank, state=state, confidence=chances[state])
    found = read_twice(page.picture, seen, thick, network, options, printed=printed)
    if not found.text:
        return replace(blank, state="mark" if state == "read" else state, confidence=chances[state])
    confidence = calibrate_confidence(found.features, load_lines(CELL_DEFAULT).weights.cell_weights)
    said = replace(blank, confidence=confidence, likeliest=found.likeliest[: options.best], glyphs=found.glyphs)
    sure = confidence >= max(_ANSWERED, options.least) and not _is_cut(seen.place, page)
    if sure and state in ("read", "mark"):
        return replace(said, text=found.text, state="read")
    if state == "print":  # what may be a mark may be a number that is hard to read: it is told as a guess
        return replace(said, guess=found.text, state=state, confidence=chances[state])
    return replace(said, guess=found.text, state="uncertain")


def _is_cut(place: GridCell, page: SeenPage) -> bool:
    """Return whether the page's own edge cuts a cell off: what stands there may go on."""
    height, width = page.picture.shape[:2]
    low, high = place.corners.min(axis=0), place.corners.max(axis=0)
    return bool((low < _EDGE).any() or (high > (width - 1 - _EDGE, height - 1 - _EDGE)).any())


def group_chances(chances: Float64, *, printed: bool) -> dict[CellState, float]:
    """Return how likely a cell is of each state, by how likely it holds each of CELL_LABELS (7,)."""
    found: dict[CellState, float] = {"read": 0.0, "empty": 0.0, "mark": 0.0, "print": 0.0, "uncertain": 0.0}
    upright = np.where(np.arange(len(chances)) == _TURN, 0.0, chances)  # the page was turned by all of its cells
    for label, chance in zip(CELL_LABELS, (upright / max(_LEAST, upright.sum())).tolist(), strict=True):
        state = _STATES.get(label, "read" if label == "number" else "uncertain")
        found["read" if printed and state == "print" else state] += chance
    return found


def read_twice(
    picture: Uint8, seen: SeenCell, thick: float, network: Network, options: ReadOptions, *, printed: bool = False
) -> CellText:
    """Read a cell cut out closely and with a margin, and weigh what the two say; print counts as a number if asked.

    The page is upright: no cell is looked at turned.
    """
    asked = replace(options, best=max(options.best, _WEIGHED), thorough=True)
    cuts = [cut_cell(picture, seen.place.corners, thick, inset) for inset in (CLOSE, TIGHT)]
    number = group_chances(seen.chances, printed=printed)["read"]
    return weigh_readings([explain_page(prepare_page(cut), network, asked).reading for cut in cuts], number)


def weigh_readings(readings: list[Reading], number: float) -> CellText:
    """Return the text that two readings of a cell make likeliest together, a cell being one number.

    It is so likely a `number`, by the cell network.
    """
    said = [_list_texts(reading) for reading in readings]
    sums: dict[str, float] = {}
    for texts in said:
        for text, chance in texts.items():
            sums[text] = sums.get(text, 0.0) + chance / len(said)
    if not sums:
        return CellText("", np.zeros(len(CELL_FEATURES)), ())
    likeliest = tuple(sorted(sums.items(), key=lambda each: -each[1]))
    text = likeliest[0][0]
    second = likeliest[1][1] if len(likeliest) > 1 else 0.0
    odds = [_measure_odds(texts.get(text, 0.0)) for texts in said]
    best = [max(texts, key=lambda each: texts[each], default="") for texts in said]
    features = [
        *odds,
        _measure_odds(number),
        _measure_odds(second),
        float(best[0] == best[1]),
        float(sum(not sign.isdigit() for sign in text)),
        float(any(SPACE in reading.best_text for reading in readings)),
        float(any(len(reading.lines) != 1 for reading in readings)),
        float(np.log(max(1, len(text)))),
        min(odds),
    ]
    return CellText(text, np.array(features), likeliest, _find_glyphs(readings, text))


def _find_glyphs(readings: list[Reading], text: str) -> tuple[Uint8, ...]:
    """Return the glyphs of a text of digits, of a reading that says it; none: no reading does."""
    for reading in readings:
        said = "".join(digit.label for digit in reading.digits)
        if said == text:
            return tuple(digit.glyph for digit in reading.digits)
    return ()


def _measure_odds(chance: float) -> float:
    return float(np.clip(log_odds(np.array(chance)), -_MOST_ODDS, _MOST_ODDS))


def _list_texts(reading: Reading) -> dict[str, float]:
    """Return what a reading of a cell may say, each text without spaces and how likely it is.

    Of several lines the largest is the cell's: what else is there came over the lines from its neighbours.
    """
    if not reading.lines:
        return {}
    areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (line.box for line in reading.lines)]
    texts: dict[str, float] = {}
    for text, chance in reading.lines[int(np.argmax(areas))].likeliest:
        joined = text.replace(SPACE, "")
        if joined:
            texts[joined] = texts.get(joined, 0.0) + chance
    return texts


def _read_strip(
    page: SeenPage, place: GridCell, thick: float, network: Network, options: ReadOptions, printed: bool, blank: Cell
) -> Cell:
    """Read a strip of boxes, a digit in each, as one number; a box that is empty between others is a doubt."""
    boxes = place.list_boxes()
    told = tell_cells([cut_cell(page.grey, box.corners, thick, CLOSE) for box in boxes])
    states = [max(group_chances(each, printed=printed).items(), key=lambda one: one[1]) for each in told]
    written = [row for row, (state, _chance) in enumerate(states) if state != "empty"]
    kinds = {states[row][0] for row in written}
    if not written or kinds == {"print"}:
        sure = [states[row][1] for row in written] or [chance for _state, chance in states]
        return replace(blank, state="print" if written else "empty", confidence=float(np.prod(sure)))
    seen = [SeenCell(boxes[row], told[row]) for row in written]
    text, confidence, glyphs = _read_boxes(page, seen, thick, network, options, printed)
    blank = replace(blank, glyphs=glyphs, confidence=confidence)
    together = written == list(range(written[0], written[-1] + 1)) and len(text) == len(written)
    plain = together and kinds == {"read"} and not _is_cut(place, page)
    allowed = options.allowed is None or accepts(options.allowed, text)
    if plain and allowed and confidence >= max(_ANSWERED, options.least):
        return replace(blank, text=text, state="read", likeliest=((text, confidence),))
    return replace(blank, guess=text, state="uncertain")


def _read_boxes(
    page: SeenPage, seen: list[SeenCell], thick: float, network: Network, options: ReadOptions, printed: bool
) -> tuple[str, float, tuple[Uint8, ...]]:
    """Return what boxes with a digit each say together, how sure that is, and the digits' glyphs (28, 28)."""
    one = replace(options, allowed=parse_pattern(r"\d"))
    weights = load_lines(CELL_DEFAULT).weights.cell_weights
    found = [read_twice(page.picture, each, thick, network, one, printed=printed) for each in seen]
    sure = [calibrate_confidence(each.features, weights) if each.text else 0.0 for each in found]
    glyphs = tuple(glyph for each in found for glyph in each.glyphs)
    return "".join(each.text for each in found), float(np.prod(sure)), glyphs
