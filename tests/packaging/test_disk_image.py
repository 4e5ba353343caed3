"""A small .dmg is written on Linux and read back by 7-Zip, which finds what is wrong with it."""

from __future__ import annotations

import plistlib
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import ds_store
import freeze_config as config
import linux_dmg
import mac_alias
import pytest
import udif

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.linux  # a Mac has hdiutil


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds an app with what may get lost: a link to a folder, a right, an empty file."""
    made = tmp_path_factory.mktemp("image") / "disk"
    contents = made / "Easel.app" / "Contents"
    framework = contents / "Frameworks" / "Qt.framework" / "Versions"
    (framework / "A").mkdir(parents=True)
    (framework / "A" / "Qt").write_bytes(b"code")
    (framework / "Current").symlink_to("A")
    (contents / "Frameworks" / "NOTICE").symlink_to("../Resources/NOTICE")
    (contents / "Resources").mkdir()
    (contents / "Resources" / "NOTICE").write_text("words " * 2000, "utf-8")
    (contents / "Resources" / "empty").touch()
    (contents / "Resources" / "two words, one ~ sign").write_bytes(bytes(range(256)) * 3000)
    program = contents / "MacOS" / "Easel"
    program.parent.mkdir()
    program.write_bytes(b"program")
    program.chmod(0o755)
    return made


@pytest.fixture(scope="module")
def image(folder: Path) -> Path:
    made = folder.parent / "Easel.dmg"
    linux_dmg.write(folder, made)
    return made


def test_what_was_written_is_read_back(folder: Path, image: Path) -> None:
    assert list(linux_dmg.faults(folder, image)) == []


def test_it_is_compressed_and_has_the_trailer_of_a_disk_image(image: Path) -> None:
    data = image.read_bytes()
    trailer = data[-512:]
    magic, version, size = struct.unpack_from(">4sII", trailer)
    length = struct.unpack_from(">Q", trailer, 32)[0]
    kind, _bits, checksum = struct.unpack_from(">III", trailer, 80)
    listing_at, listing = struct.unpack_from(">QQ", trailer, 216)

    assert (magic, version, size) == (b"koly", 4, 512)
    assert (kind, checksum) == (2, zlib.crc32(data[:length]))
    table = plistlib.loads(data[listing_at : listing_at + listing])["resource-fork"]["blkx"]
    assert [entry["Name"] for entry in table] == ["whole disk (Apple_HFS : 0)"]
    assert listing_at + listing == len(data) - 512


def test_the_window_shows_the_background_that_lies_in_the_image(
    image: Path, tmp_path: Path
) -> None:
    command = ["7z", "e", "-y", f"-o{tmp_path}", str(image), f"{config.NAME}/.DS_Store"]
    subprocess.run(command, check=True, capture_output=True)
    with ds_store.DSStore.open(str(tmp_path / ".DS_Store"), "r") as store:
        look, view = store["."]["icvp"], store["."]["icvl"]
        places = {name: store[name]["Iloc"] for name in ("Easel.app", "Applications")}
    alias = mac_alias.Alias.from_bytes(bytes(look["backgroundImageAlias"]))

    assert view == (b"type", b"icnv")
    assert alias.volume.name == "Easel"
    assert places["Easel.app"][1] == places["Applications"][1]  # side by side
    assert places["Easel.app"][0] < places["Applications"][0]


# --- faults ---------------------------------------------------------------------------------


def contents(folder: Path, *parts: str) -> Path:
    return folder.joinpath("Easel.app", "Contents", *parts)


def another_byte(folder: Path) -> None:
    contents(folder, "Resources", "NOTICE").write_text("others " * 2000, "utf-8")


def a_file_more(folder: Path) -> None:
    contents(folder, "Resources", "more").touch()


def a_file_less(folder: Path) -> None:
    contents(folder, "Resources", "empty").unlink()


def another_link(folder: Path) -> None:
    link = contents(folder, "Frameworks", "NOTICE")
    link.unlink()
    link.symlink_to("../Resources/empty")


def a_file_for_a_link(folder: Path) -> None:
    link = contents(folder, "Frameworks", "NOTICE")
    link.unlink()
    shutil.copy(contents(folder, "Resources", "NOTICE"), link)


def no_right_to_start(folder: Path) -> None:
    contents(folder, "MacOS", "Easel").chmod(0o644)


FAULTS: dict[Callable[[Path], None], str] = {
    another_byte: "Contents/Resources/NOTICE has other bytes",
    a_file_more: "Contents/Resources/more is not in the image",
    a_file_less: "Contents/Resources/empty is in the image only",
    another_link: (
        "Contents/Frameworks/NOTICE is a link to ../Resources/NOTICE, not to ../Resources/empty"
    ),
    a_file_for_a_link: "Contents/Frameworks/NOTICE is a link to ../Resources/NOTICE, not to None",
    no_right_to_start: "Contents/MacOS/Easel may be started in one of them only",
}


@pytest.mark.parametrize("change", FAULTS, ids=lambda change: str(change.__name__))
def test_a_difference_is_found(
    folder: Path, image: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    other = tmp_path / "disk"
    shutil.copytree(folder, other, symlinks=True)
    change(other)

    assert list(linux_dmg.faults(other, image)) == [FAULTS[change]]


def test_a_flipped_byte_is_found(folder: Path, image: Path, tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt.dmg"
    data = bytearray(image.read_bytes())
    data[len(data) // 3] ^= 0xFF
    spoilt.write_bytes(data)

    (fault,) = linux_dmg.faults(folder, spoilt)

    assert fault.startswith("7-Zip cannot read")


def test_another_window_is_found(
    folder: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = dict(linux_dmg.settings(folder / "Easel.app"))
    told["icon_locations"] = {**told["icon_locations"], "Applications": (10, 20)}
    told["window_rect"] = ((0, 0), (100, 100))
    monkeypatch.setattr(linux_dmg, "settings", lambda _app: told)

    found = list(linux_dmg.faults(folder, image))

    assert len(found) == 2
    assert found[0].startswith("the icon of Applications is at (480, 212")
    assert found[1].startswith("the window is at")


def test_the_command_writes_and_checks(folder: Path, tmp_path: Path) -> None:
    image = tmp_path / "out" / "Easel.dmg"
    command = [sys.executable, str(ROOT / "packaging" / "linux_dmg.py")]
    subprocess.run([*command, str(folder), str(image)], check=True)
    fine = subprocess.run([*command, "--check", str(folder), str(image)], check=False)
    empty = tmp_path / "disk"
    (empty / "Easel.app").mkdir(parents=True)
    other = subprocess.run(
        [*command, "--check", str(empty), str(image)], capture_output=True, text=True, check=False
    )

    assert fine.returncode == 0
    assert other.returncode == 1
    assert "Contents/MacOS/Easel is in the image only" in other.stderr


def test_a_volume_is_whole_sectors(tmp_path: Path) -> None:
    (tmp_path / "volume").write_bytes(b"x" * 700)

    with pytest.raises(ValueError, match="whole number of sectors"):
        udif.write(tmp_path / "volume", tmp_path / "image")
