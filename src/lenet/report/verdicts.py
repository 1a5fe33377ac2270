"""The table "the paper says, we get": each figure with its interval, whether it agrees, and if not, why."""

from __future__ import annotations

from lenet.report.measured import Spread
from lenet.report.page import Section, Table
from lenet.report.paper import (
    DAYS_1998,
    DISTORTED_ERROR,
    EFFECTIVE_RATES,
    FIGURE_5_TEST,
    FIGURE_6,
    FINAL_ERROR,
    FINAL_TRAIN_ERROR,
    RIVALS,
    UNCERTAINTY,
)
from lenet.report.sections import Found

_DAY = 86_400


def verdicts(found: Found, errors: dict[str, Spread]) -> Section:
    """Compare every figure that is there; `errors` are the test errors of Fig. 9's classifiers, in per cent."""
    rows = []
    if "paper" in found.runs:
        run = found.runs["paper"]
        test = run.curve("test_errors", len(found.data.test))
        train = run.curve("train_errors", run.trained_on)
        rows.append(_row("test error, LeNet-5", FINAL_ERROR, run.test_errors))
        if len(test) >= 10:
            rows.append(_row("test error after pass 1", FIGURE_5_TEST[0], test[0]))
            rows.append(_row("test error after pass 10", FIGURE_5_TEST[9], test[9]))
        why = "ours learns its training set better; the paper gives neither j nor how h was averaged"
        rows.append(_row("training error seen in the last pass", FINAL_TRAIN_ERROR, train[-1], why))
        seconds = max(run.result["seconds"], 0.1) / len(run.result["replicas"])
        rows.append(
            [
                "time of a training",
                f"{DAYS_1998[0]} to {DAYS_1998[1]} days",
                f"{seconds:.0f} s a replica",
                "",
                f"{DAYS_1998[0] * _DAY / seconds:,.0f} to {DAYS_1998[1] * _DAY / seconds:,.0f} times faster",
                "",
            ]
        )
        low, high = effective_rates(found)
        rows.append(
            [
                "rates of the parameters in pass 1",
                f"{EFFECTIVE_RATES[0]:g} to {EFFECTIVE_RATES[1]:g}",
                f"{low:.1e} to {high:.1e}",
                "",
                _agrees(0.5 < low / EFFECTIVE_RATES[0] < 2 and 0.5 < high / EFFECTIVE_RATES[1] < 2),
                "the extremes of 60,000 rates, of one replica",
            ]
        )
    for name in ("paper-15000", "paper-30000"):
        if name in found.runs and found.runs[name].trained_on in FIGURE_6:
            n = found.runs[name].trained_on
            rows.append(_row(f"test error, {n:,} patterns", FIGURE_6[n][0], found.runs[name].test_errors))
    if "distorted_as_written" in found.runs:
        why = "the ranges of Fig. 7 over a pool of 600,000 leave the net short of training; docs/1998.md"
        spread = found.runs["distorted_as_written"].test_errors
        rows.append(_row("test error, distortions as written", DISTORTED_ERROR, spread, why))
    if "distorted" in found.runs:
        why = "chosen on held-out writers; docs/1998.md"
        spread = found.runs["distorted"].test_errors
        rows.append(_row("test error, distortions as chosen", DISTORTED_ERROR, spread, why))
    for key in ("lenet1", "lenet4", "boosted"):
        if key in errors:
            rows.append(_row(f"test error, {RIVALS[key].name}", RIVALS[key].error, errors[key]))
    header = ["what", "the paper says", "we get", "95 % interval of the mean", "agrees", "if not, why"]
    words = (
        "A test error agrees when the paper's figure, with its own uncertainty of 0.1 %, meets the range that our "
        "replicas span two standard deviations either way: the paper trained one network, whose place in such a range "
        "nobody knows."
    )
    return Section("The paper says, we get", [Table(header, rows), words])


def effective_rates(found: Found) -> tuple[float, float]:
    """Return the least and the greatest rate of any parameter in pass 1, estimated anew for the first replica."""
    import numpy as np

    from lenet.engine.gradients import Loss, curvature
    from lenet.initial import connection_mask, initial_tensors
    from lenet.pixels import to_input
    from lenet.spec import NETS, TABLE_I
    from lenet.training.plan import RATES_1998, draw_plan, generator
    from lenet.training.recipes import RECIPES

    recipe, net = RECIPES["paper"], NETS["lenet5-1998"]
    tensors = initial_tensors(net, recipe.initialisation, generator(0, 0))
    plan = draw_plan(recipe, len(found.data.train), 0, 1)
    assert plan.curvature is not None
    inputs = to_input(found.data.train.glyphs[plan.curvature])
    h = curvature(net, tensors, inputs, Loss(recipe.loss, 0.0, recipe.junk, recipe.unit))
    c3 = net.layers[2]
    assert getattr(c3, "table", None) == TABLE_I
    there = connection_mask(c3, 6) > 0  # type: ignore[arg-type]
    h["c3.weight"] = h["c3.weight"][there]
    rates = [RATES_1998[0] / (recipe.mu + values) for values in h.values()]
    return float(min(each.min() for each in rates)), float(np.max([each.max() for each in rates]))


def _row(what: str, stated: float, ours: Spread, why: str = "") -> list[str]:
    low, high = ours.interval95
    agrees = abs(ours.mean - stated) <= 2 * ours.std + UNCERTAINTY
    interval = f"{low:.2f} to {high:.2f} %" if len(ours.values) > 1 else ""
    return [what, f"{stated:g} %", f"{ours} %", interval, _agrees(agrees), "" if agrees else why]


def _agrees(holds: bool) -> str:
    return "yes" if holds else "no"
