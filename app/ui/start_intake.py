"""Takes a picture to start from, from a file, the clipboard or a drop, and keeps a copy of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QDropEvent, QFont, QGuiApplication, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QFileDialog, QWidget

from app.core.errors import PictureUnreadable
from app.core.recipe import Size, Start
from app.library.library import read_picture
from app.library.starts import Kept
from app.ui.background import Background
from app.ui.controls.drawing import box, start
from app.ui.model_file import model_file
from app.ui.png import png_bytes
from app.ui.theme import Theme
from app.ui.tokens import CARD_RADIUS, THUMBNAIL

READABLE = "Pictures (*.png *.jpg *.jpeg *.webp *.avif *.gif *.bmp *.tif *.tiff)"
Keep = Callable[[Path | bytes], Kept]


@dataclass(frozen=True, slots=True)
class Taken:
    """A picture to start from, kept; ``name`` is what it was called where it came from.

    ``part`` and ``strength`` are those of the recipe it comes from, where it comes from one.
    ``picture`` is its id where it is a picture of Easel's own, else "".
    """

    kept: Kept
    name: str
    thumbnail: QImage
    part: Kept | None = None
    strength: float | None = None
    picture: str = ""


class StartIntake(QObject):
    """Opens what it is given on a thread; the newest wins.

    ``taken`` carries a ``Taken``, ``problem`` an EaselError. ``keep`` is ``library.starts.keep``
    for Easel's own folder.
    """

    taken = Signal(object)
    problem = Signal(object)

    def __init__(self, keep: Keep, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keep = keep
        self._background = background
        self._newest = 0

    def take_file(self, file: Path) -> None:
        """Start from the picture in ``file``."""
        self._take(lambda: self._kept(file, file.name))

    def take_image(self, image: QImage, name: str = "Pasted picture") -> None:
        """Start from pixels that are in no file."""
        self._take(lambda: self._kept(png_bytes(image), name))

    def take_mime(self, mime: QMimeData) -> bool:
        """Start from what was dropped or pasted; false when there is no picture in it."""
        file = file_in(mime)
        if file is not None:
            self.take_file(file)
            return True
        image = mime.imageData() if mime.hasImage() else None
        if isinstance(image, QImage) and not image.isNull():
            self.take_image(image)
            return True
        return False

    def take_again(self, start: Start) -> None:
        """Show what a recipe started from; ``problem`` when it is no longer there."""

        def work() -> Taken:
            file = Path(start.file)
            image = QImage(str(file))
            if image.isNull():
                raise PictureUnreadable(str(file), "damaged" if file.exists() else "missing")
            kept = Kept(file, start.sha256, Size(image.width(), image.height()))
            part = None
            if start.mask is not None and start.mask_sha256 is not None:
                part = Kept(Path(start.mask), start.mask_sha256, kept.size)
            return Taken(kept, "Starting picture", _thumbnail(image), part, start.strength)

        self._take(work)

    def paste(self) -> bool:
        """Start from the clipboard's picture; false when it holds none."""
        mime = on_clipboard()
        return mime is not None and self.take_mime(mime)

    def choose(self, parent: QWidget) -> None:
        """Ask for a file with the system's own dialog."""
        name, _ = QFileDialog.getOpenFileName(parent, "Start from a picture", "", READABLE)
        if name:
            self.take_file(Path(name))

    def _take(self, work: Callable[[], Taken]) -> None:
        self._newest += 1
        mine = self._newest

        def done(taken: Taken) -> None:
            if mine == self._newest:
                self.taken.emit(taken)

        self._background.run(work, done, self.problem.emit)

    def _kept(self, source: Path | bytes, name: str) -> Taken:
        kept = self._keep(source)
        image = QImage(str(kept.file))
        if image.isNull():
            raise PictureUnreadable(str(kept.file), "damaged")
        return Taken(kept, name, _thumbnail(image), picture=_id_of(source))


def _id_of(source: Path | bytes) -> str:
    try:
        return read_picture(source).id if isinstance(source, Path) else ""
    except PictureUnreadable:
        return ""


def _thumbnail(image: QImage) -> QImage:
    side = QSize(2 * THUMBNAIL, 2 * THUMBNAIL)
    keep = Qt.AspectRatioMode.KeepAspectRatioByExpanding
    return image.scaled(side, keep, Qt.TransformationMode.SmoothTransformation)


def on_clipboard() -> QMimeData | None:
    """What is on the clipboard; None where the system has nothing to say."""
    return QGuiApplication.clipboard().mimeData()


def file_in(mime: QMimeData) -> Path | None:
    """The one file on this computer that ``mime`` names."""
    urls = mime.urls()
    if len(urls) == 1 and urls[0].isLocalFile():
        return Path(urls[0].toLocalFile())
    return None


def has_picture(mime: QMimeData) -> bool:
    """Whether something to start from is in ``mime``, as far as can be told without opening it."""
    return mime.hasImage() or file_in(mime) is not None


class PictureDrop(QObject):
    """Lets a picture be dropped on ``window``, and on the ``fields`` that would take its name.

    A model's file may be dropped too: ``model_dropped`` carries it.

    A picture dropped on the left half of the window, or on a field, is started from; one dropped
    on the right half gives its recipe: ``take_recipe`` takes it, once that is set.

    A picture dragged out of this very window is not taken back by it, except by the fields.
    ``dropped`` says that one was taken.
    """

    model_dropped = Signal(object)
    dropped = Signal()

    def __init__(
        self, theme: Theme, window: QWidget, intake: StartIntake, fields: tuple[QWidget, ...] = ()
    ) -> None:
        super().__init__(window)
        self._intake = intake
        self._window = window
        self._fields = fields
        self.take_recipe: Callable[[QMimeData], bool] | None = None
        self._veil = DropVeil(theme, window)
        window.setAcceptDrops(True)
        for widget in (window, *fields):
            widget.installEventFilter(self)

    @property
    def inviting(self) -> bool:
        """Whether the window says that it would take what is dragged over it."""
        return not self._veil.isHidden()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        kind = event.type()
        if kind == QEvent.Type.DragLeave:
            self._veil.hide()
            return False
        if kind not in (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop):
            return False
        if not isinstance(event, QDropEvent) or not self._wanted(watched, event):
            return False
        model = model_file(event.mimeData())
        recipe = model is None and self._gives_recipe(watched, event)
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if kind == QEvent.Type.Drop:
            self._veil.hide()
            if model is not None:
                self.model_dropped.emit(model)
            elif recipe and self.take_recipe is not None:
                self.dropped.emit()
                self.take_recipe(event.mimeData())
            else:
                self.dropped.emit()
                self._intake.take_mime(event.mimeData())
        elif model is not None:
            self._veil.cover((_MODEL,), 0)
        elif self.take_recipe is None or watched in self._fields:
            self._veil.cover((_PICTURE,), 0)
        else:
            self._veil.cover((_PICTURE, _RECIPE), int(recipe))
        return True

    def _gives_recipe(self, watched: QObject, event: QDropEvent) -> bool:
        at_window = watched is self._window and self.take_recipe is not None
        return at_window and event.position().x() > self._window.width() / 2

    def _wanted(self, watched: QObject, event: QDropEvent) -> bool:
        ours = event.source() is not None
        if ours and watched not in self._fields:
            return False
        return has_picture(event.mimeData())


_PICTURE = ("Drop to start from this picture", "Easel copies it; the file stays as it is.")
_RECIPE = ("Drop to use its recipe", "Prompt, seed and the rest, whoever drew it.")
_MODEL = ("Drop to bring in this model", "Easel makes its own copy; the file stays as it is.")


class DropVeil(QWidget):
    """Over the window while a picture is dragged across it: what a drop would do."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme = theme
        self._window = window
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._zones: tuple[tuple[str, str], ...] = (_PICTURE,)
        self._lit = 0
        self.hide()

    def cover(self, zones: tuple[tuple[str, str], ...], lit: int) -> None:
        """Lie over the whole window, above all else, one zone beside the other.

        Each says what a drop there does and keeps; ``lit`` is the one under the pointer.
        """
        if (zones, lit) != (self._zones, self._lit):
            self._zones, self._lit = zones, lit
            self.update()
        self.setAccessibleName(zones[lit][0])
        if self.isHidden():
            self.setGeometry(self._window.rect())
            self.raise_()
            self.show()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002 (Qt's name)
        painter = start(self)
        painter.fillRect(self.rect(), self._theme.colour("window", 200))
        width = self.width() / len(self._zones)
        for number, words in enumerate(self._zones):
            zone = QRectF(number * width, 0, width, self.height())
            self._paint_zone(painter, zone.adjusted(10, 10, -10, -10), words, number == self._lit)
        painter.end()

    def _paint_zone(self, painter: QPainter, at: QRectF, words: tuple[str, str], lit: bool) -> None:
        theme = self._theme
        fill, line = ("soft", "accent") if lit else ("surface", "line")
        box(painter, at, theme.colour(fill, 170), theme.colour(line), CARD_RADIUS, 2.0)
        painter.setFont(QFont(theme.font("title" if at.width() > 480 else "strong")))
        painter.setPen(theme.colour("text" if lit else "dim"))
        aligned = Qt.AlignmentFlag.AlignCenter
        painter.drawText(at.translated(0, -16), aligned, words[0])
        painter.setFont(theme.font("body"))
        painter.setPen(theme.colour("dim"))
        painter.drawText(at.translated(0, 18), aligned, words[1])
