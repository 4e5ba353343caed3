"""The licence travels, and so does word that the weights were modified."""

from __future__ import annotations

from pathlib import Path

from app.convert.coreml.notice import CHANGES, copy_licences, write_notice


def test_every_licence_is_copied_and_the_first_is_named(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for name in ("NOTICE.md", "LICENSE.txt", "licences/MIT.txt", "README.md", "unet/config.json"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    (source / "LICENSE-link").symlink_to("/etc/hostname")
    target.mkdir()
    assert copy_licences(source, target) == "LICENSE.txt"
    found = sorted(file.relative_to(target).as_posix() for file in target.rglob("*.*"))
    assert found == ["LICENSE.txt", "NOTICE.md", "licences/MIT.txt"]
    assert (target / "licences" / "MIT.txt").read_text() == "licences/MIT.txt"


def test_a_model_without_a_licence_has_none(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    assert copy_licences(tmp_path / "source", tmp_path) == ""


def test_the_notice_says_what_was_changed(tmp_path: Path) -> None:
    write_notice(tmp_path, "Tiny Diffusion", "openrail-m", ["6-bit palettization", "fused LoRA"])
    text = (tmp_path / CHANGES).read_text("utf-8")
    assert "modified by conversion" in text
    for word in ("Tiny Diffusion", "openrail-m", "- 6-bit palettization", "- fused LoRA"):
        assert word in text
