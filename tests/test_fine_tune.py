"""Fine-tuning on one's own digits: scraps as the reader sees them, new hands learned, old ones not forgotten."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lenet
from lenet.arrays import Uint8
from lenet.drawing.pictures import draw_text
from lenet.network.spec import NOT_A_DIGIT
from lenet.network.weights import load_weights
from lenet.segmentation.candidates import PageCandidates, find_digit
from lenet.training import fine_tune
from lenet.training.synthetic import augment


@pytest.mark.usefixtures("mnist")
def test_scraps_to_fine_tune_on_are_seen_as_the_reader_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is a glyph that `find_digit` made of a picture; the same ones every time."""
    seen: list[bytes] = []

    def watch(source: Uint8) -> PageCandidates:
        found = find_digit(source)
        seen.extend(glyph.tobytes() for glyph in found.glyphs)
        return found

    monkeypatch.setattr(augment, "find_digit", watch)
    monkeypatch.setattr(fine_tune, "_SCRAPS", 40)
    for number in range(3):
        Image.fromarray(255 - draw_text(str(number), 40, 64)).save(tmp_path / f"{number}.png")
    (tmp_path / "labels.csv").write_text("path,label\n" + "".join(f"{number}.png,{number}\n" for number in range(3)))
    one, other = (fine_tune.mix_corrections(tmp_path, load_weights("lenet5-reader")) for _time in range(2))
    scraps = one.train.glyphs[one.train.labels == NOT_A_DIGIT]
    assert [glyph.tobytes() for glyph in scraps] == seen[:40]
    assert (one.train.glyphs == other.train.glyphs).all()


@pytest.mark.usefixtures("mnist")
def test_a_new_hand_is_learned_and_the_old_ones_are_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody whose 4 is an A and whose 3 is an E: all are read after seconds, and no more of MNIST's are misread."""
    monkeypatch.setattr(fine_tune, "_OLD", 3_000)
    monkeypatch.setattr(fine_tune, "_SCRAPS", 500)
    rng = np.random.default_rng(4)
    own = tmp_path / "own"
    own.mkdir()
    rows = []
    for number in range(36):
        letter, label = (("A", 4), ("E", 3))[number % 2]
        picture = Image.fromarray(255 - draw_text(letter, int(rng.integers(40, 60)), 64))
        picture.rotate(float(rng.uniform(-12, 12)), fillcolor=255).save(own / f"{number}.png")
        rows.append(f"{number}.png,{label}\n")
    (own / "labels.csv").write_text("path,label\n" + "".join(rows))
    found = lenet.train("corrections", own, tmp_path / "run", init="lenet5-reader")
    assert found["before"]["own"]["errors"] > 6
    assert found["after"]["own"]["errors"] == 0
    assert found["after"]["mnist"]["errors"] <= found["before"]["mnist"]["errors"] + 2
