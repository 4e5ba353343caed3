"""A model of the hub by its name: looked up, read about, got, drawn with, mended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.cli import main
from app.compose import Easel
from tests.cli.conftest import Ran
from tests.jobs.conftest import easel, files
from tests.jobs.shelves import easel_with_shelf
from tests.weights.hub_api import COMMIT
from tests.weights.hubs import FaultHub, fault_hub

pytestmark = pytest.mark.loopback
__all__ = ["easel", "files"]  # fixtures of the queue's tests
LICENCE = "Draw nothing but apples.\n"
ID = "some-one-apples"


@pytest.fixture
def hub(tmp_path: Path, files: dict[str, bytes]) -> Iterator[FaultHub]:
    about = json.dumps({"page": 5, "cdn": True}).encode()
    with fault_hub(tmp_path, files | {"LICENSE": LICENCE.encode(), ".api.json": about}) as running:
        yield running


def test_a_named_model_is_got_like_any_other_and_draws(
    run: Callable[..., Ran], hub: FaultHub, easel: Easel, tmp_path: Path
) -> None:
    # 1. Looked up: its card is kept, and every connection
    ran = run("models", "add", "Some-One/Apples")
    assert (ran.code, ran.out) == (0, f"{ID}\n"), ran.err
    assert f"easel models get {ID}" in ran.err
    assert len(easel.shelf.ledger.connections()) == len(hub.log())
    rows = json.loads(run("models", "shelf", "--json").out)
    assert [row["id"] for row in rows] == ["tiny", ID]
    # 2. Its licence, before anything else
    assert run("models", "licence", ID).out == f"{LICENCE}\n"
    asked = len(hub.log())
    assert run("models", "get", ID).code == 1
    assert len(hub.log()) == asked
    # 3. Got, and drawn with
    sha256 = easel.shelf.licence(easel.shelf.card(ID)).sha256
    got = run("models", "get", ID, "--accept-licence", sha256)
    assert (got.code, got.out) == (0, f"{ID}\n"), got.err
    (model,) = easel.shelf.installed()
    assert model.folder.name == COMMIT
    assert model.receipt.source == f"Some-One/Apples@{COMMIT}"
    assert (model.folder / "LICENSE.txt").read_text("utf-8") == LICENCE
    picture = tmp_path / "apple.png"
    size = ("--steps", "1", "--size", "128x128", "-o", str(picture))
    assert run("generate", "a red apple", "--model", ID, *size).code == 0
    # 4. Mended like any other
    weights = model.folder / "unet" / "diffusion_pytorch_model.safetensors"
    good = weights.read_bytes()
    weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert run("models", "check", ID, "--mend").code == 0
    assert weights.read_bytes() == good


def test_a_name_that_the_shelf_has_already_gets_another_id(
    run: Callable[..., Ran], easel: Easel
) -> None:
    assert run("models", "add", "a-b/c").out == "a-b-c\n"
    other = run("models", "add", "a/b-c").out.strip()
    assert other.startswith("a-b-c-")
    assert run("models", "add", "a/b-c", "--revision", "fp16").out.strip() == other
    assert easel.shelf.card(other).repository == "a/b-c"


def test_what_cannot_be_added_is_told_with_a_next_step(run: Callable[..., Ran]) -> None:
    for asked in (("apples",), ("some/apples", "--revision", "v9")):
        ran = run("models", "add", *asked)
        assert ran.code == 1
        assert "Traceback" not in ran.err
        assert "choose another model" in ran.err.lower()


def test_every_pin_of_the_shelf_is_looked_at_without_a_byte_of_a_file(
    run: Callable[..., Ran], hub: FaultHub, easel: Easel, files: dict[str, bytes]
) -> None:
    ran = run("models", "verify-catalogue")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [f"tiny  {path}: answers" for path in files]
    asked = hub.log()
    assert sum(entry["sent"] for entry in asked) == 0
    assert len(easel.shelf.ledger.connections()) == len(asked) > len(files)


@pytest.mark.parametrize("cdn", [True, False])
def test_a_pin_that_holds_no_longer_is_told(
    easel_home: Path,
    tmp_path: Path,
    files: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
    cdn: bool,
) -> None:
    unet, text, vae = (
        "unet/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
    )
    served = files | {
        unet: files[unet][:-1],
        text: files[text][:-1] + bytes([files[text][-1] ^ 1]),
        ".api.json": json.dumps({"cdn": cdn}).encode(),
    }
    del served[vae]
    with fault_hub(tmp_path / "changed", served) as hub:
        easel = easel_with_shelf(easel_home, hub, files)
        assert main(("models", "verify-catalogue", "--json"), lambda: easel) == 1
    rows = map(json.loads, capsys.readouterr().out.splitlines())
    found = {row["path"]: row["found"] for row in rows}
    assert found.pop(unet) == "other size"
    assert found.pop(text) == ("other hash" if cdn else "answers")
    assert found.pop(vae) == "gone"
    assert set(found.values()) == {"answers"}


def test_a_named_model_is_removed_with_its_card_whether_it_is_here_or_not(
    run: Callable[..., Ran], easel: Easel, hub: FaultHub
) -> None:
    # 1. Never got: the card alone
    assert run("models", "add", f"{hub.endpoint}/Some-One/Apples/tree/fp16").out == f"{ID}\n"
    ran = run("models", "remove", ID)
    assert ran.code == 0, ran.err
    assert [card.id for card in easel.shelf.cards()] == ["tiny"]
    # 2. Got: the model and the card
    assert run("models", "add", "Some-One/Apples").code == 0
    sha256 = easel.shelf.licence(easel.shelf.card(ID)).sha256
    assert run("models", "get", ID, "--accept-licence", sha256).code == 0
    (told,) = map(json.loads, run("models", "remove", ID, "--json").out.splitlines())
    assert told == {"event": "removed", "id": ID, "card": True, "conversions": []}
    assert easel.shelf.installed() == ()
    assert [card.id for card in easel.shelf.cards()] == ["tiny"]
    # 3. Then there is nothing of that name; and a card of the shelf stays
    assert run("models", "remove", ID).code == 1
    assert run("models", "remove", "tiny").code == 1
    assert [card.id for card in easel.shelf.cards()] == ["tiny"]
