"""What the reader learns from: numbers of known digits, pictures of them, wrong cuts named as such, windows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenet.data.dataset import Dataset, Digits
from lenet.data.strokes import StrokeSet
from lenet.decoding.arc_scorer import score_arcs
from lenet.decoding.confidence import CONFIDENCE_FEATURES
from lenet.decoding.features import arc_features
from lenet.network.spec import NOT_A_DIGIT
from lenet.segmentation.candidates import find_candidates
from lenet.training import fit_decoder
from lenet.training.synthetic import augment, hand_glyphs
from lenet.training.synthetic.compose import clutter, join, space_out, tile
from lenet.training.synthetic.degrade import degrade
from lenet.training.synthetic.negatives import draw_negative
from lenet.training.synthetic.styles import STYLES, draw_style, restyle, round_off
from lenet.training.synthetic.windows import cut_windows


def test_tiles_and_spacing_keep_every_digit(font: Digits) -> None:
    """Ink and owner of each digit are where it stands; the gaps between boxes are as asked."""
    writing = tile(font.glyphs[[4, 7]], font.labels[[4, 7]])
    assert writing.text == "47"
    assert writing.ink.shape == (28, 56)
    gaps = np.array([3, -2], np.int32)
    writing = space_out(font.glyphs[[0, 8, 3]], font.labels[[0, 8, 3]], gaps, np.array([0, 2, -1], np.int32))
    boxes = [np.flatnonzero((writing.owners == owner).any(axis=0)) for owner in (1, 2, 3)]
    assert boxes[1][0] - boxes[0][-1] - 1 == 3
    assert boxes[2][0] - boxes[1][-1] - 1 <= -1
    tops = [np.flatnonzero((writing.owners == owner).any(axis=1))[0] for owner in (1, 2, 3)]
    assert (tops[1] - tops[0], tops[2] - tops[0]) == (2, -1)


def test_digits_of_several_sizes_stand_on_one_line(font: Digits) -> None:
    """Each is as high as asked, their feet are level, gaps are as asked, and every one has its own ink."""
    rows, sizes = [0, 8, 3], np.array([1.8, 1.0, 0.6])
    gaps = np.array([3, 2], np.int32)
    writing = space_out(font.glyphs[rows], font.labels[rows], gaps, np.zeros(3, np.int32), sizes)
    even = space_out(font.glyphs[rows], font.labels[rows], gaps, np.zeros(3, np.int32))
    boxes, before = ([np.argwhere(page.owners == owner)[[0, -1], 0] for owner in (1, 2, 3)] for page in (writing, even))
    for (top, foot), (old_top, old_foot), size in zip(boxes, before, sizes, strict=True):
        assert abs((foot - top + 1) - size * (old_foot - old_top + 1)) <= 2
    assert max(foot for _top, foot in boxes) - min(foot for _top, foot in boxes) <= 1
    left, middle, right = (np.flatnonzero((writing.owners == owner).any(axis=0)) for owner in (1, 2, 3))
    assert 3 <= middle[0] - left[-1] - 1 <= 5
    assert 2 <= right[0] - middle[-1] - 1 <= 4


@given(st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_clutter_and_photographs_lose_no_digit(seed: int) -> None:
    """Each owner still has ink, clutter is owned by one more, and the same seed takes the same picture."""
    glyph = np.zeros((28, 28), np.uint8)
    glyph[4:24, 10:18] = 255
    glyph[7:21, 12:16] = 0
    writing = clutter(tile(np.stack([glyph] * 3), np.zeros(3, np.uint8)), np.random.default_rng(seed))
    assert {1, 2, 3} <= set(np.unique(writing.owners)) <= {0, 1, 2, 3, 4}
    one, other = (degrade(writing, np.random.default_rng(seed)) for _time in range(2))
    assert (one.grey == other.grey).all()
    assert one.owners.shape == one.grey.shape
    assert {1, 2, 3} <= set(np.unique(one.owners))


def test_arcs_are_judged_by_whose_ink_they_hold(font: Digits) -> None:
    """Two rings apart: each alone is its digit; together, or half of one, they are none."""
    rows = [0, 8, 6]
    gaps = np.array([6, -3], np.int32)
    writing = space_out(font.glyphs[rows], font.labels[rows], gaps, np.zeros(3, np.int32))
    candidates = find_candidates((255 - 255 * writing.ink).astype(np.uint8))
    glyphs, labels = augment.label_candidates(candidates, writing.owners, writing.text, np.random.default_rng(0))
    assert len(glyphs) == len(labels)
    assert labels.count(0) == 1
    assert NOT_A_DIGIT in labels
    assert set(labels) <= {0, 8, 6, NOT_A_DIGIT}


def test_joins_of_digits_are_kept_beside_other_wrong_cuts(font: Digits) -> None:
    """Of six rings in a row three joins, which alone have a whole ring, and at most three other wrong cuts stay."""
    rows = [0] * 6
    writing = space_out(font.glyphs[rows], font.labels[rows], np.full(5, -1, np.int32), np.zeros(6, np.int32))
    candidates = find_candidates((255 - 255 * writing.ink).astype(np.uint8))
    glyphs, labels = augment.label_candidates(candidates, writing.owners, writing.text, np.random.default_rng(0))
    wrong = [glyph for glyph, label in zip(glyphs, labels, strict=True) if label == NOT_A_DIGIT]
    papers = [np.pad((glyph < 128).astype(np.uint8), 1, constant_values=1) for glyph in wrong]
    assert sum(cv2.connectedComponents(paper, connectivity=4)[0] > 2 for paper in papers) == 3
    assert 3 <= len(wrong) <= 6


def test_school_is_the_same_for_any_number_of_processes(font: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held-out digits are in no picture, originals come first, and the checksum says that it went to school."""
    digits = Digits(np.tile(font.glyphs, (13, 1, 1)), np.tile(font.labels, 13))
    data = Dataset("mnist", digits, font, np.arange(130) < 30, "1234")
    monkeypatch.setattr(augment, "_BATCH", 8)
    made = []
    for processes in (1, 2):
        monkeypatch.setattr(augment, "count_cores", lambda processes=processes: processes)
        made.append(augment.add_synthetic(data, np.zeros(130, np.int64), 0.5))
    assert (made[0].train.glyphs == made[1].train.glyphs).all()
    assert (made[0].train.glyphs[:130] == digits.glyphs).all()
    assert made[0].held_out.sum() == 30
    assert made[0].checksum == "1234, schooled 0.5"
    assert set(np.unique(made[0].train.labels)) == set(range(11))


@pytest.mark.parametrize("style", STYLES)
def test_styles_are_drawn_as_glyphs(style: str) -> None:
    """28x28, 20 at the longer side, of the digit that the style names."""
    glyph, label = draw_style(style, np.random.default_rng(1))
    rows, columns = np.flatnonzero(glyph.any(axis=1)), np.flatnonzero(glyph.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20)
    assert str(label) in style


@pytest.mark.parametrize("kind", ["letter", "stroke", "blot", "scribble", "texture"])
def test_scraps_have_ink(kind: str) -> None:
    """Of every kind, between nothing and everything."""
    ink = draw_negative(np.random.default_rng(2), kind)
    assert ink.shape == (64, 64)
    assert 0.005 < ink.mean() < 0.8


def test_windows_are_digits_or_the_place_beside_them(font: Digits) -> None:
    """Twice as many as digits to learn from, a third of them blank, the held-out ones all digits."""
    digits = Digits(np.tile(font.glyphs, (30, 1, 1)), np.tile(font.labels, 30))
    data = Dataset("mnist", digits, font, np.arange(300) < 50, "1234")
    made = cut_windows(data, np.zeros(300, np.int64))
    assert len(made.train) == 2 * 250 + 50
    assert (made.train.labels[made.held_out] < NOT_A_DIGIT).all()
    assert 0.2 < (made.train.labels[~made.held_out] == NOT_A_DIGIT).mean() < 0.5


def test_the_fit_learns_what_speaks_for_a_digit(font: Digits) -> None:
    """From numbers of the paper's own font with made-up scores: a likely label counts for it, rubbish against."""
    rng = np.random.default_rng(3)
    found = []
    for _number in range(60):
        rows = rng.integers(0, 10, int(rng.integers(1, 4)))
        gaps, drops = np.full(len(rows) - 1, 5, np.int32), np.zeros(len(rows), np.int32)
        writing = space_out(font.glyphs[rows], font.labels[rows], gaps, drops)
        candidates = find_candidates((255 - 255 * writing.ink).astype(np.uint8))
        owners = candidates.shown(writing.owners)
        log_probs = np.full((len(candidates.glyphs), 11), -6.0)
        for arc, (first, past) in enumerate(candidates.lattice.arcs):
            inside = owners[(candidates.lattice.pieces >= first) & (candidates.lattice.pieces < past)]
            counts = np.bincount(inside, minlength=len(rows) + 1)[1:]
            whole = counts.max() > 0.9 * (owners == counts.argmax() + 1).sum() and counts.sum() < 1.1 * counts.max()
            log_probs[arc, rows[counts.argmax()] if whole else NOT_A_DIGIT] = -0.01
        found.append(fit_decoder.Example(candidates, log_probs, writing.text))
    judge, loss = fit_decoder.fit_arc_scorer(found)
    assert loss < 0.3
    shapes, labels = found[0].candidates.lattice.shapes[:1], np.array([3], np.int32)
    surely, hardly, rubbish = (np.full((1, 11), -6.0) for _case in range(3))
    surely[0, 3], hardly[0, 3], rubbish[0, NOT_A_DIGIT] = -0.01, -3.0, -0.01
    worth = [
        float(score_arcs(arc_features(shapes, log_probs, labels), judge)[0]) for log_probs in (surely, hardly, rubbish)
    ]
    assert worth[0] > worth[1] + 0.5 > worth[2] + 0.5
    found_signs, right = fit_decoder.read_examples(found, judge)
    assert found_signs.shape == (len(right), len(CONFIDENCE_FEATURES))
    assert right.mean() > 0.9
    assert fit_decoder.count_error_curve(np.full(len(right), 0.9), right)[0][2] == 1.0


def test_joined_writing_joins_neighbours_and_keeps_its_digits(font: Digits) -> None:
    """Ink is only added, between digits, and it belongs to one of its neighbours."""
    writing = space_out(
        font.glyphs[[2, 0, 8]], font.labels[[2, 0, 8]], np.array([4, 4], np.int32), np.zeros(3, np.int32)
    )
    together = next(
        each
        for each in (join(writing, np.random.default_rng(seed)) for seed in range(50))
        if (each.owners != writing.owners).any()
    )
    assert together.text == "208"
    assert (together.ink >= writing.ink).all()
    added = together.owners != writing.owners
    assert (together.ink[added] > writing.ink[added]).all()
    assert set(np.unique(together.owners[added])) <= {1, 2, 3}


def test_restyled_digits_keep_their_label(font: Digits) -> None:
    """With a share of 1 every 0, 1, 2, 4, 5, 7 and 9 is drawn anew, and no other digit."""
    changed = restyle(font.glyphs, font.labels, 1.0, np.random.default_rng(0))
    different = (changed != font.glyphs).any(axis=(1, 2))
    assert set(font.labels[different]) == {0, 1, 2, 4, 5, 7, 9}
    assert (restyle(font.glyphs, font.labels, 0.0, np.random.default_rng(0)) == font.glyphs).all()


def test_a_number_rounded_off_ends_in_zeros(font: Digits) -> None:
    """Two or three 0s end the number, drawn and labelled as such; its first digit is never one of them."""
    for seed in range(8):
        for count in (1, 2, 5):
            glyphs, labels = font.glyphs[1 : 1 + count], font.labels[1 : 1 + count]
            ended, said = round_off(glyphs, labels, np.random.default_rng(seed))
            changed = (ended != glyphs).any(axis=(1, 2))
            assert not changed[0]
            assert changed.sum() in ({2, 3} if count > 3 else {count - 1})
            assert (said[changed] == 0).all()
            assert (said[~changed] == labels[~changed]).all()


def made_strokes(labels: str, writers: int = 3) -> StrokeSet:
    """A zigzag for each label by each writer, no two alike."""
    points, bounds = [], [0]
    for number in range(len(labels) * writers):
        points.append(np.array([[0, 0], [10, 20 + number], [3 + number, 40], [20, 60]], np.float32))
        bounds.append(bounds[-1] + 4)
    every = np.arange(len(bounds), dtype=np.int32)
    names = np.repeat([f"w-{number}" for number in range(writers)], len(labels))
    return StrokeSet(np.concatenate(points), np.array(bounds, np.int32), every, np.array(list(labels) * writers), names)


def test_other_hands_are_drawn_as_mnist_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Digits 20 pixels high or wide, their centre of mass in the middle; letters unlike digits; all writers alike."""
    sets = {"digits": made_strokes("0123456789"), "upper": made_strokes("AOS"), "lower": made_strokes("kol")}
    monkeypatch.setattr(hand_glyphs, "load_strokes", lambda _part, kind: sets[kind])
    hands = hand_glyphs.draw_hand_glyphs(300, 40, seed=1)
    assert hands.digits.glyphs.shape == (300, 28, 28)
    assert hands.letters.shape == (40, 28, 28)
    assert set(hands.digits.labels.tolist()) == set(range(10))
    assert np.bincount(hands.writers).min() > 60
    y, x = np.indices((28, 28))
    for glyph in hands.digits.glyphs:
        rows, columns = (np.flatnonzero(glyph.max(axis=axis) > 60) for axis in (1, 0))
        assert 17 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 22
        assert abs((y * glyph.astype(float)).sum() / glyph.sum() - 14) < 0.6
        assert abs((x * glyph.astype(float)).sum() / glyph.sum() - 14) < 0.6
    again = hand_glyphs.draw_hand_glyphs(300, 40, seed=1)
    assert (again.digits.glyphs == hands.digits.glyphs).all()


def test_other_hands_are_learned_from_and_write_their_own_numbers() -> None:
    """They follow MNIST's digits, none held out, each hand a writer of its own; letters are no digits."""
    rng = np.random.default_rng(0)
    digits = Digits(rng.integers(0, 255, (30, 28, 28)).astype(np.uint8), np.arange(30, dtype=np.uint8) % 10)
    data = Dataset("made", digits, digits, np.arange(30) >= 20, "sum")
    hands = hand_glyphs.HandGlyphs(digits.where(np.arange(30) < 4), np.array([0, 0, 1, 1]), digits.glyphs[:3])
    both, writers = augment.add_hands(data, np.arange(30) // 10, hands)
    assert len(both.train) == 34
    assert not both.held_out[30:].any()
    assert writers.tolist()[-5:] == [2, 3, 3, 4, 4]
    glyphs, labels = augment._do_task(augment._Task("letter", 1, hands.letters, np.full(3, NOT_A_DIGIT, np.uint8)))
    assert len(glyphs) == len(labels)
    assert set(labels.tolist()) <= {NOT_A_DIGIT}
