"""What a Core ML folder says it can do, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.coreml_manifest import FILE_NAME, FeatureSpec, FunctionSpec, Part, to_json
from app.core.errors import ModelDamaged, ModelIncomplete, ModelMissing, ModelUnsupported
from app.core.model import Family, Feature, ModelFormat
from app.core.recipe import Scheduler, Size
from app.engine.coreml.model import (
    check_parts,
    limits_of_manifest,
    read_coreml_model,
    read_manifest,
)
from app.engine.prompt_tokens import TokenCounter
from tests.engine.coreml.torch_runtime import write_folder

SIZES = (Size(512, 512), Size(512, 768), Size(768, 512))


@pytest.fixture
def folder(tiny_folder: Callable[..., Path], tmp_path: Path) -> Path:
    return write_folder(tiny_folder("sd1"), tmp_path / "model", SIZES)


def test_a_folder_is_a_model_with_the_sizes_it_was_made_for(folder: Path) -> None:
    model = read_coreml_model(folder)
    assert (model.id, model.title, model.family) == (str(folder), "Tiny", Family.SD1)
    assert model.format is ModelFormat.COREML
    limits = model.limits
    assert (limits.native, limits.shapes, limits.shapes_only) == (SIZES[0], SIZES, True)
    assert (limits.min_side, limits.max_side, limits.side_step) == (512, 768, 256)
    assert limits.max_tokens == 75
    assert limits.fits(SIZES[2])
    assert not limits.fits(Size(768, 768))
    assert limits.features == {
        Feature.NEGATIVE_PROMPT,
        Feature.IMAGE_TO_IMAGE,
        Feature.INPAINTING,
    }


def test_its_tokens_can_be_counted(folder: Path) -> None:
    assert TokenCounter(read_coreml_model(folder)).count("a red apple") == 3


def test_a_name_and_limits_may_be_given(folder: Path) -> None:
    limits = replace(read_coreml_model(folder).limits, steps=9)
    model = read_coreml_model(folder, id="x", title="X", built_in=True, limits=limits)
    assert (model.id, model.title, model.built_in, model.limits.steps) == ("x", "X", True, 9)


def test_a_size_that_cannot_be_decoded_is_not_offered(folder: Path) -> None:
    manifest = read_manifest(folder)
    decoder = manifest.parts[Part.VAE_DECODER]
    parts = dict(manifest.parts)
    parts[Part.VAE_DECODER] = replace(decoder, functions=decoder.functions[1:])
    limits = limits_of_manifest(replace(manifest, parts=parts), folder)
    assert limits.shapes == SIZES[1:]
    parts[Part.UNET] = replace(parts[Part.UNET], functions=parts[Part.UNET].functions[:1])
    with pytest.raises(ModelUnsupported):
        limits_of_manifest(replace(manifest, parts=parts), folder)


def test_without_an_encoder_for_each_size_no_picture_is_started_from(folder: Path) -> None:
    manifest = read_manifest(folder)
    encoder = manifest.parts[Part.VAE_ENCODER]
    parts = dict(manifest.parts)
    parts[Part.VAE_ENCODER] = replace(encoder, functions=encoder.functions[:1])
    features = limits_of_manifest(replace(manifest, parts=parts), folder).features
    assert features == {Feature.NEGATIVE_PROMPT}


@pytest.mark.parametrize(("width", "guidance"), [(256, 8.0), (0, 1.0)])
def test_a_consistency_model_is_drawn_in_few_steps(
    width: int, guidance: float, folder: Path
) -> None:
    scheduler = {"_class_name": "LCMScheduler"}
    manifest = replace(read_manifest(folder), scheduler=scheduler, time_cond_dim=width)
    limits = limits_of_manifest(manifest, folder)
    assert (limits.scheduler, limits.steps, limits.guidance) == (Scheduler.LCM, 4, guidance)
    assert (Feature.NEGATIVE_PROMPT in limits.features) is (width == 0)


def test_everything_that_is_missing_is_named_at_once(folder: Path) -> None:
    (folder / "Unet.mlpackage" / "source.txt").unlink()
    (folder / "Unet.mlpackage").rmdir()
    for file in (folder / "tokenizer").iterdir():
        file.unlink()
    data = json.loads((folder / FILE_NAME).read_text())
    del data["parts"]["vae_decoder"]
    (folder / FILE_NAME).write_text(json.dumps(data))
    with pytest.raises(ModelIncomplete) as caught:
        read_coreml_model(folder)
    assert caught.value.missing == (
        "vae_decoder in coreml.json",
        "Unet.mlpackage",
        "tokenizer/tokenizer.json",
    )


@pytest.mark.parametrize("file", ["../Unet.mlpackage", "/etc/passwd"])
def test_a_manifest_that_points_outside_its_folder_is_damage(file: str, folder: Path) -> None:
    manifest = read_manifest(folder)
    parts = dict(manifest.parts)
    parts[Part.UNET] = replace(parts[Part.UNET], file=file)
    (folder / FILE_NAME).write_text(to_json(replace(manifest, parts=parts)))
    with pytest.raises(ModelDamaged):
        read_coreml_model(folder)


@pytest.mark.parametrize(
    "feature",
    [
        FeatureSpec("additional_residual_0", (2, 320, 64, 64), "float16"),
        FeatureSpec("sample", (2, 9, 64, 64), "float16"),
    ],
    ids=["a ControlNet's", "inpainting"],
)
def test_a_unet_that_wants_to_be_told_more_is_refused(feature: FeatureSpec, folder: Path) -> None:
    manifest = read_manifest(folder)
    parts = dict(manifest.parts)
    function = FunctionSpec("main", (feature,), ())
    parts[Part.UNET] = replace(parts[Part.UNET], functions=(function,))
    with pytest.raises(ModelUnsupported):
        check_parts(folder, replace(manifest, parts=parts))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "family": "sd9", "parts": {}}', "\xff"]
)
def test_what_is_no_manifest_is_damage(text: str, folder: Path) -> None:
    (folder / FILE_NAME).write_text(text, encoding="latin-1")
    with pytest.raises(ModelDamaged):
        read_manifest(folder)


def test_no_folder_is_a_missing_model(folder: Path) -> None:
    for gone in (folder / "gone", Path("relative")):
        with pytest.raises(ModelMissing):
            read_manifest(gone)
