"""A list of checks, printed as it grows: for ``doctor`` and ``selftest``."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from app.cli.main import DONE, WENT_WRONG
from app.cli.terminal import Terminal
from app.core.errors import Bug, EaselError
from app.messages import describe, shown


class Fault(Exception):
    """What a check has found to be wrong, in words."""


@dataclass(frozen=True, slots=True)
class Check:
    """``ok`` None is a fact that is neither good nor bad. ``seconds``: what it took."""

    name: str
    ok: bool | None
    detail: str = ""
    seconds: float = 0.0


@dataclass
class Checks:
    """Collects; prints each at once, or all of them as JSON in the end."""

    terminal: Terminal
    done: list[Check] = field(default_factory=list)
    _since: float = field(default_factory=time.monotonic)

    def fact(self, name: str, detail: str) -> None:
        self._add(name, None, detail)

    def check(self, name: str, ok: bool, detail: str = "") -> bool:
        self._add(name, ok, detail)
        return ok

    def attempt(
        self, name: str, work: Callable[[], str], write_down: Callable[[Bug], Path | None]
    ) -> bool:
        """Do ``work``: the detail it returns, or what it raises. ``write_down`` keeps a bug."""
        try:
            return self.check(name, True, work())
        except Fault as fault:
            return self.check(name, False, str(fault))
        except Exception as error:
            known = error if isinstance(error, EaselError) else Bug.of(error)
            log = write_down(known) if isinstance(known, Bug) else None
            return self.check(name, False, str(describe(known, log)))

    def _add(self, name: str, ok: bool | None, detail: str) -> None:
        """What passed since the one before is what this one took."""
        now = time.monotonic()
        check = Check(name, ok, detail, round(now - self._since, 3))
        self._since = now
        self.done.append(check)
        if not self.terminal.as_json:
            mark = {True: "ok   ", False: "FAIL ", None: "     "}[check.ok]
            detail = f": {shown(check.detail)}" if check.detail else ""
            self.terminal.result(f"{mark}{check.name}{detail}")

    def finish(self, what: str) -> int:
        """The last line, or the JSON; returns the exit code."""
        failed = [check for check in self.done if check.ok is False]
        if self.terminal.as_json:
            self.terminal.results(
                {
                    "ok": not failed,
                    "checks": [
                        {
                            "name": check.name,
                            "ok": check.ok,
                            "detail": check.detail,
                            "seconds": check.seconds,
                        }
                        for check in self.done
                    ],
                }
            )
        elif failed:
            faults = "1 fault" if len(failed) == 1 else f"{len(failed)} faults"
            self.terminal.result(f"{what} has found {faults}.")
        else:
            self.terminal.result(f"{what} has found no fault.")
        return WENT_WRONG if failed else DONE
