"""README.md and docs/design.md name what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "README.md",
    "docs/design.md",
    "docs/coreml.md",
    "CHANGELOG.md",
    "models/training/README.md",
)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_into_the_repository_leads_somewhere(page: str) -> None:
    file = ROOT / page

    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", file.read_text("utf-8"))

    assert [link for link in links if not (file.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_is_named_exists(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")

    named = set(re.findall(r"(?:app|tests|models|scripts|docs)/[\w./-]*\w", text))

    assert sorted(name for name in named if not (ROOT / name).exists()) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_make_command_has_its_rule(page: str) -> None:
    rules = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    named = re.findall(r"`(?:make) ([\w-]+)", (ROOT / page).read_text("utf-8"))

    assert set(named) <= rules


def test_the_design_names_every_room() -> None:
    text = (ROOT / "docs" / "design.md").read_text("utf-8")
    rooms = [path for path in (ROOT / "app").iterdir() if not path.name.startswith("__")]

    missing = [room.name for room in rooms if f"      {room.name}" not in text]

    assert missing == []
