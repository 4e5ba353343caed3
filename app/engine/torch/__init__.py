"""diffusers pipelines on PyTorch. Light to import: torch is imported when an engine is made."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.engine.contract import Engine


def make_engine() -> Engine:
    """A torch engine; the seconds of importing torch and diffusers happen here.

    What is imported stays: looking through it for garbage while it grows is a fifth of the time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        from app.engine.torch.engine import TorchEngine

        return TorchEngine()
    finally:
        if collecting:
            gc.enable()
