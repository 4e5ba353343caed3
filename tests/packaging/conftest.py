"""The scripts of packaging/ are no package (its name is taken by PyPI's): found by their folder."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

sys.path.insert(0, str(ROOT / "packaging"))
