"""What goes into the frozen program and what stays out. Pure functions; ``app.spec`` calls them.

``PRUNE=0`` in the environment builds everything, for the day that pruning is under suspicion.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

NAME = "Easel"
IDENTIFIER = "app.easel.Easel"
MINIMUM_MACOS = "14.0"
"""The floor of torch's wheel. The wheel lock, Info.plist and the checks take it from here."""

METADATA = ("diffusers", "transformers", "coremltools", "huggingface_hub")
"""Copied with all they depend on: diffusers asks for versions at run time, and where it finds
none it quietly puts stand-ins in the place of its classes."""

CREDITED = (
    "PySide6_Essentials",
    "keyring",
    "pillow",
    "platformdirs",
    "safetensors",
    "sd-parsers",
    "torch",
)
"""Whose metadata About Easel reads, beside the above. Not what they depend on."""

SHIPPED = ("resources", "models/starter", "models/catalog", "LICENSE", "NOTICE")

EXCLUDES = (
    "IPython",
    "PyInstaller",
    "PySide6.QtDesigner",
    "PySide6.QtHelp",
    "PySide6.QtOpenGL",
    "PySide6.QtOpenGLWidgets",
    "PySide6.QtPrintSupport",
    "PySide6.QtQml",
    "PySide6.QtQuick",
    "PySide6.QtQuickWidgets",
    "PySide6.QtSql",
    "PySide6.QtTest",
    "_pytest",
    "cryptography",
    "hf_xet",
    "hypothesis",
    "idlelib",
    "lib2to3",
    "matplotlib",
    "mypy",
    "onnx",
    "onnxruntime",
    "pandas",
    "pip",
    "pkg_resources",
    "pluggy",
    "pydoc_data",
    "pytest",
    "pytestqt",
    "scipy",
    "secretstorage",
    "setuptools",
    "sklearn",
    "tensorboard",
    "tensorflow",
    "tkinter",
    "wandb",
)

_DROPPED = (
    "torch/bin",
    "torch/include",
    "torch/share",
    "torch/test",
    "PySide6/Qt/qml",
    "PySide6/Qt/translations",
    "PySide6/Qt/plugins/sqldrivers",
    "PySide6/Qt/plugins/designer",
    "PySide6/Qt/plugins/qmltooling",
    "PySide6/Qt/plugins/virtualkeyboard",
    "PySide6/Qt/plugins/platforminputcontexts/libqtvirtualkeyboardplugin",
    "PySide6/Qt/plugins/sceneparsers",
)
"""Folders of the bundle, or beginnings of file names, that nothing of Easel opens."""

_NEEDED = ("torch/bin/torch_shm_manager",)
"""torch looks for it when it is imported, and goes no further without."""

_ALWAYS = ("auto", "clip")
"""Packages of transformers.models that are reached by name at run time."""

_DEFINITION = re.compile(r"^(?:class|def) (\w+)", re.MULTILINE)
_SOURCES = ("modular_", "convert_")
"""Beginnings of files in transformers' models that others are generated from: never imported."""


def keeps(target: str, prune: bool = True) -> bool:
    """Whether the file that would lie at ``target`` in the bundle goes in."""
    path = PurePosixPath(target.replace("\\", "/")).as_posix()
    if not prune or path in _NEEDED:
        return True
    return not any(
        path == dropped or path.startswith((f"{dropped}/", f"{dropped}.")) for dropped in _DROPPED
    )


def excludes(transformers: Path, diffusers: Path, prune: bool = True) -> list[str]:
    """Modules that stay out; with ``prune`` also the transformers models that nothing names."""
    if not prune:
        return list(EXCLUDES)
    kept = transformers_closure(transformers, diffusers)
    left = sorted(_packages(transformers / "models") - kept)
    return [*EXCLUDES, *(f"transformers.models.{name}" for name in left)]


def transformers_closure(transformers: Path, diffusers: Path) -> frozenset[str]:
    """The packages of ``transformers.models`` that diffusers, or transformers' own core, names.

    Both arguments are the installed packages' folders. Followed through the packages' imports of
    one another until nothing new is found.
    """
    models = transformers / "models"
    known = _packages(models)
    homes = _homes(models, known)
    wanted = set(_ALWAYS) | _named_in(diffusers.rglob("*.py"), homes, known)
    core = (file for file in transformers.rglob("*.py") if models not in file.parents)
    wanted |= _imported_in(core, known)
    reached: set[str] = set()
    while wanted:
        name = wanted.pop()
        reached.add(name)
        wanted |= _imported_in((models / name).rglob("*.py"), known, inside=True) - reached
    return frozenset(reached)


def _packages(models: Path) -> set[str]:
    return {file.parent.name for file in models.glob("*/__init__.py")}


def _homes(models: Path, known: Iterable[str]) -> Mapping[str, str]:
    """Which package a public name is defined in."""
    homes: dict[str, str] = {}
    for name in known:
        for file in (models / name).glob("*.py"):
            if file.name.startswith(_SOURCES):
                continue
            for defined in _DEFINITION.findall(file.read_text("utf-8")):
                homes.setdefault(defined, name)
    return homes


def _named_in(files: Iterable[Path], homes: Mapping[str, str], known: set[str]) -> set[str]:
    """Packages of names taken from ``transformers`` itself or from one of its modules."""
    found: set[str] = set()
    for node in _imports(files, "transformers"):
        parts = (node.module or "").split(".")
        if node.level or parts[0] != "transformers":
            continue
        if parts[1:2] == ["models"] and len(parts) > 2:
            found.add(parts[2])
        found |= {homes[alias.name] for alias in node.names if alias.name in homes}
    return found & known


def _imported_in(files: Iterable[Path], known: set[str], inside: bool = False) -> set[str]:
    """Packages that these files of transformers import; ``inside`` for those of a model.

    Seen are ``from ..clip.modeling_clip import``, ``from ...models.clip import`` and
    ``from ..models import clip``.
    """
    found: set[str] = set()
    for node in _imports(files, "" if inside else "models"):
        parts = (node.module or "").split(".")
        if parts[0] == "transformers":
            parts = parts[1:]
        elif not node.level:
            continue
        if parts[:1] == ["models"]:
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif inside and node.level == 2:
            found |= {parts[0]} if parts[0] else {alias.name for alias in node.names}
    return found & known


def _imports(files: Iterable[Path], word: str) -> Iterator[ast.ImportFrom]:
    """Every ``from ... import`` that runs; what only a type checker reads is left out.

    A file without ``word`` has none that is looked for, and is not parsed.
    """
    for file in files:
        text = file.read_text("utf-8")
        if file.name.startswith(_SOURCES) or word not in text:
            continue
        waiting: list[ast.AST] = [ast.parse(text, str(file))]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.ImportFrom):
                yield node
            elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                waiting += node.orelse
            else:
                waiting += ast.iter_child_nodes(node)
