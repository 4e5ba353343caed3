"""What a host's worker does with its engine, be it in a thread or in a child process."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Condition
from typing import Protocol, runtime_checkable

from app.core.errors import Bug, EaselError, OutOfMemory
from app.core.events import Ending, Failed, JobId, Task
from app.core.model import Model
from app.core.placement import Placement
from app.engine.contract import Engine, EngineFactory, IsCancelled, Report


@dataclass(frozen=True, slots=True)
class Warm:
    """Have an engine; with ``model``, read its networks."""

    model: Model | None


@dataclass(frozen=True, slots=True)
class Quit:
    """Close the engine and go."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Cancel that job."""

    job: JobId


Order = Task | Warm | Quit
Message = Task | Warm | Stop
"""What a child process is told. It is not told to quit: the pipe is closed."""

NOT_MADE = 1
"""Exit code of a child whose engine could not be made."""


@runtime_checkable
class Warms(Protocol):
    """An engine that can read a model's networks before they are asked for."""

    def warm(self, model: Model, placement: Placement, cancelled: IsCancelled) -> None: ...


class Orders:
    """What the worker is to do, in order; safe between threads."""

    def __init__(self) -> None:
        self._orders: deque[Order] = deque()
        self._changed = Condition()

    def put(self, order: Order) -> None:
        with self._changed:
            self._orders.append(order)
            self._changed.notify()

    def take(self) -> Order:
        """The first order; waits for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._orders)
            return self._orders.popleft()

    def withdraw(self, job: JobId) -> bool:
        """Take back the task of ``job``; False when the worker has it already, or never did."""
        with self._changed:
            for order in self._orders:
                if isinstance(order, Task) and order.job == job:
                    self._orders.remove(order)
                    return True
            return False

    def want_other_than(self, model: Model) -> bool:
        """Whether something waits that has no use for ``model``'s networks."""
        with self._changed:
            return any(
                isinstance(order, Quit) or order.model not in (model, None)
                for order in self._orders
            )


def make(make_engine: EngineFactory) -> tuple[Engine, tuple[Placement, ...]] | EaselError:
    """An engine and where it can draw, or why there is none. Never raises."""
    try:
        engine = make_engine()
        return engine, engine.placements()
    except BaseException as error:
        return known(error)


def draw(engine: Engine, task: Task, report: Report, cancelled: IsCancelled) -> Ending:
    """Draw ``task``; whatever is raised, also by ``sys.exit`` in a library, becomes ``Failed``."""
    try:
        return engine.draw(task, report, cancelled)
    except BaseException as error:
        return Failed(task.job, known(error))


def warm(engine: Engine, model: Model, orders: Orders) -> None:
    """Read ``model``'s networks where the engine can; what is wrong shows when it is drawn with."""
    if not isinstance(engine, Warms):
        return
    try:
        engine.warm(model, engine.placements()[0], lambda: orders.want_other_than(model))
    except Exception:
        return


def known(error: BaseException) -> EaselError:
    """``error`` as one of Easel's."""
    if isinstance(error, EaselError):
        return error
    if isinstance(error, MemoryError):
        return OutOfMemory()
    return Bug.of(error)
