"""Downloads in a queue: they pause, go on where they were, fail alone, and end with the app."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.errors import HubUnreachable, ImportRefused, LicenceNotAccepted, ModelInUse
from app.jobs.deliveries import Deliveries, Delivery, DeliveryState
from app.jobs.shelf import Shelf
from app.weights.alone import alone
from app.weights.patience import Options
from tests.jobs.other_easel import start_other
from tests.jobs.shelves import ShelfEasel, easel_with_shelf
from tests.weights.hubs import QUICK, FaultHub, fault_hub

pytestmark = pytest.mark.loopback
DRIP = {"do": "drip", "path": "unet/diffusion_pytorch_model.safetensors", "times": 10_000}


@pytest.fixture
def deliveries(easel: ShelfEasel) -> Iterator[Deliveries]:
    yield easel.deliveries
    easel.deliveries.close()


def wait(deliveries: Deliveries, fits: Callable[[Delivery], bool], id: str = "tiny") -> Delivery:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for delivery in deliveries.all():
            if delivery.id == id and fits(delivery):
                return delivery
        time.sleep(0.02)
    raise AssertionError(f"never happened; {deliveries.all()}")


def is_in(*states: DeliveryState) -> Callable[[Delivery], bool]:
    return lambda delivery: delivery.state in states


def test_the_licence_is_asked_for_first(
    deliveries: Deliveries, easel: ShelfEasel, hub: FaultHub
) -> None:
    with pytest.raises(LicenceNotAccepted):
        deliveries.get(easel.shelf.card("tiny"))
    assert deliveries.all() == ()
    assert hub.log() == []


def test_a_download_runs_to_its_end_and_tells_how_far_it_is(
    deliveries: Deliveries, easel: ShelfEasel
) -> None:
    heard: list[Delivery] = []
    deliveries.listen(heard.append)
    card = easel.shelf.card("tiny")
    easel.shelf.accept(card)
    deliveries.get(card)
    done = wait(deliveries, is_in(DeliveryState.DONE, DeliveryState.FAILED))
    assert done.error is None
    assert done.installed == easel.shelf.find("tiny")
    assert done.done == done.total == card.download_bytes
    states = [one.state for one in heard]
    assert states[:2] == [DeliveryState.WAITING, DeliveryState.RUNNING]
    assert states[-1] is DeliveryState.DONE


def test_that_another_easel_is_waited_for_is_told_at_once(
    deliveries: Deliveries, easel: ShelfEasel
) -> None:
    """It comes right after "running", and nothing comes after it for as long as it lasts."""
    heard: list[Delivery] = []
    deliveries.listen(heard.append)
    card = easel.shelf.card("tiny")
    easel.shelf.accept(card)
    with alone(easel.folders.installed / card.id, card.title):
        deliveries.get(card)
        wait(deliveries, lambda one: one.stage == "another Easel")
        assert heard[-1].stage == "another Easel"
    assert wait(deliveries, is_in(DeliveryState.DONE)).installed is not None


def test_a_paused_download_goes_on_where_it_was(deliveries: Deliveries, easel: ShelfEasel) -> None:
    card = easel.shelf.card("tiny")
    easel.shelf.accept(card)
    deliveries.get(card)
    wait(deliveries, lambda one: one.done > 0 or one.state is DeliveryState.DONE)
    deliveries.pause("tiny")
    paused = wait(deliveries, is_in(DeliveryState.PAUSED, DeliveryState.DONE))
    if paused.state is DeliveryState.PAUSED:  # else it was quicker than we
        deliveries.resume("tiny")
    assert wait(deliveries, is_in(DeliveryState.DONE)).installed is not None


def test_a_failure_is_told_and_can_be_resumed(
    deliveries: Deliveries, easel: ShelfEasel, hub: FaultHub
) -> None:
    card = easel.shelf.card("tiny")
    easel.shelf.accept(card)
    hub.process.kill()
    hub.process.wait()
    deliveries.get(card)
    failed = wait(deliveries, is_in(DeliveryState.FAILED))
    assert isinstance(failed.error, HubUnreachable)
    deliveries.resume("tiny")
    wait(deliveries, is_in(DeliveryState.RUNNING, DeliveryState.FAILED))


def test_an_import_that_is_refused_does_not_hold_up_the_next(
    deliveries: Deliveries, easel: ShelfEasel, tmp_path: Path
) -> None:
    text = tmp_path / "letter.safetensors"
    text.write_text("Dear reader")
    card = easel.shelf.card("tiny")
    easel.shelf.accept(card)
    deliveries.bring(text)
    deliveries.get(card)
    refused = wait(deliveries, is_in(DeliveryState.FAILED), str(text))
    assert isinstance(refused.error, ImportRefused)
    assert wait(deliveries, is_in(DeliveryState.DONE)).installed is not None


def test_closing_ends_a_download_that_drips(
    easel_home: Path, tmp_path: Path, files: dict[str, bytes]
) -> None:
    with fault_hub(tmp_path, files, DRIP) as hub:
        easel = easel_with_shelf(easel_home, hub, files)
        card = easel.shelf.card("tiny")
        easel.shelf.accept(card)
        easel.deliveries.get(card)
        wait(easel.deliveries, lambda one: one.done > 0)
        began = time.monotonic()
        easel.deliveries.close()
        assert time.monotonic() - began < 3.5
        assert easel.shelf.installed() == ()


def test_what_was_interrupted_is_found_by_the_next_easel_and_goes_on_or_goes_away(
    easel_home: Path, tmp_path: Path, files: dict[str, bytes]
) -> None:
    with fault_hub(tmp_path, files, DRIP | {"after": 1000, "times": 1}) as hub:
        # 1. One Easel ends in the middle
        easel = easel_with_shelf(easel_home, hub, files)
        card = easel.shelf.card("tiny")
        easel.shelf.accept(card)
        easel.deliveries.get(card)
        wait(easel.deliveries, lambda one: one.done > 1000)
        easel.deliveries.close()
        # 2. The next lists it as paused, and asks nobody
        asked = len(hub.log())
        shelf = Shelf(easel.folders, Options(hub.endpoint, "", QUICK))
        later = Deliveries(shelf)
        later.find_unfinished()
        later.find_unfinished()
        (paused,) = later.all()
        assert paused.state is DeliveryState.PAUSED
        assert 0 < paused.done < paused.total == card.download_bytes
        assert len(hub.log()) == asked
        # 3. Discarded, nothing of it is left; asked for again it comes whole
        later.discard(card)
        until = time.monotonic() + 20
        while list(easel.folders.installed.glob("*")) and time.monotonic() < until:
            time.sleep(0.02)
        assert list(easel.folders.installed.glob("*")) == []
        later.find_unfinished()
        assert [one.state for one in later.all()] == [DeliveryState.CANCELLED]
        later.get(card)
        assert wait(later, is_in(DeliveryState.DONE, DeliveryState.FAILED)).installed is not None
        later.close()


def test_a_running_download_is_discarded_too(
    easel_home: Path, tmp_path: Path, files: dict[str, bytes]
) -> None:
    with fault_hub(tmp_path, files, DRIP) as hub:
        easel = easel_with_shelf(easel_home, hub, files)
        card = easel.shelf.card("tiny")
        easel.shelf.accept(card)
        easel.deliveries.get(card)
        wait(easel.deliveries, lambda one: one.done > 0)
        easel.deliveries.discard(card)
        until = time.monotonic() + 20
        while list(easel.folders.installed.glob("*")) and time.monotonic() < until:
            time.sleep(0.02)
        assert list(easel.folders.installed.glob("*")) == []
        easel.deliveries.close()


def test_what_is_asked_for_while_held_waits(deliveries: Deliveries, easel: ShelfEasel) -> None:
    card = easel.shelf.card("tiny")
    easel.shelf.accept(card)
    deliveries.hold()
    deliveries.get(card)
    time.sleep(0.3)
    assert [one.state for one in deliveries.all()] == [DeliveryState.WAITING]
    deliveries.let_go()
    wait(deliveries, is_in(DeliveryState.DONE))
    deliveries.hold()


def test_a_running_download_is_not_held(
    easel_home: Path, tmp_path: Path, files: dict[str, bytes]
) -> None:
    with fault_hub(tmp_path, files, DRIP) as hub:
        easel = easel_with_shelf(easel_home, hub, files)
        card = easel.shelf.card("tiny")
        easel.shelf.accept(card)
        easel.deliveries.get(card)
        wait(easel.deliveries, is_in(DeliveryState.RUNNING))
        with pytest.raises(ModelInUse):
            easel.deliveries.hold()
        easel.deliveries.close()


@pytest.mark.parametrize("ends", ["done", "killed"])
def test_another_easel_is_waited_for_and_what_it_got_is_used(
    easel_home: Path, tmp_path: Path, files: dict[str, bytes], ends: str
) -> None:
    largest = max(files, key=lambda path: len(files[path]))
    slow = {"do": "serve", "path": largest, "rate": len(files[largest]) / 6, "times": 1}
    with fault_hub(tmp_path, files, slow) as hub:
        easel = easel_with_shelf(easel_home, hub, files)
        card = easel.shelf.card("tiny")
        easel.shelf.accept(card)
        with start_other(easel_home, hub) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "Transferring\n"
            easel.deliveries.get(card)
            wait(easel.deliveries, lambda one: one.stage == "another Easel")
            if ends == "killed":
                other.kill()
            done = wait(easel.deliveries, is_in(DeliveryState.DONE, DeliveryState.FAILED))
            assert done.installed is not None
            said = other.stdout.read()
        asked = [entry["path"].rpartition("/resolve/")[2] for entry in hub.log()]
        if ends == "done":
            assert said.endswith("done\n")
            assert len(asked) == len(set(asked)) == len(files)
        easel.deliveries.close()
