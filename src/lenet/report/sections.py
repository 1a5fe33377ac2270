"""The page's sections: each takes what was found and returns a heading with what stands below it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lenet.arrays import Float32
from lenet.data.dataset import Dataset
from lenet.engine import distort
from lenet.network.inputs import field_greys, to_input
from lenet.network.spec import NETS
from lenet.network.summary import count_trainable, layer_facts
from lenet.report import figures
from lenet.report.claims import OFTEN_SAID, SLIPS, code_distances, squash_facts
from lenet.report.invariance import CHANGES, borne, tolerance
from lenet.report.measured import Run, Spread, count_error_rates, count_rejected
from lenet.report.page import Block, Picture, Section, TextTable
from lenet.report.paper import (
    BOOSTED_CALLS,
    CLAIMED,
    DISTORTED_POINT,
    FIGURE_5_TEST,
    FIGURE_5_TRAIN,
    FIGURE_6,
    FIGURE_7_ROWS,
    FIGURE_8,
    LAYERS,
    RIVALS,
)
from lenet.report.parts import PARTS, at_16_pixels
from lenet.training.distortions import FIGURE_7, draw

NOT_RUN = "Not run: `lenet reproduce` trains what is missing."
_EARLY_1998 = 100 * sum(index < 5000 for index in FIGURE_8) / len(FIGURE_8)
_BOOSTED = ("boosted-1", "boosted-2", "boosted-3")


@dataclass(frozen=True, eq=False)
class Found:
    """All that the sections draw on: the data, the finished runs by part, the other classifiers."""

    data: Dataset
    runs: dict[str, Run]
    classifiers: dict[str, dict[str, Any]]
    pictures: bool
    invariance_digits: int

    @cache  # noqa: B019 (one page is made and the program ends)
    def test_scores(self, part: str) -> Float32:
        """Return the scores of the test digits by every replica of a part: (replicas, n, k)."""
        data = at_16_pixels(self.data) if PARTS[part].altered is at_16_pixels else self.data
        return self.runs[part].scores(to_input(data.test.glyphs))


def architecture(_found: Found) -> Section:
    """Section II: every layer's numbers, the codes, the squash."""
    paper = NETS["lenet5-1998"]
    counted = [
        (each.name, "{}@{}x{}".format(*each.output), each.trainable, each.connections) for each in layer_facts(paper)
    ]
    counted.append(("all", "", sum(each[2] for each in counted), sum(each[3] for each in counted)))
    rows = [
        [
            name,
            output,
            f"{trained:,}",
            f"{connections:,}",
            "as stated" if LAYERS[name] == (trained, connections) else "no",
        ]
        for name, output, trained, connections in counted
    ]
    distances = code_distances()
    apart = distances[~np.eye(10, dtype=bool)]
    squash = ", ".join(f"{name} {value:.7f}" for name, value in squash_facts().items())
    matrix = [[str(digit), *map(str, row)] for digit, row in enumerate(distances.tolist())]
    return Section(
        "Architecture",
        [
            TextTable(["layer", "output", "trainable", "connections", "the paper"], rows),
            (
                f"Squared distances between the codes of two digits: {apart.min()} to {apart.max()}, "
                f"{apart.mean():.1f} on average."
            ),
            TextTable(["", *map(str, range(10))], matrix),
            Picture("figure-3", figures.figure_3(), "Fig. 3: the 96 codes, 7x12, from the space to the blank."),
            f"Appendix A, the squash 1.7159 tanh(2a/3): {squash}.",
        ],
    )


def learning(found: Found) -> Section:
    """Fig. 5: the errors after each pass."""
    if "paper" not in found.runs:
        return Section("Fig. 5: twenty passes", [NOT_RUN])
    run = found.runs["paper"]
    test, train = run.curve("test_errors", len(found.data.test)), run.curve("train_errors", run.trained_on)
    picture = figures.figure_5(train, test)
    rows = [
        [
            str(number),
            *map(_stated, theirs),
            f"{seen}",
            f"{asked}",
            f"{min(asked.values):.2f}",
            f"{max(asked.values):.2f}",
        ]
        for number, (theirs, seen, asked) in enumerate(
            zip(zip(FIGURE_5_TRAIN, FIGURE_5_TEST, strict=True), train, test, strict=False), start=1
        )
    ]
    return Section(
        "Fig. 5: twenty passes",
        [
            Picture("figure-5", picture, "Mean over the replicas; the bands reach from the best to the worst."),
            TextTable(["pass", "training 1998", "test 1998", "training, %", "test, %", "best", "worst"], rows),
        ],
    )


def sizes(found: Found) -> Section:
    """Fig. 6: the number of training patterns, and distortions."""
    curves = {}
    for name in ("paper-15000", "paper-30000", "paper"):
        if name in found.runs:
            run = found.runs[name]
            curves[run.trained_on] = (run.test_errors, run.curve("train_errors", run.trained_on)[-1])
    if not curves:
        return Section("Fig. 6: more digits", [NOT_RUN])
    names = {"distorted_as_written": "distortions as written", "distorted": "distortions as chosen"}
    extra = {words: found.runs[name].test_errors for name, words in names.items() if name in found.runs}
    rows = [
        [f"{n:,}", *([f"{value}" for value in FIGURE_6[n]] if n in FIGURE_6 else ["", ""]), str(test), str(train)]
        for n, (test, train) in sorted(curves.items())
    ]
    rows += [[words, f"{DISTORTED_POINT:g}", "", str(test), ""] for words, test in extra.items()]
    return Section(
        "Fig. 6: more digits, and distorted ones",
        [
            Picture("figure-6", figures.figure_6(curves, extra), "Test and training error over the training set."),
            TextTable(["patterns", "test, 1998", "training, 1998", "test, %", "training (on the fly), %"], rows),
        ],
    )


def distortions(found: Found) -> Section:
    """Fig. 7: the paper's own ten digits, distorted by the ranges recovered from it."""
    low, high = 1 / FIGURE_7.shrink_high, 1 / FIGURE_7.shrink_low
    words = (
        f"Recovered from the hundred digits of Fig. 7: sizes {low:.2f} to {high:.2f}, squeezed by "
        f"exp(±{FIGURE_7.squeeze}), horizontal shear ±{FIGURE_7.shear}, shifts of ±{FIGURE_7.shift:g} pixels, "
        f"standing on a line {FIGURE_7.baseline} pixels below the middle; bilinear; no rotation."
    )
    blocks: list[Block] = [words]
    if found.pictures and len(found.data.train) > max(FIGURE_7_ROWS):
        chosen = to_input(found.data.train.glyphs[list(FIGURE_7_ROWS)])
        shown = np.repeat(chosen, 10, axis=0)
        distorted_ones = np.arange(100) % 10 > 0  # the first of each row is as it is
        moved = draw(FIGURE_7, int(distorted_ones.sum()), np.random.default_rng(7))
        shown[distorted_ones] = distort(shown[distorted_ones], moved)
        svg = figures.sheet(field_greys(shown), [""] * 100)
        blocks.append(Picture("figure-7", svg, "The ten training digits of Fig. 7, each with nine distorted copies."))
    return Section("Fig. 7: distortions", blocks)


def mistakes(found: Found) -> Section:
    """Fig. 8: what is wrong, and how much of it was wrong in 1998."""
    blocks: list[Block] = []
    for part in ("paper", "distorted_as_written", "distorted"):
        if part not in found.runs:
            continue
        answers = found.test_scores(part).argmax(axis=2)
        labels = found.data.test.labels
        wrong = answers != labels
        rows, early, nines = _mistakes_table(answers, wrong, labels)
        blocks += [
            (
                f"{PARTS[part].about}: {wrong.sum(axis=1).mean():.1f} errors on average; {early:.0f} % of them in the "
                f"first 5,000 images, which are students' ({_EARLY_1998:.0f} % of the 82 of the paper's net, which was "
                f"trained with distortions), {nines:.1f} nines taken for fours (8 of the 82)."
            ),
            TextTable(["of the paper's 82 errors", "digits"], rows),
        ]
        often = np.argsort(-wrong.sum(axis=0), kind="stable")[: min(80, int(wrong.any(axis=0).sum()))]
        if found.pictures and len(often):
            captions = [
                f"{labels[k]}>{np.bincount(answers[wrong[:, k], k]).argmax()} {wrong[:, k].mean():.0%}" for k in often
            ]
            svg = figures.sheet(found.data.test.glyphs[often], captions)
            blocks.append(Picture(f"figure-8-{part}", svg, "Most often wrong: truth > answer, share of the replicas."))
    return Section("Fig. 8: the errors", blocks or [NOT_RUN])


def _mistakes_table(answers: np.ndarray, wrong: np.ndarray, labels: np.ndarray) -> tuple[list[list[str]], float, float]:
    theirs = [index for index in FIGURE_8 if index < len(labels)]
    shared = wrong[:, theirs]
    same = answers[:, theirs] == np.array([FIGURE_8[index] for index in theirs])
    often = shared.mean(axis=0)
    rows = [
        ["wrong here too, on average over the replicas", f"{shared.sum(axis=1).mean():.1f}"],
        ["... and with the same answer", f"{(shared & same).sum(axis=1).mean():.1f}"],
        ["wrong in every replica", str(int((often == 1).sum()))],
        ["wrong in at least half of them", str(int((often >= 0.5).sum()))],
        ["wrong in none", str(int((often == 0).sum()))],
    ]
    early = 100 * wrong[:, :5000].sum() / max(1, wrong.sum())
    nines = ((labels == 9) & (answers == 4)).sum(axis=1).mean()
    return rows, float(early), float(nines)


@dataclass(frozen=True)
class Figures:
    """What Figs 9 to 12 show of one classifier: errors and rejection in per cent, and its size."""

    errors: Spread
    rejected: Spread
    macs: float
    variables: float


def rivals(found: Found) -> dict[str, Figures]:
    """Return the figures of every classifier that is there, in the order of the paper's."""
    labels = found.data.test.labels
    plain: list[str] = [key for key in ("lenet1", "lenet4", "paper", "distorted") if key in found.runs]
    scored = {key: found.test_scores(key) for key in plain}
    if all(part in found.runs for part in _BOOSTED):  # they answer together: their outputs are added
        scored["boosted"] = np.sum([found.test_scores(part) for part in _BOOSTED], axis=0)
    figures_of: dict[str, Figures] = {}
    for key in RIVALS:
        if key in scored:
            rejections = Spread(tuple(count_rejected(each, labels) for each in scored[key]))
            figures_of[key] = Figures(count_error_rates(scored[key], labels), rejections, *_sizes(key))
        elif key in found.classifiers:
            each = found.classifiers[key]
            error = Spread((100 * each["errors"] / each["n"],), each["n"])
            figures_of[key] = Figures(error, Spread((each["rejected"],)), each["macs"], each["variables"])
    return figures_of


def _sizes(key: str) -> tuple[float, float]:
    """Return the multiply-accumulates and the variables of a network, the boosted ones counted as in the paper."""
    net = NETS[{"lenet1": "lenet1", "lenet4": "lenet4", "boosted": "lenet4"}.get(key, "lenet5-1998")]
    macs = sum(facts.macs for facts in layer_facts(net))
    return (BOOSTED_CALLS * macs, 3 * count_trainable(net)) if key == "boosted" else (macs, count_trainable(net))


def comparison(_found: Found, there: dict[str, Figures]) -> Section:
    """Figs 9 to 12: rivals by error, rejection, multiply-accumulates and memory."""
    if not there:
        return Section("Figs 9 to 12: the rivals", [NOT_RUN])
    nine = [(RIVALS[key].name, RIVALS[key].error, each.errors) for key, each in there.items()]
    ten = [(RIVALS[key].name, RIVALS[key].rejected, each.rejected) for key, each in there.items()]
    header = ["classifier", "error 1998, %", "error, %", "replicas", "rejected 1998, %", "rejected, %"]
    header += ["thousand MACs 1998", "MACs", "thousand variables 1998", "variables"]
    rows = [
        [
            *(RIVALS[key].name, f"{RIVALS[key].error:g}", str(each.errors), str(len(each.errors.values))),
            *(_stated(RIVALS[key].rejected), str(each.rejected)),
            *(_stated(RIVALS[key].thousand_macs), f"{each.macs / 1000:,.0f}"),
            *(_stated(RIVALS[key].thousand_variables), f"{each.variables / 1000:,.0f}"),
        ]
        for key, each in there.items()
    ]
    words = (
        "Linear ones and the quadratic one are least squares; k-NN, the SVM and the perceptrons are scikit-learn's, "
        "the perceptrons by twelve passes of Adam, which is not how they were trained in 1998. LeNet-4's tables are "
        "not given: C5 has 560 of its 1,920 kernels here, which meets its published totals. LeNet-5 has a bar in "
        "Fig. 10 here; the paper has none. MACs are multiplications by a weight. All three boosted networks answer "
        "every digit here; the paper asks the others only where the first is unsure, and its 1.75 networks for a "
        "digit are counted."
    )
    caption = "Fig. 10: rejected so that 0.5 % of the rest are wrong, by the difference of the two best scores."
    return Section(
        "Figs 9 to 12: the rivals",
        [
            Picture("figure-9", figures.bars(nine, "test error, %"), "Fig. 9: errors on the 10,000 test digits."),
            Picture("figure-10", figures.bars(ten, "rejected, %"), caption),
            TextTable(header, rows),
            words,
        ],
    )


def _stated(value: float | None) -> str:
    return "" if value is None else f"{value:,g}"


def invariance(found: Found) -> Section:
    """Fig. 13 and section III.E."""
    parts = {"plain": "paper", "trained with noise": "flips"}
    present = {name: found.runs[part] for name, part in parts.items() if part in found.runs}
    if not present:
        return Section("Fig. 13: how much it bears", [NOT_RUN])
    every = max(1, len(found.data.test) // found.invariance_digits)  # its first half are students' alone
    few = found.data.test.where(np.arange(len(found.data.test)) % every == 0)
    curves = {name: {change.name: tolerance(run, few, change) for change in CHANGES} for name, run in present.items()}
    rows = []
    for change in CHANGES:
        spans = [borne(change, each[change.name], 10.0) for each in curves.values()]
        words = [f"{span[0]:g} to {span[1]:g} {change.unit}" if span else "none" for span in spans]
        claimed = CLAIMED.get(change.name)
        rows.append([change.name, f"{claimed[0]:g} to {claimed[1]:g}" if claimed else "", *words])
    return Section(
        "Fig. 13: how much it bears",
        [
            Picture("figure-13", figures.figure_13(curves), f"Errors on {len(few):,} test digits, changed."),
            TextTable(["at most 10 % wrong", "claimed (III.E)", *curves], rows),
            (
                "The paper claims sizes that differ by a factor of about 2, vertical shifts of about half the digit's "
                "height and turns of 30 degrees, for a network trained with a tenth of the pixels inverted; it gives "
                "no error rate."
            ),
        ],
    )


def claims(found: Found) -> Section:
    """Sections 12 and 14: often said, and true."""
    tables: list[Block] = []
    for title, some in (("often said", OFTEN_SAID), ("printed in the paper", SLIPS)):
        rows = []
        for each in some:
            words, holds = each.check(found.data)
            rows.append([each.said, each.true, words, {True: "yes", False: "NO", None: "as printed"}[holds]])
        tables.append(TextTable([title, "true", "the check", "holds"], rows))
    return Section("Often said, and true", tables)


def folders(found: Found) -> Section:
    """Where all this came from, and how long it took."""
    rows = []
    for part, run in found.runs.items():
        seconds, replicas = max(run.result["seconds"], 0.1), len(run.result["replicas"])
        shown = run.trained_on * run.result["passes"] * replicas / seconds
        rows.append(
            [
                part,
                PARTS[part].about,
                str(replicas),
                f"{seconds:,.0f}",
                f"{seconds / replicas:,.1f}",
                f"{shown:,.0f}",
                run.environment["commit"],
                run.result["runs_on"],
            ]
        )
    header = ["part", "what", "replicas", "seconds", "seconds for each", "patterns/s", "commit", "on"]
    words = "Seconds are of the clock, whatever else the machine did beside; eight replicas use one core."
    return Section("Runs, and how long they took", [TextTable(header, rows), words] if rows else [NOT_RUN])


def run_folders(runs: Path) -> dict[str, Run]:
    """Return the finished runs by part."""
    return {name: Run(runs / name).checked() for name in PARTS if (runs / name / "result.json").exists()}
