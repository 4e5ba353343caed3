"""What every engine must do, as checks that run on any of them.

A check takes a ``Subject`` and raises AssertionError when its engine breaks the contract
(``app.engine.contract``). Test modules run each of ``CHECKS`` on their engine; engines broken on
purpose show that the checks can fail.
"""

from __future__ import annotations

import dataclasses
import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.core.errors import EaselError, ModelMissing, PlacementUnavailable
from app.core.events import Cancelled, Decoding, Finished, Loading, Progress, Stepped, Task
from app.core.model import Model
from app.core.placement import Placement
from app.core.recipe import Recipe
from app.engine.contract import Engine

CancelWhen = Callable[[Progress], bool]


@dataclass(frozen=True)
class Subject:
    """The engine under test. ``make`` gives a fresh one; ``recipe`` has at least 3 steps."""

    make: Callable[[], Engine]
    model: Model
    recipe: Recipe
    placement: Placement = Placement.CPU

    def task(self, job: str = "job", **changed: object) -> Task:
        recipe = dataclasses.replace(self.recipe, **changed)  # type: ignore[arg-type]
        return Task(job, recipe, self.model, self.placement)

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        engine = self.make()
        try:
            yield engine
        finally:
            engine.close()


@dataclass
class Drawing:
    """One draw watched closely: its reports, its ending, and that nothing follows a cancel."""

    engine: Engine
    task: Task
    cancel_when: CancelWhen = lambda _: False
    cancelled_from_start: bool = False
    reports: list[Progress] = field(default_factory=list)
    ending: Finished | Cancelled | None = None

    def run(self) -> Drawing:
        asked = self.cancelled_from_start
        seen = False
        thread = threading.get_ident()

        def report(progress: Progress) -> None:
            nonlocal asked
            assert threading.get_ident() == thread, "reported from another thread"
            assert not seen, f"{progress} was reported after the cancel was seen"
            self.reports.append(progress)
            asked = asked or self.cancel_when(progress)

        def cancelled() -> bool:
            nonlocal seen
            seen = seen or asked
            return asked

        self.ending = self.engine.draw(self.task, report, cancelled)
        if asked:
            assert self.ending == Cancelled(self.task.job), f"{self.ending} despite the cancel"
        return self

    @property
    def picture(self) -> bytes:
        assert isinstance(self.ending, Finished), self.ending
        return self.ending.pixels.rgb


def draws_a_picture_of_the_asked_size(subject: Subject) -> None:
    with subject.engine() as engine:
        ending = Drawing(engine, subject.task()).run().ending
    assert isinstance(ending, Finished)
    size = subject.recipe.size
    assert (ending.pixels.width, ending.pixels.height) == (size.width, size.height)
    assert len(ending.pixels.rgb) == size.width * size.height * 3
    assert len(set(ending.pixels.rgb)) > 8, "as good as one colour"
    assert ending.placement is subject.placement
    assert ending.seconds >= 0


def reports_loading_then_each_step_then_decoding(subject: Subject) -> None:
    with subject.engine() as engine:
        reports = Drawing(engine, subject.task("this-job")).run().reports
    assert isinstance(reports[0], Loading)
    assert {progress.job for progress in reports} == {"this-job"}
    kinds = [type(progress) for progress in reports]
    steps = [progress for progress in reports if isinstance(progress, Stepped)]
    assert kinds == [Loading] * kinds.count(Loading) + [Stepped] * len(steps) + [Decoding]
    assert [stepped.step for stepped in steps] == list(range(1, len(steps) + 1))
    assert {stepped.steps for stepped in steps} == {len(steps)}


def gives_small_previews_when_asked(subject: Subject) -> None:
    with subject.engine() as engine:
        drawing = Drawing(engine, subject.task()).run()
    previews = [p.preview for p in drawing.reports if isinstance(p, Stepped) and p.preview]
    assert previews, "not one preview"
    for preview in previews:
        assert 0 < preview.width <= subject.recipe.size.width // 2
        assert len(preview.rgb) == preview.width * preview.height * 3


def gives_no_previews_when_not_asked(subject: Subject) -> None:
    with subject.engine() as engine:
        task = dataclasses.replace(subject.task(), previews=False)
        reports = Drawing(engine, task).run().reports
    assert all(p.preview is None for p in reports if isinstance(p, Stepped))


def previews_do_not_change_the_picture(subject: Subject) -> None:
    with subject.engine() as engine:
        with_them = Drawing(engine, subject.task()).run().picture
        without = dataclasses.replace(subject.task(), previews=False)
        assert Drawing(engine, without).run().picture == with_them


def draws_the_same_picture_from_the_same_seed(subject: Subject) -> None:
    with subject.engine() as engine:
        first = Drawing(engine, subject.task()).run().picture
        Drawing(engine, subject.task(seed=subject.recipe.seed + 1)).run()
        assert Drawing(engine, subject.task()).run().picture == first, "not after another one"
    with subject.engine() as fresh:
        assert Drawing(fresh, subject.task()).run().picture == first, "not in a fresh engine"


def draws_another_picture_from_another_seed(subject: Subject) -> None:
    with subject.engine() as engine:
        pictures = {
            Drawing(engine, subject.task(seed=seed)).run().picture for seed in (1, 2, 2**32 - 1)
        }
    assert len(pictures) == 3


def a_count_is_single_pictures_with_seeds_in_a_row(subject: Subject) -> None:
    with subject.engine() as engine:
        together = [Drawing(engine, subject.task(seed=seed)).run().picture for seed in (5, 6, 7)]
    with subject.engine() as engine:
        assert Drawing(engine, subject.task(seed=7)).run().picture == together[2]


def another_prompt_gives_another_picture(subject: Subject) -> None:
    with subject.engine() as engine:
        one = Drawing(engine, subject.task(prompt="a red apple")).run().picture
        other = Drawing(engine, subject.task(prompt="the blue house")).run().picture
    assert one != other


def a_task_cancelled_before_it_begins_reports_nothing(subject: Subject) -> None:
    with subject.engine() as engine:
        drawing = Drawing(engine, subject.task(), cancelled_from_start=True).run()
    assert drawing.ending == Cancelled("job")
    assert drawing.reports == []


def a_cancel_while_loading_stops_before_the_first_step(subject: Subject) -> None:
    with subject.engine() as engine:
        when: CancelWhen = lambda progress: isinstance(progress, Loading)  # noqa: E731
        drawing = Drawing(engine, subject.task(), when).run()
    assert [type(progress) for progress in drawing.reports] == [Loading]


def a_cancel_between_steps_stops_there(subject: Subject) -> None:
    with subject.engine() as engine:
        when: CancelWhen = lambda p: isinstance(p, Stepped) and p.step == 2  # noqa: E731
        drawing = Drawing(engine, subject.task(), when).run()
    last = drawing.reports[-1]
    assert isinstance(last, Stepped)
    assert last.step == 2


def a_cancel_after_the_last_step_never_decodes(subject: Subject) -> None:
    with subject.engine() as engine:
        when: CancelWhen = lambda p: isinstance(p, Stepped) and p.step == p.steps  # noqa: E731
        drawing = Drawing(engine, subject.task(), when).run()
    assert not any(isinstance(progress, Decoding) for progress in drawing.reports)


def a_cancel_while_decoding_gives_no_picture(subject: Subject) -> None:
    with subject.engine() as engine:
        when: CancelWhen = lambda progress: isinstance(progress, Decoding)  # noqa: E731
        drawing = Drawing(engine, subject.task(), when).run()
    assert drawing.ending == Cancelled("job")


def draws_as_ever_after_a_cancel(subject: Subject) -> None:
    with subject.engine() as engine:
        undisturbed = Drawing(engine, subject.task()).run().picture
        for step in (1, 2):
            when: CancelWhen = lambda p, at=step: isinstance(p, Stepped) and p.step == at  # noqa: E731
            Drawing(engine, subject.task(), when).run()
        assert Drawing(engine, subject.task()).run().picture == undisturbed


def a_missing_model_is_a_typed_error_and_the_engine_goes_on(subject: Subject) -> None:
    gone = dataclasses.replace(subject.model, folder=str(Path(subject.model.folder) / "gone"))
    with subject.engine() as engine:
        before = Drawing(engine, subject.task()).run().picture
        error = _raised(engine, dataclasses.replace(subject.task(), model=gone))
        assert isinstance(error, ModelMissing), error
        assert Drawing(engine, subject.task()).run().picture == before


def a_placement_that_is_not_here_is_a_typed_error(subject: Subject) -> None:
    with subject.engine() as engine:
        here = engine.placements()
        assert here, "no placement at all"
        assert subject.placement in here
        for placement in set(Placement) - set(here):
            error = _raised(engine, dataclasses.replace(subject.task(), placement=placement))
            assert isinstance(error, PlacementUnavailable), error


def everything_it_says_survives_pickling(subject: Subject) -> None:
    with subject.engine() as engine:
        drawing = Drawing(engine, subject.task()).run()
    for event in (*drawing.reports, drawing.ending):
        assert pickle.loads(pickle.dumps(event)) == event


def drawing_after_close_is_refused(subject: Subject) -> None:
    engine = subject.make()
    Drawing(engine, subject.task()).run()
    engine.close()
    engine.close()
    try:
        Drawing(engine, subject.task()).run()
    except RuntimeError:
        return
    raise AssertionError("drew after it was closed")


CHECKS: tuple[Callable[[Subject], None], ...] = (
    draws_a_picture_of_the_asked_size,
    reports_loading_then_each_step_then_decoding,
    gives_small_previews_when_asked,
    gives_no_previews_when_not_asked,
    previews_do_not_change_the_picture,
    draws_the_same_picture_from_the_same_seed,
    draws_another_picture_from_another_seed,
    a_count_is_single_pictures_with_seeds_in_a_row,
    another_prompt_gives_another_picture,
    a_task_cancelled_before_it_begins_reports_nothing,
    a_cancel_while_loading_stops_before_the_first_step,
    a_cancel_between_steps_stops_there,
    a_cancel_after_the_last_step_never_decodes,
    a_cancel_while_decoding_gives_no_picture,
    draws_as_ever_after_a_cancel,
    a_missing_model_is_a_typed_error_and_the_engine_goes_on,
    a_placement_that_is_not_here_is_a_typed_error,
    everything_it_says_survives_pickling,
    drawing_after_close_is_refused,
)


def failures(subject: Subject) -> set[str]:
    """The names of the checks that ``subject`` fails."""
    failed = set()
    for check in CHECKS:
        try:
            check(subject)
        except AssertionError:
            failed.add(check.__name__)
    return failed


def _raised(engine: Engine, task: Task) -> EaselError:
    try:
        engine.draw(task, lambda _: None, lambda: False)
    except EaselError as error:
        return error
    raise AssertionError("nothing was raised")
