"""It is killed, cancelled, or started twice: rows D26, D28, D29 and D31 of the fault matrix."""

from __future__ import annotations

import dataclasses
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ModelInUse
from app.weights.events import Checking, Stopped, Transferring, WaitingFor, WeightsEvent
from app.weights.patience import Patience
from app.weights.unfinished import discard
from tests.weights.hubs import (
    KB,
    NEVER,
    Events,
    assert_whole,
    card_for,
    content,
    fault_hub,
    fetch,
    start_fetch,
)

pytestmark = pytest.mark.loopback
FILES = {"weights.bin": content(1500 * KB), "config.json": b"{}"}
SIZE = sum(map(len, FILES.values()))
SHIPPED = dataclasses.replace(Patience(), spare=0)
"""Cancelling is tested with the patience that ships."""


def copies(folder: Path, files: dict[str, bytes] = FILES) -> list[Path]:
    place = folder / "copies"
    place.mkdir()
    for name, data in files.items():
        (place / name).write_bytes(data)
    return sorted(place.iterdir())


def said(process: subprocess.Popen[str]) -> str:
    with process:
        assert process.stdout is not None
        return process.stdout.read()


def kill_while_it_transfers(process: subprocess.Popen[str], after_s: float) -> bool:
    """kill -9, a moment after its first bytes; false when it was done before."""
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Transferring"):
                time.sleep(after_s)
                break
        process.kill()
        return "done" not in process.stdout.read()


def survive_kills(tmp_path: Path, size: int, kills: int) -> None:
    """Each kill costs what was on its way: some 80 KB at this rate."""
    files = {**FILES, "weights.bin": content(size)}
    names, folder = copies(tmp_path, files), tmp_path / "to"
    chance = random.Random(26)
    with fault_hub(tmp_path, files, {"do": "serve", "rate": 1000 * KB, "times": NEVER}) as hub:
        for _ in range(kills):
            process = start_fetch(hub, folder, *names)
            assert kill_while_it_transfers(process, chance.uniform(0, 0.15))
            for name, data in files.items():  # whole or not there, at every moment
                assert not (folder / name).exists() or (folder / name).read_bytes() == data
        assert "done" in said(start_fetch(hub, folder, *names))
        assert hub.sent() <= 1.3 * sum(map(len, files.values()))
    assert_whole(folder, files)


def test_d26_it_survives_being_killed(tmp_path: Path) -> None:
    survive_kills(tmp_path, size=1500 * KB, kills=3)


@pytest.mark.slow
def test_d26_it_survives_being_killed_fifty_times(tmp_path: Path) -> None:
    survive_kills(tmp_path, size=20_000 * KB, kills=50)


def came(event: WeightsEvent) -> bool:
    return isinstance(event, Transferring)


def waits(event: WeightsEvent) -> bool:
    return isinstance(event, WaitingFor)


@pytest.mark.parametrize(
    ("rule", "until"),
    [
        ({"do": "serve", "rate": 200 * KB}, came),
        ({"do": "drip", "after": 32 * KB}, came),
        ({"do": "stall", "after": 32 * KB}, came),
        ({"do": "status", "code": 503}, waits),
        ({"do": "status", "code": 429, "headers": {"Retry-After": "100"}}, waits),
    ],
    ids=["data", "drip", "stall", "back-off", "retry-after"],
)
def test_d28_a_cancel_is_heard_within_two_seconds(
    rule: dict[str, Any], until: Callable[[WeightsEvent], bool], tmp_path: Path
) -> None:
    asked: list[float] = []

    def note(event: WeightsEvent) -> bool:
        if until(event) and not asked:
            asked.append(time.monotonic())
        return bool(asked)

    events = Events(until=note)
    with fault_hub(tmp_path, FILES, {**rule, "path": "weights.bin", "times": NEVER}) as hub:
        ending = fetch(hub, card_for(FILES), tmp_path / "to", patience=SHIPPED, events=events)
        took = time.monotonic() - asked[0]

    assert isinstance(ending, Stopped)
    assert took < 2
    assert (tmp_path / "to" / "weights.bin.part").exists()
    assert not (tmp_path / "to" / "weights.bin").exists()


def test_d28_a_cancel_is_heard_while_nobody_answers(tmp_path: Path) -> None:
    began = time.monotonic()
    events = Events()
    events.stop.is_set = lambda: time.monotonic() - began > 0.5  # type: ignore[method-assign]
    with fault_hub(tmp_path, FILES, {"do": "blackhole", "times": NEVER}) as hub:
        ending = fetch(hub, card_for(FILES), tmp_path / "to", patience=SHIPPED, events=events)

    assert ending == Stopped(0, SIZE)
    assert time.monotonic() - began < 2.5


def test_d28_a_cancel_is_heard_while_hashing(tmp_path: Path) -> None:
    big = {"weights.bin": bytes(64 << 20)}
    card = card_for(big)
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "weights.bin").write_bytes(big["weights.bin"])
    events = Events(until=lambda event: isinstance(event, Checking))
    with fault_hub(tmp_path, {}) as hub:
        ending = fetch(hub, card, tmp_path / "to", events=events)
        assert hub.log() == []

    assert isinstance(ending, Stopped)
    assert len(events.of(Checking)) == 1


def test_d28_what_was_kept_can_be_let_go(tmp_path: Path) -> None:
    with fault_hub(tmp_path, FILES, {"do": "serve", "rate": 200 * KB}) as hub:
        fetch(hub, card_for(FILES), tmp_path / "to", events=Events(until=came))

    discard(tmp_path / "to")
    discard(tmp_path / "never made")

    assert not (tmp_path / "to").exists()


def test_d29_a_process_that_waits_for_the_hub_ends_when_told(tmp_path: Path) -> None:
    names = copies(tmp_path)
    with fault_hub(tmp_path, FILES, {"do": "blackhole", "times": NEVER}) as hub:
        process = start_fetch(hub, tmp_path / "to", *names)
        with process:
            while not (tmp_path / "to").exists():
                time.sleep(0.02)
            began = time.monotonic()
            process.terminate()
            process.wait()

    assert time.monotonic() - began < 3


def test_d31_of_two_processes_one_downloads(tmp_path: Path) -> None:
    names = copies(tmp_path)
    with fault_hub(tmp_path, FILES, {"do": "serve", "rate": 1000 * KB, "times": NEVER}) as hub:
        both = [start_fetch(hub, tmp_path / "to", *names) for _ in range(2)]
        endings = sorted(said(process).splitlines()[-1] for process in both)

        assert endings[0] == "done"
        assert endings[1].startswith("failed ModelInUse(")
        assert hub.sent() == SIZE
    assert_whole(tmp_path / "to", FILES)


def test_d31_a_second_one_in_the_same_process_is_refused(tmp_path: Path) -> None:
    refused: list[ModelInUse] = []
    with fault_hub(tmp_path, FILES) as hub:

        def once_more(event: WeightsEvent) -> bool:
            if came(event) and not refused:
                with pytest.raises(ModelInUse) as caught:
                    fetch(hub, card_for(FILES), tmp_path / "to")
                refused.append(caught.value)
            return False

        fetch(hub, card_for(FILES), tmp_path / "to", events=Events(until=once_more))

    assert refused == [ModelInUse("Tiny", "downloading")]
    assert_whole(tmp_path / "to", FILES)
