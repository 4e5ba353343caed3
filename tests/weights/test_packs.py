"""A model travels as one file and arrives whole; a hostile pack leaves nothing behind."""

from __future__ import annotations

import errno
import hashlib
import json
import stat
import struct
import tracemalloc
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.card import Acceptance, Origin
from app.core.errors import (
    FolderNotWritable,
    ImportRefused,
    LicenceNotAccepted,
    ModelDamaged,
    ModelMissing,
    NoSpace,
)
from app.messages.models import IMPORT_REASONS
from app.weights import packs, receipts
from app.weights.packs import export_pack, import_pack, read_pack
from tests.weights.receipt_examples import ACCEPTANCE, CONTENT, LICENCE, RECEIPT, put_files

MINE = Acceptance("openrail-m", ACCEPTANCE.sha256, "2026-12-01T08:00:00+00:00")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = put_files(receipts.folder_of(tmp_path / "theirs", "tiny", "main"))
    receipts.write(folder, RECEIPT, LICENCE)
    return folder


@pytest.fixture
def pack(model: Path, tmp_path: Path) -> Path:
    file = tmp_path / "tiny.easelpack"
    export_pack(model, file)
    return file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "models"


Rebuild = Callable[..., Path]


@pytest.fixture
def rebuilt(pack: Path, tmp_path: Path) -> Rebuild:
    """The pack with other bytes under some of its names, more names, or another manifest."""

    def build(
        changes: dict[str, bytes | None] | None = None,
        more: tuple[tuple[str | zipfile.ZipInfo, bytes], ...] = (),
        **manifest: Any,
    ) -> Path:
        file = tmp_path / "rebuilt.easelpack"
        with zipfile.ZipFile(pack) as old, zipfile.ZipFile(file, "w") as new:
            for name in old.namelist():
                data: bytes | None = old.read(name)
                if name == packs.MANIFEST:
                    data = json.dumps(json.loads(data or b"") | manifest).encode()
                data = (changes or {}).get(name, data)
                if data is not None:
                    new.writestr(zipfile.ZipInfo(name), data)
            for entry, data in more:
                new.writestr(zipfile.ZipInfo(entry) if isinstance(entry, str) else entry, data)
        return file

    return build


def refused(file: Path, root: Path) -> str:
    """The reason why ``file`` is refused; it is so before and while unpacking, leaving nothing."""
    with pytest.raises(ImportRefused) as error:
        import_pack(file, root, MINE)
    assert not root.exists() or list(root.iterdir()) == []
    assert error.value.file == str(file)
    assert error.value.reason in IMPORT_REASONS
    return error.value.reason


# --- there and back -------------------------------------------------------------------------


def test_a_model_arrives_whole_with_its_licence_and_the_new_person_s_acceptance(
    pack: Path, root: Path
) -> None:
    folder = import_pack(pack, root, MINE)

    assert folder == root / "tiny" / "main"
    assert {path: (folder / path).read_bytes() for path in CONTENT} == CONTENT
    assert (folder / "LICENSE.txt").read_text() == LICENCE
    (one,) = receipts.installed(root)
    came = replace(RECEIPT, origin=Origin.PACK, acceptance=MINE, installed=one.receipt.installed)
    assert one.receipt == came
    assert [path.name for path in root.iterdir()] == ["tiny"]


def test_the_licence_can_be_read_before_anything_is_unpacked(pack: Path, root: Path) -> None:
    found = read_pack(pack)

    assert (found.licence_text, found.revision) == (LICENCE, "main")
    assert found.receipt == RECEIPT
    assert not root.exists()


def test_a_pack_that_came_can_be_given_on(pack: Path, root: Path, tmp_path: Path) -> None:
    folder = import_pack(pack, root, MINE)

    export_pack(folder, tmp_path / "again.easelpack")

    assert import_pack(tmp_path / "again.easelpack", tmp_path / "third", MINE).is_dir()


def test_a_pack_is_stored_and_the_same_each_time(model: Path, pack: Path, tmp_path: Path) -> None:
    export_pack(model, tmp_path / "again.easelpack")

    assert (tmp_path / "again.easelpack").read_bytes() == pack.read_bytes()
    entries = zipfile.ZipFile(pack).infolist()
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert [entry.filename for entry in entries][:2] == ["easel-pack.json", "LICENSE.txt"]


def test_a_model_without_a_licence_travels_too(tmp_path: Path, root: Path) -> None:
    folder = put_files(tmp_path / "own" / "tiny" / "main")
    receipts.write(folder, replace(RECEIPT, acceptance=None))
    export_pack(folder, tmp_path / "own.easelpack")

    arrived = import_pack(tmp_path / "own.easelpack", root, None)

    assert receipts.read(arrived).acceptance is None


def test_the_licence_is_accepted_by_who_imports_and_for_this_text(pack: Path, root: Path) -> None:
    other = Acceptance("openrail-m", "0" * 64, MINE.when)
    for acceptance in (None, other):
        with pytest.raises(LicenceNotAccepted) as error:
            import_pack(pack, root, acceptance)
        assert error.value == LicenceNotAccepted("openrail-m", ACCEPTANCE.sha256)
    assert not root.exists()


def test_the_same_model_or_an_unfinished_download_is_replaced(pack: Path, root: Path) -> None:
    unfinished = root / "tiny" / "main" / "unet"
    unfinished.mkdir(parents=True)
    (unfinished / "weights.part").write_bytes(b"half")

    for _ in range(2):
        folder = import_pack(pack, root, MINE)
        receipts.check(folder, receipts.read(folder))
        assert [path.name for path in folder.parent.iterdir()] == ["main"]
    assert not (unfinished / "weights.part").exists()


def test_the_model_that_was_there_stays_when_the_new_one_cannot_take_its_place(
    pack: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = import_pack(pack, root, MINE)
    before, real = receipts.read(folder), Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name.startswith(receipts.STAGING_PREFIX):
            raise OSError(errno.EACCES, "refused")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(FolderNotWritable):
        import_pack(pack, root, MINE)

    assert receipts.read(folder) == before
    receipts.check(folder, before)
    assert [path.name for path in root.iterdir()] == ["tiny"]


def test_progress_is_told_and_reaches_the_whole(model: Path, pack: Path, root: Path) -> None:
    exported: list[int] = []
    imported: list[int] = []

    export_pack(model, pack, exported.append)
    import_pack(pack, root, MINE, imported.append)

    assert exported == imported == sorted(imported)
    assert imported[-1] == RECEIPT.disk


def test_stopping_leaves_nothing(model: Path, pack: Path, root: Path, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(_done: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        import_pack(pack, root, MINE, stop)
    assert list(root.iterdir()) == []
    before = sorted(tmp_path.iterdir())
    with pytest.raises(Stop):
        export_pack(model, tmp_path / "new.easelpack", stop)
    assert sorted(tmp_path.iterdir()) == before


# --- exporting ------------------------------------------------------------------------------


def test_a_model_that_rotted_is_not_exported(model: Path, tmp_path: Path) -> None:
    weights = model / "unet/diffusion_pytorch_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[1000] ^= 1
    weights.write_bytes(data)

    with pytest.raises(ModelDamaged) as error:
        export_pack(model, tmp_path / "new.easelpack")

    assert error.value == ModelDamaged(str(weights), "mismatch")
    assert not list(tmp_path.glob("*.easelpack"))
    assert not list(tmp_path.glob(".easel-*"))


def test_another_licence_text_than_the_accepted_one_is_not_exported(
    model: Path, tmp_path: Path
) -> None:
    (model / "LICENSE.txt").write_text("Do what you like.")

    with pytest.raises(ModelDamaged):
        export_pack(model, tmp_path / "new.easelpack")


def test_what_is_no_model_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        export_pack(put_files(tmp_path / "tiny" / "main"), tmp_path / "new.easelpack")


def test_a_full_disk_is_told_beforehand(
    model: Path, pack: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "free_bytes", lambda _folder: RECEIPT.disk + packs.HEADROOM - 1)

    with pytest.raises(NoSpace):
        import_pack(pack, root, MINE)
    with pytest.raises(NoSpace):
        export_pack(model, pack)
    assert not root.exists()


def test_a_folder_that_refuses_is_told(pack: Path, root: Path) -> None:
    root.write_text("a file where the folder would be")

    with pytest.raises(FolderNotWritable):
        import_pack(pack, root, MINE)


# --- hostile and broken packs ---------------------------------------------------------------


def test_a_file_that_is_not_there_or_no_pack_is_told(tmp_path: Path, root: Path) -> None:
    text = tmp_path / "text.easelpack"
    text.write_text("not a zip")
    other = tmp_path / "other.easelpack"
    with zipfile.ZipFile(other, "w") as zipped:
        zipped.writestr("files/hello.txt", b"hello")

    assert refused(tmp_path / "nowhere.easelpack", root) == "missing"
    assert refused(text, root) == "unknown format"
    assert refused(other, root) == "unknown format"
    assert refused(tmp_path, root) == "permission"


UNSAFE = (
    "files/../../outside.txt",
    "files//etc/passwd",
    "/etc/passwd",
    "../outside.txt",
    "C:/outside.txt",
    "files/..\\outside.txt",
    "files/.hidden",
    "files/a/../b",
    "files/./a",
    "files/",
    "files/folder/",
    "outside.txt",
    "files/receipt.json",
    "files/Receipt.JSON",
    "files/a\nb",
    "files/" + "x" * 250,
    "files/" + "/".join("x" * 100 for _ in range(9)),
    "files/con:stream",
    "files/ends in a dot.",
    "files/ends in a space ",
)


@pytest.mark.parametrize("name", UNSAFE, ids=lambda name: repr(name[:30]))
def test_a_name_that_leads_elsewhere_is_refused(rebuilt: Rebuild, root: Path, name: str) -> None:
    assert refused(rebuilt(more=((name, b"x"),)), root) == "unsafe names"
    assert not list(root.parent.rglob("*outside*"))


def test_a_nul_in_a_name_is_refused(rebuilt: Rebuild, root: Path) -> None:
    file = rebuilt(more=(("files/aXb", b"x"),))
    file.write_bytes(file.read_bytes().replace(b"files/aXb", b"files/a\0b"))

    assert refused(file, root) == "unsafe names"


@pytest.mark.parametrize(
    "name",
    [
        "files/model_index.json",
        "files/MODEL_INDEX.json",
        "files/model_index.json/inside",
        "files/unet",
        unicodedata.normalize("NFD", "files/вес/モデル.bin"),
        "easel-pack.json",
        "LICENSE.txt",
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_two_files_in_one_place_are_refused(rebuilt: Rebuild, root: Path, name: str) -> None:
    assert refused(rebuilt(more=((name, b"x"),)), root) == "unsafe names"


def test_a_link_or_a_device_is_refused(rebuilt: Rebuild, root: Path) -> None:
    for kind in (stat.S_IFLNK, stat.S_IFCHR, stat.S_IFDIR, stat.S_IFIFO):
        entry = zipfile.ZipInfo("files/link")
        entry.external_attr = (kind | 0o777) << 16
        assert refused(rebuilt(more=((entry, b"/etc/passwd"),)), root) == "hostile"


def test_a_bomb_is_refused_before_it_is_unpacked(rebuilt: Rebuild, root: Path) -> None:
    bomb = zipfile.ZipInfo("files/bomb")
    bomb.compress_type = zipfile.ZIP_DEFLATED
    file = rebuilt(more=((bomb, bytes(64 * 2**20)),))
    assert file.stat().st_size < 2**20

    tracemalloc.start()
    try:
        assert refused(file, root) == "hostile"
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


def test_a_hundred_thousand_entries_are_refused_in_little_memory(
    rebuilt: Rebuild, root: Path
) -> None:
    file = rebuilt(more=(("files/000000", b""),))
    data = file.read_bytes()
    start, end = data.rfind(b"PK\x01\x02"), data.rfind(b"PK\x05\x06")
    entry = data[start:end]
    many = b"".join(entry.replace(b"000000", b"%06d" % number) for number in range(100_000))
    size, at = struct.unpack_from("<II", data, end + 12)
    tail = bytearray(data[end:])
    struct.pack_into("<HHII", tail, 8, 65_535, 65_535, size - len(entry) + len(many), at)
    file.write_bytes(data[:start] + many + tail)

    tracemalloc.start()
    try:
        assert refused(file, root) == "too large"
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


def test_more_entries_than_any_model_has_are_refused(tmp_path: Path, root: Path) -> None:
    file = tmp_path / "many.easelpack"
    with zipfile.ZipFile(file, "w") as zipped:
        for number in range(receipts.MAX_FILES + 3):
            zipped.writestr(zipfile.ZipInfo(f"files/{number}"), b"")

    assert refused(file, root) == "too large"


def test_entries_that_lie_over_each_other_are_refused(rebuilt: Rebuild, root: Path) -> None:
    file = rebuilt(more=tuple((f"files/{number}", b"x") for number in range(3)))
    data = bytearray(file.read_bytes())
    at = data.find(b"PK\x01\x02")
    while at != -1:  # each entry of the list claims to be the whole file long
        struct.pack_into("<II", data, at + 20, len(data) // 2, len(data) // 2)
        at = data.find(b"PK\x01\x02", at + 4)
    file.write_bytes(data)

    assert refused(file, root) == "hostile"


def test_an_entry_with_two_sizes_is_refused(rebuilt: Rebuild, root: Path) -> None:
    file = rebuilt()
    data = bytearray(file.read_bytes())
    struct.pack_into("<I", data, data.find(b"PK\x01\x02") + 20, 1)
    file.write_bytes(data)

    assert refused(file, root) == "hostile"


def test_an_encrypted_entry_is_refused(rebuilt: Rebuild, root: Path) -> None:
    file = rebuilt()
    data = bytearray(file.read_bytes())
    at = data.find(b"PK\x01\x02")
    data[at + 8] |= 1
    file.write_bytes(data)

    assert refused(file, root) == "hostile"


@pytest.mark.parametrize("name", [f"files/{path}" for path in CONTENT if CONTENT[path]])
def test_other_bytes_than_the_receipt_s_are_refused(
    rebuilt: Rebuild, root: Path, name: str
) -> None:
    same_length = bytes(len(CONTENT[name.removeprefix("files/")]))
    other = b"\x01" + same_length[1:]

    assert refused(rebuilt({name: other}), root) == "checksum"


def test_a_file_more_or_less_or_of_another_size_is_refused(rebuilt: Rebuild, root: Path) -> None:
    assert refused(rebuilt(more=(("files/more.bin", b"x"),)), root) == "damaged"
    assert refused(rebuilt({"files/model_index.json": None}), root) == "damaged"
    assert refused(rebuilt({"files/model_index.json": b"{} "}), root) == "damaged"


def test_another_licence_than_the_accepted_one_is_refused(rebuilt: Rebuild, root: Path) -> None:
    assert refused(rebuilt({"LICENSE.txt": b"Do what you like."}), root) == "checksum"
    assert refused(rebuilt({"LICENSE.txt": None}), root) == "damaged"
    assert refused(rebuilt({"LICENSE.txt": b"x" * 1_000_001}), root) == "too large"


def test_a_licence_that_is_not_text_is_refused(rebuilt: Rebuild, root: Path) -> None:
    text = b"\xff\xfe"
    receipt = receipts.to_data(RECEIPT)
    receipt["acceptance"]["sha256"] = hashlib.sha256(text).hexdigest()

    assert refused(rebuilt({"LICENSE.txt": text}, receipt=receipt), root) == "damaged"


@pytest.mark.parametrize(
    "manifest",
    [
        {"schema_version": 2},
        {"schema_version": "1"},
        {"revision": ".."},
        {"revision": "../../up"},
        {"revision": ""},
        {"revision": None},
        {"receipt": None},
        {"receipt": []},
        {"receipt": receipts.to_data(RECEIPT) | {"id": "../up"}},
        {"receipt": receipts.to_data(RECEIPT) | {"acceptance": None}},
        {"colour": 1},
    ],
    ids=lambda manifest: repr(manifest)[:40],
)
def test_a_manifest_that_is_not_right_is_refused(
    rebuilt: Rebuild, root: Path, manifest: dict[str, Any]
) -> None:
    assert refused(rebuilt(**manifest), root) == "damaged"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "damaged"),
        (b"[]", "damaged"),
        (b"\xff", "damaged"),
        (b"[" * 100_000, "damaged"),
        (b" " * (4 * 2**20 + 1), "too large"),
    ],
    ids=["cut", "list", "bytes", "deep", "long"],
)
def test_a_manifest_that_is_no_json_is_refused(
    rebuilt: Rebuild, root: Path, text: bytes, reason: str
) -> None:
    assert refused(rebuilt({packs.MANIFEST: text}), root) == reason


def test_a_pack_cut_anywhere_is_refused(pack: Path, root: Path) -> None:
    whole = pack.read_bytes()
    cuts = [4, 30, 100, len(whole) // 2, len(whole) - 300, len(whole) - 22, len(whole) - 1]
    for length in cuts:
        pack.write_bytes(whole[:length])
        assert refused(pack, root) == "damaged"


def test_a_name_that_is_no_text_where_its_bytes_lie_is_refused(pack: Path, root: Path) -> None:
    whole = pack.read_bytes()
    at = whole.rfind("вес".encode(), 0, whole.find(b"PK\x01\x02"))
    pack.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])

    assert refused(pack, root) == "damaged"


@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_bytes_are_changed_it_is_the_same_model_or_refused(
    pack: Path, root: Path, changes: list[tuple[float, int]]
) -> None:
    whole = pack.read_bytes()
    ends = bytearray(whole)
    # The weights are most of the file: change the first and the last kilobyte instead
    places = [*range(1000), *range(len(whole) - 1400, len(whole))]
    for where, value in changes:
        ends[places[int(where * (len(places) - 1))]] = value
    broken = pack.with_name("broken.easelpack")
    broken.write_bytes(ends)
    try:
        folder = import_pack(broken, root, MINE)
    except (ImportRefused, LicenceNotAccepted):
        assert not list(root.glob(".*"))
        return
    for file in receipts.read(folder).files:
        assert hashlib.sha256((folder / file.path).read_bytes()).hexdigest() == file.sha256
    receipts.remove(folder)
