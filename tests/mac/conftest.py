"""What the tests of a Mac share. The scripts of packaging/ are found by their folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

sys.path.insert(0, str(ROOT / "packaging"))


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the starter as Core ML in ``starter-coreml``."""
    import compare_placements

    folder = tmp_path_factory.mktemp("converted")
    compare_placements.convert_starter(folder)
    return folder
