"""PyTorch: a folder that the Hub's mixin loads, with our card, and the same program as torch.export keeps it."""

from __future__ import annotations

import sys
import time
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lenet.errors import LenetError
from lenet.export.hub_cards import describe_for_hub
from lenet.files import replace_text
from lenet.nets.hub import HubLeNet
from lenet.network.inputs import to_input

if TYPE_CHECKING:
    from lenet.export import Export


def to_pytorch(asked: Export) -> dict[str, Any]:
    """Write the folder OUT, load it again as a stranger would, and compare both forms of it with the engine."""
    weights = asked.network.weights
    model = HubLeNet.of(weights)
    asked.out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(asked.out)
    if asked.card.is_file():  # weights that nobody wrote a card of go with the mixin's own
        replace_text(asked.out / "README.md", describe_for_hub(weights.name, asked.card.read_text(encoding="utf-8")))
    with redirect_stdout(sys.stderr):  # the mixin prints what it does
        again = HubLeNet.from_pretrained(str(asked.out), local_files_only=True)
    inputs = torch.from_numpy(to_input(asked.answers.glyphs))
    batch = torch.export.Dim("batch", min=1, max=65_536)
    program = torch.export.export(again.eval(), (inputs[:2],), dynamic_shapes={"x": {0: batch}})
    file = asked.out / "program.pt2"
    torch.export.save(program, file)
    loaded = torch.export.load(file).module()
    with torch.inference_mode():
        started = time.perf_counter()
        scores = np.concatenate([again(part).numpy() for part in inputs.split(1000)])
        seconds = time.perf_counter() - started
        exported = np.concatenate([loaded(part).numpy() for part in inputs.split(1000)])
    told = asked.answers.compared(str(asked.out), scores)
    apart = asked.answers.compared(str(file), exported)["largest_difference_of_a_score"]
    if weights.temperature != again.temperature:
        raise LenetError(asked.out, "the temperature was lost", "this export is not to be used")
    return {
        "run_by": f"PyTorch {torch.__version__}",
        **told,
        "largest_difference_of_the_exported_program": apart,
        "bytes": (asked.out / "model.safetensors").stat().st_size,
        "digits_per_second": round(len(scores) / seconds),
        "files": sorted(each.name for each in asked.out.iterdir()),
    }
