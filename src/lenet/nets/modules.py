"""The networks as PyTorch modules: they walk the layer records of `lenet.network.spec` and accept wider fields."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lenet.arrays import Tensors
from lenet.network.initialisation import connection_mask, draw_tensors
from lenet.network.spec import (
    INPUT_SIZE,
    SQUASH_AMPLITUDE,
    SQUASH_SLOPE,
    Activation,
    Codes,
    Convolution,
    Layer,
    Net,
    Subsampling,
    code,
)
from lenet.network.summary import find_normalised


def activate(x: Tensor, activation: Activation) -> Tensor:
    """Apply an activation to each value; any shape in, the same shape out."""
    match activation:
        case "squash":
            return SQUASH_AMPLITUDE * torch.tanh(SQUASH_SLOPE * x)
        case "relu":
            return F.relu(x)
        case "sigmoid":
            return torch.sigmoid(x)
        case "none":
            return x


class Convolve(nn.Module):
    """(n, maps_in, h, w) -> (n, maps, h - size + 1, w - size + 1): convolution, bias, [norm], activation.

    Kernels outside the connection table are held at zero by a mask. `normalise` puts batch normalisation
    between the sums and the activation; `fold` gives the weights and biases of the same map without it.
    """

    mask: Tensor | None

    def __init__(self, layer: Convolution, maps_in: int, normalise: bool, dropout: float) -> None:
        super().__init__()
        self.activation: Activation = layer.activation
        self.dropout = dropout
        self.padding = layer.padding
        self.weight = nn.Parameter(torch.empty(layer.maps, maps_in, *layer.kernel))
        self.bias = nn.Parameter(torch.empty(layer.maps))
        self.norm = nn.BatchNorm2d(layer.maps) if normalise else None
        mask = None
        if layer.table is not None:
            mask = torch.from_numpy(connection_mask(layer, maps_in))[:, :, None, None].float()
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Run the layer; see the class for the shapes."""
        weight = self.weight if self.mask is None else self.weight * self.mask
        if x.shape[2:] == weight.shape[2:] and not any(
            self.padding
        ):  # one position: a matrix product, faster than a convolution
            x = F.linear(x.flatten(1), weight.flatten(1), self.bias)[:, :, None, None]
        else:
            x = F.conv2d(x, weight, self.bias, padding=self.padding)
        if self.norm is not None:
            x = self.norm(x)
        return F.dropout(activate(x, self.activation), self.dropout, self.training)

    def fold(self) -> tuple[Tensor, Tensor]:
        """Return weight (maps, maps_in, s, s) and bias (maps,) with the normalisation multiplied in."""
        weight = self.weight if self.mask is None else self.weight * self.mask
        if self.norm is None:
            return weight, self.bias
        mean, variance = self.norm.running_mean, self.norm.running_var
        assert mean is not None
        assert variance is not None
        gain = self.norm.weight / torch.sqrt(variance + self.norm.eps)
        return weight * gain[:, None, None, None], (self.bias - mean) * gain + self.norm.bias


class Subsample(nn.Module):
    """(n, maps, h, w) -> (n, maps, h // 2, w // 2): the paper's trainable sum, a mean or a maximum."""

    def __init__(self, layer: Subsampling, maps: int) -> None:
        super().__init__()
        self.kind, self.activation, self.copies = layer.kind, layer.activation, layer.copies
        self.window = layer.window
        if layer.kind == "trainable":
            self.coefficient = nn.Parameter(torch.empty(maps * layer.copies))
            self.bias = nn.Parameter(torch.empty(maps * layer.copies))

    def forward(self, x: Tensor) -> Tensor:
        """Run the layer; see the class for the shapes."""
        x = F.max_pool2d(x, self.window) if self.kind == "max" else F.avg_pool2d(x, self.window)
        x = x.repeat(1, self.copies, 1, 1)
        if self.kind == "trainable":
            x = x * (4 * self.coefficient[:, None, None]) + self.bias[:, None, None]
        return activate(x, self.activation)


class MatchCodes(nn.Module):
    """(n, 84, h, w) -> (n, k, h, w): minus the squared distance to each fixed code (equation 7)."""

    codes: Tensor

    def __init__(self, layer: Codes) -> None:
        super().__init__()
        codes = torch.tensor([code(ord(character)) for character in layer.characters])
        self.register_buffer("codes", codes.float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Run the layer; see the class for the shapes."""
        return -((x[:, None] - self.codes[None, :, :, None, None]) ** 2).sum(2)


class LeNet(nn.Module):
    """A network of `spec.NETS`: (n, 1, 32, 32) -> (n, k) scores, or (n, 1, H, W) -> (n, k, h, w).

    A wider field gives a map of scores, equal to sliding the 32x32 network at a step of 4 pixels. The layers
    are attributes named as in the paper: `c1`, `s2`, ... Scores are higher for a better match.

    `batch_norm` puts normalisation after C1 and C3 and `dropout` drops outputs of C5 and F6, both in
    training only: `folded` has neither.
    """

    def __init__(
        self, net: Net, *, batch_norm: bool = False, dropout: float = 0.0, initialisation: str = "torch", seed: int = 0
    ) -> None:
        super().__init__()
        self.net = net
        maps = 1
        for layer in net.layers:
            module = self._module(layer, maps, batch_norm, dropout)
            self.add_module(layer.name.lower(), module)
            maps = getattr(layer, "maps", maps) * getattr(layer, "copies", 1)
        self.load(draw_tensors(net, initialisation, np.random.default_rng(seed)))

    def _module(self, layer: Layer, maps: int, batch_norm: bool, dropout: float) -> nn.Module:
        if isinstance(layer, Convolution):
            dropped = layer not in find_normalised(self.net) and layer is not self.net.layers[-1]
            return Convolve(layer, maps, batch_norm and layer in find_normalised(self.net), dropout * dropped)
        return Subsample(layer, maps) if isinstance(layer, Subsampling) else MatchCodes(layer)

    def forward(self, x: Tensor) -> Tensor:
        """Score network inputs; see the class for the shapes. Raises ValueError for glyphs that were not padded."""
        if x.ndim != 4 or min(x.shape[2:]) < INPUT_SIZE:  # noqa: PLR2004
            expected = f"expected (n, 1, {INPUT_SIZE}, {INPUT_SIZE}) or wider"
            remedy = "lenet.network.inputs.to_input makes it of glyphs (n, 28, 28)"
            raise ValueError(f"input of shape {tuple(x.shape)}: {expected}; {remedy}")
        square = x.shape[2:] == (INPUT_SIZE, INPUT_SIZE) and not self.net.reads_lines
        margin = self.net.margin
        if margin:
            x = x[:, :, margin:-margin, margin:-margin]
        for layer in self.net.layers:
            x = self.get_submodule(layer.name.lower())(x)
        return x[:, :, 0, 0] if square else x

    @torch.no_grad()
    def load(self, tensors: Tensors) -> None:
        """Copy named tensors, as in a weights file, into the parameters; normalisation is left as it is."""
        parameters = dict(self.named_parameters())
        for name, tensor in tensors.items():
            parameters[name].copy_(torch.tensor(tensor))

    @torch.no_grad()
    def folded(self) -> Tensors:
        """Return the named tensors of a weights file: on the CPU, normalisation folded, table zeros in place."""
        tensors: Tensors = {}
        for layer in self.net.layers:
            name = layer.name.lower()
            module = self.get_submodule(name)
            if isinstance(module, Convolve):
                weight, bias = module.fold()
                tensors[f"{name}.weight"], tensors[f"{name}.bias"] = _numpy(weight), _numpy(bias)
            elif isinstance(module, Subsample) and module.kind == "trainable":
                tensors[f"{name}.coefficient"] = _numpy(module.coefficient)
                tensors[f"{name}.bias"] = _numpy(module.bias)
        return tensors


def _numpy(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().copy()
