"""Reads what a model folder in diffusers layout holds, without loading a weight.

Standard library only: the window's process reads models with it at start. The layout is that of
``DiffusionPipeline.save_pretrained``: model_index.json names the components, each has a folder
with its config and .safetensors weights. Nothing here or in the engines ever opens a pickle.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.core.errors import ModelDamaged, ModelIncomplete, ModelMissing, ModelUnsupported
from app.core.folders import Folders
from app.core.model import Family, Feature, Limits, Model, Vocabulary
from app.core.recipe import Scheduler, Size
from app.engine.family_limits import Shape, limits_of
from app.files.safetensors_header import Header, read_header

MAX_JSON = 10_000_000

_PIPELINES = {
    "StableDiffusionPipeline": 1,
    "StableDiffusionImg2ImgPipeline": 1,
    "StableDiffusionInpaintPipeline": 1,
    "StableDiffusionXLPipeline": 2,
    "StableDiffusionXLImg2ImgPipeline": 2,
    "StableDiffusionXLInpaintPipeline": 2,
}
"""The pipelines Easel draws with, and how many text encoders each has."""

_AUTOENCODERS = ("AutoencoderKL", "AutoencoderTiny")
_STEMS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model"}


@dataclass(frozen=True, slots=True)
class Weights:
    """The weight files of one component; ``variant`` is what diffusers calls the "fp16" in a name.

    ``dtype`` is that of most of its bytes, as safetensors writes it ("F16").
    """

    headers: tuple[Header, ...]
    variant: str | None

    @property
    def dtype(self) -> str:
        return max(self.headers, key=lambda header: header.data_bytes).dtype

    @property
    def data_bytes(self) -> int:
        return sum(header.data_bytes for header in self.headers)


def read_model(
    folder: Path,
    *,
    id: str | None = None,
    title: str | None = None,
    built_in: bool = False,
    limits: Limits | None = None,
) -> Model:
    """The model in ``folder`` (absolute, existing), checked as far as that costs milliseconds.

    ``id`` and ``title`` default to the folder's path and name, ``limits`` to those of its family.
    Raises ModelMissing, ModelIncomplete, ModelDamaged, ModelUnsupported.
    """
    if not folder.is_absolute() or not folder.is_dir():
        raise ModelMissing(str(folder))
    # 1. What the folder says it is
    index = read_json(folder / "model_index.json", folder)
    pipeline = str(index.get("_class_name"))
    if pipeline not in _PIPELINES:
        raise ModelUnsupported(str(folder), pipeline)
    autoencoder = _class_of(index, "vae")
    if autoencoder not in _AUTOENCODERS:
        raise ModelUnsupported(str(folder), autoencoder)
    # 2. Every part is there and is what its name says
    encoders = text_encoders(index)
    _check_parts(folder, encoders)
    # 3. What it can do
    unet = read_json(folder / "unet" / "config.json", folder)
    vae = read_json(folder / "vae" / "config.json", folder)
    text = read_json(folder / encoders[0] / "config.json", folder)
    family = _family(pipeline, unet, text)
    try:
        _check_shape(folder, unet, vae)
        shape = _shape(folder, unet, vae, text)
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise ModelDamaged(str(folder / "unet" / "config.json"), "mismatch") from error
    return Model(
        id=id or str(folder),
        title=title or folder.name,
        family=family,
        folder=str(folder),
        limits=limits or limits_of(family, shape),
        built_in=built_in,
    )


def starter(folders: Folders) -> Model:
    """The small model that comes with the program; limits from models/catalog/starter.toml.

    Raises as ``read_model`` does; ModelIncomplete also when the catalogue file is not there.
    """
    card_file = folders.shipped / "models" / "catalog" / "starter.toml"
    if not card_file.is_file():
        raise ModelIncomplete(str(card_file.parent), (card_file.name,))
    try:
        card = tomllib.loads(card_file.read_text("utf-8"))
        family, given = Family(card["family"]), card["limits"]
        model = read_model(
            folders.starter.absolute(), id=card["id"], title=card["title"], built_in=True
        )
        limits = _catalogue_limits(given, model.limits)
    except (ValueError, KeyError, TypeError) as error:
        raise ModelDamaged(str(card_file), "mismatch") from error
    # LoRAs are made for Stable Diffusion, of whose shape the starter is, but not of its numbers.
    limits = replace(limits, features=limits.features - {Feature.LORA})
    return replace(model, family=family, limits=limits)


def vocabulary(model: Model) -> Vocabulary:
    """The words ``model`` knows, from its vocabulary.json; empty where there is no good one."""
    try:
        data = read_json(Path(model.folder) / "vocabulary.json", Path(model.folder))
    except (ModelIncomplete, ModelDamaged):
        return Vocabulary()
    nouns, other_names = _nouns(data.get("nouns"))
    return Vocabulary(
        nouns=nouns,
        colours=_words(data.get("colours")),
        backgrounds=_words(data.get("backgrounds")),
        styles=_words(data.get("styles")),
        examples=_words(data.get("examples")),
        synonyms=other_names + _pairs(data.get("synonyms")),
    )


def component_weights(folder: Path, component: str, stem: str | None = None) -> Weights:
    """The weight files of ``component`` with their headers checked.

    ``stem`` is what they are called, None for what those of that component are. A whole set without
    a variant is preferred to one named "fp16". Raises ModelIncomplete, ModelDamaged.
    """
    stem = stem or _STEMS.get(component, "model")
    place = folder / component
    for variant in (None, "fp16"):
        middle = f".{variant}" if variant else ""
        single = place / f"{stem}{middle}.safetensors"
        if single.is_file():
            return Weights((read_header(single),), variant)
        sharded = place / f"{stem}.safetensors.index{middle}.json"
        if sharded.is_file():
            return Weights(_shards(folder, place, sharded), variant)
    raise ModelIncomplete(str(folder), (f"{component}/{stem}.safetensors",))


def text_encoders(index: dict[str, Any]) -> tuple[str, ...]:
    """The names of the text encoders of the pipeline that ``index`` (model_index.json) names."""
    return ("text_encoder", "text_encoder_2")[: _PIPELINES[str(index["_class_name"])]]


def read_json(file: Path, folder: Path) -> dict[str, Any]:
    """The JSON object in ``file`` of the model in ``folder``. Raises ModelIncomplete/Damaged."""
    if not file.is_file():
        raise ModelIncomplete(str(folder), (file.relative_to(folder).as_posix(),))
    if file.stat().st_size > MAX_JSON:
        raise ModelDamaged(str(file), "not JSON")
    try:
        data = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ModelDamaged(str(file), "not JSON") from error
    if not isinstance(data, dict):
        raise ModelDamaged(str(file), "not JSON")
    return data


def _check_parts(folder: Path, encoders: tuple[str, ...]) -> None:
    """Name everything that is missing at once, then look into each weight file."""
    wanted = ["unet/config.json", "vae/config.json", "scheduler/scheduler_config.json"]
    wanted += [f"{encoder}/config.json" for encoder in encoders]
    missing = [name for name in wanted if not (folder / name).is_file()]
    for encoder in encoders:
        tokenizer = folder / encoder.replace("text_encoder", "tokenizer")
        pair = (tokenizer / "vocab.json").is_file() and (tokenizer / "merges.txt").is_file()
        if not pair and not (tokenizer / "tokenizer.json").is_file():
            missing.append(f"{tokenizer.name}/tokenizer.json")
    for component in ("unet", "vae", *encoders):
        try:
            component_weights(folder, component)
        except ModelIncomplete as error:
            missing += error.missing
    if missing:
        raise ModelIncomplete(str(folder), tuple(missing))


def _shards(folder: Path, place: Path, index_file: Path) -> tuple[Header, ...]:
    named = read_json(index_file, folder).get("weight_map")
    if not isinstance(named, dict) or not named:
        raise ModelDamaged(str(index_file), "mismatch")
    names = sorted({str(name) for name in named.values()})
    if any(Path(name).name != name for name in names):
        raise ModelDamaged(str(index_file), "mismatch")
    missing = tuple(f"{place.name}/{name}" for name in names if not (place / name).is_file())
    if missing:
        raise ModelIncomplete(str(folder), missing)
    return tuple(read_header(place / name) for name in names)


def _class_of(index: dict[str, Any], component: str) -> str:
    entry = index.get(component)
    return str(entry[1]) if isinstance(entry, list) and len(entry) == 2 else "nothing"


def _family(pipeline: str, unet: dict[str, Any], text: dict[str, Any]) -> Family:
    """SD 2.x reads text with OpenCLIP: 1024 wide, plain GELU, linear projections in the UNet."""
    if _PIPELINES[pipeline] == 2:
        return Family.SDXL
    if unet.get("cross_attention_dim") == 1024:
        return Family.SD2
    openclip = text.get("hidden_act") == "gelu" and unet.get("use_linear_projection") is True
    return Family.SD2 if openclip else Family.SD1


def told_channels(latent: int) -> int:
    """Input channels of a UNet made for inpainting: noise, the mask, the picture under it."""
    return 2 * latent + 1


def _check_shape(folder: Path, unet: dict[str, Any], vae: dict[str, Any]) -> None:
    """The parts fit together, and the configuration and the weights tell the same story."""
    channels, latent = unet.get("in_channels"), int(vae["latent_channels"])
    if channels not in (latent, told_channels(latent)):
        raise ModelUnsupported(str(folder), f"a UNet with {channels} input channels")
    widths = unet.get("block_out_channels")
    stem = component_weights(folder, "unet")
    shapes = [header.shapes.get("conv_in.weight") for header in stem.headers]
    found = next((shape for shape in shapes if shape), None)
    if not isinstance(widths, list) or found is None or found[:2] != (widths[0], channels):
        raise ModelDamaged(str(stem.headers[0].file), "mismatch")


def _shape(folder: Path, unet: dict[str, Any], vae: dict[str, Any], text: dict[str, Any]) -> Shape:
    """Raises ValueError for numbers that no real model has: they would be allocated later."""
    levels = vae.get("block_out_channels") or vae["decoder_block_out_channels"]
    depths = unet["block_out_channels"]
    sample, tokens = unet.get("sample_size", 64), int(text.get("max_position_embeddings", 77))
    settings = folder / "tokenizer" / "tokenizer_config.json"
    if settings.is_file():
        tokens = min(tokens, int(read_json(settings, folder).get("model_max_length", tokens)))
    if not (len(levels) <= 8 and len(depths) <= 8 and max(depths) <= 8192):
        raise ValueError("too deep or too wide")
    if not (8 <= sample <= 1024 and 3 <= tokens <= 100_000):
        raise ValueError("sample size or text length out of range")
    return Shape(2 ** (len(levels) - 1), len(depths) - 1, sample, tokens - 2)


def _catalogue_limits(given: dict[str, Any], known: Limits) -> Limits:
    """``known`` with what a catalogue file says differently; its keys are the fields' names."""
    changed: dict[str, Any] = dict(given)
    if "native" in changed:
        changed["native"] = Size(*changed["native"])
    if "shapes" in changed:
        changed["shapes"] = tuple(Size(*shape) for shape in changed["shapes"])
    if "scheduler" in changed:
        changed["scheduler"] = Scheduler(changed["scheduler"])
    if "schedulers" in changed:
        changed["schedulers"] = tuple(Scheduler(name) for name in changed["schedulers"])
    return replace(known, **changed)


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, list) else ()


def _nouns(value: Any) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The nouns, and (other name, noun) for each synonym: a noun is a word or an object."""
    nouns: list[str] = []
    others: list[tuple[str, str]] = []
    for noun in value if isinstance(value, list) else ():
        word = noun.get("word") if isinstance(noun, dict) else noun
        if not isinstance(word, str):
            continue
        nouns.append(word)
        if isinstance(noun, dict):
            others += [(name, word) for name in _words(noun.get("synonyms")) if name != word]
    return tuple(nouns), tuple(others)


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    """Synonyms as {"puppy": "dog"} or [["puppy", "dog"]]."""
    if isinstance(value, dict):
        return tuple((str(word), str(noun)) for word, noun in value.items())
    if isinstance(value, list):
        return tuple((str(x[0]), str(x[1])) for x in value if isinstance(x, list) and len(x) == 2)
    return ()
