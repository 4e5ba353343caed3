"""Counts a prompt's tokens away from the window's thread; the newest text wins."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QThreadPool, QTimer, Signal

from app.core.model import Model

if TYPE_CHECKING:
    from app.engine.prompt_tokens import TokenCounter

log = logging.getLogger(__name__)

PAUSE_MS = 120
"""How long typing must rest before tokens are counted."""


class TokenMeter(QObject):
    """``counted`` carries (text, tokens, limit, cut); ``cut`` in UTF-16 units, as Qt counts.

    The counter is made by ``make_counter`` on the pool's thread: it reads a vocabulary.
    """

    counted = Signal(str, object, object, object)

    def __init__(
        self, make_counter: Callable[[Model], TokenCounter], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._make = make_counter
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._pool.setExpiryTimeout(1000)
        self._wanted: tuple[str, Model] | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(PAUSE_MS)
        self._rest.timeout.connect(self._start)
        self._answer.connect(self.counted, Qt.ConnectionType.QueuedConnection)

    _answer = Signal(str, object, object, object)

    def ask(self, text: str, model: Model | None) -> None:
        """Count ``text`` for ``model`` soon."""
        self._wanted = None if model is None else (text, model)
        self._rest.start()

    def close(self) -> None:
        """Wait for a count that is under way."""
        self._rest.stop()
        self._wanted = None
        self._pool.waitForDone()

    def _start(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is None:
            return
        text, model = wanted
        if not text.strip():
            self.counted.emit(text, 0, model.limits.max_tokens, None)
        else:
            self._pool.start(lambda: self._count(text, model))

    def _count(self, text: str, model: Model) -> None:
        try:
            counter = self._make(model)
            count, cut = counter.count(text), counter.cut_at(text)
        except Exception:
            log.exception("tokens could not be counted")
            self._answer.emit(text, None, None, None)
            return
        units = None if cut is None else len(text[:cut].encode("utf-16-le", "surrogatepass")) // 2
        self._answer.emit(text, count, model.limits.max_tokens, units)
