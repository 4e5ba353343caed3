"""The program with a 10 ms timer in its event loop while the child imports, loads, draws, unloads.

    python window.py easel_heartbeat --model FOLDER --pictures 3 --out RESULT

Writes the gaps between two beats in milliseconds, by the wall: ``idle_p99``, ``idle_max`` (nothing
happens), ``work_p99``, ``work_max``, ``work_long`` (how many over 100 ms) and the window process's
resident size in bytes, ``resident`` (largest while the child works). ``opening_max`` is the longest
gap before that, while the window completes itself right after its first paint.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from app.bench.probes.easel_first_picture import choose
from app.bench.probes.whole_app import Ears, launch
from app.bench.watch import peak, write

BEAT_MS = 10
IDLE_S = 4.0
AFTER_MS = 1000
LONG_MS = 100.0


class Heart:
    """Beats; keeps the gaps of the phase it is in."""

    def __init__(self) -> None:
        self.gaps: dict[str, list[float]] = {}
        self._phase = "opening"
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(BEAT_MS)

    def _beat(self) -> None:
        now = time.perf_counter()
        self.gaps.setdefault(self._phase, []).append((now - self._last) * 1000.0)
        self._last = now

    def enter(self, phase: str) -> None:
        """Count what follows, from this moment on, as ``phase``; the gap so far ends here."""
        self._beat()
        self._phase = phase

    def stop(self) -> None:
        """No beat after this."""
        self._timer.stop()


class Course:
    """Idle; then warm up, draw, and let the child go. Ends the program after that.

    The program warms its engine up by itself after its first paint, so the idle phase comes at
    the end, once the child has gone.
    """

    def __init__(self, asked: argparse.Namespace, window: Any) -> None:
        self._asked, self._window = asked, window
        self._saved = 0
        self._resident = 0
        self._failure = ""
        self._heart = Heart()
        window.begun.connect(self._begin)

    def _begin(self) -> None:
        """The window is complete and its engine is starting."""
        self._heart.enter("work")
        self._session = self._window.session
        self._model = choose(self._asked.model, self._window)
        self._ears = Ears(self._session, self._hear)
        QTimer.singleShot(0, self._submit)

    def _submit(self) -> None:
        from app.core.recipe import Draft

        for seed in range(self._asked.pictures):
            self._session.submit(Draft(self._asked.prompt, seed=seed), self._model)

    def _hear(self, event: Any) -> None:
        self._resident = max(self._resident, resident())
        name = type(event).__name__
        if name in ("Failed", "NotSaved"):
            self._failure = str(event)
            self._end()
        elif name == "Saved":
            self._saved += 1
            if self._saved == self._asked.pictures:
                QTimer.singleShot(AFTER_MS, self._unload)

    def _unload(self) -> None:
        """End the child as the memory of a large model is given back: by ending its process."""
        import multiprocessing

        for child in multiprocessing.active_children():
            child.terminate()
        QTimer.singleShot(AFTER_MS, self._idle)

    def _idle(self) -> None:
        self._heart.enter("idle")
        QTimer.singleShot(int(IDLE_S * 1000), self._end)

    def _end(self) -> None:
        self._heart.stop()
        if self._failure:
            print(self._failure, file=sys.stderr)
        else:
            self._write()
        self._session.close()
        QApplication.exit(0)

    def _write(self) -> None:
        idle, work = self._heart.gaps["idle"], self._heart.gaps["work"]
        numbers = {
            "idle_p99": percentile(idle, 0.99),
            "idle_max": max(idle),
            "work_p99": percentile(work, 0.99),
            "work_max": max(work),
            "work_long": sum(gap > LONG_MS for gap in work),
            "beats": len(work),
            "opening_max": max(self._heart.gaps.get("opening", ()), default=0.0),
            "resident": self._resident,
            "peak": peak(),
        }
        write(self._asked.out, numbers)


def percentile(values: list[float], share: float) -> float:
    """The value that ``share`` of ``values`` do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def resident() -> int:
    """This process's resident size in bytes; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="starter")
    parser.add_argument("--pictures", type=int, default=3)
    parser.add_argument("--prompt", default="a red apple")
    parser.add_argument("--out", required=True)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    asked = parse(arguments)
    launch(lambda window: Course(asked, window))
    return 0
