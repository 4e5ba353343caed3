"""Buttons: the action, the quiet one, the flat one in a pill, the link, the icon."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QEnterEvent, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.ui.controls.drawing import KeyboardFocus, body, box, halo, start
from app.ui.theme import Theme
from app.ui.tokens import ACTION, CONTROL, HALO


class DrawnButton(KeyboardFocus, QAbstractButton):
    """What all buttons share: theme, hover, the keyboard's halo, Return presses."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFont(theme.font("body"))
        theme.changed.connect(self.update)

    def keyPressEvent(self, event) -> None:  # type: ignore[no-untyped-def]  # noqa: N802
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
            return
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 (Qt's name)
        if event.type() in (QEvent.Type.EnabledChange, QEvent.Type.FontChange):
            self.updateGeometry()
        super().changeEvent(event)

    @property
    def hovered(self) -> bool:
        return self.isEnabled() and self.underMouse()


class Button(DrawnButton):
    """A button with words.

    ``kind`` is "action" (the accent; one a window), "soft" (the accent, whispered), "quiet" (a
    line around it), "flat" (nothing around it) or "link" (a word in a sentence or a row).
    ``hint`` is a shortcut shown after the words, dropped by ``show_hint(False)``.
    """

    def __init__(
        self,
        theme: Theme,
        text: str,
        kind: str = "quiet",
        hint: str = "",
        icon: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, text.lstrip("+− ").rstrip("…"), parent)
        self._kind = kind
        self._hint = hint
        self._hint_shown = True
        self._icon = icon
        self.setText(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor if kind == "link" else self.cursor())
        self._fit_font()

    @property
    def kind(self) -> str:
        return self._kind

    def set_kind(self, kind: str) -> None:
        self._kind = kind
        self._fit_font()
        self.updateGeometry()
        self.update()

    def set_text(self, text: str, name: str | None = None) -> None:
        """Other words; ``name`` is the accessible name where the words do not do."""
        self.setText(text)
        self.setAccessibleName(name or text)
        self.updateGeometry()
        self.update()

    def show_hint(self, shown: bool) -> None:
        if shown != self._hint_shown:
            self._hint_shown = shown
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        metrics = self.fontMetrics()
        width = metrics.horizontalAdvance(self.text())
        if self._hint and self._hint_shown:
            width += 9 + metrics.horizontalAdvance(self._hint)
        if self._icon:
            width += 22
        side = {"link": 4, "flat": 11, "soft": 11}.get(self._kind, 16)
        height = {"link": 22, "flat": 28, "soft": 28}.get(self._kind, ACTION)
        return QSize(width + 2 * side + 2 * HALO, height + 2 * HALO)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        at = body(self)
        radius = 6.0 if self._kind in ("flat", "soft", "link") else 8.0
        fill, line, ink = self._colours()
        if fill is not None or line is not None:
            box(painter, at, fill, line, radius)
        if self.keyboard_focus:
            halo(painter, at, self.theme, radius)
        self._paint_words(painter, at, ink)
        painter.end()

    def _paint_words(self, painter, at: QRectF, ink: QColor) -> None:  # type: ignore[no-untyped-def]
        metrics = self.fontMetrics()
        hint = self._hint if self._hint_shown else ""
        words = metrics.horizontalAdvance(self.text())
        whole = words + (9 + metrics.horizontalAdvance(hint) if hint else 0)
        whole += 22 if self._icon else 0
        left = at.center().x() - whole / 2
        if self._icon:
            from app.ui import icons

            icons.paint(painter, self._icon, QRectF(left, at.center().y() - 8, 16, 16), ink)
            left += 22
        painter.setPen(ink)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(left, at.top(), words + 2, at.height()), middle, self.text())
        if hint:
            faded = QColor(ink)
            faded.setAlphaF(0.72)
            painter.setPen(faded)
            painter.drawText(
                QRectF(left + words + 9, at.top(), at.width(), at.height()), middle, hint
            )

    def _colours(self) -> tuple[QColor | None, QColor | None, QColor]:
        colour = self.theme.colour
        if not self.isEnabled():
            fill = colour("sunken") if self._kind == "action" else None
            line = colour("line") if self._kind == "quiet" else None
            return fill, line, colour("ghost")
        if self._kind == "action":
            fill = colour("accent_lit") if self.hovered and not self.isDown() else colour("accent")
            return fill, None, colour("on_accent")
        if self._kind == "soft":
            lit = colour("accent", 46) if self.hovered else colour("soft")
            return lit, None, colour("text")
        if self._kind == "quiet":
            fill = colour("sunken") if self.hovered or self.isDown() else colour("surface")
            return fill, colour("line"), colour("text")
        if self._kind == "link":
            return None, None, colour("text") if self.hovered else colour("dim")
        return colour("sunken") if self.hovered else None, None, colour("text")

    def _fit_font(self) -> None:
        role = {"action": "strong", "link": "secondary", "flat": "secondary", "soft": "secondary"}
        self.setFont(self.theme.font(role.get(self._kind, "medium")))


class IconButton(DrawnButton):
    """A button that is an icon; ``name`` says what it does, in the tool tip too."""

    def __init__(
        self,
        theme: Theme,
        icon: str,
        name: str,
        size: int = CONTROL,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, name, parent)
        self._icon = icon
        self._size = size
        self.setToolTip(name)

    def set_icon(self, icon: str, name: str) -> None:
        self._icon = icon
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(self._size + 2 * HALO, self._size + 2 * HALO)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        at = body(self)
        colour = self.theme.colour
        if self.isChecked() or self.isDown() or self.hovered:
            box(painter, at, colour("sunken"), None, 7.0)
        if self.keyboard_focus:
            halo(painter, at, self.theme, 7.0)
        lit = self.isChecked() or self.hovered
        ink = colour("text" if lit else "dim") if self.isEnabled() else colour("ghost")
        middle = at.center()
        from app.ui import icons

        icons.paint(painter, self._icon, QRectF(middle.x() - 8, middle.y() - 8, 16, 16), ink)
        painter.end()

    def enterEvent(self, event: QEnterEvent) -> None:  # noqa: N802 (Qt's name)
        super().enterEvent(event)
        self.update()
