"""Settings survive: newer versions, damage, full disks, and Easels that know more."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import FolderNotWritable, NoSpace, SettingsDamaged, SettingsTooNew
from app.core.settings import SCHEMA_VERSION, Settings, Theme
from app.library.settings_file import load, save
from tests.files.test_atomic_file import disk_full_after

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
_NAMES = {field.name for field in fields(Settings)}

settings = st.builds(
    Settings,
    schema_version=st.just(SCHEMA_VERSION),
    pictures_folder=st.none() | st.text(max_size=20),
    model=st.none() | st.text(max_size=20),
    theme=st.sampled_from(Theme),
    inspector_visible=st.booleans(),
    filmstrip_visible=st.booleans(),
    negative_visible=st.booleans(),
    previews=st.booleans(),
    window=st.none() | st.text(max_size=20),
    form=st.none() | st.text(max_size=20),
    opened_models=st.lists(st.text(max_size=20), max_size=3).map(tuple),
    unknown=st.dictionaries(
        st.text(min_size=1, max_size=8).filter(lambda key: key not in _NAMES), _JSON, max_size=3
    ).map(lambda data: tuple((key, json.dumps(data[key], sort_keys=True)) for key in sorted(data))),
)


@given(written=settings)
def test_any_settings_come_back(
    tmp_path_factory: pytest.TempPathFactory, written: Settings
) -> None:
    file = tmp_path_factory.mktemp("settings") / "settings.json"
    assert save(file, written)
    assert load(file) == (written, None)


def test_without_a_file_there_are_defaults_and_no_problem(tmp_path: Path) -> None:
    assert load(tmp_path / "nowhere" / "settings.json") == (Settings(), None)


def test_what_a_later_easel_added_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"schema_version": 1, "theme": "dark", "sound": {"on": true}}')
    settings, problem = load(file)
    assert problem is None
    assert settings.theme is Theme.DARK
    save(file, settings)
    assert json.loads(file.read_text())["sound"] == {"on": True}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
        b'{"schema_version": 1, "theme": "da',
        b"[" * 100_000,
        b"{}",
        b'{"schema_version": "1"}',
        b'{"schema_version": 1, "theme": "pink"}',
        b'{"schema_version": 1, "theme": []}',
        b'{"schema_version": 1, "opened_models": [1]}',
        b'{"schema_version": 1, "opened_models": "/a"}',
        b'{"schema_version": 1, "inspector_visible": "yes"}',
        b'{"schema_version": 1, "model": 3}',
        b" " * 1_000_001,
    ],
)
def test_a_damaged_file_is_put_aside_and_reported(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(data)
    settings, problem = load(file)
    assert settings == Settings()
    assert problem == SettingsDamaged(str(file), str(tmp_path / "settings.damaged.json"))
    assert (tmp_path / "settings.damaged.json").read_bytes() == data
    assert not file.exists()
    assert save(file, settings)
    assert load(file) == (settings, None)


def test_of_a_damaged_file_what_is_sound_is_used(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"schema_version": 1, "theme": "dark", "model": 3, "previews": false}')
    settings, problem = load(file)
    assert problem is not None
    assert settings == Settings(theme=Theme.DARK, previews=False)


def test_a_second_damaged_file_does_not_replace_the_first(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    for n in range(3):
        file.write_text(f"damage {n}")
        load(file)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "settings.damaged-2.json",
        "settings.damaged-3.json",
        "settings.damaged.json",
    ]


def test_the_file_of_a_newer_easel_is_refused_and_never_touched(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    text = '{"schema_version": 2, "theme": ["a", "list", "now"]}'
    file.write_text(text)
    settings, problem = load(file)
    assert settings == Settings()
    assert problem == SettingsTooNew(str(file), 2)
    assert save(file, settings) is False
    assert file.read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


def test_a_full_disk_keeps_the_old_settings(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    save(file, Settings(theme=Theme.DARK))
    with disk_full_after(4096), pytest.raises(NoSpace):
        save(file, Settings(window="x" * 10_000))
    assert load(file) == (Settings(theme=Theme.DARK), None)


def test_a_folder_that_cannot_be_written_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "support").write_text("a file")
    with pytest.raises(FolderNotWritable):
        save(tmp_path / "support" / "settings.json", Settings())
