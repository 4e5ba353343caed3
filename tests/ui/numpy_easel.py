"""The composed program with a numpy engine on a thread: real session, library and settings."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from app.compose import Easel
from app.core.errors import EaselError
from app.core.events import Cancelled, Finished, Task
from app.core.folders import Folders
from app.core.model import Limits, Model, Vocabulary
from app.core.recipe import Size
from app.engine.contract import IsCancelled, Report
from app.jobs.events import Listener
from app.jobs.session import Session
from app.jobs.thread_host import ThreadHost
from app.library import settings_file
from tests.engine.numpy_engine import NumpyEngine, numpy_model

LIMIT = 12
"""Tokens the model of these tests reads; a token is a word."""


class ScriptedEngine(NumpyEngine):
    """Draws really, but fails as often as ``errors`` says and waits while ``held``."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[EaselError] = []
        self.go = threading.Event()
        self.go.set()

    def hold(self) -> None:
        """Stop before the third step of every picture until ``release``."""
        self.go.clear()

    def release(self) -> None:
        self.go.set()

    def draw(self, task: Task, report: Report, cancelled: IsCancelled) -> Finished | Cancelled:
        if self.errors:
            raise self.errors.pop(0)

        def report_and_wait(event: object) -> None:
            report(event)  # type: ignore[arg-type]
            while getattr(event, "step", 0) == 2 and not self.go.wait(0.005):
                if cancelled():
                    return

        ending = super().draw(task, report_and_wait, cancelled)
        return replace(ending, seconds=0.6) if isinstance(ending, Finished) else ending


class WordCounter:
    """Counts words, as if each were a token."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def count(self, text: str) -> int:
        return len(text.split())

    def cut_at(self, text: str) -> int | None:
        words, at = text.split(), 0
        if len(words) <= self._limit:
            return None
        for word in words[: self._limit]:
            at = text.index(word, at) + len(word)
        return at


class NumpyEasel(Easel):
    """An Easel whose one model is numpy's, on a thread of this process."""

    def __init__(self, home: Path, limits: Limits | None = None) -> None:
        folders = Folders(home, home / "My pictures", home, home / "Caches", home / "Logs")
        settings, problem = settings_file.load(folders.settings)
        super().__init__(folders, settings, problem)
        home.mkdir(parents=True, exist_ok=True)
        model = numpy_model(home)
        known = limits or replace(
            model.limits, shapes=(Size(64, 64), Size(48, 64), Size(64, 48)), max_tokens=LIMIT
        )
        self.the_model = replace(model, limits=known, title="Numpy", built_in=True)
        self.further: tuple[Model, ...] = ()
        self.engine = ScriptedEngine()

    def make_session(self, listener: Listener | None = None) -> Session:
        host = ThreadHost(lambda: self.engine)
        return Session(host, self.library, self.models, self.folders.journal, listener)

    def token_counter(self, model: Model) -> WordCounter:  # type: ignore[override]
        return WordCounter(model.limits.max_tokens)

    def vocabulary(self, model: Model) -> Vocabulary:  # noqa: ARG002
        return Vocabulary(
            nouns=("apple", "cat"), colours=("red",), examples=("a red apple", "a cat")
        )

    def _models(self) -> Iterator[Model]:
        yield self.the_model
        yield from self.further


def again(easel: NumpyEasel) -> NumpyEasel:
    """The program as it is when it is next started: settings and journal read from the disk."""
    return NumpyEasel(easel.folders.support)
