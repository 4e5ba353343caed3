"""A model is there from one moment to the next; what was fetched for it is not fetched twice."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import save_file

from app.core.card import CardFile, Kind, ModelCard
from app.core.errors import CardProblem, FolderNotWritable
from app.weights import receipts
from app.weights.shipped import copy_shipped
from tests.convert.conftest import tiny_resources, tiny_source
from tests.convert.ldm_layout import single_file
from tests.jobs.shelves import ShelfEasel
from tests.weights.hubs import FaultHub, card_for

pytestmark = pytest.mark.loopback
__all__ = ["tiny_resources", "tiny_source"]  # fixtures of the converter's tests

FILE = "tiny.safetensors"


def silent(_: object) -> None:
    pass


def never() -> bool:
    return False


@pytest.fixture
def checkpoint(
    easel: ShelfEasel,
    tmp_path: Path,
    tiny_source: Callable[[str], Path],
    tiny_resources: Callable[[str], Path],
) -> ModelCard:
    """A card whose one file, on the hub, has to be converted here."""
    resources = easel.folders.shipped / "resources"
    licences = resources / "licenses"
    made = tiny_resources("sd1")
    if not (made / "licenses").exists():
        (made / "licenses").symlink_to(licences.resolve())
    resources.unlink()
    resources.symlink_to(made)
    served = tmp_path / "served" / FILE
    save_file(single_file("sd1", tiny_source("sd1")), served)
    data = served.read_bytes()
    file = CardFile(FILE, len(data), hashlib.sha256(data).hexdigest())
    card = dataclasses.replace(
        easel.shelf.card("tiny"), id="single", kind=Kind.CHECKPOINT, files=(file,)
    )
    easel.shelf.accept(card)
    return card


@pytest.mark.parametrize("fails", ["write", "move_in"])
def test_a_checkpoint_is_kept_until_the_model_made_of_it_is_in_its_place(
    fails: str,
    checkpoint: ModelCard,
    easel: ShelfEasel,
    hub: FaultHub,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise FolderNotWritable("here", "gone")

    with monkeypatch.context() as patch:
        patch.setattr(receipts, fails, full)
        with pytest.raises(FolderNotWritable):
            easel.shelf.get(checkpoint, silent, never)
    assert easel.shelf.installed() == ()
    assert not list(easel.folders.installed.glob(f"{receipts.STAGING_PREFIX}*"))
    asked = len(hub.log())

    model = easel.shelf.get(checkpoint, silent, never)

    assert model is not None
    assert (model.receipt.kind, model.receipt.id) == (Kind.DIFFUSERS, "single")
    receipts.check(model.folder, model.receipt)
    assert (model.folder / "LICENSE.txt").exists()
    assert not (model.folder / FILE).exists()
    assert len(hub.log()) == asked


# --- files that come with Easel -------------------------------------------------------------


@pytest.fixture
def shipped(tmp_path: Path) -> ModelCard:
    card = card_for({"tokenizer/vocab.json": b"{}", "weights.bin": b"w"})
    files = (dataclasses.replace(card.files[0], shipped=True), card.files[1])
    source = tmp_path / "resources" / "models" / card.id / "tokenizer"
    source.mkdir(parents=True)
    (source / "vocab.json").write_bytes(b"{}")
    return dataclasses.replace(card, files=files)


def test_shipped_files_are_proven_like_others(shipped: ModelCard, tmp_path: Path) -> None:
    folder, resources = tmp_path / "model", tmp_path / "resources"
    copy_shipped(shipped, folder, resources)
    assert [file.name for file in folder.rglob("*") if file.is_file()] == ["vocab.json"]
    copy_shipped(shipped, folder, resources, only=("weights.bin",))

    source = resources / "models" / shipped.id / "tokenizer" / "vocab.json"
    source.write_bytes(b"[]")
    with pytest.raises(CardProblem, match="is damaged"):
        copy_shipped(shipped, folder, resources)
    source.unlink()
    with pytest.raises(CardProblem, match="is missing"):
        copy_shipped(shipped, folder, resources)
    assert (folder / "tokenizer" / "vocab.json").read_bytes() == b"{}"


def test_links_planted_in_the_way_of_shipped_files_are_not_followed(
    shipped: ModelCard, tmp_path: Path
) -> None:
    folder, precious = tmp_path / "model", tmp_path / "precious"
    precious.write_bytes(b"precious")
    (folder / "tokenizer").mkdir(parents=True)
    (folder / "tokenizer" / "vocab.json").symlink_to(precious)
    copy_shipped(shipped, folder, tmp_path / "resources")
    assert precious.read_bytes() == b"precious"
    assert not (folder / "tokenizer" / "vocab.json").is_symlink()

    other, outside = tmp_path / "other", tmp_path / "outside"
    outside.mkdir()
    other.mkdir()
    (other / "tokenizer").symlink_to(outside)
    with pytest.raises(CardProblem, match="a link leads out"):
        copy_shipped(shipped, other, tmp_path / "resources")
    assert list(outside.iterdir()) == []
