"""ONNX: from 28x28 grey levels to scores and probabilities, and from a line of writing to a map of scores."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from lenet.errors import LenetError
from lenet.export.onnx_graph import glyph_model, wide_model
from lenet.files import replacing
from lenet.network.inputs import to_wide_input

if TYPE_CHECKING:
    from lenet.export import Export

# The largest difference of a wide field's scores, as a share of the largest score.
_WIDE = 1e-5


def to_onnx(asked: Export) -> dict[str, Any]:
    """Write OUT and OUT-wide, run both in ONNX Runtime, and tell how far they are from the engine."""
    weights, wide_out = asked.network.weights, asked.out.with_name(f"{asked.out.stem}-wide{asked.out.suffix}")
    graph, wide = glyph_model(weights), wide_model(weights)
    session = _session(graph)
    started = time.perf_counter()
    scores, probs = session.run(["scores", "probabilities"], {"glyphs": asked.answers.glyphs})
    seconds = time.perf_counter() - started
    told = asked.answers.compared(str(asked.out), scores)
    apart = float(np.abs(probs - asked.network.probabilities(asked.answers.glyphs)).max())
    greys = np.concatenate([np.pad(each, 2) for each in asked.answers.glyphs[:12]], axis=1)
    ours = asked.network.forward(to_wide_input(greys))
    theirs = _session(wide).run(["scores"], {"greys": greys[None]})[0]
    far = float(np.abs(ours - theirs).max())
    if far > _WIDE * float(np.abs(ours).max()):
        raise LenetError(wide_out, f"scores differ by {far:g}", "this export is not to be used")
    for path, data in ((asked.out, graph), (wide_out, wide)):
        with replacing(path) as temporary:
            temporary.write_bytes(data)
    return {
        "run_by": f"ONNX Runtime {onnxruntime.__version__}",
        **told,
        "largest_difference_of_a_probability": apart,
        "largest_difference_of_a_wide_score": far,
        "bytes": len(graph),
        "digits_per_second": round(len(scores) / seconds),
        "files": [asked.out.name, wide_out.name],
    }


def _session(graph: bytes) -> Any:
    return onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
