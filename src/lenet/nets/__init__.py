"""The networks for users of PyTorch, and the oracle of the engines."""

from __future__ import annotations

from lenet.nets.modules import LeNet
from lenet.network.spec import NETS, Activation
from lenet.network.weights import load_weights

__all__ = ["LeNet", "create_model"]


def create_model(
    name: str,
    pretrained: bool = False,
    *,
    activation: Activation | None = None,
    batch_norm: bool = False,
    dropout: float = 0.0,
    initialisation: str = "torch",
    seed: int = 0,
) -> LeNet:
    """Build a network of the table as a `torch.nn.Module`: (n, 1, 32, 32) float32 -> (n, k) scores.

    `pretrained` loads the shipped weights of the same name, which have their own activation and no batch
    normalisation. Inputs come from `lenet.network.inputs.to_input`. Raises ValueError for an unknown name.
    """
    if name not in NETS:
        raise ValueError(f"network {name!r}: expected one of {', '.join(NETS)}")
    if pretrained and (batch_norm or activation):
        raise ValueError("pretrained weights have their activation, and batch normalisation folded in: give neither")
    weights = load_weights(name) if pretrained else None
    net = weights.net if weights else NETS[name].with_activation(activation) if activation else NETS[name]
    model = LeNet(net, batch_norm=batch_norm, dropout=dropout, initialisation=initialisation, seed=seed)
    if weights:
        model.load(weights.tensors)
    return model
