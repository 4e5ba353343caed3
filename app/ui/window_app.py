"""The program with a window: from the composed parts to the exit code."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from app.ui.theme import Theme

if TYPE_CHECKING:
    import logging

    from app.compose import Easel
    from app.ui.main_window import MainWindow


def run(easel: Easel) -> int:
    """Open the window and return the exit code once it is closed."""
    app = make_app()
    theme = Theme(app, easel.settings.theme)
    try:
        lock = easel.lock_window()
    except Exception as error:
        return _refuse(error)
    from app.ui.main_window import MainWindow

    window = MainWindow(easel, theme)
    watch = Watch(window)
    window.begun.connect(watch.begin)
    try:
        window.show()
        return app.exec()
    finally:
        watch.end()
        lock.release()


def make_app() -> QApplication:
    """The one QApplication, named so that menus and desktop files know it."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    app = QApplication(sys.argv[:1])
    app.setApplicationName("Easel")
    app.setApplicationDisplayName("Easel")
    app.setDesktopFileName("easel")
    return app


class Watch:
    """Logs, and turns an exception in a slot into a card in a window that lives on."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._before = sys.excepthook
        self._handler: logging.Handler | None = None
        sys.excepthook = self.caught

    def begin(self) -> None:
        """Open the log; after the first paint, which it need not delay."""
        from app.ui.log_file import log_threads, open_log

        self._handler = open_log(self._window.easel.folders.logs)
        log_threads()

    def end(self) -> None:
        from app.ui.log_file import close_log

        sys.excepthook = self._before
        close_log(self._handler)

    def caught(
        self,
        kind: type[BaseException],
        error: BaseException,
        traceback: TracebackType | None,
    ) -> None:
        """The ``sys.excepthook`` while the window is open."""
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        import logging

        log = logging.getLogger(__name__)
        log.error("a fault of ours", exc_info=(kind, error, traceback))
        from app.core.errors import Bug, EaselError

        known = error if isinstance(error, EaselError) else Bug.of(error)
        try:
            self._window.show_error(known)
        except Exception:
            log.exception("the fault could not be shown")


def _refuse(error: Exception) -> int:
    """Say why no window opens; the exit code."""
    from PySide6.QtWidgets import QMessageBox

    from app.core.errors import Bug, EaselError
    from app.messages import describe

    message = describe(error if isinstance(error, EaselError) else Bug.of(error))
    box = QMessageBox()
    box.setWindowTitle("Easel")
    box.setText(message.title)
    box.setInformativeText(f"{message.body} {message.next_step}".strip())
    sys.stderr.write(f"{message}\n")
    box.exec()
    return 1
