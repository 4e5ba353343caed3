"""Whatever goes online is written down: also what is stopped, refused or killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.card import CardFile
from app.core.errors import AccessNeeded, HubUnreachable, ModelWithdrawn
from app.jobs.deliveries import DeliveryState
from app.weights.ledger import Ledger
from tests.jobs.shelves import ShelfEasel, easel_with_shelf
from tests.weights.hubs import KB, QUICK, FaultHub, fault_hub

pytestmark = pytest.mark.loopback
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
ENDED = (DeliveryState.DONE, DeliveryState.FAILED)
HELD = {"do": "stall", "path": WEIGHTS, "after": 64 * KB, "times": 10_000}


def silent(_: object) -> None:
    pass


def never() -> bool:
    return False


@pytest.fixture
def accepted(easel: ShelfEasel) -> ShelfEasel:
    easel.shelf.accept(easel.shelf.card("tiny"))
    return easel


def test_a_download_that_is_stopped_is_written_down_with_its_bytes(
    easel_home: Path, tmp_path: Path, files: dict[str, bytes]
) -> None:
    with fault_hub(tmp_path, files, HELD) as hub:
        easel = easel_with_shelf(easel_home, hub, files)
        card = easel.shelf.card("tiny")
        easel.shelf.accept(card)

        def all_is_here() -> bool:
            parts = easel.folders.installed.rglob("*.part")
            return any(part.stat().st_size == HELD["after"] for part in parts)

        assert easel.shelf.get(card, silent, all_is_here) is None
        asked, sent = len(hub.log()), hub.sent()

    rows = easel.shelf.ledger.connections()
    assert len(rows) == asked
    assert rows[-1].why == f"{card.title}: {WEIGHTS}"
    assert sum(row.received for row in rows) == sent


def test_a_hub_that_refuses_is_written_down_each_time(accepted: ShelfEasel, hub: FaultHub) -> None:
    hub.process.kill()
    hub.process.wait()
    with pytest.raises(HubUnreachable):
        accepted.shelf.get(accepted.shelf.card("tiny"), silent, never)

    rows = accepted.shelf.ledger.connections()
    assert [(row.host, row.received) for row in rows] == [("127.0.0.1", 0)] * QUICK.tries


PROGRAM = """
import sys
from pathlib import Path
from tests.jobs.shelves import ShelfEasel
from app.core.folders import Folders

if __name__ == "__main__":
    endpoint, *folders = sys.argv[1:]
    easel = ShelfEasel(Folders(*map(Path, folders)), endpoint)
    easel.shelf.get(easel.shelf.card("tiny"), print, lambda: False)
"""


def test_a_program_that_is_killed_has_written_down_what_it_asked(
    easel_home: Path, tmp_path: Path, files: dict[str, bytes]
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, "utf-8")
    with fault_hub(tmp_path, files, HELD) as hub:
        easel = easel_with_shelf(easel_home, hub, files)
        easel.shelf.accept(easel.shelf.card("tiny"))
        folders = easel.folders
        places = (folders.shipped, folders.pictures, folders.support, folders.caches, folders.logs)
        process = subprocess.Popen(
            [sys.executable, str(tmp_path / "program.py"), hub.endpoint, *map(str, places)],
            env={**os.environ, "PYTHONPATH": f"{Path.cwd()}:{os.environ['PYTHONPATH']}"},
            stdout=subprocess.DEVNULL,
        )
        ledger = Ledger(folders.ledger)
        _wait(lambda: any(row.why.endswith(WEIGHTS) for row in ledger.connections()))
        process.send_signal(signal.SIGKILL)
        process.wait()
        _wait(lambda: len(hub.log()) == len(ledger.connections()))  # the child dies with it

    assert ledger.connections()[-1].why.endswith(WEIGHTS)


@pytest.mark.parametrize("token", ["hf secret", "hf_geheim\u00fc", "a\nb"])
def test_what_cannot_be_a_token_is_refused_before_anybody_is_asked(
    token: str, accepted: ShelfEasel, hub: FaultHub
) -> None:
    with pytest.raises(AccessNeeded) as caught:
        accepted.shelf.get(accepted.shelf.card("tiny"), silent, never, token=token)

    assert caught.value.reason == "token refused"
    assert token not in str(caught.value)
    assert hub.log() == []


def test_d21_a_model_that_is_withdrawn_does_not_hold_up_the_next(accepted: ShelfEasel) -> None:
    card, deliveries = accepted.shelf.card("tiny"), accepted.deliveries
    nowhere = (CardFile("nowhere.safetensors", 9, "0" * 64),)
    deliveries.get(replace(card, id="gone", files=nowhere))
    deliveries.get(card)
    try:
        _wait(lambda: all(one.state in ENDED for one in deliveries.all()))
        gone, here = deliveries.all()
        assert gone.error == ModelWithdrawn("easel/tiny", "nowhere.safetensors")
        assert here.installed == accepted.shelf.find("tiny")
    finally:
        deliveries.close()


def test_pins_are_looked_at_for_cards_that_are_of_no_use_yet(easel: ShelfEasel) -> None:
    catalogue = easel.folders.catalogue
    card = (catalogue / "tiny.toml").read_text("utf-8")
    other = card.replace('"tiny"', '"other"').replace('"diffusers"', '"coreml"')
    (catalogue / "other.toml").write_text(other, "utf-8")
    assert [one.id for one in easel.shelf.cards()] == ["tiny"]

    looked = easel.shelf.pins(silent, never)

    assert looked is not None
    assert {one.id for one in looked} == {"tiny", "other"}


def _wait(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.05)
