"""A whole Easel whose shelf holds one tiny model of a hub on loopback."""

from __future__ import annotations

import hashlib
from pathlib import Path

from app.compose import Easel, compose
from app.core.card import CardFile, Kind, Origin, Receipt
from app.core.folders import Folders
from app.core.model import Family
from app.core.settings import Settings
from app.jobs.shelf import Shelf
from app.weights import receipts
from app.weights.patience import Options
from app.weights.receipts import Installed
from tests.tiny_models import build_tiny
from tests.weights.hubs import QUICK, FaultHub

TITLE = "Tiny Diffusion"


class ShelfEasel(Easel):
    """The real program; its hub is on loopback and its patience short."""

    def __init__(self, folders: Folders, endpoint: str) -> None:
        super().__init__(folders, Settings(mirror=endpoint))
        self._shelf = Shelf(folders, Options(endpoint, "", QUICK))


def served_files(place: Path) -> dict[str, bytes]:
    """What the hub has: every file of a tiny model of the form of Stable Diffusion 1.x."""
    folder = build_tiny("sd1", place, dtype="float16")
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def easel_with_shelf(home: Path, hub: FaultHub, files: dict[str, bytes]) -> ShelfEasel:
    """What ships, but for the catalogue: that has one card, for ``files``."""
    real = compose({"EASEL_HOME": str(home)}).folders
    shipped = home / "shipped"
    (shipped / "models" / "catalog").mkdir(parents=True)
    (shipped / "resources").symlink_to(real.resources)
    (shipped / "models" / "starter").symlink_to(real.starter)
    starter = real.shipped / "models" / "catalog" / "starter.toml"
    (shipped / "models" / "catalog" / "starter.toml").write_bytes(starter.read_bytes())
    (shipped / "models" / "catalog" / "tiny.toml").write_text(_card(files), "utf-8")
    folders = Folders(shipped, real.pictures, real.support, real.caches, real.logs)
    return ShelfEasel(folders, hub.endpoint)


def install(folders: Folders, files: dict[str, bytes]) -> Installed:
    """Put ``files`` where an installed model lies, with its receipt, as a person's own."""
    folder = receipts.folder_of(folders.installed, "tiny", "file")
    rows = []
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
        rows.append(CardFile(path, len(data), hashlib.sha256(data).hexdigest()))
    moment = "2026-11-23T12:00:00+00:00"
    receipt = Receipt(
        "tiny", TITLE, Kind.DIFFUSERS, Family.SD1, Origin.FILE, "tiny", tuple(rows), moment
    )
    receipts.write(folder, receipt)
    return Installed(folder, receipt)


def _card(files: dict[str, bytes]) -> str:
    head = f"""
id = "tiny"
title = "{TITLE}"
summary = "Draws nothing that anyone would know."
kind = "diffusers"
family = "sd1"
repository = "easel/tiny"
revision = "{"c" * 40}"
licence = "openrail-m"
memory = 100_000_000
disk = {sum(map(len, files.values()))}
"""
    rows = (
        f'[[files]]\npath = "{path}"\nbytes = {len(data)}\n'
        f'sha256 = "{hashlib.sha256(data).hexdigest()}"\n'
        for path, data in files.items()
    )
    return head + "\n".join(rows)
