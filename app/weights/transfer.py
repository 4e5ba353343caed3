"""Getting the bytes of a model whole, whatever the network, the disk and the machine do meanwhile.

Thread-agnostic and synchronous: values in, frozen events out. What has arrived is kept through
every failure and gone on with by the next call, in this process or another. Only one process at a
time works on a folder. Nothing that lies in the folder is removed before what replaces it has been
proven.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from app.core.card import CardFile, Kind, ModelCard
from app.core.errors import CardProblem, NoSpace
from app.files.atomic_file import free_bytes, world_error
from app.weights.alone import alone
from app.weights.events import Cancelled, Report, Stopped, Transferred, Verified
from app.weights.fetch import Fetcher
from app.weights.hub import Hub
from app.weights.names import check_card
from app.weights.part import Part, digest, part_size
from app.weights.patience import Options, Patience
from app.weights.progress import Progress
from app.weights.setback import Stop


def transfer(
    card: ModelCard,
    folder: Path,
    report: Report,
    cancelled: Cancelled,
    options: Options = Options(),  # noqa: B008 (frozen)
) -> Transferred | Stopped:
    """Bring every file of ``card`` into ``folder``, except the shipped ones; makes the folder.

    Only one transfer at a time in a process. Raises CardProblem, ModelInUse, NoSpace,
    FolderNotWritable and every DownloadError; ``report`` may be called until then.
    """
    check_card(card)
    files = tuple(file for file in card.files if not file.shipped)
    total = sum(file.bytes for file in files)
    progress = Progress(total, report, cancelled, options.patience.report_s)
    try:
        with _typed_errors(folder, progress), alone(folder, card.title):
            # 1. what is there whole is kept
            missing = _missing(folder, files, progress)
            if not missing:
                return Transferred(0, total)
            # 2. is there room for the rest?
            _check_space(card, folder, missing, options.patience)
            # 3. each file: the rest of it, proven, then into its place
            with contextlib.closing(Hub(options)) as hub:
                fetcher = Fetcher(card, hub, options, progress)
                for file in missing:
                    stay_inside(card, folder, file)
                    with Part(folder, file, lambda n, f=file: progress.read(n, f.path)) as part:  # type: ignore[misc]
                        fetcher.fetch(file, part)
    except Stop:
        return Stopped(progress.done, total)
    return Transferred(progress.fetched, total)


def repair(
    card: ModelCard,
    folder: Path,
    paths: Collection[str],
    report: Report,
    cancelled: Cancelled,
    options: Options = Options(),  # noqa: B008 (frozen)
) -> Transferred | Stopped:
    """As ``transfer``, for the files of ``paths`` alone. The old ones stay until then."""
    files = tuple(file for file in card.files if file.path in paths)
    some = dataclasses.replace(card, files=files, unpack=False)
    return transfer(some, folder, report, cancelled, options)


def verify(
    folder: Path, files: tuple[CardFile, ...], report: Report, cancelled: Cancelled
) -> Verified | Stopped:
    """Read every byte of ``files`` again and say what is not as it should be.

    Asks nobody; changes nothing. A file that cannot be read counts as damaged.
    """
    total = sum(file.bytes for file in files)
    progress = Progress(total, report, cancelled, Patience().report_s)
    damaged, missing = [], []
    try:
        for file in files:
            if not os.path.lexists(folder / file.path):
                missing.append(file.path)
            elif not _is_whole(folder, file, progress):
                damaged.append(file.path)
    except Stop:
        return Stopped(progress.done, total)
    return Verified(tuple(damaged), tuple(missing))


def stay_inside(card: ModelCard, folder: Path, file: CardFile) -> None:
    """A link in the folder that leads elsewhere is not followed. Raises CardProblem."""
    if not (folder / file.path).parent.resolve().is_relative_to(folder.resolve()):
        raise CardProblem(card.id, "a link leads out of its folder")


def _missing(folder: Path, files: tuple[CardFile, ...], progress: Progress) -> tuple[CardFile, ...]:
    """The files that are not there whole."""
    missing = []
    for file in files:
        progress.check()
        if not _is_whole(folder, file, progress):
            missing.append(file)
    return tuple(missing)


def _is_whole(folder: Path, file: CardFile, progress: Progress) -> bool:
    """Read it and compare; what is not whole does not count as done. Raises Stop."""
    place, before = folder / file.path, progress.done
    try:
        whole = (
            place.is_file()
            and not place.is_symlink()
            and place.stat().st_size == file.bytes
            and digest(place, lambda n: progress.read(n, file.path)) == file.sha256
        )
    except OSError:  # a bad block, or no permission to read
        whole = False
    if not whole:
        progress.lost(progress.done - before)
    return whole


def _check_space(
    card: ModelCard, folder: Path, missing: tuple[CardFile, ...], patience: Patience
) -> None:
    """Room for the missing and some to spare; what is made of it takes as much again.

    Raises NoSpace.
    """
    needed = sum(file.bytes - part_size(folder, file) for file in missing) + patience.spare
    if card.unpack or card.kind is Kind.CHECKPOINT:
        needed += card.download_bytes
    free = free_bytes(folder)
    if free < needed:
        raise NoSpace(str(folder), needed, free)


@contextlib.contextmanager
def _typed_errors(folder: Path, progress: Progress) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise world_error(error, folder, progress.total - progress.done) from error
