"""A found recipe laid on a model: what is used, what cannot be, what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.adapter import Adapter
from app.core.card import Kind
from app.core.errors import RecipeProblem
from app.core.model import Feature, Model
from app.core.recipe import Draft, LoraUse, Scheduler, Size, Start
from app.core.resolve import resolve
from app.library.foreign import read_recipe
from app.library.found_recipe import FoundLora, FoundRecipe, lay_on, scheduler_of
from tests.library import foreign_pictures as theirs
from tests.library.examples import MODEL

BESIDE = (
    Adapter("detail", "add_detail", Kind.LORA, MODEL.family, "/models/detail.safetensors"),
    Adapter("clear", "Clear Colours", Kind.VAE, MODEL.family, "/models/clear"),
)
SD15 = replace(
    MODEL, id="sd15", title="v1-5-pruned-emaonly", folder="/models/sd15", adapters=BESIDE
)
SMALL = replace(
    MODEL,
    id="starter",
    title="Starter",
    limits=replace(
        MODEL.limits,
        max_side=256,
        schedulers=(Scheduler.EULER, Scheduler.DPMPP_2M_KARRAS),
        features=frozenset(),
    ),
)


def of_a_web_ui() -> FoundRecipe:
    found = read_recipe(theirs.png(parameters=theirs.AUTOMATIC1111))
    assert found is not None
    return found


def test_all_is_used_where_the_picture_s_own_model_is_here() -> None:
    laid = lay_on(of_a_web_ui(), SMALL, (SMALL, SD15))
    assert laid.model is SD15
    assert laid.used == (
        "prompt",
        "negative_prompt",
        "size",
        "steps",
        "guidance",
        "seed",
        "scheduler",
        "loras",
    )
    assert (laid.cannot, laid.missing_model, laid.missing_loras) == ((), "", ())
    assert laid.draft.loras == (LoraUse("detail", 0.8),)
    assert ("Clip skip", "2") in laid.unknown
    (recipe,) = resolve(laid.draft, laid.model)
    assert (recipe.size, recipe.seed) == (Size(512, 768), 965400086)


def test_what_the_model_cannot_do_is_listed_and_left_to_its_default() -> None:
    laid = lay_on(of_a_web_ui(), SMALL, (SMALL,))
    assert laid.model is SMALL
    assert laid.missing_model == "v1-5-pruned-emaonly"
    assert laid.missing_loras == (FoundLora("add_detail", 0.8),)
    assert laid.cannot == (
        RecipeProblem("negative_prompt", "negative prompt", "a model that can do this"),
        RecipeProblem("size", "512x768", "8 to 256 a side, in steps of 8"),
    )
    assert laid.used == ("prompt", "steps", "guidance", "seed", "scheduler")
    (recipe,) = resolve(laid.draft, laid.model)
    assert recipe.size == SMALL.limits.native


def test_an_autoencoder_is_used_where_it_is_here_and_named_where_not() -> None:
    found = FoundRecipe("?", Draft("a"), vae="clear_colours.safetensors")
    assert lay_on(found, SD15).draft.vae == "clear"
    laid = lay_on(found, SMALL)
    assert (laid.draft.vae, laid.unknown) == (None, (("VAE", "clear_colours.safetensors"),))


def test_absurd_values_are_no_surprise() -> None:
    draft = Draft("a", size="big", steps=0, guidance=1e300, seed=2**64, scheduler="Magic")
    laid = lay_on(FoundRecipe("?", draft, model_hash="abc"), MODEL)
    assert [problem.field for problem in laid.cannot] == [
        "size",
        "steps",
        "guidance",
        "seed",
        "scheduler",
    ]
    assert laid.used == ("prompt",)
    assert laid.missing_model == "abc"
    assert resolve(laid.draft, MODEL)


def test_an_empty_recipe_uses_nothing() -> None:
    laid = lay_on(FoundRecipe("?", Draft("")), MODEL)
    assert (laid.used, laid.cannot, laid.missing_model, laid.unknown) == ((), (), "", ())


def test_a_starting_picture_that_is_in_no_file_is_named() -> None:
    found = FoundRecipe("?", Draft("a"), strength=0.4)
    assert lay_on(found, MODEL).unknown == (("start", "0.4"),)
    own = replace(found, draft=Draft("a", start=Start("/a.png", "0" * 64, 0.4)))
    assert lay_on(own, MODEL).used == ("prompt", "start")
    assert lay_on(own, SMALL).cannot == (
        RecipeProblem("start", Feature.IMAGE_TO_IMAGE.value, "a model that can do this"),
    )


@pytest.mark.parametrize(
    "name",
    [
        "sd15",
        "SD1.5\\v1-5-pruned-emaonly.ckpt",
        "v1_5_pruned_emaonly.safetensors",
        "some/folder/V1-5 Pruned Emaonly",
    ],
)
def test_a_model_is_known_by_any_of_its_names(name: str) -> None:
    assert lay_on(FoundRecipe("?", Draft("a"), model=name), MODEL, (MODEL, SD15)).model is SD15


def test_another_model_is_not_taken_for_it() -> None:
    models: tuple[Model, ...] = (MODEL, SD15)
    for name in ("v1-5", "sd", "...", ".ckpt"):
        assert lay_on(FoundRecipe("?", Draft("a"), model=name), MODEL, models).model is MODEL


@pytest.mark.parametrize(
    ("name", "spacing", "scheduler", "other"),
    [
        ("DPM++ 2M Karras", "", Scheduler.DPMPP_2M_KARRAS, ""),
        ("DPM++ 2M", "Karras", Scheduler.DPMPP_2M_KARRAS, ""),
        ("DPM++ 2M", "", Scheduler.DPMPP_2M_KARRAS, "normal"),
        ("DPM++ 2M", "Exponential", Scheduler.DPMPP_2M_KARRAS, "exponential"),
        ("DPM++ 2M SDE", "Automatic", Scheduler.DPMPP_2M_SDE, ""),
        ("dpmpp_2m_sde_gpu", "karras", Scheduler.DPMPP_2M_SDE, "karras"),
        ("dpmpp_2m_k", "", Scheduler.DPMPP_2M_KARRAS, ""),
        ("dpmpp_2m", "normal", Scheduler.DPMPP_2M_KARRAS, "normal"),
        ("Euler a", "", Scheduler.EULER_A, ""),
        ("k_euler_ancestral", "native", Scheduler.EULER_A, ""),
        ("euler_a", "", Scheduler.EULER_A, ""),
        ("euler_k", "", Scheduler.EULER, "karras"),
        ("Euler Ancestral", "", Scheduler.EULER_A, ""),
        ("euler", "simple", Scheduler.EULER, ""),
        ("PLMS", "", Scheduler.PNDM, ""),
        ("uni_pc_bh2", "normal", Scheduler.UNIPC, ""),
        ("heun", "", Scheduler.HEUN, ""),
        ("lcm", "sgm_uniform", Scheduler.LCM, "sgm_uniform"),
        ("ddim", "ddim_uniform", Scheduler.DDIM, "ddim_uniform"),
        ("DPM adaptive", "", "DPM adaptive", ""),
        ("k_lms", "", "k_lms", ""),
        ("", "", None, ""),
    ],
)
def test_their_names_of_schedulers(
    name: str, spacing: str, scheduler: Scheduler | str | None, other: str
) -> None:
    assert scheduler_of(name, spacing) == (scheduler, other)
