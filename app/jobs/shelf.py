"""The models that can be installed and those that are: what a window or a command asks about them.

Everything that takes long blocks: a window calls it from a thread of its own. The bytes come in a
child process, the only one of Easel that may open a connection; foreign weights are opened in
another, which may not.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from app.core import adapter
from app.core.card import Acceptance, Kind, Licence, ModelCard
from app.core.errors import (
    CardProblem,
    EaselError,
    ModelDamaged,
    ModelMissing,
    ModelsFolderGone,
)
from app.core.folders import Folders
from app.files.atomic_file import world_error
from app.jobs import bringing, conversions, online, packing
from app.jobs.account import Account
from app.jobs.installing import Installer
from app.jobs.online import Online
from app.weights import catalogue, hub_address, packs, receipts
from app.weights.alone import after_others, alone
from app.weights.events import Verified
from app.weights.ledger import Ledger
from app.weights.licences import Acceptances, licence, licence_of
from app.weights.named import Named, NamedModels
from app.weights.paths import LICENCE_TEXT
from app.weights.patience import HUB, Options
from app.weights.pins import Looked
from app.weights.receipts import Installed
from app.weights.transfer import verify
from app.weights.unfinished import Unfinished, discard, unfinished

Report = Callable[[object], None]
"""Told every event of ``weights.events`` and ``convert.importing``."""
IsCancelled = Callable[[], bool]
USABLE = frozenset({Kind.DIFFUSERS, Kind.CHECKPOINT}) | adapter.KINDS
"""What every Easel can draw with. Nobody shall download what is of no use to them."""


def usable(core_ml: bool) -> frozenset[Kind]:
    """What can be drawn with where there is, or is not, Core ML."""
    return USABLE | {Kind.COREML} if core_ml else USABLE


class Shelf:
    """What can be had, what is here, and the way from the one to the other.

    ``options`` says which hub, or mirror of it, is asked, and how patiently; ``usable`` which kinds
    of models are of use here.
    """

    def __init__(
        self,
        folders: Folders,
        options: Options | None = None,
        usable: frozenset[Kind] = USABLE,
    ) -> None:
        self._folders = folders
        self._usable = usable
        self._acceptances = Acceptances(folders.accepted)
        self._named = NamedModels(folders.named)
        self.ledger = Ledger(folders.ledger)
        self._online = Online(options or Options(HUB), self.ledger)
        self.account = Account(self._online.options)

    # What there is.

    def cards(self) -> tuple[ModelCard, ...]:
        """What can be installed and is of use: the shelf by title, then what was named.

        Raises CardProblem.
        """
        cards = catalogue.shelf(self._folders.catalogue)
        named = tuple(one.card for one in self._named.all())
        return (*(card for card in cards if card.kind in self._usable), *named)

    def card(self, id: str) -> ModelCard:
        """The card of that id. Raises CardProblem: not on the shelf, or withheld and why."""
        for card in catalogue.catalogue(self._folders.catalogue):
            if card.id == id:
                if card.withheld:
                    raise CardProblem(id, f"it is not on the shelf yet: {card.withheld}")
                if card.kind not in self._usable:
                    raise CardProblem(id, "it draws on a Mac with Apple silicon alone")
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

        ``repository`` may be the address of its page; ``revision`` is a branch, a tag or a commit,
        "" for that of the address or the main branch. Raises CardProblem, DownloadError,
        KeychainUnavailable, FolderNotWritable, NoSpace.
        """
        repository, found = hub_address.named_by(repository, self.account.host)
        revision = revision or found
        # 1. The hub's word, once
        licences, options = self._folders.licences, self._online.with_token(token)
        work = partial(online.resolve, repository, revision, licences, options)
        named = self._online.run(work, repository, report, cancelled)
        if named is None:
            return None
        # 2. A name of its own
        shelf = [one.id for one in catalogue.catalogue(self._folders.catalogue)]
        card = dataclasses.replace(named.card, id=self._named.own_id(named.card, shelf))
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

    # The licence first.

    def licence(self, card: ModelCard) -> Licence:
        """What ``card`` comes under. Raises CardProblem."""
        named = self._named.find(card.id)
        if named is not None and named.card.repository == card.repository:
            return named.licence
        return licence(self._folders.licences, card.licence)

    def licence_beside(self, model: Installed) -> Licence | None:
        """The text that lies with the weights of ``model``; None where it came without one."""
        had = model.receipt.acceptance
        if had is None:
            return None
        try:
            text = (model.folder / LICENCE_TEXT).read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CardProblem(had.licence, "the text of its licence is missing") from error
        return self._titled(had, text, model.receipt.source)

    def licences(self) -> tuple[Licence, ...]:
        """Every text that a model of the shelf or of this computer comes under, each once."""
        found: dict[str, Licence] = {}
        with contextlib.suppress(EaselError):
            for card in self.cards():
                text = self.licence(card)
                found.setdefault(text.sha256, text)
        for model in self.installed():
            with contextlib.suppress(EaselError):
                beside = self.licence_beside(model)
                if beside is not None:
                    found.setdefault(beside.sha256, beside)
        return tuple(found.values())

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

        Another Easel that works on it is waited for, and what it has done is used. Raises
        LicenceNotAccepted before anything is asked of the network; DownloadError, NoSpace,
        FolderNotWritable, ModelsFolderGone, CardProblem, ImportRefused, KeychainUnavailable.
        """
        text = self.licence(card)
        acceptance = self._acceptances.require(text)
        self._tidy()
        folder = receipts.folder_of(self._folders.installed, card.id, card.revision)
        with self._turn(folder, report, cancelled) as ours:
            if not ours:
                return None
            with contextlib.suppress(ModelMissing, ModelDamaged):
                return Installed(folder, receipts.read(folder))
            installer = self._installer(token)
            return installer.install(card, folder, (text, acceptance), report, cancelled)

    def unfinished(self) -> tuple[Unfinished, ...]:
        """The downloads that were interrupted, and how much of each is here. Raises CardProblem."""
        return unfinished(self._folders.installed, self.cards())

    def discard(self, card: ModelCard) -> None:
        """Take away what came of ``card``; an installed model stays.

        Raises ModelInUse, FolderNotWritable.
        """
        folder = receipts.folder_of(self._folders.installed, card.id, card.revision)
        if folder.parent.is_dir():
            with self._held(folder.parent, card.title):
                discard(folder)

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
        if card.kind is not model.receipt.kind or card.unpack:
            raise CardProblem(card.id, "it was made here of what came: remove it and get it anew")
        if card.revision != model.folder.name:
            raise CardProblem(card.id, "another version is on the shelf now; get that one")
        wanted = (*found.damaged, *found.missing)
        with self._turn(model.folder, report, cancelled) as ours:
            installer = self._installer(token)
            return ours and installer.mend(card, model.folder, wanted, report, cancelled)

    def remove(self, model: Installed) -> None:
        """Take ``model`` and its conversions away.

        Raises ModelMissing, ModelInUse, FolderNotWritable.
        """
        id, root = model.receipt.id, self._folders.installed
        with self._held(model.folder.parent, model.receipt.title):
            others = [one for one in self.installed() if one.receipt.id == id]
            if len(others) < 2:  # no other revision that they could be of
                for one in conversions.conversions(root, id):
                    conversions.take_away(one.folder)
            receipts.remove(model.folder)

    def forget(self, id: str) -> bool:
        """Take a model that was named off the shelf, with what came of it; whether it was there.

        An installed one stays. Raises ModelInUse, FolderNotWritable.
        """
        named = self._named.find(id)
        if named is None:
            return False
        self.discard(named.card)
        return self._named.forget(id)

    def is_named(self, id: str) -> bool:
        """Whether a person put the model of that id on the shelf."""
        return self._named.find(id) is not None

    def settle(self, folders: Folders) -> None:
        """Look for installed models in those of ``folders`` from now on."""
        self._folders = folders

    # What a person brings.

    def bring(self, file: Path, report: Report, cancelled: IsCancelled) -> Installed | None:
        """Bring in a model file from elsewhere; None when it was stopped.

        Raises ImportRefused, NoSpace, FolderNotWritable, ModelsFolderGone.
        """
        self._tidy()
        return bringing.bring(file, self._folders, report, cancelled)

    # One file for a Mac without a network.

    def pack_problem(self, model: Installed) -> EaselError | None:
        """Why ``model`` cannot be packed, as far as can be seen at a glance."""
        try:
            receipts.check(model.folder, model.receipt)
        except EaselError as error:
            return error
        return None

    def pack(
        self,
        model: Installed,
        target: Path,
        cancelled: IsCancelled,
        report: Report = lambda _event: None,
    ) -> bool:
        """Write ``model`` as one file, with hashes, licence and acceptance; False when stopped.

        Raises as ``packs.export_pack`` does.
        """
        return packing.pack(model, target, report, cancelled)

    def pack_licence(self, file: Path) -> Licence | None:
        """What the model in a pack comes under; None where it asks for nothing to be accepted.

        Raises ImportRefused.
        """
        pack = packs.read_pack(file)
        had = pack.receipt.acceptance
        if had is None:
            return None
        return self._titled(had, pack.licence_text, file.name)

    def unpack(
        self, file: Path, cancelled: IsCancelled, report: Report = lambda _event: None
    ) -> Installed | None:
        """Install the model in a pack; None when stopped.

        Raises LicenceNotAccepted, ModelsFolderGone, and as ``packs.import_pack`` does.
        """
        text = self.pack_licence(file)
        acceptance = None if text is None else self._acceptances.require(text)
        self._tidy()
        pack, root = packs.read_pack(file), self._folders.installed
        folder = receipts.folder_of(root, pack.receipt.id, pack.revision)
        with self._turn(folder, report, cancelled) as ours:
            return packing.unpack(file, root, acceptance, report, cancelled) if ours else None

    def accept_text(self, text: Licence) -> Acceptance:
        """Keep that the person accepts this very text."""
        return self._acceptances.accept(text)

    def is_text_accepted(self, text: Licence) -> bool:
        """Whether the person has accepted exactly this text before."""
        return self._acceptances.of(text) is not None

    def _titled(self, had: Acceptance, text: str, origin: str) -> Licence:
        """``text``, under the title that it has where it ships with Easel too."""
        title = had.licence
        with contextlib.suppress(CardProblem):
            known = licence(self._folders.licences, had.licence)
            title = known.title if known.sha256 == had.sha256 else title
        return licence_of(had.licence, title, text, origin)

    def _installer(self, token: str) -> Installer:
        return Installer(self._folders, self._online, self._online.with_token(token))

    def _tidy(self) -> None:
        """Before anything comes in. Raises ModelsFolderGone: it is not made on another disk."""
        chosen = self._folders.models
        if chosen is not None and not chosen.is_dir():
            raise ModelsFolderGone(str(chosen))
        receipts.sweep(self._folders.installed)

    @contextlib.contextmanager
    def _turn(self, folder: Path, report: Report, cancelled: IsCancelled) -> Iterator[bool]:
        """Hold the model that ``folder`` is of, after others; false when cancelled meanwhile."""
        try:
            with after_others(folder.parent, report, cancelled) as ours:
                yield ours
        except OSError as error:
            raise world_error(error, folder, 0) from error

    @contextlib.contextmanager
    def _held(self, folder: Path, model: str) -> Iterator[None]:
        """Hold it at once. Raises ModelInUse."""
        try:
            with alone(folder, model):
                yield
        except OSError as error:
            raise world_error(error, folder, 0) from error
