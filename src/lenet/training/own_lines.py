"""Lines to learn from of pictures of whole numbers with their text: where each sign stands is found, not given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from lenet.data import dataset
from lenet.data.dataset import Dataset
from lenet.data.labels import NONE
from lenet.decoding.alignments import find_texts
from lenet.decoding.graph import Automaton
from lenet.engine.lines import LineNetwork
from lenet.errors import PictureError
from lenet.network.probabilities import log_probabilities, probabilities
from lenet.network.spec import LINE_LABELS, PASSED_OVER, SPACE
from lenet.preprocessing.pipeline import find_writing, prepare_page
from lenet.preprocessing.sources import PictureSource
from lenet.progress import silent
from lenet.segmentation.candidates import outline_numbers
from lenet.segmentation.line_strips import StripCutter
from lenet.training.line_stream import decode_labels
from lenet.training.sequence_loss import LONGEST, picture_number
from lenet.training.synthetic.augment import choose_of_one_writer
from lenet.training.synthetic.lines import MadeLine

# A text is searched for among so many at each column.
_FOLLOWED = 16
# Half of the made numbers are photographed, with more that MNIST hardly has.
_HARD = 0.5


def accept_label(label: str) -> Automaton:
    """Return what a line may say whose label is known: its signs, with spaces and what is passed over between them.

    A label of digits alone says nothing of the signs that stand between them in the picture.
    """
    loose = label.isdigit() or not label
    between = {sign for sign in LINE_LABELS if not sign.isdigit()} if loose else {SPACE, PASSED_OVER}
    signs = [sign for sign in label if sign not in (SPACE, "\n")]
    transitions = np.full((len(signs) + 1, len(LINE_LABELS)), -1, np.int32)
    for state in range(len(signs) + 1):
        for sign in between:
            transitions[state, LINE_LABELS.index(sign)] = state
        if state < len(signs):
            transitions[state, LINE_LABELS.index(signs[state])] = state + 1
    accepting = np.zeros(len(signs) + 1, bool)
    accepting[-1] = True
    return Automaton(transitions, accepting)


def see_lines(picture: PictureSource, label: str, network: LineNetwork) -> list[MadeLine]:
    """Return the views of a picture's lines, each with the likeliest of what it says that agrees with its label.

    Lines of a label are parted by newlines; "none" is a picture without a number. There are none of a picture in which
    as many lines are not found as its label has, or in which a line has no room for its label.
    """
    page = prepare_page(picture)
    writing = find_writing(page)
    candidates = outline_numbers(writing)
    labels = [""] if label == NONE else label.split("\n")
    if candidates.unreadable or len(candidates.lattice.lines) != len(labels):
        return []
    cutter = StripCutter(page, writing, candidates.lattice)
    found = []
    for line, own in enumerate(labels):
        allowed = accept_label(own)
        for view in cutter.cut(line):
            scores = network.column_scores(view.strip[None])[0]
            columns = log_probabilities(probabilities(scores, network.weights.temperature))
            texts = find_texts(columns, _FOLLOWED, allowed)
            if texts:
                found.append(MadeLine(view.strip, decode_labels(list(texts[0]))))
    return found


@dataclass(frozen=True)
class LabelledPicture:
    """A picture and what it says."""

    picture: PictureSource
    label: str


def gather_own(
    pictures: list[LabelledPicture], network: LineNetwork, report: Callable[[int, int], None] = silent
) -> tuple[list[MadeLine], int]:
    """Return the lines of pictures, and in how many pictures no line was found that agrees with the label."""
    found: list[MadeLine] = []
    passed_over = 0
    for number, each in enumerate(pictures, 1):
        try:
            more = see_lines(each.picture, each.label, network)
        except PictureError:
            more = []
        passed_over += not more
        found += more
        report(number, len(pictures))
    return found, passed_over


def draw_numbers(data: Dataset, count: int, held_out: bool, seed: int) -> Iterator[LabelledPicture]:
    """Yield so many pictures of numbers in the hands of MNIST, of writers who are held out or of the others."""
    rng, writers = np.random.default_rng(seed), dataset.number_writers(data)
    mine = np.flatnonzero(data.held_out if held_out else ~data.held_out)
    for _picture in range(count):
        rows = choose_of_one_writer(rng, mine, writers, int(rng.integers(1, LONGEST + 1)))
        page, text = picture_number(data.train.glyphs[rows], data.train.labels[rows], rng, _HARD)
        yield LabelledPicture(page, text)
