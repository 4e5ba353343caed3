"""Models that can be installed, the licences they come under, and the proof that one is whole.

A ``ModelCard`` is one file of ``models/catalog``, or what the hub was asked about a repository
that a person named. A ``Receipt`` is written last into the folder of an installed model: a folder
without one is not a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.core.model import Family


class Kind(StrEnum):
    """What lies in an installed folder."""

    DIFFUSERS = "diffusers"  # a folder with a model_index.json: draws by itself
    CHECKPOINT = "checkpoint"  # one file with everything in it; converted to DIFFUSERS once
    COREML = "coreml"  # compiled Core ML models of one checkpoint
    LORA = "lora"  # changes a model of its family
    EMBEDDING = "embedding"  # adds a word to a model of its family
    VAE = "vae"  # takes the place of a model's own autoencoder
    PREVIEWER = "previewer"  # a tiny autoencoder for previews (TAESD)


@dataclass(frozen=True, slots=True)
class CardFile:
    """One file of a model. ``path`` is relative, with "/", and stays inside the folder.

    ``sha256`` is 64 lower-case hex digits. ``shipped`` files come with Easel (configs and
    tokenizers below ``resources``) and are copied, not downloaded.
    """

    path: str
    bytes: int
    sha256: str
    shipped: bool = False


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence as it is shown: ``text`` verbatim, ``restrictions`` the part of it set apart.

    ``sha256`` is of ``text`` in UTF-8: acceptance is kept by it. ``origin`` says where the text was
    taken from. ``restrictions`` is empty where a licence has no use restrictions.
    """

    id: str
    title: str
    text: str
    sha256: str
    restrictions: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """That the person accepted the text of that SHA-256, when (ISO 8601, UTC)."""

    licence: str
    sha256: str
    when: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What can be installed.

    ``repository`` and ``revision`` (a commit, or "main" where bytes and hash are pinned) are the
    hub's; ``subfolder`` is the place inside the repository that ``files`` are relative to, "" for
    its root. ``licence`` is the id of a ``Licence``. ``memory`` is what drawing takes and ``disk``
    what the installed folder takes, in bytes. ``needs`` names the card ids of models it changes or
    works with. ``unpack`` is true where the one file is a zip whose content is the model.
    ``withheld`` is empty for a card on the shelf; else why it is not there yet.
    """

    id: str
    title: str
    summary: str
    kind: Kind
    family: Family
    repository: str
    revision: str
    licence: str
    files: tuple[CardFile, ...]
    memory: int
    disk: int
    needs: tuple[str, ...] = ()
    subfolder: str = ""
    unpack: bool = False
    withheld: str = ""
    gated: bool = False

    @property
    def download_bytes(self) -> int:
        """What crosses the network when nothing is there yet."""
        return sum(file.bytes for file in self.files if not file.shipped)


class Origin(StrEnum):
    """How a model came here."""

    HUB = "hub"
    FILE = "file"
    PACK = "pack"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Written last into an installed folder; the folder's files are ``files``, no more, no less.

    ``installed`` is when (ISO 8601, UTC); ``acceptance`` None where no licence was asked for (a
    person's own file). ``source`` is "org/name@revision" of the hub, or the name of the file.
    """

    id: str
    title: str
    kind: Kind
    family: Family
    origin: Origin
    source: str
    files: tuple[CardFile, ...]
    installed: str
    acceptance: Acceptance | None = None
    memory: int = 0
    needs: tuple[str, ...] = ()

    @property
    def disk(self) -> int:
        """Bytes of its files."""
        return sum(file.bytes for file in self.files)
