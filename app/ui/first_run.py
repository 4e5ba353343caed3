"""What the canvas says before the first picture of a session."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QLinearGradient,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.model import Model
from app.ui.controls.button import Button
from app.ui.controls.drawing import start
from app.ui.controls.words import Words
from app.ui.theme import Theme

_CARD = 84
_GAP = 14
WIDEST = 540


class FirstRun(QWidget):
    """Says what this model draws, offers prompts to try and the way to a larger model."""

    prompt_chosen = Signal(str)
    folder_wanted = Signal()
    models_wanted = Signal()
    surprise_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.sketches = _Sketches(theme)
        self._title = Words(theme, "", "title")
        centre = Qt.AlignmentFlag.AlignHCenter
        self._title.setAlignment(centre)
        self._about = Words(theme, "", "body", "dim", wrap=True)
        self._about.setAlignment(centre)
        self._examples = Words(theme, "", "body", "dim", rich=True, wrap=True)
        self._examples.setAlignment(centre)
        self._examples.setAccessibleName("Prompts to try")
        links = Qt.TextInteractionFlag
        self._examples.setTextInteractionFlags(
            links.LinksAccessibleByMouse | links.LinksAccessibleByKeyboard
        )
        self._examples.linkActivated.connect(self.prompt_chosen)
        self.get_button = Button(theme, "Get Stable Diffusion…", "action")
        self.get_button.clicked.connect(self.models_wanted)
        self.surprise_button = Button(theme, "Surprise me", "quiet", icon="dice")
        self.surprise_button.setToolTip("Draw something made of words the model knows")
        self.surprise_button.clicked.connect(self.surprise_wanted)
        self.open_button = Button(theme, "Open a model folder…", "quiet", icon="folder")
        self.open_button.clicked.connect(self.folder_wanted)
        self._larger = Words(theme, "", "secondary", "dim", wrap=True)
        self._larger.setAlignment(centre)
        self._build()

    def say(self, model: Model | None, examples: Sequence[str]) -> None:
        """Fit the words to ``model``; None when there is no model at all."""
        if model is None:
            self._title.setText("No model yet")
            self._about.setText("Easel draws with a model folder on this computer. None was found.")
        elif model.built_in:
            self._title.setText("Your easel is ready")
            self._about.setText(
                "The small built-in model draws simple things at once, with nothing downloaded."
            )
        else:
            self._title.setText("Your easel is ready")
            self._about.setText(f"{model.title} is on this disk and needs no connection.")
        self._examples.setText(_tries(examples) if model is not None else "")
        self._examples.setVisible(bool(self._examples.text()))
        self._larger.setText(
            "Stable Diffusion draws nearly anything: one download, after you accept its licence, "
            "and from then on no connection."
        )
        self._larger.setVisible(model is None or model.built_in)
        self.get_button.setVisible(model is None or model.built_in)
        self.open_button.setVisible(model is None)
        self.surprise_button.setVisible(model is not None and model.built_in)

    def _build(self) -> None:
        self._said: list[Words] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 12, 24, 12)
        column.setSpacing(0)
        column.addStretch(1)
        buttons = QWidget()
        pair = QHBoxLayout(buttons)
        pair.setContentsMargins(0, 0, 0, 0)
        pair.addWidget(self.get_button)
        pair.addWidget(self.surprise_button)
        pair.addWidget(self.open_button)
        for widget, gap in (
            (self.sketches, 20),
            (self._title, 8),
            (self._about, 4),
            (self._examples, 18),
            (buttons, 14),
            (self._larger, 0),
        ):
            row = QHBoxLayout()
            row.addStretch(1)
            if isinstance(widget, Words):
                self._said.append(widget)
            row.addWidget(widget)
            row.addStretch(1)
            column.addLayout(row)
            column.addSpacing(gap)
        column.addStretch(1)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        super().resizeEvent(event)
        for words in self._said:
            words.setFixedWidth(max(160, min(WIDEST, self.width() - 48)))
        self.sketches.setVisible(self.height() >= 330)


def _tries(examples: Sequence[str]) -> str:
    links = [
        f'<a href="{escape(text, quote=True)}" style="text-decoration:none; font-weight:600">'
        f"{escape(text)}</a>"
        for text in examples[:3]
    ]
    if not links:
        return ""
    listed = links[0] if len(links) == 1 else f"{', '.join(links[:-1])} or {links[-1]}"
    return f"Try {listed}."


class _Sketches(QWidget):
    """Three little paintings: an apple, a boat, a tree. Decoration, and drawn as such."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.setFixedSize(QSize(3 * _CARD + 2 * _GAP, _CARD))
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        for index, (top, bottom, draw) in enumerate(
            (
                ("#F6D9B4", "#E6AE78", _apple),
                ("#BFDDE0", "#6FAFB8", _boat),
                ("#DCE8B8", "#A4C77C", _tree),
            )
        ):
            painter.save()
            painter.translate(index * (_CARD + _GAP), 0)
            ground = QLinearGradient(0, 0, 0, _CARD)
            ground.setColorAt(0, QColor(top))
            ground.setColorAt(1, QColor(bottom))
            clip = QPainterPath()
            clip.addRoundedRect(QRectF(0, 0, _CARD, _CARD), 8, 8)
            painter.fillPath(clip, ground)
            draw(painter)
            if self.theme.tokens.dark:
                painter.fillPath(clip, QColor(20, 16, 12, 40))
            painter.restore()
        painter.end()


def _apple(painter: QPainter) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(120, 72, 36, 70))
    painter.drawEllipse(QPointF(42, 66), 22, 4)
    fruit = QPainterPath(QPointF(42, 33))
    fruit.cubicTo(52, 25, 66, 32, 64, 46)
    fruit.cubicTo(63, 58, 54, 68, 47, 67)
    fruit.cubicTo(44, 66, 40, 66, 37, 67)
    fruit.cubicTo(30, 68, 21, 58, 20, 46)
    fruit.cubicTo(18, 32, 32, 25, 42, 33)
    painter.fillPath(fruit, QColor("#C93A26"))
    shine = QPainterPath(QPointF(27, 44))
    shine.cubicTo(26, 37, 31, 34, 36, 36)
    shine.cubicTo(31, 38, 30, 42, 31, 47)
    painter.fillPath(shine, QColor(255, 255, 255, 70))
    painter.strokePath(_curve((42, 34), (41, 26), (46, 20)), _round(QColor("#4A2A1E"), 3))
    leaf = QPainterPath(QPointF(46, 26))
    leaf.cubicTo(50, 16, 60, 16, 64, 19)
    leaf.cubicTo(60, 27, 52, 29, 46, 26)
    painter.fillPath(leaf, QColor("#5E8C3C"))


def _boat(painter: QPainter) -> None:
    sun = QPainterPath()
    sun.addEllipse(QPointF(62, 20), 7, 7)
    painter.fillPath(sun, QColor("#FBE7B0"))
    sail = QPainterPath(QPointF(43, 16))
    sail.lineTo(43, 52)
    sail.lineTo(62, 52)
    sail.quadTo(58, 30, 43, 16)
    painter.fillPath(sail, QColor("#FFFFFF"))
    jib = QPainterPath(QPointF(39, 22))
    jib.lineTo(39, 52)
    jib.lineTo(25, 52)
    jib.quadTo(34, 38, 39, 22)
    painter.fillPath(jib, QColor("#F3B58C"))
    hull = QPainterPath(QPointF(20, 55))
    hull.lineTo(66, 55)
    hull.quadTo(62, 66, 54, 66)
    hull.lineTo(32, 66)
    hull.quadTo(23, 66, 20, 55)
    painter.fillPath(hull, QColor("#BE4923"))
    sea = QPainterPath(QPointF(0, 66))
    for x in range(0, _CARD, 14):
        sea.quadTo(x + 3.5, 62, x + 7, 65)
        sea.quadTo(x + 10.5, 68, x + 14, 65)
    sea.lineTo(_CARD, 76)
    sea.quadTo(_CARD, _CARD, 76, _CARD)
    sea.lineTo(8, _CARD)
    sea.quadTo(0, _CARD, 0, 76)
    painter.fillPath(sea, QColor("#3E7F8C"))


def _tree(painter: QPainter) -> None:
    hill = QPainterPath(QPointF(0, 70))
    hill.quadTo(40, 54, _CARD, 68)
    hill.lineTo(_CARD, 76)
    hill.quadTo(_CARD, _CARD, 76, _CARD)
    hill.lineTo(8, _CARD)
    hill.quadTo(0, _CARD, 0, 76)
    painter.fillPath(hill, QColor("#7FA356"))
    painter.strokePath(_curve((42, 66), (43, 54), (42, 40)), _round(QColor("#6B4630"), 5))
    crown = QPainterPath()
    for x, y, radius in ((42, 28, 15), (30, 37, 11), (54, 37, 11), (42, 40, 12)):
        crown.addEllipse(QPointF(x, y), radius, radius)
    crown.setFillRule(Qt.FillRule.WindingFill)
    painter.fillPath(crown, QColor("#4C7A3A"))
    light = QPainterPath()
    for x, y, radius in ((36, 24, 5), (48, 33, 4), (28, 36, 3)):
        light.addEllipse(QPointF(x, y), radius, radius)
    painter.fillPath(light, QColor(255, 255, 255, 40))


def _curve(*points: tuple[float, float]) -> QPainterPath:
    first, control, last = points
    path = QPainterPath(QPointF(*first))
    path.quadTo(QPointF(*control), QPointF(*last))
    return path


def _round(colour: QColor, width: float) -> QPen:
    return QPen(
        colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
    )
