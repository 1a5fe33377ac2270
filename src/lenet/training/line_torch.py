"""A line network's steps in PyTorch, by the forward loss over all alignments of a text, on a GPU or a CPU."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lenet.arrays import Floats, Int32, Int64, Tensors, Uint8
from lenet.engine.learner import FIRST_STEPS, AdamW
from lenet.errors import TrainingError
from lenet.nets.modules import Convolve, LeNet, activate
from lenet.network.spec import LINE_LABELS, LINE_NETS, Net
from lenet.training.line_recipe import LineRecipe
from lenet.training.line_stream import LineBatch, count_columns
from lenet.training.synthetic.line_variation import Variation, draw_variation

# Widths (n,), and on the device strips (n, 32, w), labels (n, m) and counts (n,).
KeptLines = tuple[Int32, Tensor, Tensor, Tensor]


def column_scores(net: Net, scores: Tensor) -> Tensor:
    """Return a line network's output (n, columns * k, 1, w) column by column: (n, w * columns, k)."""
    n, maps, _one, width = scores.shape
    k = maps // net.columns
    return scores[:, :, 0].reshape(n, net.columns, k, width).permute(0, 3, 1, 2).reshape(n, width * net.columns, k)


class TorchLines:
    """A line network, the running average of its weights, and AdamW, on a device of PyTorch."""

    name = "torch"

    def __init__(self, recipe: LineRecipe, seed: int, initial: Tensors | None, device: str | None) -> None:
        try:
            self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
            torch.empty(1, device=self.device)
        except (RuntimeError, AssertionError) as error:
            raise TrainingError(f"device {device}", str(error).splitlines()[0], "try --device cpu") from error
        self.runs_on = f"PyTorch {torch.__version__}, {self.device}"
        self.recipe = recipe
        torch.manual_seed(seed)
        how: dict[str, Any] = {"batch_norm": recipe.batch_norm, "initialisation": "he", "seed": seed}
        self.net = LeNet(LINE_NETS[recipe.net], **how).to(self.device)
        if initial is not None:
            self.net.load(initial)
        self.kept = copy.deepcopy(self.net).requires_grad_(False)
        weights = [p for p in self.net.parameters() if p.ndim > 1]
        others = [p for p in self.net.parameters() if p.ndim <= 1]
        self.rule = rule = AdamW(recipe.weight_decay, averaging=recipe.averaging)
        groups = [{"params": weights, "weight_decay": rule.decay}, {"params": others, "weight_decay": 0.0}]
        fused = self.device.type == "cuda"
        self.optimiser = torch.optim.AdamW(
            groups, lr=recipe.rate, betas=(rule.first, rule.second), eps=rule.epsilon, fused=fused
        )
        self.steps = 0

    def keep(self, lines: LineBatch) -> KeptLines:
        """Return the lines of a pass on the device, with their widths, which stay here."""
        arrays = (lines.strips, lines.labels.astype(np.int64), lines.counts.astype(np.int64))
        strips, labels, counts = (torch.from_numpy(each).to(self.device) for each in arrays)
        return lines.widths, strips, labels, counts

    @torch.no_grad()
    def settle(self, strips: Uint8) -> None:
        """Set the normalisation, if there is any, so that weights without it, which a run starts from, say the same.

        On strips (n, 32, W): each map's own mean and deviation there become its shift and its gain.
        """
        if not self.recipe.batch_norm:
            return
        x = _to_input(torch.from_numpy(strips).to(self.device))
        for layer in self.net.net.layers:
            module = self.net.get_submodule(layer.name.lower())
            if not isinstance(module, Convolve) or module.norm is None:
                x = module(x)
                continue
            sums = F.conv2d(x, module.weight, module.bias, padding=module.padding)
            mean, variance = sums.mean((0, 2, 3)), sums.var((0, 2, 3), unbiased=False)
            found = {"running_mean": mean, "running_var": variance, "bias": mean}
            module.norm.load_state_dict({**module.norm.state_dict(), **found})
            module.norm.weight.copy_((variance + module.norm.eps).sqrt())
            x = activate(sums, module.activation)
        self.kept.load_state_dict(self.net.state_dict())

    def step(self, lines: KeptLines, rows: Int64, rng: np.random.Generator, share: float) -> Tensor:
        """Learn from those rows of kept lines; return the mean loss of a label, on the device."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.rate_at(share)
        chosen = torch.from_numpy(rows).to(self.device)
        strips, labels, counts = (each[chosen] for each in lines[1:])
        change = draw_variation(len(rows), strips.shape[2], rng)
        x = vary(strips, change, int(rng.integers(2**31)))
        columns = torch.from_numpy(count_columns(change.widen(lines[0][rows]), change.wanted, self.net.net))
        self.net.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            scores = column_scores(self.net.net, self.net(x.to(memory_format=torch.channels_last)))
        log_probs = F.log_softmax(scores.float(), 2).transpose(0, 1)
        targets = labels[:, : max(1, int(counts.max()))]
        sizes = columns.long().to(self.device), counts
        losses = F.ctc_loss(log_probs, targets, *sizes, len(LINE_LABELS), "none", zero_infinity=True)
        loss = (losses / (counts + 1)).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.rule.longest_step)
        self.optimiser.step()
        self.steps += 1
        self._average()
        return loss.detach()

    @torch.no_grad()
    def _average(self) -> None:
        share = 1 - min(self.rule.averaging, self.steps / (self.steps + FIRST_STEPS))
        kept, now = (
            [each for each in net.state_dict().values() if each.is_floating_point()] for net in (self.kept, self.net)
        )
        torch._foreach_lerp_(kept, now, share)

    @torch.no_grad()
    def scores(self, strips: Uint8) -> Floats:
        """Score strips (n, 32, W) by the kept weights: (n, columns, k)."""
        self.kept.eval()
        scores = self.kept(_to_input(torch.from_numpy(strips).to(self.device)))
        return column_scores(self.kept.net, scores).cpu().numpy()

    def weights(self) -> Tensors:
        """Return the kept tensors, normalisation folded."""
        return self.kept.folded()

    def state(self) -> Tensors:
        """Return all that a later pass goes on from, as named arrays."""
        named: Tensors = {"steps": np.array(self.steps)}
        for part, tensors in self._parts().items():
            named |= {f"{part}/{name}": tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}
        return named

    @torch.no_grad()
    def restore(self, state: Tensors) -> None:
        """Take up a state again. Raises TrainingError when it belongs to another recipe."""
        try:
            self.steps = int(state["steps"])
            for parameter in self.net.parameters():
                moments = {name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}
                step = torch.tensor(float(self.steps), device=self.device if self.device.type == "cuda" else None)
                self.optimiser.state[parameter] = {"step": step, **moments}
            for part, tensors in self._parts().items():
                for name, tensor in tensors.items():
                    tensor.copy_(torch.from_numpy(state[f"{part}/{name}"]))
        except (KeyError, RuntimeError) as error:
            raise TrainingError("state", f"does not fit this recipe ({error})", "start a new run") from error

    def _parts(self) -> dict[str, dict[str, Tensor]]:
        parts = {"net": dict(self.net.state_dict()), "kept": dict(self.kept.state_dict())}
        for moment in ("exp_avg", "exp_avg_sq"):
            parts[moment] = {
                name: self.optimiser.state[parameter][moment]
                for name, parameter in self.net.named_parameters()
                if moment in self.optimiser.state.get(parameter, {})
            }
        return parts


def _to_input(strips: Tensor) -> Tensor:
    """Map strips (n, 32, w) uint8 to network input (n, 1, 32, w), as `lenet.network.inputs.to_line_input` does."""
    return (strips.float() / 127.5 - 0.5)[:, None]


def vary(strips: Tensor, change: Variation, seed: int) -> Tensor:
    """Return strips (n, 32, w) as varied network input (n, 1, 32, w'), as `vary_lines` does without PyTorch."""
    x = _to_input(strips)
    gain, bias, noise = (
        torch.from_numpy(each).to(x.device)[:, None, None, None] for each in (change.gain, change.bias, change.noise)
    )
    generator = torch.Generator(x.device).manual_seed(seed)
    x = x * gain + bias + noise * torch.randn(x.shape, device=x.device, generator=generator)
    if not change.moved:
        return x
    n, _one, height, _width = x.shape
    rows = torch.tensor([[1.0, 0.0, 0.0], [change.lean, change.tall, change.drop]], device=x.device)
    grid = F.affine_grid(rows.expand(n, 2, 3), [n, 1, height, change.wanted], align_corners=False)
    return F.grid_sample(x, grid, "bilinear", "border", align_corners=False)
