"""The program, launched, its engine's child started, and pictures drawn through its session.

    python window.py easel_first_picture --model FOLDER --steps 20 --pictures 3 --out RESULT

``FOLDER`` may be "starter". Writes CPU seconds of the window's process and the child together:
``cold`` (launch to the first picture on disk) and ``warm`` (submit to a further one on disk).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.bench.probes.whole_app import Ears, children_cpu, cpu, launch
from app.bench.watch import peak, write

SETTLE_MS = 300
"""Between two pictures, so that what follows a picture on the screen is counted with it."""


class Pictures:
    """Submits one picture after the other and notes what each cost."""

    def __init__(self, asked: argparse.Namespace, window: Any) -> None:
        self._asked, self._window = asked, window
        self._began = 0.0
        self._cold = self._cold_window = 0.0
        self._warm: list[float] = []
        self._warm_window: list[float] = []
        self._failure = ""
        window.begun.connect(self._begin)

    def _begin(self) -> None:
        """The window is complete and its engine is starting: what a quick person would do now."""
        self._session = self._window.session
        self._model = choose(self._asked.model, self._window)
        self._ears = Ears(self._session, self._hear)
        self._submit()

    def _submit(self) -> None:
        from app.core.recipe import Draft

        number = len(self._warm) + (1 if self._cold else 0)
        prompt = self._asked.prompt if not number else f"{self._asked.prompt} {number}"
        self._began = cpu()
        self._began_window = time.process_time()
        draft = Draft(prompt, steps=self._asked.steps, guidance=self._asked.guidance, seed=number)
        self._session.submit(draft, self._model)

    def _hear(self, event: Any) -> None:
        name = type(event).__name__
        if name == "Saved":
            QTimer.singleShot(SETTLE_MS, self._note)
        elif name in ("Failed", "NotSaved"):
            self._failure = str(event)
            self._end()

    def _note(self) -> None:
        if not self._cold:
            self._cold, self._cold_window = cpu(), time.process_time()
        else:
            self._warm.append(cpu() - self._began)
            self._warm_window.append(time.process_time() - self._began_window)
        if len(self._warm) + 1 < self._asked.pictures:
            self._submit()
        else:
            self._end()

    def _end(self) -> None:
        if self._failure:
            print(self._failure, file=sys.stderr)
        else:
            self._write()
        self._session.close()
        QApplication.exit(0)

    def _write(self) -> None:
        numbers = {
            "cold": self._cold,
            "cold_window": self._cold_window,
            "child": children_cpu(),
            "peak": peak(),
        }
        if self._warm:
            numbers["warm"] = statistics.median(self._warm)
            numbers["warm_window"] = statistics.median(self._warm_window)
        limits = self._model.limits
        write(self._asked.out, numbers, {"side": str(limits.native.width)})


def choose(name: str, window: Any) -> Any:
    """The model of that folder; "starter" is the one the window has chosen on a first launch."""
    if name == "starter":
        return window.model()
    from app.engine.model_folder import read_model

    return read_model(Path(name))


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="starter")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=4.0)
    parser.add_argument("--pictures", type=int, default=3)
    parser.add_argument("--prompt", default="a red apple")
    parser.add_argument("--out", required=True)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    asked = parse(arguments)
    launch(lambda window: Pictures(asked, window))
    return 0
