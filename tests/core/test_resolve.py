"""Whatever is in a draft, what comes out is a recipe within limits or a RecipeProblem."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.adapter import Adapter
from app.core.card import Kind
from app.core.errors import RecipeProblem
from app.core.model import Family, Feature, Limits, Model
from app.core.recipe import SEEDS, Draft, LoraUse, Recipe, Scheduler, Size, Start
from app.core.resolve import MAX_PROMPT, parse_scheduler, parse_size, resolve

LIMITS = Limits(
    native=Size(128, 128),
    shapes=(Size(128, 128),),
    min_side=64,
    max_side=256,
    side_step=8,
    max_tokens=75,
    schedulers=(Scheduler.EULER, Scheduler.DDIM),
    scheduler=Scheduler.DDIM,
)
MODEL = Model("starter", "Starter", Family.SD1, "/models/starter", LIMITS, built_in=True)
ADAPTERS = (
    Adapter("x", "X", Kind.LORA, Family.SD1, "/x.safetensors"),
    Adapter("v", "V", Kind.VAE, Family.SD1, "/v"),
)
CHANGEABLE = replace(MODEL, limits=replace(LIMITS, features=frozenset(Feature)), adapters=ADAPTERS)

_NUMBERS = st.integers() | st.sampled_from([0, 1, 7, 64, 128, 150, 100_000, -1, SEEDS - 1, SEEDS])
_SURROGATES = st.text(st.characters(exclude_categories=()), max_size=50)

drafts = st.builds(
    Draft,
    prompt=_SURROGATES | st.text(max_size=50),
    negative_prompt=_SURROGATES,
    size=st.none()
    | st.text(max_size=12)
    | st.builds(Size, _NUMBERS, _NUMBERS)
    | st.tuples(_NUMBERS, _NUMBERS).map(lambda sides: f"{sides[0]}x{sides[1]}"),
    steps=st.none() | _NUMBERS,
    guidance=st.none() | st.floats() | st.floats(1, 30),
    seed=st.none() | _NUMBERS,
    scheduler=st.none() | st.sampled_from(Scheduler) | st.text(max_size=20),
    count=st.integers(-1, 5),
    start=st.none() | st.builds(Start, st.text(), st.text(), st.floats(), st.none() | st.text()),
    loras=st.lists(st.builds(LoraUse, st.sampled_from("xyv"), st.floats()), max_size=2).map(tuple),
    vae=st.none() | st.sampled_from("xv") | st.text(max_size=90),
)


def check(recipe: Recipe, draft: Draft, limits: Limits) -> None:
    for text in (recipe.prompt, recipe.negative_prompt):
        text.encode("utf-8")
        assert "\0" not in text
    assert recipe.prompt.strip()
    for side in (recipe.size.width, recipe.size.height):
        assert limits.min_side <= side <= limits.max_side
        assert side % limits.side_step == 0
    assert limits.min_steps <= recipe.steps <= limits.max_steps
    assert 1 <= recipe.guidance <= limits.max_guidance
    assert 0 <= recipe.seed < SEEDS
    assert recipe.scheduler in limits.schedulers
    assert recipe.start == draft.start
    assert recipe.start is None or 0 < recipe.start.strength <= 1


@given(draft=drafts, model=st.sampled_from([MODEL, CHANGEABLE]))
def test_any_draft_gives_recipes_within_limits_or_a_problem_of_a_field(
    draft: Draft, model: Model
) -> None:
    problem: RecipeProblem | None = None
    recipes: tuple[Recipe, ...] = ()
    try:
        recipes = resolve(draft, model)
    except RecipeProblem as raised:
        problem = raised
    if problem is not None:
        assert problem.field in {field.name for field in fields(Draft)} | {"strength", "weight"}
        assert len(problem.value) <= 80
        assert problem.allowed
        problem.value.encode("utf-8")
        return
    assert len(recipes) == draft.count
    for recipe in recipes:
        check(recipe, draft, LIMITS)
        assert (recipe.loras, recipe.vae) == (draft.loras, draft.vae)
        assert all(use.id == "x" and abs(use.weight) <= 2 for use in recipe.loras)
        assert recipe.vae in (None, "v")


def test_what_is_left_open_is_the_models_own_default() -> None:
    (recipe,) = resolve(Draft("a dog"), MODEL, draw_seed=lambda _: 5)
    assert recipe == Recipe("a dog", "starter", Size(128, 128), 20, 7.5, 5, Scheduler.DDIM)


def test_a_seed_is_drawn_from_all_seeds() -> None:
    asked: list[int] = []
    resolve(Draft("a"), MODEL, draw_seed=lambda n: asked.append(n) or 0)
    assert asked == [2**32]


def test_a_count_of_four_is_four_single_recipes_with_seeds_in_a_row() -> None:
    four = resolve(Draft("a", seed=SEEDS - 2, count=4), MODEL)
    assert [recipe.seed for recipe in four] == [SEEDS - 2, SEEDS - 1, 0, 1]
    singles = tuple(resolve(Draft("a", seed=recipe.seed), MODEL)[0] for recipe in four)
    assert four == singles


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n\t\0"}, "prompt"),
        ({"prompt": "x" * (MAX_PROMPT + 1)}, "prompt"),
        ({"negative_prompt": "x" * (MAX_PROMPT + 1)}, "negative_prompt"),
        ({"size": Size(0, 0)}, "size"),
        ({"size": "7x7"}, "size"),
        ({"size": "100000x100000"}, "size"),
        ({"size": "100x128"}, "size"),
        ({"steps": 0}, "steps"),
        ({"steps": 151}, "steps"),
        ({"steps": True}, "steps"),
        ({"guidance": 0.99}, "guidance"),
        ({"guidance": math.inf}, "guidance"),
        ({"guidance": math.nan}, "guidance"),
        ({"seed": -1}, "seed"),
        ({"seed": SEEDS}, "seed"),
        ({"seed": True}, "seed"),
        ({"scheduler": "Heun"}, "scheduler"),
        ({"scheduler": Scheduler.HEUN}, "scheduler"),
        ({"count": 0}, "count"),
        ({"count": 101}, "count"),
        ({"loras": (LoraUse("x"),)}, "loras"),
        ({"start": Start("a", "b", 0.0)}, "strength"),
        ({"start": Start("a", "b", 1.01)}, "strength"),
        ({"start": Start("a", "b", math.nan)}, "strength"),
    ],
    ids=str,
)
def test_what_cannot_be_names_its_field(change: dict[str, object], field: str) -> None:
    with pytest.raises(RecipeProblem) as caught:
        resolve(replace(Draft("a dog"), **change), MODEL)  # type: ignore[arg-type]
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("feature", "draft"),
    [
        (Feature.NEGATIVE_PROMPT, Draft("a", negative_prompt="b")),
        (Feature.IMAGE_TO_IMAGE, Draft("a", start=Start("f", "s"))),
        (Feature.INPAINTING, Draft("a", start=Start("f", "s", mask="m"))),
        (Feature.LORA, Draft("a", loras=(LoraUse("x"),))),
    ],
)
def test_what_the_model_cannot_do_is_refused_and_not_ignored(
    feature: Feature, draft: Draft
) -> None:
    def model(features: frozenset[Feature]) -> Model:
        return replace(CHANGEABLE, limits=replace(LIMITS, features=features))

    every = frozenset(Feature)
    assert resolve(draft, model(every))
    with pytest.raises(RecipeProblem) as caught:
        resolve(draft, model(every - {feature}))
    assert caught.value.value == feature.value


@pytest.mark.parametrize(
    ("change", "field", "allowed"),
    [
        ({"loras": (LoraUse("y"),)}, "loras", "x"),
        ({"loras": (LoraUse("v"),)}, "loras", "x"),
        ({"loras": (LoraUse("x", 2.01),)}, "weight", "-2 to 2"),
        ({"loras": (LoraUse("x", -2.01),)}, "weight", "-2 to 2"),
        ({"loras": (LoraUse("x", math.nan),)}, "weight", "-2 to 2"),
        ({"loras": (LoraUse("x"), LoraUse("x", math.inf))}, "weight", "-2 to 2"),
        ({"vae": "x"}, "vae", "v"),
        ({"vae": ""}, "vae", "v"),
    ],
    ids=str,
)
def test_what_is_not_installed_or_too_much_says_what_would_do(
    change: dict[str, object], field: str, allowed: str
) -> None:
    with pytest.raises(RecipeProblem) as caught:
        resolve(replace(Draft("a dog"), **change), CHANGEABLE)  # type: ignore[arg-type]
    assert (caught.value.field, caught.value.allowed) == (field, allowed)


def test_halves_of_characters_become_marks_and_whole_pairs_are_joined() -> None:
    (recipe,) = resolve(Draft("a\ud83c b\ud83c\udf4e c\udcff"), MODEL)
    assert recipe.prompt == "a� b🍎 c�"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512x768", Size(512, 768)),
        (" 512 X 768 ", Size(512, 768)),
        ("512×768", Size(512, 768)),
        ("512*768", Size(512, 768)),
        ("512", Size(512, 512)),
        ("0x0", Size(0, 0)),
    ],
)
def test_sizes_are_read_as_people_write_them(text: str, size: Size) -> None:
    assert parse_size(text) == size
    assert parse_size(str(size)) == size


@pytest.mark.parametrize(
    "text", ["", "x", "512x", "x512", "-1x5", "5.5x5", "1e3", "1x2x3", "９" * 20]
)
def test_what_is_no_size_is_a_problem(text: str) -> None:
    with pytest.raises(RecipeProblem) as caught:
        parse_size(text)
    assert caught.value == RecipeProblem("size", text, "WIDTHxHEIGHT")


@pytest.mark.parametrize("scheduler", Scheduler)
def test_a_scheduler_is_found_however_its_name_is_typed(scheduler: Scheduler) -> None:
    name = scheduler.value
    for typed in (name, name.upper(), name.lower(), name.replace(" ", "_"), f" {name} "):
        assert parse_scheduler(typed) is scheduler


def test_schedulers_are_found_by_their_other_names() -> None:
    assert parse_scheduler("PLMS") is Scheduler.PNDM
    assert parse_scheduler("euler ancestral") is Scheduler.EULER_A
    assert parse_scheduler("DPM++") is Scheduler.DPMPP_2M_KARRAS


def test_a_model_of_fixed_sizes_takes_these_and_names_them() -> None:
    shapes = (Size(512, 512), Size(512, 768))
    limits = replace(
        LIMITS, native=shapes[0], shapes=shapes, min_side=512, max_side=768, shapes_only=True
    )
    model = replace(MODEL, limits=limits)
    assert resolve(Draft("x", size="512x768"), model)[0].size == shapes[1]
    with pytest.raises(RecipeProblem) as caught:
        resolve(Draft("x", size="768x768"), model)
    assert caught.value == RecipeProblem("size", "768x768", "512x512, 512x768")
