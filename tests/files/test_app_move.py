"""The app's way into Applications: whole or not at all."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from app.core.errors import FolderNotWritable, NoSpace
from app.files.app_move import copy_app


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A bundle with a link and a program, as on a disk image."""
    made = tmp_path / "Volumes" / "Easel" / "Easel.app"
    program = made / "Contents" / "MacOS" / "Easel"
    program.parent.mkdir(parents=True)
    program.write_text("new", "utf-8")
    program.chmod(0o755)
    (made / "Contents" / "Frameworks").symlink_to("MacOS")
    return made


def said(app: Path) -> str:
    return (app / "Contents" / "MacOS" / "Easel").read_text("utf-8")


def test_the_copy_is_the_app_with_its_links_and_rights(app: Path, tmp_path: Path) -> None:
    target = copy_app(app, [tmp_path / "Applications"])

    assert target == tmp_path / "Applications" / "Easel.app"
    assert said(target) == "new"
    assert (target / "Contents" / "MacOS" / "Easel").stat().st_mode & 0o111
    assert (target / "Contents" / "Frameworks").is_symlink()
    assert [path.name for path in target.parent.iterdir()] == ["Easel.app"]


def test_an_older_one_is_replaced(app: Path, tmp_path: Path) -> None:
    old = tmp_path / "Applications" / "Easel.app"
    (old / "Contents" / "MacOS").mkdir(parents=True)
    (old / "Contents" / "MacOS" / "Easel").write_text("old", "utf-8")
    (old / "Contents" / "left").touch()

    copy_app(app, [old.parent])

    assert said(old) == "new"
    assert not (old / "Contents" / "left").exists()
    assert [path.name for path in old.parent.iterdir()] == ["Easel.app"]


def test_what_a_crash_left_is_no_obstacle(app: Path, tmp_path: Path) -> None:
    (tmp_path / "Applications" / ".new-Easel.app" / "half").mkdir(parents=True)

    assert said(copy_app(app, [tmp_path / "Applications"])) == "new"


@pytest.mark.parametrize(
    ("number", "kind", "reason"),
    [
        (errno.EACCES, FolderNotWritable, "permission"),
        (errno.EROFS, FolderNotWritable, "read-only"),
        (errno.ENOSPC, NoSpace, None),
        (errno.EIO, FolderNotWritable, "as the disk says"),
    ],
)
def test_a_copy_that_breaks_off_leaves_the_old_one(
    app: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[FolderNotWritable | NoSpace],
    reason: str | None,
) -> None:
    old = tmp_path / "Applications" / "Easel.app"
    (old / "Contents" / "MacOS").mkdir(parents=True)
    (old / "Contents" / "MacOS" / "Easel").write_text("old", "utf-8")

    def break_off(_source: Path, target: Path, **_: object) -> None:
        (target / "half").mkdir(parents=True)
        raise OSError(number, "as the disk says")

    monkeypatch.setattr(shutil, "copytree", break_off)

    with pytest.raises(kind) as caught:
        copy_app(app, [old.parent])

    assert caught.value.folder == str(old.parent)
    assert getattr(caught.value, "reason", None) == reason
    assert said(old) == "old"
    assert [path.name for path in old.parent.iterdir()] == ["Easel.app"]


def test_without_the_right_it_goes_to_the_person_s_own_applications(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everyone, own = tmp_path / "Applications", tmp_path / "home" / "Applications"
    real = shutil.copytree

    def refuse(source: Path, target: Path, *given: object, **named: object) -> object:
        if everyone in Path(target).parents:
            raise PermissionError(errno.EACCES, "not yours")
        return real(source, target, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(shutil, "copytree", refuse)

    assert copy_app(app, [everyone, own]) == own / "Easel.app"


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, NoSpace), (errno.EIO, FolderNotWritable)]
)
def test_a_file_in_the_middle_that_does_not_fit_says_why(
    app: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[FolderNotWritable | NoSpace],
) -> None:
    """copytree collects what went wrong with each file as text."""

    def full(*_: object, **__: object) -> None:
        raise OSError(number, "as the disk says")

    monkeypatch.setattr(shutil, "copyfile", full)

    with pytest.raises(kind):
        copy_app(app, [tmp_path / "Applications"])

    assert list((tmp_path / "Applications").iterdir()) == []


def test_a_full_disk_is_not_tried_twice(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []

    def full(_source: Path, target: Path, **_: bool) -> None:
        tried.append(target)
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(shutil, "copytree", full)

    with pytest.raises(NoSpace):
        copy_app(app, [tmp_path / "a", tmp_path / "b"])
    assert len(tried) == 1
