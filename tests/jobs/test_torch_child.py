"""The real engine in the real child, from a Python that never sees torch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import queue, sys
from app.compose import compose
from app.core.recipe import Draft
from app.jobs.events import Saved
from app.core.events import Cancelled, Failed, Stepped

if __name__ == "__main__":
    easel = compose()
    events = queue.SimpleQueue()
    session = easel.make_session(events.put)
    session.warm_up(easel.model())

    def wait(kind, job):
        while True:
            event = events.get(timeout=240)
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, kind) and getattr(event.job, "id", event.job) == job.id:
                return event

    first, second = session.submit(Draft("a red apple", seed=1, steps=3, count=2), easel.model())
    one, two = wait(Saved, first), wait(Saved, second)
    (again,) = session.submit(Draft("a red apple", seed=2, steps=3), easel.model())
    assert wait(Saved, again).pixels == two.pixels != one.pixels
    (long,) = session.submit(Draft("a red apple", steps=150), easel.model())
    wait(Stepped, long)
    session.stop(long.id)
    wait(Cancelled, long)
    session.close()
    print([n for n in ("torch", "diffusers", "transformers", "numpy") if n in sys.modules])
"""


@pytest.mark.slow
def test_pictures_are_drawn_stopped_and_drawn_again_without_torch_in_this_process(
    tmp_path: Path,
) -> None:
    script = tmp_path / "window.py"
    script.write_text(SCRIPT)
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.stdout.strip() == "[]", done.stderr
