"""LeNets that go to and come from the Hugging Face Hub, with their net and temperature in the configuration."""

from __future__ import annotations

from typing import Any

import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from lenet.nets.modules import LeNet
from lenet.network.spec import NETS, Activation
from lenet.network.weights import Weights


class HubLeNet(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="lenet",
    tags=["lenet", "lenet-5", "mnist", "image-classification"],
    license="mit",
):
    """A network by name, with the mixin's `save_pretrained`, `from_pretrained` and `push_to_hub`.

    Network input (n, 1, 32, 32) -> scores (n, k); divided by `temperature` and put through a softmax they are
    calibrated probabilities. `lenet.network.inputs.to_input` makes network input of 28x28 grey levels: 0 for paper
    becomes -0.1, 255 for pen 1.175, two pixels of paper all around.
    """

    def __init__(self, net: str, activation: Activation, temperature: float = 1.0) -> None:
        super().__init__()
        self.temperature = temperature
        self.net = LeNet(NETS[net].with_activation(activation))

    @classmethod
    def of(cls, weights: Weights) -> HubLeNet:
        """Return shipped or trained weights as such a network."""
        first: Any = weights.net.layers[0]
        model = cls(weights.net.name, first.activation, weights.temperature)
        model.net.load(weights.tensors)
        return model.eval()

    def forward(self, x: Tensor) -> Tensor:
        """Score network inputs."""
        return self.net(x)

    def probabilities(self, x: Tensor) -> Tensor:
        """Return calibrated probabilities (n, k) of network inputs."""
        return torch.softmax(self(x) / self.temperature, dim=1)
