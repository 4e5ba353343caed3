"""A runtime whose models are the stock torch modules of a diffusers folder.

It stands where Core ML stands: names, shapes and types are those of converted packages, and every
value that goes in is held to them. ``write_folder`` makes the folder that an engine draws from.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from app.core.coreml_manifest import (
    FILE_NAME,
    STEMS,
    CoreMLManifest,
    FeatureSpec,
    FunctionSpec,
    Part,
    PartSpec,
    Units,
    to_json,
)
from app.core.errors import ModelDamaged, ModelIncomplete, PredictionFailed
from app.core.recipe import Size
from app.engine.coreml.runtime import Array
from app.engine.model_folder import read_model

COMPONENTS = {
    Part.UNET: "unet",
    Part.TEXT_ENCODER: "text_encoder",
    Part.TEXT_ENCODER_2: "text_encoder_2",
    Part.VAE_DECODER: "vae",
    Part.VAE_ENCODER: "vae",
}
ANY_UNITS = (Units.CPU_AND_NEURAL_ENGINE, Units.CPU_AND_GPU, Units.CPU)


def write_folder(
    source: Path,
    folder: Path,
    sizes: Sequence[Size],
    batches: Sequence[int] = (1, 2),
    units: Mapping[Part, tuple[Units, ...]] | None = None,
    encoder: bool = True,
) -> Path:
    """A Core ML folder of the diffusers model in ``source``, drawn by ``TorchRuntime``."""
    folder.mkdir(parents=True)
    configs = {place.parent.name: _json(place) for place in source.glob("*/config.json")}
    vae, unet = configs["vae"], configs["unet"]
    factor = 2 ** (len(vae.get("block_out_channels") or vae["decoder_block_out_channels"]) - 1)
    channels = int(vae["latent_channels"])
    encoders = [part for part in COMPONENTS if COMPONENTS[part] in configs and "text" in part]
    parts: dict[Part, PartSpec] = {}
    for part, component in COMPONENTS.items():
        if component not in configs or (part is Part.VAE_ENCODER and not encoder):
            continue
        if part is Part.UNET:
            functions = [
                _unet_function(unet, configs, channels, size, batch, factor)
                for size in sizes
                for batch in batches
            ]
        elif part in encoders:
            functions = [_text_function(configs[component], len(encoders) == 2)]
        else:
            functions = [_vae_function(part, vae, size, factor) for size in sizes]
        file = f"{STEMS[part]}.mlpackage"
        (folder / file).mkdir()
        (folder / file / "source.txt").write_text(f"{source}\n{part.value}", encoding="utf-8")
        parts[part] = PartSpec(file, tuple(functions), (units or {}).get(part, ANY_UNITS))
    for tokenizer in source.glob("tokenizer*"):
        shutil.copytree(tokenizer, folder / tokenizer.name)
    model = read_model(source)
    manifest = CoreMLManifest(
        title="Tiny",
        family=model.family,
        parts=parts,
        scheduler=_json(source / "scheduler" / "scheduler_config.json"),
        latent_channels=channels,
        latent_scale=float(vae["scaling_factor"]),
        factor=factor,
        vae_kind="plain" if vae["_class_name"] == "AutoencoderTiny" else "kl",
        time_cond_dim=int(unet.get("time_cond_proj_dim") or 0),
        max_tokens=model.limits.max_tokens + 2,
    )
    (folder / FILE_NAME).write_text(to_json(manifest), encoding="utf-8")
    return folder


class TorchRuntime:
    """Opens what ``write_folder`` wrote. ``opened`` remembers what was, ``live`` is open now."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, Units, str]] = []
        self.live: list[str] = []
        self.most_live = 0
        self.predictions: list[tuple[str, int]] = []
        self.spoil: Callable[[str, dict[str, Array]], dict[str, Array]] = lambda _, answers: answers
        self._networks: dict[tuple[str, str], Any] = {}

    def open(self, path: Path, units: Units, function: str = "main") -> TorchModel:
        if not path.is_dir():
            raise ModelIncomplete(str(path.parent), (path.name,))
        try:
            source, name = (path / "source.txt").read_text("utf-8").split("\n")
        except (OSError, ValueError) as error:
            raise ModelDamaged(str(path), "mismatch") from error
        part = Part(name)
        key = (source, COMPONENTS[part])
        if key not in self._networks:
            self._networks[key] = _load(Path(source), COMPONENTS[part])
        manifest = json.loads((path.parent / FILE_NAME).read_text("utf-8"))
        functions = manifest["parts"][part.value]["functions"]
        spec = next(one for one in functions if one["name"] == function)
        self.opened.append((part.value, units, function))
        self.live.append(part.value)
        self.most_live = max(self.most_live, len(self.live))
        return TorchModel(self, part, spec, self._networks[key])


class TorchModel:
    def __init__(self, runtime: TorchRuntime, part: Part, spec: Any, network: Any) -> None:
        self.inputs = {one["name"]: _spec(one) for one in spec["inputs"]}
        self.outputs = {one["name"]: _spec(one) for one in spec["outputs"]}
        self._runtime, self._part, self._network = runtime, part, network
        self._closed = False

    def predict(self, values: Mapping[str, Array]) -> dict[str, Array]:
        if self._closed:
            raise RuntimeError("closed")
        if values.keys() != self.inputs.keys():
            raise PredictionFailed(self._part.value, "input")
        for name, spec in self.inputs.items():
            if values[name].shape != spec.shape:
                raise PredictionFailed(self._part.value, "input")
        given = {
            name: torch.from_numpy(np.array(value, np.float32)) for name, value in values.items()
        }
        self._runtime.predictions.append((self._part.value, next(iter(given.values())).shape[0]))
        with torch.inference_mode():
            answers = _ANSWERS[self._part](self._network, given, self.outputs)
        named = {
            name: np.ascontiguousarray(answer.float().numpy())
            for name, answer in zip(self.outputs, answers, strict=True)
        }
        for name, spec in self.outputs.items():
            assert named[name].shape == spec.shape, (name, named[name].shape, spec.shape)
        return self._runtime.spoil(self._part.value, named)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._runtime.live.remove(self._part.value)


def _unet(network: Any, given: dict[str, torch.Tensor], _: Any) -> tuple[torch.Tensor, ...]:
    added = {name: given[name] for name in ("time_ids", "text_embeds") if name in given}
    answer: tuple[torch.Tensor, ...] = network(
        given["sample"],
        given["timestep"],
        given["encoder_hidden_states"].squeeze(2).transpose(1, 2),
        timestep_cond=given.get("timestep_cond"),
        added_cond_kwargs=added or None,
        return_dict=False,
    )
    return answer


def _text(network: Any, given: dict[str, torch.Tensor], outputs: Any) -> tuple[torch.Tensor, ...]:
    said = network(given["input_ids"].long(), output_hidden_states=True)
    pooled = said.text_embeds if hasattr(said, "text_embeds") else said.pooler_output
    return said.hidden_states[-2] if "hidden_embeds" in outputs else said.last_hidden_state, pooled


def _decoder(network: Any, given: dict[str, torch.Tensor], _: Any) -> tuple[torch.Tensor, ...]:
    return (network.decode(given["z"], return_dict=False)[0],)


def _encoder(network: Any, given: dict[str, torch.Tensor], _: Any) -> tuple[torch.Tensor, ...]:
    encoded = network.encode(given["x"])
    return (encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.parameters,)


_ANSWERS: Mapping[Part, Callable[..., tuple[torch.Tensor, ...]]] = {
    Part.UNET: _unet,
    Part.TEXT_ENCODER: _text,
    Part.TEXT_ENCODER_2: _text,
    Part.VAE_DECODER: _decoder,
    Part.VAE_ENCODER: _encoder,
}


def _load(source: Path, component: str) -> Any:
    import diffusers
    import transformers

    kind = _json(source / "model_index.json")[component]
    library: Any = diffusers if kind[0] == "diffusers" else transformers
    whole = {"low_cpu_mem_usage": False} if library is diffusers else {}
    network = getattr(library, kind[1]).from_pretrained(
        str(source / component), local_files_only=True, **whole
    )
    return network.eval()


def _unet_function(
    config: Any, configs: Any, channels: int, size: Size, batch: int, factor: int
) -> FunctionSpec:
    latents = (batch, channels, size.height // factor, size.width // factor)
    tokens = configs["text_encoder"]["max_position_embeddings"]
    inputs = [
        FeatureSpec("sample", latents, "float16"),
        FeatureSpec("timestep", (batch,), "float32"),
        FeatureSpec(
            "encoder_hidden_states", (batch, config["cross_attention_dim"], 1, tokens), "float16"
        ),
    ]
    if config.get("addition_embed_type") == "text_time":
        pooled = configs["text_encoder_2"]["projection_dim"]
        inputs.append(FeatureSpec("time_ids", (batch, 6), "float32"))
        inputs.append(FeatureSpec("text_embeds", (batch, pooled), "float16"))
    if config.get("time_cond_proj_dim"):
        wide = config["time_cond_proj_dim"]
        inputs.append(FeatureSpec("timestep_cond", (batch, wide), "float16"))
    output = FeatureSpec("noise_pred", latents, "float16")
    name = f"at_{size}_by_{batch}"
    return FunctionSpec(name, tuple(inputs), (output,), size.height, size.width, batch)


def _text_function(config: Any, penultimate: bool) -> FunctionSpec:
    tokens, wide = config["max_position_embeddings"], config["hidden_size"]
    pooled = config["projection_dim"] if "Projection" in config["architectures"][0] else wide
    hidden = "hidden_embeds" if penultimate else "last_hidden_state"
    outputs = (
        FeatureSpec(hidden, (1, tokens, wide), "float16"),
        FeatureSpec("pooled_outputs", (1, pooled), "float16"),
    )
    return FunctionSpec("main", (FeatureSpec("input_ids", (1, tokens), "int32"),), outputs)


def _vae_function(part: Part, config: Any, size: Size, factor: int) -> FunctionSpec:
    channels = config["latent_channels"]
    rows, columns = size.height // factor, size.width // factor
    image = (1, 3, size.height, size.width)
    if part is Part.VAE_DECODER:
        given = FeatureSpec("z", (1, channels, rows, columns), "float16")
        said = FeatureSpec("image", image, "float16")
    else:
        given = FeatureSpec("x", image, "float16")
        twice = 1 if config["_class_name"] == "AutoencoderTiny" else 2
        said = FeatureSpec("latent", (1, twice * channels, rows, columns), "float16")
    return FunctionSpec(f"at_{size}", (given,), (said,), size.height, size.width)


def _spec(data: Any) -> FeatureSpec:
    return FeatureSpec(data["name"], tuple(data["shape"]), data["dtype"])


def _json(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))
