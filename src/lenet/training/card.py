"""A model card in Markdown, made from a weights file's own description and the engine's evaluation."""

from __future__ import annotations

import json
from statistics import mean, stdev
from typing import Any

from lenet.evaluation.interval import mean95
from lenet.evaluation.result import Evaluation
from lenet.network.spec import code
from lenet.network.summary import count_trainable
from lenet.network.weights import Weights

# What networks of digits, and of characters, learn and are measured on.
_WHAT = ("digits", "characters")
_MEASURED_ON = ("the MNIST test set", "characters of UNIPEN's writers that were put apart")
_LICENCES = ("MNIST is under CC BY-SA 3.0.", "UNIPEN is under CC BY 4.0.")
# So many confusions are told.
_TAKEN = 30
# What the card of weights that learned from UNIPEN says of it.
_HANDS = """\
It learned from UNIPEN train_r01_v07{besides}, part `train`: pen strokes of {strokes} by some 190 writers. The
repository that they are from (GreenCappuccino/train_r01_v07, commit 552a4d44) says: distributed on Zenodo under the
Creative Commons Attribution 4.0 International license. The notice on the CD-ROM of 1999 said: for research
purposes, not to be distributed for commercial purposes. Whoever minds the older notice reads with `--model
lenet5-reader --method cut`.

I. Guyon, L. Schomaker, R. Plamondon, M. Liberman and S. Janet, "UNIPEN project of on-line data exchange and
recognizer benchmarks," Proceedings of the 12th IAPR International Conference on Pattern Recognition, Vol. 3,
Jerusalem, 1994, pp. 29-33, doi: 10.1109/ICPR.1994.576870. Consortium. (1999). Unipen data set of on-line
(vectorial) handwriting - train_r01_v07 (December 1999) [Data set]. Zenodo. https://doi.org/10.5281/zenodo.1195803

"""


def write_card(weights: Weights, evaluation: Evaluation) -> str:
    """Return the card of shipped weights; every figure comes from the file or from the evaluation."""
    card, net = weights.card, weights.net
    low, high = evaluation.interval95
    seeds = card["seeds"]
    errors = [each["errors"] for each in seeds]
    before = ", before the rubbish output was lowered (below)" if weights.reads_numbers else ""
    rows = "\n".join(
        f"| {each['seed']}{' (shipped)' if each['seed'] == card['seed'] else ''} "
        f"| {each['held_out_errors']} | {each['errors']} |"
        for each in seeds
    )
    chosen = f"One seed{before}."
    if len(errors) > 1:
        interval = "{:.1f} to {:.1f}".format(*mean95([float(each) for each in errors]))
        spread = f", mean {mean(errors):.1f} (95 % interval {interval}), standard deviation {stdev(errors):.1f}"
        chosen = (
            f"Median over {len(seeds)} seeds: {card['median_errors']:g} test errors{spread}{before}.\n"
            "The shipped seed is the one with the fewest errors on held-out writers (the lowest seed among equals), "
            "whatever its\ntest errors."
        )
    groups = "\n".join(
        f"| {name} | {count['errors']} | {count['n']:,} | {100 * count['errors'] / count['n']:.2f} % |"
        for name, count in card["groups"].items()
    )
    held = card["held_out"]
    start = card.get("started_from")
    began = f"It started from `{start}` as that commit has it. " if start else ""
    calibration = card["calibration"]
    return f"""# {weights.name}

The network `{net.name}`: {net.about}.
{count_trainable(net):,} trainable parameters; input (n, 1, 32, 32) from 28x28 glyphs.

**{evaluation.errors} errors out of {evaluation.n:,}** on {_MEASURED_ON[net.says_characters]}
({100 * evaluation.error_rate:.2f} %, 95 % interval {100 * low:.2f} to {100 * high:.2f} %).

| seed | errors on {held["n"]:,} {_WHAT[net.says_characters]} of held-out writers | test errors of {evaluation.n:,} |
|---|---|---|
{rows}

{chosen}

| {"kind of character" if net.says_characters else "writers of the test digits"} | errors | n | rate |
|---|---|---|---|
{groups}

## Confidence

The scores are divided by {weights.temperature:.4f} before the softmax. That temperature was fitted on
{calibration["fitted_on"]} ({calibration["expected_calibration_error"] * 100:.2f} % expected calibration error
there, 15 bins); on the test set the expected calibration error is {evaluation.calibration_error * 100:.2f} %.
{_numbers(weights)}{_tell_codes(weights)}{_tell_confusions(weights, evaluation)}
## Training

Trained on {card["data"]["trained_on"]:,} {_WHAT[net.says_characters]} of `{card["data"]["name"]}`
(checksum {card["data"]["checksum"]}) by the {card["backend"]} backend at commit {card["commit"]}, seed
{card["seed"]}; held-out writers were never trained on.
{began}The engine and PyTorch agree to {card["parity"]:.0e} of each layer's largest value.

{_tell_teacher(weights)}{_tell_hands(weights)}The recipe is `{card["recipe"]["name"]}`:

```json
{json.dumps(card["recipe"], indent=2)}
```

## Limits

{_limits(weights)}
Weights are under the MIT licence; {_LICENCES[net.says_characters]}
"""


def refresh_card(card: str, weights: Weights) -> str:
    """Return a model card with the part on how its confidence was fitted written anew; all else stays as it is.

    Of a network of characters it is the part on codes.
    """
    if weights.net.says_characters:
        first, past, written = "## Codes", "## What is taken for what", _tell_codes(weights)
    else:
        first, past, written = "The rubbish output was lowered", "## Reading", _numbers(weights)
    before, _, rest = card.partition(first)
    _, _, after = rest.partition(past)
    return before + written[written.index(first) :].partition(past)[0] + past + after


def _tell_teacher(weights: Weights) -> str:
    """Return the part on what taught the weights, with its errors; empty where labels did, or none were counted."""
    teacher = weights.card.get("teacher", {})
    if "test" not in teacher:
        return ""
    held, test = teacher["held_out"], teacher["test"]
    many = len(test["of_each"])
    if many == 1:
        return f"""\
In place of labels it learned what another network says of distorted digits (`{teacher["weights"]}`). That network has
{held["errors"]} errors on the held-out writers and {test["errors"]} on the test digits.

"""
    each_held, each_test = (", ".join(map(str, each["of_each"])) for each in (held, test))
    return f"""\
In place of labels it learned what {many} other networks say of distorted digits: the mean of their probabilities
(`{teacher["weights"]}`). Together they have {held["errors"]} errors on the held-out writers (each: {each_held}) and
{test["errors"]} on the test digits (each: {each_test}).

"""


def _tell_hands(weights: Weights) -> str:
    """Return the part on UNIPEN's hands; empty for weights that did not learn from them."""
    if weights.net.says_characters:
        return _HANDS.format(besides="", strokes="digits, letters and signs")
    if weights.card["recipe"].get("hands"):
        return _HANDS.format(besides=" too", strokes="digits and letters")
    return ""


def _tell_codes(weights: Weights) -> str:
    """Return the part on lines of characters; empty for weights that say digits."""
    if not weights.net.says_characters:
        return ""
    rows = "\n".join(
        f"| {name} | {told['exact']} of {told['codes']:,} | {told['answered']} | {told['answered_wrong']} |"
        for name, told in weights.card.get("codes", {}).items()
    )
    return f"""
## Codes

Two capitals and four digits, each code by one of the writers that nothing was chosen on:

| | exact | answered | of those wrong |
|---|---|---|---|
{rows}

What finds a line's signs was fitted on {weights.card["calibration"].get("character_scorer_fitted_on", "nothing")}.

"""


def _tell_confusions(weights: Weights, evaluation: Evaluation) -> str:
    """Return the part on what is taken for what; empty for weights that say digits."""
    if not weights.net.says_characters:
        return ""
    signs, counts = weights.net.signs, evaluation.confusion
    pairs = [(counts[i][j], signs[i], signs[j]) for i in range(len(signs)) for j in range(len(signs)) if i != j]
    taken = "\n".join(
        f"| `{truth}` | `{answer}` | {count} | {_count_apart(truth, answer)} |".replace("`|`", "`\\|`")
        for count, truth, answer in sorted(pairs, key=lambda each: (-each[0], each[1:]))[:_TAKEN]
    )
    return f"""\
## What is taken for what

The most frequent confusions, and in how many of 84 pixels the codes of Fig. 3 differ; on average it is
{_count_mean_apart(signs):.1f}.

| is | read as | times | pixels apart |
|---|---|---|---|
{taken}
"""


def _count_apart(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(code(ord(one)), code(ord(other)), strict=True))


def _count_mean_apart(signs: str) -> float:
    return mean(_count_apart(one, other) for row, one in enumerate(signs) for other in signs[:row])


def _lost(calibration: dict[str, Any]) -> str:
    share = calibration.get("digits_lost_to_rubbish", 0.0)
    return f"one in {round(1 / share):,}" if share else "none"


def _numbers(weights: Weights) -> str:
    """Return the part on numbers: how the path was fitted, the curve of errors; empty for weights that read digits."""
    calibration, curve = weights.card["calibration"], weights.error_curve
    if not weights.reads_numbers or curve is None:
        return ""
    rows = "\n".join(
        f"| {100 * least:g} % | {100 * coverage:.1f} % | {100 * error:.2f} % |" for least, error, coverage in curve
    )
    return f"""
The rubbish output was lowered after training until {_lost(calibration)} of the held-out digits is taken for
rubbish, a rule that was settled after test errors had been seen (docs/log.md).
What finds the path through a number was fitted on {calibration["arc_scorer_fitted_on"]}, by equation 17,
two in five of them hard ones: photographed, of several sizes, with more styles and 0s at the end than MNIST has.
The confidence of a number was made honest on {calibration["confidence_fitted_on"]}:
1 to 8 digits, two in five photographed with noise, blur, slant, clutter and patterned paper, some of their digits drawn
in styles that MNIST hardly has, and one in seven no number at all. Of what was answered
on these, answering only from a confidence on, half a wrong answer counted besides (`--max-error` takes its bound from
here):

| confidence at least | answered | of those wrong |
|---|---|---|
{rows}

## Reading

<!-- reading: benchmarks/read_numbers.py writes this -->
<!-- end of reading -->

<!-- pages: benchmarks/read_page.py writes this -->
<!-- end of pages -->
"""


def _limits(weights: Weights) -> str:
    if weights.net.says_characters:
        return """It says one of the 94 printable signs of ASCII to whatever ink it is shown, and has none for what is
no sign. A glyph has no size: a small letter that is shaped as its capital, 0 beside O, or a comma beside a quote
are told apart by their context alone, with a pattern or a list of words. Its hands are mostly American."""
    if weights.net.knows_none:
        return """Letters that look like digits are read as digits, and so is much else that a digit could be made of: a
straight stroke is a 1, a ring a 0. It learned from American writers of the 1990s and from drawn 1s with flags, crossed
7s, 4s that are open or in one go, 9s with the stem on the left, and 0s and 2s with loops. Numbers in running text,
printed numbers and pages turned on their side are not what it was made for."""
    return """It knows the digits 0 to 9 alone, and it answers with one of them to whatever ink it is shown: letters and
drawings included. It learned from American writers of the 1990s: a 1 with a long up-stroke, a crossed 7 and an open 4
are rarer there than elsewhere."""
