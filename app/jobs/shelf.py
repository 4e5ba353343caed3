"""The models that can be installed and those that are: what a window or a command asks about them.

Everything that takes long blocks: a window calls it from a thread of its own. The bytes come in a
child process, the only one of Easel that may open a connection; foreign weights are opened in
another, which may not.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from app.convert.importing import Brought
from app.core.card import Acceptance, CardFile, Kind, Licence, ModelCard, Origin, Receipt
from app.core.errors import CardProblem, ModelDamaged, ModelMissing
from app.core.folders import Folders
from app.files.atomic_file import world_error
from app.jobs.importing import import_file
from app.jobs.limited_child import Bounds, run_limited
from app.weights import catalogue, packs, receipts
from app.weights.events import Connected, Stopped, Transferred, Verified
from app.weights.ledger import Ledger
from app.weights.licences import Acceptances, licence, licence_of
from app.weights.patience import HUB, Options
from app.weights.receipts import Installed
from app.weights.transfer import repair, transfer, verify

Report = Callable[[object], None]
"""Told every event of ``weights.events`` and ``convert.importing``."""
IsCancelled = Callable[[], bool]


USABLE = frozenset({Kind.DIFFUSERS, Kind.CHECKPOINT})
"""What this Easel can draw with. Nobody shall download what is of no use to them yet."""


class Shelf:
    """What can be had, what is here, and the way from the one to the other.

    ``options`` says which hub, or mirror of it, is asked, and how patiently.
    """

    def __init__(self, folders: Folders, options: Options | None = None) -> None:
        self._folders = folders
        self._options = options or Options(HUB)
        self._acceptances = Acceptances(folders.accepted)
        self.ledger = Ledger(folders.ledger)

    # What there is.

    def cards(self) -> tuple[ModelCard, ...]:
        """What can be installed and is of use, by title. Raises CardProblem."""
        cards = catalogue.shelf(self._folders.catalogue)
        return tuple(card for card in cards if card.kind in USABLE)

    def card(self, id: str) -> ModelCard:
        """The card of that id. Raises CardProblem: not on the shelf, or withheld and why."""
        for card in catalogue.catalogue(self._folders.catalogue):
            if card.id == id:
                if card.withheld:
                    raise CardProblem(id, f"it is not on the shelf yet: {card.withheld}")
                if card.kind not in USABLE:
                    raise CardProblem(id, "this version of Easel has no use for it yet")
                return card
        raise CardProblem(id, "there is no model of this name on the shelf")

    def installed(self) -> tuple[Installed, ...]:
        """The models that are here, whole as far as can be seen at a glance, by title."""
        return receipts.installed(self._folders.installed)

    def find(self, id: str) -> Installed:
        """The installed model ``id``. Raises ModelMissing."""
        for model in self.installed():
            if model.receipt.id == id:
                return model
        raise ModelMissing(id)

    # The licence first.

    def licence(self, card: ModelCard) -> Licence:
        """What ``card`` comes under. Raises CardProblem."""
        return licence(self._folders.licences, card.licence)

    def is_accepted(self, card: ModelCard) -> bool:
        """Whether the person has accepted exactly this text before."""
        return self.is_text_accepted(self.licence(card))

    def accept(self, card: ModelCard) -> Acceptance:
        """Keep that the person accepts the licence of ``card``, as it reads now."""
        return self.accept_text(self.licence(card))

    # Getting one whole.

    def get(
        self, card: ModelCard, report: Report, cancelled: IsCancelled, *, token: str = ""
    ) -> Installed | None:
        """Download ``card`` and install it; None when it was stopped, and what came is kept.

        Raises LicenceNotAccepted before anything is asked of the network; DownloadError, NoSpace,
        FolderNotWritable, CardProblem, ModelInUse, ImportRefused.
        """
        # 1. The licence, and what is there already
        receipts.sweep(self._folders.installed)
        text = self.licence(card)
        acceptance = self._acceptances.require(text)
        folder = receipts.folder_of(self._folders.installed, card.id, card.revision)
        with contextlib.suppress(ModelMissing, ModelDamaged):
            return Installed(folder, receipts.read(folder))
        # 2. The bytes
        options = Options(self._options.endpoint, token, self._options.patience)
        work = partial(_transfer, card, folder, options)
        ended = self._online(work, card, report, cancelled)
        if not isinstance(ended, Transferred):
            return None
        # 3. What Easel brings along itself
        self._copy_shipped(card, folder)
        files = card.files
        # 4. A checkpoint becomes a folder that can be drawn with
        if card.kind is Kind.CHECKPOINT:
            brought = self._unfold(folder, card.files[0], report, cancelled)
            if brought is None:
                return None
            files = brought.files
        # 5. The receipt, last
        kind = Kind.DIFFUSERS if card.kind is Kind.CHECKPOINT else card.kind
        receipt = Receipt(
            id=card.id,
            title=card.title,
            kind=kind,
            family=card.family,
            origin=Origin.HUB,
            source=f"{card.repository}@{card.revision}",
            files=files,
            installed=_now(),
            acceptance=acceptance,
            memory=card.memory,
            needs=card.needs,
        )
        receipts.write(folder, receipt, text.text)
        return Installed(folder, receipt)

    def verify(self, model: Installed, report: Report, cancelled: IsCancelled) -> Verified | None:
        """Read every byte of ``model`` again; None when it was stopped."""
        found = verify(model.folder, model.receipt.files, report, cancelled)
        return found if isinstance(found, Verified) else None

    def mend(
        self, model: Installed, found: Verified, report: Report, cancelled: IsCancelled
    ) -> bool:
        """Fetch what ``verify`` found anew; False when it was stopped.

        The old file stays until the new one is proven. Raises CardProblem for a model that did not
        come from the shelf as it lies there, and every DownloadError.
        """
        card = self.card(model.receipt.id)
        if card.kind is not model.receipt.kind:
            raise CardProblem(
                card.id, "it was converted here, so it has to be removed and got anew"
            )
        wanted = (*found.damaged, *found.missing)
        self._copy_shipped(card, model.folder, only=wanted)
        own = {file.path for file in card.files if not file.shipped}
        fetched = tuple(path for path in wanted if path in own)
        work = partial(_repair, card, model.folder, fetched, self._options)
        return isinstance(self._online(work, card, report, cancelled), Transferred)

    def remove(self, model: Installed) -> None:
        """Take ``model`` away. Raises ModelMissing, FolderNotWritable."""
        receipts.remove(model.folder)

    # What a person brings.

    def bring(self, file: Path, report: Report, cancelled: IsCancelled) -> Installed | None:
        """Bring in a model file from elsewhere; None when it was stopped.

        Raises ImportRefused, NoSpace, FolderNotWritable, ModelInUse for one that is here already.
        """
        # 1. In a child of its own, into a folder that nobody takes for a model
        receipts.sweep(self._folders.installed)
        file = file.expanduser().absolute()
        staging = self._staging()
        brought = import_file(file, staging, self._folders.resources, report, cancelled)
        if brought is None:
            return None
        # 2. Its name, and its receipt
        root = self._folders.installed
        folder = receipts.folder_of(root, _free_id(root, file.stem), "file")
        receipt = Receipt(
            id=folder.parent.name,
            title=_title(file.stem),
            kind=brought.kind,
            family=brought.family,
            origin=Origin.FILE,
            source=_title(file.name),
            files=brought.files,
            installed=_now(),
        )
        _take_place(staging, folder)
        receipts.write(folder, receipt)
        return Installed(folder, receipt)

    # One file for a Mac without a network.

    def pack(self, model: Installed, target: Path, cancelled: IsCancelled) -> bool:
        """Write ``model`` as one file, with hashes, licence and acceptance; False when stopped.

        Raises as ``packs.export_pack`` does.
        """
        with contextlib.suppress(_Stopped):
            packs.export_pack(model.folder, target, _stopping(cancelled))
            return True
        return False

    def pack_licence(self, file: Path) -> Licence | None:
        """What the model in a pack comes under; None where it asks for nothing to be accepted.

        Raises ImportRefused.
        """
        pack = packs.read_pack(file)
        had = pack.receipt.acceptance
        if had is None:
            return None
        return licence_of(had.licence, had.licence, pack.licence_text, file.name)

    def unpack(self, file: Path, cancelled: IsCancelled) -> Installed | None:
        """Install the model in a pack; None when stopped.

        Raises LicenceNotAccepted, and as ``packs.import_pack`` does.
        """
        text = self.pack_licence(file)
        acceptance = None if text is None else self._acceptances.require(text)
        with contextlib.suppress(_Stopped):
            root = self._folders.installed
            folder = packs.import_pack(file, root, acceptance, _stopping(cancelled))
            return Installed(folder, receipts.read(folder))
        return None

    def accept_text(self, text: Licence) -> Acceptance:
        """Keep that the person accepts this very text."""
        return self._acceptances.accept(text)

    def is_text_accepted(self, text: Licence) -> bool:
        """Whether the person has accepted exactly this text before."""
        return self._acceptances.of(text) is not None

    def _unfold(
        self, folder: Path, checkpoint: CardFile, report: Report, cancelled: IsCancelled
    ) -> Brought | None:
        """Turn the downloaded checkpoint in ``folder`` into a diffusers folder in its place."""
        staging, resources = self._staging(), self._folders.resources
        brought = import_file(folder / checkpoint.path, staging, resources, report, cancelled)
        if brought is not None:
            shutil.rmtree(folder)
            _take_place(staging, folder)
        return brought

    def _staging(self) -> Path:
        return self._folders.installed / f"{receipts.STAGING_PREFIX}{os.urandom(8).hex()}"

    def _copy_shipped(
        self, card: ModelCard, folder: Path, only: tuple[str, ...] | None = None
    ) -> None:
        for file in card.files:
            if file.shipped and (only is None or file.path in only):
                source = catalogue.shipped_file(self._folders.resources, card, file)
                target = folder / file.path
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, target)
                except OSError as error:
                    raise world_error(error, folder, file.bytes) from error

    def _online(
        self,
        work: Callable[[Report, IsCancelled], Transferred | Stopped],
        card: ModelCard,
        report: Report,
        cancelled: IsCancelled,
    ) -> Transferred | Stopped | None:
        """Run ``work`` where connections are allowed, and write each of them down."""

        def hear(event: object) -> None:
            if isinstance(event, Connected):
                self.ledger.note(event.host, f"{card.title}: {event.file}", event.received)
            else:
                report(event)

        host = self._options.endpoint.partition("://")[2]
        return run_limited(work, host, Bounds.for_transfer(), hear, cancelled)


class _Stopped(Exception):
    """Raised out of a pack's progress; nothing half-written stays."""


def _stopping(cancelled: IsCancelled) -> Callable[[int], None]:
    def look(_done: int) -> None:
        if cancelled():
            raise _Stopped

    return look


def _transfer(
    card: ModelCard, folder: Path, options: Options, report: Report, cancelled: IsCancelled
) -> Transferred | Stopped:
    return transfer(card, folder, report, cancelled, options)


def _repair(
    card: ModelCard,
    folder: Path,
    paths: tuple[str, ...],
    options: Options,
    report: Report,
    cancelled: IsCancelled,
) -> Transferred | Stopped:
    return repair(card, folder, paths, report, cancelled, options)


def _take_place(staging: Path, folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging.rename(folder)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise world_error(error, folder, 0) from error


def _free_id(root: Path, stem: str) -> str:
    """A folder's name made of ``stem`` that no model has yet."""
    letters = "".join(c if c.isascii() and (c.isalnum() or c in ".-") else "-" for c in stem)
    base = letters.strip(".-")[:60].lower() or "model"
    number, name = 1, base
    while (root / name).exists():
        number += 1
        name = f"{base}-{number}"
    return name


def _title(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text).strip()[:100] or "Model"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
