"""Moving the models to another folder and packing one: asked for, run beside the window, told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from app.core.errors import EaselError, ModelInUse
from app.messages import shown
from app.ui.errand_strip import ErrandStrip
from app.weights.events import Checking, Packing
from app.weights.packs import SUFFIX
from app.weights.paths import RECEIPT

if TYPE_CHECKING:
    from app.ui.errand import Errand, Errands
    from app.ui.main_window import MainWindow
    from app.ui.models_window import ModelsWindow
    from app.weights.receipts import Installed

OWN = "Easel Models"
"""The folder that is made in a chosen one which holds other things."""


class ModelErrands(QObject):
    """One at a time, shown in ``strip``. ``moved``: the models lie elsewhere now."""

    moved = Signal()

    def __init__(
        self, window: MainWindow, models: ModelsWindow, strip: ErrandStrip, errands: Errands
    ) -> None:
        super().__init__(models)
        self._window, self._models = window, models
        self._strip, self._errands = strip, errands
        self._errand: Errand | None = None
        self._target = Path()
        self._left: tuple[Path, ...] | None = None
        """What is to be taken away as soon as nothing is drawn from it any more."""
        strip.stop_wanted.connect(self._stop)
        window.desk.busy_changed.connect(self._settle_when_calm)

    @property
    def busy(self) -> bool:
        return self._errand is not None or self._left is not None

    # Another folder.

    def ask_for_folder(self) -> QFileDialog | None:
        """Open the system's dialog for the folder that models are to be kept in."""
        if self.busy:
            return None
        dialog = QFileDialog(self._models, "Keep models in")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda chosen: self.move_to(Path(chosen)))
        dialog.open()
        return dialog

    def move_to(self, chosen: Path) -> None:
        """Copy the models into ``chosen``, or a folder of their own in it; then use them there."""
        easel = self._window.easel
        target = own_folder(chosen)
        try:
            self._check_calm()
            easel.deliveries.hold()
        except EaselError as error:
            self._strip.complain(error)
            return
        self._target = target
        errand = self._begin(
            f"Copying the models to {shown(target)}",
            self._errands.make(
                lambda report, cancelled: easel.copy_models(target, report, cancelled)
            ),
        )
        errand.done.connect(self._copied)
        errand.failed.connect(self._not_moved)
        errand.start()

    def _check_calm(self) -> None:
        """Raises ModelInUse while something is drawn: its model would be pulled from under it."""
        model = self._window.model()
        if self._window.desk.busy and model is not None:
            raise ModelInUse(model.title, "drawing")

    @Slot(object)
    def _copied(self, left: tuple[Path, ...] | None) -> None:
        self._errand = None
        if left is None:
            self._window.easel.deliveries.let_go()
            self._strip.say("Stopped. The models are where they were.")
            return
        self._left = left
        self._strip.begin("The models are copied. Waiting until the picture is drawn")
        self._settle_when_calm()

    def _settle_when_calm(self, _busy: bool = False) -> None:
        if self._left is None or self._window.desk.busy:
            return
        left, self._left = self._left, None
        easel = self._window.easel
        try:
            easel.keep_models_in(self._target, left)
        except EaselError as error:
            self._strip.complain(error)
        else:
            folder = easel.folders.installed
            self._strip.say(
                "Models are kept there now", shown(folder), ("Show", lambda: show_folder(folder))
            )
        finally:
            easel.deliveries.let_go()
        self.moved.emit()

    @Slot(object)
    def _not_moved(self, error: EaselError) -> None:
        self._errand = None
        self._window.easel.deliveries.let_go()
        self._strip.complain(error)

    # One file for a computer without a network.

    def ask_for_pack(self, model: Installed) -> QFileDialog | None:
        """Open the system's dialog for the file that ``model`` is to be packed into."""
        if self.busy:
            return None
        dialog = QFileDialog(self._models, f"Export {shown(model.receipt.title)}")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(f"Easel packs (*{SUFFIX})")
        dialog.setDefaultSuffix(SUFFIX.removeprefix("."))
        dialog.selectFile(f"{model.receipt.id}{SUFFIX}")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda chosen: self.pack(model, Path(chosen)))
        dialog.open()
        return dialog

    def pack(self, model: Installed, target: Path) -> None:
        """Write ``model`` into ``target``, and say so."""
        if self.busy:
            return
        shelf = self._window.easel.shelf
        self._target = target
        errand = self._begin(
            f"Exporting {shown(model.receipt.title)}",
            self._errands.make(
                lambda report, cancelled: shelf.pack(model, target, cancelled, report)
            ),
        )
        errand.done.connect(self._packed)
        errand.failed.connect(self._not_packed)
        errand.start()

    @Slot(object)
    def _packed(self, whole: bool) -> None:
        self._errand = None
        if not whole:
            self._strip.say("Stopped. Nothing was written.")
            return
        folder = self._target.parent
        more = "It goes with its licence to any Easel, by File > Import a Model…"
        self._strip.say(
            f"Exported as {shown(self._target.name)}", more, ("Show", lambda: show_folder(folder))
        )

    @Slot(object)
    def _not_packed(self, error: EaselError) -> None:
        self._errand = None
        self._strip.complain(error)

    # Both.

    def _begin(self, words: str, errand: Errand) -> Errand:
        self._errand = errand
        errand.told.connect(self._told)
        self._strip.begin(words)
        return errand

    @Slot(object)
    def _told(self, event: object) -> None:
        if isinstance(event, Checking | Packing):
            self._strip.count(event.done, event.total)

    def _stop(self) -> None:
        if self._errand is not None:
            self._errand.stop()


def own_folder(chosen: Path) -> Path:
    """``chosen`` where it is empty or holds models already, else a folder of its own in it."""
    if chosen.name == OWN or any(chosen.glob(f"*/*/{RECEIPT}")):
        return chosen
    try:
        holds_others = any(not one.name.startswith(".") for one in chosen.iterdir())
    except OSError:  # the copying says why
        holds_others = False
    return chosen / OWN if holds_others else chosen


def show_folder(folder: Path) -> None:
    """In the system's own file browser."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
