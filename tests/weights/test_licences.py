"""The texts are the verbatim ones, and acceptance is kept for exactly the text that was shown."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.core.card import Licence
from app.core.errors import CardProblem, FolderNotWritable, LicenceNotAccepted, SettingsTooNew
from app.weights.licences import KNOWN, Acceptances, licence, licence_of

TEXTS = Path(__file__).resolve().parents[2] / "resources" / "licenses"
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)

SHA256 = {
    "openrail-m": "d960a01483bef5a1e8474adb3272f13818617a4f1337d8dd9fe5812a209fe819",
    "openrail++-m": "e514164be7f2ca2c0fb39e7283b01ab4a06d802837eaf171aa4645cfd7ee1157",
    "openrail++-m-sdxl": "255ff03c8a911bbf622c207c1ebc18d49f230629a351b95c5317e70db50c6aab",
    "mit-taesd": "261497cf8e9ed613ed1fa5ddf48af32cdf50545b2ccd9edd7eacc91fb9255d6e",
}


@pytest.fixture
def shown() -> Licence:
    return licence(TEXTS, "openrail-m")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "support" / "licences.json"


# --- the texts ------------------------------------------------------------------------------


def test_open_rail_m_is_the_original_text_but_for_its_line_breaks(shown: Licence) -> None:
    collapsed = " ".join(shown.text.split())

    assert hashlib.sha256(collapsed.encode()).hexdigest() == (
        "b89103c51213331f724cd66c3e491d96ad0652bf7fbe19e6538f6d8f5526585b"
    )


@pytest.mark.parametrize("id", sorted(KNOWN))
def test_each_text_is_the_one_that_was_read_and_says_where_it_is_from(id: str) -> None:
    found = licence(TEXTS, id)

    assert found.sha256 == hashlib.sha256(found.text.encode()).hexdigest() == SHA256[id]
    assert found.title
    assert found.origin


def test_the_readme_names_each_text_and_no_other_lies_there() -> None:
    readme = (TEXTS / "README.md").read_text("utf-8")

    texts = {file.name for file in TEXTS.iterdir()} - {"README.md"}

    assert len(texts) == len(KNOWN)
    assert all(f"`{name}`" in readme for name in texts)


@pytest.mark.parametrize("id", ["openrail-m", "openrail++-m", "openrail++-m-sdxl"])
def test_the_restrictions_are_the_whole_of_attachment_a_and_nothing_else(id: str) -> None:
    found = licence(TEXTS, id)

    assert found.restrictions in found.text
    assert found.text.rstrip().endswith(found.restrictions)
    lines = found.restrictions.splitlines()
    assert lines[:3] == ["Attachment A", "", "Use Restrictions"]
    assert "You agree not to use the Model or Derivatives of the Model:" in lines
    assert len([line for line in lines if line.startswith(("- ", "* "))]) == 11
    assert "END OF TERMS AND CONDITIONS" not in found.restrictions
    assert "arbitrarily-targeted use" in lines[-1]


def test_a_mention_of_attachment_a_is_not_its_heading() -> None:
    assert licence(TEXTS, "mit-taesd").restrictions == ""
    assert licence_of("x", "X", "as set forth in\nAttachment A are", "here").restrictions == ""


def test_an_unknown_licence_or_a_missing_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(CardProblem) as unknown:
        licence(TEXTS, "sai-nc-community")
    assert unknown.value.card == "sai-nc-community"
    with pytest.raises(CardProblem, match="missing"):
        licence(tmp_path, "openrail-m")


# --- acceptance -----------------------------------------------------------------------------


def test_nothing_is_accepted_before_the_person_does(shown: Licence, kept: Path) -> None:
    with pytest.raises(LicenceNotAccepted) as refused:
        Acceptances(kept).require(shown)

    assert refused.value == LicenceNotAccepted("openrail-m", shown.sha256)
    assert not kept.exists()


def test_acceptance_survives_a_restart_with_its_date(shown: Licence, kept: Path) -> None:
    given = Acceptances(kept).accept(shown, NOON)

    assert Acceptances(kept).require(shown) == given
    assert (given.sha256, given.when) == (shown.sha256, "2026-11-25T12:00:00+00:00")


def test_a_changed_text_is_asked_for_again_and_the_old_acceptance_stays(
    shown: Licence, kept: Path
) -> None:
    Acceptances(kept).accept(shown, NOON)
    changed = licence_of(shown.id, shown.title, shown.text + " ", shown.origin)

    with pytest.raises(LicenceNotAccepted):
        Acceptances(kept).require(changed)
    Acceptances(kept).accept(changed)

    assert [had.sha256 for had in Acceptances(kept).all()] == [shown.sha256, changed.sha256]


def test_accepting_twice_keeps_the_first_date(shown: Licence, kept: Path) -> None:
    first = Acceptances(kept).accept(shown, NOON)

    assert Acceptances(kept).accept(shown) == first
    assert len(Acceptances(kept).all()) == 1


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[]",
        b"{}",
        b'{"schema_version": 1, "accepted": {"a": 1}}',
        b'{"schema_version": 1, "accepted": [{"licence": "x", "sha256": "ab", "when": "now"}]}',
        b"[" * 200_000,
        b" " * 1_000_001,
    ],
    ids=["empty", "not utf-8", "cut", "list", "no keys", "rows", "row", "deep", "long"],
)
def test_a_damaged_file_is_put_aside_and_the_person_is_asked_again(
    shown: Licence, kept: Path, damage: bytes
) -> None:
    kept.parent.mkdir()
    kept.write_bytes(damage)
    (kept.parent / "licences.damaged.json").write_bytes(b"an earlier one")

    with pytest.raises(LicenceNotAccepted):
        Acceptances(kept).require(shown)
    given = Acceptances(kept).accept(shown)

    assert (kept.parent / "licences.damaged-2.json").read_bytes() == damage
    assert (kept.parent / "licences.damaged.json").read_bytes() == b"an earlier one"
    assert Acceptances(kept).all() == (given,)


def test_an_acceptance_without_a_real_moment_is_damage(shown: Licence, kept: Path) -> None:
    Acceptances(kept).accept(shown)
    data = json.loads(kept.read_text())
    for moment in ("yesterday", "2026-11-25T12:00:00"):
        data["accepted"][0]["when"] = moment
        kept.write_text(json.dumps(data))
        assert Acceptances(kept).of(shown) is None
        assert not kept.exists()


def test_the_file_of_a_newer_easel_is_left_alone(shown: Licence, kept: Path) -> None:
    kept.parent.mkdir()
    kept.write_text('{"schema_version": 2, "accepted": "another form"}')

    with pytest.raises(SettingsTooNew):
        Acceptances(kept).accept(shown)

    assert kept.read_text() == '{"schema_version": 2, "accepted": "another form"}'


def test_a_folder_that_refuses_is_told(shown: Licence, tmp_path: Path) -> None:
    (tmp_path / "support").write_text("a file where the folder would be")

    with pytest.raises(FolderNotWritable):
        Acceptances(tmp_path / "support" / "licences.json").accept(shown)
