"""Runs one command and writes down what it and everything it started cost. Run by path.

    python -I measured.py RESULT CORE COMMAND...

``CORE`` is a core to pin to, or "any". A process of its own, so that the sums of the system
(``RUSAGE_CHILDREN``) hold this command's processes and nothing else, and its high-water mark
does not begin at that of a large parent.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def main(result: str, core: str, command: list[str]) -> int:
    """Run ``command``; its exit status. CPU in seconds, wall in seconds, peak in bytes."""
    adopt_orphans()
    if core != "any" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    began = time.monotonic()
    child = subprocess.Popen(command)
    code = child.wait()
    wall = time.monotonic() - began
    wait_for_orphans()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes there, KiB elsewhere
    with open(result, "w", encoding="utf-8") as file:  # noqa: PTH123 - no pathlib: it costs 5 ms
        json.dump(
            {
                "code": code,
                "cpu": used.ru_utime + used.ru_stime,
                "wall": wall,
                "peak": used.ru_maxrss * unit,
            },
            file,
        )
    return 0


def adopt_orphans() -> None:
    """On Linux: what the command leaves behind becomes ours to wait for, so that it is counted."""
    if sys.platform != "linux":
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def wait_for_orphans() -> None:
    """Wait until no child of ours is left."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
