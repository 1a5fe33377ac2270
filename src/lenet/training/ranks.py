"""Several processes that train one network together, as torchrun starts them: each takes a share of every batch."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this is; alone it is rank 0 of 1, and nothing is sent."""

    rank: int = 0
    count: int = 1

    @classmethod
    def here(cls) -> Ranks:
        """Return what torchrun says in the environment."""
        return cls(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))

    @property
    def first(self) -> bool:
        """Whether this is the process that keeps the record."""
        return self.rank == 0

    def join(self, device_type: str) -> None:
        """Meet the other processes, if there are any."""
        if self.count > 1:
            from torch import distributed

            if not distributed.is_initialized():
                distributed.init_process_group("nccl" if device_type == "cuda" else "gloo")

    def share(self, n: int) -> slice:
        """Return which of n rows are this process's: shares differ by one row at most."""
        return slice(n * self.rank // self.count, n * (self.rank + 1) // self.count)

    def add_up(self, values: list[Tensor]) -> None:
        """Replace each tensor by the sum over all processes, in one message."""
        if self.count > 1:
            from torch import cat, distributed

            flat = cat([each.reshape(-1) for each in values])
            distributed.all_reduce(flat)
            start = 0
            for each in values:
                each.copy_(flat[start : start + each.numel()].view_as(each))
                start += each.numel()
