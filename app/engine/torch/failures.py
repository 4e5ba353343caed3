"""Turns what torch, diffusers and safetensors raise into the errors Easel knows."""

from __future__ import annotations

import torch

from app.core.errors import Bug, EaselError, OutOfMemory

_NO_MEMORY = ("can't allocate memory", "out of memory", "failed to allocate", "not enough memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that memory ran out, in any of torch's ways of saying it."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(
        words in str(error).lower() for words in _NO_MEMORY
    )


def typed(error: Exception, free: int) -> EaselError:
    """``error`` as one of ours; what nobody expected is a Bug. ``free`` in bytes, 0 unknown."""
    if isinstance(error, EaselError):
        return error
    if is_out_of_memory(error):
        return OutOfMemory(free=free)
    return Bug.of(error)
