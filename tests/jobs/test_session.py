"""The session: drafts in, pictures on the disk, every job ends exactly once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.errors import (
    BlackResult,
    Bug,
    EngineDied,
    FolderNotWritable,
    NotFinite,
    RecipeProblem,
)
from app.core.events import Cancelled, Decoding, Failed, Finished, Loading, Stepped
from app.core.model import Model
from app.core.placement import Placement
from app.core.recipe import Draft, Recipe
from app.engine.contract import EngineFactory
from app.jobs.child_host import ChildHost
from app.jobs.events import (
    EngineChanged,
    EngineState,
    NotSaved,
    Queued,
    Retrying,
    Saved,
    Snapshot,
    Started,
)
from app.jobs.host import Host
from app.jobs.queue import JobState
from app.jobs.session import Session
from app.jobs.thread_host import ThreadHost
from app.library.library import Library, Picture, read_picture
from tests.engine.numpy_engine import (
    make_numpy_engine,
    make_slow_numpy_engine,
    numpy_model,
)
from tests.jobs.engines import make_crash, make_misbehaving, make_none, make_two_placements
from tests.jobs.hearing import PATIENCE, Heard, endings

Open = Callable[..., tuple[Session, Heard]]


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return numpy_model(tmp_path)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "support" / "queue.json"


@pytest.fixture
def open_session(tmp_path: Path, model: Model, journal: Path) -> Iterator[Open]:
    sessions: list[Session] = []

    def open_session(
        make_engine: EngineFactory = make_numpy_engine,
        host: type[ThreadHost] | type[ChildHost] = ThreadHost,
        library: object = None,
    ) -> tuple[Session, Heard]:
        heard = Heard()
        keeps = library or Library(tmp_path / "pictures", tmp_path / "fallback")
        session = Session(host(make_engine), keeps, lambda: (model,), journal, heard)  # type: ignore[arg-type]
        sessions.append(session)
        return session, heard

    yield open_session
    for session in sessions:
        session.close()


def test_a_draft_becomes_a_picture_on_the_disk_with_its_recipe_inside(
    open_session: Open, model: Model, tmp_path: Path
) -> None:
    session, heard = open_session()
    (job,) = session.submit(Draft("a red apple", seed=7), model)
    saved = heard.ending(job.id)
    assert isinstance(saved, Saved)
    assert saved.picture.file.is_relative_to(tmp_path / "pictures")
    assert read_picture(saved.picture.file).recipe == job.recipe
    assert saved.picture.fell_back is None
    assert len(saved.pixels.rgb) == 64 * 64 * 3


def test_events_of_a_job_come_in_the_order_of_its_path(open_session: Open, model: Model) -> None:
    session, heard = open_session()
    (job,) = session.submit(Draft("a red apple", steps=2), model)
    heard.ending(job.id)
    kinds = [type(event) for event in heard.of(job.id)]
    assert kinds == [Queued, Started, Loading, Stepped, Stepped, Decoding, Saved]


def test_a_count_of_three_is_one_group_drawn_one_by_one_with_seeds_in_a_row(
    open_session: Open, model: Model
) -> None:
    session, heard = open_session()
    jobs = session.submit(Draft("a red apple", seed=7, count=3), model)
    assert [job.recipe.seed for job in jobs] == [7, 8, 9]
    assert {job.group for job in jobs} == {jobs[0].group}
    assert [(job.index, job.of) for job in jobs] == [(1, 3), (2, 3), (3, 3)]
    for job in jobs:
        heard.ending(job.id)
    started = [event.job.id for event in heard.events if isinstance(event, Started)]
    assert started == [job.id for job in jobs]
    assert sorted(endings(heard.events)) == sorted(job.id for job in jobs)  # type: ignore[type-var]


def test_a_draft_that_cannot_be_queues_nothing(open_session: Open, model: Model) -> None:
    session, heard = open_session()
    with pytest.raises(RecipeProblem):
        session.submit(Draft("  "), model)
    assert session.snapshot() == Snapshot()
    assert heard.events == []


def test_nothing_is_started_before_it_is_used(open_session: Open) -> None:
    before = set(threading.enumerate())
    session, heard = open_session()
    assert session.models()[0].id == "numpy"
    assert set(threading.enumerate()) == before
    session.warm_up()
    heard.wait(EngineChanged, lambda event: event.state is EngineState.READY)
    assert session.snapshot().placements == (Placement.CPU,)


def test_a_snapshot_shows_what_runs_and_what_waits(open_session: Open, model: Model) -> None:
    session, heard = open_session(make_slow_numpy_engine)
    first, second = session.submit(Draft("a red apple", steps=150, count=2), model)
    heard.wait(Stepped)
    now = session.snapshot()
    assert [job.id for job in now.jobs] == [first.id, second.id]
    assert [job.state for job in now.jobs] == [JobState.RUNNING, JobState.WAITING]
    assert now.running == now.jobs[0]
    assert now.busy
    session.stop(first.id)
    session.stop_all()
    heard.ending(second.id)
    heard.ending(first.id)
    assert not session.snapshot().busy


def test_a_stopped_job_is_never_saved(open_session: Open, model: Model, tmp_path: Path) -> None:
    session, heard = open_session(make_slow_numpy_engine)
    first, second = session.submit(Draft("a red apple", steps=50, count=2), model)
    heard.wait(Stepped)
    session.stop(second.id)
    session.stop(first.id)
    assert heard.ending(first.id) == Cancelled(first.id)
    assert heard.ending(second.id) == Cancelled(second.id)
    session.close()
    assert list(tmp_path.glob("pictures/**/*.png")) == []
    assert [type(event) for event in heard.of(second.id)] == [Queued, Cancelled]


def test_a_stop_before_the_engine_is_there_ends_the_job_at_once(
    open_session: Open, model: Model
) -> None:
    session, heard = open_session(make_slow_numpy_engine, ChildHost)
    (job,) = session.submit(Draft("a red apple"), model)
    session.stop(job.id)
    assert session.snapshot().jobs == ()
    assert heard.ending(job.id) == Cancelled(job.id)
    (after,) = session.submit(Draft("a red apple", steps=1), model)
    assert isinstance(heard.ending(after.id), Saved)


def test_stopping_what_is_not_there_does_nothing(open_session: Open, model: Model) -> None:
    session, heard = open_session()
    session.stop("nobody")
    (job,) = session.submit(Draft("a red apple"), model)
    heard.ending(job.id)
    session.stop(job.id)
    session.close()
    assert endings(heard.events) == [job.id]


def test_what_fails_in_one_place_is_drawn_in_the_next_with_the_same_recipe(
    open_session: Open, model: Model
) -> None:
    session, heard = open_session(make_two_placements)
    (job,) = session.submit(Draft("black night"), model)
    saved = heard.ending(job.id)
    assert isinstance(saved, Saved)
    assert saved.picture.placement is Placement.CPU
    assert saved.picture.recipe == job.recipe
    retrying = heard.wait(Retrying)
    assert (retrying.before, retrying.after) == (Placement.CUDA, Placement.CPU)
    assert retrying.error == BlackResult()
    assert retrying.job.id == job.id


def test_what_fails_everywhere_is_told_by_its_first_error(open_session: Open, model: Model) -> None:
    session, heard = open_session(make_two_placements)
    (job,) = session.submit(Draft("everywhere"), model)
    assert heard.ending(job.id) == Failed(job.id, NotFinite("decoding"))


def test_a_crash_is_tried_in_the_next_place_in_a_new_process(
    open_session: Open, model: Model
) -> None:
    session, heard = open_session(make_two_placements, ChildHost)
    (job,) = session.submit(Draft("vanish"), model)
    assert isinstance(heard.ending(job.id), Saved)
    assert heard.wait(Retrying).error == EngineDied(7)


def test_a_crash_fails_its_job_and_the_queue_goes_on(open_session: Open, model: Model) -> None:
    session, heard = open_session(make_misbehaving, ChildHost)
    (wrong,) = session.submit(Draft("segfault"), model)
    (right,) = session.submit(Draft("a red apple"), model)
    ending = heard.ending(wrong.id)
    assert isinstance(ending, Failed)
    assert isinstance(ending.error, EngineDied)
    assert isinstance(heard.ending(right.id), Saved)
    states = [event.state for event in heard.events if isinstance(event, EngineChanged)]
    down, starting, ready = EngineState.DOWN, EngineState.STARTING, EngineState.READY
    assert states == [starting, ready, down, starting, ready]


def test_an_engine_that_dies_of_every_job_is_not_started_for_all_of_them(
    open_session: Open, model: Model
) -> None:
    session, heard = open_session(make_crash, ChildHost)
    jobs = session.submit(Draft("a red apple", count=10), model)
    for job in jobs:
        assert heard.ending(job.id) == Failed(job.id, EngineDied(-9))
    states = [event.state for event in heard.events if isinstance(event, EngineChanged)]
    assert states.count(EngineState.STARTING) <= 3
    assert session.snapshot().jobs == ()


@pytest.mark.parametrize("host", [ThreadHost, ChildHost])
def test_an_engine_that_cannot_be_made_fails_the_job_that_needs_it(
    open_session: Open, model: Model, host: type[Host]
) -> None:
    session, heard = open_session(make_none, host)
    session.warm_up()
    heard.wait(EngineChanged, lambda event: event.state is EngineState.DOWN)
    (job,) = session.submit(Draft("a red apple"), model)
    assert heard.ending(job.id) == Failed(job.id, BlackResult())
    assert session.snapshot().jobs == ()


def test_a_folder_that_cannot_be_written_is_told_and_the_picture_is_elsewhere(
    open_session: Open, model: Model, tmp_path: Path
) -> None:
    (tmp_path / "pictures").write_text("a file where the folder should be")
    session, heard = open_session()
    (job,) = session.submit(Draft("a red apple"), model)
    saved = heard.ending(job.id)
    assert isinstance(saved, Saved)
    assert isinstance(saved.picture.fell_back, FolderNotWritable)
    assert saved.picture.file.is_relative_to(tmp_path / "fallback")


def test_a_picture_no_folder_takes_is_handed_over_and_the_queue_goes_on(
    open_session: Open, model: Model, tmp_path: Path
) -> None:
    (tmp_path / "pictures").write_text("")
    (tmp_path / "fallback").write_text("")
    session, heard = open_session()
    jobs = session.submit(Draft("a red apple", count=2), model)
    for job in jobs:
        ending = heard.ending(job.id)
        assert isinstance(ending, Failed)
        assert isinstance(ending.error, FolderNotWritable)
        lost = heard.wait(NotSaved, lambda event, id=job.id: event.job.id == id)  # type: ignore[misc]
        assert len(lost.pixels.rgb) == 64 * 64 * 3


class BrokenLibrary:
    def save(self, recipe: Recipe, finished: Finished) -> Picture:
        raise ZeroDivisionError(recipe, finished)


def test_a_fault_in_the_library_is_a_bug_and_not_a_silence(
    open_session: Open, model: Model
) -> None:
    session, heard = open_session(library=BrokenLibrary())
    (job,) = session.submit(Draft("a red apple"), model)
    ending = heard.ending(job.id)
    assert isinstance(ending, Failed)
    assert isinstance(ending.error, Bug)


def test_the_window_is_never_kept_waiting_by_a_slow_disk(open_session: Open, model: Model) -> None:
    disk = threading.Event()

    class SlowLibrary(BrokenLibrary):
        def save(self, recipe: Recipe, finished: Finished) -> Picture:
            disk.wait(60)
            return Picture(Path("/p.png"), recipe, finished.placement, 1.0, None)  # type: ignore[arg-type]

    session, heard = open_session(library=SlowLibrary())
    first, second = session.submit(Draft("a red apple", count=2), model)
    heard.wait(Decoding, lambda event: event.job == second.id)
    assert [job.id for job in session.snapshot().saving][:1] == [first.id]
    (third,) = session.submit(Draft("a red apple"), model)
    session.stop(third.id)
    assert session.snapshot().busy
    disk.set()
    assert isinstance(heard.ending(first.id), Saved)
    assert isinstance(heard.ending(second.id), Saved)


def test_close_waits_for_a_picture_on_its_way_to_the_disk(
    open_session: Open, model: Model, tmp_path: Path
) -> None:
    saving = threading.Event()
    real = Library(tmp_path / "pictures", tmp_path / "fallback")

    class Slow:
        def save(self, recipe: Recipe, finished: Finished) -> Picture:
            saving.set()
            threading.Event().wait(0.2)
            return real.save(recipe, finished)

    session, heard = open_session(library=Slow())
    (job,) = session.submit(Draft("a red apple"), model)
    assert saving.wait(60)
    session.close()
    assert endings(heard.events) == [job.id]
    assert len(list(tmp_path.glob("pictures/**/*.png"))) == 1


def test_a_listener_that_fails_does_not_stop_the_others(
    open_session: Open, model: Model, caplog: pytest.LogCaptureFixture
) -> None:
    session, heard = open_session()

    def failing(event: object) -> None:
        raise ZeroDivisionError(event)

    more = Heard()
    session.listen(failing)
    end = session.listen(more)
    (job,) = session.submit(Draft("a red apple"), model)
    more.ending(job.id)
    heard.ending(job.id)
    assert "a listener failed" in caplog.text
    end()
    known = len(more.events)
    (second,) = session.submit(Draft("a red apple"), model)
    heard.ending(second.id)
    assert len(more.events) == known


def test_jobs_left_at_the_end_are_offered_the_next_time_and_drawn_when_resumed(
    open_session: Open, model: Model
) -> None:
    session, heard = open_session(make_slow_numpy_engine)
    jobs = session.submit(Draft("a red apple", steps=30, count=3), model)
    heard.wait(Stepped)
    session.close()

    session, heard = open_session()
    left = session.restore()
    assert [job.id for job in left] == [job.id for job in jobs]
    assert [job.recipe for job in left] == [job.recipe for job in jobs]
    assert session.snapshot().jobs == ()
    assert session.resume() == left
    assert session.restore() == ()
    for job in left:
        assert isinstance(heard.ending(job.id), Saved)


def test_jobs_left_survive_a_time_in_which_nobody_decided(
    open_session: Open, model: Model, journal: Path
) -> None:
    session, heard = open_session(make_slow_numpy_engine)
    (old,) = session.submit(Draft("a red apple", steps=150), model)
    heard.wait(Stepped)
    session.close()

    session, heard = open_session()
    (new,) = session.submit(Draft("a blue house"), model)
    heard.ending(new.id)
    session.close()

    session, _ = open_session()
    assert [job.id for job in session.restore()] == [old.id]
    session.forget()
    session.close()
    assert json.loads(journal.read_text())["jobs"] == []


def test_the_journal_holds_what_waits_while_it_waits(
    open_session: Open, model: Model, journal: Path
) -> None:
    session, heard = open_session(make_slow_numpy_engine)
    first, second = session.submit(Draft("a red apple", steps=150, count=2), model)
    heard.wait(Stepped)
    assert wait_for_note(journal, [first.id, second.id])
    session.stop(second.id)
    assert wait_for_note(journal, [first.id])


def wait_for_note(journal: Path, ids: list[str]) -> bool:
    """It is written on a thread of the session's own."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if journal.exists():
            noted = [entry["id"] for entry in json.loads(journal.read_text())["jobs"]]
            if noted == ids:
                return True
        time.sleep(0.01)
    return False


def test_a_closed_session_takes_nothing_more(open_session: Open, model: Model) -> None:
    session, heard = open_session()
    session.close()
    session.close()
    with pytest.raises(RuntimeError):
        session.submit(Draft("a red apple"), model)
    session.stop_all()
    assert heard.events == []


def test_submits_and_stops_from_many_threads_end_every_job_once(
    open_session: Open, model: Model
) -> None:
    session, heard = open_session()
    submitted: list[str] = []

    def work(number: int) -> None:
        for turn in range(5):
            jobs = session.submit(Draft(f"apple {number}", steps=1, count=2), model)
            submitted.extend(job.id for job in jobs)
            if (number + turn) % 2:
                session.stop(jobs[1].id)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for id in submitted:
        heard.ending(id)
    session.close()
    assert sorted(endings(heard.events)) == sorted(submitted)  # type: ignore[type-var]
