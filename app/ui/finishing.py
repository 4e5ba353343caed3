"""When everything is drawn: tell whoever is elsewhere, let the computer sleep, or send it to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QStyle, QSystemTrayIcon

from app.ui.awake import Awake, awake_command, sleep_command
from app.ui.item import Item

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow

SHOWN_MS = 10_000
SLEEP_MS = 20_000
"""How long one can say no before the computer is sent to sleep."""

Tell = Callable[[str, str], None]
"""Shows a notification: its title and its text."""


class Finishing(QObject):
    """Counts what is drawn. Everything it does to the system comes through its constructor."""

    def __init__(
        self,
        window: MainWindow,
        *,
        tell: Tell | None = None,
        in_front: Callable[[], bool] | None = None,
        awake: Awake | None = None,
        sleep: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._tray: QSystemTrayIcon | None = None
        self._tell = tell or self._notify
        self._in_front = in_front or (lambda: QApplication.activeWindow() is not None)
        self._sleep = sleep or _sleep
        self.awake = awake or Awake(awake_command(), self)
        self._drawn = 0
        self.then_sleep = False
        """Whether the computer is to sleep once everything is drawn. Holds once."""
        self._falling_asleep = QTimer(self)
        self._falling_asleep.setSingleShot(True)
        self._falling_asleep.setInterval(SLEEP_MS)
        self._falling_asleep.timeout.connect(self._go_to_sleep)
        window.desk.finished.connect(self._count)
        window.desk.busy_changed.connect(self._busy_changed)
        window.closing.connect(self.close)
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        self._app = app
        app.applicationStateChanged.connect(self._look_again)

    def close(self) -> None:
        """Let go of everything the system was asked for."""
        self._falling_asleep.stop()
        self.awake.let_go()
        self._take_away()

    def _count(self, _item: Item) -> None:
        self._drawn += 1

    def _busy_changed(self, busy: bool) -> None:
        settings = self._window.easel.settings
        self.awake.hold(busy and settings.stay_awake)
        if busy:
            self._falling_asleep.stop()
            return
        drawn, self._drawn = self._drawn, 0
        if self.then_sleep:
            self._ask_to_sleep()
        elif drawn and settings.finish_notice and not self._in_front():
            ready = "Your picture is ready" if drawn == 1 else f"{drawn} pictures are ready"
            QApplication.alert(self._window)
            self._app.setBadgeNumber(drawn)
            self._tell("Everything is drawn", ready)

    # The notification

    def _notify(self, title: str, text: str) -> None:
        tray = QSystemTrayIcon
        if not tray.isSystemTrayAvailable() or not tray.supportsMessages():
            return
        if self._tray is None:
            icon = self._window.windowIcon()
            if icon.isNull():
                icon = self._window.style().standardIcon(QStyle.StandardPixmap.SP_DialogApplyButton)
            self._tray = QSystemTrayIcon(icon, self)
            self._tray.messageClicked.connect(self._come_to_front)
        self._tray.show()
        self._tray.showMessage(title, text, self._tray.icon(), SHOWN_MS)

    def _come_to_front(self) -> None:
        self._window.showNormal() if self._window.isMinimized() else self._window.show()
        self._window.raise_()
        self._window.activateWindow()

    def _look_again(self) -> None:
        if self._in_front():
            self._take_away()

    def _take_away(self) -> None:
        self._app.setBadgeNumber(0)
        if self._tray is not None:
            self._tray.hide()

    # Sleep

    def _ask_to_sleep(self) -> None:
        self._falling_asleep.start()
        self._window.notices.toast.ask(
            "Everything is drawn. The computer goes to sleep in a moment.",
            ("Sleep now", self._go_to_sleep),
            ("Stay awake", self._stay),
        )

    def _stay(self) -> None:
        self.then_sleep = False
        self._falling_asleep.stop()
        self._window.menus.then_sleep.setChecked(False)

    def _go_to_sleep(self) -> None:
        self._stay()
        self._window.notices.toast.hide()
        self._sleep()


def _sleep() -> None:
    command = sleep_command()
    if command:
        QProcess.startDetached(command[0], command[1:])
