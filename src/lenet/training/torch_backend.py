"""Training steps in PyTorch, on a CPU, CUDA or MPS. The whole set lives in one tensor on the device."""

from __future__ import annotations

import copy
from math import ceil

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lenet.arrays import Float32, Tensors
from lenet.engine.warp import AFFINE, CONTROL, spline_basis
from lenet.errors import TrainingError, UsageError
from lenet.nets.modules import LeNet
from lenet.network.spec import BACKGROUND, INPUT_SIZE
from lenet.training.backend import Counts, Material
from lenet.training.plan import PassPlan
from lenet.training.ranks import Ranks
from lenet.training.recipe import Recipe

_SCORED_AT_ONCE = 1000
# Warped at once: large enough to amortise the call, small enough to stay in the cache.
_WARPED_AT_ONCE = 512


class Warper:
    """The warp of `lenet.engine.warp.warp` on a device: (n, 1, 32, 32) by (n, 56) parameters."""

    def __init__(self, device: torch.device) -> None:
        y, x = np.mgrid[:INPUT_SIZE, :INPUT_SIZE].reshape(2, -1) - (INPUT_SIZE - 1) / 2
        field = np.stack([x, y, np.ones_like(x)])
        self.field = torch.tensor(field, dtype=torch.float32, device=device)
        self.basis = torch.tensor(spline_basis(), dtype=torch.float32, device=device)

    def __call__(self, inputs: Tensor, parameters: Tensor) -> Tensor:
        """Return the warped inputs; outside is background."""
        affine = parameters[:, :AFFINE].reshape(-1, 2, 3) @ self.field
        elastic = parameters[:, AFFINE:].reshape(-1, 2, CONTROL**2) @ self.basis
        grid = ((affine + elastic) * (2 / INPUT_SIZE)).transpose(1, 2)
        grid = grid.reshape(-1, INPUT_SIZE, INPUT_SIZE, 2)
        # Zero outside means background, once the background is zero.
        ink = F.grid_sample(inputs - BACKGROUND, grid, "bilinear", "zeros", align_corners=False)
        return ink + BACKGROUND


class Replica:
    """One network with its optimiser and, if the recipe asks, the running average of its weights."""

    def __init__(self, recipe: Recipe, initial: Tensors, device: torch.device, ranks: Ranks) -> None:
        self.recipe, self.ranks = recipe, ranks
        self.net = LeNet(recipe.network(), batch_norm=recipe.batch_norm, dropout=recipe.dropout)
        self.net.load(initial)
        self.net.to(device)
        self.kept = copy.deepcopy(self.net).requires_grad_(False) if recipe.averaging else self.net
        self.steps = 0
        weights = [p for p in self.net.parameters() if p.ndim > 1]
        others = [p for p in self.net.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.SGD(
            [{"params": weights, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}],
            lr=recipe.rate,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
        )

    def step(self, x: Tensor, y: Tensor, wanted: Tensor, rate: float) -> tuple[Tensor, Tensor]:
        """Do one mini-batch; return the sum of its losses and its wrong answers, on the device.

        `wanted` is y again, or the probabilities that a teacher gives. Of several processes each takes its share of the
        batch; gradients are added up, so that the step is that of the whole batch.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        mine = self.ranks.share(len(y))
        whole, x, y, wanted = len(y), x[mine], y[mine], wanted[mine]
        scores = self.net(x)
        loss = self._loss(scores, wanted) * (len(y) / whole) if len(y) else scores.sum()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.ranks.add_up([parameter.grad for parameter in self.net.parameters() if parameter.grad is not None])
        self.optimiser.step()
        self.steps += 1
        if self.kept is not self.net:
            self._average()
        return loss.detach() * whole, (scores.detach().argmax(1) != y).sum()

    def _loss(self, scores: Tensor, y: Tensor) -> Tensor:
        scores = scores * self.recipe.unit
        if self.recipe.loss == "cross-entropy":
            return F.cross_entropy(scores, y, label_smoothing=self.recipe.label_smoothing)
        own = scores.gather(1, y[:, None])
        match self.recipe.loss:
            case "mean squared error":
                return F.mse_loss(scores, 2.0 * F.one_hot(y, scores.shape[1]) - 1.0)
            case "distance":
                return -own.mean()
            case "discriminative":
                junk = torch.full_like(own, -self.recipe.junk)
                return (torch.cat([scores, junk], 1).logsumexp(1, keepdim=True) - own).mean()

    @torch.no_grad()
    def _average(self) -> None:
        """Move the kept weights towards the present ones; at first they are the plain mean of all so far."""
        share = 1 - min(self.recipe.averaging, self.steps / (self.steps + 1))
        kept, now = _floating(self.kept), _floating(self.net)
        torch._foreach_lerp_(kept, now, share)


def _floating(net: LeNet) -> list[Tensor]:
    return [tensor for tensor in net.state_dict().values() if tensor.is_floating_point()]


class TorchBackend:
    """The `Backend` on PyTorch. `device` is a name for `torch.device`; None takes CUDA if present, else the CPU."""

    name = "torch"

    def __init__(self, device: str | None = None) -> None:
        try:
            self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
            torch.empty(1, device=self.device)
        except (RuntimeError, AssertionError) as error:
            first_line = str(error).splitlines()[0]
            raise TrainingError(f"device {device}", first_line, "try --device cpu") from error
        self.ranks = Ranks.here()
        self.ranks.join(self.device.type)
        together = f", {self.ranks.count} processes" if self.ranks.count > 1 else ""
        self.runs_on = f"PyTorch {torch.__version__}, {self.device}{together}"
        self.replicas: list[Replica] = []

    def require(self, recipe: Recipe) -> None:
        """Raise UsageError for a rate per parameter, and for numbers."""
        if recipe.numbers:
            problem = "whole numbers are learned on the engine alone"
            raise UsageError(f"recipe {recipe.name}, numbers {recipe.numbers}", problem, "use --backend engine")
        if recipe.curvature_patterns:
            problem = "PyTorch's SGD has one rate for all parameters"
            raise UsageError(f"recipe {recipe.name}, curvature_patterns", problem, "use --backend engine")
        if recipe.batch_norm and self.ranks.count > 1:
            raise UsageError(f"recipe {recipe.name}, batch_norm", "needs whole mini-batches", "train it in one process")

    def begin(self, recipe: Recipe, initial: list[Tensors], material: Material) -> None:
        """Take what there is to learn from, and each replica's initial tensors; a recipe with numbers was refused."""
        self.recipe = recipe
        self.inputs = torch.from_numpy(material.inputs).to(self.device)
        self.labels = torch.from_numpy(material.labels.astype(np.int64)).to(self.device)
        self.warper = Warper(self.device)
        self.teacher = material.teacher
        self.replicas = [Replica(recipe, tensors, self.device, self.ranks) for tensors in initial]

    def run(self, plans: list[PassPlan], first: int, last: int) -> list[Counts]:
        """Do the steps `first` to `last` - 1 of a pass, replica by replica."""
        devices = [self.device] if self.device.type == "cuda" else []
        # On a GPU, too, the same seed must give the same weights.
        exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
        with torch.random.fork_rng(devices), exact:
            return [self._run(*pair, first, last) for pair in zip(self.replicas, plans, strict=True)]

    def _run(self, replica: Replica, plan: PassPlan, first: int, last: int) -> Counts:
        torch.manual_seed((plan.noise + first) % 2**63)
        batch = self.recipe.batch
        shown = slice(first * batch, last * batch)
        rows = torch.from_numpy(plan.order[shown]).to(self.device)
        x, y = self.inputs[rows], self.labels[rows]
        if plan.distortions is not None:
            parameters = torch.from_numpy(plan.distortions[shown]).to(self.device)
            parts = zip(x.split(_WARPED_AT_ONCE), parameters.split(_WARPED_AT_ONCE), strict=True)
            x = torch.cat([self.warper(*part) for part in parts])
        replica.net.train()
        rates = plan.rates[first:last].tolist()
        wanted = y
        if self.teacher:
            wanted = torch.from_numpy(self.teacher(x.cpu().numpy(), plan.order[shown])).to(self.device)
        pieces = zip(x.split(batch), y.split(batch), wanted.split(batch), rates, strict=True)
        seen = [replica.step(*each) for each in pieces]
        counts = torch.stack([torch.stack(column).sum().double() for column in zip(*seen, strict=True)])
        self.ranks.add_up([counts])
        losses, errors = counts.tolist()
        return Counts(losses, int(errors))

    @torch.no_grad()
    def scores(self, inputs: Float32) -> list[Float32]:
        """Score inputs (n, 1, 32, 32) -> (n, k) with each replica's kept weights."""
        answers = []
        for replica in self.replicas:
            replica.kept.eval()
            pieces = np.array_split(inputs, max(1, ceil(len(inputs) / _SCORED_AT_ONCE)))
            scored = [replica.kept(torch.from_numpy(piece).to(self.device)).cpu().numpy() for piece in pieces]
            answers.append(np.concatenate(scored))
        return answers

    def weights(self) -> list[Tensors]:
        """Return each replica's kept tensors, normalisation folded."""
        return [replica.kept.folded() for replica in self.replicas]

    def state(self) -> Tensors:
        """Return the networks, their averages, the momentum and the step counts as named arrays."""
        named: Tensors = {}
        for number, replica in enumerate(self.replicas):
            for part, tensors in self._parts(replica).items():
                for name, tensor in tensors.items():
                    named[f"{number}/{part}/{name}"] = tensor.detach().cpu().numpy().copy()
            named[f"{number}/steps"] = np.array(replica.steps)
        return named

    @torch.no_grad()
    def restore(self, state: Tensors) -> None:
        """Take up a state again. Raises TrainingError when it belongs to another recipe."""
        try:
            for number, replica in enumerate(self.replicas):
                for parameter in replica.net.parameters() if self.recipe.momentum else ():
                    replica.optimiser.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
                for part, tensors in self._parts(replica).items():
                    for name, tensor in tensors.items():
                        tensor.copy_(torch.from_numpy(state[f"{number}/{part}/{name}"]))
                replica.steps = int(state[f"{number}/steps"])
        except (KeyError, RuntimeError) as error:
            raise TrainingError("state", f"does not fit this recipe ({error})", "start a new run") from error

    def _parts(self, replica: Replica) -> dict[str, dict[str, Tensor]]:
        momentum = {
            name: replica.optimiser.state[parameter]["momentum_buffer"]
            for name, parameter in replica.net.named_parameters()
            if replica.optimiser.state.get(parameter, {}).get("momentum_buffer") is not None
        }
        parts = {"net": dict(replica.net.state_dict()), "momentum": momentum}
        if replica.kept is not replica.net:
            parts["kept"] = dict(replica.kept.state_dict())
        return parts
