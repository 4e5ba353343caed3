"""The gallery of the program, opened and leafed through, as a person does.

    python window.py easel_gallery --home HOME --jumps 60 --out RESULT

Writes CPU seconds: ``open`` (all threads of the process, from the wish to see the gallery until
each picture in sight is there), ``open_window`` (the window's own thread of that), ``first``
(the window's thread until the first paint with the places of all), and for each jump of a page the
window's thread until the page and its pictures are painted: ``jump_p50``, ``jump_p99``. Also
``search_p50`` (a letter typed, the result painted), ``refresh`` (the folders looked at, all
threads) and the resident size in bytes before and after, ``before`` and ``after``.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

from app.bench.probes.easel_heartbeat import percentile, resident
from app.bench.probes.whole_app import launch
from app.bench.watch import peak, write

PATIENCE_S = 60.0


class Visit:
    """Goes through the gallery and ends the program."""

    def __init__(self, asked: argparse.Namespace, window: Any) -> None:
        self._asked, self._window = asked, window
        self._numbers: dict[str, float] = {}
        window.begun.connect(self._begin)

    def _begin(self) -> None:
        # The engine's child is not part of this, and takes a core.
        self._window.session.close()
        self._settle(0.5)
        self._open()
        self._jump()
        self._search()
        self._refresh()
        numbers = {**self._numbers, "after": resident(), "peak": peak()}
        write(self._asked.out, numbers)
        os._exit(0)

    def _open(self) -> None:
        self._numbers["before"] = resident()
        process, thread = time.process_time(), time.thread_time()
        self._window.views.show_gallery()
        self._page = self._window.views.page
        self._page.grid.viewport().repaint()
        self._numbers["first"] = time.thread_time() - thread
        self._wait_complete()
        self._page.grid.viewport().repaint()
        self._numbers["open"] = time.process_time() - process
        self._numbers["open_window"] = time.thread_time() - thread
        self._numbers["pictures"] = self._page.pictures.rowCount()

    def _jump(self) -> None:
        bar, spent = self._page.grid.verticalScrollBar(), []
        self._wait_settled()
        pages = max(1, bar.maximum() // max(1, bar.pageStep()))
        for jump in range(self._asked.jumps):
            self._settle(0.05)
            thread = time.thread_time()
            bar.setValue((jump * 7919 % pages) * bar.pageStep())
            self._wait_complete()
            self._page.grid.viewport().repaint()
            spent.append(time.thread_time() - thread)
        self._numbers["jump_p50"] = percentile(spent, 0.5)
        self._numbers["jump_p99"] = percentile(spent, 0.99)

    def _search(self) -> None:
        from app.library.search import Query

        spent = []
        for text in ("d", "dr", "dra", "dragon", "dragon gol", "golden", "seed:1", "misty is"):
            self._settle(0.05)
            thread = time.thread_time()
            self._page.bar.asked.emit(Query(text))
            self._page.grid.viewport().repaint()
            spent.append(time.thread_time() - thread)
        self._numbers["search_p50"] = percentile(spent, 0.5)

    def _refresh(self) -> None:
        self._settle(0.2)
        process = time.process_time()
        ended: list[bool] = []
        self._page.keeper.settled.connect(lambda: ended.append(True))
        self._page.keeper.look()
        self._wait(lambda: bool(ended))
        self._numbers["refresh"] = time.process_time() - process

    def _complete(self) -> bool:
        page = self._page
        entries = page.pictures.entries(page.grid.seen())
        return all(page.thumbs.get(entry) is not None for entry in entries)

    def _wait_complete(self) -> None:
        """Asked only when small pictures have come: the asking is not to be measured."""
        came = [True]
        hearing = self._page.thumbs.arrived.connect(lambda _keys: came.append(True))
        while True:
            if came and self._complete():
                break
            came.clear()
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        self._page.thumbs.arrived.disconnect(hearing)

    def _wait_settled(self) -> None:
        self._wait(lambda: self._page._settled)

    def _settle(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.002)

    def _wait(self, until: Callable[[], bool]) -> None:
        """Events as they come; asking costs nothing that a person's window would not do."""
        end = time.monotonic() + PATIENCE_S
        while not until():
            if time.monotonic() > end:
                raise TimeoutError("the gallery did not get there")
            QApplication.processEvents()
            time.sleep(0.001)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", required=True)
    parser.add_argument("--jumps", type=int, default=60)
    parser.add_argument("--out", required=True)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    asked = parse(arguments)
    os.environ["EASEL_HOME"] = asked.home
    launch(lambda window: Visit(asked, window))
    return 0
