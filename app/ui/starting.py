"""Starting from a picture: the panel, the ways a picture comes in, and painting a part of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from app.core.errors import PictureUnreadable
from app.core.model import Feature, Model
from app.core.recipe import Size, Start
from app.library.starts import Kept
from app.ui.background import Background
from app.ui.mask_editor import MaskEditor
from app.ui.prompt_bar import PromptBar
from app.ui.start_intake import Keep, PictureDrop, StartIntake, Taken, has_picture, on_clipboard
from app.ui.start_picture import AMOUNTS, StartPanel
from app.ui.theme import Theme

LOW = 420
"""Pixels; a lower canvas has no room for a picture between the brush's tools."""


class Starting(QObject):
    """Puts "Start from a picture" into the prompt bar of a window, and the mask over its canvas.

    ``problem`` carries an EaselError, ``said`` a word for the person.
    """

    problem = Signal(object)
    said = Signal(str)
    editing_changed = Signal(bool)

    def __init__(
        self,
        theme: Theme,
        window: QWidget,
        prompt: PromptBar,
        canvas: QWidget,
        keep: Keep,
        background: Background,
    ) -> None:
        super().__init__(window)
        self._theme = theme
        self._window = window
        self._prompt = prompt
        self._canvas = canvas
        self._keep = keep
        self._background = background
        self._then_redraw = self._folded = False
        self.editor: MaskEditor | None = None
        self.intake = StartIntake(keep, background, self)
        self.panel = StartPanel(theme)
        self.fold = prompt.add_panel(
            "Start from a picture", self.panel, "Draw over a picture, or over a part of it"
        )
        viewports = (prompt.editor.viewport(), prompt.negative.viewport())
        self.drop = PictureDrop(theme, window, self.intake, viewports)
        self._connect()

    def _connect(self) -> None:
        self.intake.taken.connect(self._taken)
        self.intake.problem.connect(self._not_taken)
        self.panel.choose.connect(lambda: self.intake.choose(self._window))
        self.panel.paste.connect(self.paste)
        self.panel.changed.connect(self._tell_prompt)
        self.panel.redraw_part.connect(self.redraw_part)
        self.fold.opened.connect(self._tell_prompt)
        self.fold.closed.connect(self._tell_prompt)
        self._prompt.start_changed.connect(self._prompt_told)
        for editor in (self._prompt.editor, self._prompt.negative):
            editor.installEventFilter(self)
        self._canvas.installEventFilter(self)
        pasted = QShortcut(QKeySequence(QKeySequence.StandardKey.Paste), self._canvas)
        pasted.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        pasted.activated.connect(self.paste)

    # What may be asked

    def set_model(self, model: Model | None) -> None:
        """Offer what ``model`` can do."""
        features = model.limits.features if model is not None else frozenset[Feature]()
        can = Feature.IMAGE_TO_IMAGE in features
        self.fold.link.setVisible(can)
        self.panel.set_can_redraw(Feature.INPAINTING in features)
        if not can:
            self.stop_editing()
            self.panel.clear()
            self.fold.close_panel()

    def set_shape(self, size: Size | None) -> None:
        """The size that will be drawn."""
        if size is not None:
            self.panel.set_shape(size)

    def start_from(self, file: Path, redraw: bool = False) -> None:
        """Start from the picture in ``file``; with ``redraw`` paint a part of it next."""
        self._then_redraw = redraw
        self.intake.take_file(file)

    def choose(self) -> None:
        """Ask for a picture to start from."""
        self.intake.choose(self._window)

    def paste(self) -> None:
        """Start from the picture on the clipboard, or say that there is none."""
        if not self.intake.paste():
            self.said.emit("There is no picture on the clipboard")

    def redraw_part(self) -> None:
        """Paint over a part of the picture that is there."""
        kept, part = self.panel.kept, self.panel.part
        if kept is not None:
            self._background.run(
                lambda: _open(kept, part), lambda opened: self._edit(*opened), self.problem.emit
            )

    # A picture comes in

    def _taken(self, taken: Taken) -> None:
        self.stop_editing()
        self.panel.set_taken(taken)
        self.fold.open_panel()
        self._prompt.editor.setFocus()
        if self._then_redraw:
            self._then_redraw = False
            self.redraw_part()

    def _not_taken(self, error: object) -> None:
        self._then_redraw = False
        if self._prompt.start() is not None and self.panel.start() is None:
            self._prompt.set_start(None)  # a recipe's starting picture that has gone
        self.problem.emit(error)

    def _tell_prompt(self) -> None:
        # Folded away it is still used, and its link says so.
        self.fold.set_note(self.panel.name)
        self._prompt.set_start(self.panel.start())

    def _prompt_told(self) -> None:
        told = self._prompt.start()
        if told == self.panel.start():
            return
        if told is None:
            self.panel.clear()
        else:
            self._take_recipes(told)

    def _take_recipes(self, start: Start) -> None:
        self._then_redraw = False
        self.intake.take_again(start)

    # Painting a part

    def _edit(self, picture: QImage, mask: QImage | None) -> None:
        self.stop_editing()
        editor = MaskEditor(self._theme, picture, mask, self._canvas.parentWidget())
        editor.finished.connect(self._painted)
        editor.given_up.connect(self.stop_editing)
        self._folded = self._canvas.height() < LOW and self.fold.is_open
        if self._folded:
            self.fold.close_panel()
        editor.setGeometry(self._canvas.geometry())
        editor.show()
        editor.raise_()
        editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self.editor = editor
        self.editing_changed.emit(True)

    def _painted(self, png: bytes) -> None:
        self.stop_editing()
        kept = self.panel.kept
        if kept is not None:
            self._background.run(
                lambda: self._keep(png), partial(self._masked, kept), self.problem.emit
            )

    def _masked(self, of: Kept, mask: Kept) -> None:
        if self.panel.kept != of:
            return  # another picture has come meanwhile
        if self.panel.part is None:
            self.panel.set_strength(AMOUNTS[-1][1])  # a part is painted to become something else
        self.panel.set_part(mask)
        self._prompt.editor.setFocus()

    def stop_editing(self) -> None:
        """Put the brush away; nothing of the mask changes."""
        editor, self.editor = self.editor, None
        if editor is not None:
            editor.hide()
            editor.deleteLater()
            if self._folded:
                self.fold.open_panel()
            self.editing_changed.emit(False)

    # Qt's own

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        if watched is self._canvas:
            if self.editor is not None and event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
                self.editor.setGeometry(self._canvas.geometry())
            return False
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._pastes_a_picture(event) and self.intake.paste()
        return False

    def _pastes_a_picture(self, event: QKeyEvent) -> bool:
        if not event.matches(QKeySequence.StandardKey.Paste):
            return False
        mime = on_clipboard()
        return mime is not None and has_picture(mime) and not mime.hasFormat("text/plain")


def _open(kept: Kept, part: Kept | None) -> tuple[QImage, QImage | None]:
    picture = QImage(str(kept.file))
    if picture.isNull():
        raise PictureUnreadable(str(kept.file), "damaged" if kept.file.exists() else "missing")
    return picture, None if part is None else QImage(str(part.file))
