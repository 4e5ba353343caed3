"""The child killed again and again, at any moment: every job ends once, every picture is whole."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from app.core.recipe import Draft
from app.jobs.child_host import ChildHost
from app.jobs.events import Saved
from app.jobs.session import Session
from app.library.library import Library, read_picture
from tests.engine.numpy_engine import make_slow_numpy_engine, numpy_model
from tests.jobs.hearing import Heard, endings

KILLS = 25


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_child_killed_at_random_costs_at_most_the_job_it_was_drawing(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    model, heard = numpy_model(tmp_path), Heard()
    host = ChildHost(make_slow_numpy_engine, grace_s=1.0)
    library = Library(tmp_path / "pictures", tmp_path / "pictures")
    session = Session(host, library, lambda: (model,), tmp_path / "queue.json", heard)
    submitted: list[str] = []
    try:
        for _ in range(KILLS):
            jobs = session.submit(Draft("a red apple", steps=3, count=2), model)
            submitted += [job.id for job in jobs]
            time.sleep(chance.uniform(0.0, 1.0))
            pid = host.pid
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if chance.random() < 0.3:
                session.stop(chance.choice(jobs).id)
        (last,) = session.submit(Draft("a blue house"), model)
        submitted.append(last.id)
        for id in submitted:
            heard.ending(id)
        (after,) = session.submit(Draft("a yellow dog"), model)
        assert isinstance(heard.ending(after.id), Saved)
        submitted.append(after.id)
    finally:
        session.close()
    assert sorted(endings(heard.events)) == sorted(submitted)  # type: ignore[type-var]
    saved = [event for event in heard.events if isinstance(event, Saved)]
    files = sorted((tmp_path / "pictures").rglob("*.png"))
    assert files == sorted(event.picture.file for event in saved)
    for event in saved:
        assert read_picture(event.picture.file).recipe == event.job.recipe
