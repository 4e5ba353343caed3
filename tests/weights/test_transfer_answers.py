"""Answers that are late, busy, wrong or no files at all: rows D3 to D7, D11 to D16 and D33."""

from __future__ import annotations

import datetime
import email.utils
import time
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import (
    ChecksumMismatch,
    DownloadError,
    HubBusy,
    HubUnreachable,
    LoginPage,
    ModelWithdrawn,
)
from app.weights.events import FetchingAgain, WaitingFor
from tests.weights.hubs import (
    KB,
    NEVER,
    Events,
    assert_whole,
    card_for,
    content,
    fault_hub,
    fetch,
)

pytestmark = pytest.mark.loopback
FILES = {"weights.bin": content(300 * KB), "config.json": b'{"layers": 4}\n'}
SIZE = sum(map(len, FILES.values()))
HALF = {"do": "cut", "path": "weights.bin", "after": 150 * KB}
"""First half of the file, so that the next question is for a range."""


def fetched(tmp_path: Path, *rules: dict[str, Any]) -> tuple[int, Events]:
    """All files, through these faults; the bytes that were sent."""
    events = Events()
    with fault_hub(tmp_path, FILES, *rules) as hub:
        fetch(hub, card_for(FILES), tmp_path / "to", events=events)
        sent = hub.sent()
    assert_whole(tmp_path / "to", FILES)
    return sent, events


def refused(tmp_path: Path, *rules: dict[str, Any], error: type[DownloadError]) -> Any:
    """The error that these faults end with; nothing visible then. Fetched without them after."""
    with fault_hub(tmp_path, FILES, *rules) as hub, pytest.raises(error) as caught:
        fetch(hub, card_for(FILES), tmp_path / "to")
    for path, data in FILES.items():
        place = tmp_path / "to" / path
        assert not place.exists() or place.read_bytes() == data
    fetched(tmp_path)
    return caught.value


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_d3_faults_of_the_hub_are_waited_for(code: int, tmp_path: Path) -> None:
    sent, events = fetched(tmp_path, HALF, {"do": "status", "code": code, "times": 3})

    assert sent == SIZE
    assert [event.seconds for event in events.of(WaitingFor)][1:] == [0.1, 0.2, 0.2]


def test_d4_a_hub_that_stays_down_is_told_and_the_part_kept(tmp_path: Path) -> None:
    down = {"do": "status", "code": 503, "times": NEVER}
    with fault_hub(tmp_path, FILES, HALF, down) as hub, pytest.raises(HubUnreachable) as caught:
        fetch(hub, card_for(FILES), tmp_path / "to")
    assert caught.value == HubUnreachable("127.0.0.1", "HTTP 503")
    assert (tmp_path / "to" / "weights.bin.part").stat().st_size == 150 * KB

    sent, _ = fetched(tmp_path)

    assert sent == SIZE - 150 * KB


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [("2", 2, 2), ("0", 0, 0), ("soon", 0.3, 0.3), ("-5", 0.3, 0.3), ("", 0.3, 0.3)],
)
def test_d5_d7_retry_after_is_heeded(said: str, least: float, most: float, tmp_path: Path) -> None:
    busy = {"do": "status", "code": 429, "headers": {"Retry-After": said}}
    _, events = fetched(tmp_path, busy)

    (wait,) = events.of(WaitingFor)
    assert least <= wait.seconds <= most
    assert wait.reason == "busy"


def test_d7_retry_after_may_be_a_date(tmp_path: Path) -> None:
    then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2)
    date = email.utils.format_datetime(then, usegmt=True)
    _, events = fetched(tmp_path, {"do": "status", "code": 503, "headers": {"Retry-After": date}})

    (wait,) = events.of(WaitingFor)
    assert 0 < wait.seconds <= 2


@pytest.mark.parametrize("said", ["86400", "Fri, 31 Dec 2100 23:59:59 GMT", "9" * 400])
def test_d6_a_long_retry_after_is_told_at_once(said: str, tmp_path: Path) -> None:
    busy = {"do": "status", "code": 429, "headers": {"Retry-After": said}, "times": NEVER}
    began = time.monotonic()
    with fault_hub(tmp_path, FILES, busy) as hub:
        with pytest.raises(HubBusy) as caught:
            fetch(hub, card_for(FILES), tmp_path / "to")
        assert len(hub.log(least=1)) == 1

    assert caught.value.retry_after >= 86400
    assert time.monotonic() - began < 2


def test_d11_a_hub_that_ignores_ranges_sends_the_file_anew(tmp_path: Path) -> None:
    sent, _ = fetched(tmp_path, HALF, {"do": "ignore_range", "path": "weights.bin"})

    assert sent == SIZE + 150 * KB


@pytest.mark.parametrize("fault", ["shift_head", "wrong_total"])
def test_d12_another_range_than_asked_for_is_not_written(fault: str, tmp_path: Path) -> None:
    _, events = fetched(tmp_path, HALF, {"do": fault, "path": "weights.bin"})

    assert not events.of(FetchingAgain)


def test_d12_a_shifted_body_is_caught_by_the_hash(tmp_path: Path) -> None:
    _, events = fetched(tmp_path, HALF, {"do": "shift", "path": "weights.bin"})

    assert events.of(FetchingAgain) == [FetchingAgain("weights.bin")]


@pytest.mark.parametrize("path", ["weights.bin", "config.json"])
def test_d13_d14_wrong_bytes_once_are_fetched_again(path: str, tmp_path: Path) -> None:
    sent, events = fetched(tmp_path, {"do": "corrupt", "path": path})

    assert events.of(FetchingAgain) == [FetchingAgain(path)]
    assert sent == SIZE + len(FILES[path])


@pytest.mark.parametrize("path", ["weights.bin", "config.json"])
def test_d13_d14_wrong_bytes_always_are_never_seen(path: str, tmp_path: Path) -> None:
    error = refused(
        tmp_path, {"do": "corrupt", "path": path, "times": NEVER}, error=ChecksumMismatch
    )

    assert error.file == path
    assert error.found != error.expected


def test_d13_a_part_that_went_bad_between_two_runs_is_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "weights.bin.part").write_bytes(b"?" * 100 * KB)

    _, events = fetched(tmp_path)

    assert events.of(FetchingAgain)


@pytest.mark.parametrize("before", [(), (HALF,)], ids=["at once", "midway"])
def test_d15_a_log_in_page_is_told_and_not_written(before: Any, tmp_path: Path) -> None:
    began = time.monotonic()
    refused(tmp_path, *before, {"do": "html", "times": NEVER}, error=LoginPage)

    assert time.monotonic() - began < 4


def test_d15_a_log_in_page_elsewhere_is_told(tmp_path: Path) -> None:
    away = {"do": "redirect", "to": "CDN/cdn/login"}
    error = refused(tmp_path, away, {"do": "html", "times": NEVER}, error=LoginPage)

    assert error.host == "127.0.0.1"


@pytest.mark.parametrize("fault", ["truncate", "extra", "changed"])
def test_d16_d33_another_length_is_refused_before_a_byte(fault: str, tmp_path: Path) -> None:
    rule = {"do": fault, "path": "weights.bin", "times": NEVER}
    with fault_hub(tmp_path, FILES, rule) as hub:
        with pytest.raises(ModelWithdrawn) as caught:
            fetch(hub, card_for(FILES), tmp_path / "to")
        assert len(hub.log(least=2)) == 2

    assert caught.value == ModelWithdrawn("easel/tiny", "weights.bin")
    assert (tmp_path / "to" / "weights.bin.part").stat().st_size == 0


@pytest.mark.parametrize("fault", ["truncate", "extra", "changed"])
def test_d16_another_length_once_is_an_accident(fault: str, tmp_path: Path) -> None:
    fetched(tmp_path, {"do": fault, "path": "weights.bin"})


def test_d33_a_file_that_shrank_upstream_is_not_mixed_in(tmp_path: Path) -> None:
    """416, for what is asked for begins after its end; then its length tells."""
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "weights.bin.part").write_bytes(FILES["weights.bin"][: 200 * KB])
    served = {**FILES, "weights.bin": FILES["weights.bin"][: 100 * KB]}
    with fault_hub(tmp_path, served) as hub:
        with pytest.raises(ModelWithdrawn):
            fetch(hub, card_for(FILES), tmp_path / "to")
        assert [entry["status"] for entry in hub.log(least=2)] == [416, 200]

    sent, _ = fetched(tmp_path)
    assert sent == SIZE - 200 * KB


def test_d16_chunks_without_a_length_are_taken(tmp_path: Path) -> None:
    sent, _ = fetched(tmp_path, {"do": "chunked", "times": NEVER})

    assert sent == SIZE


def test_d16_chunks_that_never_end_are_cut_off(tmp_path: Path) -> None:
    fetched(tmp_path, {"do": "chunked_extra", "path": "weights.bin"})


def test_packed_bytes_are_not_taken_for_the_file(tmp_path: Path) -> None:
    packed = {"do": "serve", "headers": {"Content-Encoding": "gzip"}}
    sent, _ = fetched(tmp_path, packed)

    assert sent <= SIZE * 2


# --- answers that would never end -----------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        {"do": "ignore_range", "after": 150 * KB},
        {"do": "chunked_extra"},
    ],
    ids=lambda rule: rule["do"],
)
def test_d11_d16_a_hub_that_begins_anew_each_time_is_given_up(
    rule: dict[str, Any], tmp_path: Path
) -> None:
    """Every try brings bytes, and none of them brings the file nearer to its end."""
    never = {**rule, "path": "weights.bin", "times": NEVER}
    with fault_hub(tmp_path, FILES, HALF, never) as hub:
        with pytest.raises(HubUnreachable) as caught:
            fetch(hub, card_for(FILES), tmp_path / "to")
        assert hub.sent() < 8 * SIZE

    assert caught.value.reason == "broken off"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Range": f"bytes 0-{'9' * 5000}/{'9' * 5000}"},
        {"Content-Range": "bytes 0-²/³"},
        {"Content-Range": "bytes 0-1/2, bytes 3-4/5"},
    ],
    ids=["endless", "not ASCII", "two"],
)
def test_d12_a_range_that_is_none_is_no_bug_of_ours(
    headers: dict[str, str], tmp_path: Path
) -> None:
    rule = {"do": "status", "code": 206, "headers": headers, "path": "weights.bin", "times": NEVER}
    refused(tmp_path, rule, error=ModelWithdrawn)


@pytest.mark.parametrize(
    "date", ["Fri, 31 Dec 99999999999999999999 23:59:59 GMT", "Fri, 31 Dec 2030 23:59:59 +99999999"]
)
def test_d7_a_date_that_is_none_is_waited_for_like_garbage(date: str, tmp_path: Path) -> None:
    _, events = fetched(tmp_path, {"do": "status", "code": 429, "headers": {"Retry-After": date}})

    (wait,) = events.of(WaitingFor)
    assert wait.seconds == 0.3
