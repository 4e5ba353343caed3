"""The access token: in the keychain, sent to the hub alone, and nowhere else."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeychain
from keyring.errors import KeyringLocked, PasswordDeleteError

from app.cli import main
from app.core.errors import KeychainUnavailable
from app.weights import token
from tests.jobs.shelves import easel_with_shelf, served_files
from tests.weights.hubs import fault_hub
from tests.weights.keychains import MemoryKeychain

SECRET = "hf_DoNotTellAnyone"


class LockedKeychain(MemoryKeychain):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(f"{service} {username}")

    set_password = get_password  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def keychain() -> Iterator[MemoryKeychain]:
    memory = MemoryKeychain()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(NoKeychain())


def real_keychain() -> KeyringBackend:
    from keyring.backends.macOS import Keyring

    return Keyring()


@pytest.mark.parametrize(
    "made",
    [
        MemoryKeychain,
        pytest.param(real_keychain, marks=pytest.mark.mac),
    ],
)
def test_a_keychain_keeps_replaces_and_forgets(made: type[KeyringBackend]) -> None:
    chain, place = made(), ("Easel tests", "127.0.0.1")
    assert chain.get_password(*place) is None
    chain.set_password(*place, "one")
    chain.set_password(*place, "two")
    assert chain.get_password(*place) == "two"
    chain.delete_password(*place)
    assert chain.get_password(*place) is None
    with pytest.raises(PasswordDeleteError):
        chain.delete_password(*place)


def test_a_token_belongs_to_its_host() -> None:
    token.store("huggingface.co", SECRET)
    assert token.read("huggingface.co") == SECRET
    assert token.read("mirror.example") == ""
    assert token.forget("huggingface.co")
    assert not token.forget("huggingface.co")


@pytest.mark.parametrize("text", ["", "two words", "a\r\nHost: b", "é", "x" * 513])
def test_what_no_header_takes_is_no_token(text: str, keychain: MemoryKeychain) -> None:
    with pytest.raises(ValueError, match="token"):
        token.store("huggingface.co", text)
    assert keychain.kept == {}


def test_no_keychain_and_a_locked_one_are_told() -> None:
    keyring.set_keyring(NoKeychain())
    assert token.read("huggingface.co") == ""
    with pytest.raises(KeychainUnavailable) as none:
        token.store("huggingface.co", SECRET)
    assert none.value.reason == "none"
    keyring.set_keyring(LockedKeychain())
    with pytest.raises(KeychainUnavailable) as locked:
        token.read("huggingface.co")
    assert locked.value.reason == "locked"
    assert SECRET not in repr(none.value) + repr(locked.value)


@pytest.mark.loopback
def test_a_gated_model_is_got_with_it_and_it_stays_secret(
    easel_home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = served_files(tmp_path / "tiny")
    about = {"gated": "auto", "cdn": True, "license": "creativeml-openrail-m"}
    with fault_hub(tmp_path, files | {".api.json": json.dumps(about).encode()}) as hub:
        easel = easel_with_shelf(easel_home, hub, files)

        def run(*argv: str) -> int:
            return main(("models", *argv), lambda: easel)

        # 1. Without it there is no way in
        assert run("add", "some/apples") == 1
        # 2. With it there is
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{SECRET}\n"))
        assert run("token") == 0
        assert run("add", "some/apples") == 0
        sha256 = easel.shelf.licence(easel.shelf.card("some-apples")).sha256
        assert run("get", "some-apples", "--accept-licence", sha256) == 0
        # 3. The hub heard it; the place where the bytes lie did not
        asked = hub.log()
        bearer = f"Bearer {SECRET}"
        assert {e["headers"].get("authorization") for e in asked[1:] if e["place"] == "hub"} == {
            bearer
        }
        cdn = [entry for entry in asked if entry["place"] == "cdn"]
        assert cdn
        assert not [entry for entry in cdn if SECRET in json.dumps(entry["headers"])]
        # 4. Nor did the screen or any file of Easel's
        printed = capsys.readouterr()
        assert SECRET not in printed.out + printed.err
        kept = [file for file in easel_home.rglob("*") if file.is_file()]
        assert kept
        assert not [file for file in kept if SECRET.encode() in file.read_bytes()]
        # 5. Forgotten
        assert run("token", "--forget") == 0
        assert run("add", "some/apples") == 1
