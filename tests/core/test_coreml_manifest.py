"""coreml.json says after reading what was written, and nothing else passes for one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app.core.coreml_manifest import (
    Attention,
    CoreMLManifest,
    FeatureSpec,
    FunctionSpec,
    Part,
    PartSpec,
    Units,
    from_json,
    to_json,
)
from app.core.model import Family

UNET = PartSpec(
    "Unet.mlpackage",
    (
        FunctionSpec(
            "main",
            (FeatureSpec("sample", (2, 4, 8, 8), "float16"),),
            (FeatureSpec("noise_pred", (2, 4, 8, 8), "float16"),),
            64,
            64,
            2,
        ),
    ),
    (Units.CPU_AND_NEURAL_ENGINE, Units.CPU),
    sha256="ab" * 32,
    bits=6,
    attention=Attention.SPLIT_EINSUM,
    golden="golden/unet.npz",
)
MANIFEST = CoreMLManifest(
    title="Tiny",
    family=Family.SD1,
    parts={Part.UNET: UNET, Part.VAE_DECODER: replace(UNET, attention=None)},
    scheduler={"beta_start": 0.00085, "prediction_type": "epsilon"},
    latent_channels=4,
    latent_scale=0.18215,
    factor=8,
    source_files={"unet/model.safetensors": "cd" * 32},
    changes=("6-bit k-means",),
)


def test_round_trip() -> None:
    assert from_json(to_json(MANIFEST)) == MANIFEST


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"family": "sd9"},
        {"parts": {"wings": {}}},
        {"parts": {"unet": {"file": "x"}}},
        {"surprise": 1},
    ],
)
def test_anything_else_is_refused(change: dict[str, object]) -> None:
    text = json.dumps({**json.loads(to_json(MANIFEST)), **change})
    with pytest.raises((ValueError, TypeError, KeyError)):
        from_json(text)


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"format": 1}'])
def test_what_is_no_manifest_at_all(text: str) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        from_json(text)
