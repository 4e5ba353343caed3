"""One request on a thread of its own, so that whoever waits for it can stop at any moment.

A look-up of a name, a handshake and a read cannot be interrupted in Python, and short time limits
would break off the slow but honest. So they wait on this thread, and the caller waits for it in
short steps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import TracebackType

from app.weights.hub import Answer, Hub
from app.weights.setback import Stop

ROOM = 8 << 20
"""Bytes that may wait to be taken; beyond that the network waits for the disk."""
WORTH_TAKING = 1 << 18
"""Bytes worth waking the one who waits for; fewer are taken when its patience ends."""


class Line:
    """``url`` of ``hub`` from byte ``start`` on. Leaving it hangs up, unless it came to its end.

    ``hosts`` holds the one that is asked, and gets those that redirects lead to.
    """

    def __init__(
        self, hub: Hub, url: str, start: int, hosts: list[str], *, head_only: bool = False
    ) -> None:
        self.answer: Answer | None = None
        self._hosts = hosts
        self._hub, self._url, self._start = hub, url, start
        self._head_only = head_only
        self._change = threading.Condition()
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._ended = self._closed = False
        self._error: Exception | None = None
        self._heard = time.monotonic()
        threading.Thread(target=self._run, name="weights line", daemon=True).start()

    def take(self, timeout: float) -> list[bytes] | None:
        """What has come, piece by piece, after at most ``timeout`` seconds; None at the end.

        ``answer`` is there before the first byte. Raises what ended the line too early: Setback
        or a DownloadError.
        """
        with self._change:
            self._change.wait_for(lambda: self._waiting >= WORTH_TAKING or self._ended, timeout)
            pieces, self._pieces, self._waiting = self._pieces, [], 0
            self._change.notify_all()
            if pieces or not self._ended:
                return pieces
            if self._error is not None:
                raise self._error
            return None

    @property
    def host(self) -> str:
        """The one that is asked at the moment."""
        return self._hosts[-1]

    @property
    def quiet_s(self) -> float:
        """Seconds since anything was heard."""
        return time.monotonic() - self._heard

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._change:
            self._closed = True
            self._change.notify_all()
            ended = self._ended and self._error is None
        if not ended:
            self._hub.hang_up()

    # --- on the line's own thread ---------------------------------------------------------------

    def _run(self) -> None:
        try:
            asked = self._hub.get(
                self._url, self._start, self._note, self._hosts, head_only=self._head_only
            )
            with asked as (answer, pieces):
                with self._change:
                    self.answer = answer
                    self._note()
                self._pass_on(pieces)
        except Exception as error:
            self._error = error
        finally:
            with self._change:
                self._ended = True
                self._change.notify_all()

    def _pass_on(self, pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            with self._change:
                self._note()
                self._pieces.append(piece)
                self._waiting += len(piece)
                if self._waiting >= WORTH_TAKING:
                    self._change.notify_all()
                    self._change.wait_for(lambda: self._waiting < ROOM or self._closed)
                    self._note()  # a slow disk is not a silent hub

    def _note(self) -> None:
        if self._closed:
            raise Stop
        self._heard = time.monotonic()
