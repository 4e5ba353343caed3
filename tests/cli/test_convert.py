"""``easel convert``: what is understood, what is said, and one conversion from start to end."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from app.cli.arguments import UsageError, parser
from app.cli.convert import _lora, _options, _size
from app.convert.coreml.converting import ConversionOptions, Lora, Mode, Runs
from app.core.coreml_manifest import Attention
from app.core.recipe import Size
from tests.cli.conftest import Run
from tests.convert.coreml.tinier import write_tinier


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tinier("starter", tmp_path_factory.mktemp("model") / "tiny one")


def understood(*argv: str) -> ConversionOptions:
    return _options(parser().parse_args(["convert", "model", *argv]))


def test_nothing_asked_is_for_the_neural_engine_in_six_bits() -> None:
    assert understood() == ConversionOptions()
    assert ConversionOptions().bits == 6


def test_the_gpu_has_other_defaults_and_each_can_be_changed() -> None:
    gpu = understood("--for", "gpu")
    assert (gpu.bits, gpu.attention, gpu.runs) == (16, Attention.SDPA, Runs.GPU)
    changed = understood(
        "--for", "gpu", "--bits", "8", "--palette", "uniform", "--attention", "split_einsum_v2",
        "--size", "512x768", "--size", "512X512", "--batch", "1", "--batch", "2", "--controlnet",
    )  # fmt: skip
    assert changed == ConversionOptions(
        bits=8,
        mode=Mode.UNIFORM,
        attention=Attention.SPLIT_EINSUM_V2,
        runs=Runs.GPU,
        sizes=(Size(512, 768), Size(512, 512)),
        batches=(1, 2),
        residuals=True,
    )


def test_a_lora_may_have_a_weight_and_a_colon_in_its_name(tmp_path: Path) -> None:
    plain, odd = tmp_path / "a.safetensors", tmp_path / "a:0.5"
    for file in (plain, odd):
        file.touch()
    assert _lora(f"{plain}") == Lora(str(plain), 1.0)
    assert _lora(f"{plain}:-0.25") == Lora(str(plain), -0.25)
    assert _lora(f"{odd}") == Lora(str(odd), 1.0)
    assert _lora(f"{odd}:2") == Lora(str(odd), 2.0)
    for wrong in (f"{plain}:", f"{plain}:x", f"{plain}:{math.nan}", f"{plain}:99", "none", "no:1"):
        with pytest.raises(UsageError):
            _lora(wrong)


@pytest.mark.parametrize("text", ["", "512", "x", "512x", "axb", "-1x5", "５x５"])
def test_what_is_no_size_is_said(text: str) -> None:
    with pytest.raises(UsageError):
        _size(text)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--bits", "5"], "invalid choice"),
        (["--fast"], "--lora"),
        (["--size", "big"], "512x768"),
        (["--lora", "none.safetensors"], "There is no file"),
        ([], "--output"),
    ],
)
def test_what_cannot_be_ends_with_2_and_a_sentence(
    run: Run, model: Path, argv: list[str], said: str
) -> None:
    ran = run("convert", str(model), *argv)
    assert ran.code == 2
    assert said in ran.err


def test_a_model_that_is_nowhere_ends_with_1(run: Run, tmp_path: Path) -> None:
    ran = run("convert", "nowhere", "--output", str(tmp_path / "o"))
    assert ran.code == 1
    assert "The model is not there" in ran.err


def test_a_folder_that_is_there_is_not_written_to(run: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    ran = run("convert", str(model), "--output", str(tmp_path))
    assert ran.code == 2
    assert "already" in ran.err


def test_a_size_that_cannot_be_leaves_nothing(run: Run, model: Path, tmp_path: Path) -> None:
    ran = run("convert", str(model), "--size", "32x32", "--output", str(tmp_path / "o"))
    assert ran.code == 1
    assert "multiples" in ran.err
    assert not (tmp_path / "o").exists()


@pytest.mark.slow
def test_a_model_is_converted_and_verified(run: Run, model: Path, tmp_path: Path) -> None:
    target = tmp_path / "made"
    ran = run("convert", str(model), "--output", str(target), "--verify", "--json")
    assert ran.code == 0
    assert ran.err == ""
    kinds = [event["event"] for event in ran.events]
    assert kinds[0] == "converting"
    (done,) = (event for event in ran.events if event["event"] == "converted")
    assert (done["folder"], done["bytes"] > 100_000) == (str(target), True)
    compared = [event for event in ran.events if event["event"] == "compared"]
    assert {event["part"] for event in compared} == {
        "unet", "text_encoder", "vae_decoder", "vae_encoder",
    }  # fmt: skip
    assert all(event["cosine"] > 0.999 for event in compared)
