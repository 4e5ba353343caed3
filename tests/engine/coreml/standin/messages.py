"""How PyObjC sends a message, as selectors.json knows it, for classes that stand in for Apple's.

A class defines its messages as methods with PyObjC's names and without their error arguments. What
is around them is checked here: the number of arguments, None where an error comes back, no call on
the main thread. Results wait in the autorelease pool of the thread; one that finds no pool leaks,
as it would on a Mac, and is written down in ``World.leaked``.
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

TABLE = json.loads(Path(__file__).with_name("selectors.json").read_text("utf-8"))
SELECTORS: dict[str, dict[str, dict[str, Any]]] = TABLE["selectors"]


class Thrown(Exception):
    """``objc.error``: an NSException that came out of Objective-C."""


class Fault(Exception):
    """Raised by a stand-in's method: an NSError of that domain, code and words."""

    def __init__(self, domain: str, code: int, words: str) -> None:
        super().__init__(domain, code, words)


class Silence(Exception):
    """Raised by a stand-in's method: neither a result nor an error."""


class Pools:
    """The autorelease pools of each thread."""

    def __init__(self) -> None:
        self._here = threading.local()

    def stack(self) -> list[list[Any]]:
        if not hasattr(self._here, "stack"):
            self._here.stack = []
        return self._here.stack  # type: ignore[no-any-return]


class AutoreleasePool:
    """``objc.autorelease_pool``"""

    def __init__(self, pools: Pools) -> None:
        self._stack = pools.stack()

    def __enter__(self) -> None:
        self._stack.append([])

    def __exit__(self, *_: object) -> None:
        self._stack.pop().clear()


def python_name(selector: str) -> str:
    """ "+compileModelAtURL:error:" is ``compileModelAtURL_error_``."""
    return selector[1:].replace(":", "_")


class NSObject:
    """``world`` is set by ``make``: a subclass of each class for each world."""

    world: Any

    def __init_subclass__(cls, **_: Any) -> None:
        """Put the bridge around each method that the table knows; refuse one that it does not."""
        if "world" in vars(cls):
            return
        rows = SELECTORS[cls.__name__]
        known = {python_name(selector): (selector, row) for selector, row in rows.items()}
        here = [name for name in vars(cls) if not name.startswith("_")]
        if set(here) != set(known):
            raise TypeError(f"{cls.__name__}: {set(here) ^ set(known)}")
        for name, (selector, row) in known.items():
            method = vars(cls)[name]
            function = method.__func__ if isinstance(method, classmethod) else method
            if isinstance(method, classmethod) != (selector[0] == "+"):
                raise TypeError(f"{selector} of {cls.__name__}")
            sent = _sent(selector, row, function)
            setattr(cls, name, classmethod(sent) if selector[0] == "+" else sent)


def _sent(selector: str, row: dict[str, Any], function: Callable[..., Any]) -> Callable[..., Any]:
    out = row.get("out", [])
    count = selector.count(":")

    @functools.wraps(function)
    def send(target: Any, *arguments: Any) -> Any:
        world = target.world
        world.sent.append(selector)
        if threading.current_thread() is threading.main_thread():
            world.on_main_thread.append(selector)
        if len(arguments) != count:
            raise TypeError(f"Need {count} arguments, got {len(arguments)}")
        if any(arguments[at] is not None for at in out):
            raise ValueError(f"{selector}: the error has to be None")
        given = [one for at, one in enumerate(arguments) if at not in out]
        try:
            result, error = function(target, *given), None
        except Fault as fault:
            result, error = None, world.classes["NSError"]._of(fault)
        except Silence:
            result, error = None, None
        for one in (result, error):
            if isinstance(one, NSObject) and not selector.startswith(("+alloc", "-init")):
                world.autorelease(selector, one)
        return (result, error) if out else result

    return send


def _alloc(cls: type[NSObject]) -> NSObject:
    return cls.__new__(cls)


def _init(self: NSObject) -> NSObject:
    return self


def _is_kind(self: NSObject, of: type) -> bool:
    return isinstance(self, of)


for _selector, _function in {"+alloc": _alloc, "-init": _init, "-isKindOfClass:": _is_kind}.items():
    _whole = _sent(_selector, SELECTORS["NSObject"][_selector], _function)
    setattr(
        NSObject,
        python_name(_selector),
        classmethod(_whole) if _selector[0] == "+" else _whole,
    )
