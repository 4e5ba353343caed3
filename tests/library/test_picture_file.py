"""A picture's file holds all of its recipe, for us and for other programs."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from app.core.errors import PictureUnreadable
from app.core.placement import Placement
from app.core.recipe import LoraUse, Recipe, Scheduler, Start
from app.library import metadata
from app.library.picture_file import Picture, encode, read_picture
from app.library.recipe_text import parameters
from app.library.xmp import GENERATED
from tests.library.examples import AWKWARD, finished, fits_a_jpeg, recipe, recipes

CREATED = datetime(2026, 11, 24, 4, 5, 6, 789, tzinfo=timezone(timedelta(hours=2)))


def picture(file: Path, of: Recipe) -> Picture:
    return Picture(file, of, Placement.MPS, 1.25, CREATED, id="0123456789abcdef" * 2)


@given(of=recipes(), suffix=st.sampled_from([".png", ".jpg", ".webp", ".avif"]))
def test_any_recipe_comes_back_from_its_picture(
    tmp_path_factory: pytest.TempPathFactory, of: Recipe, suffix: str
) -> None:
    assume(suffix != ".jpg" or fits_a_jpeg(of))
    file = tmp_path_factory.mktemp("picture") / f"p{suffix}"
    written = picture(file, of)
    file.write_bytes(encode(finished().pixels, written, suffix))
    assert read_picture(file) == written


@pytest.mark.parametrize("prompt", AWKWARD)
def test_awkward_prompts_come_back_from_a_png(tmp_path: Path, prompt: str) -> None:
    file = tmp_path / "p.png"
    written = picture(file, recipe(prompt, negative_prompt=prompt))
    file.write_bytes(encode(finished().pixels, written))
    assert read_picture(file) == written


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".webp", ".avif"])
def test_each_form_holds_pixels_recipe_and_mark(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"p{suffix}"
    written = picture(file, recipe())
    data = encode(finished(16, 8).pixels, written, suffix.lower())
    file.write_bytes(data)
    with Image.open(file) as image:
        image.load()
        assert image.size == (16, 8)
    assert read_picture(file) == written
    assert GENERATED.encode() in data


def test_a_png_has_exactly_the_pixels() -> None:
    pixels = finished(33, 17).pixels
    with Image.open(io.BytesIO(encode(pixels, picture(Path(), recipe())))) as image:
        assert image.mode == "RGB"
        assert image.tobytes() == pixels.rgb


def test_a_jpeg_without_room_for_the_recipe_is_written_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "p.jpg"
    file.write_bytes(encode(finished().pixels, picture(file, recipe("word " * 15_000)), ".jpg"))
    with Image.open(file) as image:
        image.load()
    with pytest.raises(PictureUnreadable, match="no recipe"):
        read_picture(file)


def test_loras_and_autoencoder_are_named_as_other_programs_name_them() -> None:
    of = replace(recipe("a cat"), loras=(LoraUse("ink", 0.5), LoraUse("oil", -1.0)), vae="clear")
    text = parameters(of)
    assert text.splitlines()[0] == "a cat <lora:ink:0.5><lora:oil:-1>"
    assert ", VAE: clear, " in text


def test_other_programs_find_the_parameters_in_the_common_form() -> None:
    of = recipe(
        "a red apple,\non a table",
        negative_prompt="blurry",
        steps=20,
        guidance=7.5,
        scheduler=Scheduler.PNDM,
        start=Start("/a.png", "0" * 64, 0.4),
    )
    with Image.open(io.BytesIO(encode(finished().pixels, picture(Path(), of)))) as image:
        text = image.info["parameters"]
    assert text == parameters(of)
    lines = text.split("\n")
    assert lines[:3] == ["a red apple,", "on a table", "Negative prompt: blurry"]
    assert lines[3].startswith(
        "Steps: 20, Sampler: PLMS, CFG scale: 7.5, Seed: 17, Size: 64x64, Model: m, "
        "Denoising strength: 0.4, Version: Easel "
    )


def test_the_recipe_stands_before_the_pixels() -> None:
    """So that reading it never needs the whole file."""
    data = encode(finished(64, 64).pixels, picture(Path(), recipe()))
    assert data.index(b"iTXteasel") < data.index(b"IDAT")
    assert data.index(b"com.adobe.xmp") < data.index(b"IDAT")
    assert data.index(b"parameters") < data.index(b"IDAT")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".avif"])
def test_a_bare_picture_says_only_that_it_was_generated(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"p{suffix}"
    of = recipe("a secret apple", negative_prompt="a secret pear")
    data = encode(finished().pixels, picture(file, of), suffix, bare=True)
    file.write_bytes(data)
    assert GENERATED.encode() in data
    for word in ("secret", "seed", "Seed"):
        assert word.encode() not in data
        assert word.encode("utf-16-be") not in data
    with pytest.raises(PictureUnreadable, match="no recipe"):
        read_picture(file)


def test_a_jpeg_of_easel_0_1_still_gives_its_recipe(tmp_path: Path) -> None:
    file = tmp_path / "p.jpg"
    exif = Image.Exif()
    old = picture(file, recipe())
    said = json.loads(metadata.read(written(tmp_path / "new.png", old)).texts["easel"])
    del said["id"]
    exif[0x010E] = json.dumps(said)
    Image.new("RGB", (8, 8)).save(file, exif=exif.tobytes())
    found = read_picture(file)
    assert found.recipe == old.recipe
    assert len(found.id) == 32
    assert read_picture(file).id == found.id


def written(file: Path, of: Picture) -> Path:
    file.write_bytes(encode(finished().pixels, of, file.suffix))
    return file


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".avif"])
@pytest.mark.parametrize(
    "prompt", ['a "red" apple & <pear>; it\'s\n"good", 🍎', "تفاحة حمراء", "a\x07bell\rhere"]
)
def test_exiftool_reads_what_the_picture_says(tmp_path: Path, suffix: str, prompt: str) -> None:
    file = written(tmp_path / f"p{suffix}", picture(tmp_path / f"p{suffix}", recipe(prompt)))
    done = subprocess.run(
        ["exiftool", "-json", "-G1", "-b", "-validate", "-all", "-warning", str(file)],
        capture_output=True,
        check=True,
    )
    said = json.loads(done.stdout)[0]
    legible = prompt.replace("\x07", "\N{REPLACEMENT CHARACTER}")
    assert said["XMP-iptcExt:DigitalSourceType"] == GENERATED
    assert said["XMP-xmp:CreatorTool"].startswith("Easel ")
    assert said["XMP-dc:Description"] == legible
    assert said["XMP-iptcCore:AltTextAccessibility"] == " ".join(legible.split())
    comment = said["PNG:Parameters" if suffix == ".png" else "ExifIFD:UserComment"]
    assert comment == parameters(recipe(prompt))
    # It would like to hear more of a JPEG's camera, and has no fault to find.
    assert said.get("ExifTool:Warning", "Missing required").startswith("Missing required")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("gone.png", None, "missing"),
        ("text.png", b"not a picture", "not a picture"),
        ("empty.png", b"", "not a picture"),
        ("half.png", encode(finished().pixels, picture(Path(), recipe()))[:30], "not a picture"),
    ],
)
def test_what_is_no_picture_of_ours_is_a_typed_error(
    tmp_path: Path, name: str, data: bytes | None, reason: str
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(PictureUnreadable) as caught:
        read_picture(tmp_path / name)
    assert caught.value == PictureUnreadable(str(tmp_path / name), reason)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{}",
        "[]",
        "null",
        "[" * 100_000,
        '{"version": 2}',
        '{"version": 1, "recipe": {"easel": 1}}',
        '{"version": 1, "recipe": null, "placement": "CPU", "seconds": 1, "created": "now"}',
    ],
)
def test_a_foreign_or_broken_recipe_is_no_recipe(tmp_path: Path, text: str | None) -> None:
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    if text is not None:
        chunks.add_itxt("easel", text)
    file = tmp_path / "p.png"
    Image.new("RGB", (8, 8)).save(file, pnginfo=chunks)
    with pytest.raises(PictureUnreadable, match="no recipe"):
        read_picture(file)
