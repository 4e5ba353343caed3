"""Hubs that go wrong, models on them, and the shipped transfer with a shorter patience."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.core.card import CardFile, Kind, ModelCard
from app.core.model import Family
from app.weights.events import Report, Stopped, Transferred, WeightsEvent
from app.weights.patience import Options, Patience
from app.weights.transfer import transfer

HERE = Path(__file__).parent
KB = 1024
NEVER = 10_000
"""``times`` of a fault that does not end."""
QUICK = Patience(
    connect_s=2.0,
    stall_s=1.0,
    glance_s=0.05,
    slow_window_s=0.6,
    pauses=(0.05, 0.1, 0.2),
    idle_s=12.0,
    vague_retry_s=0.3,
    longest_retry_s=3.0,
    spare=0,
    report_s=0.0,
)


def content(size: int, seed: str = "weights") -> bytes:
    return random.Random(seed).randbytes(size)


def card_for(files: dict[str, bytes], /, **changes: Any) -> ModelCard:
    values: dict[str, Any] = {
        "id": "tiny",
        "title": "Tiny",
        "summary": "For tests.",
        "kind": Kind.DIFFUSERS,
        "family": next(iter(Family)),
        "repository": "easel/tiny",
        "revision": "main",
        "licence": "none",
        "files": tuple(
            CardFile(path, len(data), hashlib.sha256(data).hexdigest())
            for path, data in files.items()
        ),
        "memory": 0,
        "disk": 0,
    }
    return ModelCard(**values | changes)


@dataclass
class FaultHub:
    """A running hub; ``log`` is what it was asked."""

    endpoint: str
    cdn: str
    process: subprocess.Popen[str]
    log_file: Path

    def log(self, least: int = 0) -> list[dict[str, Any]]:
        """Every request that is over; waits a moment for the last ones to be written."""
        time.sleep(0.15)
        until = time.monotonic() + 3
        while True:
            text = self.log_file.read_text("utf-8") if self.log_file.exists() else ""
            lines = text.splitlines()
            if len(lines) >= least or time.monotonic() > until:
                return [json.loads(line) for line in lines]
            time.sleep(0.05)

    def sent(self) -> int:
        return sum(entry["sent"] for entry in self.log())

    def ranges(self, least: int = 0) -> list[str | None]:
        return [entry["headers"].get("range") for entry in self.log(least)]


@contextmanager
def fault_hub(
    folder: Path, files: dict[str, bytes], *rules: Any, tls: Any = (), port: int = 0
) -> Iterator[FaultHub]:
    """Serve ``files`` from a process of its own, with the faults of ``rules``.

    ``port`` is that of the hub, 0 for any that is free.
    """
    root, log = folder / "served", folder / f"log-{time.monotonic_ns()}.jsonl"
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    command = [sys.executable, str(HERE / "fault_hub.py"), str(root), json.dumps(rules), str(log)]
    process = subprocess.Popen(
        [*command, str(port), *map(str, tls)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        endpoint, cdn = process.stdout.readline().split()
        yield FaultHub(endpoint, cdn, process, log)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@dataclass
class Events:
    """Keeps what was reported, and cancels when ``until`` says so."""

    all: list[WeightsEvent] = field(default_factory=list)
    until: Callable[[WeightsEvent], bool] = lambda event: False  # noqa: ARG005
    stop: threading.Event = field(default_factory=threading.Event)

    def report(self, event: WeightsEvent) -> None:
        self.all.append(event)
        if self.until(event):
            self.stop.set()

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.all if isinstance(event, kind)]


def fetch(
    hub: FaultHub,
    card: ModelCard,
    folder: Path,
    *,
    patience: Patience = QUICK,
    token: str = "",
    events: Events | None = None,
) -> Transferred | Stopped:
    """The shipped transfer, in this process."""
    events = events or Events()
    report: Report = events.report
    options = Options(hub.endpoint, token, patience)
    return transfer(card, folder, report, events.stop.is_set, options)


def assert_whole(folder: Path, files: dict[str, bytes]) -> None:
    """The folder holds these files, no more, no less."""
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert {path: hashlib.sha256(data).hexdigest() for path, data in found.items()} == {
        path: hashlib.sha256(data).hexdigest() for path, data in files.items()
    }


FETCH_IN_CHILD = """
import dataclasses, sys, time
from pathlib import Path
from app.weights.patience import Options, Patience
from app.weights.transfer import transfer
from tests.weights.hubs import QUICK, card_for
endpoint, folder, wanted, *names = sys.argv[1:]
patience = dataclasses.replace(Patience(), spare=0) if wanted == "shipped" else QUICK
files = {Path(name).name: Path(name).read_bytes() for name in names}
def report(event):
    print(type(event).__name__, flush=True)
try:
    transfer(card_for(files), Path(folder), report, lambda: False, Options(endpoint, "", patience))
    print("done", flush=True)
except Exception as error:
    print("failed", error, flush=True)
"""


def start_fetch(
    hub: FaultHub, folder: Path, *names: Path, patience: str = "quick"
) -> subprocess.Popen[str]:
    """The shipped transfer in another process, of the files that ``names`` are copies of.

    ``patience`` is "quick" or "shipped".
    """
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            FETCH_IN_CHILD,
            hub.endpoint,
            str(folder),
            patience,
            *map(str, names),
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=HERE.parents[1],
        env=dict(os.environ),
    )
