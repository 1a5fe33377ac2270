"""The named recipes, each with its provenance."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lenet.training.distortions import FIGURE_7, Ranges
from lenet.training.recipe import Recipe

_TAUGHT = Recipe(
    name="modern",
    net="lenet5-modern",
    provenance="the recipe of today's courses: ReLU, max pooling, cross-entropy, SGD 0.01 with momentum 0.9, "
    "weight decay 1e-4, a tenth of the rate every 10 passes, 20 passes, batches of 64",
)

_PAPER = Recipe(
    name="paper",
    net="lenet5-1998",
    provenance="section III.B of the 1998 paper: one pattern at a time, 20 passes, a rate for each parameter, "
    "re-estimated before every pass; what it leaves open was chosen on held-out writers (docs/1998.md)",
    loss="discriminative",
    junk=8.0,
    unit=0.5,
    passes=20,
    batch=1,
    rate=5e-4,
    schedule="1998",
    momentum=0.0,
    weight_decay=0.0,
    initialisation="efficient-backprop",
    hold_out=False,
    watch=True,
    curvature_patterns=500,
    order="constant",
)
# Squared errors of ten outputs: lenet's loss is their mean, 0.2 times the half sum of 1998, and mu goes with it.
_SQUARES: dict[str, Any] = {"loss": "mean squared error", "junk": 0.0, "unit": 1.0, "mu": 0.02 * 0.2}
_UNWATCHED = replace(_PAPER, watch=False)
_GENTLE = Ranges(zoom=0.15, squeeze=0.05, shear=0.14, shift=1.0)
_CHARACTERS: dict[str, Any] = {
    "rate": 1.5e-3,
    "passes": 40,
    "order": "new",
    "characters": 100,
    "hold_out": True,
    "distortions": Ranges(zoom=0.1, squeeze=0.06, rotation=0.06, shear=0.12, shift=0.8),
}
_1998 = (
    _PAPER,
    replace(
        _UNWATCHED,
        name="paper-distorted-as-written",
        provenance="section III.B: a pool of the 60,000 patterns and 540,000 distorted ones, by the ranges recovered "
        "from Fig. 7",
        distortions=FIGURE_7,
        pool=10,
    ),
    replace(
        _UNWATCHED,
        name="paper-distorted",
        provenance="the paper's recipe on distortions chosen on held-out writers: half of Fig. 7's zoom, squeeze and "
        "shift, all of its shear, drawn anew for every presentation",
        distortions=_GENTLE,
        order="new",
    ),
    replace(
        _UNWATCHED,
        name="ascii",
        net="lenet5-ascii",
        provenance="LeNet-5 for the 94 printable signs of ASCII, by the codes that Fig. 3 has for them and the paper's "
        "recipe; the rate, the penalty of the rubbish class and slight distortions were chosen on held-out writers",
        junk=60.0,
        **_CHARACTERS,
    ),
    replace(
        _UNWATCHED,
        name="ascii-softmax",
        net="lenet5-ascii-softmax",
        provenance="the same with a linear output and cross-entropy in place of the codes; at the rate of the codes it "
        "does not learn, so at the paper's",
        loss="cross-entropy",
        junk=0.0,
        unit=1.0,
        **{**_CHARACTERS, "rate": 5e-4},
    ),
    replace(
        _UNWATCHED,
        name="paper-lenet1",
        net="lenet1",
        provenance="LeNet-1 by the paper's recipe for LeNet-5, on squared errors with targets of -1 and +1",
        **_SQUARES,
    ),
    replace(
        _UNWATCHED,
        name="paper-lenet4",
        net="lenet4",
        provenance="LeNet-4 by the paper's recipe for LeNet-5, on squared errors with targets of -1 and +1",
        **_SQUARES,
    ),
    replace(
        _UNWATCHED,
        name="paper-lenet4-distorted",
        net="lenet4",
        provenance="one of the three networks of boosted LeNet-4, on the distortions of paper-distorted",
        distortions=_GENTLE,
        order="new",
        **_SQUARES,
    ),
)

_TEACHER = Recipe(
    name="teacher",
    net="lenet5-large",
    provenance="one of several large networks that teach a small one: affine and elastic distortions, strong weight "
    "decay, and the running average of weights that keep moving; chosen on held-out writers",
    passes=40,
    batch=128,
    rate=0.1,
    schedule="cosine",
    floor=0.3,
    nesterov=True,
    weight_decay=5e-4,
    averaging=0.9997,
    initialisation="he",
    distortions=Ranges(zoom=0.1, squeeze=0.07, rotation=0.1, shear=0.1, shift=1.0, elastic=2.0),
)

_READER = Recipe(
    name="reader",
    net="lenet5-reader",
    provenance="for pictures of numbers: MNIST and synthetic training data, slightly distorted, as "
    "lenet5-wide says what it is; the running average of weights that keep moving",
    teacher="lenet5-wide",
    passes=48,
    batch=128,
    rate=0.05,
    schedule="cosine",
    floor=0.3,
    nesterov=True,
    weight_decay=1e-4,
    averaging=0.9997,
    initialisation="he",
    synthetic=1.0,
    distortions=Ranges(zoom=0.06, squeeze=0.05, rotation=0.06, shear=0.06, shift=0.7, elastic=1.2),
)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        _TAUGHT,
        Recipe(
            name="quick",
            net="lenet5-modern",
            provenance="a good network in seconds: a few passes of a high rate that falls along a cosine, over "
            "slightly distorted digits; passes and distortions chosen on held-out writers, over five seeds",
            passes=5,
            rate=0.05,
            schedule="cosine",
            nesterov=True,
            initialisation="he",
            averaging=0.99,
            distortions=Ranges(zoom=0.08, squeeze=0.05, rotation=0.08, shear=0.08, shift=0.8),
        ),
        Recipe(
            name="lenet5",
            net="lenet5",
            provenance="the network everybody draws, without augmentation: squash, average pooling, and the running "
            "average of weights that keep moving; rates, decay and dropout chosen on held-out writers",
            passes=25,
            rate=0.05,
            schedule="cosine",
            floor=0.3,
            nesterov=True,
            weight_decay=5e-4,
            dropout=0.3,
            initialisation="efficient-backprop",
            averaging=0.9997,
        ),
        _TEACHER,
        replace(
            _TEACHER,
            name="taught",
            net="lenet5-modern",
            provenance="61,706 weights learn what five large networks say of MNIST's distorted digits "
            "(lenet train --recipe teacher --replicas 5); chosen on held-out writers",
            teacher="runs/teacher-seed0",
            softness=3.0,
            passes=250,
            rate=0.2,
            weight_decay=5e-5,
            averaging=0.9999,
            cycle=20,
        ),
        replace(
            _TEACHER,
            name="characters",
            net="lenet5-characters",
            provenance="for codes of letters and digits: UNIPEN's characters, by the teacher's recipe with milder "
            "distortions and more shear",
            passes=40,
            characters=100,
            distortions=Ranges(zoom=0.1, squeeze=0.07, rotation=0.07, shear=0.14, shift=1.0, elastic=1.5),
        ),
        Recipe(
            name="best",
            net="lenet5-modern",
            provenance="for accuracy: affine and elastic distortions, batch normalisation, and the running average of "
            "weights that keep moving; ranges and rates chosen on held-out writers",
            passes=45,
            batch=128,
            rate=0.1,
            schedule="cosine",
            floor=0.3,
            nesterov=True,
            weight_decay=1e-4,
            averaging=0.9997,
            batch_norm=True,
            initialisation="he",
            distortions=Ranges(zoom=0.1, squeeze=0.07, rotation=0.1, shear=0.1, shift=1.0, elastic=2.0),
        ),
        _READER,
        replace(
            _READER,
            name="wide",
            net="lenet5-wide",
            provenance="the reader's recipe for a wider network, by the labels themselves and from stronger "
            "distortions: the reader's teacher",
            teacher="",
            passes=48,
            distortions=Ranges(zoom=0.1, squeeze=0.07, rotation=0.1, shear=0.1, shift=1.0, elastic=2.0),
        ),
        replace(
            _READER,
            name="hands",
            net="lenet5-wide",
            provenance="the recipe of the reader's teacher on more hands: UNIPEN's digits among MNIST's, its letters "
            "as what is no digit",
            teacher="",
            passes=32,
            hands=24,
            distortions=Ranges(zoom=0.1, squeeze=0.07, rotation=0.1, shear=0.1, shift=1.0, elastic=2.0),
        ),
        replace(
            _READER,
            name="numbers",
            provenance="the paper's global training (section VI): numbers as a whole, through the graph of their "
            "segmentations, beside the reader's training data, from a reader's weights (--init)",
            passes=3,
            rate=0.01,
            floor=0.1,
            numbers=8,
            pull=2.0,
        ),
        replace(
            _READER,
            name="sweep",
            provenance="for sliding along a line, as in section VII: a digit between two others at gaps of -1 to 4 "
            "pixels, or nothing, at most a tenth of the pixels inverted; the eleventh output is the blank",
            teacher="",
            passes=16,
            synthetic=0.0,
            windows=True,
            distortions=Ranges(zoom=0.1, squeeze=0.07, rotation=0.07, shear=0.1, shift=0.5, elastic=1.5),
        ),
        Recipe(
            name="corrections",
            net="lenet5-reader",
            provenance="a few passes at a low rate over a folder's corrected digits among MNIST's, of which is learned "
            "what the weights that it starts from (--init) say of them",
            passes=4,
            batch=32,
            rate=0.004,
            schedule="cosine",
            nesterov=True,
            weight_decay=1e-4,
            averaging=0.99,
            mix=True,
            distortions=Ranges(zoom=0.08, squeeze=0.05, rotation=0.08, shear=0.08, shift=0.8),
        ),
        *_1998,
    )
}
