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

    from app.core.errors import SettingsDamaged, SettingsTooNew
    from app.core.model import Model, Vocabulary
    from app.engine.contract import EngineFactory
    from app.engine.prompt_tokens import TokenCounter
    from app.jobs.deliveries import Deliveries
    from app.jobs.events import Listener
    from app.jobs.lock import Lock
    from app.jobs.saver import Keeps
    from app.jobs.session import Session
    from app.jobs.shelf import Shelf
    from app.library.library import Library
    from app.library.starts import Kept
    from app.weights.channel import Channel, Update
    from app.weights.moving import Report


class Easel:
    """The parts of the program, made when they are first asked for and passed on from here.

    ``make_engine`` is what a session's child process draws with.
    """

    def __init__(
        self,
        folders: Folders,
        settings: Settings,
        settings_problem: SettingsDamaged | SettingsTooNew | None = None,
        make_engine: EngineFactory = make_engine,
    ) -> None:
        self.folders = folders
        self.settings = settings
        self.settings_problem = settings_problem
        self._make_engine = make_engine
        self._library: Library | None = None
        self._shelf: Shelf | None = None
        self._deliveries: Deliveries | None = None
        self._counters: dict[str, TokenCounter] = {}

    @property
    def library(self) -> Library:
        """Saves to the folder that is set, or where that fails to one of Easel's own."""
        if self._library is None:
            from app.library.library import Library

            self._library = Library(self._pictures(), self.folders.rescued)
        return self._library

    @property
    def shelf(self) -> Shelf:
        """What models can be installed and are; nothing goes online before it is asked to."""
        if self._shelf is None:
            from app.jobs.shelf import Shelf
            from app.weights.patience import HUB, Options

            self._shelf = Shelf(self.folders, Options(self.settings.mirror or HUB))
        return self._shelf

    def move_models(self, target: Path, report: Report, cancelled: Callable[[], bool]) -> bool:
        """Keep installed models in ``target`` (absolute) from now on; False when stopped.

        All of them are there, whole, before anything changes. Raises as
        ``weights.moving.copy_models`` does.
        """
        from app.weights import moving, receipts

        old = self.shelf.installed()
        if not moving.copy_models(old, target, report, cancelled):
            return False
        self.change_settings(replace(self.settings, models_folder=str(target)))
        self.folders = replace(self.folders, models=target)
        self._shelf = None
        for model in old:
            if not model.folder.is_relative_to(target):
                receipts.remove(model.folder)
        return True

    @property
    def update_channel(self) -> Channel | None:
        """Whom to ask for a newer Easel; None in a build that knows nobody to ask."""
        from app.weights.channel import channel

        return channel(self.folders.updates)

    def find_update(self, source: Channel, cancelled: Callable[[], bool]) -> Update | None:
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

    def change_settings(self, settings: Settings) -> None:
        """Use ``settings`` from now on and write them. Raises FolderNotWritable, NoSpace."""
        self.settings = settings
        if self._library is not None:
            self._library.folder = self._pictures()
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

        models = {model.id: model for model in self._models()}
        if name is None:
            chosen = models.get(self.settings.model or "", next(iter(models.values()), None))
            return chosen or model_folder.starter(self.folders)
        if name in models:
            return models[name]
        folder = Path(name).expanduser().absolute()
        if not folder.is_dir():
            raise ModelMissing(name)
        return model_folder.read_model(folder)

    def vocabulary(self, model: Model) -> Vocabulary:
        """The words ``model`` knows; empty for a model that knows them all."""
        from app.engine import model_folder

        return model_folder.vocabulary(model)

    def token_counter(self, model: Model) -> TokenCounter:
        """Counts the tokens of prompts for ``model``."""
        if model.folder not in self._counters:
            from app.engine.prompt_tokens import TokenCounter

            self._counters[model.folder] = TokenCounter(model)
        return self._counters[model.folder]

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
            previews=True,
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
        from app.jobs.child_host import ChildHost
        from app.jobs.session import Session

        host = ChildHost(make_engine)
        return Session(host, keeps, self.models, journal, listener, previews=previews)

    def _pictures(self) -> Path:
        chosen = self.settings.pictures_folder
        return Path(chosen) if chosen else self.folders.pictures

    def _models(self) -> Iterator[Model]:
        """The starter, the installed ones that can be drawn with, then those opened."""
        from app.core.card import Kind
        from app.core.errors import ModelError
        from app.engine import model_folder
        from app.weights import receipts

        with contextlib.suppress(ModelError):  # ``model`` says why, to whoever wants to draw
            yield model_folder.starter(self.folders)
        for installed in receipts.installed(self.folders.installed):
            receipt = installed.receipt
            if receipt.kind is Kind.DIFFUSERS:
                with contextlib.suppress(ModelError):
                    yield model_folder.read_model(
                        installed.folder, id=receipt.id, title=receipt.title
                    )
        for opened in self.settings.opened_models:
            with contextlib.suppress(ModelError):  # a disk that is not plugged in is no fault
                yield model_folder.read_model(Path(opened))


def compose(environ: Mapping[str, str] = os.environ) -> Easel:
    """Find the folders and read the settings. Raises FileNotFoundError: parts of Easel missing."""
    folders = find_folders(environ)
    settings, problem = settings_file.load(folders.settings)
    if settings.models_folder:
        folders = replace(folders, models=Path(settings.models_folder))
    return Easel(folders, settings, problem)
