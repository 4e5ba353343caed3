"""What the recipe is made from: every package with its version, fetched and opened."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Package:
    """One row of `packages.toml`: a package of npm or PyPI and what it is used for."""

    name: str
    version: str
    registry: str
    licence: str
    use: str

    @property
    def folder(self) -> str:
        """The folder below `DIR/packages` that the package is opened into."""
        return self.name.replace("@", "").replace("/", "-") + "-" + self.version


def load() -> list[Package]:
    """Read the table of pinned packages."""
    rows = tomllib.loads((HERE / "packages.toml").read_text("utf-8"))["package"]
    return [Package(**row) for row in rows]


def fetch(work: Path) -> dict[str, Path]:
    """Open every package below `work/packages`, fetching what is missing; name -> folder."""
    root = work / "packages"
    root.mkdir(parents=True, exist_ok=True)
    return {package.name: _fetch_one(package, root) for package in load()}


def _fetch_one(package: Package, root: Path) -> Path:
    target = root / package.folder
    done = target / ".done"
    if not done.exists():
        target.mkdir(exist_ok=True)
        if package.registry == "npm":
            _fetch_npm(package, target)
        else:
            _fetch_pypi(package, target)
        done.write_text(json.dumps({"name": package.name, "version": package.version}))
    return target


def _fetch_npm(package: Package, target: Path) -> None:
    spec = f"{package.name}@{package.version}"
    subprocess.run(["npm", "pack", "--silent", spec], cwd=target, check=True)
    (archive,) = target.glob("*.tgz")
    with tarfile.open(archive) as opened:
        opened.extractall(target, filter="data")
    archive.unlink()


def _fetch_pypi(package: Package, target: Path) -> None:
    spec = f"{package.name}=={package.version}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", "."]
    subprocess.run([*pip, spec], cwd=target, check=True)
    (archive,) = target.glob("*.whl")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(target)
    archive.unlink()
