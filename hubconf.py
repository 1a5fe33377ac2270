"""torch.hub: `torch.hub.load("PATH OR OWNER/REPOSITORY", "lenet5_modern")` gives a network with its shipped weights."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

dependencies = ["torch", "numpy", "safetensors"]

try:
    import lenet
except ImportError:  # as cloned by torch.hub, not installed
    sys.path.insert(0, str(Path(__file__).parent / "src"))
    import lenet


def _entry(name: str) -> Any:
    def entry(pretrained: bool = True) -> Any:
        return lenet.create_model(name, pretrained=pretrained)

    entry.__doc__ = (
        f"Return {name}: (n, 1, 32, 32) network input -> (n, k) scores; with its shipped weights, or drawn ones."
    )
    return entry


lenet5 = _entry("lenet5")
lenet5_modern = _entry("lenet5-modern")
lenet5_1998 = _entry("lenet5-1998")
lenet5_reader = _entry("lenet5-reader")
lenet5_wide = _entry("lenet5-wide")
