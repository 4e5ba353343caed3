"""The errors Easel knows, drawn as a tree.

    EaselError
    ├── RecipeProblem(field, value, allowed)        what was asked cannot be
    ├── WorldError                                  what the world did; nobody's bug
    │   ├── ModelError
    │   │   ├── ModelMissing(folder)                no such folder
    │   │   ├── ModelIncomplete(folder, missing)    a part of it is not there
    │   │   ├── ModelDamaged(file, reason)          a file is not what it says it is
    │   │   └── ModelUnsupported(folder, found)     whole, but not a family Easel draws with
    │   ├── DownloadError
    │   │   ├── HubUnreachable(host, reason)        no answer, or a broken one, too often
    │   │   ├── HubBusy(host, retry_after)          it asked us to come back later
    │   │   ├── HubSilent(host, seconds)            it took the question and said nothing
    │   │   ├── LoginPage(host)                     the network wants a log-in first
    │   │   ├── CertificateProblem(host, reason)    somebody may be listening in
    │   │   ├── UnsafeRedirect(host, target)        away from https, or in circles
    │   │   ├── ModelWithdrawn(repository, what)    404: repository, revision or file
    │   │   ├── AccessNeeded(repository, reason)    gated or private; a token is needed
    │   │   └── ChecksumMismatch(file, expected, found)
    │   ├── LicenceNotAccepted(licence, sha256)
    │   ├── KeychainUnavailable(reason)             nowhere safe to keep an access token
    │   ├── CardProblem(card, reason)               a catalogue file or manifest that cannot be used
    │   ├── ImportRefused(file, reason)             a file from elsewhere that Easel will not open
    │   ├── ModelInUse(model, what)                 something else is happening to it
    │   ├── PictureUnreadable(file, reason)         a starting picture or mask
    │   ├── OutOfMemory(needed, free)
    │   ├── EngineDied(exit_code)                   the child process ended by itself
    │   ├── EngineUnresponsive(seconds)             it did not start, or did not stop, in time
    │   ├── PlacementUnavailable(placement, reason)
    │   ├── PredictionFailed(part, reason)          Core ML did not answer, or not in its shape
    │   ├── ConversionRefused(model, reason)        a model that cannot become a Core ML one
    │   ├── BadResult                               numbers came out that are not a picture
    │   │   ├── NotFinite(stage)                    NaN or infinity
    │   │   ├── OffScale(spread)                    numbers, but not those of any picture
    │   │   ├── BlackResult
    │   │   └── FlatResult(colour)
    │   ├── FolderNotWritable(folder, reason)
    │   ├── ModelsFolderGone(folder)                a disk with models that is not plugged in
    │   ├── NoSpace(folder, needed, free)
    │   ├── SettingsDamaged(file, kept_as)
    │   ├── SettingsTooNew(file, version)
    │   ├── TemplateProblem(template, reason)       no way to name pictures
    │   ├── LibraryDamaged(what, file, kept_as)     the index (made again) or the marks
    │   ├── IndexTooNew(file, version)              a newer Easel's
    │   ├── AlreadyRunning(pid)
    │   └── ProgramIncomplete(missing)              parts of the program are not installed
    └── Bug(traceback)                              everything else: ours

They carry data and no English: ``app/messages`` has the words. Each survives pickling: most are
raised in a child process. Being cancelled is an event (``core.events.Cancelled``), not an error.
"""

from __future__ import annotations

import traceback as _traceback
from dataclasses import dataclass


class EaselError(Exception):
    """The root. Every leaf is a dataclass, so that it compares, prints and pickles by its data."""

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), tuple(self.__dict__[name] for name in self._fields())

    def __str__(self) -> str:
        fields = (f"{name}={self.__dict__[name]!r}" for name in self._fields())
        return f"{type(self).__name__}({', '.join(fields)})"

    def _fields(self) -> tuple[str, ...]:
        return tuple(getattr(self, "__dataclass_fields__", {}))


@dataclass(unsafe_hash=True, repr=False)
class RecipeProblem(EaselError):
    """``field`` is a name of ``core.recipe.Draft``; ``value`` what was asked, as text of at most 80
    characters; ``allowed`` what would do: a range ("1 to 150"), names joined by ", ", or one of the
    words of ``app/messages``: "text", "readable picture", "same size as the start"."""

    field: str
    value: str
    allowed: str


class WorldError(EaselError):
    """What the world did: a full disk, a missing folder, a machine out of memory."""


class ModelError(WorldError):
    """A model cannot be used as it lies on disk."""


@dataclass(unsafe_hash=True, repr=False)
class ModelMissing(ModelError):
    folder: str


@dataclass(unsafe_hash=True, repr=False)
class ModelIncomplete(ModelError):
    folder: str
    missing: tuple[str, ...]


@dataclass(unsafe_hash=True, repr=False)
class ModelDamaged(ModelError):
    """``reason``: "not safetensors" ("Core ML", "JSON"), "truncated", "not finite", "mismatch"."""

    file: str
    reason: str


@dataclass(unsafe_hash=True, repr=False)
class ModelUnsupported(ModelError):
    folder: str
    found: str


class DownloadError(WorldError):
    """A download did not come to its end; what was downloaded is kept, and can be gone on with."""


@dataclass(unsafe_hash=True, repr=False)
class HubUnreachable(DownloadError):
    """``reason``: "no connection", "name not found", "proxy", "broken off", "too slow", status."""

    host: str
    reason: str


@dataclass(unsafe_hash=True, repr=False)
class HubBusy(DownloadError):
    """``retry_after`` in seconds: longer than anyone wants to wait with a window open."""

    host: str
    retry_after: int


@dataclass(unsafe_hash=True, repr=False)
class HubSilent(DownloadError):
    host: str
    seconds: float


@dataclass(unsafe_hash=True, repr=False)
class LoginPage(DownloadError):
    """A web page came where a file was asked for: a hotel's or an airport's log-in."""

    host: str


@dataclass(unsafe_hash=True, repr=False)
class CertificateProblem(DownloadError):
    """``reason`` is "self-signed", "expired", "another name" or what the library says."""

    host: str
    reason: str


@dataclass(unsafe_hash=True, repr=False)
class UnsafeRedirect(DownloadError):
    """``target`` is the scheme and host that it led to, or "too many"."""

    host: str
    target: str


@dataclass(unsafe_hash=True, repr=False)
class ModelWithdrawn(DownloadError):
    """``what`` is "repository", "revision" or the path of the file."""

    repository: str
    what: str


@dataclass(unsafe_hash=True, repr=False)
class AccessNeeded(DownloadError):
    """``reason`` is "gated", "private" or "token refused"."""

    repository: str
    reason: str


@dataclass(unsafe_hash=True, repr=False)
class ChecksumMismatch(DownloadError):
    """Hex digests; ``found`` is the second attempt's."""

    file: str
    expected: str
    found: str


@dataclass(unsafe_hash=True, repr=False)
class LicenceNotAccepted(WorldError):
    """The licence's id and the SHA-256 of the text that has to be accepted."""

    licence: str
    sha256: str


@dataclass(unsafe_hash=True, repr=False)
class KeychainUnavailable(WorldError):
    """``reason`` is "none" or "locked"."""

    reason: str


@dataclass(unsafe_hash=True, repr=False)
class CardProblem(WorldError):
    """``card`` is a catalogue id, a file's name or "org/name"; ``reason`` is in words."""

    card: str
    reason: str


@dataclass(unsafe_hash=True, repr=False)
class ImportRefused(WorldError):
    """``reason`` is one of the words of ``app/messages``: see there."""

    file: str
    reason: str


@dataclass(unsafe_hash=True, repr=False)
class ModelInUse(WorldError):
    """``what``: "downloading", "importing", "drawing", "being checked", "moved" or "converted"."""

    model: str
    what: str


@dataclass(unsafe_hash=True, repr=False)
class PictureUnreadable(WorldError):
    """``file`` is empty for a picture that was pasted.

    ``reason`` is "missing", "permission", "not a picture", "too large", "damaged" or "no recipe".
    """

    file: str
    reason: str


@dataclass(unsafe_hash=True, repr=False)
class OutOfMemory(WorldError):
    """``needed`` and ``free`` in bytes; 0 where the system did not say."""

    needed: int = 0
    free: int = 0


@dataclass(unsafe_hash=True, repr=False)
class EngineDied(WorldError):
    """``exit_code`` as multiprocessing gives it: negative is the signal that ended it."""

    exit_code: int


@dataclass(unsafe_hash=True, repr=False)
class EngineUnresponsive(WorldError):
    seconds: float


@dataclass(unsafe_hash=True, repr=False)
class PlacementUnavailable(WorldError):
    placement: str
    reason: str


@dataclass(unsafe_hash=True, repr=False)
class PredictionFailed(WorldError):
    """``part`` is a ``core.coreml_manifest.Part``; ``reason`` is "input", "output", "compile",
    "hang", "crash", "answer" (golden self-test) or what Core ML said."""

    part: str
    reason: str


@dataclass(unsafe_hash=True, repr=False)
class ConversionRefused(WorldError):
    """``model`` is its title. ``reason`` is one of the words of ``app/messages``: see there."""

    model: str
    reason: str


class BadResult(WorldError):
    """The networks ran and what came out is not a picture. Another placement may do better."""


@dataclass(unsafe_hash=True, repr=False)
class NotFinite(BadResult):
    """``stage`` is "prompt", "denoising" or "decoding"."""

    stage: str


@dataclass(unsafe_hash=True, repr=False)
class OffScale(BadResult):
    """``spread`` is the standard deviation of the latents, which is about one in a picture."""

    spread: float


@dataclass(unsafe_hash=True, repr=False)
class BlackResult(BadResult):
    pass


@dataclass(unsafe_hash=True, repr=False)
class FlatResult(BadResult):
    """``colour`` as "#rrggbb": the one colour of the whole picture."""

    colour: str


@dataclass(unsafe_hash=True, repr=False)
class FolderNotWritable(WorldError):
    """``reason``: "permission", "read-only", "not a folder", "a folder is in the way", "name too
    long", "name not allowed", "gone", or what the system said."""

    folder: str
    reason: str


@dataclass(unsafe_hash=True, repr=False)
class ModelsFolderGone(WorldError):
    """Where the person keeps models there is nothing: most often a disk that is not plugged in."""

    folder: str


@dataclass(unsafe_hash=True, repr=False)
class NoSpace(WorldError):
    """Sizes in bytes."""

    folder: str
    needed: int
    free: int


@dataclass(unsafe_hash=True, repr=False)
class SettingsDamaged(WorldError):
    """``kept_as`` is where the unreadable file was put aside; "" where that was refused."""

    file: str
    kept_as: str


@dataclass(unsafe_hash=True, repr=False)
class SettingsTooNew(WorldError):
    """A newer Easel wrote them; they stay as they are. ``version`` is their schema's."""

    file: str
    version: int


@dataclass(unsafe_hash=True, repr=False)
class TemplateProblem(WorldError):
    """``reason`` is one of the words of ``app/messages``: see there."""

    template: str
    reason: str


@dataclass(unsafe_hash=True, repr=False)
class LibraryDamaged(WorldError):
    """``what`` is "index" or "marks" (favourites and tags); ``kept_as`` as above."""

    what: str
    file: str
    kept_as: str


@dataclass(unsafe_hash=True, repr=False)
class IndexTooNew(WorldError):
    file: str
    version: int


@dataclass(unsafe_hash=True, repr=False)
class AlreadyRunning(WorldError):
    pid: int


@dataclass(unsafe_hash=True, repr=False)
class ProgramIncomplete(WorldError):
    """``missing`` names the classes of the drawing libraries that are not really there."""

    missing: tuple[str, ...]


@dataclass(unsafe_hash=True, repr=False)
class Bug(EaselError):
    """An exception nobody expected, with its traceback as text."""

    traceback: str

    @classmethod
    def of(cls, error: BaseException) -> Bug:
        """The bug that ``error`` is evidence of."""
        return cls("".join(_traceback.format_exception(error)))
