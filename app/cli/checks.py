"""A list of checks, printed as it grows: for ``doctor`` and ``selftest``."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.cli.main import DONE, WENT_WRONG
from app.cli.terminal import Terminal
from app.messages import shown


@dataclass(frozen=True, slots=True)
class Check:
    """``ok`` None is a fact that is neither good nor bad."""

    name: str
    ok: bool | None
    detail: str = ""


@dataclass
class Checks:
    """Collects; prints each at once, or all of them as JSON in the end."""

    terminal: Terminal
    done: list[Check] = field(default_factory=list)

    def fact(self, name: str, detail: str) -> None:
        self.add(Check(name, None, detail))

    def check(self, name: str, ok: bool, detail: str = "") -> bool:
        self.add(Check(name, ok, detail))
        return ok

    def add(self, check: Check) -> None:
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
                        {"name": check.name, "ok": check.ok, "detail": check.detail}
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
