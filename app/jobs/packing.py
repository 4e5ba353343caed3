"""A model as one file for a Mac without a network: written and read so that it can be stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from app.core.card import Acceptance
from app.weights import packs, receipts
from app.weights.events import Packing
from app.weights.receipts import Installed

Report = Callable[[Packing], None]
IsCancelled = Callable[[], bool]


def pack(model: Installed, target: Path, report: Report, cancelled: IsCancelled) -> bool:
    """Write ``model`` to ``target``; False when stopped. Raises as ``packs.export_pack`` does."""
    with contextlib.suppress(_Stopped):
        packs.export_pack(model.folder, target, _telling(model.receipt.disk, report, cancelled))
        return True
    return False


def unpack(
    file: Path, root: Path, acceptance: Acceptance | None, report: Report, cancelled: IsCancelled
) -> Installed | None:
    """Install the model in ``file`` below ``root``; None when stopped.

    Raises as ``packs.import_pack`` does.
    """
    total = packs.read_pack(file).receipt.disk
    with contextlib.suppress(_Stopped):
        tell = _telling(total, report, cancelled)
        folder = packs.import_pack(file, root, acceptance, tell)
        return Installed(folder, receipts.read(folder))
    return None


class _Stopped(Exception):
    """Raised out of a pack's progress; nothing half-written stays."""


def _telling(total: int, report: Report, cancelled: IsCancelled) -> Callable[[int], None]:
    def look(done: int) -> None:
        if cancelled():
            raise _Stopped
        report(Packing(done, total))

    return look
