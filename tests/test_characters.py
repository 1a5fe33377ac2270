"""Networks of characters: 94 codes, UNIPEN's characters to learn from, formats of letters, lines of any sign."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lenet
from lenet.arrays import Float64
from lenet.decoding.characters import CHARACTER_FEATURES, decode_characters, trust_features, weigh_characters
from lenet.decoding.formats import SYMBOLS, accept_choices, accepts, parse_pattern
from lenet.engine import Network
from lenet.errors import UsageError
from lenet.evaluation.digits import evaluate
from lenet.network.initialisation import draw_tensors
from lenet.network.spec import NETS, PRINTABLE, Codes, code
from lenet.network.summary import count_trainable
from lenet.network.weights import ARC_SCORER_UNITS, Weights, load_weights
from lenet.reader import list_symbols, read_options
from lenet.segmentation.candidates import find_candidates
from lenet.training import fit_characters, ship
from lenet.training import run as run_folder
from lenet.training.recipe import change_recipe, check_recipe
from lenet.training.recipes import RECIPES
from lenet.training.synthetic.characters import (
    KINDS,
    draw_apart,
    draw_characters,
    list_hands,
    list_held_writers,
    load_measured,
)
from lenet.training.synthetic.codes import CODE_PATTERN, CodeMaker

from conftest import ROOT

# The scorer that an arc's log-probability alone counts for.
PLAIN = np.zeros((len(CHARACTER_FEATURES) + 2, 1 + ARC_SCORER_UNITS))
PLAIN[0, 0] = PLAIN[-1, 0] = 1.0


def untrained() -> Network:
    """A network of characters as it begins."""
    net = NETS["lenet5-ascii"]
    return Network(Weights(net, draw_tensors(net, "efficient-backprop", np.random.default_rng(0)), 1.0, {}, "new"))


@pytest.fixture
def hands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as UNIPEN's is: every sign by 20 writers and by 4 others, a stroke of its own for each sign."""
    folder = tmp_path / "unipen"
    folder.mkdir()
    for part, count in (("train", 20), ("dev", 4)):
        for kind, signs in (
            ("digits", [sign for sign in PRINTABLE if sign.isdigit()]),
            ("upper", [sign for sign in PRINTABLE if sign.isupper()]),
            ("lower", [sign for sign in PRINTABLE if sign.islower()]),
            ("symbols", [sign for sign in PRINTABLE if not sign.isalnum()]),
        ):
            samples = [(sign, f"{part}{writer:02}") for sign in signs for writer in range(count)]
            points = [np.random.default_rng(ord(sign)).integers(0, 500, (6, 2)) for sign, _writer in samples]
            edges = np.arange(len(samples) + 1, dtype=np.int32)
            np.savez(
                folder / f"{part}-{kind}.npz",
                points=np.concatenate(points).astype(np.int16),
                strokes=6 * edges,
                samples=edges,
                label=np.array([sign for sign, _writer in samples]),
                writer=np.array([writer for _sign, writer in samples]),
            )
    monkeypatch.setenv("LENET_DATA", str(tmp_path))
    return folder


def test_the_network_has_the_codes_of_all_printable_signs() -> None:
    """94 of them, in the order of ASCII, at no more parameters than the paper's ten: codes are not learned."""
    net = NETS["lenet5-ascii"]
    last = net.layers[-1]
    assert isinstance(last, Codes)
    assert (last.characters, net.signs, net.outputs) == (PRINTABLE, PRINTABLE, 94)
    assert (PRINTABLE[0], PRINTABLE[-1], len(PRINTABLE)) == ("!", "~", 94)
    assert count_trainable(net) == count_trainable(NETS["lenet5-1998"]) == 60_000
    assert len({code(ord(sign)) for sign in PRINTABLE}) == 94
    assert [NETS[name].says_characters for name in ("lenet5", "lenet5-reader", "lenet5-ascii-softmax")] == [
        False,
        False,
        True,
    ]
    assert [NETS[name].knows_none for name in ("lenet5", "lenet5-reader", "lenet5-ascii")] == [False, True, False]


def test_signs_that_look_alike_have_codes_that_are_alike() -> None:
    """They differ in fewer of the 84 pixels than nine of ten pairs of signs do."""

    def apart(one: str, other: str) -> int:
        return sum(a != b for a, b in zip(code(ord(one)), code(ord(other)), strict=True))

    every = [apart(a, b) for row, a in enumerate(PRINTABLE) for b in PRINTABLE[:row]]
    for one, other in ("0O", "Oo", "1l", "lI", "5S", "Ss", "2Z", "Zz"):
        assert apart(one, other) < np.quantile(every, 0.1), (one, other)


@given(st.text(st.sampled_from(PRINTABLE), max_size=8))
def test_a_format_of_letters_takes_what_its_expression_says(text: str) -> None:
    """The automaton over all printable signs and a regular expression agree."""
    import re

    for expression in (CODE_PATTERN, r"[a-z]+", r"(Mr|Mrs)\.?[A-Z]*", r"[^0-9]{1,3}\d?"):
        allowed = parse_pattern(expression, PRINTABLE)
        assert accepts(allowed, text, PRINTABLE) == bool(re.fullmatch(expression, text)), expression


def test_formats_of_numbers_mean_the_same_over_any_signs() -> None:
    """A ZIP code, an amount, a checksum; and lists may be of words."""
    for name, text in (
        ("zip", "90210"),
        ("amount", "1,234.50"),
        ("luhn", "18"),
        ("time", "13:45"),
        ("digits:3", "042"),
    ):
        for symbols in (SYMBOLS, PRINTABLE):
            assert accepts(parse_pattern(name, symbols), text, symbols)
            assert not accepts(parse_pattern(name, symbols), text + "7", symbols)
    words = accept_choices(["Paris", "Rome", "Rom"], "choices", PRINTABLE)
    assert [accepts(words, text, PRINTABLE) for text in ("Rome", "Rom", "Ro", "Paris")] == [True, True, False, True]
    with pytest.raises(UsageError, match="'é' is none of"):
        accept_choices(["café"], "choices", PRINTABLE)


def test_a_network_of_digits_knows_no_format_of_letters() -> None:
    """It says so; a network of characters takes it."""
    with pytest.raises(UsageError, match=r"\[A-Z\] allows nothing"):
        read_options(lenet.load("lenet5-reader"), pattern=CODE_PATTERN)
    with pytest.raises(UsageError, match="cuts lines into characters"):
        read_options(untrained(), readers="line")
    with pytest.raises(UsageError, match="these weights read characters"):
        lenet.read_table(ROOT / "examples" / "pages" / "class-list.jpg", model=untrained())
    assert list_symbols(lenet.load("lenet5-reader")) == SYMBOLS
    assert list_symbols(untrained()) == PRINTABLE


def line_of(count: int) -> tuple[np.ndarray, Float64]:
    """A page of so many upright strokes apart, and log-probabilities that say nothing of any candidate yet."""
    page = np.full((80, 40 + 40 * count), 255, np.uint8)
    for place in range(count):
        cv2.line(page, (40 + 40 * place, 20), (40 + 40 * place, 60), 0, 5)
    found = find_candidates(page)
    assert np.diff(found.lattice.lines).tolist() == [[count]]
    return page, np.full((len(found.lattice.arcs), 94), -9.0)


@pytest.mark.engine
def test_a_line_says_its_likeliest_signs_or_what_is_allowed() -> None:
    """Alone the likeliest of each place; with a format the likeliest that it allows; the next ones behind it."""
    page, log_probs = line_of(3)
    lattice = find_candidates(page).lattice
    single = [int(np.flatnonzero((lattice.arcs == (row + 1, row + 2)).all(axis=1))[0]) for row in range(3)]
    for arc, likely, second in zip(single, "lO5", "10S", strict=True):
        log_probs[arc, PRINTABLE.index(likely)] = np.log(0.6)
        log_probs[arc, PRINTABLE.index(second)] = np.log(0.3)
    free, arcs = decode_characters(lattice, 0, log_probs, PLAIN, None, 4)
    assert (free.text, arcs.tolist(), free.fits) == ("lO5", single, 1.0)
    assert free.likeliest[0][0] == "lO5"
    assert {text for text, _share in free.likeliest[1:]} <= {"1O5", "l05", "lOS", "10S", "lO5"}
    assert [PRINTABLE[sign.runner_up] for sign in free.digits] == ["1", "0", "S"]
    coded, _arcs = decode_characters(lattice, 0, log_probs, PLAIN, parse_pattern(r"\d\d[A-Z]", PRINTABLE))
    assert coded.text == "10S"
    assert coded.fits < 0.1
    none, arcs = decode_characters(lattice, 0, log_probs, PLAIN, parse_pattern(r"\d{7}", PRINTABLE))
    assert (none.text, none.confidence, len(arcs)) == ("", 0.0, 0)


def test_a_line_is_as_sure_as_its_weights_say() -> None:
    """By its text, its least sure sign and how well it fits; without weights, or without signs, by its paths."""
    page, log_probs = line_of(2)
    lattice = find_candidates(page).lattice
    log_probs[:, PRINTABLE.index("A")] = np.log(0.9)
    decoded, _arcs = decode_characters(lattice, 0, log_probs, PLAIN)
    features = trust_features(decoded)
    assert features.shape == (3,)
    assert features[2] == 0
    assert weigh_characters(decoded, None) == decoded.confidence
    assert weigh_characters(decoded, np.array([1.0, 0, 0, 0])) == pytest.approx(decoded.confidence, abs=1e-6)
    assert weigh_characters(decoded, np.array([0.0, 0, 0, -2])) == pytest.approx(1 / (1 + np.exp(2)))


def test_characters_are_drawn_by_sign_and_by_writer(hands: Path) -> None:
    """The same again by the same seed; no held-out writer teaches; those apart are each there once."""
    assert len(list_hands("train")) == 94 * 20
    held = list_held_writers()
    assert held == {"train00", "train10"}
    data, again = draw_characters(300), draw_characters(300)
    assert data.checksum == again.checksum
    assert data.checksum != draw_characters(300, seed=1).checksum
    learned, chosen_by = data.split(True)
    assert (len(learned), len(chosen_by), len(data.test)) == (300, 94 * 2, 94 * 4)
    assert set(chosen_by.labels.tolist()) == set(data.test.labels.tolist()) == set(range(94))
    assert len(set(learned.labels.tolist())) > 80
    assert data.name == "unipen"
    assert KINDS == ("digits", "upper", "lower", "symbols")


def test_a_network_of_characters_is_measured_by_kind(hands: Path) -> None:
    """Among all signs and among those of its kind; what is alike but for its size is counted too."""
    network = untrained()
    digits, name = load_measured(network, "mnist")
    assert name == "unipen"
    assert (digits.glyphs == draw_apart().glyphs).all()
    found = evaluate(network, digits, name)
    assert [n for _errors, n in found.groups.values()] == [40, 40, 104, 104, 104, 104, 128, 128, 376]
    assert (
        sum(
            errors
            for group, (errors, _n) in found.groups.items()
            if group in ("digits", "capitals", "small letters", "signs")
        )
        == found.errors
    )
    for kind in ("digits", "capitals", "small letters", "signs"):
        assert found.groups[f"{kind}, of their kind alone"][0] <= found.groups[kind][0]
    assert (len(found.confusion), found.signs) == (95, PRINTABLE)
    with pytest.raises(UsageError, match="says characters"):
        load_measured(network, "qmnist")


def test_codes_are_written_by_one_hand(hands: Path) -> None:
    """Two capitals and four digits; the writers are those asked for."""
    maker = CodeMaker("train", {"train03", "train04"})
    assert maker.writers == ["train03", "train04"]
    rng = np.random.default_rng(0)
    allowed = parse_pattern(CODE_PATTERN, PRINTABLE)
    codes = [maker.make_code(rng) for _code in range(5)]
    assert all(accepts(allowed, each.text, PRINTABLE) for each in codes)
    assert all(each.page.min() < 120 and each.page.max() > 180 for each in codes)


def test_a_network_of_characters_goes_through_the_gate(
    hands: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is trained, fitted to codes, shipped with a card of its kinds and confusions, and reads a code."""
    monkeypatch.setattr(run_folder, "find_commit", lambda: "0123456789ab")
    for name, count in (("_EXAMPLES", 6), ("_TRUSTED", 6), ("_MEASURED", 4)):
        monkeypatch.setattr(fit_characters, name, count)
    run = tmp_path / "run"
    result = lenet.train("ascii", out=run, passes=1, settings={"characters": "1"})
    assert (result["n"], result["data"]) == (94 * 4, "unipen")
    (tmp_path / "assets").mkdir()
    weights = load_weights(ship.ship([run], "new", tmp_path / "assets"))
    assert weights.reads_characters
    assert weights.reads_texts
    assert not weights.reads_numbers
    assert weights.character_trust.shape == (4,)
    assert weights.card["codes"]["without"]["codes"] == 4
    card = (tmp_path / "assets" / "new.md").read_text(encoding="utf-8")
    assert "errors out of 376** on characters of UNIPEN's writers that were put apart" in card
    assert "| capitals, of their kind alone |" in card
    assert "what is taken for what" in card.lower()
    code_ = CodeMaker("dev").make_code(np.random.default_rng(0))
    found = lenet.read(code_.page, model=Network(weights), pattern=CODE_PATTERN)
    assert found.best_text == "" or accepts(parse_pattern(CODE_PATTERN, PRINTABLE), found.best_text, PRINTABLE)


@pytest.mark.parametrize("model", ["lenet5-ascii", "lenet5-characters"])
def test_a_code_is_read_by_the_shipped_networks(model: str) -> None:
    """With its format it is sure; without, the likeliest signs are the same and less sure; words may be a list."""
    picture = ROOT / "examples" / "code.png"
    coded = lenet.read(picture, model=model, pattern=CODE_PATTERN, best=3)
    assert coded.text == "KR7204"
    assert coded.confidence > 0.9
    assert [sign.label for sign in coded.signs] == ["K", "R"]
    assert [digit.label for digit in coded.digits] == list("7204")
    assert coded.lines[0].likeliest[0] == ("KR7204", coded.confidence)
    free = lenet.read(picture, model=model)
    assert free.best_text == "KR7204"
    assert free.confidence < coded.confidence
    assert lenet.read(picture, model=model, choices=["KR7204", "KR7264"]).text == "KR7204"
    assert lenet.read(picture, model=model, pattern=r"[a-z]{6}").text == ""


def test_recipes_of_characters_learn_characters() -> None:
    """A network that says any sign learns no digits, and one of digits no characters."""
    assert check_recipe(RECIPES["ascii"]).characters == 100
    with pytest.raises(UsageError, match="lenet5-ascii says any character"):
        change_recipe(RECIPES["ascii"], {"characters": "0"})
    with pytest.raises(UsageError, match="lenet5 says digits"):
        change_recipe(RECIPES["lenet5"], {"characters": "5"})
    with pytest.raises(UsageError, match="learns UNIPEN's characters; leave out --data"):
        lenet.train("ascii", data="qmnist")
