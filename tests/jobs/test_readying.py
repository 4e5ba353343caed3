"""A Core ML model is made ready on a Mac: downloaded as a zip, understood, prepared, tried."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.compose import Easel, compose
from app.core.card import Kind, ModelCard
from app.core.errors import (
    EaselError,
    ImportRefused,
    ModelIncomplete,
    OutOfMemory,
    PredictionFailed,
)
from app.core.model import Family, Model, ModelFormat
from app.core.placement import Placement
from app.core.recipe import Draft
from app.core.settings import Settings
from app.engine.coreml.trying import Trials
from app.engine.coreml.verdicts import Verdicts
from app.jobs.events import Saved
from app.jobs.readying import Need, Readying, Trying, peak_memory
from app.jobs.shelf import Shelf, usable
from app.messages.coreml import trial_text
from app.weights import receipts
from app.weights.patience import Options
from app.weights.receipts import Installed
from tests.engine.coreml.tiny_models import tiny_folder
from tests.engine.numpy_engine import numpy_model
from tests.jobs.hearing import Heard
from tests.jobs.interpreted_mac import AIR, interpreted_mac
from tests.jobs.tiny_conversions import plant_nan
from tests.jobs.tiny_published import published_zip
from tests.weights.hubs import QUICK, FaultHub, card_for, fault_hub

pytestmark = pytest.mark.loopback
NEURAL, GPU = Placement.COREML_NEURAL_ENGINE, Placement.COREML_GPU
ZIP = "coreml-some-model-1_split_einsum_packages.zip"


@pytest.fixture(scope="module")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return published_zip(tmp_path_factory.getbasetemp())


@pytest.fixture
def hub(zipped: bytes, tmp_path: Path) -> Iterator[FaultHub]:
    with fault_hub(tmp_path, {ZIP: zipped}) as running:
        yield running


def card_of(zipped: bytes) -> ModelCard:
    return card_for(
        {ZIP: zipped}, kind=Kind.COREML, family=Family.SD1, licence="openrail-m", unpack=True
    )


def easel_on(hub: FaultHub, home: Path, build: str = AIR.build) -> Easel:
    """An Easel on a Mac of that build."""
    folders = compose({"EASEL_HOME": str(home)}).folders
    easel = Easel(folders, Settings(), core_ml=interpreted_mac(build))
    easel._shelf = Shelf(folders, Options(hub.endpoint, "", QUICK), usable(True))
    return easel


def got(easel: Easel, card: ModelCard) -> Installed:
    easel.shelf.accept(card)
    installed = easel.shelf.get(card, lambda _: None, lambda: False)
    assert installed is not None
    return installed


def nothing_left(easel: Easel) -> bool:
    root = easel.folders.installed
    return not list(root.glob(f"{receipts.STAGING_PREFIX}*")) and not easel.shelf.installed()


@pytest.mark.slow
def test_from_the_hub_to_a_picture(hub: FaultHub, zipped: bytes, easel_home: Path) -> None:
    # 1. Downloaded, unpacked, understood
    easel = easel_on(hub, easel_home)
    installed = got(easel, card_of(zipped))
    assert (installed.receipt.kind, installed.receipt.family) == (Kind.COREML, Family.SD1)
    assert not list(installed.folder.glob("*.zip"))
    assert {"coreml.json", "vocab.json"} <= {file.path for file in installed.receipt.files}
    assert easel.shelf.verify(installed, lambda _: None, lambda: False) is not None
    (model,) = (one for one in easel.models() if one.id == "tiny")
    assert model.format is ModelFormat.COREML
    # 2. Prepared and tried, once
    readying = easel.readying
    assert readying is not None
    assert readying.needed(model) == Need(GPU, again=False)
    events: list[object] = []
    ready = readying.make_ready(model, events.append, lambda: False)
    assert ready is not None
    assert ready.placement is GPU
    assert readying.needed(model) is None
    assert events[-1] == Trying(GPU)
    assert len(events) > 8
    # 3. What it takes is known, and said
    trial = Trials(easel.folders.core_ml).read(Path(model.folder), GPU, AIR.build)
    assert trial is not None
    assert trial == ready.trial
    assert trial.step_s > 0
    words = trial_text(trial.picture_s(20), trial.memory, AIR.memory)
    assert words.startswith("About ")
    assert words.endswith(" of 8 GB")
    # 4. It draws there
    heard = Heard()
    session = easel.make_session(heard)
    try:
        (job,) = session.submit(Draft("a red apple", seed=3, steps=3), model)
        saved = heard.ending(job.id)
        assert isinstance(saved, Saved)
        assert saved.picture.placement is GPU
    finally:
        session.close()
    # 5. Another build of macOS: again, and with a word
    later = easel_on(hub, easel_home, "25A1").readying
    assert later is not None
    assert later.needed(model) == Need(GPU, again=True)


@pytest.mark.slow
def test_a_model_that_does_not_work_is_refused_once_and_then_known(
    hub: FaultHub, zipped: bytes, easel_home: Path
) -> None:
    easel = easel_on(hub, easel_home)
    got(easel, card_of(zipped))
    (model,) = (one for one in easel.models() if one.id == "tiny")
    folder = Path(model.folder)
    package = next(folder.glob("*_unet.mlpackage"))
    shutil.move(package, folder / "Unet.mlpackage")
    plant_nan(folder)
    shutil.move(folder / "Unet.mlpackage", package)
    readying = easel.readying
    assert readying is not None
    with pytest.raises(PredictionFailed) as caught:
        readying.make_ready(model, lambda _: None, lambda: False)
    assert (caught.value.part, caught.value.reason) == ("unet", "answer")
    assert readying.needed(model) is None
    verdict = Verdicts(easel.folders.core_ml).read(folder, GPU, AIR.build)
    assert verdict is not None
    assert not verdict.works


@pytest.mark.slow
def test_a_stop_while_it_is_made_ready_leaves_it_to_be_asked_for_again(
    hub: FaultHub, zipped: bytes, easel_home: Path
) -> None:
    easel = easel_on(hub, easel_home)
    got(easel, card_of(zipped))
    (model,) = (one for one in easel.models() if one.id == "tiny")
    readying = easel.readying
    assert readying is not None
    heard: list[object] = []
    assert readying.make_ready(model, heard.append, lambda: len(heard) > 1) is None
    assert readying.needed(model) == Need(GPU, again=False)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["Packing", "Checking"])
def test_a_stop_while_it_is_unpacked_keeps_the_download_and_nothing_else(
    when: str, hub: FaultHub, zipped: bytes, easel_home: Path
) -> None:
    easel, card = easel_on(hub, easel_home), card_of(zipped)
    easel.shelf.accept(card)
    heard: list[str] = []

    def cancelled() -> bool:
        return "Packing" in heard and when in heard[heard.index("Packing") :]

    assert (
        easel.shelf.get(card, lambda event: heard.append(type(event).__name__), cancelled) is None
    )
    assert nothing_left(easel)
    before = len(hub.log())
    got(easel, card)
    asked = [row for row in hub.log()[before:] if row["method"] == "GET"]
    assert sum(row["sent"] for row in asked) < len(zipped)  # it was here already


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"PK\x03\x04 not a zip at all", ImportRefused),
        (b"", ImportRefused),
    ],
)
def test_a_zip_that_is_none_leaves_nothing(
    content: bytes, error: type[EaselError], tmp_path: Path, easel_home: Path
) -> None:
    content = content or os.urandom(64)
    with fault_hub(tmp_path, {ZIP: content}) as hub:
        easel, card = easel_on(hub, easel_home), card_of(content)
        easel.shelf.accept(card)
        with pytest.raises(error):
            easel.shelf.get(card, lambda _: None, lambda: False)
        assert nothing_left(easel)


def test_a_zip_without_a_model_says_what_is_missing(tmp_path: Path, easel_home: Path) -> None:
    import io
    import zipfile

    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as zipped:
        zipped.writestr("folder/README.md", "nothing here")
    with fault_hub(tmp_path, {ZIP: written.getvalue()}) as hub:
        easel, card = easel_on(hub, easel_home), card_of(written.getvalue())
        easel.shelf.accept(card)
        with pytest.raises(ModelIncomplete) as caught:
            easel.shelf.get(card, lambda _: None, lambda: False)
        assert caught.value.missing == ("Unet.mlmodelc",)
        assert nothing_left(easel)


# What needs no model that draws.


def test_only_core_ml_needs_to_be_made_ready(tmp_path: Path) -> None:
    readying = Readying(interpreted_mac(), tmp_path / "verdicts", lambda: "")
    assert readying.needed(numpy_model(tmp_path)) is None
    assert readying.needed(model_in(tmp_path)) == Need(NEURAL, again=False)


def model_in(place: Path) -> Model:
    from app.engine.coreml.model import read_coreml_model

    return read_coreml_model(tiny_folder(place / "model"))


def test_memory_that_is_not_there_is_asked_for_once_a_placement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.engine.coreml.verdicts import MEMORY, Verdict
    from app.jobs import readying as room

    asked: list[Placement] = []

    def no_memory(_folder: Path, place: Placement, build: str, *_more: object) -> Verdict:
        asked.append(place)
        return Verdict(place, build, (), "unet", MEMORY)

    monkeypatch.setattr(room, "prepare_model", no_memory)
    readying = Readying(interpreted_mac(), tmp_path / "verdicts", lambda: "")
    model = model_in(tmp_path)
    with pytest.raises(OutOfMemory):
        readying.make_ready(model, lambda _: None, lambda: False)
    assert asked == [NEURAL, GPU]
    assert readying.needed(model) == Need(NEURAL, again=False)  # it may be there the next time


def test_peak_memory_is_in_bytes() -> None:
    before = peak_memory()
    assert 20 * 2**20 < before < 2**40
    held = bytearray(before + (64 << 20))
    held[::4096] = b"x" * len(held[::4096])
    assert peak_memory() >= before + (32 << 20)


def test_cards_of_core_ml_are_on_the_shelf_of_a_mac_alone(easel_home: Path) -> None:
    folders = compose({"EASEL_HOME": str(easel_home)}).folders
    on_a_mac = Easel(folders, Settings(), core_ml=interpreted_mac())
    elsewhere = Easel(folders, Settings())
    assert "sd-1.5-coreml" in {card.id for card in on_a_mac.shelf.cards()}
    assert "sd-1.5-coreml" not in {card.id for card in elsewhere.shelf.cards()}
    assert replace(on_a_mac.shelf.card("sd-1.5-coreml"), unpack=True).kind is Kind.COREML
