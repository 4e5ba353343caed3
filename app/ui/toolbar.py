"""The bar on top: which model draws, which view is seen, and the switch of the inspector."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from app.core.model import Model
from app.ui import icons
from app.ui.controls.button import DrawnButton, IconButton
from app.ui.controls.drawing import body, box, halo, start
from app.ui.controls.segments import Segments
from app.ui.theme import Theme
from app.ui.tokens import CONTROL, HALO, TOOLBAR

_WIDEST = 340


class ModelButton(DrawnButton):
    """Shows the model and a word about it; opens the menu of models."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Model")
        self._title, self._note = "No model", ""
        self.setFont(theme.font("medium"))
        self.setToolTip("The model that draws")

    def show_model(self, title: str, note: str) -> None:
        self._title, self._note = title, note
        self.setAccessibleName(f"Model: {title}{f', {note}' if note else ''}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        width = self.fontMetrics().horizontalAdvance(self._title) + 46
        if self._note:
            width += 8 + self._note_width()
        return QSize(min(_WIDEST, width) + 2 * HALO, CONTROL + 2 * HALO)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(120, CONTROL + 2 * HALO)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        at, colour = body(self), self.theme.colour
        lit = self.hovered or self.isDown()
        box(painter, at, colour("surface"), colour("ghost" if lit else "line"))
        if self.keyboard_focus:
            halo(painter, at, self.theme)
        room = at.adjusted(12, 0, -30, 0)
        note = self._note_width() + 8 if self._note else 0
        title = self.fontMetrics().elidedText(
            self._title, Qt.TextElideMode.ElideMiddle, max(40, int(room.width() - note))
        )
        painter.setPen(colour("text"))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(room, middle, title)
        if self._note:
            painter.setFont(self.theme.font("secondary"))
            painter.setPen(colour("dim"))
            left = room.left() + self.fontMetrics().horizontalAdvance(title) + 8
            painter.drawText(QRectF(left, at.top(), note + 4, at.height()), middle, self._note)
        arrow = QRectF(at.right() - 25, at.center().y() - 7.5, 16, 16)
        icons.paint(painter, "chevron", arrow, colour("dim"))
        painter.end()

    def _note_width(self) -> int:
        from PySide6.QtGui import QFontMetrics

        return QFontMetrics(self.theme.font("secondary")).horizontalAdvance(self._note)


class Toolbar(QWidget):
    """``model_chosen`` carries the Model that was picked.

    ``models_wanted`` asks for the Models window, ``folder_wanted`` for a folder from elsewhere.
    """

    model_chosen = Signal(object)
    folder_wanted = Signal()
    models_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.setFixedHeight(TOOLBAR)
        self.models: Sequence[Model] = ()
        self._chosen: Model | None = None
        self.model_button = ModelButton(theme)
        self.model_button.clicked.connect(self.open_menu)
        self.inspector_button = IconButton(theme, "panel", "Hide the controls", 32)
        self.inspector_button.setCheckable(True)
        self.inspector_button.setChecked(True)
        self.inspector_button.toggled.connect(self._relabel)
        kept = self.inspector_button.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self.inspector_button.setSizePolicy(kept)
        self.views = Segments(theme, "View", ("Draw", "Gallery"))
        self.views.choose(0)
        row = QHBoxLayout(self)
        row.setContentsMargins(20 - HALO, 0, 16 - HALO, 1)
        row.addWidget(self.model_button)
        row.addStretch(1)
        row.addWidget(self.views, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addSpacing(6)
        row.addWidget(self.inspector_button)

    def show_models(self, models: Sequence[Model], chosen: Model | None) -> None:
        """Offer ``models``, ``chosen`` ticked."""
        self.models, self._chosen = models, chosen
        if chosen is None:
            self.model_button.show_model("No model", "")
        else:
            self.model_button.show_model(chosen.title, model_note(chosen))

    def show_view(self, view: int) -> None:
        """Which view is seen; the controls belong to drawing."""
        self.views.choose(view)
        self.inspector_button.setVisible(view == 0)

    def menu(self) -> QMenu:
        """The menu of models, made anew."""
        menu = QMenu(self)
        group = QActionGroup(menu)
        for model in self.models:
            note = model_note(model)
            action = QAction(f"{model.title}   ({note})" if note else model.title, menu)
            action.setCheckable(True)
            action.setChecked(self._chosen is not None and model.id == self._chosen.id)
            action.triggered.connect(lambda _on=False, m=model: self.model_chosen.emit(m))
            group.addAction(action)
            menu.addAction(action)
        if self.models:
            menu.addSeparator()
        getting = menu.addAction("Models…")
        getting.triggered.connect(self.models_wanted)
        opening = menu.addAction("Open a model folder…")
        opening.triggered.connect(self.folder_wanted)
        return menu

    def open_menu(self) -> None:
        menu = self.menu()
        menu.setMinimumWidth(self.model_button.width() - 2 * HALO)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.model_button.mapToGlobal(QPoint(HALO, self.model_button.height())))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        painter.setPen(QPen(self.theme.colour("line"), 1))
        painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)
        painter.end()

    def _relabel(self, shown: bool) -> None:
        self.inspector_button.set_icon(
            "panel" if shown else "panel hidden",
            "Hide the controls" if shown else "Show the controls",
        )


def model_note(model: Model) -> str:
    """A word or two about where ``model`` comes from."""
    return "built in" if model.built_in else model.family.value.upper()
