"""The settings as a JSON file that is never lost and never half-written."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.settings import MOST_START_COUNT, SCHEMA_VERSION, Settings, Theme

if TYPE_CHECKING:  # read before the window's first paint: what only faults need waits for one
    from app.core.errors import SettingsDamaged, SettingsTooNew

MAX_BYTES = 1_000_000


def load(file: Path) -> tuple[Settings, SettingsDamaged | SettingsTooNew | None]:
    """The settings in ``file``; defaults where there is none. Raises nothing.

    A file that is not settings is put aside, and what could be understood of it is used. A file
    of a newer Easel stays where it is, untouched: defaults are used and ``save`` will not write.
    """
    try:
        data = _read(file)
    except FileNotFoundError:
        return Settings(), None
    except (OSError, ValueError):
        return Settings(), _damaged(file)
    version = data.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        from app.core.errors import SettingsTooNew

        return Settings(), SettingsTooNew(str(file), version)
    settings, whole = _from_data(data)
    return settings, None if whole else _damaged(file)


def save(file: Path, settings: Settings) -> bool:
    """Write ``settings``; false, and nothing written, when the file is of a newer Easel.

    Raises FolderNotWritable, NoSpace.
    """
    from app.files.atomic_file import write_over

    try:
        version = _read(file).get("schema_version")
        if isinstance(version, int) and version > SCHEMA_VERSION:
            return False
    except (OSError, ValueError):
        pass  # missing or unreadable: nothing to protect, ``load`` has put it aside
    data: dict[str, Any] = {key: json.loads(text) for key, text in settings.unknown}
    data |= {f.name: getattr(settings, f.name) for f in fields(settings) if f.name != "unknown"}
    text = json.dumps(data | {"schema_version": SCHEMA_VERSION}, indent=2, sort_keys=True)
    write_over(file, f"{text}\n".encode())
    return True


def _read(file: Path) -> dict[str, Any]:
    if file.stat().st_size > MAX_BYTES:
        raise ValueError("too long")
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(data, dict):
        raise ValueError("not an object")
    return data


def _from_data(data: dict[str, Any]) -> tuple[Settings, bool]:
    """What is understood, and whether all was."""
    known: dict[str, Any] = {}
    whole = isinstance(data.get("schema_version"), int)
    for field in fields(Settings):
        if field.name in data and field.name not in ("schema_version", "unknown"):
            value = data[field.name]
            if _fits(field.name, value):
                known[field.name] = _value(field.name, value)
            else:
                whole = False
    names = {field.name for field in fields(Settings)}
    unknown = tuple(
        (key, json.dumps(value, sort_keys=True))
        for key, value in sorted(data.items())
        if key not in names
    )
    return Settings(**known, unknown=unknown), whole


def _fits(name: str, value: object) -> bool:
    if name == "theme":
        return isinstance(value, str) and value in {theme.value for theme in Theme}
    if name == "opened_models":
        return isinstance(value, list) and all(isinstance(folder, str) for folder in value)
    if name == "start_count" and value is not None:
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        return 1 <= value <= MOST_START_COUNT
    if isinstance(getattr(Settings(), name), bool):
        return isinstance(value, bool)
    return value is None or isinstance(value, str)


def _value(name: str, value: Any) -> Any:
    if name == "theme":
        return Theme(value)
    return tuple(value) if name == "opened_models" else value


def _damaged(file: Path) -> SettingsDamaged:
    from app.core.errors import SettingsDamaged

    return SettingsDamaged(str(file), _put_aside(file))


def _put_aside(file: Path) -> str:
    """Rename ``file`` to a free name beside it; "" when even that is refused."""
    number = 1
    while True:
        aside = file.with_name(f"{file.stem}.damaged{'' if number == 1 else f'-{number}'}.json")
        if not os.path.lexists(aside):
            break
        number += 1
    try:
        file.rename(aside)
    except OSError:
        return ""
    return str(aside)
