"""Naming a preset, and the list in which presets are renamed and deleted."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.core.errors import EaselError
from app.library.presets import Preset, Presets
from app.messages import describe
from app.ui.controls.button import Button
from app.ui.controls.field import Field
from app.ui.controls.words import Words
from app.ui.sheet import EDGE, Sheet
from app.ui.theme import Theme
from app.ui.tokens import HALO

_ABOUT = (
    "Everything in the form: the prompt, what to avoid and all controls; the seed too where it "
    "is held. A starting picture is not part of it."
)


class NameSheet(Sheet):
    """Asks under which name the form is kept. ``named`` carries the name."""

    named = Signal(str)

    def __init__(self, theme: Theme, offered: str, taken: set[str], parent: QWidget) -> None:
        super().__init__(theme, "Save as preset", _ABOUT, parent)
        self._taken = taken
        self.name = Field(theme, "Name of the preset", "A name")
        self.name.edit.setText(offered)
        self.name.edit.selectAll()
        self.name.edit.textChanged.connect(self._typed)
        self.name.edit.returnPressed.connect(self._save)
        self.column.addSpacing(8)
        self.column.addWidget(self.name)
        self.cancel_button = Button(theme, "Cancel", "quiet")
        self.cancel_button.clicked.connect(self.reject)
        self.save_button = Button(theme, "Save", "action")
        self.save_button.clicked.connect(self._save)
        self.foot.addStretch(1)
        self.foot.addWidget(self.cancel_button)
        self.foot.addWidget(self.save_button)
        self.end()
        self.resize(420, 100)
        self.fit()
        self._typed()
        self.name.edit.setFocus()

    def _typed(self) -> None:
        self.save_button.setEnabled(bool(self.name.text()))
        self.save_button.set_text("Replace" if self.name.text() in self._taken else "Save")

    def _save(self) -> None:
        if self.name.text():
            self.named.emit(self.name.text())


class PresetsWindow(QDialog):
    """Presets by name, to use, rename and delete. ``chosen`` carries the one to use."""

    chosen = Signal(object)
    changed = Signal()

    def __init__(self, theme: Theme, presets: Presets, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._presets = presets
        self.setWindowTitle("Presets")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.lines: list[PresetLine] = []
        self._empty = Words(
            theme, "No presets yet. Save the form as one, and it is here.", "body", "dim", wrap=True
        )
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.trouble = Words(theme, "", "secondary", "bad", wrap=True)
        inside = QWidget()
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(0, 4, 12, 4)
        self._list.setSpacing(2)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        for layer in (scroll.viewport(), inside):
            layer.setAutoFillBackground(False)
        done = Button(theme, "Done", "quiet")
        done.clicked.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(EDGE - HALO, 24, EDGE - 12, 20)
        column.setSpacing(6)
        title = Words(theme, "Presets", "title")
        for words in (title, self.trouble):
            words.setContentsMargins(HALO, 0, HALO, 0)
        column.addWidget(title)
        column.addWidget(self._empty, 1)
        column.addWidget(scroll, 1)
        column.addWidget(self.trouble)
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 0, 12 - HALO, 0)
        foot.addStretch(1)
        foot.addWidget(done)
        column.addLayout(foot)
        self._scroll = scroll
        self.resize(520, 400)
        self.refresh()

    def refresh(self) -> None:
        """List them anew."""
        while self._list.count():
            item = self._list.takeAt(0)
            widget = None if item is None else item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.lines = [PresetLine(self._theme, preset) for preset in self._presets.all()]
        for line in self.lines:
            line.used.connect(self.chosen)
            line.renamed.connect(self._rename)
            line.deleted.connect(self._delete)
            self._list.addWidget(line)
        self._list.addStretch(1)
        self._empty.setVisible(not self.lines)
        self._scroll.setVisible(bool(self.lines))
        self._complain(None)

    def _rename(self, preset: Preset, name: str) -> None:
        renamed = False

        def rename() -> None:
            nonlocal renamed
            renamed = self._presets.rename(preset.name, name)

        if self._try(rename):
            self.refresh()
            if not renamed:
                self._complain(f"There is a preset “{name}” already." if name else "")

    def _delete(self, preset: Preset) -> None:
        if self._try(lambda: self._presets.remove(preset.name)):
            self.refresh()

    def _try(self, change: Callable[[], None]) -> bool:
        try:
            change()
        except EaselError as error:
            message = describe(error)
            self._complain(f"{message.body} {message.next_step}")
            return False
        self.changed.emit()
        return True

    def _complain(self, words: str | None) -> None:
        self.trouble.setText(words or "")
        self.trouble.setVisible(bool(words))


class PresetLine(QWidget):
    """A name that can be edited in place, Use and Delete."""

    used = Signal(object)
    renamed = Signal(object, str)
    deleted = Signal(object)

    def __init__(self, theme: Theme, preset: Preset) -> None:
        super().__init__()
        self.preset = preset
        self.name = Field(theme, f"Name of the preset {preset.name}")
        self.name.edit.setText(preset.name)
        self.name.edit.editingFinished.connect(self._renamed)
        self.use = Button(theme, "Use", "quiet")
        self.use.setAccessibleName(f"Use {preset.name}")
        self.use.clicked.connect(lambda: self.used.emit(preset))
        self.delete = Button(theme, "Delete", "quiet")
        self.delete.setAccessibleName(f"Delete {preset.name}")
        self.delete.clicked.connect(lambda: self.deleted.emit(preset))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self.name, 1)
        row.addWidget(self.use)
        row.addWidget(self.delete)

    def _renamed(self) -> None:
        if self.name.edit.isModified() and self.name.text() != self.preset.name:
            self.name.edit.setModified(False)
            self.renamed.emit(self.preset, self.name.text())
