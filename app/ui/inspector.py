"""The controls of a picture, as far as the chosen model has them."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.core.errors import RecipeProblem
from app.core.model import Limits, Model
from app.core.recipe import LoraUse, Scheduler, Size
from app.core.resolve import parse_size
from app.ui.adapter_rows import FAST_GUIDANCE, FAST_STEPS, AdapterRows
from app.ui.controls.choice import Choice
from app.ui.controls.drawing import start
from app.ui.controls.seed_field import SeedField
from app.ui.controls.segments import Segments, ShapeTiles
from app.ui.controls.slider import Slider
from app.ui.controls.value_edit import ValueEdit, number_in
from app.ui.controls.words import Words
from app.ui.explanations import ABOUT
from app.ui.ratio import ratio_text
from app.ui.row import ROOM, Row
from app.ui.theme import Theme
from app.ui.tokens import INSPECTOR

ROOMY = 580
"""Lower than this, the rows move together."""

SLIDER_GUIDANCE = 20.0
SLIDER_COUNT = 12
"""What the sliders reach; exact entry goes as far as the model does."""


class Inspector(QWidget):
    """Shows and holds what a draft has beside its words. ``changed`` tells of any edit.

    ``problem`` carries a RecipeProblem for an exact entry that cannot be; the value stays.
    """

    changed = Signal()
    problem = Signal(object)
    explanation_wanted = Signal(object)
    models_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.limits: Limits | None = None
        self._size = Size(512, 512)
        self._steps = 20
        self._guidance = 7.5
        self._count = 1
        self._build()

    # What it holds.

    @property
    def size_chosen(self) -> Size:
        return self._size

    @property
    def steps(self) -> int:
        return self._steps

    @property
    def guidance(self) -> float:
        return self._guidance

    @property
    def count(self) -> int:
        return self._count

    @property
    def scheduler(self) -> Scheduler | None:
        data = self.sampler.currentData()
        return None if data is None else Scheduler(data)

    @property
    def loras(self) -> tuple[LoraUse, ...]:
        return self.adapters.loras.uses

    @property
    def vae(self) -> str | None:
        return self.adapters.chosen_vae

    def set_model(self, model: Model | None) -> None:
        """Fit every control to what ``model`` can do, keeping values as far as they carry over."""
        old, self.limits = self.limits, None if model is None else model.limits
        self.setEnabled(model is not None)
        self._note.setVisible(model is not None and model.built_in)
        self.adapters.set_model(model)
        if self.limits is None or self.limits == old:
            return
        limits = self.limits
        self._shapes.set_shapes(
            tuple((ratio_text(s.width, s.height), s.width, s.height) for s in limits.shapes)
        )
        reach = min(SLIDER_GUIDANCE, limits.max_guidance)
        self._guidance_slider.setRange(2, round(reach * 2))
        self._count_slider.setRange(1, min(SLIDER_COUNT, limits.max_count))
        chosen = self.scheduler
        self.sampler.blockSignals(True)
        self.sampler.clear()
        for scheduler in limits.schedulers:
            self.sampler.addItem(scheduler.value, scheduler.value)
        kept = chosen is not None and old is not None and chosen is not old.scheduler
        self._pick_sampler(chosen if kept and chosen in limits.schedulers else limits.scheduler)
        self.sampler.blockSignals(False)
        self._rows["Follow the prompt"].setVisible(limits.max_guidance > 1)
        self._rows["Sampler"].setVisible(len(limits.schedulers) > 1)
        self._rows["Pictures"].setVisible(limits.max_count > 1)
        self._carry_over(old, limits)

    def fill(
        self,
        *,
        size: Size | None = None,
        steps: int | None = None,
        guidance: float | None = None,
        scheduler: Scheduler | None = None,
        count: int | None = None,
    ) -> None:
        """Take what is given and the model can do; the rest stays."""
        limits = self.limits
        if limits is None:
            return
        if size is not None and limits.fits(size):
            self._size = size
        if steps is not None and limits.min_steps <= steps <= limits.max_steps:
            self._steps = steps
        if guidance is not None and 1 <= guidance <= limits.max_guidance:
            self._guidance = guidance
        if count is not None and 1 <= count <= limits.max_count:
            self._count = count
        if scheduler is not None and scheduler in limits.schedulers:
            self._pick_sampler(scheduler)
        self._show_values()
        self.changed.emit()

    def show_foot(self, html: str) -> None:
        """The sentence at the foot, such as how long a picture takes."""
        self._foot.setText(html)
        self._foot.setVisible(bool(html))

    def add_last(self, widget: QWidget) -> None:
        """``widget`` under the rows, and after them for Tab."""
        self._rows_column.insertWidget(len(self._rows), widget)
        QWidget.setTabOrder([row.control for row in self.rows()][-1], widget)

    def rows(self) -> tuple[Row, ...]:
        return tuple(self._rows.values())

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        return QSize(INSPECTOR, 400)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        super().resizeEvent(event)
        self._rows_column.setSpacing(15 if self.height() >= ROOMY else 7)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        painter.setPen(QPen(self.theme.colour("line"), 1))
        mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        x = self.width() - 0.5 if mirrored else 0.5
        painter.drawLine(int(x), 0, int(x), self.height())
        painter.end()

    # How it is made.

    def _build(self) -> None:
        theme = self.theme
        self.setFixedWidth(INSPECTOR)
        self._shapes = ShapeTiles(theme, "Shape")
        self._shapes.chosen.connect(self._shape_chosen)
        self._size_edit = self._value("Size in pixels", lambda text: text)
        self._size_edit.entered.connect(self._size_typed)
        self._quality = Segments(theme, "Quality", ("Fast", "Balanced", "Fine"))
        self._quality.chosen.connect(self._quality_chosen)
        self._steps_edit = self._value("Number of steps", _digits)
        self._steps_edit.entered.connect(self._steps_typed)
        self._guidance_slider = Slider(theme, "Follow the prompt")
        self._guidance_slider.setPageStep(4)
        self._guidance_slider.valueChanged.connect(self._guidance_slid)
        self._guidance_edit = self._value("Guidance", _digits)
        self._guidance_edit.entered.connect(self._guidance_typed)
        self.seed = SeedField(theme)
        self.seed.changed.connect(self.changed)
        self._count_slider = Slider(theme, "Pictures")
        self._count_slider.setPageStep(2)
        self._count_slider.valueChanged.connect(self._count_slid)
        self._count_edit = self._value("Number of pictures", _digits)
        self._count_edit.entered.connect(self._count_typed)
        self.sampler = Choice(theme, "Sampler")
        self.sampler.currentIndexChanged.connect(lambda _index: self.changed.emit())
        self._note = Words(
            theme,
            "The small built-in model: simple drawings of single things. "
            'It is no Stable Diffusion; <a href="models" style="text-decoration:none">'
            "that is a download away</a>.",
            "secondary",
            "dim",
            rich=True,
            wrap=True,
        )
        links = Qt.TextInteractionFlag
        self._note.setTextInteractionFlags(
            links.LinksAccessibleByMouse | links.LinksAccessibleByKeyboard
        )
        self._note.setAccessibleName("About the built-in model")
        self._note.linkActivated.connect(lambda _link: self.models_wanted.emit())
        self._foot = Words(theme, "", "secondary", "dim", rich=True, wrap=True)
        self._rows: dict[str, Row] = {}
        for title, control, value in (
            ("Shape", self._shapes, self._size_edit),
            ("Quality", self._quality, self._steps_edit),
            ("Follow the prompt", self._guidance_slider, self._guidance_edit),
            ("Seed", self.seed, None),
            ("Pictures", self._count_slider, self._count_edit),
            ("Sampler", self.sampler, None),
        ):
            row = Row(theme, title, ABOUT[title], control, value)
            row.explanation_wanted.connect(self.explanation_wanted)
            self._rows[title] = row
        self.adapters = AdapterRows(theme, self)
        self.adapters.changed.connect(self.changed)
        self.adapters.problem.connect(self.problem)
        self.adapters.fast_wanted.connect(self._hurry)
        for row in self.adapters.rows:
            row.explanation_wanted.connect(self.explanation_wanted)
            self._rows[row.title] = row
        self._lay_out()

    def _lay_out(self) -> None:
        inside = QWidget()
        self._rows_column = column = QVBoxLayout(inside)
        column.setContentsMargins(8, 12, 7, 16)
        column.setSpacing(15)
        for row in self._rows.values():
            column.addWidget(row)
        column.addStretch(1)
        for words in (self._note, self._foot):
            words.setIndent(0)
            words.setContentsMargins(ROOM + 3, 0, ROOM, 0)
            column.addWidget(words)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        for layer in (scroll.viewport(), inside):
            layer.setAutoFillBackground(False)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(1, 0, 0, 0)
        whole.addWidget(scroll)

    def _value(self, name: str, number: Callable[[str], str]) -> ValueEdit:
        return ValueEdit(self.theme, name, number)

    # What the person does.

    def _hurry(self, fast: bool) -> None:
        limits = self.limits
        if limits is None:
            return
        self.adapters.hurry(fast)
        if fast:
            self.fill(steps=FAST_STEPS, guidance=FAST_GUIDANCE, scheduler=Scheduler.LCM)
        else:
            usual = limits.scheduler
            self.fill(steps=limits.steps, guidance=limits.guidance, scheduler=usual)

    def _shape_chosen(self, index: int) -> None:
        if self.limits is not None:
            self.fill(size=self.limits.shapes[index])

    def _quality_chosen(self, index: int) -> None:
        if self.limits is not None:
            self.fill(steps=_qualities(self.limits)[index])

    def _guidance_slid(self, value: int) -> None:
        self.fill(guidance=max(1.0, value / 2))

    def _count_slid(self, value: int) -> None:
        self.fill(count=value)

    def _size_typed(self, text: str) -> None:
        limits = self.limits
        if limits is None:
            return
        try:
            size = parse_size(text)
        except RecipeProblem:
            self._refuse("size", text, limits.sizes)
            return
        if limits.fits(size):
            self.fill(size=size)
        else:
            self._refuse("size", str(size), limits.sizes)

    def _steps_typed(self, text: str) -> None:
        limits = self.limits
        number = number_in(text)
        if limits is None:
            return
        if number is not None and limits.min_steps <= number <= limits.max_steps:
            self.fill(steps=int(number))
        else:
            self._refuse("steps", text, f"{limits.min_steps} to {limits.max_steps}")

    def _guidance_typed(self, text: str) -> None:
        limits = self.limits
        number = number_in(text)
        if limits is None:
            return
        if number is not None and 1 <= number <= limits.max_guidance:
            self.fill(guidance=number)
        else:
            self._refuse("guidance", text, f"1 to {limits.max_guidance:g}")

    def _count_typed(self, text: str) -> None:
        limits = self.limits
        number = number_in(text)
        if limits is None:
            return
        if number is not None and 1 <= number <= limits.max_count:
            self.fill(count=int(number))
        else:
            self._refuse("count", text, f"1 to {limits.max_count}")

    def _refuse(self, field: str, value: str, allowed: str) -> None:
        self._show_values()
        self.problem.emit(RecipeProblem(field, value[:80], allowed))

    # What it shows.

    def _carry_over(self, old: Limits | None, limits: Limits) -> None:
        if old is None:
            self.fill(size=limits.native, steps=limits.steps, guidance=limits.guidance)
            return
        ratio = self._size.width / self._size.height
        size = min(limits.shapes, key=lambda s: abs(s.width / s.height - ratio))
        before = _qualities(old)
        steps = self._steps
        if steps in before:
            steps = _qualities(limits)[before.index(steps)]
        steps = min(max(steps, limits.min_steps), limits.max_steps)
        guidance = self._guidance if self._guidance != old.guidance else limits.guidance
        count = min(self._count, limits.max_count)
        self.fill(size=size, steps=steps, guidance=min(guidance, limits.max_guidance), count=count)

    def _show_values(self) -> None:
        limits = self.limits
        if limits is None:
            return
        self._size_edit.show_value(f"{self._size.width} × {self._size.height}")
        shapes = limits.shapes
        self._shapes.choose(shapes.index(self._size) if self._size in shapes else -1)
        self._steps_edit.show_value(f"{self._steps} steps" if self._steps != 1 else "1 step")
        qualities = _qualities(limits)
        self._quality.choose(qualities.index(self._steps) if self._steps in qualities else -1)
        self._guidance_edit.show_value(f"{self._guidance:g}")
        self._count_edit.show_value(str(self._count))
        for slider, value in (
            (self._guidance_slider, round(self._guidance * 2)),
            (self._count_slider, self._count),
        ):
            slider.blockSignals(True)
            slider.setValue(value)
            slider.blockSignals(False)
            slider.update()

    def _pick_sampler(self, scheduler: Scheduler) -> None:
        self.sampler.setCurrentIndex(self.sampler.findData(scheduler.value))


def pace_html(seconds: str | None, together: str | None, count: int, place: str) -> str:
    """ "About 14 s a picture, on this computer's CPU." with the numbers in bold."""
    if seconds is None:
        return f"Draws on {escape(place)}." if place else ""
    total = f" and <b>{escape(together)}</b> for {count}" if together else ""
    where = f", on {escape(place)}" if place else ""
    if not seconds[0].isdigit():
        return f"<b>{escape(seconds.capitalize())}</b> a picture{where}."
    return f"About <b>{escape(seconds)}</b> a picture{total}{where}."


def _qualities(limits: Limits) -> tuple[int, int, int]:
    return (limits.quick_steps, limits.steps, limits.fine_steps)


def _digits(text: str) -> str:
    return text.split(" ")[0]
