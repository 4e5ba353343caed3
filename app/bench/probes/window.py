"""Runs one of the probes that open the program's window.

    python window.py PROBE ARGUMENTS... --out RESULT

The engine's child imports the script that its parent was started with, as the rule of
multiprocessing is. Like the program's own ``__main__`` this one is light: with a probe in its place
the child would import Qt, whose import hook slows every import after it.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    import importlib

    probe = importlib.import_module(f"app.bench.probes.{sys.argv[1]}")
    sys.exit(probe.main(sys.argv[2:]))
