"""The command line: one module a command."""

from app.cli.main import main

__all__ = ["main"]
