"""What a download costs beside curl, from a server on this machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.bench.finding import Finding, Kind
from app.bench.runner import NotMeasured
from app.bench.setting import PEERS, Scale, Setting, numbers

MIB = 1 << 20
SIZES = {Scale.TINY: 8, Scale.SMALL: 256, Scale.FULL: 1024}
"""In MiB."""


def download(setting: Setting) -> list[Finding]:
    """CPU and wall of one file fetched and proven, against curl, which proves nothing."""
    if shutil.which("curl") is None:
        raise NotMeasured("there is no curl on this machine")
    setting.models.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix=".download-", dir=setting.models) as folder,
        _server(Path(folder), SIZES[setting.scale] * MIB) as (url, size, sha256),
    ):
        where = ("--url", url, "--into", folder)
        proof = ("--bytes", size, "--sha256", sha256)
        # Not pinned: the network and the hash run side by side, as they do for a person.
        ours, peer = setting.pair(
            "download",
            lambda: setting.probe("easel_download.py", *where, *proof, pinned=False),
            lambda: setting.peer("curl_download.py", *where, pinned=False),
        )
    curl, curl_wall = numbers(peer, "cpu"), numbers(peer, "wall")
    if not ours:
        return [Finding("download", "curl", Kind.VALUE, "s CPU", peer=curl)]
    cpu, hashing = numbers(ours, "cpu"), numbers(ours, "hashing")
    bare = tuple(all_of_it - part for all_of_it, part in zip(cpu, hashing, strict=True))
    bars = (1.4, 2.2, 1.3) if setting.counts else (None, None, None)
    return [
        Finding("download", "without hashing", Kind.RATIO, "s CPU", bare, curl, bars[0]),
        Finding("download", "with hashing", Kind.RATIO, "s CPU", cpu, curl, bars[1]),
        Finding(
            "download",
            "time it takes",
            Kind.RATIO,
            "s",
            numbers(ours, "wall"),
            curl_wall,
            bars[2],
            note="Easel also waits until the file is on the disk (fsync)",
        ),
    ]


@contextlib.contextmanager
def _server(folder: Path, size: int) -> Iterator[tuple[str, int, str]]:
    """A process that serves ``size`` bytes: its address, the size and their SHA-256."""
    file, found, piece = folder / "served.bin", hashlib.sha256(), os.urandom(MIB)
    with file.open("wb") as to:
        for _ in range(size // MIB):
            to.write(piece)
            found.update(piece)
    process = subprocess.Popen(
        [sys.executable, str(PEERS / "file_server.py"), str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip(), size, found.hexdigest()
        finally:
            process.kill()
