"""What every network on an engine has: its weights, the engine, and how many threads it may use."""

from __future__ import annotations

from dataclasses import dataclass, field

from lenet.native.dispatch import chosen_engine
from lenet.network.spec import Net
from lenet.network.weights import Weights


@dataclass(frozen=True, repr=False)
class WeightedNetwork:
    """A network with its weights, on one engine.

    `engine` names what runs it: an instruction set of the native engine ("avx2", ...), or "reference", its NumPy
    twin. `threads` is how many it may use for one call (None: all cores that this process may use).
    """

    weights: Weights
    engine: str = field(default_factory=chosen_engine)
    threads: int | None = None

    def __repr__(self) -> str:
        named = self.weights.name or self.net.name
        trainable = sum(tensor.size for tensor in self.weights.tensors.values())
        return f"{type(self).__name__}({named!r}, {trainable:,} values, engine {self.engine})"

    def __getstate__(self) -> dict[str, object]:
        """Leave out what the native engine made of the weights: it is made again where it is needed."""
        return {name: value for name, value in self.__dict__.items() if name != "_model"}

    @property
    def net(self) -> Net:
        """The layer records of the network."""
        return self.weights.net
