"""A stranger's picture fills the form, whichever program drew it."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.core.errors import PictureUnreadable
from app.core.placement import Placement
from app.core.recipe import Draft, Recipe, Scheduler, Size
from app.library import settings_text
from app.library.foreign import read_recipe
from app.library.found_recipe import FoundLora, FoundRecipe
from app.library.picture_file import Picture, encode
from app.library.recipe_text import parameters
from tests.library import foreign_pictures as theirs
from tests.library.examples import finished, fits_a_jpeg, recipe, recipes

SIZE = Size(512, 768)
ADD_DETAIL = (FoundLora("add_detail", 0.8),)


def found(data: bytes) -> FoundRecipe:
    recipe = read_recipe(data)
    assert recipe is not None
    return recipe


UTF16 = b"UNICODE\0" + theirs.AUTOMATIC1111.encode("utf-16-be")


@pytest.mark.parametrize(
    "data",
    [
        theirs.png(parameters=theirs.AUTOMATIC1111),
        theirs.with_comment(UTF16),
        theirs.with_comment(UTF16, "WEBP"),
        theirs.with_comment(UTF16, "AVIF"),
        theirs.with_comment(b"UNICODE\0" + theirs.AUTOMATIC1111.encode("utf-16-le")),
        theirs.with_comment(b"UNICODE\0" + theirs.AUTOMATIC1111.encode("utf-16")),
        theirs.with_comment(b"ASCII\0\0\0" + theirs.AUTOMATIC1111.encode()),
        theirs.with_comment(bytes(8) + theirs.AUTOMATIC1111.encode()),
        theirs.with_comment(theirs.AUTOMATIC1111.encode()),
    ],
    ids=["png", "jpeg", "webp", "avif", "little-endian", "marked", "ascii", "no code", "bare"],
)
def test_automatic1111(data: bytes) -> None:
    recipe = found(data)
    assert recipe.program == "AUTOMATIC1111"
    assert recipe.draft == Draft(
        prompt="masterpiece, (best quality:1.2), a red apple\n"
        'on a "wooden" table, [bokeh]; soft light',
        negative_prompt="lowres, bad: anatomy,\nblurry",
        size=SIZE,
        steps=28,
        guidance=7.5,
        seed=965400086,
        scheduler=Scheduler.DPMPP_2M_KARRAS,
    )
    assert (recipe.model, recipe.model_hash) == ("v1-5-pruned-emaonly", "6ce0161689")
    assert recipe.loras == ADD_DETAIL
    assert recipe.strength is None
    assert ("Clip skip", "2") in recipe.unknown
    assert ("Lora hashes", "add_detail: 7c6bad76eb54") in recipe.unknown


def test_automatic1111_of_2022() -> None:
    recipe = found(theirs.png(parameters=theirs.AUTOMATIC1111_OLD))
    assert recipe.draft.scheduler is Scheduler.EULER_A
    assert recipe.draft.prompt == "girl with an artist's beret, determined"
    assert (recipe.model, recipe.model_hash, recipe.unknown) == ("", "45dee52b", ())


def test_a_second_pass_is_no_starting_picture_and_a_start_is() -> None:
    text = theirs.AUTOMATIC1111_OLD
    start = found(theirs.png(parameters=f"{text}, Denoising strength: 0.4"))
    assert start.strength == 0.4
    hires = f"{text}, Denoising strength: 0.4, Hires upscale: 2, Hires upscaler: Latent"
    assert found(theirs.png(parameters=hires)).strength is None


@pytest.mark.parametrize(
    "data", [theirs.comfy_png(), theirs.png(prompt=json.dumps(theirs.COMFY_GRAPH))],
    ids=["from the window", "from the API"],
)  # fmt: skip
def test_comfyui(data: bytes) -> None:
    recipe = found(data)
    assert recipe.program == "ComfyUI"
    assert recipe.draft == Draft(
        prompt='beautiful scenery, a "glass" bottle; purple',
        negative_prompt="text, watermark",
        size=SIZE,
        steps=20,
        guidance=8.0,
        seed=934966995009374,
        scheduler=Scheduler.DPMPP_2M_KARRAS,
    )
    assert recipe.model == "SD1.5\\v1-5-pruned-emaonly.ckpt"
    assert recipe.loras == (FoundLora("add_detail.safetensors", 0.8),)
    assert recipe.strength is None
    assert recipe.unknown == (("samplers", "2"),)


@pytest.mark.parametrize(
    ("data", "hash"),
    [
        (theirs.png(invokeai_metadata=json.dumps(theirs.INVOKE)), "blake3:00ff"),
        (theirs.png(invokeai_metadata=json.dumps(theirs.INVOKE_3)), ""),
    ],
    ids=["5", "3"],
)
def test_invokeai(data: bytes, hash: str) -> None:
    recipe = found(data)
    assert recipe.program == "InvokeAI"
    assert recipe.draft == Draft(
        prompt='a watercolour fox; in "snow"',
        negative_prompt="photo, 3d",
        size=SIZE,
        steps=30,
        guidance=7.5,
        seed=356120443,
        scheduler=Scheduler.DPMPP_2M_KARRAS,
    )
    assert (recipe.model, recipe.model_hash) == ("v1-5-pruned-emaonly", hash)
    assert recipe.loras == ADD_DETAIL
    assert ("rand_device", "cpu") in recipe.unknown


def test_invokeai_of_2022() -> None:
    recipe = found(theirs.png(Dream=theirs.INVOKE_2_DREAM))
    assert recipe.draft == Draft(
        prompt="a lonely robot",
        negative_prompt="blurry, text",
        size=SIZE,
        steps=50,
        guidance=7.5,
        seed=1618033988,
        scheduler=Scheduler.EULER_A,
    )


@pytest.mark.parametrize(
    "data",
    [
        theirs.png(parameters=json.dumps(theirs.FOOOCUS), fooocus_scheme="fooocus"),
        theirs.with_comment(b"UNICODE\0" + json.dumps(theirs.FOOOCUS).encode("utf-16-be")),
    ],
    ids=["png", "jpeg"],
)
def test_fooocus(data: bytes) -> None:
    recipe = found(data)
    assert recipe.program == "Fooocus"
    assert recipe.draft == Draft(
        prompt="A sunflower field",
        size=Size(896, 1152),
        steps=30,
        guidance=4.0,
        seed=127589946317439009,
        scheduler=Scheduler.DPMPP_2M_SDE,
    )
    assert (recipe.model, recipe.model_hash) == ("juggernautXL_v8Rundiffusion", "aeb7e9e689")
    assert recipe.loras == (FoundLora("sd_xl_offset_example-lora_1.0", 0.1),)
    assert ("schedule", "karras") in recipe.unknown
    assert ("styles", "['Fooocus V2', 'Fooocus Enhance', 'Fooocus Sharp']") in recipe.unknown


def test_novelai() -> None:
    recipe = found(theirs.png(**theirs.NOVELAI))
    assert recipe.program == "NovelAI"
    assert recipe.draft == Draft(
        prompt="1girl, silver hair, library; soft light",
        negative_prompt="lowres, jpeg artifacts",
        size=Size(832, 1216),
        steps=28,
        guidance=5.0,
        seed=3141592653,
        scheduler=Scheduler.EULER_A,
    )
    assert (recipe.model, recipe.model_hash) == ("Stable Diffusion", "1D44365E")


@pytest.mark.parametrize(
    "data",
    [
        theirs.draw_things_png(json.dumps(theirs.DRAW_THINGS), "text"),
        theirs.with_comment(b"ASCII\0\0\0" + json.dumps(theirs.DRAW_THINGS).encode()),
    ],
    ids=["XMP", "Exif"],
)
def test_draw_things(data: bytes) -> None:
    recipe = found(data)
    assert recipe.program == "Draw Things"
    assert recipe.draft == Draft(
        prompt='a lighthouse, "gouache"; calm',
        negative_prompt="blurry & dull",
        size=SIZE,
        steps=20,
        guidance=7.5,
        seed=1601874409,
        scheduler=Scheduler.DPMPP_2M_KARRAS,
    )
    assert recipe.model == "sd_v1.5_f16.ckpt"
    assert recipe.loras == (FoundLora("add_detail_lora_f16.ckpt", 0.8),)
    assert recipe.strength is None
    assert recipe.unknown == (("seed_mode", "Scale Alike"),)


def test_draw_things_by_its_text_alone() -> None:
    recipe = found(theirs.draw_things_png(None, theirs.DRAW_THINGS_TEXT))
    assert recipe.draft == Draft(
        prompt="a lighthouse, gouache",
        negative_prompt="blurry & dull",
        size=SIZE,
        steps=20,
        guidance=7.5,
        seed=1601874409,
        scheduler=Scheduler.EULER_A,
    )
    assert recipe.model == "sd_v1.5_f16.ckpt"


@given(of=recipes(), suffix=st.sampled_from([".png", ".jpg", ".webp", ".avif"]))
def test_our_own_pictures_give_every_field(of: Recipe, suffix: str) -> None:
    assume(suffix != ".jpg" or fits_a_jpeg(of))
    made = datetime(2026, 11, 23, tzinfo=UTC)
    picture = Picture(Path(), of, Placement.CPU, 1.0, made, id="a" * 32)
    recipe = found(encode(finished().pixels, picture, suffix))
    assert recipe == FoundRecipe(
        program="Easel",
        draft=Draft(
            prompt=of.prompt,
            negative_prompt=of.negative_prompt,
            size=of.size,
            steps=of.steps,
            guidance=of.guidance,
            seed=of.seed,
            scheduler=of.scheduler,
            start=of.start,
        ),
        model=of.model,
        loras=tuple(FoundLora(lora.id, lora.weight) for lora in of.loras),
        strength=None if of.start is None else of.start.strength,
        vae=of.vae or "",
    )


PROMPTS = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=120),
    st.text("a\"',:;\n\\ {}[]()🍎ا<>", max_size=60),
    st.sampled_from(
        ['say "cheese", twice: yes; "no"', "Steps: 99, Sampler: x, CFG scale: 1, Seed: 1", "a\\"]
    ),
).filter(
    # The form's own limits: a line that begins so is the negative prompt, and one it strips.
    lambda text: (
        text.strip()
        and not any(line.startswith("Negative prompt:") for line in text.split("\n"))
        and "<lora:" not in text
        and text == text.strip(" ")
    )
)


@given(of=recipes(), prompt=PROMPTS, negative=st.just("") | PROMPTS, model=PROMPTS)
def test_the_common_text_gives_every_field_it_has_room_for(
    of: Recipe, prompt: str, negative: str, model: str
) -> None:
    from dataclasses import replace

    loras = tuple(replace(lora, id=f"lora {n}") for n, lora in enumerate(of.loras))
    of = replace(of, prompt=prompt, negative_prompt=negative, model=model, loras=loras)
    assume(not_double(parameters(of)))
    text = settings_text.read(parameters(of))
    assert text is not None
    recipe = found(theirs.png(parameters=parameters(of)))
    assert recipe.draft == Draft(
        prompt=prompt,
        negative_prompt=negative,
        size=of.size,
        steps=of.steps,
        guidance=of.guidance,
        seed=of.seed,
        scheduler=of.scheduler,
    )
    assert recipe.model == model
    assert recipe.loras == tuple(FoundLora(lora.id, lora.weight) for lora in loras)
    assert recipe.strength == (None if of.start is None else of.start.strength)
    assert recipe.vae == (of.vae or "")
    assert recipe.unknown == ()


def not_double(text: str) -> bool:
    """Latin-1 in a PNG whose bytes happen to be UTF-8: nobody can tell which was meant."""
    try:
        return text.encode("latin-1").decode("utf-8") == text
    except UnicodeError:
        return True


DEEP = "[" * 200_000
MANY_SAMPLERS = {
    str(n): {
        "class_type": "KSampler",
        "inputs": {"sampler_name": "euler", "steps": 1, "cfg": 1, "model": [str(n + 1), 0]},
    }
    for n in range(5000)
}
LONG_CHAIN = {
    "s": {
        "class_type": "KSampler",
        "inputs": {"sampler_name": "euler", "steps": 1, "cfg": 1, "positive": ["0", 0]},
    },
    **{
        str(n): {"class_type": "X", "inputs": {"text": [str((n + 1) % 990), 0], "other": 1}}
        for n in range(990)
    },
}


@pytest.mark.parametrize(
    "data",
    [
        theirs.png(),
        theirs.png(parameters=""),
        theirs.png(parameters="a prompt and nothing else"),
        theirs.png(parameters=DEEP),
        theirs.png(prompt=DEEP, workflow=DEEP),
        theirs.png(prompt='{"a":' * 100_000),
        theirs.png(prompt=json.dumps(MANY_SAMPLERS)),
        theirs.png(prompt=json.dumps({"1": None, "2": {"class_type": 1, "inputs": []}})),
        theirs.png(invokeai_metadata="{}", prompt="[]"),
        theirs.png(invokeai_metadata='{"scheduler": [], "model": 3, "loras": 7}'),
        theirs.png(sd_metadata='{"image": {"sampler": 1, "prompt": 5}}'),
        theirs.png(Dream='"' * 100_000),
        theirs.png(parameters='{"base_model": []}'),
        theirs.png(Software="NovelAI", Comment="{}"),
        theirs.png(parameters="Steps: " * 200_000),
        theirs.png(parameters="<lora:" * 200_000 + "\nSteps: 1"),
        theirs.png(parameters='a: "' + "\\\\" * 100_000),
        theirs.with_comment(b"UNICODE\0" + b"\xd8\x00" * 1000 + b"\x00"),
        theirs.with_comment(b"UNICODE\0" + b"\xff\xfe\x00"),
        theirs.with_comment(b"UNI"),
        theirs.draw_things_png(DEEP, ""),
        theirs.draw_things_png('{"c": 1}', "x"),
    ],
    ids=range(22),
)
def test_hostile_and_empty_metadata_give_nothing_and_cost_little(data: bytes) -> None:
    began = time.process_time()
    assert read_recipe(data) is None
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    "data",
    [
        theirs.png(prompt=json.dumps(LONG_CHAIN)),
        theirs.png(parameters="x" * 1_000_000 + "\n" + "Steps: 1, Seed: 2, Size: 9x9" * 50_000),
        theirs.png(parameters=theirs.AUTOMATIC1111_OLD.replace("20", "9" * 3000)),
        theirs.draw_things_png('{"c": [1], "uc": {}, "size": 5, "lora": 3, "seed": "x"}', ""),
    ],
    ids=range(4),
)
def test_absurd_metadata_is_found_and_bounded(data: bytes) -> None:
    began = time.process_time()
    recipe = read_recipe(data)
    assert time.process_time() - began < 2.0
    if recipe is not None:
        assert len(recipe.unknown) <= 100
        assert all(len(value) <= 200 for _, value in recipe.unknown)


@given(
    st.sampled_from(
        ["parameters", "prompt", "invokeai_metadata", "sd_metadata", "Dream", "Comment"]
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["inputs", "class_type", "sampler_name", "image", "prompt", "model", "loras"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
)
def test_any_json_under_any_keyword_breaks_nothing(keyword: str, value: object) -> None:
    recipe = read_recipe(theirs.png(**{keyword: json.dumps(value), "Software": "NovelAI"}))
    assert recipe is None or isinstance(recipe, FoundRecipe)


def test_two_pictures_in_turn_each_give_their_own() -> None:
    """sd-parsers' own way into a file remembers a picture by where it lay in memory."""
    for n in range(50):
        text = theirs.AUTOMATIC1111_OLD.replace("Steps: 20", f"Steps: {n + 1}")
        data = theirs.with_comment(b"UNICODE\0" + text.encode("utf-16-be"))
        assert found(data).draft.steps == n + 1


def test_what_is_no_picture_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    for source, reason in (
        (tmp_path / "a.png", "not a picture"),
        (tmp_path / "b.png", "missing"),
        (b"no picture", "not a picture"),
    ):
        with pytest.raises(PictureUnreadable) as caught:
            read_recipe(source)
        assert caught.value.reason == reason


def test_a_picture_on_disk_is_read_as_its_bytes_are(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(theirs.comfy_png())
    assert read_recipe(tmp_path / "a.png") == found(theirs.comfy_png())
    assert recipe().model == "m"
