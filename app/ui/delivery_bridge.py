"""From the thread of the deliveries to the window's: each as it stands, the newest word of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

if TYPE_CHECKING:
    from app.jobs.deliveries import Deliveries, Delivery


class DeliveryBridge(QObject):
    """Emits ``changed`` with a Delivery on the thread this object lives in."""

    changed = Signal(object)
    _arrived = Signal()

    def __init__(self, deliveries: Deliveries, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._waiting: dict[str, Delivery] = {}
        self._arrived.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        self._end = deliveries.listen(self._listen)

    def close(self) -> None:
        """Deliver nothing more."""
        self._end()
        with self._lock:
            self._waiting.clear()

    def _listen(self, delivery: Delivery) -> None:
        with self._lock:
            self._waiting[delivery.id] = delivery
        self._arrived.emit()

    def _tell(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for delivery in waiting.values():
            self.changed.emit(delivery)
