"""The command line: ``easel generate``, ``models``, ``doctor``, ``selftest``, ``bench``."""

from app.cli.main import main

__all__ = ["main"]
