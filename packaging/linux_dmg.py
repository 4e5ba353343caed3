"""Makes a test .dmg on Linux, and reads one back. What people download is made on a Mac.

    python packaging/linux_dmg.py FOLDER FILE.dmg            FOLDER holds Easel.app
    python packaging/linux_dmg.py --check FOLDER FILE.dmg

The volume is HFS+ by xorriso, with what dmg_settings.py says of the window: the link to
Applications, the background and the places of the icons. ``--check`` reads the image by 7-Zip,
which shares nothing with what wrote it, and compares every file, link and right with FOLDER.
Whether Finder shows it as it is meant is seen on a Mac only.
"""

from __future__ import annotations

import argparse
import os
import runpy
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ds_store
import freeze_config as config
import mac_alias
import udif

HERE = Path(__file__).resolve().parent
BACKGROUND = ".background.tiff"
_MADE = datetime(2001, 1, 1, tzinfo=UTC)
"""A date that is the same in each image: what is in it counts, not when it was made."""


def settings(app: Path) -> Mapping[str, Any]:
    """What dmg_settings.py tells dmgbuild about an image of ``app``."""
    defines = {"app": str(app), "here": str(HERE)}
    return runpy.run_path(str(HERE / "dmg_settings.py"), {"defines": defines})


def write(folder: Path, image: Path) -> None:
    """Make ``image`` of the app in ``folder``. Raises subprocess.CalledProcessError."""
    app = folder / f"{config.NAME}.app"
    told = settings(app)
    image.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        stage, hybrid, volume = Path(work, "stage"), Path(work, "hybrid"), Path(work, "volume")
        stage.mkdir()
        for name, target in told["symlinks"].items():
            (stage / name).symlink_to(target)
        shutil.copy(told["background"], stage / BACKGROUND)
        _write_ds_store(stage / ".DS_Store", told)
        grafts = [f"/={stage}", f"/{app.name}={app}"]
        command = ["xorriso", "-as", "mkisofs", "-quiet", "-hfsplus", "-V", config.NAME]
        command += ["-o", str(hybrid), "-graft-points", *grafts]
        subprocess.run(command, check=True, capture_output=True, text=True)
        _cut_hfs(hybrid, volume)
        udif.write(volume, image)


def _write_ds_store(file: Path, told: Mapping[str, Any]) -> None:
    """The window's look, in the records that Finder keeps of a folder."""
    (x, y), (width, height) = told["window_rect"]
    window = {
        "ContainerShowSidebar": False,
        "ShowPathbar": told["show_pathbar"],
        "ShowSidebar": told["show_sidebar"],
        "ShowStatusBar": told["show_status_bar"],
        "ShowTabView": told["show_tab_view"],
        "ShowToolbar": told["show_toolbar"],
        "WindowBounds": f"{{{{{x}, {y}}}, {{{width}, {height}}}}}",
    }
    icons = {
        "arrangeBy": "none",
        "backgroundColorBlue": 1.0,
        "backgroundColorGreen": 1.0,
        "backgroundColorRed": 1.0,
        "backgroundImageAlias": _alias(BACKGROUND).to_bytes(),
        "backgroundType": 2,
        "gridOffsetX": 0.0,
        "gridOffsetY": 0.0,
        "gridSpacing": 100.0,
        "iconSize": float(told["icon_size"]),
        "labelOnBottom": True,
        "showIconPreview": False,
        "showItemInfo": False,
        "textSize": float(told["text_size"]),
        "viewOptionsVersion": 1,
    }
    with ds_store.DSStore.open(str(file), "w+") as store:
        store["."]["vSrn"] = ("long", 1)
        store["."]["bwsp"] = window
        store["."]["icvp"] = icons
        store["."]["icvl"] = (b"type", b"icnv")
        for name, place in told["icon_locations"].items():
            store[name]["Iloc"] = place


def _alias(name: str) -> mac_alias.Alias:
    """Finds the file ``name`` at the top of the image, wherever the image is mounted."""
    volume = mac_alias.VolumeInfo(config.NAME, _MADE, b"H+", 0, 0, b"\0\0", None, None)
    target = mac_alias.TargetInfo(0, name, 2, 0, _MADE, b"\0" * 4, b"\0" * 4)
    alias = mac_alias.Alias(volume=volume, target=target)
    alias.volume.posix_path = f"/Volumes/{config.NAME}".encode()
    alias.target.posix_path = f"/{name}".encode()
    alias.target.carbon_path = f"{config.NAME}:{name}".encode()
    return alias


def _cut_hfs(hybrid: Path, volume: Path) -> None:
    """The HFS+ part of xorriso's image, by its Apple partition map (Inside Macintosh: Devices)."""
    with hybrid.open("rb") as source:
        block = struct.unpack(">2sH", source.read(4))[1]
        number = 1
        while True:
            source.seek(number * block)
            entry = source.read(80)
            if entry[:2] != b"PM":
                raise ValueError("xorriso made no HFS+ volume")
            start, count = struct.unpack_from(">II", entry, 8)
            if entry[48:80].rstrip(b"\0") == b"Apple_HFS":
                break
            number += 1
        source.seek(start * block)
        left = count * block
        with volume.open("wb") as target:
            while left and (part := source.read(min(left, 1 << 20))):
                left -= target.write(part)


# --- read back ------------------------------------------------------------------------------


def faults(folder: Path, image: Path) -> Iterator[str]:
    """How the image differs from ``folder`` and dmg_settings.py, in words."""
    app = folder / f"{config.NAME}.app"
    told = settings(app)
    with tempfile.TemporaryDirectory() as work:
        top = Path(work)
        # -snld: also links that lead up a folder, as those of a bundle do.
        command = ["7z", "x", "-y", "-snld", f"-o{top}", str(image)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            yield f"7-Zip cannot read {image}: {done.stdout[-400:]}"
            return
        if (top / config.NAME).is_dir():
            top = top / config.NAME
        yield from _differences(app, top / app.name)
        for name, target in told["symlinks"].items():
            link = top / name
            # 7-Zip writes an absolute target as one below the folder that it unpacks into.
            if not link.is_symlink() or str(link.readlink()) not in (target, f"{work}{target}"):
                yield f"{name} is no link to {target}"
        background = top / BACKGROUND
        wanted = Path(told["background"]).read_bytes()
        if not background.is_file() or background.read_bytes() != wanted:
            yield f"{BACKGROUND} is not the background"
        yield from _faults_of_window(top / ".DS_Store", told)


def _differences(wanted: Path, found: Path) -> Iterator[str]:
    names = {path.relative_to(wanted) for path in wanted.rglob("*")}
    there = {path.relative_to(found) for path in found.rglob("*")}
    yield from (f"{name} is not in the image" for name in sorted(names - there))
    yield from (f"{name} is in the image only" for name in sorted(there - names))
    for name in sorted(names & there):
        one, other = wanted / name, found / name
        if one.is_symlink() or other.is_symlink():
            links = [path.readlink() if path.is_symlink() else None for path in (one, other)]
            if links[0] != links[1]:
                yield f"{name} is a link to {links[1]}, not to {links[0]}"
        elif one.is_file():
            if one.read_bytes() != other.read_bytes():
                yield f"{name} has other bytes"
            if os.access(one, os.X_OK) != bool(other.stat().st_mode & 0o100):
                yield f"{name} may be started in one of them only"


def _faults_of_window(file: Path, told: Mapping[str, Any]) -> Iterator[str]:
    if not file.is_file():
        yield ".DS_Store is not in the image"
        return
    with ds_store.DSStore.open(str(file), "r") as store:
        for name, place in told["icon_locations"].items():
            if store[name]["Iloc"][:2] != place:
                yield f"the icon of {name} is at {store[name]['Iloc']}, not at {place}"
        window, icons = store["."]["bwsp"], store["."]["icvp"]
    (x, y), (width, height) = told["window_rect"]
    if window["WindowBounds"] != f"{{{{{x}, {y}}}, {{{width}, {height}}}}}":
        yield f"the window is at {window['WindowBounds']}"
    if icons["iconSize"] != told["icon_size"]:
        yield f"icons are {icons['iconSize']} wide, not {told['icon_size']}"
    alias = mac_alias.Alias.from_bytes(bytes(icons["backgroundImageAlias"]))
    if icons["backgroundType"] != 2 or alias.target.filename != BACKGROUND:
        yield "the window has no background"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("folder", type=Path)
    parser.add_argument("image", type=Path)
    asked = parser.parse_args(arguments)
    if not asked.check:
        write(asked.folder, asked.image)
        return 0
    found = list(faults(asked.folder, asked.image))
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
