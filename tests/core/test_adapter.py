"""What fits which model, and which words a prompt calls it by."""

from __future__ import annotations

import pytest

from app.core.adapter import Adapter
from app.core.card import Kind
from app.core.model import Family

FAMILIES = tuple(Family)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", [Kind.LORA, Kind.EMBEDDING])
def test_what_changes_weights_or_words_fits_its_own_family_alone(
    kind: Kind, family: Family
) -> None:
    adapter = Adapter("a", "A", kind, family, "/a")
    assert [other for other in FAMILIES if adapter.fits(other)] == [family]


@pytest.mark.parametrize("kind", [Kind.VAE, Kind.PREVIEWER])
def test_what_reads_latents_fits_all_that_write_them_alike(kind: Kind) -> None:
    def fitting(family: Family) -> set[Family]:
        adapter = Adapter("a", "A", kind, family, "/a")
        return {other for other in FAMILIES if adapter.fits(other)}

    assert fitting(Family.SD1) == fitting(Family.SD2) == {Family.SD1, Family.SD2}
    assert fitting(Family.SDXL) == {Family.SDXL}


@pytest.mark.parametrize(
    ("id", "title", "kind", "hurries"),
    [
        ("lcm-lora-sd-1.5", "LCM-LoRA for Stable Diffusion 1.5", Kind.LORA, True),
        ("my-file", "lcm_lora_sdv1-5", Kind.LORA, True),
        ("ink", "Ink", Kind.LORA, False),
        ("filmcmyk", "filmcmyk", Kind.LORA, False),
        ("lcm", "LCM", Kind.EMBEDDING, False),
    ],
)
def test_a_latent_consistency_lora_is_known_by_its_name(
    id: str, title: str, kind: Kind, hurries: bool
) -> None:
    assert Adapter(id, title, kind, Family.SD1, "/a").hurries is hurries
