"""What a Mac is made of, as far as it decides where pictures are drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mac:
    """``memory`` in bytes; cores 0 where macOS did not say. ``macos``: (14, 5). ``build``: "23F79".

    ``apple_silicon`` is false for Intel, which has no Neural Engine.
    """

    chip: str
    performance_cores: int
    gpu_cores: int
    memory: int
    macos: tuple[int, int]
    build: str
    apple_silicon: bool = True
