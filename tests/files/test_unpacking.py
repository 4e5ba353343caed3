"""A zip comes out whole, or leaves nothing; and none of it lands anywhere else."""

from __future__ import annotations

import random
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.errors import EaselError, FolderNotWritable, ImportRefused, NoSpace
from app.files import unpacking
from app.files.unpacking import unpack

Edit = Callable[[zipfile.ZipFile], None]
WEIGHTS = random.Random(0).randbytes(9 << 18)


def zip_of(folder: Path, edit: Edit | None = None) -> Path:
    """A zip as Finder makes it of a folder of compiled models, changed by ``edit``."""
    file = folder / "model.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("compiled/", b"")
        zipped.writestr("compiled/Unet.mlmodelc/model.mil", b"program(1.0)\n" * 3)
        zipped.writestr("compiled/Unet.mlmodelc/weights/weight.bin", WEIGHTS)
        zipped.writestr("compiled/empty.txt", b"")
        zipped.writestr("__MACOSX/compiled/._Unet.mlmodelc", b"finder")
        zipped.writestr("compiled/.DS_Store", b"finder")
        if edit is not None:
            edit(zipped)
    return file


def run(file: Path, cancel_at: int = 1 << 60) -> tuple[bool, list[tuple[int, int]]]:
    said: list[tuple[int, int]] = []
    done = unpack(
        file,
        file.parent / "out",
        lambda so_far, total: said.append((so_far, total)),
        lambda: bool(said) and said[-1][0] >= cancel_at,
    )
    return done, said


def refused(file: Path) -> EaselError:
    before = set(file.parent.rglob("*"))
    with pytest.raises(EaselError) as caught:
        run(file)
    assert set(file.parent.rglob("*")) == before
    return caught.value


def test_it_comes_whole(tmp_path: Path) -> None:
    done, said = run(zip_of(tmp_path))

    out = tmp_path / "out"
    assert done
    assert sorted(one.relative_to(out).as_posix() for one in out.rglob("*") if one.is_file()) == [
        "compiled/Unet.mlmodelc/model.mil",
        "compiled/Unet.mlmodelc/weights/weight.bin",
        "compiled/empty.txt",
    ]
    weights = out / "compiled/Unet.mlmodelc/weights/weight.bin"
    assert weights.read_bytes() == WEIGHTS
    assert [so_far for so_far, _ in said] == sorted({so_far for so_far, _ in said})
    assert said[-1][0] == said[-1][1] == len(WEIGHTS) + 39
    assert len(said) > 3


def test_a_cancel_leaves_nothing(tmp_path: Path) -> None:
    done, said = run(zip_of(tmp_path), cancel_at=1 << 20)
    assert not done
    assert 0 < said[-1][0] < said[-1][1]
    assert [one.name for one in tmp_path.iterdir()] == ["model.zip"]


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "compiled/../../outside",
        "/etc/outside",
        "C:/outside",
        "compiled\\..\\outside",
        "compiled//twice",
        "compiled/.hidden",
        "compiled/./here",
        "compiled/nul\x00byte",
        "compiled/trailing ",
        "compiled/bell\x07",
        "compiled/" + "x" * 300,
    ],
)
def test_no_name_leads_elsewhere(name: str, tmp_path: Path) -> None:
    def edit(zipped: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo("placeholder")
        info.filename = name
        zipped.writestr(info, b"x")

    file = zip_of(tmp_path, edit)
    assert refused(file) == ImportRefused(str(file), "unsafe names")


@pytest.mark.parametrize(
    "names",
    [
        ("compiled/A.txt", "compiled/a.txt"),
        ("compiled/caf\u00e9", "compiled/cafe\u0301"),
        ("compiled/empty.txt/inside",),
        ("compiled/UNET.mlmodelc",),
        ("compiled/empty.txt",),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_two_names_are_one_file_on_a_mac(names: tuple[str, ...], tmp_path: Path) -> None:
    def edit(zipped: zipfile.ZipFile) -> None:
        for name in names:
            zipped.writestr(name, b"x")

    file = zip_of(tmp_path, edit)
    assert refused(file) == ImportRefused(str(file), "unsafe names")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_only_files_and_folders_are_made(kind: int, tmp_path: Path) -> None:
    def edit(zipped: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo("compiled/link")
        info.external_attr = (kind | 0o777) << 16
        zipped.writestr(info, b"/etc/passwd")

    file = zip_of(tmp_path, edit)
    assert refused(file) == ImportRefused(str(file), "hostile")


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    file = zip_of(tmp_path, lambda zipped: zipped.writestr("compiled/bomb", bytes(4 << 20)))
    assert refused(file) == ImportRefused(str(file), "hostile")


def test_a_size_that_lies_is_found_out(tmp_path: Path) -> None:
    """The list says 4 bytes, the entry holds 4 MiB: what is read ends at 4, and does not add up."""
    file = zip_of(tmp_path, lambda zipped: zipped.writestr("compiled/bomb", bytes(4 << 20)))
    data = bytearray(file.read_bytes())
    at = data.rindex(b"compiled/bomb") - 46
    assert data[at : at + 4] == b"PK\x01\x02"
    data[at + 24 : at + 28] = struct.pack("<I", 4)
    file.write_bytes(data)
    assert refused(file) == ImportRefused(str(file), "damaged")


def test_entries_that_lie_over_each_other_are_refused(tmp_path: Path) -> None:
    file = zip_of(tmp_path)
    with zipfile.ZipFile(file) as zipped:
        entries = zipped.infolist()
    with zipfile.ZipFile(file, "a") as zipped:
        largest = max(entries, key=lambda entry: entry.compress_size)
        for number in range(40):
            twin = zipfile.ZipInfo(f"compiled/{number}.bin")
            for name in ("file_size", "compress_size", "CRC", "header_offset", "compress_type"):
                setattr(twin, name, getattr(largest, name))
            zipped.filelist.append(twin)
        zipped._didModify = True  # type: ignore[attr-defined]
    assert refused(file) == ImportRefused(str(file), "hostile")


@pytest.mark.parametrize(
    ("limit", "value"), [("MAX_FILES", 2), ("MAX_BYTES", 1000)], ids=["files", "bytes"]
)
def test_a_limit_on_all_of_it(
    limit: str, value: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, limit, value)
    file = zip_of(tmp_path)
    assert refused(file) == ImportRefused(str(file), "too large")


def test_the_disk_has_to_have_the_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "free_bytes", lambda _: unpacking.HEADROOM)
    error = refused(zip_of(tmp_path))
    assert isinstance(error, NoSpace)
    assert error.needed == unpacking.HEADROOM + len(WEIGHTS) + 39


@pytest.mark.parametrize("cut", [3, 10, 5_000, -30, -1])
def test_half_a_zip_is_refused(cut: int, tmp_path: Path) -> None:
    file = zip_of(tmp_path)
    file.write_bytes(file.read_bytes()[:cut])
    error = refused(file)
    assert isinstance(error, ImportRefused)
    assert error.reason in ("damaged", "unknown format")


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    """Anywhere in the packed bytes of the weights."""
    file = zip_of(tmp_path)
    whole = file.read_bytes()
    start = whole.index(b"weight.bin") + len(b"weight.bin")
    with zipfile.ZipFile(file) as zipped:
        size = zipped.getinfo("compiled/Unet.mlmodelc/weights/weight.bin").compress_size
    for at in range(
        start + 100, start + size, size // 12
    ):  # past the block header, whose padding is free
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        assert refused(file) == ImportRefused(str(file), "damaged")


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    file = zip_of(tmp_path)
    data = bytearray(file.read_bytes())
    at = data.rindex(b"compiled/empty.txt") - 46
    data[at + 8] |= 1
    file.write_bytes(data)
    assert refused(file) == ImportRefused(str(file), "hostile")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda file: file.write_bytes(b"not a zip at all"), "unknown format"),
        (lambda file: file.mkdir(), "permission"),
        (lambda _: None, "missing"),
    ],
)
def test_what_is_no_zip_is_said(
    make: Callable[[Path], object], reason: str, tmp_path: Path
) -> None:
    file = tmp_path / "model.zip"
    make(file)
    assert refused(file) == ImportRefused(str(file), reason)


def test_an_empty_zip_is_no_model(tmp_path: Path) -> None:
    file = tmp_path / "model.zip"
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("__MACOSX/x", b"finder")
    assert refused(file) == ImportRefused(str(file), "unknown format")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = zip_of(tmp_path)
    (tmp_path / "out").touch()
    assert isinstance(refused(file), FolderNotWritable)
