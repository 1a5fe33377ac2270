"""Which backend trains: the engine on the CPU, or PyTorch."""

from __future__ import annotations

from lenet.errors import MissingExtra, UsageError
from lenet.training.backend import Backend


def choose_backend(name: str, device: str | None) -> Backend:
    """Return the backend called `name`: "engine" or "torch".

    Raises UsageError for an unknown name or device, and MissingExtra when it needs what is not installed.
    """
    if name == "engine":
        if device not in (None, "cpu"):
            raise UsageError(f"device {device}", "the engine runs on the CPU", "use --backend torch for it")
        from lenet.training.engine_backend import EngineBackend

        return EngineBackend()
    if name != "torch":
        raise UsageError(f"backend {name!r}", "expected engine or torch")
    try:
        from lenet.training.torch_backend import TorchBackend
    except ImportError as error:
        raise MissingExtra(f"training with the {name} backend", "PyTorch", "torch") from error
    return TorchBackend(device)
