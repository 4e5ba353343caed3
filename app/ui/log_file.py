"""The log: one file, kept short, with nobody's prompts in it."""

from __future__ import annotations

import contextlib
import logging
import threading
from pathlib import Path

MOST = 1_000_000
"""Bytes after which the log begins anew at the next start; the old one is kept once."""


def open_log(folder: Path) -> logging.Handler | None:
    """Log INFO and above to ``folder``/easel.log; None where that cannot be written."""
    file = folder / "easel.log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_size > MOST:
                file.replace(file.with_suffix(".old.log"))
        handler = logging.FileHandler(file, encoding="utf-8")
    except OSError:
        return None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(min(root.level or logging.INFO, logging.INFO))
    logging.getLogger("PIL").setLevel(logging.WARNING)
    return handler


def close_log(handler: logging.Handler | None) -> None:
    if handler is not None:
        logging.getLogger().removeHandler(handler)
        handler.close()


def log_threads() -> None:
    """Log what a thread dies of; without this it goes to a stderr that an app does not have."""

    def hook(failure: threading.ExceptHookArgs) -> None:
        thread = failure.thread.name if failure.thread is not None else "a thread"
        what = (failure.exc_type, failure.exc_value, failure.exc_traceback)
        logging.getLogger(__name__).error("%s failed", thread, exc_info=what)  # type: ignore[arg-type]

    threading.excepthook = hook
