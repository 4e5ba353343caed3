"""Other makers' folders are understood from their files, or refused with what is wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.core.coreml_manifest import Attention, FeatureSpec, Part, Units, from_json
from app.core.errors import (
    EaselError,
    ModelDamaged,
    ModelIncomplete,
    ModelMissing,
    ModelUnsupported,
)
from app.core.model import Family, Feature
from app.core.recipe import Size
from app.engine.coreml.descriptions import describe
from app.engine.coreml.model import read_coreml_model
from app.engine.coreml.published import adopt, find_folder, understand
from app.files.unpacking import unpack
from tests.engine.coreml.published_folders import (
    interfaces,
    published,
    write_model,
    write_package,
)

NEURAL = (Units.CPU_AND_NEURAL_ENGINE, Units.CPU_AND_GPU, Units.CPU)
GPU = (Units.CPU_AND_GPU, Units.CPU)


def refused(work: Callable[[], object]) -> EaselError:
    with pytest.raises(EaselError) as caught:
        work()
    return caught.value


@pytest.mark.parametrize("kind", ["mil", "package"])
def test_sd1(kind: str, tmp_path: Path) -> None:
    found = understand(published(tmp_path / "folder", kind))

    assert found.family is Family.SD1
    assert (found.latent_channels, found.latent_scale, found.factor) == (4, 0.18215, 8)
    assert found.vae_kind == "kl"
    assert found.max_tokens == 77
    assert found.scheduler["prediction_type"] == "epsilon"
    unet = found.parts[Part.UNET]
    assert unet.attention is Attention.SPLIT_EINSUM
    assert unet.units == NEURAL
    assert unet.functions[0].inputs == (
        FeatureSpec("sample", (2, 4, 64, 64), "float16"),
        FeatureSpec("timestep", (2,), "float16"),
        FeatureSpec("encoder_hidden_states", (2, 768, 1, 77), "float16"),
    )
    assert (unet.functions[0].width, unet.functions[0].height, unet.functions[0].batch) == (
        512,
        512,
        2,
    )
    assert found.parts[Part.TEXT_ENCODER].units == (Units.CPU,)
    assert found.parts[Part.VAE_DECODER].units == NEURAL
    assert set(found.parts) == {
        Part.UNET,
        Part.TEXT_ENCODER,
        Part.VAE_DECODER,
        Part.VAE_ENCODER,
    }


def test_the_engine_draws_with_what_was_adopted(tmp_path: Path) -> None:
    folder = published(tmp_path / "folder")
    written = adopt(folder)

    model = read_coreml_model(folder)

    assert from_json((folder / "coreml.json").read_text("utf-8")) == written
    assert model.family is Family.SD1
    assert model.limits.shapes == (Size(512, 512),)
    assert Feature.IMAGE_TO_IMAGE in model.limits.features


def test_a_neural_network_is_understood_from_what_xcode_wrote(tmp_path: Path) -> None:
    found = understand(published(tmp_path / "folder", "metadata"))
    assert found.family is Family.SD1
    assert found.parts[Part.UNET].attention is None
    assert found.parts[Part.UNET].units == GPU
    assert found.parts[Part.UNET].functions[0].outputs == (
        FeatureSpec("noise_pred", (), "float32"),
    )
    assert found.factor == 8


@pytest.mark.parametrize(
    ("side", "prediction", "units"), [(64, "epsilon", NEURAL), (96, "v_prediction", GPU)]
)
def test_sd2(side: int, prediction: str, units: Any, tmp_path: Path) -> None:
    found = understand(published(tmp_path / "folder", width=1024, side=side))
    assert found.family is Family.SD2
    assert found.scheduler["prediction_type"] == prediction
    assert found.parts[Part.UNET].units == units


def test_sdxl(tmp_path: Path) -> None:
    found = understand(published(tmp_path / "folder", width=2048, side=96))
    assert found.family is Family.SDXL
    assert found.latent_scale == 0.13025
    assert found.hidden_layer == 2
    assert found.parts[Part.UNET].units == NEURAL
    assert found.parts[Part.VAE_DECODER].units == GPU
    assert Part.TEXT_ENCODER_2 in found.parts


@pytest.mark.parametrize(
    ("attention", "expected", "units"),
    [("original", None, GPU), ("sdpa", Attention.SDPA, GPU)],
)
def test_attention_decides_the_unit(
    attention: str, expected: Any, units: Any, tmp_path: Path
) -> None:
    unet = understand(published(tmp_path / "folder", attention=attention)).parts[Part.UNET]
    assert (unet.attention, unet.units) == (expected, units)


@pytest.mark.parametrize(("palette", "bits"), [(0, 16), (16, 4), (64, 6), (256, 8)])
def test_bits_of_the_weights(palette: int, bits: int, tmp_path: Path) -> None:
    assert understand(published(tmp_path / "f", palette=palette)).parts[Part.UNET].bits == bits


def test_chunks_are_one_unet(tmp_path: Path) -> None:
    folder = published(tmp_path / "folder")
    takes, gives = interfaces()["Unet"]
    between = {"half": ((2, 1280, 8, 8), "float16")}
    write_model(folder, "UnetChunk1", ({n: takes[n] for n in takes if n != "timestep"}, between))
    write_model(folder, "UnetChunk2", ({**between, **takes}, gives), attention="split_einsum")

    unet = understand(folder).parts[Part.UNET]

    assert unet.file == "UnetChunk1.mlmodelc"
    assert {one.name for one in unet.functions[0].inputs} == set(takes)
    assert [one.name for one in unet.functions[0].outputs] == ["noise_pred"]
    assert unet.attention is Attention.SPLIT_EINSUM
    shutil.rmtree(folder / "UnetChunk2.mlmodelc")
    assert refused(lambda: understand(folder)) == ModelIncomplete(
        str(folder), ("UnetChunk2.mlmodelc",)
    )


def test_functions_of_a_package_over_one_set_of_weights(tmp_path: Path) -> None:
    small, wide = interfaces(side=8)["Unet"], interfaces(side=16)["Unet"]
    found = describe(write_package(tmp_path / "Unet.mlpackage", {"small": small, "wide": wide}))
    assert [one.name for one in found.functions] == ["small", "wide"]
    assert [one.inputs[0].shape[-1] for one in found.functions] == [8, 16]
    assert found.target == 15


def test_models_are_found_inside_what_a_zip_holds(tmp_path: Path) -> None:
    for place in ("original/packages", "original/compiled", "split_einsum_v2/packages"):
        published(tmp_path / "zip" / place, "package" if "packages" in place else "mil")
    compiled = published(tmp_path / "zip" / "split_einsum_v2" / "compiled")

    assert find_folder(tmp_path / "zip") == compiled
    assert find_folder(compiled) == compiled
    assert refused(lambda: find_folder(tmp_path / "none")) == ModelMissing(str(tmp_path / "none"))
    (tmp_path / "empty").mkdir()
    assert refused(lambda: find_folder(tmp_path / "empty")) == ModelIncomplete(
        str(tmp_path / "empty"), ("Unet.mlmodelc",)
    )


def test_the_title_is_the_model_s(tmp_path: Path) -> None:
    assert understand(published(tmp_path / "a", "package")).title == "some model-1"
    assert understand(published(tmp_path / "b")).title == "b"


def test_from_a_zip_to_a_model(tmp_path: Path) -> None:
    published(tmp_path / "from" / "split_einsum" / "compiled")
    zipped = shutil.make_archive(str(tmp_path / "model"), "zip", tmp_path / "from")

    assert unpack(Path(zipped), tmp_path / "to", lambda *_: None, lambda: False)
    folder = find_folder(tmp_path / "to")
    adopt(folder)

    assert folder == tmp_path / "to" / "split_einsum" / "compiled"
    assert read_coreml_model(folder).family is Family.SD1


# --- refused ---------------------------------------------------------------------------------


def test_all_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    folder = published(tmp_path / "folder")
    shutil.rmtree(folder / "VAEDecoder.mlmodelc")
    shutil.rmtree(folder / "TextEncoder.mlmodelc")
    (folder / "vocab.json").unlink()
    assert refused(lambda: understand(folder)) == ModelIncomplete(
        str(folder), ("TextEncoder.mlmodelc", "VAEDecoder.mlmodelc", "vocab.json")
    )


@pytest.mark.parametrize("missing", ["coremldata.bin", "weights/weight.bin"])
def test_half_a_compiled_model_is_refused(missing: str, tmp_path: Path) -> None:
    folder = published(tmp_path / "folder")
    (folder / "Unet.mlmodelc" / missing).unlink()
    assert refused(lambda: understand(folder)) == ModelIncomplete(
        str(folder), (f"Unet.mlmodelc/{missing}",)
    )


@pytest.mark.parametrize(
    "missing", ["Data/com.apple.CoreML/model.mlmodel", "Data/com.apple.CoreML/weights/weight.bin"]
)
def test_half_a_package_is_refused(missing: str, tmp_path: Path) -> None:
    folder = published(tmp_path / "folder", "package")
    name = "Stable_Diffusion_version_some_model-1_unet.mlpackage"
    (folder / name / missing).unlink()
    assert refused(lambda: understand(folder)) == ModelIncomplete(
        str(folder), (f"{name}/{missing}",)
    )


def test_sdxl_without_its_second_text_encoder_is_half(tmp_path: Path) -> None:
    folder = published(tmp_path / "folder", width=2048)
    shutil.rmtree(folder / "TextEncoder2.mlmodelc")
    assert refused(lambda: understand(folder)) == ModelIncomplete(
        str(folder), ("TextEncoder2.mlmodelc",)
    )


@pytest.mark.parametrize("width", [1280, 4096])
def test_another_family_is_refused(width: int, tmp_path: Path) -> None:
    folder = published(tmp_path / "folder", width=width)
    assert refused(lambda: understand(folder)) == ModelUnsupported(
        str(folder), f"a UNet that takes text {width} wide"
    )


def test_a_model_without_a_program_or_description_is_refused(tmp_path: Path) -> None:
    folder = published(tmp_path / "folder")
    (folder / "Unet.mlmodelc" / "model.mil").unlink()
    assert refused(lambda: understand(folder)) == ModelUnsupported(
        str(folder / "Unet.mlmodelc"), "a model without a program"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not Core ML"),
        ("program(1.0) { }", "not Core ML"),
        ("func main<ios16>(tensor<fp16, [1]> x) { ", "truncated"),
        ("func main<ios16>(tensor<fp16, [1]> x) { } -> (y);", "mismatch"),
    ],
)
def test_a_damaged_program_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    folder = published(tmp_path / "folder")
    program = folder / "Unet.mlmodelc" / "model.mil"
    program.write_text(text, "utf-8")
    assert refused(lambda: understand(folder)) == ModelDamaged(str(program), reason)


@pytest.mark.parametrize(
    "damage", [b"", b"{}", b"[]", b"[{}]", b"not json", b'[{"inputSchema": 3, "outputSchema": 4}]']
)
def test_a_damaged_description_is_refused(damage: bytes, tmp_path: Path) -> None:
    folder = published(tmp_path / "folder", "metadata")
    file = folder / "Unet.mlmodelc" / "metadata.json"
    file.write_bytes(damage)
    assert refused(lambda: understand(folder)) == ModelDamaged(str(file), "mismatch")


def test_a_damaged_specification_is_refused_wherever_it_is_cut(tmp_path: Path) -> None:
    package = write_package(tmp_path / "Unet.mlpackage", {"main": interfaces()["Unet"]})
    file = package / "Data" / "com.apple.CoreML" / "model.mlmodel"
    whole = file.read_bytes()
    for cut in range(0, whole.index(b"noise_pred") + 12, 3):
        file.write_bytes(whole[:cut])
        assert refused(lambda: describe(package)) == ModelDamaged(str(file), "not Core ML")
    file.write_bytes(b"\xff" * 64)
    assert refused(lambda: describe(package)) == ModelDamaged(str(file), "not Core ML")


@pytest.mark.parametrize("place", ["../../outside", "/etc/passwd"])
def test_a_package_does_not_lead_elsewhere(place: str, tmp_path: Path) -> None:
    package = write_package(tmp_path / "Unet.mlpackage", {"main": interfaces()["Unet"]})
    file = package / "Manifest.json"
    data = json.loads(file.read_text("utf-8"))
    data["itemInfoEntries"]["1"]["path"] = place
    file.write_text(json.dumps(data), "utf-8")
    assert refused(lambda: describe(package)) == ModelDamaged(str(file), "mismatch")


def test_a_type_that_no_engine_feeds_is_refused(tmp_path: Path) -> None:
    folder = published(tmp_path / "folder")
    program = folder / "Unet.mlmodelc" / "model.mil"
    program.write_text(program.read_text("utf-8").replace("tensor<fp16, [2]>", "tensor<bool, [2]>"))
    assert refused(lambda: understand(folder)) == ModelUnsupported(
        str(folder / "Unet.mlmodelc"), "timestep of type bool"
    )


def test_a_model_that_is_no_unet_is_refused(tmp_path: Path) -> None:
    folder = published(tmp_path / "folder")
    shutil.rmtree(folder / "Unet.mlmodelc")
    (folder / "VAEDecoder.mlmodelc").rename(folder / "Unet.mlmodelc")
    write_model(folder, "VAEDecoder", interfaces()["VAEDecoder"])
    assert refused(lambda: understand(folder)) == ModelUnsupported(
        str(folder), "a model that takes no encoder_hidden_states"
    )


def test_a_manifest_of_another_form_is_damage(tmp_path: Path) -> None:
    folder = published(tmp_path / "folder")
    manifest = adopt(folder)
    file = folder / "coreml.json"
    for text in ("", "{}", "[]", '{"format": 1}', file.read_text("utf-8").replace("sd1", "sd9")):
        file.write_text(text, "utf-8")
        assert isinstance(refused(lambda: read_coreml_model(folder)), ModelDamaged)
    assert replace(manifest, title="x") != manifest


def test_sdxl_with_one_vocabulary_can_be_drawn_with(tmp_path: Path) -> None:
    folder = published(tmp_path / "folder", width=2048, side=96)
    adopt(folder)
    model = read_coreml_model(folder)
    assert model.family is Family.SDXL
    (folder / "merges.txt").unlink()
    missing = refused(lambda: read_coreml_model(folder))
    assert isinstance(missing, ModelIncomplete)
