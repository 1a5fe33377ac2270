"""What is often said of LeNet-5, and the paper's own slips, each with the check that shows what is true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, product
from math import exp, log, tanh

import numpy as np

from lenet.data.dataset import Dataset
from lenet.engine.gradients import Loss, loss_and_gradient
from lenet.network.initialisation import draw_tensors
from lenet.network.inputs import to_input
from lenet.network.spec import (
    DIGIT_BOX,
    FIRST_CHARACTER,
    GLYPH_ROWS,
    INPUT_SIZE,
    NETS,
    SQUASH_AMPLITUDE,
    SQUASH_SLOPE,
    TABLE_I,
    Codes,
    Convolution,
    Subsampling,
    code,
)
from lenet.network.summary import count_batch_normalisation, count_trainable, layer_facts
from lenet.report.paper import DISTORTED_ERROR, FIGURE_5_TEST, FIGURE_6, FIGURE_8
from lenet.report.rates import measure_first_rates
from lenet.training.plan import RATES_1998
from lenet.training.recipes import RECIPES

PAPER = NETS["lenet5-1998"]


Check = Callable[[Dataset], tuple[str, bool | None]]


@dataclass(frozen=True)
class Claim:
    """`said` where, what is `true`, and the check: what it computed, and whether that bears out what is true.

    A slip that nothing can be computed of has None: the check quotes what is printed.
    """

    said: str
    true: str
    check: Check


def squash(a: float) -> float:
    """Return f(a) of equation 6."""
    return SQUASH_AMPLITUDE * tanh(SQUASH_SLOPE * a)


def squash_facts() -> dict[str, float]:
    """Return appendix A's numbers: f(1), the slope at 0, and where the curvature is greatest."""
    a = np.linspace(0, 2, 200_001)
    t = np.tanh(SQUASH_SLOPE * a)
    curvature = np.abs(-2 * SQUASH_AMPLITUDE * SQUASH_SLOPE**2 * t * (1 - t**2))
    return {
        "f(1)": squash(1.0),
        "slope at 0": SQUASH_AMPLITUDE * SQUASH_SLOPE,
        "greatest curvature at": float(a[curvature.argmax()]),
    }


def code_distances() -> np.ndarray:
    """Return the (10, 10) squared distances between the codes of the digits."""
    codes = np.array([code(ord(digit)) for digit in "0123456789"])
    distances: np.ndarray = ((codes[:, None] - codes[None]) ** 2).sum(axis=2)
    return distances


def _totals(other: str, expected: int) -> Check:
    ours, theirs = count_trainable(PAPER), count_trainable(NETS[other])
    return lambda _data: (f"{PAPER.name} {ours:,}, {other} {theirs:,}", (ours, theirs) == (60_000, expected))


def _c3(_data: Dataset) -> tuple[str, bool]:
    kernels, c3 = sum(map(len, TABLE_I)), layer_facts(PAPER)[2].trainable
    sizes = [len(row) for row in TABLE_I]
    words = f"{sizes.count(3)} maps see 3, {sizes.count(4)} see 4, {sizes.count(6)} all 6: {kernels} kernels, {c3:,}"
    return words, (kernels, c3, layer_facts(NETS["lenet5-dense"])[2].trainable) == (60, 1516, 2416)


def _padding(_data: Dataset) -> tuple[str, bool]:
    outputs = [facts.output for facts in layer_facts(PAPER)]
    after_padding = (INPUT_SIZE // 2 - 4) // 2
    words = (
        f"C1 gives {outputs[0][1]}x{outputs[0][2]}; padded it would leave {after_padding}x{after_padding} for C5's 5x5"
    )
    return words, outputs[0] == (6, 28, 28) and after_padding == 6


def _output(_data: Dataset) -> tuple[str, bool]:
    last = layer_facts(PAPER)[-1]
    return (
        f"{last.connections} fixed weights, {last.trainable} trainable",
        isinstance(PAPER.layers[-1], Codes) and (last.connections, last.trainable) == (840, 0),
    )


def _activations(_data: Dataset) -> tuple[str, bool]:
    squashed = [each.name for each in PAPER.layers if getattr(each, "activation", "none") == "squash"]
    return f"squashed: {', '.join(squashed)}", squashed == ["C1", "S2", "C3", "S4", "C5", "F6"]


def _pooling(_data: Dataset) -> tuple[str, bool]:
    pools = [each for each in PAPER.layers if isinstance(each, Subsampling)]
    s2, s4 = (layer_facts(PAPER)[number].trainable for number in (1, 3))
    words = f"S2 and S4 have {s2} and {s4} parameters of their own"
    return words, all(each.kind == "trainable" for each in pools) and s2 == 12


def _c5(_data: Dataset) -> tuple[str, bool]:
    c5, wider = PAPER.layers[4], [facts.output for facts in layer_facts(PAPER, INPUT_SIZE, 64)]
    return f"on a field of 32x64 it has {wider[4][2]} columns", isinstance(c5, Convolution) and wider[4] == (120, 1, 9)


def _trained_layers(_data: Dataset) -> tuple[str, bool]:
    count = sum(facts.trainable > 0 for facts in layer_facts(PAPER))
    return f"{count} layers train here, {len(PAPER.layers)} in all", (count, len(PAPER.layers)) == (6, 7)


def _input_range(data: Dataset) -> tuple[str, bool]:
    inputs = to_input(data.train.glyphs[:10_000])
    mean, variance = float(inputs.mean()), float(inputs.var())
    return f"mean {mean:.3f}, variance {variance:.3f} on 10,000 digits", abs(mean) < 0.1 and variance < 0.2


def _codes(_data: Dataset) -> tuple[str, bool]:
    barred = [digit for digit in "0123456789" if 1 in code(ord(digit))[:7] and 1 not in code(ord(digit))[7:14]]
    words = f"a bar above {', '.join(barred)}; {len(GLYPH_ROWS)} codes from {FIRST_CHARACTER}"
    return words, "".join(barred) == "0245"


def _uniform(_data: Dataset) -> tuple[str, bool]:
    drawn = draw_tensors(PAPER, "paper", np.random.default_rng(0))["c5.weight"]
    words = f"C5 within {abs(drawn).max():.5f}, 2.4/400 = {2.4 / 400:.5f}; standard deviation {drawn.std():.5f}"
    return words, bool(abs(drawn).max() <= 2.4 / 400) and bool(abs(drawn.std() * 3**0.5 * 400 / 2.4 - 1) < 0.02)


def _equation_9(_data: Dataset) -> tuple[str, bool]:
    scores = -np.random.default_rng(0).uniform(0, 200, (100, 10))
    labels, j = (np.arange(100) % 10).astype(np.uint8), 60.0
    ours = loss_and_gradient(Loss("discriminative", junk=j), scores, labels)[0]
    beside = np.concatenate([scores, np.full((100, 1), -j)], axis=1)
    apart = float(np.abs(ours - loss_and_gradient(Loss(), beside, labels)[0]).max())
    return f"100 random scores: differs by {apart:.0e} at most", apart < 1e-9


def _own_rates(data: Dataset) -> tuple[str, bool]:
    rates = measure_first_rates(data.train, "efficient-backprop")
    return f"{len(rates):,} rates from {rates.min():.1e} to {rates.max():.1e}", bool(rates.max() > 100 * rates.min())


def _range(data: Dataset) -> tuple[str, bool]:
    inputs = to_input(data.train.glyphs[:10_000])
    low, high = float(inputs.min()), float(inputs.max())
    return f"inputs from {low:g} to {high:g}", (round(low, 4), round(high, 4)) == (-0.1, 1.175)


def _f6(_data: Dataset) -> tuple[str, bool]:
    wider = layer_facts(PAPER, INPUT_SIZE, 64)[5].output
    return f"on a field of 32x64: {wider[0]}@{wider[1]}x{wider[2]}", wider == (84, 1, 9)


def _small_sets(_data: Dataset) -> tuple[str, bool]:
    errors = [FIGURE_6[n][0] for n in sorted(FIGURE_6)]
    return f"test errors {', '.join(f'{each:g} %' for each in errors)}", errors == sorted(errors, reverse=True)


def _rows(_data: Dataset) -> tuple[str, bool]:
    sizes = [25 * len(row) + 1 for row in TABLE_I]
    return f"{sorted(set(sizes))} add up to {sum(sizes):,}", (sorted(set(sizes)), sum(sizes)) == ([76, 101, 151], 1516)


def _f1(_data: Dataset) -> tuple[str, bool]:
    return f"f(1) = {squash(1.0):.7f}", abs(squash(1.0) - 1) < 1e-5


def _enlarged(data: Dataset) -> tuple[str, bool]:
    ink = data.train.glyphs[:10_000] > 0
    tallest = max(int(np.ptp(np.flatnonzero(each))) + 1 for each in ink.max(axis=2))
    return f"the tallest of 10,000 digits has {tallest} rows of ink", tallest == DIGIT_BOX


def _macs(_data: Dataset) -> tuple[str, bool]:
    macs, connections = (sum(getattr(each, key) for each in layer_facts(PAPER)) for key in ("macs", "connections"))
    both = connections + count_trainable(PAPER)
    words = f"{macs:,} multiplications; {connections:,} connections + {count_trainable(PAPER):,} parameters = {both:,}"
    return words, (macs, both) == (328_096, 400_908)


def _lenet4(_data: Dataset) -> tuple[str, bool]:
    full = 120 * (16 * 25 + 1)
    ours = count_trainable(NETS["lenet4"])
    return f"a full layer of 120 on 16@5x5 alone has {full:,}; ours in all {ours:,}", full > 17_000 > ours


def _passes(_data: Dataset) -> tuple[str, bool]:
    return f"{len(RATES_1998)} rates, {len(FIGURE_5_TEST)} points", (len(RATES_1998), len(FIGURE_5_TEST)) == (20, 21)


def _hidden_units(_data: Dataset) -> tuple[str, bool]:
    macs = {first: 784 * first + first * 150 + 150 * 10 for first in (1000, 500)}
    return f"{macs[1000]:,} with 1000-150, {macs[500]:,} with 500-150", macs[500] == 468_500


def _literal_start(data: Dataset) -> tuple[str, bool]:
    rates = measure_first_rates(data.train, "paper")
    ceiling = RATES_1998[0] / RECIPES["paper"].mu
    near = float((rates > 0.9 * ceiling).mean())
    words = f"{near:.0%} of the rates within a tenth of the ceiling eta/mu = {ceiling:g}; the paper's end at 0.016"
    return words, near > 0.9


def toy_graph() -> dict[str, float]:
    """Return the penalties of Fig. 20: of the best path, of the best and of all right ones ("34"), of all paths."""
    arcs = {
        ("A", "B"): {"3": 0.1, "5": 2.3},
        ("B", "C"): {"4": 0.4, "2": 1.3},
        ("C", "D"): {"1": 0.1, "4": 2.4},
        ("A", "C"): {"3": 3.4, "4": 4.4},
        ("B", "D"): {"4": 0.6, "9": 1.2},
    }
    paths: list[tuple[str, float]] = []
    for way in (("A", "B", "C", "D"), ("A", "B", "D"), ("A", "C", "D")):
        steps = [arcs[step].items() for step in pairwise(way)]
        paths += [("".join(k for k, _ in path), sum(v for _, v in path)) for path in product(*steps)]
    right = [penalty for text, penalty in paths if text == "34"]
    all_of = [penalty for _text, penalty in paths]
    forward = {name: -log(sum(exp(-each) for each in some)) for name, some in (("cforw", right), ("forw", all_of))}
    return {"cvit": min(right), "vit": min(all_of), **forward}


def _forward_penalty(_data: Dataset) -> tuple[str, bool]:
    found = toy_graph()
    words = f"on the graph of Fig. 20: {found['forw']:.5f} for all paths, {found['cforw']:.5f} for the right ones"
    return words, found["forw"] < found["cforw"]


def _printed(one: str, other: str) -> Check:
    return lambda _data: (f"one place has {one}, the other {other}", None)


def _errors_82(data: Dataset) -> tuple[str, bool]:
    labels = data.test.labels
    early = sum(index < 5000 for index in FIGURE_8)
    differ = all(labels[index] != answer for index, answer in FIGURE_8.items() if index < len(labels))
    words = f"{len(FIGURE_8)} errors are {len(FIGURE_8) / 100:.2f} %; {early} of them in the first 5,000 images"
    return words, differ and len(FIGURE_8) / 100 != DISTORTED_ERROR and early == 55


OFTEN_SAID = (
    Claim("LeNet-5 has 61,706 parameters", "60,000; 61,706 is the net that everybody draws", _totals("lenet5", 61_706)),
    Claim(
        "LeNet-5 has 61,750 parameters", "that one has a full C3 and a linear output", _totals("lenet5-dense", 61_750)
    ),
    Claim("C3 sees all six maps", "Table I: 60 of 96 kernels, 1,516 parameters instead of 2,416", _c3),
    Claim("C1 pads its input", "no layer pads: the image is embedded in 32x32 once", _padding),
    Claim("the output is a softmax layer", "squared distances to ten fixed bitmaps; nothing in it is trained", _output),
    Claim("plain tanh, after convolutions", "1.7159 tanh(2a/3), after S2 and S4 too", _activations),
    Claim("average pooling (or max pooling)", "a sum of four, a trained coefficient and a bias, a squash", _pooling),
    Claim("C5 is fully connected", "a convolution that is as large as its input here; it slides on a wider one", _c5),
    Claim("five layers", "seven without the input; the paper's 5 is the number of the model", _trained_layers),
    Claim("the codes are one-of-ten, or averaged digits", "drawn by hand, 7x12; 0, 2, 4 and 5 carry a bar", _codes),
    Claim("f(1) is about 0.96", "0.9999973: A and S are chosen for it", _f1),
    Claim("weights are drawn from a Gaussian", "uniformly: +-2.4/F in appendix A", _uniform),
    Claim("MSE, not cross-entropy", "equation 9 is cross-entropy with a rubbish class of score -j", _equation_9),
    Claim("trained by plain SGD", "every parameter has a rate of its own (appendix C)", _own_rates),
    Claim("pixels are not normalised, or by 0.1307 and 0.3081", "-0.1 for paper, 1.175 for ink", _range),
    Claim("F6 could only be fully connected", "a 1x1 convolution: it slides with the rest", _f6),
    Claim("it works well on small sets", "Fig. 6: 1.69 % with 15,000 digits, 0.94 % with 60,000", _small_sets),
    Claim("C3's rows with four maps have 303 or 306 parameters", "three maps 76, four 101, six 151", _rows),
    Claim("images are resized to 32x32", "digits stay in their 20x20 box; the field grows", _enlarged),
    Claim(
        "batch normalisation belongs to it",
        "2015; it would add 44 parameters after C1 and C3",
        lambda _data: (
            f"{count_batch_normalisation(NETS['lenet5-modern'])} parameters",
            count_batch_normalisation(NETS["lenet5-modern"]) == 44,
        ),
    ),
)

SLIPS = (
    Claim(
        "all seven layers have trainable parameters (II.B)",
        "the output's are fixed, as the next page says",
        _trained_layers,
    ),
    Claim("the input has variance about 1 (II.B)", "an eighth of it, on MNIST", _input_range),
    Claim("401 thousand multiply-accumulates (Fig. 11)", "connections and parameters added up", _macs),
    Claim("LeNet-4: a full layer of 120 units and 17,000 parameters (III.C.8)", "both cannot be", _lenet4),
    Claim("S2 averages (II.A)", "it adds (II.B): a quarter of the coefficient", _printed("average", "sum of the four")),
    Claim("a 28x28-1000-150-10 net (III.C)", "500-150: only that has 469 thousand weights", _hidden_units),
    Claim("RS-SVM 1.1 % (text)", "1.0 % in Fig. 9", _printed("1.1 %", "1.0 %")),
    Claim("V-SVM of degree 9 (Figs 9, 11)", "of degree 5 in Fig. 12", _printed("poly 9", "poly 5")),
    Claim("a regular SVM has 1.4 % (text)", "1.1 % in Fig. 9", _printed("1.4 %", "1.1 %")),
    Claim("weights within 2.4/F (appendix A)", "a flat start: the rates of III.B cannot come from it", _literal_start),
    Claim("three defects of the MSE criterion (II.C)", "two are listed", _printed("three", "two")),
    Claim("a graph's forward penalty is larger than its subgraph's (VI.D)", "it is smaller", _forward_penalty),
    Claim("confidence exp(E_dforw) (X.C)", "exp(-E), as in VI.E", _printed("exp(E)", "exp(-E)")),
    Claim("Fig. 4 shows test digits", "all hundred are in the training set", _printed("test set", "training images")),
    Claim("Fig. 21 has C_dforw", "the text calls it C_cforw", _printed("C_dforw", "C_cforw")),
    Claim("20 passes (III.B)", "Fig. 5 has 21 points", _passes),
    Claim("0.8 % with distortions (III.B)", "Fig. 8 shows 82 errors", _errors_82),
)
