"""The safety checker's scores are diffusers' own, and survive conversion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from safetensors.torch import save_file
from transformers import CLIPConfig

from app.convert.coreml.export import export_package
from app.convert.coreml.golden import answer, question
from app.convert.coreml.lint import functions_of, lint
from app.convert.coreml.parts import Network, Shape, load_network
from app.convert.coreml.safety import has_safety_checker, load_scores
from app.convert.coreml.verifying import likeness
from app.convert.folder import look_through
from app.convert.mil.runtime import InterpretedRuntime
from app.core.coreml_manifest import Attention, FunctionSpec, Part, Units
from app.core.errors import ImportRefused
from app.core.recipe import Size
from tests.convert.coreml.tinier import randomised, write_tinier

VISION = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
    "image_size": 32, "patch_size": 8, "projection_dim": 16,
}  # fmt: skip


def write_checker(folder: Path) -> Any:
    """A tiny safety checker in ``folder`` with random concepts; gives diffusers' network."""
    torch.manual_seed(4)
    network = StableDiffusionSafetyChecker(CLIPConfig(vision_config=VISION, projection_dim=16))
    network = randomised(network)
    for name in ("concept_embeds", "special_care_embeds"):
        getattr(network, name).copy_(torch.randn_like(getattr(network, name)))
    for name in ("concept_embeds_weights", "special_care_embeds_weights"):
        getattr(network, name).fill_(0.2)
    place = folder / "safety_checker"
    place.mkdir(parents=True)
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file({name: value.half() for name, value in state.items()}, place / "model.safetensors")
    config = {"vision_config": VISION, "projection_dim": 16}
    (place / "config.json").write_text(json.dumps(config))
    return network.half().float()


def test_scores_decide_as_diffusers_does(tmp_path: Path) -> None:
    stock = write_checker(tmp_path)
    assert has_safety_checker(tmp_path)
    scores = load_scores(tmp_path)
    torch.manual_seed(0)
    pictures = [torch.randn(1, 3, 32, 32) * 2 for _ in range(12)]
    # Concepts begin where half of these pictures are.
    tops = sorted(float(scores(clip_input=pixels)[0].max()) for pixels in pictures)
    stock.concept_embeds_weights.add_((tops[5] + tops[6]) / 2)
    scores.limits[scores.special :].add_((tops[5] + tops[6]) / 2)  # type: ignore[index]
    seen = set()
    for pixels in pictures:
        found = scores(clip_input=pixels)[0]
        assert found.shape == (1, 17)
        _, flagged = stock(pixels, [torch.zeros(3, 8, 8)])
        assert bool((found > 0.0005).any()) == flagged[0]
        seen.add(flagged[0])
    assert seen == {True, False}


def test_a_model_without_one_has_none(tmp_path: Path) -> None:
    assert not has_safety_checker(tmp_path)


@pytest.mark.parametrize(
    "change", [{"hidden_size": 10**9}, {"num_hidden_layers": -1}, {"patch_size": 16}]
)
def test_a_damaged_one_is_refused(tmp_path: Path, change: dict[str, int]) -> None:
    write_checker(tmp_path)
    config = {"vision_config": VISION | change, "projection_dim": 16}
    (tmp_path / "safety_checker" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ImportRefused):
        load_scores(tmp_path)


@pytest.mark.slow
def test_its_package_gives_the_same_scores(tmp_path: Path) -> None:
    folder = write_tinier("sd1", tmp_path / "model")
    write_checker(folder)
    network: Network = load_network(look_through(folder), Part.SAFETY_CHECKER, Attention.SDPA)
    shape, package = Shape(Size(64, 64)), tmp_path / "SafetyChecker.mlpackage"
    export_package(network, shape, 14, package)
    taken, given = functions_of(package)["main"]
    assert [(one.name, one.shape) for one in (*taken, *given)] == [
        ("clip_input", (1, 3, 32, 32)),
        ("concept_scores", (1, 17)),
    ]
    assert lint(package, [FunctionSpec("main", taken, given)]) == []
    asked = question(network, shape)
    wanted = answer(network, asked)["concept_scores"]
    for mode, least in (("fp32", 60.0), ("typed", 45.0)):
        said = InterpretedRuntime(mode).open(package, Units.CPU).predict(asked)  # type: ignore[arg-type]
        assert likeness(said["concept_scores"], wanted)[0] > least
