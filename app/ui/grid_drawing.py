"""Draws a grid: its pictures one by one, then the sheet that they are on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.core.errors import EaselError
from app.core.events import Cancelled, Failed, JobId
from app.core.grid import Grid
from app.core.resolve import resolve
from app.jobs.events import Saved, SessionEvent
from app.library.contact_sheet import ContactSheet, save_sheet
from app.library.library import Picture
from app.ui.background import Background
from app.ui.picture_actions import show_in_file_manager

if TYPE_CHECKING:
    from app.core.model import Model
    from app.core.recipe import Draft, Recipe
    from app.ui.grid_sheet import GridSheet
    from app.ui.main_window import MainWindow


@dataclass
class _Running:
    """A grid whose pictures are still coming: its cells by the jobs that draw them."""

    grid: Grid
    recipe: Recipe
    cells: dict[JobId, int]
    pictures: dict[int, Picture] = field(default_factory=dict)

    def sheet(self) -> ContactSheet:
        drawn = tuple(self.pictures.get(at) for at in range(self.grid.count))
        return ContactSheet(self.grid, self.recipe, drawn)


class GridDrawing(QObject):
    """Several may run one after the other. A cell that was stopped or failed stays empty."""

    def __init__(self, window: MainWindow, background: Background) -> None:
        super().__init__(window)
        self._window = window
        self._background = background
        self._running: list[_Running] = []
        window.studio.heard.connect(self._hear)

    def ask(self) -> GridSheet | None:
        """Open the sheet that asks what is varied; None where there is no model."""
        from app.ui.grid_sheet import GridSheet

        window, model = self._window, self._window.model()
        if model is None:
            window.notices.uncover()
            return None
        sheet = GridSheet(window.theme, model.limits, window.inspector.seed.seed, window)
        sheet.wanted.connect(lambda grid: self._wanted(grid, model, sheet))
        sheet.open()
        return sheet

    def draw(self, grid: Grid, draft: Draft, model: Model) -> None:
        """Queue every picture of ``grid``, or none. Raises RecipeProblem."""
        drafts = grid.drafts(draft)
        recipes = [resolve(one, model)[0] for one in drafts]
        jobs = [job for one in drafts for job in self._window.studio.draw(one, model)]
        cells = {job.id: at for at, job in enumerate(jobs)}
        self._running.append(_Running(grid, recipes[0], cells))

    def _wanted(self, grid: Grid, model: Model, sheet: GridSheet) -> None:
        try:
            self.draw(grid, self._window.form.draft(), model)
        except EaselError as error:
            sheet.complain(error)
            return
        sheet.accept()
        self._window.notices.uncover()

    def _hear(self, event: SessionEvent) -> None:
        match event:
            case Saved(job, picture, _):
                self._ended(job.id, picture)
            case Cancelled(id) | Failed(id, _):
                self._ended(id, None)
            case _:
                pass

    def _ended(self, job: JobId, picture: Picture | None) -> None:
        running = next((one for one in self._running if job in one.cells), None)
        if running is None:
            return
        at = running.cells.pop(job)
        if picture is not None:
            running.pictures[at] = picture
        if not running.cells:
            self._running.remove(running)
            if len(running.pictures) > 1:
                self._save(running.sheet())

    def _save(self, sheet: ContactSheet) -> None:
        easel = self._window.easel
        folders = (easel.library.folder, easel.library.fallback)
        self._background.run(
            lambda: save_sheet(sheet, folders, datetime.now().astimezone()),
            self._saved,
            self._window.complain,
        )

    def _saved(self, file: Path) -> None:
        self._window.toast(
            "The grid is drawn, and a sheet of all of it saved",
            "Show",
            lambda: show_in_file_manager(file),
        )
