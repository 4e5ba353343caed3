"""Is there a newer Easel? One small signed file says it, and it is asked for only when someone is.

The file is JSON: ``version``, ``url`` of the .dmg, its ``sha256``, and ``signature``, Ed25519 over
the other members. Whom to ask is in ``weights.channel``.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from app.core.errors import CardProblem, DownloadError
from app.weights.channel import Channel, Unknown, Update, Why
from app.weights.ed25519 import is_signed
from app.weights.events import Cancelled, Report, Stopped
from app.weights.hub import Hub
from app.weights.patience import Options, Patience
from app.weights.progress import Progress
from app.weights.question import Questions
from app.weights.setback import Stop

MOST = 64 * 1024
"""Bytes of the file."""
_PURPOSE = b"Easel update 1\n"
"""So that a signature made for something else is none here."""
_VERSION = re.compile(r"\d{1,6}(\.\d{1,6}){0,3}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def signed_bytes(told: Mapping[str, object]) -> bytes:
    """What is signed of the file: every member but the signature, in one spelling."""
    members = {name: value for name, value in told.items() if name != "signature"}
    return _PURPOSE + json.dumps(members, sort_keys=True, separators=(",", ":")).encode("ascii")


def look(
    source: Channel, own: str, report: Report, cancelled: Cancelled, patience: Patience
) -> Update | Unknown | Stopped | None:
    """The version at ``source`` where it is newer than ``own``, else None. Raises nothing."""
    parts = urlsplit(source.address)
    options = Options(f"{parts.scheme}://{parts.netloc}", patience=patience)
    progress = Progress(0, report, cancelled, patience.report_s)
    try:
        with contextlib.closing(Hub(options)) as hub:
            ask = Questions(source.host, hub, options, progress)
            data = ask.ask(source.address, "the newest version", MOST).data
    except Stop:
        return Stopped(0, 0)
    except CardProblem:  # it is longer than it can be
        return Unknown(source.host, Why.DAMAGED)
    except DownloadError:
        return Unknown(source.host, Why.NO_ANSWER)
    found = _read(source, data)
    if isinstance(found, Update) and _numbers(found.version) <= _numbers(own):
        return None
    return found


def _read(source: Channel, data: bytes) -> Update | Unknown:
    """What was answered, where it is signed; the signature is looked at before anything else."""
    try:
        told = json.loads(data)
        signature = base64.b64decode(told["signature"], validate=True)
        signed = signed_bytes(told)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Unknown(source.host, Why.DAMAGED)
    if not is_signed(signed, signature, source.key):
        return Unknown(source.host, Why.NOT_SIGNED)
    found = Update(*(str(told.get(name, "")) for name in ("version", "url", "sha256")))
    sound = _VERSION.fullmatch(found.version) and _SHA256.fullmatch(found.sha256)
    if not sound or urlsplit(found.url).scheme != "https":
        return Unknown(source.host, Why.DAMAGED)
    return found


def _numbers(version: str) -> tuple[int, ...]:
    """1.2.0 and 1.2 are one version."""
    numbers = [int(part) for part in version.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
