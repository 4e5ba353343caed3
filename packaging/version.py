"""Prints the program's version: ``python packaging/version.py``."""

from __future__ import annotations

from pathlib import Path

import info_plist

if __name__ == "__main__":
    print(info_plist.version(Path(__file__).resolve().parent.parent))
