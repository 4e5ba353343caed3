"""Does each pin of the shelf still hold? Asks the hub for the head of every file, and no more."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.core.card import CardFile, ModelCard
from app.core.errors import AccessNeeded, ModelWithdrawn
from app.weights.events import Cancelled, Report, Stopped
from app.weights.hub import Answer, Hub, file_url
from app.weights.patience import Options
from app.weights.progress import Progress
from app.weights.question import Questions
from app.weights.setback import Stop

_SIZE = re.compile(r"[0-9]{1,15}")
_SHA256 = re.compile(r'\s*(?:W/)?"?([0-9a-f]{64})"?\s*')


class Pin(StrEnum):
    """What the hub says of a file; the last is no fault of the pin."""

    ANSWERS = "answers"
    GONE = "gone"
    OTHER_SIZE = "other size"
    OTHER_HASH = "other hash"
    NOT_TOLD = "not told"  # neither size nor hash, or only to those it knows


HOLDS = frozenset({Pin.ANSWERS, Pin.NOT_TOLD})


@dataclass(frozen=True, slots=True)
class Looked:
    """Reported for each file: what was found about ``path`` of the card ``id``."""

    id: str
    path: str
    found: Pin


def look_at_pins(
    card: ModelCard, report: Report, cancelled: Cancelled, options: Options
) -> tuple[Looked, ...] | Stopped:
    """What the hub says of each file of ``card`` but the shipped ones.

    Raises DownloadError when the hub itself cannot be asked.
    """
    progress = Progress(0, report, cancelled, options.patience.report_s)
    try:
        with contextlib.closing(Hub(options)) as hub:
            ask = Questions(card.repository, hub, options, progress)
            return tuple(
                Looked(card.id, file.path, _look(ask, card, file))
                for file in card.files
                if not file.shipped
            )
    except Stop:
        return Stopped(0, 0)


def _look(ask: Questions, card: ModelCard, file: CardFile) -> Pin:
    url = file_url(ask.options.endpoint, card, file)
    try:
        answer = ask.ask(url, file.path, 0, gated=card.gated, head_only=True).answer
    except ModelWithdrawn:
        return Pin.GONE
    except AccessNeeded as error:
        # The hub says "private" of what it does not have, too; no card of the shelf is private.
        return Pin.GONE if error.reason == "private" else Pin.NOT_TOLD
    return _compare(answer, file)


def _compare(answer: Answer, file: CardFile) -> Pin:
    """The hub's own word on the way counts before that of the place that the bytes come from."""
    heads = (*answer.passed, answer.headers)
    size = _SIZE.fullmatch(
        _first(heads, "x-linked-size") or answer.headers.get("content-length", "")
    )
    tag = _SHA256.fullmatch(_first(heads, "x-linked-etag") or answer.headers.get("etag", ""))
    if size is not None and int(size[0]) != file.bytes:
        return Pin.OTHER_SIZE
    if tag is not None and tag[1] != file.sha256:
        return Pin.OTHER_HASH
    return Pin.ANSWERS if size or tag else Pin.NOT_TOLD


def _first(heads: tuple[Mapping[str, str], ...], key: str) -> str:
    return next((head[key] for head in heads if key in head), "")
