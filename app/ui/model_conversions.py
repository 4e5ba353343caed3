"""Converting a model to Core ML from the Models window: asked for, run beside it, told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from app.convert.coreml.converting import ConversionOptions, Converting
from app.core.errors import EaselError
from app.core.model import Model
from app.jobs import conversions
from app.jobs.conversions import Conversion
from app.messages import shown, size_text
from app.ui.convert_sheet import ConvertSheet
from app.ui.coreml_words import converting_text
from app.ui.errand_strip import ErrandStrip

if TYPE_CHECKING:
    from app.ui.errand import Errand, Errands
    from app.ui.main_window import MainWindow
    from app.ui.models_window import ModelsWindow


class ModelConversions(QObject):
    """One at a time, shown in ``strip``. ``made``: there is another model to draw with. ``ended``:
    however it ended."""

    made = Signal()
    ended = Signal()

    def __init__(
        self, window: MainWindow, models: ModelsWindow, strip: ErrandStrip, errands: Errands
    ) -> None:
        super().__init__(models)
        self._window, self._models = window, models
        self._strip, self._errands = strip, errands
        self._errand: Errand | None = None
        self._title = ""
        self.sheet: ConvertSheet | None = None
        strip.stop_wanted.connect(self._stop)

    @property
    def busy(self) -> bool:
        return self._errand is not None

    def ask(self, model: Model) -> None:
        """Open the sheet that asks how ``model`` is to be converted."""
        if self._strip.running or self.sheet is not None:
            return
        here = self._window.easel.core_ml
        mac = None if here is None else here.mac
        self.sheet = ConvertSheet(self._models.theme, model, mac, self._models)
        self.sheet.wanted.connect(lambda options: self.convert(model, options))
        self.sheet.finished.connect(self._closed)
        self.sheet.open()

    def convert(self, model: Model, options: ConversionOptions) -> None:
        """Convert ``model``, and offer the result."""
        if self._strip.running:
            return
        root, self._title = self._window.easel.folders.installed, model.title
        errand = self._errand = self._errands.make(
            lambda report, cancelled: conversions.convert(model, root, options, report, cancelled)
        )
        errand.told.connect(self._told)
        errand.done.connect(self._done)
        errand.failed.connect(self._failed)
        self._strip.begin(f"Converting {shown(model.title)} to Core ML")
        errand.start()

    def _closed(self) -> None:
        self.sheet = None

    def _stop(self) -> None:
        if self._errand is not None:
            self._errand.stop()

    @Slot(object)
    def _told(self, event: object) -> None:
        if isinstance(event, Converting):
            self._strip.tell(event.done / max(event.total, 1e-9), converting_text(event))

    @Slot(object)
    def _done(self, found: Conversion | None) -> None:
        self._errand = None
        self.ended.emit()
        if found is None:
            self._strip.say("Stopped. Nothing was kept.")
            return
        self.made.emit()
        model = next((one for one in self._window.models.at_hand() if one.id == found.id), None)
        use = None if model is None else ("Use", lambda: self._window.models.choose(model))
        more = f"It takes {size_text(found.disk)}, and is in the model choice."
        self._strip.say(f"{shown(self._title)} is converted to Core ML", more, use)

    @Slot(object)
    def _failed(self, error: EaselError) -> None:
        self._errand = None
        self.ended.emit()
        self._strip.complain(error)
