"""The two views of the window: drawing, and the gallery of all that was drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt

from app.core.errors import EaselError

if TYPE_CHECKING:
    from app.ui.gallery.joining import Joined
    from app.ui.gallery.page import GalleryPage
    from app.ui.interactions import Interactions
    from app.ui.main_window import MainWindow

DRAW, GALLERY = 0, 1


class Views(QObject):
    """Which view is seen. The gallery is made when it is first looked at."""

    def __init__(self, window: MainWindow, interactions: Interactions) -> None:
        super().__init__(window)
        self._window = window
        self._interactions = interactions
        self._joined: Joined | None = None
        window.toolbar.views.chosen.connect(self.show)
        window.closing.connect(self._close)
        interactions.starting.drop.dropped.connect(self.show_draw)

    @property
    def page(self) -> GalleryPage | None:
        """The gallery, once it was looked at."""
        return None if self._joined is None else self._joined.page

    @property
    def in_gallery(self) -> bool:
        page = self.page
        return page is not None and not page.isHidden()

    def show(self, view: int) -> None:
        """DRAW or GALLERY."""
        (self.show_gallery if view == GALLERY else self.show_draw)()

    def show_draw(self) -> None:
        """The prompt, the picture and the controls."""
        window, page = self._window, self.page
        if page is not None:
            page.hide()
        window.frame.show_body(True)
        window.toolbar.show_view(DRAW)
        window.notices.speak_over(window.canvas)
        window.canvas.shown_changed.emit()
        window.prompt.editor.setFocus()

    def show_gallery(self) -> None:
        """All pictures."""
        window = self._window
        if self._joined is None:
            try:
                gallery = window.easel.gallery
            except EaselError as error:
                window.complain(error)
                window.toolbar.show_view(DRAW)
                return
            from app.ui.gallery.joining import Joined

            self._joined = Joined(window, gallery, self._interactions, self.show_draw)
            window.frame.add_page(self._joined.page)
        page = self._joined.page
        window.frame.show_body(False)
        page.show()
        window.toolbar.show_view(GALLERY)
        window.notices.speak_over(page)
        window.canvas.shown_changed.emit()
        page.grid.setFocus(Qt.FocusReason.OtherFocusReason)

    def start_from(self, file: Path) -> None:
        """Start from the picture in ``file``."""
        self.show_draw()
        self._interactions.starting.start_from(file)

    def _close(self) -> None:
        if self._joined is not None:
            self._joined.close()
