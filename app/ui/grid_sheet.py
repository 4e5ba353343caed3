"""Asks for a grid: which two things are varied, and over which values."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.core.errors import RecipeProblem
from app.core.grid import MOST, Axis, Grid
from app.core.model import Limits
from app.core.recipe import SEEDS, Scheduler
from app.ui.controls.button import Button
from app.ui.controls.field import Field
from app.ui.controls.segments import Segments
from app.ui.controls.tick import Tick
from app.ui.controls.words import Words
from app.ui.sheet import Sheet
from app.ui.theme import Theme
from app.ui.tokens import HALO

_ABOUT = (
    "Draws what the form says with two things varied against each other: the pictures one by one, "
    "and all of them on one sheet with their values beside them."
)
_SEEDS = 4
_GUIDANCES = (3.0, 5.0, 7.5, 10.0)
_PART = 0.5
"""Of the usual steps: a grid of steps begins there and ends at twice as many."""


class GridSheet(Sheet):
    """``wanted`` carries the Grid. ``seed`` is the first of the seeds."""

    wanted = Signal(object)

    def __init__(self, theme: Theme, limits: Limits, seed: int, parent: QWidget) -> None:
        super().__init__(theme, "Draw a grid", _ABOUT, parent)
        self._limits = limits
        self._seed = seed
        self.kind = Segments(theme, "Grid", ("Seeds and guidance", "Samplers and steps"))
        self.kind.chosen.connect(lambda _index: self._show_kind())
        self.column.addSpacing(8)
        self.column.addWidget(self.kind)
        self.seeds = self._field("How many seeds", str(_SEEDS))
        low = [value for value in _GUIDANCES if value <= limits.max_guidance]
        self.guidances = self._field(
            "Values of guidance", ", ".join(f"{value:g}" for value in low or [limits.guidance])
        )
        self.steps = self._field("Numbers of steps", ", ".join(map(str, _usual_steps(limits))))
        self.samplers = [Tick(theme, scheduler.value) for scheduler in limits.schedulers]
        for at, tick in enumerate(self.samplers):
            tick.setChecked(at < 4)
            tick.clicked.connect(lambda _on: self._count())
        self._first = _page(
            ("Seeds, from the one in the form on", self.seeds),
            ("Follow the prompt", self.guidances),
            theme=theme,
        )
        self._second = _page(
            ("Samplers", _ticks(self.samplers)), ("Steps", self.steps), theme=theme
        )
        self.column.addWidget(self._first)
        self.column.addWidget(self._second)
        self.total = Words(theme, "", "secondary", "dim", wrap=True)
        self.add(self.total)
        self.cancel_button = Button(theme, "Cancel", "quiet")
        self.cancel_button.clicked.connect(self.reject)
        self.draw_button = Button(theme, "Draw", "action")
        self.draw_button.clicked.connect(self._draw)
        self.foot.addStretch(1)
        self.foot.addWidget(self.cancel_button)
        self.foot.addWidget(self.draw_button)
        self.end()
        self.resize(460, 200)
        self.kind.choose(0)
        self._show_kind()

    def grid(self) -> Grid:
        """What is asked for. Raises RecipeProblem where it cannot be drawn."""
        limits = self._limits
        if self.kind.index() == 0:
            count = _whole("count", self.seeds.text(), 1, MOST)
            seeds = tuple((self._seed + at) % SEEDS for at in range(count))
            guidances = _reals("guidance", self.guidances.text(), 1.0, limits.max_guidance)
            grid = Grid(Axis.SEED, seeds, Axis.GUIDANCE, guidances)
        else:
            ticked = [tick.text() for tick in self.samplers if tick.isChecked()]
            schedulers = tuple(Scheduler(name) for name in ticked)
            if not schedulers:
                raise RecipeProblem("scheduler", "", ", ".join(limits.schedulers))
            listed = _parts(self.steps.text())
            steps = tuple(
                dict.fromkeys(
                    _whole("steps", one, limits.min_steps, limits.max_steps) for one in listed
                )
            )
            grid = Grid(Axis.SCHEDULER, schedulers, Axis.STEPS, steps)
        if grid.count > MOST:
            raise RecipeProblem("count", str(grid.count), f"1 to {MOST}")
        return grid

    def _show_kind(self) -> None:
        self._first.setVisible(self.kind.index() == 0)
        self._second.setVisible(self.kind.index() == 1)
        self._count()

    def _count(self) -> None:
        self.complain(None)
        try:
            grid = self.grid()
        except RecipeProblem:
            self.total.setText("")
            return
        rows, columns = len(grid.rows), len(grid.columns)
        pictures = "One picture" if grid.count == 1 else f"{grid.count} pictures"
        self.total.setText(f"{pictures}: {rows} down, {columns} across.")
        self.fit()

    def _draw(self) -> None:
        try:
            grid = self.grid()
        except RecipeProblem as error:
            self.complain(error)
            return
        self.wanted.emit(grid)

    def _field(self, name: str, text: str) -> Field:
        field = Field(self.theme, name)
        field.edit.setText(text)
        field.edit.textChanged.connect(lambda _text: self._count())
        field.edit.returnPressed.connect(self._draw)
        return field


def _page(*rows: tuple[str, QWidget], theme: Theme) -> QWidget:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 6, 0, 0)
    column.setSpacing(2)
    for title, control in rows:
        words = Words(theme, title, "label", "dim")
        words.setContentsMargins(HALO, 6, 0, 0)
        column.addWidget(words)
        column.addWidget(control)
    return page


def _ticks(ticks: list[Tick]) -> QWidget:
    made = QWidget()
    grid = QGridLayout(made)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setVerticalSpacing(0)
    half = (len(ticks) + 1) // 2
    for at, tick in enumerate(ticks):
        grid.addWidget(tick, at % half, at // half, Qt.AlignmentFlag.AlignLeft)
    return made


def _usual_steps(limits: Limits) -> tuple[int, ...]:
    wanted = (round(limits.steps * _PART), limits.steps, limits.steps * 2)
    return tuple(
        dict.fromkeys(min(max(steps, limits.min_steps), limits.max_steps) for steps in wanted)
    )


def _parts(text: str) -> list[str]:
    return [part for part in text.replace(";", ",").replace(",", " ").split() if part] or [""]


def _whole(field: str, text: str, low: int, high: int) -> int:
    if text.isascii() and text.isdigit() and len(text) < 7 and low <= int(text) <= high:
        return int(text)
    raise RecipeProblem(field, text[:80], f"{low} to {high}")


def _reals(field: str, text: str, low: float, high: float) -> tuple[float, ...]:
    numbers = []
    for part in _parts(text):
        try:
            number = float(part)
        except ValueError:
            number = -1.0
        if not low <= number <= high:
            raise RecipeProblem(field, part[:80], f"{low:g} to {high:g}")
        numbers.append(number)
    return tuple(dict.fromkeys(numbers))
