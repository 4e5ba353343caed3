"""A folder is a model exactly while it has a good receipt, whatever interrupts the writing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.card import Acceptance, CardFile, Kind, Origin, Receipt
from app.core.errors import (
    FolderNotWritable,
    ModelDamaged,
    ModelIncomplete,
    ModelMissing,
    ModelUnsupported,
    NoSpace,
)
from app.core.model import Family
from app.files.disk_names import clash
from app.weights import receipts
from app.weights.paths import is_safe_path
from app.weights.receipts import (
    check,
    folder_of,
    from_data,
    installed,
    read,
    remove,
    sweep,
    to_data,
)
from tests.weights.receipt_examples import CONTENT, LICENCE, RECEIPT, put_files

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def folder(root: Path) -> Path:
    """Every file of the model, and no receipt yet."""
    return put_files(folder_of(root, "tiny", "main"))


@pytest.fixture
def model(folder: Path) -> Path:
    receipts.write(folder, RECEIPT, LICENCE)
    return folder


def names(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


# --- the form -------------------------------------------------------------------------------


_names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}[a-z]", fullmatch=True)
_printable = st.characters(exclude_categories=("C", "Z"))
_lines = st.text(_printable | st.just(" "), max_size=80).filter(str.isprintable)
_parts = st.text(st.characters(exclude_categories=("C", "Z", "P", "S")), min_size=1, max_size=12)
_paths = st.lists(_parts, min_size=1, max_size=3).map("/".join)
_hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
_moments = st.sampled_from(["2026-11-25T12:00:00+00:00", "2026-01-01T00:00:00.5-08:00"])
_files = st.lists(
    st.builds(
        CardFile,
        path=_paths.filter(is_safe_path),
        bytes=st.integers(0, 2**50),
        sha256=_hashes,
        shipped=st.booleans(),
    ),
    min_size=1,
    max_size=6,
).filter(lambda files: not clash(file.path for file in files))
_acceptances = st.builds(
    Acceptance,
    licence=_names,
    sha256=_hashes,
    when=_moments,
)

any_receipt = st.builds(
    Receipt,
    id=_names,
    title=_lines,
    kind=st.sampled_from(Kind),
    family=st.sampled_from(Family),
    origin=st.sampled_from(Origin),
    source=_lines,
    files=_files.map(tuple),
    installed=_moments,
    acceptance=st.none() | _acceptances,
    memory=st.integers(0, 2**50),
    needs=st.lists(_names, max_size=3).map(tuple),
)


@given(receipt=any_receipt)
def test_a_receipt_comes_back_as_it_was(receipt: Receipt) -> None:
    assert from_data(json.loads(json.dumps(to_data(receipt)))) == receipt


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 0},
        {"schema_version": True},
        {"schema_version": None},
        {"id": "../tiny"},
        {"id": ".tiny"},
        {"id": "a/b"},
        {"id": ""},
        {"id": 7},
        {"title": "two\nlines"},
        {"title": "x" * 501},
        {"kind": "video"},
        {"family": "flux"},
        {"origin": "moon"},
        {"files": []},
        {"files": {}},
        {"files": ["model_index.json"]},
        {"installed": "yesterday"},
        {"installed": "2026-11-25T12:00:00"},
        {"acceptance": {}},
        {"acceptance": {"licence": "x", "sha256": "y", "when": "z"}},
        {"memory": -1},
        {"memory": 1.5},
        {"memory": True},
        {"needs": ["../x"]},
        {"needs": [None]},
        {"needs": "sd-1.5"},
        {"colour": "red"},
    ],
    ids=repr,
)
def test_a_receipt_that_is_not_right_is_damaged(model: Path, change: dict[str, Any]) -> None:
    (model / "receipt.json").write_text(json.dumps(to_data(RECEIPT) | change))

    with pytest.raises(ModelDamaged) as refused:
        read(model)

    assert refused.value == ModelDamaged(str(model / "receipt.json"), "mismatch")


@pytest.mark.parametrize(
    "change",
    [
        {"path": "../../outside"},
        {"path": "/etc/passwd"},
        {"path": "a/../b"},
        {"path": "a\\b"},
        {"path": "a\0b"},
        {"path": "a\ud800"},
        {"path": "Receipt.json"},
        {"path": "UNET/EMPTY.TXT"},
        {"path": "model_index.json/inside"},
        {"bytes": -1},
        {"bytes": 2**63},
        {"bytes": "10"},
        {"sha256": "A" * 64},
        {"sha256": ""},
        {"shipped": 1},
        {"url": "x"},
    ],
    ids=repr,
)
def test_a_file_of_a_receipt_is_never_trusted(model: Path, change: dict[str, Any]) -> None:
    data = to_data(RECEIPT)
    data["files"] = [*data["files"], data["files"][0] | {"path": "one more"} | change]
    (model / "receipt.json").write_text(json.dumps(data))

    with pytest.raises(ModelDamaged):
        read(model)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "mismatch"),
        (b"null", "mismatch"),
        (b" " * 8_000_001, "mismatch"),
    ],
    ids=["empty", "cut", "bytes", "deep", "list", "null", "long"],
)
def test_a_file_that_is_no_receipt_is_damaged(model: Path, text: bytes, reason: str) -> None:
    (model / "receipt.json").write_bytes(text)

    with pytest.raises(ModelDamaged) as refused:
        read(model)

    assert refused.value.reason == reason


def test_a_receipt_of_a_newer_easel_is_not_called_damaged(model: Path) -> None:
    (model / "receipt.json").write_text('{"schema_version": 2}')

    with pytest.raises(ModelUnsupported, match="version 2"):
        read(model)


def test_a_receipt_that_is_a_link_is_not_followed(model: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    (model / "receipt.json").rename(elsewhere)
    (model / "receipt.json").symlink_to(elsewhere)

    with pytest.raises(ModelDamaged):
        read(model)


@pytest.mark.parametrize(("id", "revision"), [("..", "main"), ("a", ".."), ("a/b", "c"), ("", "m")])
def test_no_name_leads_out_of_the_folder_of_models(root: Path, id: str, revision: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        folder_of(root, id, revision)


# --- writing --------------------------------------------------------------------------------


def test_the_receipt_and_the_licence_lie_beside_the_weights(root: Path, folder: Path) -> None:
    assert installed(root) == ()

    receipts.write(folder, RECEIPT, LICENCE)

    assert read(folder) == RECEIPT
    assert (folder / "LICENSE.txt").read_text() == LICENCE
    assert [(one.folder, one.receipt) for one in installed(root)] == [(folder, RECEIPT)]
    assert names(folder) == {*CONTENT, "receipt.json", "LICENSE.txt"}


def test_no_receipt_is_written_for_a_model_that_is_not_whole(root: Path, folder: Path) -> None:
    (folder / "model_index.json").unlink()
    (folder / "unet/empty.txt").write_bytes(b"no longer")

    with pytest.raises(ModelIncomplete) as refused:
        receipts.write(folder, RECEIPT, LICENCE)

    assert refused.value.missing == ("model_index.json", "unet/empty.txt")
    assert installed(root) == ()


def test_no_receipt_is_written_under_another_licence_than_was_accepted(folder: Path) -> None:
    for text in ("", LICENCE + " "):
        with pytest.raises(ValueError, match="not the one that was accepted"):
            receipts.write(folder, RECEIPT, text)
    assert not (folder / "receipt.json").exists()


def test_a_person_s_own_file_needs_no_licence(folder: Path) -> None:
    receipts.write(folder, replace(RECEIPT, acceptance=None))

    assert read(folder).acceptance is None
    assert not (folder / "LICENSE.txt").exists()


def test_a_receipt_that_could_not_be_read_again_is_not_written(folder: Path) -> None:
    with pytest.raises(ValueError, match="not the name"):
        receipts.write(folder, replace(RECEIPT, id="../up"), LICENCE)
    assert not (folder / "receipt.json").exists()


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("error", [NoSpace("x", 1, 0), FolderNotWritable("x", "gone")], ids=repr)
def test_whichever_write_fails_there_is_no_model(
    root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, nth: int, error: Exception
) -> None:
    real, calls = receipts.write_over, 0

    def failing(file: Path, data: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls == nth:
            raise error
        real(file, data)

    monkeypatch.setattr(receipts, "write_over", failing)
    with pytest.raises(type(error)):
        receipts.write(folder, RECEIPT, LICENCE)

    assert installed(root) == ()
    monkeypatch.undo()
    receipts.write(folder, RECEIPT, LICENCE)
    assert [one.receipt for one in installed(root)] == [RECEIPT]


KILLED = """
import os, signal, sys
from pathlib import Path
from app.core.model import Family
from app.weights import receipts
from app.files.disk_names import clash
from app.weights.paths import is_safe_path
from tests.weights.receipt_examples import LICENCE, RECEIPT
what, folder, nth = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
calls = 0
def die(event, arguments):
    global calls
    if event in ("open", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree", "os.scandir"):
        calls += 1
        if calls == nth:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(die)
receipts.write(folder, RECEIPT, LICENCE) if what == "write" else receipts.remove(folder)
"""


def killed_at(what: str, folder: Path, nth: int) -> bool:
    """Whether the program, killed at its ``nth`` touch of the disk, still had something to do."""
    command = [sys.executable, "-c", KILLED, what, str(folder), str(nth)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode in (0, -9), run.stderr
    return run.returncode == -9


def test_killed_anywhere_while_writing_it_is_a_whole_model_or_none(tmp_path: Path) -> None:
    nth, outcomes = 1, []
    while True:
        root = tmp_path / f"killed-{nth}"
        folder = put_files(folder_of(root, "tiny", "main"))
        if not killed_at("write", folder, nth):
            break
        found = installed(root)
        outcomes.append(len(found))
        assert all(one.receipt == RECEIPT for one in found)
        assert all((folder / "LICENSE.txt").read_text() == LICENCE for _ in found)
        receipts.write(folder, RECEIPT, LICENCE)
        nth += 1
    assert outcomes[0] == 0
    assert nth > 4


def test_killed_anywhere_while_removing_the_model_is_whole_or_gone(tmp_path: Path) -> None:
    nth, outcomes = 1, []
    while True:
        root = tmp_path / f"killed-{nth}"
        folder = put_files(folder_of(root, "tiny", "main"))
        receipts.write(folder, RECEIPT, LICENCE)
        if not killed_at("remove", folder, nth):
            break
        outcomes.append(len(installed(root)))
        for one in installed(root):
            check(one.folder, one.receipt)
        nth += 1
    assert outcomes[0] == 1
    assert outcomes[-1] == 0
    assert nth > 6


# --- listing and checking -------------------------------------------------------------------


def test_only_a_folder_with_its_own_receipt_is_a_model(root: Path, model: Path) -> None:
    put_files(folder_of(root, "unfinished", "main"))
    other = put_files(folder_of(root, "other", "main"))
    (other / "receipt.json").write_bytes((model / "receipt.json").read_bytes())  # says "tiny"
    broken = put_files(folder_of(root, "tiny", "broken"))
    (broken / "receipt.json").write_text("{")
    (root / "link").symlink_to(root / "tiny", target_is_directory=True)
    hidden = put_files(root / "tiny" / ".staging")
    (hidden / "receipt.json").write_bytes((model / "receipt.json").read_bytes())
    (root / "a file").write_text("x")

    assert [one.folder for one in installed(root)] == [model]


def test_no_folder_of_models_is_no_models(tmp_path: Path) -> None:
    assert installed(tmp_path / "nowhere") == ()


def test_a_whole_model_passes_with_whatever_the_finder_left(model: Path) -> None:
    (model / ".DS_Store").write_bytes(b"x")

    check(model, RECEIPT)


def test_each_missing_shortened_or_linked_file_is_named(model: Path, tmp_path: Path) -> None:
    weights = model / "unet/diffusion_pytorch_model.safetensors"
    os.truncate(weights, 10)
    (model / "model_index.json").unlink()
    (model / "model_index.json").mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (model / "вес/モデル.bin").rename(outside / "モデル.bin")
    (model / "вес").rmdir()
    (model / "вес").symlink_to(outside)

    with pytest.raises(ModelIncomplete) as refused:
        check(model, RECEIPT)

    assert set(refused.value.missing) == {
        "unet/diffusion_pytorch_model.safetensors",
        "model_index.json",
        "вес/モデル.bin",
    }


@pytest.mark.usefixtures("model")
def test_a_folder_of_models_behind_a_link_is_fine(root: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").symlink_to(root)  # the person's choice of place, not a model's

    (one,) = installed(tmp_path / "disk")

    check(one.folder, one.receipt)


# --- removing -------------------------------------------------------------------------------


def test_a_removed_model_leaves_nothing(root: Path, model: Path) -> None:
    remove(model)

    assert list(root.iterdir()) == []


def test_another_revision_stays(root: Path, model: Path) -> None:
    other = put_files(folder_of(root, "tiny", "other"))
    receipts.write(other, RECEIPT, LICENCE)

    remove(model)

    assert [one.folder for one in installed(root)] == [other]
    check(other, RECEIPT)


def test_what_is_no_model_is_not_removed(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        remove(folder)
    assert names(folder) == set(CONTENT)

    receipts.write(folder, RECEIPT, LICENCE)
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(ModelMissing):
        remove(tmp_path / "link")
    assert read(folder) == RECEIPT


def test_a_link_inside_is_removed_and_what_it_points_at_stays(model: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "picture.png").write_bytes(b"x")
    (model / "link").symlink_to(mine)

    remove(model)

    assert (mine / "picture.png").read_bytes() == b"x"


def test_the_sweep_takes_what_was_left_and_nothing_else(root: Path, model: Path) -> None:
    leaving = put_files(root / "gone" / f"{receipts.REMOVED_PREFIX}ab")
    old, young = (put_files(root / f"{receipts.STAGING_PREFIX}{name}") for name in ("old", "new"))
    busy = put_files(root / f"{receipts.STAGING_PREFIX}busy")  # one file of it takes hours
    for place in (old, busy, *old.rglob("*"), *(one for one in busy.rglob("*") if one.is_dir())):
        os.utime(place, (time.time() - 7200,) * 2)
    unfinished = put_files(folder_of(root, "unfinished", "main"))

    sweep(root)

    assert not leaving.exists()
    assert not old.exists()
    assert busy.exists()
    assert young.exists()
    assert names(unfinished) == set(CONTENT)
    assert read(model) == RECEIPT
