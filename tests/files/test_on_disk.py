"""What is told to the disk, and what is done where the disk does not know how."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.files import on_disk


def refusing(number: int) -> Callable[..., None]:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def test_a_disk_that_cannot_sync_folders_need_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", refusing(errno.EINVAL))
    on_disk.sync_folder(tmp_path)
    monkeypatch.setattr(os, "fsync", refusing(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        on_disk.sync_folder(tmp_path)


@pytest.mark.parametrize("knows", [True, False])
def test_the_macs_own_way_comes_first(
    knows: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def full(_: int, what: int) -> None:
        asked.append(what)
        if not knows:
            raise OSError(errno.ENOTSUP, "not here")

    monkeypatch.setattr(on_disk, "_FULL", 51)
    monkeypatch.setattr(fcntl, "fcntl", full)
    monkeypatch.setattr(os, "fsync", lambda _: asked.append("fsync"))
    with (tmp_path / "file").open("wb") as file:
        on_disk.sync(file.fileno())

    assert asked == ([51] if knows else [51, "fsync"])


def test_every_folder_is_synced_the_deepest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    synced: list[str] = []
    monkeypatch.setattr(on_disk, "sync_folder", lambda folder: synced.append(folder.name))

    on_disk.sync_names(tmp_path)

    assert synced == ["b", "a", tmp_path.name]


def test_bytes_on_their_way_stay_what_they_are(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w+b") as file:
        file.write(bytes(range(256)) * 64)
        file.flush()
        on_disk.begin_writing(file.fileno(), 0, 1 << 14)
        on_disk.sync(file.fileno())
    on_disk.begin_writing(-1, 0, 1)  # raises nothing

    assert (tmp_path / "file").read_bytes() == bytes(range(256)) * 64
