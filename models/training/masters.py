"""bf16 training on CPUs: a copy that computes, float32 masters that learn, and an average."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


class Masters:
    """A network three times: `master` (float32), `working` (bf16) and `average` (float32 EMA)."""

    def __init__(self, network: Any, rate: float) -> None:
        self.master = network
        self.average = copy.deepcopy(network)
        self.working = copy.deepcopy(network).to(torch.bfloat16)
        self.seen = 0
        self._slow: list[Tensor] = [p for p in self.master.parameters() if p.requires_grad]
        self._fast: list[Tensor] = [p for p in self.working.parameters() if p.requires_grad]
        self._mean: list[Tensor] = [p for p in self.average.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self._slow, lr=rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
        )

    def update(self, rate: float, keep: float) -> None:
        """Use the gradients of `working`: clip at 1, step, and move the average by 1 - keep."""
        for master, working in zip(self._slow, self._fast, strict=True):
            master.grad = None if working.grad is None else working.grad.float()
            working.grad = None
        nn.utils.clip_grad_norm_(self._slow, 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(self._mean, self._slow, 1 - keep)
            torch._foreach_copy_(self._fast, self._slow)

    def save(self, path: Path) -> None:
        """Write a checkpoint to resume from; a broken write never replaces a good one."""
        state = {
            "master": self.master.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "seen": self.seen,
        }
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    def resume(self, path: Path) -> None:
        """Continue from a checkpoint."""
        state: dict[str, Any] = torch.load(path, weights_only=True)
        self.master.load_state_dict(state["master"])
        self.working.load_state_dict(state["master"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        for group in self.optimizer.param_groups:
            group["fused"] = True  # older checkpoints say otherwise
        self.seen = int(state["seen"])


def averaging(updates: int, longest: float = 0.9995) -> float:
    """Share of the average that an update keeps: short memory at first, long at the end."""
    return min(longest, max(0.9, 1 - 8 / (updates + 10)))
