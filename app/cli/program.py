"""What the commands need of the rest of Easel; ``app.compose.Easel`` has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from app.core.errors import SettingsDamaged, SettingsTooNew
from app.core.folders import Folders
from app.core.model import Model
from app.engine.contract import EngineFactory
from app.jobs.events import Listener
from app.jobs.host import Host
from app.jobs.saver import Keeps
from app.jobs.session import Session
from app.library.library import Library
from app.library.starts import Kept


class Program(Protocol):
    """Built once for one run of a command."""

    folders: Folders
    settings_problem: SettingsDamaged | SettingsTooNew | None

    @property
    def library(self) -> Library: ...

    def models(self) -> tuple[Model, ...]: ...

    def model(self, name: str | None = None) -> Model: ...

    def keep_start(self, source: Path | bytes) -> Kept: ...

    def make_session(
        self,
        listener: Listener | None = None,
        *,
        library: Keeps | None = None,
        journal: bool = False,
        previews: bool = True,
        make_host: Callable[[EngineFactory], Host] | None = None,
    ) -> Session: ...
