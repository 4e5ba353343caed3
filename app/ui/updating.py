"""Help > Check for Updates: asks once, when it is pressed, and says what came of it."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QThreadPool, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox

from app import __version__
from app.core.errors import Bug, EaselError
from app.messages import shown
from app.messages.program import describe_unknown
from app.weights.channel import Unknown

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow
    from app.weights.channel import Channel, Update

log = logging.getLogger(__name__)


class Updating(QObject):
    """Looks on a thread of its own, once at a time."""

    told = Signal(object)
    """An Update, None where there is none, an Unknown, or an EaselError."""

    def __init__(self, window: MainWindow, source: Channel) -> None:
        super().__init__(window)
        self._window, self._source = window, source
        self._stopped = threading.Event()
        self._looking = False
        self._pool = QThreadPool(self)
        self._pool.setExpiryTimeout(1000)
        self.told.connect(self._say, Qt.ConnectionType.QueuedConnection)
        window.closing.connect(self._close)

    def look(self) -> None:
        """Ask; nothing happens while an answer is awaited already."""
        if not self._looking:
            self._looking = True
            self._window.toast(f"Asking {self._source.host} for the newest version…")
            self._pool.start(self._ask)

    def _ask(self) -> None:
        try:
            self.told.emit(self._window.easel.find_update(self._source, self._stopped.is_set))
        except EaselError as error:
            self.told.emit(error)
        except Exception as error:
            log.exception("updates could not be looked for")
            self.told.emit(Bug.of(error))

    def _say(self, found: Update | Unknown | EaselError | None) -> None:
        self._looking = False
        if self._stopped.is_set():
            return
        if isinstance(found, EaselError):
            self._window.complain(found)
        elif isinstance(found, Unknown):
            words = describe_unknown(found)
            self._window.toast(f"{words.title}. {words.body} {words.next_step}")
        elif found is None:
            self._window.toast(f"Easel {__version__} is the newest")
        else:
            self._tell(found)

    def _tell(self, update: Update) -> None:
        box = QMessageBox(self._window)
        box.setObjectName("update")
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("Easel")
        box.setText(f"Easel {shown(update.version)} is there")
        box.setInformativeText(
            f"You have {__version__}. Your browser gets the new one; open it and drag Easel "
            f"to Applications.\n\nWho wants to compare, its SHA-256 is\n{shown(update.sha256)}"
        )
        box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        get = box.addButton("Get it", QMessageBox.ButtonRole.AcceptRole)
        box.addButton("Not now", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(get)
        box.buttonClicked.connect(
            lambda button: QDesktopServices.openUrl(QUrl(update.url)) if button is get else None
        )
        box.open()

    def _close(self) -> None:
        self._stopped.set()
        self._pool.waitForDone()
