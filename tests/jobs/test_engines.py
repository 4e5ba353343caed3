"""The hosts as the program makes them: torch in a child, Core ML where it can be."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import NotFinite, PlacementUnavailable
from app.core.model import Model, ModelFormat
from app.core.placement import Placement
from app.core.recipe import Draft
from app.engine.torch import make_engine
from app.jobs.child_host import ChildHost
from app.jobs.engines import interpreted, make_hosts, on_this_mac
from app.jobs.events import Retrying, Saved
from app.jobs.session import Session
from app.jobs.thread_host import ThreadHost
from app.library.library import Library
from tests.engine.coreml.test_parity import decibels
from tests.engine.numpy_engine import make_numpy_engine
from tests.jobs.hearing import Heard
from tests.jobs.interpreted_mac import interpreted_mac
from tests.jobs.tiny_conversions import convert_source, plant_nan, write_source


def test_core_ml_draws_in_this_process_on_a_mac_and_in_a_child_elsewhere() -> None:
    on_a_mac = replace(interpreted_mac(), in_process=True)
    for here, kind in ((on_a_mac, ThreadHost), (interpreted_mac(), ChildHost), (None, ChildHost)):
        hosts = make_hosts(make_numpy_engine, here)
        assert isinstance(hosts._hosts[ModelFormat.DIFFUSERS], ChildHost)
        assert isinstance(hosts._hosts[ModelFormat.COREML], kind)
        assert next(iter(hosts._hosts)) is ModelFormat.DIFFUSERS
        hosts.close()


@pytest.mark.skipif(sys.platform == "darwin", reason="it is there")
def test_there_is_no_core_ml_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(PlacementUnavailable):
        on_this_mac(tmp_path)


def test_the_interpreter_draws_on_the_processor() -> None:
    engine = interpreted()
    assert engine.placements() == (Placement.CPU,)
    engine.close()


# With the real engines, each in its child.


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Model:
    model = write_source("sd1", tmp_path_factory.mktemp("source") / "tiny")
    return replace(model, id="tiny")


@pytest.fixture(scope="module")
def converted(source: Model, tmp_path_factory: pytest.TempPathFactory) -> Model:
    made = convert_source(source, tmp_path_factory.mktemp("converted") / "coreml")
    return replace(made, id="tiny.coreml", twin=source)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def session(source: Model, converted: Model, heard: Heard, tmp_path: Path) -> Iterator[Session]:
    keeps = Library(tmp_path / "pictures", tmp_path / "fallback")
    hosts = make_hosts(make_engine, None)
    session = Session(hosts, keeps, lambda: (converted, source), None, heard, previews=False)
    yield session
    session.close()


DRAFT = Draft("a red apple", seed=5, steps=4)


def pixels(saved: Saved) -> np.ndarray:
    return np.frombuffer(saved.pixels.rgb, np.uint8).astype(float)


@pytest.mark.slow
def test_a_nan_in_core_ml_ends_with_torch_finishing_the_same_seed(
    session: Session, heard: Heard, source: Model, converted: Model, tmp_path: Path
) -> None:
    # 1. Both engines draw it, and the same
    (ours,) = session.submit(DRAFT, converted)
    (theirs,) = session.submit(DRAFT, source)
    one, two = heard.ending(ours.id), heard.ending(theirs.id)
    assert isinstance(one, Saved)
    assert isinstance(two, Saved)
    assert decibels(pixels(one), pixels(two)) > 35
    # 2. A weight is not a number any more: the torch child goes on with this recipe
    damaged = replace(converted, folder=str(tmp_path / "damaged"))
    shutil.copytree(converted.folder, damaged.folder)
    plant_nan(Path(damaged.folder))
    (job,) = session.submit(DRAFT, damaged)
    saved = heard.ending(job.id)
    assert isinstance(saved, Saved)
    assert saved.picture.recipe == job.recipe
    assert saved.pixels == two.pixels
    retrying = heard.wait(Retrying)
    assert isinstance(retrying.error, NotFinite)
    # 3. The engine of the others is none the worse
    (again,) = session.submit(DRAFT, converted)
    after = heard.ending(again.id)
    assert isinstance(after, Saved)
    assert after.pixels == one.pixels
