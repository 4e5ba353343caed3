"""Signatures: the examples of RFC 8032, and everything that is none."""

from __future__ import annotations

import pytest

from app.weights import ed25519

# RFC 8032, 7.1: public key, message, signature.
EXAMPLES = {
    "TEST 1": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    "TEST 2": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "TEST 3": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    "TEST SHA(abc)": (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
}


def example(name: str) -> tuple[bytes, bytes, bytes]:
    key, message, signature = (bytes.fromhex(text) for text in EXAMPLES[name])
    return message, signature, key


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_standard_are_signed(name: str) -> None:
    assert ed25519.is_signed(*example(name))


@pytest.mark.parametrize("place", [0, 31, 32, 63])
def test_another_signature_is_none(place: int) -> None:
    message, signature, key = example("TEST 3")
    spoilt = bytearray(signature)
    spoilt[place] ^= 1

    assert not ed25519.is_signed(message, bytes(spoilt), key)


def test_another_message_or_key_is_not_signed() -> None:
    message, signature, key = example("TEST 3")

    assert not ed25519.is_signed(message + b"x", signature, key)
    assert not ed25519.is_signed(message, signature, example("TEST 2")[2])


def test_the_same_signature_in_another_spelling_is_none() -> None:
    """S + L is the same number modulo L; RFC 8032 refuses it, so that nobody can vary one."""
    message, signature, key = example("TEST 3")
    factor = int.from_bytes(signature[32:], "little") + ed25519.ORDER

    assert not ed25519.is_signed(message, signature[:32] + factor.to_bytes(32, "little"), key)


@pytest.mark.parametrize("length", [0, 31, 63, 65])
def test_what_is_too_short_or_too_long_is_none(length: int) -> None:
    message, signature, key = example("TEST 1")

    assert not ed25519.is_signed(message, (signature + b"x")[:length], key)
    assert not ed25519.is_signed(message, signature, (key * 3)[:length])


@pytest.mark.parametrize(
    "key",
    [
        b"\xff" * 32,  # y is not below p
        (2).to_bytes(32, "little"),  # no x for it
        (1 | 1 << 255).to_bytes(32, "little"),  # x is 0 and called odd
    ],
)
def test_what_is_no_point_is_no_key(key: bytes) -> None:
    message, signature, _ = example("TEST 1")

    assert ed25519.decode(key) is None
    assert not ed25519.is_signed(message, signature, key)


def test_a_point_survives_its_spelling() -> None:
    key = example("TEST 2")[2]
    point = ed25519.decode(key)

    assert point is not None
    assert ed25519.encode(point) == key
    assert ed25519.encode(ed25519.multiply(ed25519.BASE, ed25519.ORDER)) == (1).to_bytes(
        32, "little"
    )
