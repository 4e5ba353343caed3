"""A card becomes an installed model: its bytes, what Easel brings along, the receipt last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from app.core.card import Acceptance, Kind, Licence, ModelCard, Origin, Receipt
from app.core.folders import Folders
from app.jobs import bringing, online
from app.jobs.online import Online
from app.weights import receipts
from app.weights.patience import Options
from app.weights.receipts import Installed
from app.weights.shipped import copy_shipped

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
        copy_shipped(card, folder, self.folders.resources)
        text, acceptance = accepted
        receipt = Receipt(
            id=card.id,
            title=card.title,
            kind=card.kind,
            family=card.family,
            origin=Origin.HUB,
            source=f"{card.repository}@{card.revision}",
            files=card.files,
            installed=bringing.now(),
            acceptance=acceptance,
            memory=card.memory,
            needs=card.needs,
        )
        # 3. A checkpoint becomes a folder that can be drawn with
        if card.kind is Kind.CHECKPOINT:
            checkpoint = folder / card.files[0].path
            with bringing.brought(checkpoint, self.folders, report, cancelled) as found:
                if found is None:
                    return None
                staging, made = found
                receipt = replace(receipt, kind=made.kind, family=made.family, files=made.files)
                receipts.write(staging, receipt, text.text)
                receipts.move_in(staging, folder)
                return Installed(folder, receipt)
        # 4. A zip of Core ML models becomes their folder
        if card.kind is Kind.COREML and card.unpack:
            return self._adopt(card, folder, receipt, text, report, cancelled)
        # 5. The receipt, last
        receipts.write(folder, receipt, text.text)
        return Installed(folder, receipt)

    def _adopt(
        self,
        card: ModelCard,
        folder: Path,
        receipt: Receipt,
        text: Licence,
        report: Report,
        cancelled: IsCancelled,
    ) -> Installed | None:
        from app.jobs.adopting import adopted  # numpy comes with it

        packed = folder / card.files[0].path
        with adopted(packed, self.folders.installed, report, cancelled) as found:
            if found is None:
                return None
            receipt = replace(receipt, family=found.family, files=found.files)
            receipts.write(found.folder, receipt, text.text)
            receipts.move_in(found.folder, folder)
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
        copy_shipped(card, folder, self.folders.resources, wanted)
        own = {file.path for file in card.files if not file.shipped}
        fetched = tuple(path for path in wanted if path in own)
        work = partial(online.repair, card, folder, fetched, self.options)
        return self.online.run(work, card.title, report, cancelled) is not None
