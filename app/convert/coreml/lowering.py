"""What coremltools 9.0 lacks or does wrongly, put right here and nowhere else."""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from coremltools.converters.mil import Builder, register_torch_op
from coremltools.converters.mil.frontend.torch.ops import _get_inputs
from coremltools.converters.mil.frontend.torch.torch_op_registry import _TORCH_OPS_REGISTRY
from coremltools.converters.mil.mil import types
from coremltools.converters.mil.mil.passes.graph_pass import AbstractGraphPass
from coremltools.converters.mil.mil.passes.pass_registry import PASS_REGISTRY
from torch import Tensor
from tqdm import tqdm  # type: ignore[import-untyped]

_FUSES_WRONGLY = "common::fuse_elementwise_to_batchnorm"
"""It gives an fp16 batch_norm a mean in fp32."""


@torch.library.custom_op("easel::channel_norm", mutates_args=())
def channel_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """Layer normalisation of x (batch, channels, ...) over dimension 1, in x's type."""
    last = torch.nn.functional.layer_norm(x.movedim(1, -1), weight.shape, weight, bias, eps)
    return last.movedim(-1, 1).contiguous()


@channel_norm.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:  # noqa: ARG001
    return torch.empty_like(x, memory_format=torch.contiguous_format)


def _lower_channel_norm(context: Any, node: Any) -> None:
    """One operation over axis 1, where torch's own would need two transpositions."""
    x, weight, bias, eps = _get_inputs(context, node, expected=4)
    kind = np.float16 if x.dtype == types.fp16 else np.float32
    context.add(
        Builder.layer_norm(
            x=x, axes=[1], gamma=weight, beta=bias, epsilon=kind(eps.val), name=node.name
        )
    )


def _lower_alias(context: Any, node: Any) -> None:
    """``alias`` gives another name to the same numbers."""
    (x,) = _get_inputs(context, node, expected=1)
    context.add(Builder.identity(x=x, name=node.name))


class _Nothing(AbstractGraphPass):  # type: ignore[misc]
    """A pass that leaves the program alone."""

    def apply(self, prog: Any) -> None:
        pass


@contextlib.contextmanager
def corrected_converter() -> Iterator[None]:
    """coremltools with our corrections, and quiet; as it was afterwards."""
    ours = {"easel::channel_norm": _lower_channel_norm, "alias": _lower_alias}
    for name, lower in ours.items():
        register_torch_op(lower, torch_alias=[name], override=True)
    harmful = PASS_REGISTRY.passes[_FUSES_WRONGLY]
    PASS_REGISTRY.passes[_FUSES_WRONGLY] = _Nothing
    monitor = tqdm.monitor_interval
    tqdm.monitor_interval = 0  # else a bar leaves a thread behind, and below a semaphore
    tqdm.set_lock(threading.RLock())
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        tqdm.monitor_interval = monitor
        PASS_REGISTRY.passes[_FUSES_WRONGLY] = harmful
        for name in ours:
            _TORCH_OPS_REGISTRY.name_to_func_mapping.pop(name, None)
