"""diffusers pipelines on PyTorch. Light to import: torch is imported when an engine is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.engine.contract import Engine


def make_engine() -> Engine:
    """A torch engine; the seconds of importing torch and diffusers happen here."""
    from app.engine.torch.engine import TorchEngine

    return TorchEngine()
