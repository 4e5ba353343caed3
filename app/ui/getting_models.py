"""Getting models from the window: opens what it takes, and tells how the downloads go.

Nothing here runs before it is asked for: no thread, and no look at the catalogue.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog

from app.core.errors import EaselError
from app.core.model import ModelFormat
from app.ui.errand import Errands
from app.ui.model_file import MODEL_FILES

if TYPE_CHECKING:
    from app.core.card import Licence
    from app.jobs.deliveries import Delivery
    from app.ui.delivery_bridge import DeliveryBridge
    from app.ui.main_window import MainWindow
    from app.ui.model_readying import ModelReadying
    from app.ui.models_window import ModelsWindow

log = logging.getLogger(__name__)


class GettingModels(QObject):
    """Lives as long as the main window; ``close`` ends what is still coming in."""

    calmed = Signal()
    """Nothing comes in any more."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._bridge: DeliveryBridge | None = None
        self.errands = Errands(self)
        self.models: ModelsWindow | None = None
        """The Models window, once it was opened."""
        self.readying: ModelReadying | None = None
        """Makes Core ML models ready, where there is Core ML."""
        if window.easel.core_ml is not None:
            from app.ui.model_readying import ModelReadying

            self.readying = ModelReadying(window, self.errands)
            window.models.before = self.readying.take
            self.readying.look_at_start()

    @property
    def busy(self) -> bool:
        """Whether something comes in, waits for its turn, or is converted."""
        return self.coming or self.converting

    @property
    def coming(self) -> bool:
        """Whether something comes in or waits for its turn."""
        return bool(self._moving())

    @property
    def converting(self) -> bool:
        """Whether a model is converted to Core ML."""
        return self.models is not None and self.models.conversions.busy

    def open_models(self) -> ModelsWindow:
        """Show the Models window, made when it is first asked for."""
        self._begin()
        if self.models is None:
            from app.ui.models_window import ModelsWindow

            self.models = ModelsWindow(self._window, self.errands)
            self.models.file_wanted.connect(self.ask_for_file)
            self.models.file_dropped.connect(self.bring)
            self.models.questions.removed.connect(self._removed)
            self.models.conversions.ended.connect(self._converted)
            self.models.found_more.connect(self._window.models.found_more)
            if self.readying is not None:
                self.readying.changed.connect(self.models.hear_of)
            self._window.model_changed.connect(self._model_changed)
        self.models.show()
        self.models.raise_()
        self.models.activateWindow()
        return self.models

    def get_first(self) -> None:
        """From the first run: show what can be had; on a Mac ask for what is made for it."""
        models = self.open_models()
        if self._window.easel.core_ml is not None:
            models.get_recommended()

    def ask_for_name(self) -> None:
        """Open the sheet that takes the name of a model on the hub."""
        self.open_models().questions.ask_for_name()

    def ask_for_file(self) -> QFileDialog:
        """Open the system's dialog for a model file, without standing in the way of anything."""
        visible = self.models is not None and self.models.isVisible()
        dialog = QFileDialog(self.models if visible else self._window, "Import a model")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(MODEL_FILES)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda chosen: self.bring(Path(chosen)))
        dialog.open()
        return dialog

    def bring(self, file: Path) -> None:
        """Bring in the model in ``file``, and show how that goes.

        The licence in a pack is read and accepted first, as that of a download is.
        """
        self._begin()
        models = self.open_models()
        licence = self._licence_to_read(file)
        if licence is None:
            self._window.easel.deliveries.bring(file)
        else:
            models.questions.ask_for_pack(file, licence)

    def _licence_to_read(self, file: Path) -> Licence | None:
        from app.jobs.deliveries import is_pack

        if not is_pack(file):
            return None
        shelf = self._window.easel.shelf
        try:
            licence = shelf.pack_licence(file)
            return None if licence is None or shelf.is_text_accepted(licence) else licence
        except EaselError:
            return None  # the delivery meets the same, and says it

    def show_licences(self) -> None:
        """The texts of the licences, from this disk."""
        from app.ui.licences_window import LicencesWindow

        window, easel = self._window, self._window.easel
        others = easel.shelf.licences()
        LicencesWindow(window.theme, easel.folders.licences, others, window).show()

    def show_connections(self) -> None:
        """Every connection that Easel ever made."""
        from app.ui.connections_window import ConnectionsWindow

        ledger = self._window.easel.shelf.ledger
        ConnectionsWindow(self._window.theme, ledger.connections(), self._window).show()

    def close(self) -> None:
        """End what is coming in; what came is kept. Blocks for a bounded time."""
        self.errands.close()
        if self._bridge is not None:
            self._bridge.close()
            self._window.easel.deliveries.close()

    # What the deliveries tell.

    def _begin(self) -> None:
        if self._bridge is None:
            from app.ui.delivery_bridge import DeliveryBridge

            self._bridge = DeliveryBridge(self._window.easel.deliveries, self)
            self._bridge.changed.connect(self._hear)

    def _hear(self, delivery: Delivery) -> None:
        from app.jobs.deliveries import DeliveryState

        if delivery.state is DeliveryState.DONE:
            self._arrived(delivery)
        elif delivery.state is DeliveryState.FAILED and delivery.error is not None:
            self._failed(delivery, delivery.error)
        if self.models is not None:
            self.models.hear(delivery)
        self._say_progress()

    def _arrived(self, delivery: Delivery) -> None:
        window = self._window
        window.models.found_more()
        id = delivery.id if delivery.installed is None else delivery.installed.receipt.id
        log.info("installed %s", id)
        model = next((one for one in window.models.at_hand() if one.id == id), None)
        if model is None:  # it changes or helps others, and does not draw by itself
            window.toast(f"{delivery.title} is here")
        elif self.readying is not None and model.format is ModelFormat.COREML:
            window.models.choose(model)  # once it is prepared
        else:
            ready = model
            window.toast(f"{ready.title} is ready", "Use", lambda: window.models.choose(ready))

    def _failed(self, delivery: Delivery, error: EaselError) -> None:
        log.warning("not got: %s", type(error).__name__)
        if self.models is None or not self.models.isVisible():
            self._window.toast(f"{delivery.title} did not arrive", "Show", self.open_models)

    def _say_progress(self) -> None:
        from app.ui.delivery_words import percent

        moving = self._moving()
        counted = [delivery for delivery in moving if delivery.total]
        if not self.busy:
            self.calmed.emit()
        self._window.setWindowTitle(f"Easel — {percent(counted[0])} %" if counted else "Easel")

    def _moving(self) -> list[Delivery]:
        """What is coming in, then what waits for its turn."""
        if self._bridge is None:
            return []
        from app.jobs.deliveries import DeliveryState

        known = self._window.easel.deliveries.all()
        running = [one for one in known if one.state is DeliveryState.RUNNING]
        return running + [one for one in known if one.state is DeliveryState.WAITING]

    def _removed(self, id: str) -> None:
        if self.readying is not None:
            self.readying.stop(id)
        model = self._window.model()
        gone = model is not None and id in (model.id, model.twin.id if model.twin else "")
        if gone:
            self._window.models.begin()
        else:
            self._window.models.found_more()

    def _converted(self) -> None:
        if not self.busy:
            self.calmed.emit()

    def _model_changed(self, _model: object) -> None:
        if self.models is not None and self.models.isVisible():
            self.models.refresh()
