"""``easel generate``: draw, show how far it is, print where the pictures are."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from app.cli.draft import choose_model, for_engine, read_draft
from app.cli.main import DONE, WENT_WRONG, code_of, write_down
from app.cli.output_file import OutputFile
from app.cli.program import Program
from app.cli.stopping import on_stop
from app.cli.terminal import Terminal, duration
from app.core.errors import Bug, EaselError
from app.core.events import Cancelled, Decoding, Failed, Loading, PartlyUsed, Stepped
from app.core.model import Model
from app.core.recipe import Draft
from app.core.recipe_json import to_dict
from app.core.resolve import resolve
from app.jobs.events import EngineChanged, EngineState, Retrying, Saved, SessionEvent, Started
from app.jobs.queue import Job
from app.jobs.saver import Keeps
from app.jobs.session import Session
from app.messages import describe, describe_fallback, describe_partly_used, shown

STOPPING_S = 15.0
"""Seconds a stopped drawing gets to say that it has stopped."""


def run(asked: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """1 understand, 2 check where the pictures go, 3 draw. Returns the exit code."""
    model = for_engine(choose_model(asked.model, program), asked.engine, program)
    draft = read_draft(asked, program, model)
    resolve(draft, model, lambda _: 0)  # refuse before anything is started
    keeps: Keeps = program.library
    if asked.output is not None:
        keeps = OutputFile(Path(asked.output), draft.count, program.library)
    session = program.open_session(keeps)
    teller = _Teller(terminal, program, must_go_there=asked.output is not None)
    try:
        return _draw(session, draft, model, teller)
    finally:
        terminal.status("")
        session.close()


@dataclass(frozen=True, slots=True)
class _StopAsked:
    """Ctrl-C, in the same queue as the events, so that none of them is lost by it."""


def _draw(session: Session, draft: Draft, model: Model, teller: _Teller) -> int:
    """Until every picture has ended. Raises KeyboardInterrupt when it was stopped."""
    events: SimpleQueue[SessionEvent | _StopAsked] = SimpleQueue()
    session.listen(events.put)
    stopping = False
    with on_stop(lambda: events.put(_StopAsked())):
        teller.begin(model, session.submit(draft, model))
        while teller.open:
            try:
                event = events.get(timeout=STOPPING_S if stopping else None)
            except Empty:
                break
            if not isinstance(event, _StopAsked):
                teller.tell(event)
            elif stopping:  # asked twice: do not even wait for the engine
                break
            else:
                stopping = True
                teller.terminal.status("Stopping…")
                session.stop_all()
    if stopping:
        raise KeyboardInterrupt
    return teller.code


class _Teller:
    """Turns events into lines, and remembers how it went.

    ``must_go_there``: a picture that was saved, but elsewhere, is not all well.
    """

    def __init__(self, terminal: Terminal, program: Program, must_go_there: bool) -> None:
        self.terminal = terminal
        self.program = program
        self.must_go_there = must_go_there
        self.open: dict[str, Job] = {}
        """The jobs that have not ended, by id."""
        self.code = DONE
        self._first_step = 0.0

    def begin(self, model: Model, jobs: tuple[Job, ...]) -> None:
        """Say what is going to be drawn, so that it can be drawn again."""
        self.open = {job.id: job for job in jobs}
        recipe = jobs[0].recipe
        what = f"{len(self.open)} pictures" if len(self.open) > 1 else "a picture"
        seeds = f"from seed {recipe.seed}" if len(self.open) > 1 else f"seed {recipe.seed}"
        self.terminal.note(
            f"Drawing {what} with {shown(model.title)}: {recipe.size}, {recipe.steps} steps, "
            f"{recipe.scheduler}, {seeds}."
        )
        for job in self.open.values():
            self.terminal.event("queued", picture=job.index, of=job.of, recipe=to_dict(job.recipe))

    def tell(self, event: SessionEvent) -> None:
        """Show ``event``; an ending takes its job out of ``open``."""
        match event:
            case EngineChanged(EngineState.STARTING):
                self.terminal.status("Starting…")
                self.terminal.event("starting")
            case Started(job):
                self.open[job.id] = job
            case Loading(job_id):
                self.terminal.status("Loading the model…")
                self.terminal.event("loading", **self._place(job_id))
            case PartlyUsed(_, title, used, unused):
                self.terminal.note(describe_partly_used(event))
                self.terminal.event("partly used", lora=title, used=used, unused=unused)
            case Stepped(job_id, step, steps):
                self._step(job_id, step, steps)
            case Decoding(job_id):
                self.terminal.status("Finishing…")
                self.terminal.event("decoding", **self._place(job_id))
            case Retrying(_, before, after, error):
                self.terminal.note(
                    f"{describe(error).title} on {before}; drawing it again on {after}."
                )
                self.terminal.event("retrying", before=before.value, after=after.value)
            case Saved(job, _, _):
                self._saved(event)
                self.open.pop(job.id, None)
            case Failed(job_id, error):
                self._failed(error)
                self.open.pop(job_id, None)
            case Cancelled(job_id):
                self.open.pop(job_id, None)

    def _place(self, job_id: str) -> dict[str, int]:
        job = self.open[job_id]
        return {"picture": job.index, "of": job.of}

    def _step(self, job_id: str, step: int, steps: int) -> None:
        now = time.monotonic()
        job = self.open[job_id]
        if step == 1:
            self._first_step = now
        many = f"{job.index} of {job.of}  " if job.of > 1 else ""
        pace = ""
        if step > 1:
            each = (now - self._first_step) / (step - 1)
            pace = f"  {each:.2f} s a step, {duration(each * (steps - step))} left"
        bar = self.terminal.bar(step / steps)
        self.terminal.status(f"{many}{bar} {step}/{steps}{pace}")
        self.terminal.event("step", step=step, steps=steps, **self._place(job_id))

    def _saved(self, event: Saved) -> None:
        picture = event.picture
        if self.terminal.as_json:
            self.terminal.event(
                "saved",
                picture=event.job.index,
                of=event.job.of,
                file=str(picture.file),
                seconds=round(picture.seconds, 3),
                placement=picture.placement.value,
                created=picture.created.isoformat(),
                recipe=to_dict(picture.recipe),
                fell_back=str(describe_fallback(picture.fell_back, picture.file))
                if picture.fell_back
                else None,
            )
        else:
            self.terminal.result(str(picture.file))
        if picture.fell_back is not None:
            message = describe_fallback(picture.fell_back, picture.file)
            self.terminal.note(f"{message.title}. {message.body}\n{message.next_step}")
            if self.must_go_there:
                self.code = max(self.code, WENT_WRONG)

    def _failed(self, error: EaselError) -> None:
        log = write_down(error, self.program) if isinstance(error, Bug) else None
        self.terminal.problem(describe(error, log), error)
        self.code = max(self.code, code_of(error), WENT_WRONG)
