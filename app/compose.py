"""The composition root: everything the window and the commands use is built here, once."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.folders import Folders
from app.core.settings import Settings
from app.engine.torch import make_engine
from app.library import settings_file
from app.places import find_folders

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.adapter import Adapter
    from app.core.errors import SettingsDamaged, SettingsTooNew
    from app.core.model import Model, Vocabulary
    from app.core.placement import Placement
    from app.engine.contract import EngineFactory
    from app.engine.prompt_tokens import TokenCounter
    from app.jobs.conversions import Conversion
    from app.jobs.deliveries import Deliveries
    from app.jobs.engines import CoreMLHere
    from app.jobs.events import Listener
    from app.jobs.lock import Lock
    from app.jobs.placing import Placing
    from app.jobs.readying import Readying
    from app.jobs.saver import Keeps
    from app.jobs.session import Session
    from app.jobs.shelf import Shelf
    from app.library.gallery import Gallery
    from app.library.library import Library
    from app.library.picture_file import Picture
    from app.library.presets import Presets
    from app.library.prompt_memory import PromptMemory
    from app.library.starts import Kept
    from app.library.thumbnails import Thumbnails
    from app.weights.channel import Channel, Unknown, Update
    from app.weights.moving import Report


class Easel:
    """The parts of the program, made when they are first asked for and passed on from here.

    ``make_engine`` is what a session's child process draws with. ``core_ml`` is Core ML where this
    computer has it; None elsewhere.
    """

    def __init__(
        self,
        folders: Folders,
        settings: Settings,
        settings_problem: SettingsDamaged | SettingsTooNew | None = None,
        make_engine: EngineFactory = make_engine,
        core_ml: CoreMLHere | None = None,
    ) -> None:
        self.folders = folders
        self.settings = settings
        self.settings_problem = settings_problem
        self.core_ml = core_ml
        self._make_engine = make_engine
        self._library: Library | None = None
        self._gallery: Gallery | None = None
        self._presets: Presets | None = None
        self._prompts: PromptMemory | None = None
        self._shelf: Shelf | None = None
        self._deliveries: Deliveries | None = None
        self._counters: dict[tuple[str, tuple[Adapter, ...]], TokenCounter] = {}

    @property
    def library(self) -> Library:
        """Saves to the folder that is set, or where that fails to one of Easel's own; then lists.

        A form or a pattern of names in the settings that cannot be is the usual one instead.
        """
        if self._library is None:
            from app.library.library import Library

            self._library = Library(self._pictures(), self.folders.rescued, saved=self._list)
            self._set_up(self._library)
        return self._library

    @property
    def gallery(self) -> Gallery:
        """Every picture of the folder that is set, and of the rescued ones. Raises IndexTooNew.

        Whoever asks for it looks at its folders (``refresh``), and closes it in the end.
        """
        if self._gallery is None:
            from app.library.gallery import Gallery

            folders = self.folders
            self._gallery = Gallery(
                folders.index, folders.marks, lambda: (self._pictures(), folders.rescued)
            )
        return self._gallery

    def make_thumbnails(self) -> Thumbnails:
        """The small pictures of the gallery."""
        from app.library.thumbnails import Thumbnails

        return Thumbnails(self.folders.thumbnails)

    @property
    def presets(self) -> Presets:
        """The form under names that the person gave."""
        if self._presets is None:
            from app.library.presets import Presets

            self._presets = Presets(self.folders.presets)
        return self._presets

    @property
    def prompts(self) -> PromptMemory:
        """The prompts that were drawn."""
        if self._prompts is None:
            from app.library.prompt_memory import PromptMemory

            self._prompts = PromptMemory(self.folders.prompts)
        return self._prompts

    @property
    def shelf(self) -> Shelf:
        """What models can be installed and are; nothing goes online before it is asked to."""
        if self._shelf is None:
            from app.jobs.shelf import Shelf, usable
            from app.weights.patience import HUB, Options

            options = Options(self.settings.mirror or HUB)
            self._shelf = Shelf(self.folders, options, usable(self.core_ml is not None))
        return self._shelf

    def move_models(self, target: Path, report: Report, cancelled: Callable[[], bool]) -> bool:
        """Keep installed models in ``target`` (absolute) from now on; False when stopped.

        All of them are there, whole, before anything changes. Raises as ``copy_models`` and
        ``keep_models_in`` do.
        """
        copied = self.copy_models(target, report, cancelled)
        if copied is None:
            return False
        self.keep_models_in(target, copied)
        return True

    def copy_models(
        self, target: Path, report: Report, cancelled: Callable[[], bool]
    ) -> tuple[Path, ...] | None:
        """Copy the installed models to ``target``, and what has come of others.

        The folders that are of no use after ``keep_models_in``; None when stopped. Changes nothing
        of this program: it may run on another thread. Raises as ``weights.moving.copy_models``.
        """
        from app.weights import moving

        here, begun = self.shelf.installed(), self.shelf.unfinished()
        ids = ("starter", *(one.receipt.id for one in here))
        along = tuple(one.folder for id in dict.fromkeys(ids) for one in self.conversions(id))
        if not moving.copy_models(here, target, report, cancelled, begun, along):
            return None
        folders = (*along, *(one.folder for one in here), *(one.folder for one in begun))
        return tuple(folder for folder in folders if not folder.is_relative_to(target))

    def keep_models_in(self, target: Path, left: tuple[Path, ...]) -> None:
        """Look for models in ``target`` from now on, and take away the folders ``left``.

        Raises FolderNotWritable, NoSpace: the setting could not be written, and all is as before.
        """
        from app.core.errors import EaselError
        from app.jobs.conversions import PREFIX, take_away
        from app.weights import receipts
        from app.weights.paths import RECEIPT
        from app.weights.unfinished import discard

        usual = replace(self.folders, models=None)
        chosen = None if target == usual.installed else target
        self.change_settings(
            replace(self.settings, models_folder=None if chosen is None else str(chosen))
        )
        self.folders = replace(self.folders, models=chosen)
        self.shelf.settle(self.folders)
        for folder in left:
            with contextlib.suppress(OSError, EaselError):  # its copy is in use already
                if folder.name.startswith(PREFIX):
                    take_away(folder)
                elif (folder / RECEIPT).exists():
                    receipts.remove(folder)
                else:
                    discard(folder)

    def conversions(self, source: str) -> tuple[Conversion, ...]:
        """What the model ``source`` was converted to, whole or not."""
        from app.jobs.conversions import conversions

        return conversions(self.folders.installed, source)

    @property
    def update_channel(self) -> Channel | None:
        """Whom to ask for a newer Easel; None in a build that knows nobody to ask."""
        from app.weights.channel import channel

        return channel(self.folders.updates)

    def find_update(
        self, source: Channel, cancelled: Callable[[], bool]
    ) -> Update | Unknown | None:
        """Ask ``source`` for a newer Easel, once. Blocks. Raises as ``jobs.updates`` does."""
        from app.jobs.updates import Updates

        return Updates(source, self.shelf.ledger).look(cancelled)

    @property
    def deliveries(self) -> Deliveries:
        """Downloads and imports for a window; whoever asks for it closes it."""
        if self._deliveries is None:
            from app.jobs.deliveries import Deliveries

            self._deliveries = Deliveries(self.shelf)
        return self._deliveries

    @property
    def readying(self) -> Readying | None:
        """Makes Core ML models ready; None where there is no Core ML."""
        from app.jobs.readying import Readying

        if self.core_ml is None:
            return None
        return Readying(self.core_ml, self.folders.core_ml, self._wanted_placement)

    def change_settings(self, settings: Settings) -> None:
        """Use ``settings`` from now on and write them. Raises FolderNotWritable, NoSpace."""
        self.settings = settings
        if self._library is not None:
            self._library.folder = self._pictures()
            self._set_up(self._library)
        settings_file.save(self.folders.settings, settings)

    def models(self) -> tuple[Model, ...]:
        """What can be drawn with on this disk; the one that comes with the program is first."""
        return tuple(self._models())

    def model(self, name: str | None = None) -> Model:
        """The model of that id or in that folder; None is the one last used, or the first.

        Raises ModelMissing, ModelIncomplete, ModelDamaged, ModelUnsupported.
        """
        from app.core.errors import ModelMissing
        from app.engine import model_folder
        from app.jobs.drawable import read_any, with_fitting
        from app.weights import receipts
        from app.weights.adapters import adapters

        models = {model.id: model for model in self._models()}
        if name is None:
            chosen = models.get(self.settings.model or "", next(iter(models.values()), None))
            return chosen or model_folder.starter(self.folders)
        if name in models:
            return models[name]
        folder = Path(name).expanduser().absolute()
        if not folder.is_dir():
            raise ModelMissing(name)
        known = adapters(receipts.installed(self.folders.installed))
        return with_fitting(read_any(folder), known)

    def vocabulary(self, model: Model) -> Vocabulary:
        """The words ``model`` knows; empty for a model that knows them all."""
        from app.engine import model_folder

        return model_folder.vocabulary(model.twin or model)

    def token_counter(self, model: Model) -> TokenCounter:
        """Counts the tokens of prompts for ``model``."""
        key = (model.folder, model.adapters)
        if key not in self._counters:
            from app.engine.prompt_tokens import TokenCounter

            self._counters[key] = TokenCounter(model)
        return self._counters[key]

    def keep_start(self, source: Path | bytes) -> Kept:
        """A clean copy of a picture to start from, or of a mask.

        Raises PictureUnreadable, FolderNotWritable, NoSpace.
        """
        from app.library.starts import keep

        return keep(source, self.folders.starts)

    def make_session(self, listener: Listener | None = None) -> Session:
        """The window's session, which remembers what waits; nothing starts before it is used."""
        return self._session(
            self.library,
            self.folders.journal,
            listener,
            previews=self.settings.previews,
            make_engine=self._make_engine,
        )

    def open_session(self, keeps: Keeps, *, checked: bool = False) -> Session:
        """A command's session, whose pictures go to ``keeps``: it forgets, and has no previews.

        ``checked``: its engine first makes sure that the drawing libraries are really there.
        """
        from app.engine.torch.installed import make_checked

        make_engine = partial(make_checked, self._make_engine) if checked else self._make_engine
        return self._session(keeps, None, None, previews=False, make_engine=make_engine)

    def lock_window(self) -> Lock:
        """Be the only window. Raises AlreadyRunning, FolderNotWritable, NoSpace."""
        from app.jobs.lock import Lock

        return Lock(self.folders.support / "window.lock")

    def _session(
        self,
        keeps: Keeps,
        journal: Path | None,
        listener: Listener | None,
        *,
        previews: bool,
        make_engine: EngineFactory,
    ) -> Session:
        from app.jobs.engines import make_hosts
        from app.jobs.session import Session

        hosts = make_hosts(make_engine, self.core_ml)
        return Session(
            hosts,
            keeps,
            self.models,
            journal,
            listener,
            placing=self._placing(),
            previews=previews,
        )

    def _set_up(self, library: Library) -> None:
        """The form and the names that are set."""
        from app.core.errors import TemplateProblem
        from app.library.file_names import DEFAULT, Template
        from app.library.picture_file import SUFFIXES

        suffix = self.settings.picture_suffix or ".png"
        library.suffix = suffix if suffix in SUFFIXES else ".png"
        try:
            library.template = Template(self.settings.name_template or DEFAULT)
        except TemplateProblem:
            library.template = Template()

    def _list(self, picture: Picture) -> None:
        """On the thread that saved it. Where nobody looks at the gallery, the next one finds it."""
        if self._gallery is not None:
            self._gallery.add(picture)

    @property
    def placements(self) -> tuple[Placement, ...]:
        """What can be chosen for ``Settings.placement``; () where there is nothing to choose."""
        from app.jobs.engines import CORE_ML

        return CORE_ML if self.core_ml is not None else ()

    def _pictures(self) -> Path:
        chosen = self.settings.pictures_folder
        return Path(chosen) if chosen else self.folders.pictures

    def _models(self) -> Iterator[Model]:
        from app.jobs.drawable import drawable

        return drawable(self.folders, self.settings.opened_models, self.core_ml is not None)

    def _placing(self) -> Placing:
        """How the placements of a Mac are ordered; elsewhere as the engines offer them."""
        from app.jobs.placing import AsOffered, ByMac

        if self.core_ml is None:
            return AsOffered()
        return ByMac(self.core_ml.mac, self.folders.core_ml, self._wanted_placement)

    def _wanted_placement(self) -> str:
        return self.settings.placement or ""


def compose(environ: Mapping[str, str] = os.environ) -> Easel:
    """Find the folders and read the settings. Raises FileNotFoundError: parts of Easel missing."""
    folders = find_folders(environ)
    settings, problem = settings_file.load(folders.settings)
    if settings.models_folder:
        folders = replace(folders, models=Path(settings.models_folder))
    from app.jobs.engines import core_ml_here

    here = core_ml_here(folders.core_ml / "compiled")
    return Easel(folders, settings, problem, core_ml=here)
