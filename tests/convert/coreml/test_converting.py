"""Whole folders: what lies in them, what is refused, and that a stop leaves nothing."""

from __future__ import annotations

import errno
import hashlib
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import coremltools as ct
import numpy as np
import pytest
from coremltools.optimize import coreml as cto
from safetensors.torch import save_file

from app.convert.coreml import assembling, converting
from app.convert.coreml.converting import (
    ConversionOptions,
    Converting,
    Lora,
    Stage,
    convert_model,
)
from app.convert.coreml.golden import ANSWER
from app.convert.coreml.lowering import corrected_converter
from app.convert.coreml.notice import CHANGES
from app.convert.coreml.verifying import likeness, read_manifest, verify_folder
from app.convert.mil.package import open_package
from app.convert.mil.runtime import InterpretedRuntime
from app.core.coreml_manifest import Attention, Part, Units
from app.core.errors import ConversionRefused, FolderNotWritable, ImportRefused, NoSpace
from app.core.recipe import Size
from tests.convert.coreml.conftest import Converted
from tests.convert.coreml.test_fuse import peft, thin
from tests.convert.coreml.tinier import tinier_unet

SIX = ConversionOptions(title="Tiny", licence="openrail-m")
SEVERAL = ConversionOptions(bits=6, sizes=(Size(64, 64), Size(96, 64)), batches=(2, 1))


def never() -> bool:
    return False


# --- what comes out -------------------------------------------------------------------------


@pytest.mark.slow
def test_the_starters_kind_converts_whole(converted: Callable[..., Converted]) -> None:
    made = converted("starter", SIX)
    assert read_manifest(made.folder) == made.manifest
    names = {path.name for path in made.folder.iterdir()}
    assert names == {
        "coreml.json", "golden", "tokenizer", "LICENSE.txt", CHANGES,
        "Unet.mlpackage", "TextEncoder.mlpackage", "VAEDecoder.mlpackage", "VAEEncoder.mlpackage",
    }  # fmt: skip
    manifest = made.manifest
    assert (manifest.title, manifest.licence, manifest.licence_file) == (
        "Tiny", "openrail-m", "LICENSE.txt",
    )  # fmt: skip
    assert (manifest.latent_channels, manifest.factor, manifest.vae_kind) == (8, 8, "plain")
    assert (manifest.max_tokens, manifest.hidden_layer) == (24, 1)
    assert "Tiny" in (made.folder / CHANGES).read_text("utf-8")


@pytest.mark.slow
def test_hashes_are_those_of_the_files(
    converted: Callable[..., Converted], tinier: Callable[[str], Path]
) -> None:
    made, source = converted("starter", SIX), tinier("starter")
    for name, digest in made.manifest.source_files.items():
        assert hashlib.sha256((source / name).read_bytes()).hexdigest() == digest
    for part in made.manifest.parts.values():
        weights = made.folder / part.file / "Data/com.apple.CoreML/weights/weight.bin"
        assert hashlib.sha256(weights.read_bytes()).hexdigest() == part.sha256


@pytest.mark.slow
def test_golden_answers_are_what_the_packages_say(converted: Callable[..., Converted]) -> None:
    made, said = converted("starter", SIX), []
    found = verify_folder(made.folder, said.append, never)
    assert found == tuple(said)
    assert {one.part for one in said} == {part.value for part in made.manifest.parts}
    assert min(one.psnr for one in said) > 45


@pytest.mark.slow
def test_a_changed_weight_is_noticed(converted: Callable[..., Converted], tmp_path: Path) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(converted("starter", SIX).folder, folder)
    package = folder / "VAEDecoder.mlpackage"
    weights = package / "Data/com.apple.CoreML/weights/weight.bin"
    data = bytearray(weights.read_bytes())
    start, size = _last_constant(package, data)
    data[start : start + size] = bytes(size)
    weights.write_bytes(data)
    with pytest.raises(ConversionRefused) as refused:
        verify_folder(folder, lambda _: None, never)
    assert refused.value.reason == "failed"


def _last_constant(package: Path, data: bytearray) -> tuple[int, int]:
    """Where the last layer's weight lies in a weight file, and its bytes."""
    (block,) = open_package(package).spec.mlProgram.functions["main"].block_specializations.values()
    blobs = [op.attributes["val"].blobFileValue for op in block.operations if op.type == "const"]
    offset = max(blob.offset for blob in blobs)
    size, start = struct.unpack_from("<QQ", data, offset + 8)
    return start, size


@pytest.mark.slow
def test_palettes_are_stored_without_loss_and_take_their_bits(
    converted: Callable[..., Converted],
) -> None:
    made = converted("starter", SIX)
    for part in (Part.UNET, Part.TEXT_ENCODER):
        package = made.folder / made.manifest.parts[part].file
        (block,) = (
            open_package(package).spec.mlProgram.functions["main"].block_specializations.values()
        )
        tables = [op for op in block.operations if op.type == "constexpr_lut_to_dense"]
        assert tables
        for op in tables:
            assert op.attributes["lut"].type.tensorType.dimensions[0].constant.size == 64
    kept = made.folder / "VAEDecoder.mlpackage"
    (block,) = open_package(kept).spec.mlProgram.functions["main"].block_specializations.values()
    assert not any(op.type.startswith("constexpr") for op in block.operations)


@pytest.mark.slow
def test_a_palettized_package_answers_as_its_decompressed_self_bit_for_bit(
    converted: Callable[..., Converted], tmp_path: Path
) -> None:
    made = converted("starter", SIX)
    package = made.folder / "Unet.mlpackage"
    with corrected_converter():
        whole = cto.decompress_weights(ct.models.MLModel(str(package), skip_model_load=True))
        whole.save(str(tmp_path / "Unet.mlpackage"))
    with np.load(made.folder / "golden/unet.npz") as stored:
        asked = {name: stored[name] for name in stored.files if not name.startswith(ANSWER)}
    answers = [
        InterpretedRuntime().open(path, Units.CPU).predict(asked)["noise_pred"]
        for path in (package, tmp_path / "Unet.mlpackage")
    ]
    assert (answers[0] == answers[1]).all()


@pytest.mark.slow
def test_several_sizes_and_batches_share_one_set_of_weights(
    converted: Callable[..., Converted],
) -> None:
    made, single = converted("starter", SEVERAL), converted("starter", SIX)
    unet = made.manifest.parts[Part.UNET]
    assert [(one.name, one.width, one.height, one.batch) for one in unet.functions] == [
        ("main", 64, 64, 2),
        ("s64x64b1", 64, 64, 1),
        ("s96x64b2", 96, 64, 2),
        ("s96x64b1", 96, 64, 1),
    ]
    assert unet.target == 15
    assert [one.name for one in made.manifest.parts[Part.VAE_DECODER].functions] == [
        "main",
        "s96x64b1",
    ]
    assert len(made.manifest.parts[Part.TEXT_ENCODER].functions) == 1
    sizes = [
        (folder / "Unet.mlpackage/Data/com.apple.CoreML/weights/weight.bin").stat().st_size
        for folder in (made.folder, single.folder)
    ]
    assert sizes[0] < 1.1 * sizes[1]
    # each function answers, and the pictures of a batch do not touch each other
    runtime = InterpretedRuntime()
    package = made.folder / unet.file
    both = runtime.open(package, Units.CPU_AND_GPU, "s96x64b2")
    one = runtime.open(package, Units.CPU_AND_GPU, "s96x64b1")
    random = np.random.default_rng(0)
    asked = {
        name: random.standard_normal(spec.shape, np.float32) for name, spec in both.inputs.items()
    }
    asked["timestep"][:] = 501
    whole = both.predict(asked)["noise_pred"]
    for index in (0, 1):
        alone = one.predict({name: value[index : index + 1] for name, value in asked.items()})
        assert likeness(alone["noise_pred"], whole[index : index + 1])[0] > 45


@pytest.mark.slow
def test_sdxl_has_two_readers_and_a_wide_autoencoder(converted: Callable[..., Converted]) -> None:
    made = converted("sdxl", ConversionOptions(bits=16, attention=Attention.SPLIT_EINSUM))
    parts = made.manifest.parts
    assert set(parts) == set(Part) - {Part.SAFETY_CHECKER}
    assert made.manifest.hidden_layer == 2
    assert parts[Part.VAE_DECODER].units == (Units.CPU_AND_GPU, Units.CPU)
    assert parts[Part.UNET].units[0] is Units.CPU_AND_NEURAL_ENGINE
    assert all(Units.CPU_AND_GPU not in parts[part].units for part in (Part.TEXT_ENCODER,))
    assert (made.folder / "tokenizer_2" / "tokenizer.json").is_file()
    assert verify_folder(made.folder, lambda _: None, never)


@pytest.mark.slow
def test_a_fast_variant_has_its_lora_fused_and_batch_one(
    converted: Callable[..., Converted], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = "mid_block.attentions.0.proj_out"
    down, up = thin(tinier_unet("starter"), path)
    file = tmp_path_factory.mktemp("lora") / "lcm.safetensors"
    save_file({peft(path, "down"): down, peft(path, "up"): up}, file)
    fast = ConversionOptions(bits=16, fast=True, loras=(Lora(str(file), 0.25),))
    plain = converted("starter", ConversionOptions(bits=16, batches=(1,)))
    made = converted("starter", fast)
    assert made.main(Part.UNET).batch == 1
    assert made.manifest.scheduler["_class_name"] == "LCMScheduler"
    assert "fused LoRA lcm.safetensors at 0.25" in made.manifest.changes
    assert verify_folder(made.folder, lambda _: None, never)
    answers = [
        np.load(one.folder / "golden/unet.npz")[f"{ANSWER}noise_pred"] for one in (made, plain)
    ]
    assert likeness(answers[0], answers[1])[0] < 40


@pytest.mark.slow
def test_progress_goes_to_the_end_through_every_stage(
    converted: Callable[..., Converted],
) -> None:
    said = converted("starter", SEVERAL).said
    assert {event.stage for event in said} == set(Stage)
    assert [event.done for event in said] == sorted(event.done for event in said)
    assert said[-1].done == said[-1].total
    assert said[-1].left == 0


@pytest.mark.slow
@pytest.mark.parametrize("stage", Stage)
def test_a_stop_in_any_stage_leaves_nothing(
    tinier: Callable[[str], Path],
    small_limits: None,  # noqa: ARG001
    tmp_path: Path,
    stage: Stage,
) -> None:
    reached: list[Converting] = []

    def report(event: Converting) -> None:
        if event.stage is stage:
            reached.append(event)

    options = ConversionOptions(sizes=(Size(64, 64), Size(96, 64)))
    target = tmp_path / "target"
    made = convert_model(tinier("starter"), target, options, report, lambda: bool(reached))
    assert made is None
    assert reached
    assert list(tmp_path.iterdir()) == []


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (ConversionOptions(bits=5), "bits"),
        (ConversionOptions(sizes=(Size(64, 1032),)), "size"),
        (ConversionOptions(sizes=(Size(72, 64),)), "size"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_written(
    tinier: Callable[[str], Path], tmp_path: Path, options: ConversionOptions, reason: str
) -> None:
    with pytest.raises(ConversionRefused) as refused:
        convert_model(tinier("starter"), tmp_path / "t", options, lambda _: None, never)
    assert refused.value.reason == reason
    assert list(tmp_path.iterdir()) == []


def test_too_little_memory_is_refused(tinier: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(ConversionRefused) as refused:
        convert_model(tinier("sd1"), tmp_path / "t", SIX, lambda _: None, never, memory=2**29)
    assert refused.value == ConversionRefused("Tiny", "too much memory")
    assert list(tmp_path.iterdir()) == []


def test_too_little_disk_is_refused(
    tinier: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converting, "free_bytes", lambda _: 1000)
    with pytest.raises(NoSpace) as refused:
        convert_model(tinier("sd1"), tmp_path / "t", SIX, lambda _: None, never)
    assert refused.value.free == 1000
    assert refused.value.needed > converting.MARGIN
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, NoSpace), (errno.EROFS, FolderNotWritable)]
)
def test_a_disk_that_fills_on_the_way_leaves_nothing(
    tinier: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    error: type[Exception],
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(assembling, "write_golden", full)
    with pytest.raises(error):
        convert_model(tinier("sd1"), tmp_path / "t", SIX, lambda _: None, never)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_alone(
    tinier: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("keep")
    with pytest.raises(FileExistsError):
        convert_model(tinier("sd1"), tmp_path, SIX, lambda _: None, never)
    assert (tmp_path / "mine").read_text() == "keep"


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(ImportRefused):
        convert_model(tmp_path / "none", tmp_path / "t", SIX, lambda _: None, never)


def test_a_package_that_the_lint_faults_is_no_result(
    tinier: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fast(_network: object, _shape: object, _target: int, package: Path) -> None:
        package.mkdir()

    monkeypatch.setattr(assembling, "export_package", fast)
    monkeypatch.setattr(assembling, "_functions", lambda *_: ())
    monkeypatch.setattr(assembling, "lint", lambda *_: ["a fault"])
    options = ConversionOptions(bits=16, title="Tiny")
    with pytest.raises(ConversionRefused) as refused:
        convert_model(tinier("sd1"), tmp_path / "t", options, lambda _: None, never)
    assert refused.value == ConversionRefused("Tiny", "failed")
    assert list(tmp_path.iterdir()) == []
