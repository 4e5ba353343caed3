"""Whom to ask for a newer Easel, and whose signature counts: ``resources/updates.json``.

A build without that file asks nobody. Standard library only: the window reads it.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Channel:
    """``address`` of the file, and the 32 bytes of the public ``key`` that it is signed with."""

    address: str
    key: bytes

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc


@dataclass(frozen=True, slots=True)
class Update:
    """A version that is newer than this one. ``sha256`` of the .dmg at ``url``, in hex."""

    version: str
    url: str
    sha256: str


class Why(StrEnum):
    NO_ANSWER = "no answer"
    DAMAGED = "damaged"
    NOT_SIGNED = "not signed"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Whether there is a newer version cannot be told: ``host`` was asked, and ``why``."""

    host: str
    why: Why


def channel(file: Path) -> Channel | None:
    """What ``file`` says; None where it is not there, or says nothing that can be used."""
    try:
        data = json.loads(file.read_bytes())
        key = base64.b64decode(data["key"], validate=True)
        found = Channel(str(data["address"]), key)
        if urlsplit(found.address).hostname is None or len(key) != 32:
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found
