"""Where the app was started from, by its path alone."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from app.core.app_place import AppPlace, app_of, place_of

HIDDEN = "/private/var/folders/x1/abc/T/AppTranslocation/7E1B-44/d/Easel.app/Contents/MacOS/Easel"


@pytest.mark.parametrize(
    ("executable", "read_only", "place"),
    [
        ("/Applications/Easel.app/Contents/MacOS/Easel", False, AppPlace.SETTLED),
        ("/Applications/Easel.app/Contents/MacOS/Easel", True, AppPlace.SETTLED),
        ("/Users/ada/Downloads/Easel.app/Contents/MacOS/Easel", False, AppPlace.SETTLED),
        (HIDDEN, True, AppPlace.TRANSLOCATED),
        (HIDDEN, False, AppPlace.TRANSLOCATED),
        ("/Volumes/Easel/Easel.app/Contents/MacOS/Easel", True, AppPlace.DISK_IMAGE),
        ("/Volumes/Easel 1/Easel.app/Contents/MacOS/Easel", True, AppPlace.DISK_IMAGE),
        ("/Volumes/Big Disk/Easel.app/Contents/MacOS/Easel", False, AppPlace.SETTLED),
        ("/Volumes/Work/easel/.venv/bin/python", True, AppPlace.SETTLED),
        ("/usr/bin/python3", False, AppPlace.SETTLED),
    ],
)
def test_the_place_is_told_by_the_path(executable: str, read_only: bool, place: AppPlace) -> None:
    assert place_of(PurePosixPath(executable), read_only) is place


def test_the_bundle_is_found_from_its_program() -> None:
    program = PurePosixPath("/Volumes/Easel/Easel.app/Contents/MacOS/Easel")

    assert app_of(program) == PurePosixPath("/Volumes/Easel/Easel.app")
    assert app_of(PurePosixPath("/usr/bin/python3")) is None
