"""One make-believe Mac: its modules, what its models answer, and what was done to it.

``World.bridge`` is what the runtime is given. A test sets what goes wrong, and asks at the end
whether anything leaked (``World.check``).
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

from app.engine.coreml.bridge import Bridge
from tests.engine.coreml.standin import coreml, foundation
from tests.engine.coreml.standin.messages import (
    TABLE,
    AutoreleasePool,
    Fault,
    NSObject,
    Pools,
    Silence,
    Thrown,
)

Features = dict[str, tuple[tuple[int, ...], str]]
"""Shape and dtype by name; no shape where a model does not say one, no dtype for a picture."""


class Models(Protocol):
    """What compiled models are and say; none of it is Easel's."""

    def describe(self, path: Path, function: str) -> tuple[Features, Features]:
        """Inputs and outputs; raises Fault."""
        ...

    def answer(
        self, path: Path, function: str, units: int, inputs: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Arrays of the dtypes that Core ML would answer with; None for what is no array."""
        ...


@dataclass
class World:
    """``temporary``: where compiled models appear. ``macos``: its version.

    ``faults``: what is raised by "compile", "load" and "predict".
    """

    models: Models
    temporary: Path
    macos: tuple[int, int] = (15, 0)
    padding: int = 0
    faults: dict[str, Exception] = field(default_factory=dict)
    no_memory: bool = False
    no_provider: bool = False
    plan: dict[str, list[tuple[str | None, float | None]]] | None = None
    plan_in_time: bool = True
    loaded: list[tuple[Path, int, str]] = field(default_factory=list)
    made: list[int] = field(default_factory=list)
    planned: list[tuple[Path, int, str]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    dangling: list[int] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    on_main_thread: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pools = Pools()
        self.living: weakref.WeakSet[Any] = weakref.WeakSet()
        self.arrays: weakref.WeakSet[Any] = weakref.WeakSet()
        self.classes: dict[str, Any] = {}
        for module in (foundation, coreml):
            for name, kind in list(vars(module).items()):
                if (
                    isinstance(kind, type)
                    and kind.__module__ == module.__name__
                    and issubclass(kind, NSObject)
                ):
                    self.classes[name] = type(name, (kind,), {"world": self})
        self.bridge = Bridge(self._coreml(), self._foundation(), self._objc())

    def refuse(self, what: str) -> None:
        if what in self.faults:
            raise self.faults[what]

    def array(self, these: tuple[Any, ...]) -> Any:
        return self.classes["NSArray"]._of(these)

    def autorelease(self, selector: str, one: NSObject) -> None:
        stack = self.pools.stack()
        if stack:
            stack[-1].append(one)
        else:
            self.leaked.append(selector)

    def arrays_alive(self) -> int:
        return len(self.arrays)

    def check(self) -> None:
        """Nothing went without a pool, nothing was done on the main thread."""
        assert self.leaked == []
        assert self.on_main_thread == []

    def _coreml(self) -> SimpleNamespace:
        names = {name: kind for name, kind in self.classes.items() if name.startswith("ML")}
        if self.macos < (14, 4):
            names = {name: kind for name, kind in names.items() if "Plan" not in name}
        if self.macos < (15, 0):
            kind = names["MLModelConfiguration"]
            kind.setFunctionName_ = property(_absent)
        return SimpleNamespace(**TABLE["constants"], **names, MLModelErrorDomain="com.apple.CoreML")

    def _foundation(self) -> SimpleNamespace:
        names = {name: kind for name, kind in self.classes.items() if name.startswith("NS")}
        return SimpleNamespace(**names, NSPOSIXErrorDomain="NSPOSIXErrorDomain")

    def _objc(self) -> SimpleNamespace:
        return SimpleNamespace(error=Thrown, autorelease_pool=lambda: AutoreleasePool(self.pools))


def _absent(_self: Any) -> Any:
    raise AttributeError("setFunctionName_")


__all__ = ["Fault", "Features", "Models", "Silence", "Thrown", "World"]
