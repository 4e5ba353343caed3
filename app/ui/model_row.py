"""A model as a row: what it is, what it takes, how far it is, and the one thing to do next."""

from __future__ import annotations

from enum import Enum, auto
from html import escape

from PySide6.QtCore import QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app.core.errors import AccessNeeded
from app.jobs.deliveries import Delivery, DeliveryState
from app.messages import describe
from app.ui.controls.button import Button, IconButton
from app.ui.controls.drawing import box, start
from app.ui.controls.elided import ElidedWords
from app.ui.controls.words import Words
from app.ui.delivery_words import progress_text
from app.ui.model_entries import Entry
from app.ui.progress_card import ProgressBar
from app.ui.theme import Theme
from app.ui.tokens import CARD_RADIUS, HALO

_SEPARATOR = " · "


class Action(Enum):
    """What the person can ask a row for."""

    GET = auto()
    PAUSE = auto()
    RESUME = auto()
    CANCEL = auto()
    USE = auto()
    REMOVE = auto()
    LICENCE = auto()
    DISCARD = auto()
    ACCESS = auto()
    EXPORT = auto()
    SHOW = auto()
    CONVERT = auto()
    STOP = auto()


_WORDS = {
    Action.GET: "Get…",
    Action.PAUSE: "Pause",
    Action.RESUME: "Resume",
    Action.CANCEL: "Cancel",
    Action.USE: "Use",
    Action.REMOVE: "Remove…",
    Action.LICENCE: "Read Its Licence",
    Action.DISCARD: "Discard…",
    Action.ACCESS: "Give access…",
    Action.EXPORT: "Export as One File…",
    Action.SHOW: "Show Its Folder",
    Action.CONVERT: "Convert to Core ML…",
    Action.STOP: "Stop",
}
_LINK = "licence"
_INDENT = 28
"""Of what a model above was converted to."""


class ModelRow(QWidget):
    """``asked`` carries an Action and the id of the row."""

    asked = Signal(object, str)

    def __init__(self, theme: Theme, entry: Entry) -> None:
        super().__init__()
        self.theme = theme
        self.entry = entry
        self._action: Action | None = None
        self._further: Action | None = None
        self._indent = 0 if entry.conversion is None else _INDENT
        self.title = ElidedWords(theme, "", "strong")
        self.fit = Words(theme, "", "secondary strong", "good")
        self.summary = Words(theme, "", "secondary", "dim", wrap=True)
        self.facts = Words(theme, "", "secondary", "faint", rich=True, wrap=True)
        self.facts.linkActivated.connect(lambda _link: self._ask(Action.LICENCE))
        self.used = Words(theme, "✓ In use", "secondary strong", "good")
        self.used.setContentsMargins(0, 0, HALO, 0)
        self.button = Button(theme, "Get…", "quiet")
        self.button.clicked.connect(lambda: self._ask(self._action))
        self.further = Button(theme, "Cancel", "link")
        self.further.clicked.connect(lambda: self._ask(self._further))
        self.more = IconButton(theme, "more", "More")
        self.more.clicked.connect(self._open_menu)
        self.bar = ProgressBar(theme)
        self.progress = Words(theme, "", "secondary", "dim", wrap=True)
        self.trouble = Words(theme, "", "secondary strong", "bad", wrap=True)
        self.advice = Words(theme, "", "secondary", "text", wrap=True)
        self._lay_out()
        self.show_entry(entry)
        theme.changed.connect(self.update)

    def show_entry(self, entry: Entry) -> None:
        """Fit everything to ``entry``."""
        self.entry = entry
        self.title.say(entry.title)
        self.summary.setText(entry.summary)
        self.summary.setVisible(bool(entry.summary))
        self._show_facts(entry)
        self.fit.setVisible(entry.fit is not None)
        if entry.fit is not None:
            self.fit.set_colour(entry.fit.grade.value)
            self.fit.setText(entry.fit.text)
        self.used.setVisible(entry.in_use)
        self._show_delivery(entry.delivery)
        if entry.delivery is None:
            self._show_doing(entry)
        self._show_actions(entry)
        said = [entry.title, entry.fit.text if entry.fit else "", entry.summary]
        self.setAccessibleName(". ".join(part.rstrip(".") for part in said if part))

    def menu(self) -> QMenu | None:
        """What else can be done with it; None where there is nothing. It goes when it is closed."""
        actions = _further_actions(self.entry)
        if not actions:
            return None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for action in actions:
            if action is Action.REMOVE:
                menu.addSeparator()
            words = _WORDS[action]
            reason = self.entry.unpackable if action is Action.EXPORT else ""
            if reason:
                words = f"{words.rstrip('…')}: {reason}"
            shown = menu.addAction(words)
            shown.setEnabled(not reason)
            shown.triggered.connect(lambda _on=False, asked=action: self._ask(asked))
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 (Qt's name)
        menu = self.menu()
        if menu is not None:
            menu.popup(event.globalPos())

    def _open_menu(self) -> None:
        menu = self.menu()
        if menu is not None:
            menu.popup(self.more.mapToGlobal(QPoint(HALO, self.more.height())))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = start(self)
        colour = self.theme.colour
        at = QRectF(self.rect()).adjusted(self._indent, 0, 0, 0)
        box(painter, at, colour("surface"), colour("line"), CARD_RADIUS)
        painter.end()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self.title)
        head.addWidget(self.fit)
        head.addStretch(1)
        told = QVBoxLayout()
        told.setSpacing(3)
        told.addLayout(head)
        told.addWidget(self.summary)
        told.addWidget(self.facts)
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addLayout(told, 1)
        top.addSpacing(12)
        for widget in (self.further, self.more, self.used, self.button):
            top.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(16 + self._indent, 13, 16 - HALO, 13)
        column.setSpacing(8)
        column.addLayout(top)
        below = QVBoxLayout()
        below.setContentsMargins(0, 0, HALO, 0)
        below.setSpacing(6)
        for words in (self.trouble, self.advice, self.bar, self.progress):
            below.addWidget(words)
        column.addLayout(below)

    def _show_facts(self, entry: Entry) -> None:
        facts = [_whole(fact) for fact in entry.facts]
        if entry.licence:
            title = _whole(entry.licence)
            facts.append(f'<a href="{_LINK}" style="text-decoration:none">{title}</a>')
        # Tab stops at the words only where they lead somewhere.
        flags = Qt.TextInteractionFlag
        links = flags.LinksAccessibleByMouse | flags.LinksAccessibleByKeyboard
        self.facts.setTextInteractionFlags(links if entry.licence else flags.NoTextInteraction)
        self.facts.setText(_SEPARATOR.join(facts))
        self.facts.setVisible(bool(facts))
        plain = _SEPARATOR.join((*entry.facts, *([entry.licence] if entry.licence else [])))
        self.facts.setAccessibleName(plain)

    def _show_delivery(self, delivery: Delivery | None) -> None:
        failed = delivery is not None and delivery.error is not None
        for words in (self.trouble, self.advice):
            words.setVisible(failed)
        begun = delivery is not None and (delivery.error is None or delivery.done > 0)
        self.bar.setVisible(begun)
        if delivery is None:
            self.progress.setVisible(False)
            return
        if delivery.error is not None:
            message = describe(delivery.error)
            self.trouble.setText(message.title)
            self.advice.setText(f"{message.body} {message.next_step}".strip())
        text = progress_text(delivery)
        self.progress.setText(text)
        self.progress.setVisible(bool(text))
        self.bar.count(*_bar(delivery))
        self.bar.setAccessibleName(f"Progress of {delivery.title}")

    def _show_doing(self, entry: Entry) -> None:
        """What goes on with a model that is here already."""
        doing = entry.doing
        failed = doing is not None and bool(doing.trouble)
        for words in (self.trouble, self.advice):
            words.setVisible(failed)
        for widget in (self.bar, self.progress):
            widget.setVisible(doing is not None and not failed)
        if doing is None:
            return
        if failed:
            self.trouble.setText(doing.trouble)
            self.advice.setText(doing.text)
            return
        self.progress.setText(doing.text)
        self.bar.count(max(0, doing.done), 1000 if doing.done >= 0 else 0)
        self.bar.setAccessibleName(f"Progress of {entry.title}")

    def _show_actions(self, entry: Entry) -> None:
        self._action, self._further = _actions(entry)
        # Words for the whole window stay short; a screen reader hears which model is meant.
        for button, action in ((self.button, self._action), (self.further, self._further)):
            button.setVisible(action is not None)
            if action is not None:
                again = action is Action.RESUME and entry.card is None
                words = "Try again" if again else _WORDS[action]
                button.set_text(words, f"{words.rstrip('…')} {entry.title}")
        self.more.setVisible(bool(_further_actions(entry)))
        self.more.setAccessibleName(f"More for {entry.title}")
        accented = entry.recommended and self._action is Action.GET
        self.button.set_kind("action" if accented else "quiet")

    def _ask(self, action: Action | None) -> None:
        if action is not None:
            self.asked.emit(action, self.entry.id)


def _actions(entry: Entry) -> tuple[Action | None, Action | None]:
    """The button's, and that of the quieter word beside it."""
    delivery = entry.delivery
    if delivery is not None:
        leave = Action.DISCARD if entry.card is not None and delivery.done else Action.CANCEL
        if delivery.state in (DeliveryState.WAITING, DeliveryState.RUNNING):
            return Action.PAUSE, leave
        access = isinstance(delivery.error, AccessNeeded)
        return Action.ACCESS if access else Action.RESUME, leave
    if entry.doing is not None and not entry.doing.trouble:
        return None, Action.STOP
    if entry.installed is None and entry.model is None and entry.conversion is None:
        return Action.GET, None
    return Action.USE if entry.model is not None and not entry.in_use else None, None


def _further_actions(entry: Entry) -> tuple[Action, ...]:
    """What the menu offers."""
    if entry.delivery is not None:
        return ()
    installed, converted = entry.installed is not None, entry.conversion is not None
    here = (installed or entry.model is not None) and not converted
    offered = (
        (Action.CONVERT, entry.convertible),
        (Action.EXPORT, here),
        (Action.LICENCE, bool(entry.licence) and (here or entry.named)),
        (Action.SHOW, installed or converted),
        (Action.REMOVE, installed or converted or entry.named),
    )
    return tuple(action for action, can_be in offered if can_be)


def _whole(text: str) -> str:
    """As markup that is never broken into two lines."""
    return escape(text).replace(" ", "&nbsp;").replace("-", "&#8209;")


def _bar(delivery: Delivery) -> tuple[int, int]:
    """In thousandths: a bar counts in 32 bits, and a model has more bytes than that."""
    if delivery.total:
        return 1000 * delivery.done // delivery.total, 1000
    moving = delivery.state is DeliveryState.RUNNING
    return (0, 0) if moving else (0, 1000)
