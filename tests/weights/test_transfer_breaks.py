"""The line breaks, falls silent or drips: rows D1, D2, D8, D9, D10 and D30 of the fault matrix."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from app.core.errors import HubSilent, HubUnreachable
from app.weights.events import Connected, Transferred, Transferring, WaitingFor
from app.weights.setback import Budget, Setback
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

pytestmark = pytest.mark.loopback
FILES = {
    "unet/weights.bin": content(1000 * KB),
    "model_index.json": b'{"a": 1}\n',
    "empty.txt": b"",
}
SIZE = sum(map(len, FILES.values()))
BIG = "weights.bin"


def test_d0_a_sound_hub_sends_each_byte_once_on_one_connection(tmp_path: Path) -> None:
    events = Events()
    with fault_hub(tmp_path, FILES) as hub:
        ending = fetch(hub, card_for(FILES), tmp_path / "to", events=events)

        assert hub.sent() == SIZE
        assert {entry["headers"]["accept-encoding"] for entry in hub.log()} == {"identity"}
        assert not any("authorization" in entry["headers"] for entry in hub.log())

    assert ending == Transferred(SIZE, SIZE)
    assert_whole(tmp_path / "to", FILES)
    done = [event.done for event in events.of(Transferring)]
    assert done == sorted(done)
    assert done[-1] == SIZE
    assert sum(event.received for event in events.of(Connected)) == SIZE


@pytest.mark.parametrize("fault", ["cut", "rst"])
@pytest.mark.parametrize("times", [1, NEVER])
def test_d1_d2_a_line_that_breaks_is_gone_on_with(fault: str, times: int, tmp_path: Path) -> None:
    events = Events()
    with fault_hub(
        tmp_path, FILES, {"do": fault, "path": BIG, "after": 150 * KB, "times": times}
    ) as hub:
        fetch(hub, card_for(FILES), tmp_path / "to", events=events)

        assert hub.sent() <= 1.1 * SIZE
        assert len(hub.log(least=3)) == (3 if times == 1 else 8)

    assert_whole(tmp_path / "to", FILES)
    done = [event.done for event in events.of(Transferring)]
    assert done == sorted(done)


@pytest.mark.parametrize("fault", ["cut", "rst"])
def test_d2_a_line_that_always_breaks_at_once_is_given_up(fault: str, tmp_path: Path) -> None:
    with fault_hub(tmp_path, FILES, {"do": fault, "path": BIG, "times": NEVER}) as hub:
        with pytest.raises(HubUnreachable) as caught:
            fetch(hub, card_for(FILES), tmp_path / "to")

        assert caught.value == HubUnreachable("127.0.0.1", "broken off")
        assert len(hub.log(least=QUICK.tries)) == QUICK.tries


def test_d8_a_hub_that_never_answers_is_given_up(tmp_path: Path) -> None:
    patience = dataclasses.replace(QUICK, idle_s=4.0)
    events = Events()
    began = time.monotonic()
    with (
        fault_hub(tmp_path, FILES, {"do": "blackhole", "times": NEVER}) as hub,
        pytest.raises(HubSilent),
    ):
        fetch(hub, card_for(FILES), tmp_path / "to", patience=patience, events=events)

    assert time.monotonic() - began < 6
    assert {event.reason for event in events.of(WaitingFor)} == {"no answer"}


def test_d8_shipped_patience_gives_up_within_90_seconds() -> None:
    """The sum of the shipped limits: stalls of 15 s and pauses, while the budget lets it."""
    from app.weights.patience import Patience

    patience = Patience()
    spent, tries = 0.0, 0
    while True:
        spent += patience.stall_s
        tries += 1
        pause = patience.pauses[min(tries, len(patience.pauses)) - 1]
        if tries >= patience.tries or spent + pause >= patience.idle_s:
            break
        spent += pause

    assert spent <= 90
    assert sum((*patience.pauses, patience.pauses[-1], patience.pauses[-1])) <= 60


def test_a_budget_is_refilled_by_progress_only() -> None:
    budget = Budget(QUICK)
    setback = Setback(HubUnreachable("h", "broken off"))
    for _ in range(QUICK.tries - 1):
        budget.pause(setback)
    budget.refill()
    for _ in range(QUICK.tries - 1):
        budget.pause(setback)
    with pytest.raises(HubUnreachable):
        budget.pause(setback)


def test_d30_a_network_that_worked_is_waited_for_longer() -> None:
    """And only that: a hub that answers with faults is given up as soon as before."""
    gone, down = HubUnreachable("h", "no connection"), HubUnreachable("h", "HTTP 503")
    for worked, error, tries in ((False, gone, QUICK.tries), (True, down, QUICK.tries)):
        budget = Budget(QUICK, worked=worked)
        for _ in range(tries - 1):
            budget.pause(Setback(error))
        with pytest.raises(HubUnreachable):
            budget.pause(Setback(error))
    budget = Budget(dataclasses.replace(QUICK, lost_s=0.4), worked=True)
    waits = [budget.pause(Setback(gone)) for _ in range(3 * QUICK.tries)]
    assert waits[-1] == QUICK.pauses[-1]
    time.sleep(0.25)
    with pytest.raises(HubUnreachable):
        budget.pause(Setback(gone))


@pytest.mark.parametrize("times", [1, NEVER])
def test_d9_a_stall_within_a_file_is_noticed(times: int, tmp_path: Path) -> None:
    rule = {"do": "stall", "path": BIG, "after": 400 * KB, "times": times}
    began = time.monotonic()
    with fault_hub(tmp_path, FILES, rule) as hub:
        fetch(hub, card_for(FILES), tmp_path / "to")

        assert hub.sent() == SIZE

    assert_whole(tmp_path / "to", FILES)
    assert time.monotonic() - began < 5


def test_d10_a_drip_is_reconnected_and_then_told(tmp_path: Path) -> None:
    rule = {"do": "drip", "path": BIG, "times": NEVER}
    with fault_hub(tmp_path, FILES, rule) as hub:
        with pytest.raises(HubUnreachable) as caught:
            fetch(hub, card_for(FILES), tmp_path / "to")

        assert caught.value.reason == "too slow"
        asked = [wanted for wanted in hub.ranges(least=2) if wanted]

    assert len(asked) == 1  # the second try goes on where the first one was


def test_d10_a_drip_that_ends_is_no_failure(tmp_path: Path) -> None:
    rule = {"do": "drip", "path": BIG, "after": 100 * KB}
    with fault_hub(tmp_path, FILES, rule) as hub:
        fetch(hub, card_for(FILES), tmp_path / "to")

    assert_whole(tmp_path / "to", FILES)


def test_d30_a_hub_that_sleeps_and_wakes_needs_no_click(tmp_path: Path) -> None:
    """SIGSTOP is what a lid that closes looks like from the other end."""
    events = Events()
    rule = {"do": "serve", "path": BIG, "rate": 600 * KB, "times": NEVER}
    with fault_hub(tmp_path, FILES, rule) as hub:
        pid = hub.process.pid
        asleep = threading.Timer(0.5, os.kill, (pid, signal.SIGSTOP))
        awake = threading.Timer(3.5, os.kill, (pid, signal.SIGCONT))
        asleep.start()
        awake.start()
        fetch(hub, card_for(FILES), tmp_path / "to", events=events)
        awake.join()

    assert_whole(tmp_path / "to", FILES)
    assert events.of(WaitingFor)
