"""How far the picture is: which of how many, the step, the pace, the time left, a bar."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QProgressBar, QWidget

from app.ui.controls.drawing import body, box, start
from app.ui.controls.words import Words
from app.ui.item import Item, Stage
from app.ui.pace import seconds_text
from app.ui.theme import Theme

_SWEEP = 60


class ProgressBar(QProgressBar):
    """A thin bar; a light runs along it while there is nothing to count."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.setTextVisible(False)
        self.setAccessibleName("Progress")
        self.setFixedHeight(4)
        self._phase = 0
        self._sweep = QTimer(self)
        self._sweep.setInterval(33)
        self._sweep.timeout.connect(self._advance)
        theme.changed.connect(self.update)

    def count(self, done: int, of: int) -> None:
        """``done`` of ``of``; nothing to count yet for ``of`` 0."""
        self.setUpdatesEnabled(False)  # Qt's own bar would paint at once, and then again
        self.setRange(0, of)
        self.setValue(done)
        self.setUpdatesEnabled(True)
        self._run()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        colour = self.theme.colour
        whole = self.rect().toRectF()
        box(painter, whole, colour("sunken"), None, 2)
        filled = self.rect().toRectF()
        if self.maximum() > 0:
            filled.setWidth(whole.width() * self.value() / self.maximum())
        else:
            filled.setWidth(whole.width() / 4)
            travel = whole.width() * 3 / 4
            part = self._phase / _SWEEP if self.theme.motion_ms else 0.0
            filled.moveLeft(travel * (2 * part if part <= 0.5 else 2 - 2 * part))
        if filled.width() > 0:
            box(painter, filled, colour("accent"), None, 2)
        painter.end()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        super().showEvent(event)
        self._run()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 (Qt's name)
        super().hideEvent(event)
        self._sweep.stop()

    def _run(self) -> None:
        if self.maximum() == 0 and self.isVisible() and self.theme.motion_ms:
            if not self._sweep.isActive():
                self._sweep.start()
        else:
            self._sweep.stop()

    def _advance(self) -> None:
        self._phase = (self._phase + 1) % _SWEEP
        self.update()


class ProgressCard(QWidget):
    """Lies on the canvas while a picture is drawn."""

    HEIGHT = 52

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self._which = Words(theme, "", "medium")
        self._how_far = Words(theme, "", "secondary", "dim")
        self.bar = ProgressBar(theme)
        grid = QGridLayout(self)
        grid.setContentsMargins(18, 12, 18, 14)
        grid.setVerticalSpacing(8)
        grid.addWidget(self._which, 0, 0)
        grid.addWidget(self._how_far, 0, 1)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self.bar, 1, 0, 1, 2)
        theme.changed.connect(self.update)
        self.hide()

    def show_item(self, item: Item) -> None:
        """Say how far ``item`` is."""
        job = item.job
        self._which.setText(f"Picture {job.index} of {job.of}" if job.of > 1 else headline(item))
        self._how_far.setText(how_far(item))
        self.setAccessibleName(f"{self._which.text()}. {self._how_far.text()}")
        counted = item.stage in (Stage.DRAWING, Stage.FINISHING)
        self.bar.count(item.step if counted else 0, item.steps if counted else 0)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        at = body(self)
        box(painter, at, self.theme.colour("surface"), self.theme.colour("line"), 10.0)
        painter.end()


def headline(item: Item) -> str:
    """What is going on, for a picture that is alone."""
    return "Getting ready" if item.stage is Stage.LOADING else "Drawing"


def how_far(item: Item) -> str:
    """ "Step 11 of 20 · 0.62 s a step · 6 s left", as far as it is known."""
    if item.stage is Stage.WAITING:
        return "Waits for its turn"
    if item.stage is Stage.LOADING:
        return "The model is being read"
    if item.stage is Stage.FINISHING:
        return "The last touch"
    parts = [f"Step {item.step} of {item.steps}"]
    pace = item.seconds_a_step()
    if pace is not None:
        parts.append(f"{pace:.2f} s a step" if pace < 0.995 else f"{seconds_text(pace)} a step")
        left = pace * (item.steps - item.step)
        parts.append(f"{seconds_text(left, whole=True)} left")
    return " · ".join(parts)
