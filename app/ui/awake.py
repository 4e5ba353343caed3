"""Keeps the computer awake while something is drawn, by a small program of the system's."""

from __future__ import annotations

import os
import shutil
import sys

from PySide6.QtCore import QObject, QProcess

_WAIT_MS = 1000


class Awake(QObject):
    """``command`` keeps it awake for as long as it runs; empty where the system has none."""

    def __init__(self, command: list[str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command = command
        self._process: QProcess | None = None

    @property
    def held(self) -> bool:
        process = self._process
        return process is not None and process.state() is not QProcess.ProcessState.NotRunning

    def hold(self, wanted: bool) -> None:
        """Keep it awake from now on, or no longer."""
        if wanted and self._command and not self.held:
            self._process = QProcess(self)
            self._process.start(self._command[0], self._command[1:])
        elif not wanted:
            self.let_go()

    def let_go(self) -> None:
        """Let it sleep. Blocks for a bounded time."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.state() is not QProcess.ProcessState.NotRunning:
            process.terminate()
            if not process.waitForFinished(_WAIT_MS):
                process.kill()
                process.waitForFinished(_WAIT_MS)
        process.deleteLater()


def awake_command(platform: str = sys.platform) -> list[str]:
    """What keeps this computer awake until it ends, or until this program has."""
    pid = str(os.getpid())
    if platform == "darwin":
        return ["/usr/bin/caffeinate", "-i", "-w", pid]
    inhibit, tail = shutil.which("systemd-inhibit"), shutil.which("tail")
    if inhibit is None or tail is None:
        return []
    told = ["--what=idle:sleep", "--who=Easel", "--why=Drawing", "--mode=block"]
    return [inhibit, *told, tail, "-f", f"--pid={pid}", "/dev/null"]


def sleep_command(platform: str = sys.platform) -> list[str]:
    """What sends this computer to sleep; empty where nothing is known to."""
    if platform == "darwin":
        return ["/usr/bin/pmset", "sleepnow"]
    control = shutil.which("systemctl")
    return [] if control is None else [control, "suspend"]
