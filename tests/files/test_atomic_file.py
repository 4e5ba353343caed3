"""A file is whole or not there: under kills, full disks, races and refusals."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.core.errors import FolderNotWritable, NoSpace
from app.files import atomic_file
from app.files.atomic_file import check_writable, sweep, write_new, write_over

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def disk_full_after(size: int) -> Iterator[None]:
    """The kernel refuses to let any file of this process grow beyond ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_taken_name_gets_a_number(tmp_path: Path) -> None:
    files = [write_new(tmp_path, "apple", ".png", bytes([n])) for n in range(3)]
    assert [file.name for file in files] == ["apple.png", "apple 2.png", "apple 3.png"]
    assert [file.read_bytes() for file in files] == [b"\0", b"\1", b"\2"]
    assert len(names(tmp_path)) == 3


def test_a_folder_or_dangling_link_of_that_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    (tmp_path / "a 2.png").symlink_to(tmp_path / "nowhere")
    assert write_new(tmp_path, "a", ".png", b"x").name == "a 3.png"
    assert (tmp_path / "a.png").is_dir()
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("links", [True, False], ids=["with links", "without links"])
def test_writers_at_the_same_time_get_different_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(atomic_file, "_claim", atomic_file._claim_without_links)
    gate = threading.Barrier(8)
    written: list[tuple[Path, bytes]] = []

    def write(n: int) -> None:
        gate.wait()
        for m in range(5):
            data = f"{n} {m}".encode()
            written.append((write_new(tmp_path, "same", ".png", data), data))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({file for file, _ in written}) == 40
    assert all(file.read_bytes() == data for file, data in written)
    assert len(names(tmp_path)) == 40


@pytest.mark.parametrize(
    "write",
    [
        lambda folder, data: write_new(folder, "f", ".png", data),
        lambda folder, data: write_over(folder / "f.png", data),
    ],
    ids=["new", "over"],
)
def test_a_full_disk_is_no_space_and_leaves_nothing(
    tmp_path: Path, write: Callable[[Path, bytes], object]
) -> None:
    with disk_full_after(4096), pytest.raises(NoSpace) as caught:
        write(tmp_path, bytes(100_000))
    assert caught.value.folder == str(tmp_path)
    assert caught.value.needed == 100_000
    assert caught.value.free > 0
    assert names(tmp_path) == []


def test_a_full_disk_leaves_the_old_content(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    write_over(file, b"old")
    with disk_full_after(4096), pytest.raises(NoSpace):
        write_over(file, bytes(100_000))
    assert file.read_bytes() == b"old"
    assert names(tmp_path) == ["settings.json"]


def test_a_file_in_place_of_the_folder_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FolderNotWritable) as caught:
            write_new(folder, "a", ".png", b"x")
        assert caught.value == FolderNotWritable(str(folder), "not a folder")


def test_a_folder_in_place_of_the_file_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "f.png").mkdir()
    with pytest.raises(FolderNotWritable) as caught:
        write_over(tmp_path / "f.png", b"x")
    assert caught.value == FolderNotWritable(str(tmp_path), "a folder is in the way")
    assert names(tmp_path) == ["f.png"]


@pytest.mark.parametrize(
    ("name", "reason"), [("x" * 300, "name too long"), ("a\0b", "name not allowed")]
)
def test_a_name_the_disk_refuses_is_a_typed_error(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(FolderNotWritable) as caught:
        write_over(tmp_path / name, b"x")
    assert caught.value.reason == reason
    assert names(tmp_path) == []


def test_a_folder_without_permission_is_not_writable(tmp_path: Path) -> None:
    """In a process of its own that gives up root's rights, where it has them."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    script = (
        "import os, sys; from pathlib import Path\n"
        "from app.files.atomic_file import write_new\n"
        "from app.core.errors import FolderNotWritable\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try: write_new(Path(sys.argv[1]), 'a', '.png', b'x')\n"
        "except FolderNotWritable as error: print(error.reason)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "permission\n"
    assert names(folder) == []


def test_check_writable_makes_the_folder_and_leaves_it_empty(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b")
    assert names(tmp_path / "a" / "b") == []


def test_a_link_to_the_settings_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real.json"
    real.write_bytes(b"old")
    link = tmp_path / "link.json"
    link.symlink_to(real)
    write_over(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_what_killed_programs_left_is_swept_and_what_is_new_is_not(tmp_path: Path) -> None:
    old, new = tmp_path / ".easel-1.part", tmp_path / ".easel-2.part"
    for file in (old, new, tmp_path / "other.part"):
        file.write_bytes(b"x")
        os.utime(file, (0, 0))
    os.utime(new)
    sweep(tmp_path)
    assert names(tmp_path) == [".easel-2.part", "other.part"]
    sweep(tmp_path / "nowhere")


SAVER = """
import sys
from pathlib import Path
from app.library.library import Library
from tests.library.examples import finished, recipe
picture = finished(256, 256)
library = Library(Path(sys.argv[1]), Path(sys.argv[1]))
while True:
    library.save(recipe(), picture)
    print("saved", flush=True)
"""


def test_a_kill_at_any_moment_leaves_only_whole_pictures(tmp_path: Path) -> None:
    from PIL import Image

    from app.library.library import read_picture

    for kill in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", SAVER, str(tmp_path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(0.0007 * kill)
            child.send_signal(signal.SIGKILL)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    pictures = [file for file in files if not file.name.startswith(".easel-")]
    assert len(pictures) >= 6
    for file in pictures:
        assert read_picture(file).recipe.prompt == "a red apple"
        with Image.open(file) as image:
            image.load()
