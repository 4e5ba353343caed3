"""Packages, executed from their own bytes, answer what torch does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest

from app.convert.coreml.golden import answer, question
from app.convert.coreml.lint import functions_of, lint
from app.convert.coreml.parts import Shape
from app.convert.coreml.verifying import likeness
from app.convert.mil.runtime import InterpretedRuntime
from app.core.coreml_manifest import Attention, FunctionSpec, Part, Units
from tests.convert.coreml.conftest import Packaged
from tests.convert.coreml.tinier import SIDE

pytestmark = pytest.mark.slow

GRAPH_DB, TYPED_DB = 60.0, 45.0
"""What a graph has to reach in fp32 arithmetic, and with every result rounded to its type."""
TIMES = (999.0, 961.37, 501.0, 1.0)

UNETS = [
    ("sd1", Attention.SPLIT_EINSUM, False),
    ("sd1", Attention.SPLIT_EINSUM, True),
    ("sd1", Attention.SPLIT_EINSUM_V2, False),
    ("sd2", Attention.SDPA, False),
    ("sdxl", Attention.SPLIT_EINSUM, False),
    ("lcm", Attention.SPLIT_EINSUM, False),
    ("inpainting", Attention.SDPA, False),
    ("starter", Attention.SPLIT_EINSUM, False),
]
OTHERS = [
    ("sd1", Part.VAE_DECODER),
    ("sd1", Part.VAE_ENCODER),
    ("sdxl", Part.VAE_DECODER),  # in fp32
    ("starter", Part.VAE_DECODER),
    ("starter", Part.VAE_ENCODER),
    ("sd1", Part.TEXT_ENCODER),
    ("sdxl", Part.TEXT_ENCODER),
    ("sdxl", Part.TEXT_ENCODER_2),
    ("starter", Part.TEXT_ENCODER),
]


@pytest.mark.parametrize(("family", "attention", "residuals"), UNETS)
def test_a_unet_answers_as_torch_does_at_every_time(
    packaged: Callable[..., Packaged], family: str, attention: Attention, residuals: bool
) -> None:
    made = packaged(family, Part.UNET, attention, residuals)
    for timestep in TIMES:
        assert _worst(made, "fp32", timestep) > GRAPH_DB
        assert _worst(made, "typed", timestep) > TYPED_DB


@pytest.mark.parametrize(("family", "part"), OTHERS)
def test_the_other_networks_answer_as_torch_does(
    packaged: Callable[..., Packaged], family: str, part: Part
) -> None:
    made = packaged(family, part)
    assert _worst(made, "fp32") > GRAPH_DB
    assert _worst(made, "typed") > TYPED_DB


@pytest.mark.parametrize(("family", "attention", "residuals"), UNETS)
def test_the_lint_finds_nothing_in_a_unet(
    packaged: Callable[..., Packaged], family: str, attention: Attention, residuals: bool
) -> None:
    _assert_clean(packaged(family, Part.UNET, attention, residuals))


@pytest.mark.parametrize(("family", "part"), OTHERS)
def test_the_lint_finds_nothing_in_the_others(
    packaged: Callable[..., Packaged], family: str, part: Part
) -> None:
    _assert_clean(packaged(family, part))


HALF, WIDE, IDS = "float16", "float32", "int32"
SIDE_L = SIDE // 2


@pytest.mark.parametrize(
    ("family", "part", "inputs", "outputs"),
    [
        (
            "sd1",
            Part.UNET,
            {
                "sample": ((2, 4, SIDE_L, SIDE_L), HALF),
                "timestep": ((2,), WIDE),
                "encoder_hidden_states": ((2, 32, 1, 77), HALF),
            },
            {"noise_pred": ((2, 4, SIDE_L, SIDE_L), HALF)},
        ),
        (
            "sdxl",
            Part.UNET,
            {
                "sample": ((2, 4, SIDE_L, SIDE_L), HALF),
                "timestep": ((2,), WIDE),
                "encoder_hidden_states": ((2, 64, 1, 77), HALF),
                "time_ids": ((2, 6), WIDE),
                "text_embeds": ((2, 32), HALF),
            },
            {"noise_pred": ((2, 4, SIDE_L, SIDE_L), HALF)},
        ),
        (
            "lcm",
            Part.UNET,
            {
                "sample": ((2, 4, SIDE_L, SIDE_L), HALF),
                "timestep": ((2,), WIDE),
                "encoder_hidden_states": ((2, 32, 1, 77), HALF),
                "timestep_cond": ((2, 16), HALF),
            },
            {"noise_pred": ((2, 4, SIDE_L, SIDE_L), HALF)},
        ),
        (
            "starter",
            Part.UNET,
            {
                "sample": ((2, 8, 8, 8), HALF),
                "timestep": ((2,), WIDE),
                "encoder_hidden_states": ((2, 32, 1, 24), HALF),
            },
            {"noise_pred": ((2, 8, 8, 8), HALF)},
        ),
        (
            "sd1",
            Part.VAE_DECODER,
            {"z": ((1, 4, SIDE_L, SIDE_L), HALF)},
            {"image": ((1, 3, SIDE, SIDE), HALF)},
        ),
        (
            "sdxl",
            Part.VAE_DECODER,
            {"z": ((1, 4, SIDE_L, SIDE_L), WIDE)},
            {"image": ((1, 3, SIDE, SIDE), WIDE)},
        ),
        (
            "sd1",
            Part.VAE_ENCODER,
            {"x": ((1, 3, SIDE, SIDE), HALF)},
            {"latent": ((1, 8, SIDE_L, SIDE_L), HALF)},
        ),
        (
            "starter",
            Part.VAE_ENCODER,
            {"x": ((1, 3, 64, 64), HALF)},
            {"latent": ((1, 8, 8, 8), HALF)},
        ),
        (
            "sd1",
            Part.TEXT_ENCODER,
            {"input_ids": ((1, 77), IDS)},
            {"last_hidden_state": ((1, 77, 32), HALF), "pooled_outputs": ((1, 32), HALF)},
        ),
        (
            "sdxl",
            Part.TEXT_ENCODER_2,
            {"input_ids": ((1, 77), IDS)},
            {"hidden_embeds": ((1, 77, 32), HALF), "pooled_outputs": ((1, 32), HALF)},
        ),
    ],
)
def test_names_shapes_and_types_are_those_of_the_published_packages(
    packaged: Callable[..., Packaged],
    family: str,
    part: Part,
    inputs: dict[str, object],
    outputs: dict[str, object],
) -> None:
    taken, given = functions_of(packaged(family, part).package)["main"]
    assert {one.name: (one.shape, one.dtype) for one in taken} == inputs
    assert {one.name: (one.shape, one.dtype) for one in given} == outputs


def test_an_inpainting_unet_takes_nine_channels_and_gives_four(
    packaged: Callable[..., Packaged],
) -> None:
    made = packaged("inpainting", Part.UNET, Attention.SDPA)
    taken, given = functions_of(made.package)["main"]
    assert next(one.shape[1] for one in taken if one.name == "sample") == 9
    assert given[0].shape[1] == 4


def test_a_controlnets_residuals_are_inputs_by_number(packaged: Callable[..., Packaged]) -> None:
    made = packaged("sd1", Part.UNET, Attention.SPLIT_EINSUM, True)
    taken, _ = functions_of(made.package)["main"]
    shapes = {one.name: one.shape for one in taken if one.name.startswith("additional")}
    assert shapes == {
        "additional_residual_0": (2, 16, 8, 8),
        "additional_residual_1": (2, 16, 8, 8),
        "additional_residual_2": (2, 16, 4, 4),
        "additional_residual_3": (2, 32, 4, 4),
        "additional_residual_4": (2, 32, 4, 4),
    }


def _worst(
    made: Packaged,
    mode: Literal["fp32", "typed"],
    timestep: float = 1.0,
    shape: Shape | None = None,
) -> float:
    """The PSNR of the worst output, in dB."""
    asked = question(made.network, shape or made.shape, timestep)
    wanted = answer(made.network, asked)
    model = InterpretedRuntime(mode).open(made.package, Units.CPU)
    said = model.predict(asked)
    model.close()
    assert said.keys() == wanted.keys()
    assert all(float(value.std()) > 0.01 for value in wanted.values())
    return min(likeness(said[name], wanted[name])[0] for name in wanted)


def _assert_clean(made: Packaged) -> None:
    taken, given = functions_of(made.package)["main"]
    assert lint(made.package, [FunctionSpec("main", taken, given)]) == []
