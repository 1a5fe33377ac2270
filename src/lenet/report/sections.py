"""The page's sections: each takes what was found and returns a heading with what stands below it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lenet.anatomy import layers, trainable
from lenet.arrays import Float32
from lenet.dataset import Dataset
from lenet.engine import distorted
from lenet.pixels import to_input
from lenet.report import figures
from lenet.report.claims import OFTEN_SAID, SLIPS, code_distances, squash_facts
from lenet.report.invariance import CHANGES, borne, tolerance
from lenet.report.measured import Run, Spread, error_rates, rejected
from lenet.report.page import Block, Picture, Section, Table
from lenet.report.paper import FIGURE_6, FIGURE_7_ROWS, FIGURE_8, RIVALS
from lenet.report.parts import PARTS, at_16_pixels
from lenet.spec import BACKGROUND, FOREGROUND, NETS
from lenet.training.distortions import FIGURE_7, draw

NOT_RUN = "Not run: `lenet reproduce` trains what is missing."
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
    stated = {"C1": (156, 122_304), "S2": (12, 5_880), "C3": (1_516, 151_600), "S4": (32, 2_000)}
    stated |= {"C5": (48_120, 48_120), "F6": (10_164, 10_164), "output": (0, 840)}
    rows = [
        [
            facts.name,
            f"{facts.output[0]}@{facts.output[1]}x{facts.output[2]}",
            f"{facts.trainable:,}",
            f"{facts.connections:,}",
            "as stated" if (facts.trainable, facts.connections) == stated[facts.name] else "differs",
        ]
        for facts in layers(paper)
    ]
    total = f"{sum(facts.connections for facts in layers(paper)):,}"
    rows.append(["all", "", f"{trainable(paper):,}", total, "60,000 and 340,908 stated"])
    distances = code_distances()
    apart = distances[~np.eye(10, dtype=bool)]
    squash = ", ".join(f"{name} {value:.5f}" for name, value in squash_facts().items())
    return Section(
        "Architecture",
        [
            Table(["layer", "output", "trainable", "connections", "the paper"], rows),
            (
                f"Squared distances between the codes of two digits: {apart.min()} to {apart.max()}, "
                f"{apart.mean():.1f} on average; the closest are 6 and 8."
            ),
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
        [str(number), f"{seen}", f"{asked}", f"{min(asked.values):.2f}", f"{max(asked.values):.2f}"]
        for number, (seen, asked) in enumerate(zip(train, test, strict=True), start=1)
    ]
    return Section(
        "Fig. 5: twenty passes",
        [
            Picture("figure-5", picture, "Mean over the replicas; the bands reach from the best to the worst."),
            Table(["pass", "training error, %", "test error, %", "best", "worst"], rows),
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
    rows += [[words, "0.82", "", str(test), ""] for words, test in extra.items()]
    return Section(
        "Fig. 6: more digits, and distorted ones",
        [
            Picture("figure-6", figures.figure_6(curves, extra), "Test and training error over the training set."),
            Table(["patterns", "test, 1998", "training, 1998", "test, %", "training (on the fly), %"], rows),
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
        copies = distorted(np.repeat(chosen, 10, axis=0), draw(FIGURE_7, 100, np.random.default_rng(7)))
        grey = np.rint(255 * (copies[:, 0] - BACKGROUND) / (FOREGROUND - BACKGROUND)).clip(0, 255).astype(np.uint8)
        svg = figures.sheet(grey, [""] * 100)
        blocks.append(Picture("figure-7", svg, "The training digits of Fig. 7, ten distorted copies of each."))
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
                f"first 5,000 images (students; 1998: 67 %), {nines:.1f} nines taken for fours (1998: 8)."
            ),
            Table(["of the paper's 82 errors", "digits"], rows),
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
            rejections = Spread(tuple(rejected(each, labels) for each in scored[key]))
            figures_of[key] = Figures(error_rates(scored[key], labels), rejections, *_sizes(key))
        elif key in found.classifiers:
            each = found.classifiers[key]
            error = Spread((100 * each["errors"] / each["n"],))
            figures_of[key] = Figures(error, Spread((each["rejected"],)), each["macs"], each["variables"])
    return figures_of


def _sizes(key: str) -> tuple[float, float]:
    """Return the multiply-accumulates and the variables of a network, the boosted ones counted as in the paper."""
    net = NETS[{"lenet1": "lenet1", "lenet4": "lenet4", "boosted": "lenet4"}.get(key, "lenet5-1998")]
    macs = sum(facts.macs for facts in layers(net))
    return (1.75 * macs, 3 * trainable(net)) if key == "boosted" else (macs, trainable(net))


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
        "Linear ones are least squares; the SVM and the perceptrons are scikit-learn's, trained as it does today, "
        "which is why the perceptrons do better than in 1998. LeNet-5 has a bar in Fig. 10 here; the paper has none. "
        "MACs are multiplications by a weight; the paper's 401 thousand for LeNet-5 are its connections and its "
        "parameters added up. The boosted networks are counted as in the paper, 1.75 networks for a digit."
    )
    caption = "Fig. 10: rejected so that 0.5 % of the rest are wrong, by the difference of the two best scores."
    return Section(
        "Figs 9 to 12: the rivals",
        [
            Picture("figure-9", figures.bars(nine, "test error, %"), "Fig. 9: errors on the 10,000 test digits."),
            Picture("figure-10", figures.bars(ten, "rejected, %"), caption),
            Table(header, rows),
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
    few = found.data.test.where(np.arange(len(found.data.test)) < found.invariance_digits)
    curves = {name: {change.name: tolerance(run, few, change) for change in CHANGES} for name, run in present.items()}
    rows = []
    for change in CHANGES:
        spans = [borne(change.amounts, each[change.name], 10.0) for each in curves.values()]
        rows.append([change.name, *(f"{low:g} to {high:g} {change.unit}" for low, high in spans)])
    return Section(
        "Fig. 13: how much it bears",
        [
            Picture("figure-13", figures.figure_13(curves), f"Errors on the first {len(few):,} test digits, changed."),
            Table(["at most 10 % wrong", *curves], rows),
            (
                "The paper says of its network, trained with a tenth of the pixels inverted: sizes that differ by a "
                "factor of about 2, vertical shifts of half the digit's height, turns of 30 degrees either way."
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
            rows.append([each.said, each.true, words, "yes" if holds else "NO"])
        tables.append(Table([title, "true", "the check", "holds"], rows))
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
    return Section("Runs, and how long they took", [Table(header, rows)] if rows else [NOT_RUN])


def run_folders(runs: Path) -> dict[str, Run]:
    """Return the finished runs by part."""
    return {name: Run(runs / name) for name in PARTS if (runs / name / "result.json").exists()}
