"""Presets and prompts on the disk: whole or as before, and never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors import FolderNotWritable, SettingsDamaged
from app.library.presets import Preset, Presets
from app.library.prompt_memory import LONGEST, MOST, PromptMemory


def test_presets_are_there_again_by_name(tmp_path: Path) -> None:
    presets = Presets(tmp_path / "presets.json")
    presets.save("b", "{}")
    presets.save("  A\nlong  name ", '{"prompt": "; 🍎"}')
    assert presets.save(" ", "{}") is None
    known = Presets(tmp_path / "presets.json")
    assert known.all() == (Preset("A long name", '{"prompt": "; 🍎"}'), Preset("b", "{}"))
    assert known.problem is None


def test_a_rename_keeps_the_form_and_takes_no_name_that_is_taken(tmp_path: Path) -> None:
    presets = Presets(tmp_path / "presets.json")
    presets.save("a", "1")
    presets.save("b", "2")
    assert not presets.rename("a", "b")
    assert not presets.rename("a", " ")
    assert not presets.rename("gone", "c")
    assert presets.rename("a", "a")
    assert presets.rename("a", "c")
    assert Presets(tmp_path / "presets.json").all() == (Preset("b", "2"), Preset("c", "1"))


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"version": 9}', b'{"version": 1, "presets": 3}']
)
def test_what_is_no_preset_file_is_put_aside(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "presets.json"
    file.write_bytes(data)
    presets = Presets(file)
    assert presets.all() == ()
    aside = tmp_path / "presets.json.damaged"
    assert presets.problem == SettingsDamaged(str(file), str(aside))
    assert aside.read_bytes() == data


def test_a_change_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    presets = Presets(tmp_path / "file" / "presets.json")
    with pytest.raises(FolderNotWritable):
        presets.save("a", "{}")
    assert presets.all() == ()


def test_prompts_newest_first_each_once_and_not_without_end(tmp_path: Path) -> None:
    memory = PromptMemory(tmp_path / "prompts.json")
    for prompt in ("a", "b; \n“c”", "a", " ", "x" * (LONGEST + 1)):
        memory.add(prompt)
    assert PromptMemory(tmp_path / "prompts.json").all() == ("a", "b; \n“c”")
    for number in range(MOST + 5):
        memory.add(str(number))
    assert len(PromptMemory(tmp_path / "prompts.json").all()) == MOST
    memory.forget()
    assert PromptMemory(tmp_path / "prompts.json").all() == ()


def test_prompts_that_cannot_be_kept_are_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    memory = PromptMemory(tmp_path / "file" / "prompts.json")
    memory.add("a")
    assert memory.all() == ("a",)
    (tmp_path / "prompts.json").write_text("[")
    assert PromptMemory(tmp_path / "prompts.json").all() == ()
