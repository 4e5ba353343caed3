"""Damage found and mended, one file at a time, the old one kept meanwhile: row D32."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import DownloadError, HubUnreachable
from app.weights.events import Checking, Stopped, Transferred, Verified
from app.weights.patience import Options
from app.weights.transfer import repair, verify
from tests.weights.hubs import (
    KB,
    NEVER,
    QUICK,
    Events,
    assert_whole,
    card_for,
    content,
    fault_hub,
    fetch,
)

FILES = {
    "unet/weights.bin": content(300 * KB, "unet"),
    "vae/weights.bin": content(200 * KB, "vae"),
    "model_index.json": b"{}",
}
CARD = card_for(FILES)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    for path, data in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def flip_a_bit(file: Path) -> bytes:
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 4
    file.write_bytes(data)
    return bytes(data)


def test_a_sound_model_is_sound(model: Path) -> None:
    events = Events()

    assert verify(model, CARD.files, events.report, lambda: False) == Verified((), ())
    last = events.of(Checking)[-1]
    assert last.done == last.total == sum(map(len, FILES.values()))


def test_every_kind_of_damage_is_named(model: Path) -> None:
    flip_a_bit(model / "unet" / "weights.bin")
    (model / "vae" / "weights.bin").write_bytes(b"")
    (model / "model_index.json").unlink()

    found = verify(model, CARD.files, Events().report, lambda: False)

    assert found == Verified(("unet/weights.bin", "vae/weights.bin"), ("model_index.json",))
    assert not found.sound


def test_a_check_can_be_stopped(model: Path) -> None:
    ending = verify(model, CARD.files, Events().report, lambda: True)

    assert ending == Stopped(0, sum(map(len, FILES.values())))


@pytest.mark.loopback
def test_d32_only_the_damaged_file_is_fetched(model: Path, tmp_path: Path) -> None:
    flip_a_bit(model / "unet" / "weights.bin")
    with fault_hub(tmp_path, FILES) as hub:
        ending = fetch(hub, CARD, model)
        assert [entry["path"] for entry in hub.log(least=1)] == [
            "/easel/tiny/resolve/main/unet/weights.bin"
        ]

    assert isinstance(ending, Transferred)
    assert ending.fetched == 300 * KB
    assert_whole(model, FILES)


@pytest.mark.loopback
@pytest.mark.parametrize(
    "fault",
    [{"do": "status", "code": 503}, {"do": "corrupt"}, {"do": "html"}, {"do": "cut", "after": KB}],
    ids=lambda fault: fault["do"],
)
def test_d32_the_old_file_stays_until_the_new_one_is_proven(
    fault: dict[str, Any], model: Path, tmp_path: Path
) -> None:
    damaged = flip_a_bit(model / "unet" / "weights.bin")
    paths = ("unet/weights.bin",)
    with fault_hub(tmp_path, FILES, {**fault, "times": NEVER}) as hub:
        options = Options(hub.endpoint, "", QUICK)
        with pytest.raises(DownloadError):
            repair(CARD, model, paths, Events().report, lambda: False, options)
    assert (model / "unet" / "weights.bin").read_bytes() == damaged
    assert (model / "vae" / "weights.bin").read_bytes() == FILES["vae/weights.bin"]

    with fault_hub(tmp_path, FILES) as hub:
        options = Options(hub.endpoint, "", QUICK)
        repair(CARD, model, paths, Events().report, lambda: False, options)
    assert_whole(model, FILES)


@pytest.mark.loopback
def test_what_lies_there_whole_is_not_asked_for(model: Path, tmp_path: Path) -> None:
    with fault_hub(tmp_path, FILES) as hub:
        ending = fetch(hub, CARD, model)
        assert hub.log() == []

    assert isinstance(ending, Transferred)
    assert ending.fetched == 0


@pytest.mark.loopback
def test_a_hub_that_is_not_there_is_told(tmp_path: Path) -> None:
    options = Options("http://127.0.0.1:1", "", QUICK)
    with pytest.raises(HubUnreachable) as caught:
        repair(CARD, tmp_path / "to", FILES, Events().report, lambda: False, options)

    assert caught.value == HubUnreachable("127.0.0.1", "no connection")


def test_events_and_options_survive_a_pipe() -> None:
    for value in (Checking(1, 2, "a"), Verified(("a",), ()), Options(), Stopped(1, 2)):
        assert pickle.loads(pickle.dumps(value)) == value
