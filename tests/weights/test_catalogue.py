"""The shelf holds what is proven and nothing else, and a wrong card is told with its reason."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.card import Kind
from app.core.errors import CardProblem
from app.core.folders import Folders
from app.core.model import Family
from app.engine.model_folder import starter
from app.weights.catalogue import catalogue, shelf, shipped_file
from app.weights.licences import licence

ROOT = Path(__file__).resolve().parents[2]
SHIPPED_CATALOGUE = ROOT / "models" / "catalog"
A, B = "a" * 64, "b" * 64

CARD = f"""
id = "tiny"
title = "Tiny"
summary = "For tests."
kind = "diffusers"
family = "sd1"
repository = "org/tiny"
revision = "{"0123456789" * 4}"
licence = "openrail-m"
memory = 1_000
disk = 300

[[files]]
path = "unet/config.json"
bytes = 100
sha256 = "{A}"

[[files]]
path = "unet/weights.safetensors"
bytes = 200
sha256 = "{B}"
"""


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str = CARD, name: str = "tiny.toml") -> Path:
        (tmp_path / name).write_text(text, "utf-8")
        return tmp_path

    return write


# --- the shelf as it ships ------------------------------------------------------------------


def test_the_shipped_cards_are_these() -> None:
    cards = {card.id: card for card in catalogue(SHIPPED_CATALOGUE)}

    assert set(cards) == {
        "sd-1.5",
        "sd-1.5-coreml",
        "sd-1.4",
        "sdxl-1.0",
        "lcm-lora-sd-1.5",
        "taesd",
    }
    assert {file.stem for file in SHIPPED_CATALOGUE.glob("*.toml")} == {*cards, "starter"}
    assert cards["sdxl-1.0"].family is Family.SDXL
    assert cards["sd-1.5-coreml"].unpack
    assert cards["lcm-lora-sd-1.5"].needs == ("sd-1.5",)
    assert cards["taesd"].kind is Kind.PREVIEWER


def test_no_card_on_the_shelf_has_a_file_without_bytes_and_hash() -> None:
    for card in shelf(SHIPPED_CATALOGUE):
        assert not card.withheld
        assert all(
            file.bytes > 0 and re.fullmatch("[0-9a-f]{64}", file.sha256) for file in card.files
        )


def test_the_shelf_agrees_with_the_facts_that_were_collected() -> None:
    cards = {card.id: card for card in shelf(SHIPPED_CATALOGUE)}

    assert cards["sd-1.4"].repository == "CompVis/stable-diffusion-v-1-4-original"
    (checkpoint,) = cards["sd-1.4"].files
    assert (checkpoint.path, checkpoint.bytes) == ("sd-v1-4.ckpt", 4_265_380_512)
    assert checkpoint.sha256 == "fe4efff1e174c627256e44ec2991ba279b3816e364b49f9be2abc0b3ff3f8556"
    assert cards["sd-1.5"].download_bytes == 2_134_194_125
    assert cards["sd-1.5-coreml"].download_bytes == 1_565_721_769
    assert cards["sdxl-1.0"].download_bytes == 6_941_187_536
    assert cards["lcm-lora-sd-1.5"].download_bytes == 134_621_556
    assert cards["taesd"].download_bytes == 9_793_292


def test_a_folder_that_draws_has_every_part_that_drawing_needs() -> None:
    encoders = {Family.SD1: ("",), Family.SDXL: ("", "_2")}
    for card in shelf(SHIPPED_CATALOGUE):
        if card.kind is Kind.DIFFUSERS:
            paths = {file.path for file in card.files}
            wanted = {"model_index.json", "scheduler/scheduler_config.json"}
            wanted |= {f"{part}/config.json" for part in ("unet", "vae")}
            for which in encoders[card.family]:
                wanted |= {f"text_encoder{which}/config.json"}
                wanted |= {f"tokenizer{which}/{name}" for name in ("vocab.json", "merges.txt")}
            assert wanted <= paths, card.id


def test_each_card_s_licence_can_be_shown() -> None:
    for card in catalogue(SHIPPED_CATALOGUE):
        assert licence(ROOT / "resources" / "licenses", card.licence).text


def test_what_ships_with_easel_is_what_its_card_says() -> None:
    seen = []
    for card in catalogue(SHIPPED_CATALOGUE):
        for file in card.files:
            if file.shipped:
                data = shipped_file(ROOT / "resources", card, file).read_bytes()
                assert (len(data), hashlib.sha256(data).hexdigest()) == (file.bytes, file.sha256)
                seen.append(f"{card.id}/{file.path}")
    assert seen == ["taesd/config.json"]
    config = json.loads((ROOT / "resources" / "models" / "taesd" / "config.json").read_text())
    assert config["_class_name"] == "AutoencoderTiny"


def test_the_starter_still_reads_its_own_file(tmp_path: Path) -> None:
    model = starter(Folders(ROOT, tmp_path, tmp_path, tmp_path, tmp_path))

    assert (model.id, model.built_in) == ("starter", True)


def test_reading_the_shelf_imports_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; from pathlib import Path; from app.weights import catalogue, licences\n"
        f"catalogue.shelf(Path({str(SHIPPED_CATALOGUE)!r}))\n"
        "far = {'huggingface_hub', 'torch', 'PySide6', 'numpy', 'socket', 'http'}\n"
        "print([name for name in sys.modules if name.split('.')[0] in far])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


# --- cards that are not right ---------------------------------------------------------------


def test_a_good_card_is_read_whole(put: Callable[..., Path]) -> None:
    (card,) = shelf(put())

    assert (card.id, card.kind, card.family) == ("tiny", Kind.DIFFUSERS, Family.SD1)
    assert [(file.path, file.bytes, file.sha256) for file in card.files] == [
        ("unet/config.json", 100, A),
        ("unet/weights.safetensors", 200, B),
    ]


def test_only_what_says_it_is_built_in_is_left_out(put: Callable[..., Path]) -> None:
    folder = put('built_in = true\nid = "starter"\n', "starter.toml")
    assert catalogue(folder) == ()

    for text in ('built_in = false\nid = "starter"\n', 'id = "starter"\n'):
        with pytest.raises(CardProblem):
            catalogue(put(text, "starter.toml"))


COMMIT = "0123456789" * 4


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('id = "tiny"', 'id = "Tiny"', "id"),
        ('id = "tiny"', 'id = "other"', "id"),
        ('id = "tiny"', "id = 5", "id is not a str"),
        ('title = "Tiny"', "", "title"),
        ('title = "Tiny"', 'title = "  "', "title"),
        ('summary = "For tests."', 'summary = "two\\nlines"', "summary"),
        ('kind = "diffusers"', 'kind = "video"', "kind"),
        ('family = "sd1"', 'family = "flux"', "family"),
        ("org/tiny", "tiny", "repository"),
        ("org/tiny", "../tiny", "repository"),
        ("org/tiny", "org/ti..ny", "repository"),
        ("org/tiny", "https://huggingface.co/org/tiny", "repository"),
        ("org/tiny", "stabilityai/sdxl-turbo", "commercial"),
        ("org/tiny", "StabilityAI/SD-Turbo", "commercial"),
        (COMMIT, "v1.0", "revision"),
        (COMMIT, COMMIT[:39], "revision"),
        ("openrail-m", "sai-nc-community", "licence"),
        ("memory = 1_000", "memory = 0", "memory"),
        ("memory = 1_000", "memory = true", "memory is not a int"),
        ("disk = 300", "disk = 299", "disk is less"),
        ("disk = 300", "disk = 300\ncolour = 1", "unknown: colour"),
        ("disk = 300", 'disk = 300\nneeds = ["nothing"]', "nothing, which is no other card"),
        ("disk = 300", 'disk = 300\nneeds = ["tiny"]', "no other card"),
        ("disk = 300", "disk = 300\nneeds = [1]", "needs"),
        ("disk = 300", 'disk = 300\nsubfolder = "../up"', "subfolder"),
        ("disk = 300", 'disk = 300\nwithheld = " "', "without a reason"),
        ("disk = 300", "disk = 300\nunpack = true", "one file"),
        ('kind = "diffusers"', 'kind = "checkpoint"', "one file"),
        ("unet/config.json", "../config.json", "no name"),
        ("unet/config.json", "/etc/passwd", "no name"),
        ("unet/config.json", "unet/./config.json", "no name"),
        ("unet/config.json", "unet//config.json", "no name"),
        ("unet/config.json", "unet\\\\config.json", "no name"),
        ("unet/config.json", ".hidden/config.json", "no name"),
        ("unet/config.json", "receipt.json", "no name"),
        ("unet/config.json", "License.txt", "no name"),
        ("unet/config.json", "", "no name"),
        ("unet/config.json", "unet/Weights.safetensors", "twice"),
        ("unet/config.json", "unet", "twice"),
        ("bytes = 100", "bytes = 0", "bytes"),
        ("bytes = 100", "bytes = -1", "bytes"),
        ("bytes = 100", "bytes = 1.5", "bytes"),
        ("bytes = 100", "bytes = true", "bytes"),
        ("bytes = 100", "bytes = 999_999_999_999_999", "bytes"),
        ("bytes = 100", "", "not withheld"),
        (f'sha256 = "{A}"', "", "not withheld"),
        (A, A[:-1], "hash"),
        (A, A.upper(), "hash"),
        (A, "g" * 64, "hash"),
        ("bytes = 100", 'bytes = 100\nshipped = "yes"', "shipped"),
        ("bytes = 100", "bytes = 100\nurl = 1", "row"),
        ("[[files]]", "[[weights]]", "files"),
        (CARD, "id = ", "TOML"),
        (CARD, "#" + "x" * 1_000_001, "too long"),
    ],
)
def test_a_card_that_is_not_right_is_refused_with_its_reason(
    put: Callable[..., Path], old: str, new: str, reason: str
) -> None:
    assert old in CARD

    with pytest.raises(CardProblem) as refused:
        catalogue(put(CARD.replace(old, new)))

    assert reason in refused.value.reason
    assert refused.value.card in ("tiny", "tiny.toml")


def test_files_that_are_all_shipped_are_no_download(put: Callable[..., Path]) -> None:
    with pytest.raises(CardProblem, match="no file to download"):
        catalogue(put(re.sub(r"(sha256 = .*)", r"\1\nshipped = true", CARD)))


def test_a_file_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_bytes(b"\xff")
    with pytest.raises(CardProblem, match="cannot be read"):
        catalogue(tmp_path)


def test_a_missing_catalogue_is_told(tmp_path: Path) -> None:
    with pytest.raises(CardProblem, match="missing"):
        shelf(tmp_path / "nowhere")


# --- withheld -------------------------------------------------------------------------------


def test_what_is_not_proven_is_kept_off_the_shelf_with_its_reason(put: Callable[..., Path]) -> None:
    unproven = CARD.replace(f'sha256 = "{A}"', "").replace("bytes = 200", "")
    folder = put(unproven.replace("disk = 300", 'disk = 300\nwithheld = "no hash is known"'))

    assert shelf(folder) == ()
    (card,) = catalogue(folder)
    assert card.withheld == "no hash is known"
    assert [(file.bytes, file.sha256) for file in card.files] == [(100, ""), (0, B)]


def test_a_card_on_the_shelf_cannot_need_one_that_is_withheld(put: Callable[..., Path]) -> None:
    put(CARD.replace("disk = 300", 'disk = 300\nwithheld = "not proven"'))
    needing = CARD.replace('id = "tiny"', 'id = "more"')
    folder = put(needing.replace("disk = 300", 'disk = 300\nneeds = ["tiny"]'), "more.toml")

    with pytest.raises(CardProblem, match="tiny, which is withheld"):
        shelf(folder)
