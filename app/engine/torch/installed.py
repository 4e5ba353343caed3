"""Whether the drawing libraries are really there, and not only their names.

diffusers and transformers put a stand-in class (``DummyObject``) where something they need is
missing; importing it works and using it does not. A bundle that lacks a module looks like that.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from app.core.errors import ProgramIncomplete

if TYPE_CHECKING:
    from app.engine.contract import Engine, EngineFactory

USED = (
    ("diffusers", "StableDiffusionPipeline"),
    ("diffusers", "StableDiffusionImg2ImgPipeline"),
    ("diffusers", "StableDiffusionXLPipeline"),
    ("diffusers", "StableDiffusionXLImg2ImgPipeline"),
    ("diffusers", "UNet2DConditionModel"),
    ("diffusers", "AutoencoderKL"),
    ("diffusers", "AutoencoderTiny"),
    ("diffusers", "DPMSolverMultistepScheduler"),
    ("diffusers", "EulerDiscreteScheduler"),
    ("diffusers", "EulerAncestralDiscreteScheduler"),
    ("diffusers", "DDIMScheduler"),
    ("diffusers", "PNDMScheduler"),
    ("diffusers", "UniPCMultistepScheduler"),
    ("diffusers", "HeunDiscreteScheduler"),
    ("diffusers", "LCMScheduler"),
    ("transformers", "CLIPTextModel"),
    ("transformers", "CLIPTextModelWithProjection"),
    ("transformers", "CLIPTokenizer"),
)
"""(library, class) of what Easel draws with."""


def make_checked(make_engine: EngineFactory) -> Engine:
    """The engine of ``make_engine``, once ``USED`` is known to be real. Raises ProgramIncomplete.

    Belongs in the child process: it imports torch.
    """
    import transformers

    # It would advise to install torchvision.
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    missing = not_real(USED)
    if missing:
        raise ProgramIncomplete(missing)
    return make_engine()


def not_real(classes: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Those of ``classes`` that are missing or stand-ins, as "diffusers.PNDMScheduler"."""
    return tuple(f"{library}.{name}" for library, name in classes if not _is_real(library, name))


def _is_real(library: str, name: str) -> bool:
    try:
        found = getattr(importlib.import_module(library), name)
    except (ImportError, AttributeError, RuntimeError):  # RuntimeError: a lazy import failed
        return False
    return isinstance(found, type) and type(found).__name__ != "DummyObject"
