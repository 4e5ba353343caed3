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
from safetensors import safe_open

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
    with _damage_named(weights.headers[0].file):
        loaded = None
        if network.__module__.startswith("diffusers"):
            loaded = _assembled(network, folder / component, weights, dtype, channels_last)
        if loaded is None:
            loaded = _from_pretrained(network, folder / component, weights, dtype)
            if channels_last:
                loaded.to(memory_format=torch.channels_last)
    loaded.eval().requires_grad_(False)
    return loaded if device.type == "cpu" else loaded.to(device)


def _assembled(
    network: Any, place: Path, weights: Weights, dtype: torch.dtype, channels_last: bool
) -> Any:
    """The network made without weights of its own, which are then those of the file.

    Each is cast and laid out in one go; where nothing changes it stays mapped. None where the
    file's names are not the network's: diffusers knows the older ones.
    """
    with torch.device("meta"):
        empty = network.from_config(network.load_config(str(place)))
    if {name for header in weights.headers for name in header.shapes} != set(empty.state_dict()):
        return None
    tensors: dict[str, torch.Tensor] = {}
    for header in weights.headers:
        with safe_open(str(header.file), "pt") as file:
            for name in file.keys():  # noqa: SIM118 (it is no dictionary)
                tensor = file.get_tensor(name)
                last = channels_last and tensor.dim() == 4
                layout = torch.channels_last if last else torch.preserve_format
                tensors[name] = tensor.to(dtype, memory_format=layout)
    empty.load_state_dict(tensors, assign=True)
    return None if any(buffer.is_meta for buffer in empty.buffers()) else empty


def _from_pretrained(network: Any, place: Path, weights: Weights, dtype: torch.dtype) -> Any:
    arguments: dict[str, Any] = {"variant": weights.variant} if weights.variant else {}
    if network.__module__.startswith("diffusers"):
        arguments["low_cpu_mem_usage"] = False  # the other way needs a package Easel does without
    loaded, told = network.from_pretrained(
        str(place),
        dtype=dtype,
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
        **arguments,
    )
    if any(told.get(kind) for kind in ("missing_keys", "mismatched_keys", "error_msgs")):
        raise ModelDamaged(str(weights.headers[0].file), "mismatch")
    return loaded


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
