"""Reads one component of a model folder: header first, then weights, never a pickle, no network.

A component is loaded with the dtype it is computed with; where that is the file's own, weights
stay mapped from disk and loading costs a tenth of a second and a few megabytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from app.core.errors import EaselError, ModelDamaged, ModelIncomplete
from app.engine.model_folder import Weights, component_weights
from app.engine.torch.failures import is_out_of_memory


def load_network(
    network: type,
    folder: Path,
    component: str,
    dtype: torch.dtype,
    device: torch.device,
    channels_last: bool = False,
    stem: str | None = None,
) -> Any:
    """The network of class ``network`` in ``folder/component``, ready to run, no gradients.

    ``stem`` is as in ``component_weights``. Raises ModelIncomplete, ModelDamaged, OutOfMemory's
    torch forms.
    """
    weights = component_weights(folder, component, stem)
    file = weights.headers[0].file
    arguments: dict[str, Any] = {"variant": weights.variant} if weights.variant else {}
    if network.__module__.startswith("diffusers"):
        arguments["low_cpu_mem_usage"] = False  # the other way needs a package Easel does without
    with _damage_named(file):
        loaded, told = network.from_pretrained(  # type: ignore[attr-defined]
            str(folder / component),
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            **arguments,
        )
    if any(told.get(kind) for kind in ("missing_keys", "mismatched_keys", "error_msgs")):
        raise ModelDamaged(str(file), "mismatch")
    loaded.eval().requires_grad_(False)
    if channels_last:
        loaded.to(memory_format=torch.channels_last)
    return loaded if device.type == "cpu" else loaded.to(device)


def load_tokenizer(folder: Path, name: str) -> Any:
    """The CLIP tokenizer in ``folder/name``. Raises ModelIncomplete, ModelDamaged."""
    from transformers.models.clip.tokenization_clip import CLIPTokenizer

    place = folder / name
    if not place.is_dir():
        raise ModelIncomplete(str(folder), (f"{name}/tokenizer.json",))
    with _damage_named(place):
        return CLIPTokenizer.from_pretrained(str(place), local_files_only=True)


def damaged_file(weights: Weights, network: torch.nn.Module) -> Path | None:
    """The weight file when ``network`` has a NaN or infinity in it, else None. Reads all of it."""
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            return weights.headers[0].file
    return None


@contextmanager
def _damage_named(file: Path) -> Iterator[None]:
    """What a loader raises about its input, as ModelDamaged("mismatch") of ``file``."""
    try:
        yield
    except EaselError:
        raise
    except json.JSONDecodeError as error:
        raise ModelDamaged(str(file), "not JSON") from error
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise ModelDamaged(str(file), "mismatch") from error
