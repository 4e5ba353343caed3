"""Who is asked, with what, and who is believed: rows D20 to D24 and D34 of the fault matrix."""

from __future__ import annotations

import dataclasses
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import (
    AccessNeeded,
    CertificateProblem,
    HubUnreachable,
    ModelWithdrawn,
    UnsafeRedirect,
)
from app.weights.events import Connected, Connecting, Stopped, Transferring
from app.weights.patience import Options
from app.weights.transfer import transfer
from tests.weights.hubs import (
    KB,
    NEVER,
    QUICK,
    Events,
    FaultHub,
    assert_whole,
    card_for,
    content,
    fault_hub,
    fetch,
)

pytestmark = pytest.mark.loopback
FILES = {"weights.bin": content(200 * KB)}
TO_CDN = {"do": "redirect", "to": "CDN/cdn/PATH", "path": "resolve/main/weights.bin"}


def status(code: int, **headers: str) -> dict[str, Any]:
    return {"do": "status", "code": code, "headers": headers, "times": NEVER}


@pytest.mark.parametrize(
    ("code", "said", "token", "gated", "reason"),
    [
        (401, "GatedRepo", "", False, "gated"),
        (403, "GatedRepo", "hf_x", True, "gated"),
        (401, "", "hf_x", True, "token refused"),
        (403, "", "hf_x", False, "token refused"),
        (401, "", "", True, "gated"),
        (401, "RepoNotFound", "", False, "private"),
    ],
)
def test_d20_a_door_that_is_closed_is_knocked_on_once(
    code: int, said: str, token: str, gated: bool, reason: str, tmp_path: Path
) -> None:
    with fault_hub(tmp_path, FILES, status(code, **{"X-Error-Code": said})) as hub:
        with pytest.raises(AccessNeeded) as caught:
            fetch(hub, card_for(FILES, gated=gated), tmp_path / "to", token=token)
        assert len(hub.log(least=1)) == 1

    assert caught.value == AccessNeeded("easel/tiny", reason)


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("RepoNotFound", "repository"),
        ("RevisionNotFound", "revision"),
        ("EntryNotFound", "weights.bin"),
        ("", "weights.bin"),
    ],
)
def test_d21_what_is_gone_is_named(said: str, what: str, tmp_path: Path) -> None:
    with fault_hub(tmp_path, FILES, status(404, **{"X-Error-Code": said})) as hub:
        with pytest.raises(ModelWithdrawn) as caught:
            fetch(hub, card_for(FILES), tmp_path / "to")
        assert len(hub.log(least=1)) == 1

    assert caught.value == ModelWithdrawn("easel/tiny", what)


def test_d23_the_file_may_lie_on_another_host(tmp_path: Path) -> None:
    events = Events()
    with fault_hub(tmp_path, FILES, {**TO_CDN, "times": NEVER}, {"do": "cut", "after": KB}) as hub:
        fetch(hub, card_for(FILES), tmp_path / "to", events=events)
        places = [(entry["place"], entry["headers"].get("range")) for entry in hub.log(least=4)]

    assert places == [
        ("hub", None),
        ("cdn", None),
        ("hub", "bytes=1024-"),
        ("cdn", "bytes=1024-"),
    ]
    assert len(events.of(Connected)) == 4


@pytest.mark.parametrize(
    "to",
    [
        "http://192.0.2.1/weights.bin",
        "ftp://127.0.0.1/weights.bin",
        "file:///etc/passwd",
        "//[",
        "",
    ],
)
def test_d23_a_redirect_to_no_safe_place_is_refused(to: str, tmp_path: Path) -> None:
    began = time.monotonic()
    rule = {"do": "redirect", "to": to, "times": NEVER}
    with fault_hub(tmp_path, FILES, rule) as hub, pytest.raises(UnsafeRedirect):
        fetch(hub, card_for(FILES), tmp_path / "to")

    assert time.monotonic() - began < 2


def test_d23_a_redirect_in_circles_is_refused(tmp_path: Path) -> None:
    rule = {"do": "redirect", "to": "PATH", "times": NEVER}
    with fault_hub(tmp_path, FILES, rule) as hub:
        with pytest.raises(UnsafeRedirect) as caught:
            fetch(hub, card_for(FILES), tmp_path / "to")
        assert len(hub.log(least=6)) == 1 + QUICK.redirects

    assert caught.value.target == "too many"


def test_d23_no_hub_without_encryption_but_on_this_machine(tmp_path: Path) -> None:
    options = Options("http://hub.example", "hf_secret", QUICK)
    with pytest.raises(UnsafeRedirect):
        transfer(card_for(FILES), tmp_path, Events().report, lambda: False, options)


def test_d24_the_token_stays_with_the_hub(tmp_path: Path) -> None:
    with fault_hub(tmp_path, FILES, TO_CDN) as hub:
        fetch(hub, card_for(FILES), tmp_path / "to", token="hf_secret")
        sent = {entry["place"]: entry["headers"].get("authorization") for entry in hub.log(least=2)}

    assert sent == {"hub": "Bearer hf_secret", "cdn": None}
    assert_whole(tmp_path / "to", FILES)
    assert "hf_secret" not in repr(Options("https://hub", "hf_secret"))


def test_d24_no_token_of_the_machine_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_somebody")
    with fault_hub(tmp_path, FILES) as hub:
        fetch(hub, card_for(FILES), tmp_path / "to")
        (entry,) = hub.log(least=1)

    assert "authorization" not in entry["headers"]
    assert entry["headers"]["user-agent"].startswith("Easel/")
    assert "hf_of_somebody" not in str(entry)


# --- encryption -----------------------------------------------------------------------------


AUTHORITY = """
[ca]
default_ca = own
[own]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
[names]
subjectAltName = {name}
basicConstraints = CA:true
"""
LONG_AGO = ("-startdate", "20200101000000Z", "-enddate", "20210101000000Z")


def certificate(folder: Path, name: str, *dates: str) -> tuple[Path, Path]:
    """A certificate for ``name`` that it signed itself, and its key."""
    made, key, asked = folder / "certificate.pem", folder / "key.pem", folder / "asked.pem"
    settings = folder / "openssl.cnf"
    settings.write_text(AUTHORITY.format(folder=folder, name=name), "utf-8")
    (folder / "index.txt").touch()
    sign = ["ca", "-selfsign", "-batch", "-notext", "-config", str(settings)]
    sign += ["-extensions", "names", "-keyfile", str(key), "-in", str(asked), "-out", str(made)]
    ask = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    ask += ["-subj", "/CN=hub", "-keyout", str(key), "-out", str(asked)]
    for command in (ask, [*sign, *(dates or ("-days", "2"))]):
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    return made, key


@pytest.mark.parametrize(
    ("name", "dates", "trusted", "reason"),
    [
        ("IP:127.0.0.1", (), False, "self-signed"),
        ("IP:127.0.0.1", LONG_AGO, True, "expired"),
        ("DNS:other.example", (), True, "another name"),
    ],
)
def test_d22_a_certificate_that_proves_nothing_is_named(
    name: str, dates: Any, trusted: bool, reason: str, tmp_path: Path, monkeypatch: Any
) -> None:
    tls = certificate(tmp_path, name, *dates)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tls[0]))
    began = time.monotonic()
    with fault_hub(tmp_path, FILES, tls=tls) as hub:
        with pytest.raises(CertificateProblem) as caught:
            fetch(hub, card_for(FILES), tmp_path / "to")
        assert {entry["do"] for entry in hub.log(least=1)} == {"tls refused"}

    assert caught.value == CertificateProblem("127.0.0.1", reason)
    assert time.monotonic() - began < 5


@pytest.fixture
def safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A certificate that is trusted in this test."""
    tls = certificate(tmp_path, "IP:127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(tls[0]))
    return tls


def test_d22_through_encryption_it_resumes_like_without(safe: Any, tmp_path: Path) -> None:
    rules = ({**TO_CDN, "times": NEVER}, {"do": "cut", "after": 100 * KB})
    with fault_hub(tmp_path, FILES, *rules, tls=safe) as hub:
        fetch(hub, card_for(FILES), tmp_path / "to")
        assert sum(entry["sent"] for entry in hub.log(least=4)) == 200 * KB

    assert_whole(tmp_path / "to", FILES)


def test_d23_from_encryption_there_is_no_way_down(safe: Any, tmp_path: Path) -> None:
    with fault_hub(tmp_path, FILES) as open_one:
        down = {"do": "redirect", "to": f"{open_one.endpoint}/cdn/weights.bin"}
        with fault_hub(tmp_path, FILES, down, tls=safe) as hub, pytest.raises(UnsafeRedirect):
            fetch(hub, card_for(FILES), tmp_path / "to")
        assert open_one.log() == []


# --- proxies --------------------------------------------------------------------------------


def test_d34_a_proxy_is_gone_through(
    safe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fault_hub(tmp_path, {}) as proxy, fault_hub(tmp_path, FILES, tls=safe) as hub:
        monkeypatch.setenv("HTTPS_PROXY", proxy.endpoint)
        fetch(hub, card_for(FILES), tmp_path / "to")
        assert [entry["path"] for entry in proxy.log(least=1)] == [hub.endpoint[8:]]

    assert_whole(tmp_path / "to", FILES)


@pytest.mark.usefixtures("safe")
@pytest.mark.parametrize("dead", ["refuses", "says no"])
def test_d34_a_proxy_in_the_way_is_named(
    dead: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = FaultHub("https://127.0.0.1:9", "", None, tmp_path)  # type: ignore[arg-type]
    with fault_hub(tmp_path, {}) as proxy:
        address = proxy.endpoint if dead == "says no" else "http://127.0.0.1:1"
        monkeypatch.setenv("HTTPS_PROXY", address)
        with pytest.raises(HubUnreachable) as caught:
            fetch(hub, card_for(FILES), tmp_path / "to")

    assert caught.value == HubUnreachable("127.0.0.1", "proxy")


def test_d34_a_cancel_ends_what_goes_through_a_proxy(
    safe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only our waiting for it: the hub sees the connection end."""
    events = Events(until=lambda event: isinstance(event, Transferring))
    stall = {"do": "stall", "after": 64 * KB, "times": NEVER}
    patience = dataclasses.replace(QUICK, stall_s=60.0)
    with fault_hub(tmp_path, {}) as proxy, fault_hub(tmp_path, FILES, stall, tls=safe) as hub:
        monkeypatch.setenv("HTTPS_PROXY", proxy.endpoint)
        ending = fetch(hub, card_for(FILES), tmp_path / "to", patience=patience, events=events)
        assert [entry["sent"] for entry in hub.log(least=1)] == [64 * KB]

    assert isinstance(ending, Stopped)


@pytest.mark.parametrize("endpoint", ["https://hub.example:99999", "https://[", "hub.example"])
def test_a_mirror_that_is_no_address_is_told(endpoint: str, tmp_path: Path) -> None:
    options = Options(endpoint, "", QUICK)
    with pytest.raises(UnsafeRedirect):
        transfer(card_for(FILES), tmp_path / "to", Events().report, lambda: False, options)


def test_every_host_is_told_of_before_it_is_done_with(tmp_path: Path) -> None:
    """Also what breaks off, and what nobody answers."""
    events = Events()
    rules = ({**TO_CDN, "times": NEVER}, {"do": "cut", "after": KB})
    with fault_hub(tmp_path, FILES, *rules) as hub:
        fetch(hub, card_for(FILES), tmp_path / "to", events=events)
    gone = FaultHub("http://127.0.0.1:1", "", None, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(HubUnreachable):
        fetch(gone, card_for(FILES), tmp_path / "other", events=events)

    told = [event for event in events.all if isinstance(event, Connecting | Connected)]
    assert len(events.of(Connecting)) == len(events.of(Connected)) == 4 + QUICK.tries
    assert isinstance(told[0], Connecting)
    assert sum(event.received for event in events.of(Connected)) == 200 * KB
