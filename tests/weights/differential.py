"""The stock client and Easel's transfer against the same hub and the same faults, side by side.

    python -m tests.weights.differential

prints a table of both. Each client runs in a process of its own, with what it ships with: no limit
is made shorter for either. After the run with the fault, each gets a second one from a sound hub.
Four things are counted:

- silent: it said that all is well, and a file was missing or not the right one
- hang: it had not ended after ``DEADLINE_S``
- lost: bytes that had come had to come again, or a good file was gone
- gave up: the fault passed by itself, and a person would have had to start it again
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.weights.hubs import HERE, NEVER, FaultHub, content, fault_hub

MB = 1 << 20
DEADLINE_S = 100.0
"""Easel's own promise is 90 s for a hub that never answers."""
SLACK = 4 * MB
"""Bytes that may be on their way when a line breaks, and come again."""
WEIGHTS, CONFIG = "model.safetensors", "config.json"
FILES = {
    WEIGHTS: content(24 * MB, "differential"),
    CONFIG: b'{"layers": 4}\n',
    "merges.txt": b"a b",
}
SERVED = FILES | {
    "LICENSE": b"Be good.\n",
    ".api.json": json.dumps({"etags": True}).encode(),
}

STOCK = """
import sys
from huggingface_hub import hf_hub_download, snapshot_download
endpoint, folder, task = sys.argv[1:]
about = {"revision": "main", "local_dir": folder, "endpoint": endpoint, "token": False}
if task == "repair":
    hf_hub_download("easel/tiny", "model.safetensors", force_download=True, **about)
else:
    only = ["model.safetensors"] if task == "named" else None
    snapshot_download("easel/tiny", allow_patterns=only, **about)
"""

EASEL = """
import dataclasses, sys
from pathlib import Path
from app.weights.naming import resolve
from app.weights.patience import Options, Patience
from app.weights.transfer import repair, transfer
from tests.weights.differential import FILES, WEIGHTS
from tests.weights.hubs import card_for
endpoint, folder, task = sys.argv[1:]
options = Options(endpoint, "", dataclasses.replace(Patience(), spare=0))
card, ask = card_for(FILES), (lambda _: None, lambda: False, options)
if task == "repair":
    repair(card, Path(folder), (WEIGHTS,), *ask)
elif task == "named":
    transfer(resolve("easel/tiny", "", Path("resources/licenses"), *ask).card, Path(folder), *ask)
else:
    transfer(card, Path(folder), *ask)
"""
CLIENTS = {"stock": STOCK, "easel": EASEL}


@dataclass(frozen=True)
class Scenario:
    """``passes`` is whether the fault ends by itself; ``spoils`` whether it makes bytes worthless.

    ``before`` prepares the folder after a sound download. ``task`` is "get", "repair" (one good
    file) or "named" (the hub is asked what there is). ``killed`` ends the first run half-way.
    """

    name: str
    rules: tuple[dict[str, Any], ...] = ()
    passes: bool = False
    spoils: bool = False
    task: str = "get"
    before: Callable[[Path], None] | None = None
    killed: bool = False


def get(do: str, times: int = 1, path: str = WEIGHTS, **more: Any) -> dict[str, Any]:
    return {"do": do, "method": "GET", "path": path, "times": times, **more}


def status(code: int, times: int = 1, **headers: str) -> dict[str, Any]:
    return get("status", times, code=code, headers=headers)


def rot(folder: Path) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[len(data) // 3] ^= 1
    (folder / WEIGHTS).write_bytes(data)


def empty(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(b"")


def one_of_three(folder: Path) -> None:
    for path in (WEIGHTS, "merges.txt"):
        (folder / path).unlink()


def nothing(_: Path) -> None:
    """Everything is as it should be."""


HALF = get("cut", after=12 * MB)
EVERYTHING: dict[str, Any] = {"times": NEVER}
SCENARIOS = (
    Scenario("sound"),
    Scenario("FIN at 12 MiB once", (HALF,), passes=True),
    Scenario("FIN every 12 MiB", (get("cut", NEVER, after=12 * MB),), passes=True),
    Scenario("FIN every 8 MiB", (get("cut", NEVER, after=8 * MB),), passes=True),
    Scenario("FIN every 1 MiB", (get("cut", NEVER, after=MB),), passes=True),
    Scenario("FIN at once, always", (get("cut", NEVER),)),
    Scenario("RST at 12 MiB once", (get("rst", after=12 * MB),), passes=True),
    Scenario("RST every 12 MiB", (get("rst", NEVER, after=12 * MB),), passes=True),
    Scenario("500 once", (status(500),), passes=True),
    Scenario("503 once", (status(503),), passes=True),
    Scenario("503 three times", (status(503, 3),), passes=True),
    Scenario("503 once, half-way", (HALF, status(503)), passes=True),
    Scenario("503 for ever", (status(503, NEVER),)),
    Scenario("503 for ever, half-way", (HALF, status(503, NEVER))),
    Scenario("HEAD 503 once", ({"do": "status", "code": 503, "method": "HEAD"},), passes=True),
    Scenario(
        "API 503 once",
        ({"do": "status", "code": 503, "path": "/revision/main"},),
        passes=True,
        task="named",
    ),
    Scenario("429, Retry-After 2", (status(429, **{"Retry-After": "2"}),), passes=True),
    Scenario("429, Retry-After a day", (status(429, NEVER, **{"Retry-After": "86400"}),)),
    Scenario("stall at 12 MiB once", (get("stall", after=12 * MB),), passes=True),
    Scenario("stall at 12 MiB, then always", (HALF, get("stall", NEVER))),
    Scenario("drip of 64 B/s once", (get("drip", after=12 * MB),), passes=True),
    Scenario("drip of 64 B/s always", (get("drip", NEVER),)),
    Scenario("GET is never answered", (get("blackhole", NEVER),)),
    Scenario("HEAD is never answered", ({"do": "blackhole", "method": "HEAD", **EVERYTHING},)),
    Scenario(
        "API is never answered",
        ({"do": "blackhole", "path": "/revision/main", **EVERYTHING},),
        task="named",
    ),
    Scenario("Range is ignored", (HALF, get("ignore_range")), passes=True, spoils=True),
    Scenario("shifted part", (HALF, get("shift")), passes=True, spoils=True),
    Scenario("part begins elsewhere", (HALF, get("shift_head")), passes=True, spoils=True),
    Scenario("part of another total", (HALF, get("wrong_total")), passes=True, spoils=True),
    Scenario("wrong bytes once", (get("corrupt"),), passes=True, spoils=True),
    Scenario("wrong bytes always", (get("corrupt", NEVER),), spoils=True),
    Scenario("wrong config once", (get("corrupt", path=CONFIG),), passes=True, spoils=True),
    Scenario("wrong config always", (get("corrupt", NEVER, CONFIG),), spoils=True),
    Scenario("web page for the file", (get("html", NEVER),)),
    Scenario("log-in page for everything", ({"do": "html", **EVERYTHING},)),
    Scenario("Content-Length too small once", (get("truncate", by=MB),), passes=True, spoils=True),
    Scenario("Content-Length too large once", (get("extra", by=MB),), passes=True, spoils=True),
    Scenario("chunks without a length", (get("chunked"),), passes=True),
    Scenario("one file grew upstream", (get("changed", NEVER, by=MB),), spoils=True),
    Scenario("killed half-way", (get("serve", rate=8 * MB),), killed=True),
    Scenario("bit rot, then again", before=rot, spoils=True),
    Scenario("0 bytes left, then again", before=empty, spoils=True),
    Scenario("repair, and the hub says 503", (status(503, NEVER),), task="repair", before=nothing),
    Scenario("repair, and the line breaks", (get("cut", NEVER),), task="repair", before=nothing),
    Scenario(
        "one of three files, hub down",
        ({"do": "status", "code": 503, **EVERYTHING},),
        before=one_of_three,
        spoils=True,
    ),
    Scenario("nothing here, hub down", ({"do": "status", "code": 503, **EVERYTHING},)),
)


@dataclass
class Verdict:
    """What one client made of one scenario; ``said`` is how its first run ended."""

    scenario: str
    client: str
    silent: bool = False
    hang: bool = False
    lost: bool = False
    gave_up: bool = False
    said: str = ""
    sent: list[int] = field(default_factory=list)


def judge(scenario: Scenario, client: str, place: Path) -> Verdict:
    """Run ``client`` through ``scenario`` in the new folder ``place``."""
    verdict = Verdict(scenario.name, client)
    folder = place / "to"
    wanted = {WEIGHTS} if scenario.task == "named" else set(FILES)
    # 1. What is there before
    if scenario.before is not None:
        with fault_hub(_made(place / "sound"), SERVED) as hub:
            _run(client, hub, folder, "get", verdict, wanted)
        scenario.before(folder)
        verdict = Verdict(scenario.name, client)
    # 2. The run with the fault
    with fault_hub(_made(place / "faulty"), SERVED, *scenario.rules) as hub:
        ended = _run(client, hub, folder, scenario.task, verdict, wanted, killed=scenario.killed)
        verdict.gave_up = scenario.passes and not ended
    if scenario.task == "repair" and not _is_right(folder, WEIGHTS):
        verdict.lost = True
    # 3. And one from a sound hub
    with fault_hub(_made(place / "later"), SERVED) as hub:
        _run(client, hub, folder, scenario.task, verdict, wanted)
    size = len(FILES[WEIGHTS])
    again = sum(verdict.sent) - size
    if not scenario.spoils and scenario.task != "repair" and again > SLACK:
        verdict.lost = True
    return verdict


def judge_all(clients: Iterable[str], workers: int = 12) -> list[Verdict]:
    """Every scenario with each of ``clients``, several at a time: most of them only wait."""
    with (
        tempfile.TemporaryDirectory(prefix="differential-") as root,
        ThreadPoolExecutor(workers) as pool,
    ):
        asked = [
            pool.submit(judge, scenario, client, _made(Path(root) / f"{number}-{client}"))
            for number, scenario in enumerate(sorted(SCENARIOS, key=_waits, reverse=True))
            for client in clients
        ]
        return [one.result() for one in asked]


def table(verdicts: list[Verdict]) -> str:
    """The sums, then each scenario in which a client did something that is counted."""
    lines = [f"{'':34}{'silent':>8}{'hang':>8}{'lost':>8}{'gave up':>9}"]
    for client in dict.fromkeys(one.client for one in verdicts):
        of = [one for one in verdicts if one.client == client]
        lines.append(
            f"{client + f', {len(of)} scenarios':34}{sum(one.silent for one in of):8}"
            f"{sum(one.hang for one in of):8}{sum(one.lost for one in of):8}"
            f"{sum(one.gave_up for one in of):9}"
        )
        for one in of:
            if one.silent or one.hang or one.lost or one.gave_up:
                marks = (one.silent, one.hang, one.lost)
                lines.append(
                    f"  {one.scenario:32}"
                    + "".join(f"{'x' if mark else '':>8}" for mark in marks)
                    + f"{'x' if one.gave_up else '':>9}  {one.said}"
                )
    return "\n".join(lines)


def _run(
    client: str,
    hub: FaultHub,
    folder: Path,
    task: str,
    verdict: Verdict,
    wanted: set[str],
    *,
    killed: bool = False,
) -> bool:
    """One run; whether it said that all is well. Adds what it was seen to do to ``verdict``."""
    home = folder.parent / "home"
    process = subprocess.Popen(
        [sys.executable, "-c", CLIENTS[client], hub.endpoint, str(folder), task],
        cwd=HERE.parents[1],
        env=_environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            if killed:
                _half_way(folder)
                process.kill()
            _, words = process.communicate(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            verdict.hang = True
            process.kill()
            _, words = process.communicate()
    log = [entry for entry in hub.log() if entry["path"].endswith(WEIGHTS)]
    verdict.sent.append(sum(entry["sent"] for entry in log))
    well = process.returncode == 0
    last = words.strip().splitlines()[-1:] or [""]
    verdict.said = verdict.said or ("ok" if well else last[0].partition("(")[0][:60])
    verdict.silent |= well and not all(_is_right(folder, path) for path in wanted)
    return well


def _environment(home: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HF_") and "proxy" not in name.lower() and "OFFLINE" not in name
    }
    return kept | {
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }


def _half_way(folder: Path) -> None:
    """Wait until a client, whatever it calls its files, has half of the weights on the disk."""
    until = time.monotonic() + DEADLINE_S
    while time.monotonic() < until:
        with suppress(OSError):
            if sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) > 11 * MB:
                return
        time.sleep(0.02)


def _is_right(folder: Path, path: str) -> bool:
    try:
        return (folder / path).read_bytes() == FILES[path]
    except OSError:
        return False


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _waits(scenario: Scenario) -> bool:
    """Those that take longest begin first."""
    slow = ("blackhole", "drip", "stall")
    return any(r["do"] in slow or r.get("times") == NEVER for r in scenario.rules)


if __name__ == "__main__":
    print(table(judge_all(CLIENTS)))
