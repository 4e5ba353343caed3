"""One line of the settings: a name, a control, what it is for, and the way back to the usual."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.errors import EaselError
from app.messages import Message, describe
from app.ui.controls.button import Button
from app.ui.controls.words import Words
from app.ui.theme import Theme
from app.ui.tokens import HALO

NAME_WIDTH = 118


class SettingRow(QWidget):
    """``control`` beside its ``title``; under it ``about``, and what is wrong with the setting.

    ``reset_wanted``: the person wants the usual value back, which is offered while
    ``show_changed(True)``.
    """

    reset_wanted = Signal()

    def __init__(self, theme: Theme, title: str, about: str, control: QWidget) -> None:
        super().__init__()
        self.title = title
        self.control = control
        name = Words(theme, title, "medium", "text", wrap=True)
        name.setFixedWidth(NAME_WIDTH)
        name.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        name.setContentsMargins(0, HALO + 7, 0, 0)
        self.about = Words(theme, about, "secondary", "dim", wrap=True)
        self.trouble = Words(theme, "", "secondary", "bad", wrap=True)
        self.trouble.hide()
        self.reset = Button(theme, "Reset", "link")
        self.reset.setAccessibleName(f"Reset: {title}")
        self.reset.setToolTip("Back to the usual")
        self.reset.clicked.connect(self.reset_wanted)
        self.reset.hide()
        control.setAccessibleDescription(about)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(control, 1)
        head.addWidget(self.reset)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        for words in (self.about, self.trouble):
            words.setContentsMargins(HALO, 0, HALO, 0)
            column.addWidget(words)
        self.about.setVisible(bool(about))
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(14)
        whole.addWidget(name, 0, Qt.AlignmentFlag.AlignTop)
        whole.addLayout(column, 1)

    def show_changed(self, changed: bool) -> None:
        """Whether the value is another than the usual."""
        if not changed and self.reset.hasFocus():
            self.control.setFocus()
        self.reset.setVisible(changed)

    def say(self, about: str) -> None:
        """Other words under the control."""
        self.about.setText(about)
        self.about.setVisible(bool(about))
        self.control.setAccessibleDescription(about)

    def complain(self, wrong: EaselError | Message | None) -> None:
        """Say what is wrong and what to do; None takes it back."""
        self.trouble.setVisible(wrong is not None)
        if wrong is not None:
            message = wrong if isinstance(wrong, Message) else describe(wrong)
            self.trouble.setText(f"{message.body} {message.next_step}".strip())
            self.trouble.setAccessibleName(f"{self.title}: {message}")


class Beside(QWidget):
    """A control of several: words or a field, and buttons beside them."""

    def __init__(self, first: QWidget, *others: QWidget, stretched: bool = True) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(first, 1 if stretched else 0)
        for other in others:
            row.addWidget(other)
        if not stretched:
            row.addStretch(1)
        self.setFocusProxy(others[0] if others else first)
