"""The way in: no argument opens the window, anything else is a command.

A child process that is spawned imports this module too, so nothing heavy is imported here before
it is known what is wanted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

NO_SCREEN = """\
Easel opens a window, and there is no screen here. This works without one:

    {easel} generate "a red apple" -o apple.png
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program with the arguments after its name; its exit code."""
    if getattr(sys, "frozen", False):
        # A bundle's child process is the bundle itself, started again; it never returns from here.
        import multiprocessing

        multiprocessing.freeze_support()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        _stay_offline()

    from app.compose import compose

    if arguments:
        from app import cli

        return cli.main(arguments, compose)
    if not has_screen(sys.platform, os.environ):
        sys.stderr.write(NO_SCREEN.format(easel=how_to_type_easel()))
        return 2

    from app.ui import window_app

    return window_app.run(compose())


def has_screen(platform: str, environ: Mapping[str, str]) -> bool:
    """Whether a window can open: always on a Mac; on Linux where a display server is named."""
    if not platform.startswith("linux"):
        return True
    if environ.get("QT_QPA_PLATFORM", "").split(":")[0] in ("offscreen", "minimal", "vnc"):
        return True
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def how_to_type_easel() -> str:
    """The command as it works in this shell: ``make run`` leaves it in .venv/bin, off the PATH."""
    import shlex
    import shutil
    from pathlib import Path

    beside = Path(sys.executable).parent / "easel"
    if shutil.which("easel") or not beside.exists():
        return "easel"
    here = Path.cwd()
    return shlex.quote(str(beside.relative_to(here) if beside.is_relative_to(here) else beside))


def _stay_offline() -> None:
    """Only the child that fetches a model goes online; here whatever tries is refused."""
    from app.jobs.offline import refuse_connections, set_switches

    set_switches(os.environ)
    refuse_connections()


if __name__ == "__main__":
    sys.exit(main())
