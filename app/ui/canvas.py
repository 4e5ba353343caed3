"""The picture, as large as there is room for: sharpening while it is drawn, then still."""

from __future__ import annotations

from PySide6.QtCore import (
    QEasingCurve,
    QEvent,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    QVariantAnimation,
    Signal,
)
from PySide6.QtGui import (
    QAction,
    QBrush,
    QContextMenuEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QTransform,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from app.core.recipe import Size
from app.ui.action_pill import ActionPill
from app.ui.controls.drawing import box, halo, shadow, start
from app.ui.desk import Desk
from app.ui.item import Item, Shown, Stage
from app.ui.progress_card import ProgressCard
from app.ui.theme import Theme
from app.ui.tokens import CARD_RADIUS, HALO, PICTURE_RADIUS, Tokens

MARGIN = 28
FOOT = 76
"""Room under the picture for the pill or the progress, where the canvas is high enough."""
LOW = 340
LARGEST = 6.0
"""A small picture is not shown more than this many times its size."""


class Canvas(QWidget):
    """Shows what the desk looks at. What fills it otherwise (first run, errors) is a ``cover``."""

    shown_changed = Signal()
    drag_wanted = Signal()
    menu_wanted = Signal(QPoint)

    def __init__(self, theme: Theme, desk: Desk) -> None:
        super().__init__()
        self.theme = theme
        self.desk = desk
        self.pill = ActionPill(theme, self)
        self.progress = ProgressCard(theme, self)
        self._last: QWidget = self
        self._cover: QWidget | None = None
        self._overlay: QWidget | None = None
        self._pressed: QPoint | None = None
        self._scaled: tuple[tuple[int, int, int], QPixmap] | None = None
        self._behind: tuple[tuple[QSize, QRect, float, Tokens], QPixmap] | None = None
        self._before: QPixmap | None = None
        self._showing: tuple[Item | None, Stage | None] = (None, None)
        self._fade = QVariantAnimation(self)
        self._fade.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._fade.setStartValue(0.0)
        self._fade.setEndValue(1.0)
        self._fade.valueChanged.connect(self.update)
        self._fade.finished.connect(self._faded)
        self.setAccessibleName("Picture")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # nothing behind it is painted
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(320, 160)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        desk.current_changed.connect(self.refresh)
        desk.item_changed.connect(self._item_changed)
        theme.changed.connect(self.update)

    # What it shows.

    def shown(self) -> Shown | None:
        """The finished picture on the canvas; None while there is none."""
        item = self.desk.current
        if item is None or item.stage is not Stage.DONE:
            return None
        image = item.full_image()
        return None if image is None else Shown(item.picture, image, item.recipe)

    def picture_rect(self) -> QRect:
        """Where the picture lies, in the canvas's coordinates; empty without a picture."""
        item = self.desk.current
        if item is None:
            return QRect()
        return picture_rect(self.size(), item.recipe.size)

    def set_cover(self, cover: QWidget | None) -> None:
        """Lay ``cover`` over the whole canvas, or take the one there away (hidden, not deleted)."""
        if self._cover is cover:
            return
        if self._cover is not None:
            self._cover.hide()
        self._cover = cover
        if cover is not None:
            cover.setParent(self)
            cover.setGeometry(self.rect())
            cover.show()
        self._arrange()
        self.update()

    @property
    def cover(self) -> QWidget | None:
        return self._cover

    def set_overlay(self, overlay: QWidget | None) -> None:
        """Lay ``overlay`` exactly over the picture, pill and progress hidden meanwhile."""
        if self._overlay is not None and self._overlay is not overlay:
            self._overlay.hide()
        self._overlay = overlay
        if overlay is not None:
            overlay.setParent(self)
            overlay.show()
        self._arrange()

    def add_action(self, action: QAction, accented: bool = False) -> QWidget:
        """A button for ``action`` in the pill under a finished picture; the button."""
        button = self.pill.add(action, accented)
        QWidget.setTabOrder(self._last, button)
        self._last = button
        self._arrange()
        return button

    def refresh(self) -> None:
        """Look at the desk again."""
        item = self.desk.current
        stage = None if item is None else item.stage
        was_item, was_stage = self._showing
        same = item is was_item
        sharpened = same and stage is Stage.DONE and was_stage is not Stage.DONE
        if sharpened and self.theme.motion_ms and self._scaled is not None:
            self._before = self._scaled[1]
            self._fade.setDuration(self.theme.motion_ms)
            self._fade.start()
        self._showing = (item, stage)
        if item is not None:
            if stage in (Stage.WAITING, Stage.LOADING, Stage.DRAWING, Stage.FINISHING):
                self.progress.show_item(item)
            self.setAccessibleDescription(item.words())
        if not same or stage is not was_stage:
            self._arrange()
            self.shown_changed.emit()
        self.update()

    # Qt's own.

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        ground = QRectF(self.rect())
        item = None if self._cover is not None else self.desk.current
        painter.drawPixmap(0, 0, self._ground(QRect() if item is None else self.picture_rect()))
        if item is not None:
            self._paint_item(painter, item)
        if self.hasFocus() and self._keyboard:
            inner = ground.adjusted(HALO, HALO, -HALO, -HALO)
            halo(painter, inner, self.theme, CARD_RADIUS - HALO)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 (Qt's name)
        super().changeEvent(event)
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self._scaled = None
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        at = event.position().toPoint()
        left = event.button() is Qt.MouseButton.LeftButton
        if left and self.shown() is not None and self.picture_rect().contains(at):
            self._pressed = at

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        if self._pressed is not None and event.buttons() & Qt.MouseButton.LeftButton:
            moved = (event.position().toPoint() - self._pressed).manhattanLength()
            if moved >= QApplication.startDragDistance():
                self._pressed = None
                self.drag_wanted.emit()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        self._pressed = None

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 (Qt's name)
        if self.shown() is None:
            return
        mouse = event.reason() is QContextMenuEvent.Reason.Mouse
        at = event.globalPos() if mouse else self.mapToGlobal(self.picture_rect().center())
        self.menu_wanted.emit(at)

    @property
    def _keyboard(self) -> bool:
        return self.window().isActiveWindow() and self.focusPolicy() is Qt.FocusPolicy.StrongFocus

    def _ground(self, picture: QRect) -> QPixmap:
        """The canvas and the shadow of what lies at ``picture``: painted once, shown often."""
        ratio = self.devicePixelRatioF()
        key = (self.size(), picture, ratio, self.theme.tokens)
        if self._behind is None or self._behind[0] != key:
            pixmap = QPixmap(self.size() * ratio)
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(self.palette().window().color())
            painter = QPainter(pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            ground = QRectF(self.rect())
            box(painter, ground, self.theme.colour("canvas"), None, CARD_RADIUS)
            if not picture.isEmpty():
                shadow(painter, QRectF(picture), self.theme, PICTURE_RADIUS)
            painter.end()
            self._behind = (key, pixmap)
        return self._behind[1]

    def _paint_item(self, painter: QPainter, item: Item) -> None:
        at = QRectF(self.picture_rect())
        image = item.full_image() if item.stage is Stage.DONE else item.preview
        if image is None:
            box(painter, at, self.theme.colour("surface"), self.theme.colour("line"), 6.0)
            return
        pixmap = self._fitted(image, at.size().toSize())
        fading = self._before is not None and self._fade.state() is QVariantAnimation.State.Running
        if fading and self._before is not None:
            _fill(painter, at, self._before)
            painter.setOpacity(float(self._fade.currentValue()))
        _fill(painter, at, pixmap)
        painter.setOpacity(1.0)

    def _fitted(self, image: QImage, size: QSize) -> QPixmap:
        ratio = self.devicePixelRatioF()
        width, height = round(size.width() * ratio), round(size.height() * ratio)
        key = (image.cacheKey(), width, height)
        if self._scaled is None or self._scaled[0] != key:
            pixmap = QPixmap.fromImage(enlarged(image, QSize(width, height)))
            self._scaled = (key, pixmap)
        return self._scaled[1]

    def _item_changed(self, item: Item) -> None:
        if item is self.desk.current:
            self.refresh()

    def _faded(self) -> None:
        self._before = None

    def _arrange(self) -> None:
        item = self.desk.current
        free = self._cover is None and self._overlay is None and item is not None
        done = free and item is not None and item.stage is Stage.DONE
        drawing = free and item is not None and (item.stage.live or item.stage is Stage.WAITING)
        if self._cover is not None:
            self._cover.setGeometry(self.rect())
        if self._overlay is not None:
            self._overlay.setGeometry(self.picture_rect())
            self._overlay.raise_()
        self.pill.setVisible(done and self.pill.filled)
        self.progress.setVisible(drawing)
        bottom = self.height() - 12
        if done:
            size = self.pill.sizeHint()
            width = min(size.width(), self.width() - 16)
            left = (self.width() - width) // 2
            top = min(self.picture_rect().bottom() + 12, bottom + 2 - size.height())
            self.pill.setGeometry(left, top, width, size.height())
        if drawing:
            height = self.progress.sizeHint().height()
            width = min(self.width() - 26, 720)
            left = (self.width() - width) // 2
            self.progress.setGeometry(left, bottom - height, width, height)


def picture_rect(canvas: QSize, picture: Size) -> QRect:
    """The largest rectangle of ``picture``'s shape that fits, with room for what lies under it."""
    roomy = canvas.height() >= LOW
    top, foot = (MARGIN, FOOT) if roomy else (14, 14)
    width, height = canvas.width() - 2 * MARGIN, canvas.height() - top - foot
    scale = min(width / picture.width, height / picture.height, LARGEST)
    size = QSize(max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    left = (canvas.width() - size.width()) // 2
    return QRect(QPoint(left, top + (height - size.height()) // 2), size)


def enlarged(image: QImage, size: QSize) -> QImage:
    """``image`` at ``size``: smooth, and without the lattice that one big bilinear step leaves."""
    smooth = Qt.TransformationMode.SmoothTransformation
    keep = Qt.AspectRatioMode.IgnoreAspectRatio
    while image.width() * 2 < size.width() and image.height() * 2 < size.height():
        image = image.scaled(image.size() * 2, keep, smooth)
    return image if image.size() == size else image.scaled(size, keep, smooth)


def _fill(painter: QPainter, at: QRectF, pixmap: QPixmap) -> None:
    """``pixmap`` into ``at`` with smooth round corners."""
    brush = QBrush(pixmap)
    across, down = at.width() / pixmap.width(), at.height() / pixmap.height()
    brush.setTransform(QTransform.fromTranslate(at.left(), at.top()).scale(across, down))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(brush)
    painter.drawRoundedRect(at, PICTURE_RADIUS, PICTURE_RADIUS)
