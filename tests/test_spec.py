"""The paper's facts, section by section, as lenet holds them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lenet.engine.reference import activate
from lenet.network import spec
from lenet.network import summary as anatomy
from lenet.network.initialisation import SCHEMES, connection_mask, draw_tensors
from lenet.network.spec import NETS, Convolution

DIGIT_INK = (35, 27, 33, 32, 41, 35, 39, 25, 43, 39)
PAPER_LAYERS = {
    "C1": ((6, 28, 28), 156, 122_304),
    "S2": ((6, 14, 14), 12, 5_880),
    "C3": ((16, 10, 10), 1_516, 151_600),
    "S4": ((16, 5, 5), 32, 2_000),
    "C5": ((120, 1, 1), 48_120, 48_120),
    "F6": ((84, 1, 1), 10_164, 10_164),
    "output": ((10, 1, 1), 0, 840),
}


def codes() -> np.ndarray:
    """The ten digit codes, (10, 84)."""
    return np.array([spec.code(ord(digit)) for digit in "0123456789"])


def test_each_layer_has_the_papers_shape_parameters_and_connections() -> None:
    """Section II.B: 156, 12, 1,516, 32, 48,120 and 10,164 trainable parameters."""
    found = {
        layer.name: (layer.output, layer.trainable, layer.connections)
        for layer in anatomy.layer_facts(NETS["lenet5-1998"])
    }
    assert found == PAPER_LAYERS


def test_the_paper_has_60000_parameters_and_340908_connections() -> None:
    """Section II.B: the RBF's weights count as connections, not as parameters."""
    layers = anatomy.layer_facts(NETS["lenet5-1998"])
    assert sum(layer.trainable for layer in layers) == 60_000
    assert sum(layer.connections for layer in layers) == 340_908
    assert sum(layer.macs for layer in layers) == 328_096


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("lenet5-1998-softmax", 60_850),
        ("lenet5-dense", 61_750),
        ("lenet5", 61_706),
        ("lenet5-modern", 61_706),
        ("lenet1", 2_578),
        ("lenet4", 16_998),
    ],
)
def test_every_network_has_its_published_total(name: str, total: int) -> None:
    """The totals that people quote are each reproduced by adding up the layers."""
    assert anatomy.count_trainable(NETS[name]) == total


def test_batch_normalisation_adds_44() -> None:
    """61,706 + 2 x 6 + 2 x 16 = 61,750: after C1 and C3 only."""
    modern = NETS["lenet5-modern"]
    assert [layer.name for layer in anatomy.find_normalised(modern)] == ["C1", "C3"]
    assert anatomy.count_trainable(modern) + anatomy.count_batch_normalisation(modern) == 61_750


def test_lenet1_has_98442_connections() -> None:
    """LeCun et al. 1989 publish 2,578 parameters and 98,442 connections."""
    assert sum(layer.connections for layer in anatomy.layer_facts(NETS["lenet1"])) == 98_442


def test_lenet4_meets_the_published_totals() -> None:
    """Section III.C.8: about 17,000 parameters, 260,000 connections, 8 subsampling maps from 4."""
    c1, s2, c3, s4, c5, output = anatomy.layer_facts(NETS["lenet4"])
    assert [each.trainable for each in (c1, s2, c3, s4, c5, output)] == [104, 16, 1516, 32, 14_120, 1210]
    assert (s2.output, s2.connections, s4.connections) == ((8, 14, 14), 7_840, 2_000)
    assert sum(each.connections for each in (c1, s2, c3, s4, c5, output)) == 258_306
    assert {len(seen) for seen in spec.LENET4_C5} == {4, 5}
    seen_by = [sum(unit in seen for seen in spec.LENET4_C5) for unit in range(16)]
    assert max(seen_by) - min(seen_by) <= 3


def test_lenet5_multiplies_416520_times() -> None:
    """The multiply-accumulates of the common variant."""
    assert sum(layer.macs for layer in anatomy.layer_facts(NETS["lenet5"])) == 416_520


def test_table_1_uses_each_s2_map_ten_times_in_60_kernels() -> None:
    """Table I: 60 kernels; six maps see 3, nine see 4, one sees all 6."""
    assert sorted(map(len, spec.TABLE_I)) == [3] * 6 + [4] * 9 + [6]
    uses = [sum(index in seen for seen in spec.TABLE_I) for index in range(6)]
    assert uses == [10] * 6


def test_table_1_has_the_papers_rows() -> None:
    """Table I read by rows: which C3 maps see each S2 map."""
    rows = [[c3 for c3, seen in enumerate(spec.TABLE_I) if s2 in seen] for s2 in range(6)]
    assert rows == [
        [0, 4, 5, 6, 9, 10, 11, 12, 14, 15],
        [0, 1, 5, 6, 7, 10, 11, 12, 13, 15],
        [0, 1, 2, 6, 7, 8, 11, 13, 14, 15],
        [1, 2, 3, 6, 7, 8, 9, 12, 14, 15],
        [2, 3, 4, 7, 8, 9, 10, 12, 13, 15],
        [3, 4, 5, 8, 9, 10, 11, 13, 14, 15],
    ]


def test_the_first_twelve_c3_maps_see_contiguous_maps() -> None:
    """Table I: maps 0 to 11 see cyclically contiguous subsets, 12 to 14 do not."""

    def contiguous(seen: tuple[int, ...]) -> bool:
        return any({(start + step) % 6 for step in range(len(seen))} == set(seen) for start in range(6))

    assert [contiguous(seen) for seen in spec.TABLE_I[:15]] == [True] * 12 + [False] * 3


def test_squash_numbers_of_appendix_a() -> None:
    """f(1) = 0.9999973, f(2) = 1.49294, f'(0) = 1.14393, curvature greatest at 0.98772."""
    x = np.array([1.0, 2.0])
    assert activate(x, "squash") == pytest.approx([0.9999973, 1.49294], abs=5e-6)
    assert pytest.approx(1.14393, abs=5e-6) == spec.SQUASH_AMPLITUDE * spec.SQUASH_SLOPE
    fine = np.linspace(0.9, 1.1, 2_001)
    curvature = np.abs(np.gradient(np.gradient(activate(fine, "squash"), fine), fine))[2:-2]
    assert fine[2:-2][curvature.argmax()] == pytest.approx(0.98772, abs=2e-4)


def test_the_input_range_is_the_papers() -> None:
    """Section II.B: -0.1 for white, 1.175 for black."""
    assert (spec.BACKGROUND, spec.FOREGROUND, spec.INPUT_SIZE) == (-0.1, 1.175, 32)


def test_there_are_96_glyphs_all_distinct_but_the_blanks() -> None:
    """Fig. 3: 95 printable characters and the rubbish class, which is blank like the space."""
    assert len(spec.GLYPH_ROWS) == 96
    assert len(set(spec.GLYPH_ROWS)) == 95
    assert spec.code(127) == spec.code(32) == (-1,) * 84


def test_the_digit_codes_have_the_papers_ink_and_bars() -> None:
    """Fig. 3: ink pixels per digit, the detached bar over 0, 2, 4 and 5, the descender of 4."""
    ink = (codes() > 0).reshape(10, 12, 7)
    assert tuple(ink.sum(axis=(1, 2))) == DIGIT_INK
    assert [digit for digit in range(10) if ink[digit, 0].any() and not ink[digit, 1].any()] == [0, 2, 4, 5]
    assert [digit for digit in range(10) if ink[digit, 10:].any()] == [4]


def test_the_digit_codes_have_the_papers_distances() -> None:
    """Equation 7 between codes: least 48 (6 and 8), most 200 (1 and 4, 1 and 8, 4 and 7), mean 124.4."""
    distance = ((codes()[:, None] - codes()[None]) ** 2).sum(axis=2)
    pairs = {(i, j): int(distance[i, j]) for i in range(10) for j in range(i + 1, 10)}
    assert min(pairs, key=lambda pair: pairs[pair]) == (6, 8)
    assert min(pairs.values()) == 48
    assert [pair for pair, value in pairs.items() if value == 200] == [(1, 4), (1, 8), (4, 7)]
    assert np.mean(list(pairs.values())) == pytest.approx(124.4, abs=0.05)
    assert int((codes() == codes()[0]).all(axis=0).sum()) == 14


@pytest.mark.parametrize(
    ("pair", "distance"),
    [("Il", 4), ("Ff", 12), ("Dd", 16), ("Kk", 16), ("O0", 40), ("Oo", 20), ("l1", 24), ("I1", 28)],
)
def test_letters_are_as_far_apart_as_in_fig_3(pair: str, distance: int) -> None:
    """Fig. 3: lookalikes have codes close to each other."""
    first, second = (np.array(spec.code(ord(character))) for character in pair)
    assert ((first - second) ** 2).sum() == distance


def test_a_character_outside_fig_3_is_an_error() -> None:
    """Codes below 32 and above 127 do not exist."""
    for character in (31, 128, -1):
        with pytest.raises(IndexError):
            spec.code(character)


def test_lenet1_connects_20_kernels() -> None:
    """LeNet-1: 20 x 25 + 12 + ... parameters need 20 kernels in H3."""
    assert sum(map(len, spec.LENET1_TABLE)) == 20


@pytest.mark.parametrize("scheme", list(SCHEMES))
@pytest.mark.parametrize("name", list(NETS))
def test_initial_tensors_fit_every_network(name: str, scheme: str, rng: np.random.Generator) -> None:
    """Every scheme fills every tensor, with zeros exactly where the table has no kernel."""
    net = NETS[name]
    tensors = draw_tensors(net, scheme, rng)
    assert {key: tensor.shape for key, tensor in tensors.items()} == anatomy.tensor_shapes(net)
    for layer in net.layers:
        if isinstance(layer, Convolution):
            weight = tensors[f"{layer.name.lower()}.weight"]
            present = np.abs(weight).sum(axis=(2, 3)) > 0
            assert (present == (connection_mask(layer, weight.shape[1]) > 0)).all()


@pytest.mark.parametrize(
    ("scheme", "layer", "bound"),
    [
        ("paper", "c1.weight", 2.4 / 25),
        ("paper", "c5.weight", 2.4 / 400),
        ("efficient-backprop", "f6.weight", math.sqrt(3 / 120)),
        ("lush", "c5.weight", 1 / math.sqrt(400)),
        ("torch", "f6.weight", 1 / math.sqrt(120)),
    ],
)
def test_uniform_schemes_fill_their_range(scheme: str, layer: str, bound: float, rng: np.random.Generator) -> None:
    """Uniform draws reach nearly to plus and minus their bound and never beyond."""
    weight = draw_tensors(NETS["lenet5-1998"], scheme, rng)[layer]
    assert 0.9 * bound < np.abs(weight).max() <= bound * (1 + 1e-6)


def test_efficient_backprop_has_the_standard_deviation_it_names(rng: np.random.Generator) -> None:
    """Efficient BackProp 4.6: standard deviation 1 / sqrt(fan-in), per C3 map by Table I."""
    weight = draw_tensors(NETS["lenet5-1998"], "efficient-backprop", rng)["c5.weight"]
    assert weight.std() == pytest.approx(400**-0.5, rel=0.02)


def test_he_and_glorot_use_their_fans(rng: np.random.Generator) -> None:
    """He: variance 2 / fan-in; He by fan-out: 2 / fan-out; Glorot: 2 / (fan-in + fan-out)."""
    net = NETS["lenet5"]
    fan_in, fan_out = 400, 120 * 25
    for scheme, variance in (("he", 2 / fan_in), ("he-fan-out", 2 / fan_out), ("glorot", 2 / (fan_in + fan_out))):
        assert draw_tensors(net, scheme, rng)["c5.weight"].var() == pytest.approx(variance, rel=0.05)


def test_an_unknown_scheme_is_named() -> None:
    """The message lists what there is."""
    with pytest.raises(ValueError, match="'zeros': expected one of paper, efficient-backprop"):
        draw_tensors(NETS["lenet5"], "zeros", np.random.default_rng(0))
