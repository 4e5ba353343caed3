"""Settings of how one begins and what is seen while something is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.placement import Placement
from app.core.settings import MOST_START_COUNT, Theme
from app.ui.controls.choice import Choice
from app.ui.controls.segments import Segments
from app.ui.controls.tick import Tick
from app.ui.setting_row import SettingRow
from app.ui.settings_section import USUAL, Section, fill

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow

_LOOKS = (("As the system", Theme.SYSTEM), ("Light", Theme.LIGHT), ("Dark", Theme.DARK))
_PLACES = {
    Placement.COREML_NEURAL_ENGINE: "Neural Engine",
    Placement.COREML_GPU: "GPU",
    Placement.MPS: "GPU, without Core ML",
    Placement.CUDA: "Graphics card",
    Placement.CPU: "Processor",
}


class DrawingSettings(Section):
    """What Easel begins with, and how it draws."""

    model_row: SettingRow
    count_row: SettingRow
    place_row: SettingRow
    previews_row: SettingRow
    awake_row: SettingRow

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window, "Drawing")
        theme = self.theme
        self.model = Choice(theme, "Model to begin with")
        self.model.currentIndexChanged.connect(
            lambda _at: self.change(self.model_row, start_model=self.model.currentData())
        )
        self.model_row = self.add(
            "model",
            SettingRow(theme, "Begin with", "The model when Easel opens.", self.model),
            lambda: self.change(self.model_row, start_model=None),
        )
        self.count = Choice(theme, "Pictures to begin with")
        self.count.currentIndexChanged.connect(
            lambda _at: self.change(self.count_row, start_count=self.count.currentData())
        )
        self.count_row = self.add(
            "count",
            SettingRow(
                theme, "Pictures", "How many one Generate draws when Easel opens.", self.count
            ),
            lambda: self.change(self.count_row, start_count=None),
        )
        self.place = Choice(theme, "Where to draw")
        self.place.currentIndexChanged.connect(
            lambda _at: self.change(self.place_row, placement=self.place.currentData())
        )
        self.place_row = self.add(
            "placement",
            SettingRow(
                theme,
                "Draw on",
                "For models prepared for Core ML. Where it fails, Easel goes on by itself on the "
                "next best part of this Mac.",
                self.place,
            ),
            lambda: self.change(self.place_row, placement=None),
        )
        self.place_row.setVisible(bool(window.easel.placements))
        self.previews = Tick(theme, "Show the picture while it is drawn")
        self.previews.clicked.connect(lambda on: self._set_previews(on))
        self.previews_row = self.add(
            "previews",
            SettingRow(theme, "Previews", "", self.previews),
            lambda: self._set_previews(USUAL.previews),
        )
        self.awake = Tick(theme, "Keep the computer awake while something is drawn")
        self.awake.clicked.connect(lambda on: self.change(self.awake_row, stay_awake=on))
        self.awake_row = self.add(
            "awake",
            SettingRow(theme, "Sleep", "", self.awake),
            lambda: self.change(self.awake_row, stay_awake=USUAL.stay_awake),
        )

    def refresh(self) -> None:
        settings, easel = self.settings, self.window_.easel
        models: list[tuple[str, object]] = [(model.title, model.id) for model in easel.models()]
        if settings.start_model and all(id != settings.start_model for _, id in models):
            models.append((f"{settings.start_model} (not there now)", settings.start_model))
        fill(self.model, [("The model last used", None), *models], settings.start_model)
        self.model_row.show_changed(settings.start_model is not None)
        counts: list[tuple[str, object]] = [
            (str(count), count) for count in range(1, MOST_START_COUNT + 1)
        ]
        fill(self.count, [("As last time", None), *counts], settings.start_count)
        self.count_row.show_changed(settings.start_count is not None)
        places: list[tuple[str, object]] = [
            (_PLACES[place], place.value) for place in easel.placements
        ]
        fill(self.place, [("Wherever it is fastest", None), *places], settings.placement)
        self.place_row.show_changed(settings.placement is not None)
        self.previews.setChecked(settings.previews)
        self.previews_row.show_changed(settings.previews != USUAL.previews)
        self.awake.setChecked(settings.stay_awake)
        self.awake_row.show_changed(settings.stay_awake != USUAL.stay_awake)

    def _set_previews(self, on: bool) -> None:
        self.change(self.previews_row, previews=on)
        self.window_.session.previews = on


class WindowSettings(Section):
    """How the window looks and speaks."""

    look_row: SettingRow
    notice_row: SettingRow

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window, "Window")
        theme = self.theme
        self.look = Segments(theme, "Appearance", tuple(words for words, _ in _LOOKS))
        self.look.chosen.connect(lambda index: self._set_look(_LOOKS[index][1]))
        self.look_row = self.add(
            "look",
            SettingRow(theme, "Appearance", "", self.look),
            lambda: self._set_look(USUAL.theme),
        )
        self.notice = Tick(theme, "Tell me when everything is drawn and I am elsewhere")
        self.notice.clicked.connect(lambda on: self.change(self.notice_row, finish_notice=on))
        self.notice_row = self.add(
            "notice",
            SettingRow(theme, "Notifications", "", self.notice),
            lambda: self.change(self.notice_row, finish_notice=USUAL.finish_notice),
        )

    def refresh(self) -> None:
        self.look.choose([look for _, look in _LOOKS].index(self.settings.theme))
        self.look_row.show_changed(self.settings.theme != USUAL.theme)
        self.notice.setChecked(self.settings.finish_notice)
        self.notice_row.show_changed(self.settings.finish_notice != USUAL.finish_notice)

    def _set_look(self, look: Theme) -> None:
        self.window_.set_look(look.value)
        self.refresh()
