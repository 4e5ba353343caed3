"""Looking for a newer Easel: whom it asks, what it believes, and that it asks nobody by itself."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from app.jobs.updates import Updates
from app.messages.program import describe_unknown
from app.weights.channel import Channel, Unknown, Update, Why, channel
from app.weights.events import Connected, Stopped
from app.weights.ledger import Ledger
from app.weights.updates import look, signed_bytes
from tests.weights.hubs import QUICK, Events, fault_hub

pytestmark = pytest.mark.loopback

ROOT = Path(__file__).resolve().parents[2]
NEWER = Update("9.1.0", "https://example.org/Easel-9.1.0-arm64.dmg", "a" * 64)


@pytest.fixture(scope="module")
def release() -> Any:
    """The script that signs, as the release step runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(ROOT / "packaging"), *sys.path])
        import make_update
    return make_update


SECRET = b"an example of 32 bytes, no more."


@pytest.fixture
def newest(release: Any, tmp_path: Path) -> Iterator[Any]:
    """Serves a file with these members, signed; the channel that leads to it."""
    with ExitStack() as stack:

        def serve(secret: bytes = SECRET, spoil: Any = None, **changes: Any) -> Channel:
            told = {"version": NEWER.version, "url": NEWER.url, "sha256": NEWER.sha256} | changes
            signature = base64.b64encode(release.sign(signed_bytes(told), secret)).decode()
            data = json.dumps(told | {"signature": signature}).encode()
            data = spoil(data) if spoil else data
            hub = stack.enter_context(fault_hub(tmp_path, {"newest.json": data}))
            address = f"{hub.endpoint}/easel/app/resolve/main/newest.json"
            return Channel(address, release.public_key(SECRET))

        yield serve


def ask(source: Channel, own: str = "0.1.0", events: Events | None = None) -> Any:
    events = events or Events()
    return look(source, own, events.report, events.stop.is_set, QUICK)


def test_a_newer_version_is_told(newest: Any) -> None:
    events = Events()

    assert ask(newest(), events=events) == NEWER
    connected = [event for event in events.all if isinstance(event, Connected)]
    assert [event.file for event in connected] == ["the newest version"]
    assert connected[0].received > 0


@pytest.mark.parametrize("own", ["9.1.0", "9.1", "9.2", "10.0.0", "9.1.0.1"])
def test_the_same_or_an_older_one_is_nothing(newest: Any, own: str) -> None:
    assert ask(newest(), own) is None


@pytest.mark.parametrize("own", ["0.1.0", "9.0.9", "9", "8.99.99"])
def test_versions_are_compared_as_numbers(newest: Any, own: str) -> None:
    assert ask(newest(), own) == NEWER


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"secret": b"somebody else's key, 32 bytes..."}, "not signed"),
        ({"spoil": lambda data: data.replace(b"9.1.0", b"9.9.0")}, "not signed"),
        ({"spoil": lambda data: data.replace(b"example.org", b"example.net")}, "not signed"),
        ({"spoil": lambda data: data[:-9]}, "damaged"),
        ({"spoil": lambda _data: b"[]"}, "damaged"),
        ({"spoil": lambda _data: b"x" * 70_000}, "damaged"),
        ({"url": "http://example.org/Easel.dmg"}, "damaged"),
        ({"url": "javascript:alert(1)"}, "damaged"),
        ({"version": "9.1-beta"}, "damaged"),
        ({"version": "9" * 5000}, "damaged"),
        ({"sha256": "zz"}, "damaged"),
        ({"sha256": None}, "damaged"),
    ],
)
def test_what_cannot_be_believed_is_not(newest: Any, changes: Any, reason: str) -> None:
    source = newest(**changes)

    assert ask(source) == Unknown(source.host, Why(reason))


def test_a_file_that_is_not_there_is_no_answer(newest: Any) -> None:
    source = newest()
    gone = Channel(source.address.replace("newest", "nothing"), source.key)

    assert ask(gone) == Unknown(source.host, Why.NO_ANSWER)


@pytest.mark.parametrize("why", Why)
def test_each_reason_has_words_and_a_next_step(why: Why) -> None:
    words = describe_unknown(Unknown("example.org", why))

    assert "example.org" in words.body
    assert words.next_step.endswith(".")


def test_it_may_be_stopped(newest: Any) -> None:
    events = Events()
    events.stop.set()

    assert isinstance(ask(newest(), events=events), Stopped)


def test_it_is_asked_in_the_child_and_written_down(newest: Any, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "connections.jsonl")
    source = newest()
    updates = Updates(source, ledger, "0.1.0", QUICK)
    assert ledger.connections() == ()

    assert updates.look(lambda: False) == NEWER

    (connection,) = ledger.connections()
    assert connection.host == source.host.partition(":")[0]
    assert connection.why == "a newer Easel: the newest version"
    assert connection.received > 0


# --- whom to ask ----------------------------------------------------------------------------


def test_a_channel_is_read(tmp_path: Path) -> None:
    file = tmp_path / "updates.json"
    key = base64.b64encode(b"k" * 32).decode()
    file.write_text(json.dumps({"address": "https://example.org/a.json", "key": key}), "utf-8")

    assert channel(file) == Channel("https://example.org/a.json", b"k" * 32)


@pytest.mark.parametrize(
    "told",
    [
        "",
        "[]",
        "{}",
        '{"address": "https://example.org", "key": "c2hvcnQ="}',
        '{"address": "nowhere", "key": "' + "A" * 43 + '="}',
        '{"address": "https://example.org", "key": "ü"}',
        '{"address": "https://example.org", "key": 7}',
    ],
)
def test_a_channel_that_cannot_be_used_asks_nobody(tmp_path: Path, told: str) -> None:
    file = tmp_path / "updates.json"
    file.write_text(told, "utf-8")

    assert channel(file) is None
    assert channel(tmp_path / "nothing.json") is None
