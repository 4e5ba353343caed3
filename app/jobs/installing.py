"""A card becomes an installed model: its bytes, what Easel brings along, the receipt last."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.core.card import Acceptance, Kind, Licence, ModelCard, Origin, Receipt
from app.core.folders import Folders
from app.files.atomic_file import world_error
from app.jobs import bringing, online
from app.jobs.online import Online
from app.weights import catalogue, receipts
from app.weights.patience import Options
from app.weights.receipts import Installed

Report = Callable[[object], None]
IsCancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Installer:
    """``options`` are whom to ask and with which token; whoever calls holds the model's folder."""

    folders: Folders
    online: Online
    options: Options

    def install(
        self,
        card: ModelCard,
        folder: Path,
        accepted: tuple[Licence, Acceptance],
        report: Report,
        cancelled: IsCancelled,
    ) -> Installed | None:
        """Make a model of ``folder``; None when stopped. Raises as ``Shelf.get`` does."""
        # 1. The bytes
        work = partial(online.transfer, card, folder, self.options)
        if self.online.run(work, card.title, report, cancelled) is None:
            return None
        # 2. What Easel brings along itself
        self._copy_shipped(card, folder)
        files, kind, family = card.files, card.kind, card.family
        # 3. A checkpoint becomes a folder that can be drawn with
        if card.kind is Kind.CHECKPOINT:
            brought = bringing.unfold(folder, card.files[0], self.folders, report, cancelled)
            if brought is None:
                return None
            files, kind, family = brought.files, brought.kind, brought.family
        # 4. The receipt, last
        text, acceptance = accepted
        receipt = Receipt(
            id=card.id,
            title=card.title,
            kind=kind,
            family=family,
            origin=Origin.HUB,
            source=f"{card.repository}@{card.revision}",
            files=files,
            installed=bringing.now(),
            acceptance=acceptance,
            memory=card.memory,
            needs=card.needs,
        )
        receipts.write(folder, receipt, text.text)
        return Installed(folder, receipt)

    def mend(
        self,
        card: ModelCard,
        folder: Path,
        wanted: tuple[str, ...],
        report: Report,
        cancelled: IsCancelled,
    ) -> bool:
        """Put the files ``wanted`` in place anew; False when stopped. Raises DownloadError."""
        self._copy_shipped(card, folder, only=wanted)
        own = {file.path for file in card.files if not file.shipped}
        fetched = tuple(path for path in wanted if path in own)
        work = partial(online.repair, card, folder, fetched, self.options)
        return self.online.run(work, card.title, report, cancelled) is not None

    def _copy_shipped(
        self, card: ModelCard, folder: Path, only: tuple[str, ...] | None = None
    ) -> None:
        for file in card.files:
            if file.shipped and (only is None or file.path in only):
                source = catalogue.shipped_file(self.folders.resources, card, file)
                target = folder / file.path
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, target)
                except OSError as error:
                    raise world_error(error, folder, file.bytes) from error
