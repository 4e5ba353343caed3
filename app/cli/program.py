"""What the commands need of the rest of Easel; ``app.compose.Easel`` has it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.core.errors import SettingsDamaged, SettingsTooNew
from app.core.folders import Folders
from app.core.model import Model
from app.jobs.saver import Keeps
from app.jobs.session import Session
from app.library.gallery import Gallery
from app.library.library import Library
from app.library.starts import Kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.jobs.conversions import Conversion
    from app.jobs.shelf import Shelf
    from app.weights.moving import Report


class Program(Protocol):
    """Built once for one run of a command."""

    folders: Folders
    settings_problem: SettingsDamaged | SettingsTooNew | None

    @property
    def library(self) -> Library: ...

    @property
    def gallery(self) -> Gallery: ...

    @property
    def shelf(self) -> Shelf: ...

    def models(self) -> tuple[Model, ...]: ...

    def model(self, name: str | None = None) -> Model: ...

    def conversions(self, source: str) -> tuple[Conversion, ...]: ...

    def move_models(self, target: Path, report: Report, cancelled: Callable[[], bool]) -> bool: ...

    def keep_start(self, source: Path | bytes) -> Kept: ...

    def open_session(self, keeps: Keeps, *, checked: bool = False) -> Session: ...
