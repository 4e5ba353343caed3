"""Events are frozen values that cross a pipe; each names its job."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, fields
from typing import Any, get_args

import pytest

from app.core.errors import BlackResult
from app.core.events import (
    Cancelled,
    Decoding,
    Ending,
    Failed,
    Finished,
    Loading,
    PartlyUsed,
    Pixels,
    Progress,
    Stepped,
)
from app.core.folders import Folders
from app.core.placement import Placement

PIXELS = Pixels(2, 1, b"\0\1\2\3\4\5")
EVENTS: tuple[Any, ...] = (
    Loading("j"),
    PartlyUsed("j", "Ink", 190, 2),
    Stepped("j", 1, 20, PIXELS),
    Decoding("j"),
    Finished("j", PIXELS, Placement.CPU, 1.5),
    Cancelled("j"),
    Failed("j", BlackResult()),
)


def test_there_is_an_example_of_every_event() -> None:
    assert {type(event) for event in EVENTS} == {*get_args(Progress), *get_args(Ending)}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_is_frozen_named_and_survives_pickling(event: Any) -> None:
    assert pickle.loads(pickle.dumps(event)) == event
    assert fields(event)[0].name == "job"
    with pytest.raises(FrozenInstanceError):
        event.job = "another"


def test_a_persons_files_lie_in_the_persons_folders(tmp_path: Any) -> None:
    folders = Folders(*(tmp_path / name for name in ("s", "p", "support", "c", "l")))
    for place in (
        folders.settings,
        folders.journal,
        folders.starts,
        folders.installed,
        folders.rescued,
    ):
        assert place.is_relative_to(tmp_path / "support")
    for place in (folders.resources, folders.starter):
        assert place.is_relative_to(tmp_path / "s")
