"""A hub on loopback that has one tiny model, and a whole Easel whose shelf holds it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.shelves import ShelfEasel, easel_with_shelf, served_files
from tests.weights.hubs import FaultHub, fault_hub


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Every file of the model, by its path."""
    return served_files(tmp_path_factory.mktemp("served") / "tiny")


@pytest.fixture
def hub(tmp_path: Path, files: dict[str, bytes]) -> Iterator[FaultHub]:
    with fault_hub(tmp_path, files) as running:
        yield running


@pytest.fixture
def easel(easel_home: Path, hub: FaultHub, files: dict[str, bytes]) -> ShelfEasel:
    return easel_with_shelf(easel_home, hub, files)
