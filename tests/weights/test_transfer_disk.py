"""The disk is full, closed or someone's trap, or the power goes: rows D17, D18, D19, D25, D27."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.card import CardFile, Kind
from app.core.errors import CardProblem, FolderNotWritable, NoSpace
from app.weights.events import Transferring, WeightsEvent
from app.weights.patience import GIB, Options
from app.weights.transfer import transfer
from tests.weights.hubs import (
    FETCH_IN_CHILD,
    HERE,
    KB,
    QUICK,
    Events,
    assert_whole,
    card_for,
    content,
    fault_hub,
    fetch,
)

pytestmark = pytest.mark.loopback
FILES = {"weights.bin": content(600 * KB), "config.json": b"{}"}
SIZE = sum(map(len, FILES.values()))
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own of 1 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no mounting here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@needs_root
@pytest.mark.parametrize("made", [{}, {"unpack": True}, {"kind": Kind.CHECKPOINT}])
def test_d17_a_disk_too_small_is_refused_before_a_byte(
    made: dict[str, Any], small_disk: Path
) -> None:
    """The shipped spare of 1 GiB; and where something is made of the file, twice its size."""
    spare = 0 if made else GIB
    patience = dataclasses.replace(QUICK, spare=spare)
    options = Options("https://127.0.0.1:9", "", patience)
    with pytest.raises(NoSpace) as caught:
        transfer(
            card_for(FILES, **made),
            small_disk / "to",
            Events().report,
            lambda: False,
            options,
        )

    assert caught.value.needed == (2 * SIZE if made else SIZE + GIB)
    assert 0 < caught.value.free <= 1 << 20
    assert list((small_disk / "to").iterdir()) == []


@needs_root
def test_d18_a_disk_that_fills_meanwhile_keeps_the_part(tmp_path: Path, small_disk: Path) -> None:
    filler = small_disk / "filler"

    def fill(event: WeightsEvent) -> bool:
        if isinstance(event, Transferring) and event.done > 200 * KB and not filler.exists():
            filler.write_bytes(bytes(500 * KB))
        return False

    held = {"do": "stall", "path": "weights.bin", "times": 1, "after": 300 * KB}
    with fault_hub(tmp_path, FILES, held) as hub:
        with pytest.raises(NoSpace):
            fetch(hub, card_for(FILES), small_disk / "to", events=Events(until=fill))
        kept = (small_disk / "to" / "weights.bin.part").stat().st_size
        assert kept > 200 * KB
        filler.unlink()

        fetch(hub, card_for(FILES), small_disk / "to")

        assert kept < len(FILES["weights.bin"])
        assert hub.ranges(least=4).count(f"bytes={kept}-") >= 1
        assert hub.ranges().count(None) == 2  # each file from its beginning once, and never again
    assert_whole(small_disk / "to", FILES)


@needs_root
def test_d19_a_read_only_disk_is_named(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(FolderNotWritable) as caught:
        transfer(card_for(FILES), small_disk / "to", Events().report, lambda: False)

    assert caught.value.reason == "read-only"


@needs_root
def test_d19_a_folder_of_someone_else_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o755)
    os.seteuid(65534)
    try:
        with pytest.raises(FolderNotWritable) as caught:
            transfer(card_for(FILES), closed / "to", Events().report, lambda: False)
    finally:
        os.seteuid(0)

    assert caught.value.reason == "permission"


def test_d19_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "to").write_bytes(b"")
    with pytest.raises(FolderNotWritable) as caught:
        transfer(card_for(FILES), tmp_path / "to", Events().report, lambda: False)

    assert caught.value.reason == "not a folder"


HOSTILE = [
    "../weights.bin", "a/../../weights.bin", "/etc/passwd", "a//b", "./a", "a/", "", "..",
    "a\\b", "a\0b", "a\nb", "\u202eexe.bin", "x" * 300, "é" * 130, "x" * 251,
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_d25_names_that_lead_out_are_refused(path: str, tmp_path: Path) -> None:
    file = CardFile(path, 3, "0" * 64)
    with pytest.raises(CardProblem):
        transfer(card_for({}, files=(file,)), tmp_path / "to", Events().report, lambda: False)

    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"repository": "../x"},
        {"repository": "https://evil.example/x"},
        {"repository": "a/b/c"},
        {"revision": ".."},
        {"revision": ""},
        {"subfolder": "../other"},
        {"files": (CardFile("a", -1, "0" * 64),)},
        {"files": (CardFile("a", 1, ""),)},
        {"files": (CardFile("a", 1, "0" * 64), CardFile("A", 1, "1" * 64))},
        {"files": (CardFile("a", 1, "0" * 64), CardFile("a.part", 1, "1" * 64))},
        {"files": (CardFile("a", 1, "0" * 64), CardFile("a/b", 1, "1" * 64))},
    ],
)
def test_d25_a_card_that_cannot_be_is_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(CardProblem):
        transfer(card_for({}, **changes), tmp_path / "to", Events().report, lambda: False)

    assert not (tmp_path / "to").exists()


def test_d25_links_planted_in_the_folder_are_not_followed(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "to"
    outside.mkdir()
    folder.mkdir()
    (folder / "unet").symlink_to(outside)
    files = {"unet/weights.bin": b"weights"}
    with fault_hub(tmp_path, files) as hub, pytest.raises(CardProblem):
        fetch(hub, card_for(files), folder)
    (outside / "precious").write_bytes(b"precious")
    (folder / "a.part").symlink_to(outside / "precious")
    with fault_hub(tmp_path, {"a": b"weights"}) as hub, pytest.raises(FolderNotWritable):
        fetch(hub, card_for({"a": b"weights"}), folder)

    assert [path.read_bytes() for path in outside.iterdir()] == [b"precious"]


def test_d25_a_pipe_in_the_place_of_a_part_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    os.mkfifo(tmp_path / "to" / "a.part")
    with fault_hub(tmp_path, {"a": b"weights"}) as hub, pytest.raises(FolderNotWritable):
        fetch(hub, card_for({"a": b"weights"}), tmp_path / "to")


def test_d25_a_link_in_the_place_of_a_file_gives_way_to_the_file(tmp_path: Path) -> None:
    """A receipt counts no links, so one that leads to the right bytes is not enough."""
    files = {"a": b"weights"}
    (tmp_path / "elsewhere").write_bytes(files["a"])
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "a").symlink_to(tmp_path / "elsewhere")
    with fault_hub(tmp_path, files) as hub:
        fetch(hub, card_for(files), tmp_path / "to")

    assert not (tmp_path / "to" / "a").is_symlink()
    assert_whole(tmp_path / "to", files)
    assert (tmp_path / "elsewhere").exists()


# --- power ----------------------------------------------------------------------------------

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


def traced(tmp_path: Path, *strace: str) -> tuple[str, str]:
    """What a transfer in another process asked of the system, and what it said."""
    copies = tmp_path / "copies"
    copies.mkdir(exist_ok=True)
    for name, data in FILES.items():
        (copies / name).write_bytes(data)
    trace = tmp_path / "trace.txt"
    command = [
        "strace",
        "-f",
        "-y",
        "-o",
        str(trace),
        *strace,
        sys.executable,
        "-c",
        FETCH_IN_CHILD,
    ]
    with fault_hub(tmp_path, FILES) as hub:
        run = subprocess.run(
            [
                *command,
                hub.endpoint,
                str(tmp_path / "to"),
                "quick",
                *map(str, sorted(copies.iterdir())),
            ],
            capture_output=True,
            text=True,
            cwd=HERE.parents[1],
        )
    if "ptrace" in run.stderr:
        pytest.skip("no tracing here")
    return trace.read_text("utf-8", errors="replace"), run.stdout


@needs_strace
def test_d27_each_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path) -> None:
    calls, said = traced(tmp_path, "-e", "trace=write,fsync,rename,renameat,renameat2")

    assert "done" in said
    folder = re.escape(str(tmp_path / "to"))
    for name in FILES:
        wanted = re.compile(rf"(write|fsync|rename)\w*\(.*{folder}(?:/{name}\b|>)")
        kinds = [found[1] for line in calls.splitlines() if (found := wanted.search(line))]
        text = " ".join(kinds)
        assert re.search(r"write fsync rename fsync", text), text


@needs_strace
@pytest.mark.parametrize(
    ("inject", "error"),
    [
        ("fsync:error=EIO:when=1", "FolderNotWritable"),
        ("fsync:error=ENOSPC:when=1", "NoSpace"),
        ("fsync:error=EINVAL:when=2", ""),  # the folder's, on a network disk
        ("flock:error=ENOLCK", ""),
    ],
)
def test_d27_what_the_disk_refuses_is_told(inject: str, error: str, tmp_path: Path) -> None:
    _, said = traced(tmp_path, "-e", f"inject={inject}")

    assert (f"failed {error}" in said) if error else ("done" in said)
    if error:
        assert not (tmp_path / "to" / "config.json").exists()
    with fault_hub(tmp_path, FILES) as hub:
        fetch(hub, card_for(FILES), tmp_path / "to")
    assert_whole(tmp_path / "to", FILES)
