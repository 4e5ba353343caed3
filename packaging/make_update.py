"""Signs the file that "Check for Updates" asks for, and makes the key that signs it.

    python packaging/make_update.py --new-key KEY.txt https://example.org/easel/newest.json
    python packaging/make_update.py KEY.txt Easel-1.2.3-arm64.dmg https://example.org/Easel.dmg

The first, once: KEY.txt is the secret (keep it off the repository), and resources/updates.json,
which goes into every build from then on, says where to ask and whose signature counts. The second,
at each release: prints the file to put at that address. Ed25519, RFC 8032.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import secrets
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT)]

import info_plist  # noqa: E402

from app.weights import ed25519, updates  # noqa: E402

CHANNEL = ROOT / "resources" / "updates.json"
UNSIGNED = ("-unsigned.dmg", "-linux-test.dmg")


def public_key(secret: bytes) -> bytes:
    """The 32 bytes that belong to the 32 of ``secret``."""
    factor, _ = _expanded(secret)
    return ed25519.encode(ed25519.multiply(ed25519.BASE, factor))


def sign(message: bytes, secret: bytes) -> bytes:
    """The signature, 64 bytes (RFC 8032, 5.1.6)."""
    factor, prefix = _expanded(secret)
    number = ed25519.scalar(prefix + message)
    nonce = ed25519.encode(ed25519.multiply(ed25519.BASE, number))
    challenge = ed25519.scalar(nonce + public_key(secret) + message)
    return nonce + ((number + challenge * factor) % ed25519.ORDER).to_bytes(32, "little")


def _expanded(secret: bytes) -> tuple[int, bytes]:
    digest = hashlib.sha512(secret).digest()
    factor = int.from_bytes(digest[:32], "little")
    return factor & (1 << 254) - 8 | 1 << 254, digest[32:]


def new_key(file: Path, address: str, channel: Path = CHANNEL) -> None:
    """Write the secret to ``file``, which must not be there, and ``channel`` for it."""
    secret = secrets.token_bytes(32)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as written:
        written.write(base64.b64encode(secret).decode() + "\n")
    told = {"address": address, "key": base64.b64encode(public_key(secret)).decode()}
    channel.write_text(json.dumps(told, indent=2) + "\n", "utf-8")


def update(dmg: Path, url: str, version: str, secret: bytes) -> str:
    """The file's text. Raises ValueError for an image that nobody should be sent to."""
    if dmg.name.endswith(UNSIGNED):
        raise ValueError(f"{dmg.name} is not signed by a developer that Apple knows")
    if not url.startswith("https://"):
        raise ValueError(f"{url} is no address with https")
    told = {
        "version": version,
        "url": url,
        "sha256": hashlib.sha256(dmg.read_bytes()).hexdigest(),
    }
    signature = sign(updates.signed_bytes(told), secret)
    return json.dumps(told | {"signature": base64.b64encode(signature).decode()}, indent=2) + "\n"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--new-key", action="store_true")
    parser.add_argument("key", type=Path)
    parser.add_argument("dmg", nargs="?")
    parser.add_argument("url")
    asked = parser.parse_args(arguments)
    if asked.new_key:
        new_key(asked.key, asked.url)
        return 0
    if asked.dmg is None:
        parser.error("which .dmg?")
    secret = base64.b64decode(asked.key.read_text("ascii"))
    try:
        print(update(Path(asked.dmg), asked.url, info_plist.version(ROOT), secret), end="")
    except ValueError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
