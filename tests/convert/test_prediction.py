"""What SD 2.x files do not say is found out: tried on a trained network of a known kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file

from app.convert import single_file
from app.convert.importing import bring_in
from app.convert.prediction import likeness, predicts_noise
from tests.convert.ldm_layout import single_file as ldm_file

STARTER = Path(__file__).resolve().parents[2] / "models" / "starter"


@pytest.fixture(scope="module")
def velocity() -> Any:
    """The starter's UNet, which was trained to predict velocity."""
    scheduler = json.loads((STARTER / "scheduler" / "scheduler_config.json").read_text())
    assert scheduler["prediction_type"] == "v_prediction"
    return UNet2DConditionModel.from_pretrained(
        str(STARTER / "unet"),
        local_files_only=True,
        low_cpu_mem_usage=False,
        torch_dtype=torch.float32,
    )


class Noise:
    """The same network, saying what noise it sees: noise = velocity * signal + x * rest."""

    def __init__(self, velocity: Any, kept: float) -> None:
        self.config, self.dtype = velocity.config, velocity.dtype
        self._velocity, self._kept = velocity, kept

    def __call__(self, x: torch.Tensor, *rest: Any, **named: Any) -> tuple[torch.Tensor]:
        seen = self._velocity(x, *rest, **named)[0]
        return (seen * self._kept**0.5 + x * (1 - self._kept) ** 0.5,)


def test_velocity_and_noise_are_told_apart_by_a_wide_margin(velocity: Any) -> None:
    assert likeness(velocity) < 0.2
    for kept in (0.00004, 0.0047):  # what is left of the picture: the starter's, and SD 2.x's
        assert likeness(Noise(velocity, kept)) > 0.95
    assert not predicts_noise(velocity)


@pytest.mark.parametrize(("noise", "expected"), [(True, "epsilon"), (False, "v_prediction")])
def test_an_sd2_file_gets_the_scheduler_that_fits(
    noise: bool,
    expected: str,
    tiny_source: Callable[[str], Path],
    tiny_resources: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(single_file, "predicts_noise", lambda _: noise)
    file = tmp_path / "m.ckpt"
    torch.save(ldm_file("sd2", tiny_source("sd2")), file)

    bring_in(file, tmp_path / "s", tiny_resources("sd2"), lambda _: None, lambda: False)

    config = json.loads((tmp_path / "s" / "scheduler" / "scheduler_config.json").read_text())
    assert config["prediction_type"] == expected


def test_sdxl_s_marks_are_heeded(
    tiny_source: Callable[[str], Path], tiny_resources: Callable[[str], Path], tmp_path: Path
) -> None:
    state = ldm_file("sdxl", tiny_source("sdxl"))
    state |= {"v_pred": torch.empty(0), "ztsnr": torch.empty(0)}
    file = tmp_path / "m.safetensors"
    save_file(state, file)

    bring_in(file, tmp_path / "s", tiny_resources("sdxl"), lambda _: None, lambda: False)

    config = json.loads((tmp_path / "s" / "scheduler" / "scheduler_config.json").read_text())
    assert config["prediction_type"] == "v_prediction"
    assert config["rescale_betas_zero_snr"] is True
    assert config["timestep_spacing"] == "trailing"
