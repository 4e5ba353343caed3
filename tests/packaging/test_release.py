"""What a release leaves beside the .dmg: the signed word of a newer version, and a cask."""

from __future__ import annotations

import base64
import hashlib
import json
import stat
from pathlib import Path

import make_cask
import make_update
import pytest

from app.weights import channel, ed25519, updates

# RFC 8032, 7.1, TEST 2 and TEST 3: secret, public key, message, signature.
EXAMPLES = (
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)


@pytest.fixture
def dmg(tmp_path: Path) -> Path:
    file = tmp_path / "Easel-1.2.3-arm64.dmg"
    file.write_bytes(b"an image")
    return file


@pytest.mark.parametrize("example", EXAMPLES)
def test_it_signs_as_the_standard_does(example: tuple[str, ...]) -> None:
    secret, public, message, signature = (bytes.fromhex(text) for text in example)

    assert make_update.public_key(secret) == public
    assert make_update.sign(message, secret) == signature


def test_what_the_release_signs_the_program_believes(dmg: Path, tmp_path: Path) -> None:
    key, told = tmp_path / "key.txt", tmp_path / "updates.json"
    make_update.new_key(key, "https://example.org/newest.json", told)
    secret = base64.b64decode(key.read_text("ascii"))

    text = make_update.update(dmg, "https://example.org/Easel.dmg", "1.2.3", secret)

    source = channel.channel(told)
    assert source is not None
    assert source.address == "https://example.org/newest.json"
    newest = json.loads(text)
    assert newest["sha256"] == hashlib.sha256(b"an image").hexdigest()
    signature = base64.b64decode(newest["signature"])
    assert ed25519.is_signed(updates.signed_bytes(newest), signature, source.key)
    changed = newest | {"url": "https://example.net/Easel.dmg"}
    assert not ed25519.is_signed(updates.signed_bytes(changed), signature, source.key)


def test_the_secret_is_for_one_pair_of_eyes_and_never_written_over(tmp_path: Path) -> None:
    key = tmp_path / "key.txt"
    make_update.new_key(key, "https://example.org/x.json", tmp_path / "updates.json")

    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        make_update.new_key(key, "https://example.org/x.json", tmp_path / "updates.json")


@pytest.mark.parametrize("name", ["Easel-1.2.3-arm64-unsigned.dmg", "Easel-1.2.3-linux-test.dmg"])
def test_nobody_is_sent_to_an_image_that_is_not_signed(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(b"x")

    with pytest.raises(ValueError, match="is not signed"):
        make_update.update(file, "https://example.org/a.dmg", "1.2.3", b"k" * 32)
    with pytest.raises(ValueError, match="is no release"):
        make_cask.cask(file, "https://example.org")


def test_the_cask_names_the_file_its_hash_and_what_it_needs(dmg: Path) -> None:
    text = make_cask.cask(dmg, "https://example.org/o/easel/releases/download/v1.2.3/")

    for line in (
        'version "1.2.3"',
        f'sha256 "{hashlib.sha256(b"an image").hexdigest()}"',
        'url "https://example.org/o/easel/releases/download/v#{version}/Easel-#{version}-arm64.dmg"',
        'homepage "https://example.org/o/easel"',
        "depends_on arch: :arm64",
        'depends_on macos: ">= :sonoma"',
        'app "Easel.app"',
    ):
        assert f"  {line}\n" in text
    assert text.startswith('cask "easel" do\n')
    assert text.endswith("end\n")
    assert "Pictures" not in text  # what a person drew is never thrown away


@pytest.mark.parametrize("folder", ["http://example.org", 'https://example.org/"; evil'])
def test_an_address_that_is_none_is_refused(dmg: Path, folder: str) -> None:
    with pytest.raises(ValueError, match="https"):
        make_cask.cask(dmg, folder)
