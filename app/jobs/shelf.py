"""The models that can be installed and those that are: what a window or a command asks about them.

Everything that takes long blocks: a window calls it from a thread of its own. The bytes come in a
child process, the only one of Easel that may open a connection; foreign weights are opened in
another, which may not.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from app.core.card import Acceptance, Kind, Licence, ModelCard, Origin, Receipt
from app.core.errors import CardProblem, ModelDamaged, ModelMissing
from app.core.folders import Folders
from app.files.atomic_file import world_error
from app.jobs import online
from app.jobs.importing import import_file
from app.jobs.online import Online
from app.weights import catalogue, packs, receipts
from app.weights import token as token_of
from app.weights.alone import alone
from app.weights.events import Verified
from app.weights.ledger import Ledger
from app.weights.licences import Acceptances, licence, licence_of
from app.weights.named import Named, NamedModels
from app.weights.patience import HUB, Options
from app.weights.pins import Looked
from app.weights.receipts import Installed
from app.weights.shipped import copy_shipped
from app.weights.transfer import verify

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
        self._acceptances = Acceptances(folders.accepted)
        self._named = NamedModels(folders.named)
        self.ledger = Ledger(folders.ledger)
        self._online = Online(options or Options(HUB), self.ledger)

    # What there is.

    def cards(self) -> tuple[ModelCard, ...]:
        """What can be installed and is of use: the shelf by title, then what was named.

        Raises CardProblem.
        """
        cards = catalogue.shelf(self._folders.catalogue)
        named = tuple(one.card for one in self._named.all())
        return (*(card for card in cards if card.kind in USABLE), *named)

    def card(self, id: str) -> ModelCard:
        """The card of that id. Raises CardProblem: not on the shelf, or withheld and why."""
        for card in catalogue.catalogue(self._folders.catalogue):
            if card.id == id:
                if card.withheld:
                    raise CardProblem(id, f"it is not on the shelf yet: {card.withheld}")
                if card.kind not in USABLE:
                    raise CardProblem(id, "this version of Easel has no use for it yet")
                return card
        named = self._named.find(id)
        if named is not None:
            return named.card
        raise CardProblem(id, "there is no model of this name on the shelf")

    def name(
        self,
        repository: str,
        revision: str,
        report: Report,
        cancelled: IsCancelled,
        *,
        token: str = "",
    ) -> ModelCard | None:
        """Ask the hub what "org/name" is, and keep its card; None when it was stopped.

        ``revision`` is a branch, a tag or a commit, "" for the main branch. Raises CardProblem,
        DownloadError, FolderNotWritable, NoSpace.
        """
        # 1. The hub's word, once
        licences, options = self._folders.licences, self._online.with_token(token)
        work = partial(online.resolve, repository, revision, licences, options)
        named = self._online.run(work, repository, report, cancelled)
        if named is None:
            return None
        # 2. A name of its own
        card = named.card
        others = {one.id for one in catalogue.catalogue(self._folders.catalogue)}
        others |= {
            one.card.id for one in self._named.all() if one.card.repository != card.repository
        }
        if card.id in others:
            mark = hashlib.sha256(card.repository.encode()).hexdigest()[:8]
            card = dataclasses.replace(card, id=f"{card.id}-{mark}")
        # 3. Kept, from now on a card like any other
        self._named.keep(Named(card, named.licence))
        return card

    def installed(self) -> tuple[Installed, ...]:
        """The models that are here, whole as far as can be seen at a glance, by title."""
        return receipts.installed(self._folders.installed)

    def find(self, id: str) -> Installed:
        """The installed model ``id``. Raises ModelMissing."""
        for model in self.installed():
            if model.receipt.id == id:
                return model
        raise ModelMissing(id)

    def pins(self, report: Report, cancelled: IsCancelled) -> tuple[Looked, ...] | None:
        """What the hub says of every file that a card names, of use yet or not; None when stopped.

        Raises CardProblem, DownloadError.
        """
        found: list[Looked] = []
        named = (one.card for one in self._named.all())
        for card in (*catalogue.shelf(self._folders.catalogue), *named):
            work = partial(online.look_at_pins, card, self._online.options)
            looked = self._online.run(work, card.title, report, cancelled)
            if looked is None:
                return None
            found += looked
        return tuple(found)

    def keep_token(self, text: str) -> None:
        """Keep an access token for the hub. Raises KeychainUnavailable, ValueError."""
        token_of.store(self._online.host, text)

    def forget_token(self) -> bool:
        """Take it away again; whether there was one. Raises KeychainUnavailable."""
        return token_of.forget(self._online.host)

    # The licence first.

    def licence(self, card: ModelCard) -> Licence:
        """What ``card`` comes under. Raises CardProblem."""
        named = self._named.find(card.id)
        if named is not None and named.card.repository == card.repository:
            return named.licence
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
        with alone(card.title, folder.parent):
            with contextlib.suppress(ModelMissing, ModelDamaged):
                return Installed(folder, receipts.read(folder))
            # 2. The bytes
            work = partial(online.transfer, card, folder, self._online.with_token(token))
            if self._online.run(work, card.title, report, cancelled) is None:
                return None
            # 3. What Easel brings along itself
            copy_shipped(card, folder, self._folders.resources)
            place, files, kind, family = folder, card.files, card.kind, card.family
            # 4. A checkpoint becomes a folder that can be drawn with
            if card.kind is Kind.CHECKPOINT:
                place = self._staging()
                checkpoint, resources = folder / card.files[0].path, self._folders.resources
                brought = import_file(checkpoint, place, resources, report, cancelled)
                if brought is None:
                    return None
                files, kind, family = brought.files, brought.kind, brought.family
            # 5. The receipt, last
            receipt = Receipt(
                id=card.id,
                title=card.title,
                kind=kind,
                family=family,
                origin=Origin.HUB,
                source=f"{card.repository}@{card.revision}",
                files=files,
                installed=_now(),
                acceptance=acceptance,
                memory=card.memory,
                needs=card.needs,
            )
            with _nothing_left(place, folder):
                receipts.write(place, receipt, text.text)
                if place != folder:
                    receipts.move_in(place, folder)
            return Installed(folder, receipt)

    def verify(self, model: Installed, report: Report, cancelled: IsCancelled) -> Verified | None:
        """Read every byte of ``model`` again; None when it was stopped."""
        found = verify(model.folder, model.receipt.files, report, cancelled)
        return found if isinstance(found, Verified) else None

    def mend(
        self,
        model: Installed,
        found: Verified,
        report: Report,
        cancelled: IsCancelled,
        *,
        token: str = "",
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
        if card.revision != model.folder.name:
            raise CardProblem(card.id, "another version is on the shelf now; get that one")
        wanted = (*found.damaged, *found.missing)
        copy_shipped(card, model.folder, self._folders.resources, wanted)
        own = {file.path for file in card.files if not file.shipped}
        fetched = tuple(path for path in wanted if path in own)
        work = partial(online.repair, card, model.folder, fetched, self._online.with_token(token))
        with alone(card.title, model.folder.parent):
            return self._online.run(work, card.title, report, cancelled) is not None

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
        with _nothing_left(staging, folder):
            receipts.write(staging, receipt)
            _take_place(staging, folder)
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

    def _staging(self) -> Path:
        return self._folders.installed / f"{receipts.STAGING_PREFIX}{os.urandom(8).hex()}"


class _Stopped(Exception):
    """Raised out of a pack's progress; nothing half-written stays."""


def _stopping(cancelled: IsCancelled) -> Callable[[int], None]:
    def look(_done: int) -> None:
        if cancelled():
            raise _Stopped

    return look


def _take_place(staging: Path, folder: Path) -> None:
    """Rename; never over what is there."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging.rename(folder)
    except OSError as error:
        raise world_error(error, folder, 0) from error


@contextlib.contextmanager
def _nothing_left(staging: Path, folder: Path) -> Iterator[None]:
    """Takes ``staging`` away when it could not become ``folder``; it may be ``folder`` itself."""
    try:
        yield
    finally:
        if staging != folder:
            shutil.rmtree(staging, ignore_errors=True)


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
