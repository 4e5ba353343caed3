"""Is this answer the file that was asked for? Decided on its head, before a byte is written."""

from __future__ import annotations

import datetime
import email.utils
import re

from app.core.card import CardFile, ModelCard
from app.core.errors import (
    AccessNeeded,
    DownloadError,
    HubBusy,
    HubUnreachable,
    LoginPage,
    ModelWithdrawn,
)
from app.weights.hub import Answer
from app.weights.patience import Patience
from app.weights.setback import Setback

WRONG_TRIES = 2
_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15}|\*)")
_GONE = {"RepoNotFound": "repository", "RevisionNotFound": "revision"}
_TRANSIENT = frozenset({408, 425, 500, 502, 503, 504, 509, 520, 521, 522, 523, 524, 529})


def first_byte(
    answer: Answer, card: ModelCard, file: CardFile, start: int, token: str, patience: Patience
) -> int:
    """Where in the file the bytes of ``answer`` begin: ``start``, or 0 where it sends the whole.

    Raises Setback where another try may do better, else a DownloadError.
    """
    if answer.status not in (200, 206):
        raise refusal(answer, card.repository, file.path, token, patience, gated=card.gated)
    if is_page(answer, file.path):
        raise LoginPage(answer.host)
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise _wrong(card, file)
    begin = start if answer.status == 206 else 0
    if answer.status == 206 and not _fits(answer, start, file.bytes):
        raise _wrong(card, file)
    length = answer.headers.get("content-length")
    if length is not None and length != str(file.bytes - begin):
        raise _wrong(card, file)
    return begin


def _wrong(card: ModelCard, file: CardFile) -> Setback:
    """Of another size than the card says: not the file that was pinned. Once may be an accident."""
    return Setback(ModelWithdrawn(card.repository, file.path), tries=WRONG_TRIES, from_zero=True)


def _fits(answer: Answer, start: int, size: int) -> bool:
    found = _RANGE.fullmatch(answer.headers.get("content-range", ""))
    if found is None:
        return False
    first, last, total = found.groups()
    return int(first) == start and int(last) == size - 1 and total in ("*", str(size))


def is_page(answer: Answer, path: str) -> bool:
    """Whether a web page came where ``path`` was asked for."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in ("text/html", "application/xhtml+xml") and not path.endswith(".html")


def refusal(
    answer: Answer, repository: str, what: str, token: str, patience: Patience, *, gated: bool
) -> Setback | DownloadError:
    """What an answer that is not 200 or 206 means, to be raised.

    ``what`` is the path of the file that was asked for, "repository" or "revision".
    """
    status, host, code = answer.status, answer.host, answer.headers.get("x-error-code", "")
    if status == 511:
        return LoginPage(host)
    if status == 407:
        return Setback(HubUnreachable(host, "proxy"), tries=WRONG_TRIES)
    if status == 416:
        return Setback(ModelWithdrawn(repository, what), tries=WRONG_TRIES, from_zero=True)
    if status in (401, 403) and answer.from_hub:
        return AccessNeeded(repository, _access(code, bool(token), gated))
    if status in (404, 410):
        return ModelWithdrawn(repository, _GONE.get(code, what))
    if status == 429 or (status in _TRANSIENT and "retry-after" in answer.headers):
        asked = _retry_after(answer, patience)
        busy = HubBusy(host, round(asked))
        return busy if asked > patience.longest_retry_s else Setback(busy, asked=asked)
    unreachable = HubUnreachable(host, f"HTTP {status}")
    if status in _TRANSIENT:
        return Setback(unreachable)
    # A signed address on another host may have run out between the redirect and the question.
    return unreachable if answer.from_hub else Setback(unreachable, tries=WRONG_TRIES)


def _access(code: str, token: bool, gated: bool) -> str:
    if code == "GatedRepo" or (gated and not token):
        return "gated"
    return "token refused" if token else "private"


def _retry_after(answer: Answer, patience: Patience) -> float:
    """Seconds, from a number or a date; ``vague_retry_s`` from anything else."""
    text = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+", text):
        return float(text[:9])
    try:
        until = email.utils.parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return patience.vague_retry_s
    if until.tzinfo is None:
        until = until.replace(tzinfo=datetime.UTC)
    return max(1.0, (until - datetime.datetime.now(datetime.UTC)).total_seconds())
