"""The whole program with the numpy engine in place of torch: real queue, real files, real words."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from app.cli import main
from app.compose import Easel
from app.core.folders import Folders
from app.core.model import Model
from app.core.settings import Settings
from app.engine.contract import EngineFactory
from app.jobs.child_host import ChildHost
from app.jobs.saver import Keeps
from app.jobs.session import Session
from app.jobs.thread_host import ThreadHost
from tests.engine.numpy_engine import make_numpy_engine, make_slow_numpy_engine, numpy_model


class NumpyEasel(Easel):
    """Everything of the person's lies in ``home``; counts the sessions that were opened."""

    def __init__(
        self, home: Path, engine: EngineFactory = make_numpy_engine, *, in_child: bool = False
    ) -> None:
        folders = Folders(
            shipped=home / "shipped",
            pictures=home / "Pictures",
            support=home / "Support",
            caches=home / "Caches",
            logs=home / "Logs",
        )
        super().__init__(folders, Settings(), None, engine)
        self._engine = engine
        self._in_child = in_child
        self._numpy = home / "numpy-model"
        self._numpy.mkdir(parents=True, exist_ok=True)
        self.sessions = 0

    def models(self) -> tuple[Model, ...]:
        return (replace(numpy_model(self._numpy), built_in=True),)

    def model(self, name: str | None = None) -> Model:
        return self.models()[0] if name in (None, "numpy") else super().model(name)

    def open_session(self, keeps: Keeps, *, checked: bool = False) -> Session:  # noqa: ARG002
        self.sessions += 1
        host = ChildHost(self._engine) if self._in_child else ThreadHost(self._engine)
        return Session(host, keeps, self.models, previews=False)


if __name__ == "__main__":  # python -m tests.cli.numpy_easel HOME ARGUMENTS...
    sys.exit(
        main(
            sys.argv[2:],
            lambda: NumpyEasel(Path(sys.argv[1]), make_slow_numpy_engine, in_child=True),
        )
    )
