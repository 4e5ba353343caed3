"""Rows D4, D8, D9, D10 and D30 of the fault matrix with the patience that ships.

Each of them only waits, so all of them wait at the same time, before the first test.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.weights.hubs import (
    KB,
    NEVER,
    FaultHub,
    content,
    fault_hub,
    start_fetch,
)

pytestmark = [pytest.mark.loopback, pytest.mark.slow, pytest.mark.timeout(400)]
FILES = {"weights.bin": content(1500 * KB)}
SLOWLY = {"do": "serve", "rate": 250 * KB, "times": NEVER}
DROP_S = 60.0


@dataclass(frozen=True)
class Ended:
    """How a download in a process of its own ended, after how many seconds, and what was asked."""

    said: str
    took: float
    log: list[dict[str, Any]]


Row = Callable[[Path], Ended]


def download(hub: FaultHub, place: Path, meanwhile: Callable[[], None] | None = None) -> Ended:
    copy = place / "weights.bin"
    copy.write_bytes(FILES["weights.bin"])
    began = time.monotonic()
    process = start_fetch(hub, place / "to", copy, patience="shipped")
    with process:
        assert process.stdout is not None
        if meanwhile:
            _skip_to(process.stdout, "Transferring")
            meanwhile()
        said = process.stdout.read().splitlines()[-1]
    return Ended(said, time.monotonic() - began, hub.log())


def _skip_to(lines: Iterable[str], word: str) -> None:
    next(line for line in lines if line.startswith(word))


def under(*rules: dict[str, Any]) -> Row:
    def row(place: Path) -> Ended:
        with fault_hub(place, FILES, *rules) as hub:
            return download(hub, place)

    return row


def asleep(place: Path) -> Ended:
    """The lid is closed in the middle, and opened a minute later."""
    with fault_hub(place, FILES, SLOWLY) as hub:

        def sleep() -> None:
            time.sleep(1)
            os.kill(hub.process.pid, signal.SIGSTOP)
            time.sleep(DROP_S)
            os.kill(hub.process.pid, signal.SIGCONT)

        return download(hub, place, sleep)


def away(place: Path) -> Ended:
    """The network is gone for a minute, so that every connection is refused at once."""
    with fault_hub(place, FILES, SLOWLY) as first:
        port = int(first.endpoint.rpartition(":")[2])
        again: list[Any] = []

        def drop() -> None:
            time.sleep(1)
            first.process.kill()
            first.process.wait()
            time.sleep(DROP_S)
            again.append(fault_hub(place, FILES, port=port))
            again.append(again[0].__enter__())

        try:
            ended = download(first, place, drop)
            return dataclasses.replace(ended, log=[*first.log(), *again[1].log()])
        finally:
            if again:
                again[0].__exit__(None, None, None)


ROWS: dict[str, Row] = {
    "d4": under({"do": "status", "code": 503, "times": NEVER}),
    "d8": under({"do": "blackhole", "times": NEVER}),
    "d9": under({"do": "stall", "after": 700 * KB}),
    "d10": under({"do": "drip", "after": 700 * KB}),
    "d10 always": under({"do": "drip", "times": NEVER}),
    "d30 asleep": asleep,
    "d30 away": away,
}


Rows = dict[str, Ended]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(len(ROWS)) as pool:
        patch.setenv("EASEL_TESTS_LOOPBACK", "1")
        places = {name: tmp_path_factory.mktemp("row") for name in ROWS}
        waiting = {name: pool.submit(row, places[name]) for name, row in ROWS.items()}
        return {name: one.result() for name, one in waiting.items()}


def between(row: Ended) -> float:
    """Seconds from the first request to the second, as the hub saw them."""
    first, second = (float(entry["began"]) for entry in row.log[:2])
    return second - first


def test_d4_a_hub_that_is_down_is_told_within_a_minute(rows: Rows) -> None:
    row = rows["d4"]
    assert row.said.startswith("failed HubUnreachable(")
    assert "HTTP 503" in row.said
    assert row.took < 65
    assert len(row.log) >= 5


def test_d8_a_hub_that_never_answers_is_told_within_90_seconds(rows: Rows) -> None:
    row = rows["d8"]
    assert row.said == "failed HubSilent(host='127.0.0.1', seconds=15.0)"
    assert 30 < row.took < 90


def test_d9_a_stall_is_noticed_after_15_seconds(rows: Rows) -> None:
    row = rows["d9"]
    assert row.said == "done"
    assert 15 < between(row) < 20
    assert row.log[-1]["headers"]["range"] == f"bytes={700 * KB}-"


def test_d10_a_drip_is_reconnected_within_30_seconds(rows: Rows) -> None:
    row = rows["d10"]
    assert row.said == "done"
    assert between(row) < 30
    first, second = row.log
    assert second["headers"]["range"].startswith("bytes=")
    assert first["sent"] < 703 * KB


def test_d10_a_drip_that_never_ends_is_told(rows: Rows) -> None:
    row = rows["d10 always"]
    assert "too slow" in row.said
    assert row.took < 70


@pytest.mark.parametrize("name", ["d30 asleep", "d30 away"])
def test_d30_a_minute_without_a_network_needs_no_click(name: str, rows: Rows) -> None:
    row = rows[name]
    assert row.said == "done"
    assert row.took > DROP_S
    assert row.log[-1]["headers"]["range"].startswith("bytes=")
    assert sum(entry["sent"] for entry in row.log) < 1.3 * len(FILES["weights.bin"])
