"""The seed: a number in a field, with dice that draw another and a lock that holds it."""

from __future__ import annotations

import secrets

from PySide6.QtCore import QEvent, QObject, QSize, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.core.recipe import SEEDS
from app.ui.controls.button import IconButton
from app.ui.controls.drawing import body, box, halo, start
from app.ui.theme import Theme
from app.ui.tokens import CONTROL, HALO


class SeedField(QWidget):
    """Holds the seed of the next picture.

    Unlocked, each Generate takes a new one (``take``), except after the dice or an edit: what
    was asked for is used once. Locked, it stays.
    """

    changed = Signal()
    taken = Signal()
    """There is another seed, and nobody asked for it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._seed = secrets.randbelow(SEEDS)
        self._asked_for = False
        self._locked = False
        self.edit = QLineEdit()
        self.edit.setAccessibleName("Seed")
        self.edit.setFrame(False)
        self.edit.setFont(theme.font("body"))
        self.edit.setObjectName("bare")
        self.edit.editingFinished.connect(self._typed)
        self.edit.installEventFilter(self)
        self.dice = IconButton(theme, "dice", "Another seed", 24)
        self.dice.clicked.connect(self.roll)
        self.lock = IconButton(theme, "lock open", "Hold this seed", 24)
        self.lock.setCheckable(True)
        self.lock.toggled.connect(self.set_locked)
        row = QHBoxLayout(self)
        row.setContentsMargins(HALO + 8, HALO, HALO, HALO)
        row.setSpacing(0)
        row.addWidget(self.edit, 1)
        row.addWidget(self.dice)
        row.addWidget(self.lock)
        self.setFixedHeight(CONTROL + 2 * HALO)
        theme.changed.connect(self.update)
        self._show()

    @property
    def seed(self) -> int:
        return self._seed

    @property
    def locked(self) -> bool:
        return self._locked

    def take(self) -> int:
        """The seed to draw with now; unlocked and not asked for, a new one."""
        if not self._locked and not self._asked_for:
            self._seed = secrets.randbelow(SEEDS)
            self._show()
            self.taken.emit()
        self._asked_for = False
        return self._seed

    def set_seed(self, seed: int) -> None:
        """Ask for ``seed``: the next picture has it."""
        self._seed, self._asked_for = seed, True
        self._show()
        self.changed.emit()

    def show_seed(self, seed: int) -> None:
        """Show ``seed`` without asking for it."""
        self._seed = seed
        self._show()

    def set_locked(self, locked: bool) -> None:
        if locked == self._locked:
            return
        self._locked = locked
        self.lock.setChecked(locked)
        if locked:
            self.lock.set_icon("lock", "Let the seed change with each picture")
        else:
            self.lock.set_icon("lock open", "Hold this seed")
        self.changed.emit()

    def roll(self) -> None:
        """Draw another seed."""
        self.set_seed(secrets.randbelow(SEEDS))

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(180, CONTROL + 2 * HALO)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        if watched is self.edit and event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.update()
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        at = body(self)
        box(painter, at, self.theme.colour("surface"), self.theme.colour("line"))
        if self.edit.hasFocus():
            halo(painter, at, self.theme)
        painter.end()

    def _typed(self) -> None:
        if not self.edit.isModified():
            return
        self.edit.setModified(False)
        digits = "".join(c for c in self.edit.text() if not c.isspace())
        if digits.isascii() and digits.isdigit() and int(digits) < SEEDS:
            self.set_seed(int(digits))
            self.set_locked(True)
        else:
            self._show()

    def _show(self) -> None:
        self.edit.setText(f"{self._seed:,}".replace(",", "\N{NO-BREAK SPACE}"))
        self.edit.setCursorPosition(0)
