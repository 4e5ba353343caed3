"""Presets: the form of the window under names that the person gave."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import SettingsDamaged
from app.files.atomic_file import write_over
from app.library.marks import clean, put_aside

VERSION = 1
MAX_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Preset:
    """``form`` is the window's own JSON text; ``name`` one line of at most 80 characters."""

    name: str
    form: str


class Presets:
    """Kept in ``file``; a change is on the disk when its method returns.

    A file that cannot be read is put aside and said in ``problem``.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.problem: SettingsDamaged | None = None
        self._presets: dict[str, Preset] = {}
        try:
            self._presets = {preset.name: preset for preset in _read(file)}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            self.problem = SettingsDamaged(str(file), put_aside(file))

    def all(self) -> tuple[Preset, ...]:
        """By name."""
        return tuple(sorted(self._presets.values(), key=lambda preset: preset.name.casefold()))

    def save(self, name: str, form: str) -> Preset | None:
        """Keep ``form`` under ``name``, over what had it; None for a name of nothing.

        Raises FolderNotWritable, NoSpace; then nothing has changed.
        """
        name = clean(name)
        if not name:
            return None
        preset = Preset(name, form)
        self._write({**self._presets, name: preset})
        return preset

    def rename(self, name: str, new: str) -> bool:
        """False, and nothing changed, where ``new`` is taken or nothing. Raises as ``save``."""
        new = clean(new)
        if not new or name not in self._presets or (new != name and new in self._presets):
            return False
        renamed = {
            new if known == name else known: Preset(new, preset.form) if known == name else preset
            for known, preset in self._presets.items()
        }
        self._write(renamed)
        return True

    def remove(self, name: str) -> None:
        """Raises as ``save``."""
        self._write({known: preset for known, preset in self._presets.items() if known != name})

    def _write(self, presets: dict[str, Preset]) -> None:
        listed = [{"name": preset.name, "form": preset.form} for preset in presets.values()]
        data = json.dumps({"version": VERSION, "presets": listed}, indent=1)
        write_over(self._file, data.encode())
        self._presets = presets


def _read(file: Path) -> list[Preset]:
    if file.stat().st_size > MAX_BYTES:
        raise ValueError("too long")
    data = json.loads(file.read_text(encoding="utf-8"))
    if data["version"] != VERSION:
        raise ValueError("another version")
    listed = [Preset(clean(str(one["name"])), str(one["form"])) for one in data["presets"]]
    return [preset for preset in listed if preset.name]
