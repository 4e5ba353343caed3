"""Where things live. Values only: the composition root fills them in (``app.places``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folders:
    """Absolute folders; none need exist yet.

    ``shipped`` holds ``resources`` and ``models`` as they came with the program. ``models`` is
    where the person wants installed models, None for the usual place.
    """

    shipped: Path
    pictures: Path
    support: Path
    caches: Path
    logs: Path
    models: Path | None = None

    @property
    def resources(self) -> Path:
        return self.shipped / "resources"

    @property
    def starter(self) -> Path:
        return self.shipped / "models" / "starter"

    @property
    def settings(self) -> Path:
        return self.support / "settings.json"

    @property
    def journal(self) -> Path:
        return self.support / "queue.json"

    @property
    def starts(self) -> Path:
        """Starting pictures and masks, named by the SHA-256 of their bytes."""
        return self.support / "starts"

    @property
    def presets(self) -> Path:
        """The form under names that the person gave."""
        return self.support / "presets.json"

    @property
    def prompts(self) -> Path:
        """The prompts that were drawn."""
        return self.support / "prompts.json"

    @property
    def rescued(self) -> Path:
        """Pictures that the pictures folder would not take. Never the pictures folder itself."""
        return self.support / "Rescued Pictures"

    @property
    def index(self) -> Path:
        """What is known of the pictures; made of them, and made again when it is lost."""
        return self.support / "index.sqlite3"

    @property
    def marks(self) -> Path:
        """Favourites and tags."""
        return self.support / "marks.json"

    @property
    def thumbnails(self) -> Path:
        """Small pictures for the gallery."""
        return self.caches / "thumbnails"

    @property
    def installed(self) -> Path:
        """``ID/REVISION`` of each model, with a receipt in it."""
        return self.models or self.support / "models"

    @property
    def catalogue(self) -> Path:
        """A file for each model that can be installed."""
        return self.shipped / "models" / "catalog"

    @property
    def named(self) -> Path:
        """A file for each model of the hub that the person named."""
        return self.support / "named"

    @property
    def licences(self) -> Path:
        """The texts of the licences that models come under."""
        return self.resources / "licenses"

    @property
    def accepted(self) -> Path:
        """Which licences the person has accepted."""
        return self.support / "licences.json"

    @property
    def carried(self) -> Path:
        """Copies in another form for programs that pictures were dropped on."""
        return self.caches / "carried"

    @property
    def core_ml(self) -> Path:
        """Compiled Core ML models, and what was found out about them on this Mac."""
        return self.caches / "coreml"

    @property
    def updates(self) -> Path:
        """Whom to ask for a newer Easel; not in every build."""
        return self.resources / "updates.json"

    @property
    def ledger(self) -> Path:
        """Every connection that Easel ever made."""
        return self.support / "connections.jsonl"
