"""Where the app was started from, and whether it can stay there.

macOS runs an app that was opened straight out of a download from a copy that nobody can write to,
under a random path (App Translocation), and lets an app be started from its disk image, which is
gone at the next restart. Both work, and neither can be updated or found again.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath


class AppPlace(StrEnum):
    """``SETTLED`` is every place that lasts."""

    SETTLED = "settled"
    TRANSLOCATED = "translocated"
    DISK_IMAGE = "disk image"


def app_of(executable: PurePath) -> PurePath | None:
    """The bundle that holds ``executable``; None where it is in none (Linux, a checkout)."""
    return next((folder for folder in executable.parents if folder.suffix == ".app"), None)


def place_of(executable: PurePath, read_only: bool) -> AppPlace:
    """Where ``executable`` was started from. ``read_only``: its volume cannot be written to.

    A disk that is plugged in lies under /Volumes as well; there an app may stay.
    """
    if app_of(executable) is None:
        return AppPlace.SETTLED
    if "AppTranslocation" in executable.parts:
        return AppPlace.TRANSLOCATED
    if executable.parts[:2] == ("/", "Volumes") and read_only:
        return AppPlace.DISK_IMAGE
    return AppPlace.SETTLED
