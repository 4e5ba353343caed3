"""Another Easel in a process of its own: ``python -m tests.jobs.other_easel HOME ENDPOINT``.

Gets the tiny model into HOME, saying each kind of event once, and then how it ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from app.compose import compose
from app.core.folders import Folders
from app.jobs.shelf import Shelf
from app.weights.patience import Options
from tests.weights.hubs import QUICK, FaultHub

ROOT = Path(__file__).parents[2]


def start_other(home: Path, hub: FaultHub) -> subprocess.Popen[str]:
    """An ``easel_with_shelf`` of ``home`` has to be there, with the licence accepted."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.jobs.other_easel", str(home), hub.endpoint],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=dict(os.environ),
    )


def main(home: str, endpoint: str) -> None:
    real = compose({"EASEL_HOME": home}).folders
    shipped = Path(home) / "shipped"
    folders = Folders(shipped, real.pictures, real.support, real.caches, real.logs)
    shelf, said = Shelf(folders, Options(endpoint, "", QUICK)), set[str]()

    def report(event: object) -> None:
        name = type(event).__name__
        if name not in said:
            said.add(name)
            print(name, flush=True)

    model = shelf.get(shelf.card("tiny"), report, lambda: False)
    print("done" if model else "stopped", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
