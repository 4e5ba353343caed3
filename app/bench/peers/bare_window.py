"""The least a PySide6 program can do: show one empty window. What a launch is held against.

Writes the process's CPU seconds at the end of its first paint, and its resident size.
"""

from __future__ import annotations

import sys
import time

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QWidget


class FirstPaint(QObject):
    """Ends the process as soon as the window has been painted once."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: ARG002, N802
        if event.type() == QEvent.Type.Paint:
            # Handled next, when this paint is done, before any timer.
            QCoreApplication.postEvent(
                self, QEvent(QEvent.Type.User), Qt.EventPriority.HighEventPriority.value
            )
        return False

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.User:
            self.cpu = time.process_time()
            QApplication.quit()
            return True
        return super().event(event)


def main(out: str) -> int:
    app = QApplication(sys.argv[:1])
    window = QWidget()
    window.resize(1200, 800)
    watcher = FirstPaint()
    window.installEventFilter(watcher)
    window.show()
    app.exec()

    from app.bench.watch import write

    write(out, {"cpu": watcher.cpu})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[sys.argv.index("--out") + 1]))
