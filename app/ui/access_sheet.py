"""A model whose makers let in only some: what to do on the website, and the token that opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.core.errors import AccessNeeded, EaselError
from app.messages import describe
from app.ui.controls.button import Button
from app.ui.controls.field import Field
from app.ui.controls.words import Words
from app.ui.sheet import Sheet
from app.ui.theme import Theme
from app.ui.tokens import HALO
from app.weights.token import is_token

if TYPE_CHECKING:
    from app.jobs.account import Account
    from app.ui.errand import Errands

_FIRST = {
    "gated": "On its page, agree to the terms of its makers.",
    "private": "On its page, see whether you may read it.",
}


class AccessSheet(Sheet):
    """``granted``: the person says that the way is free now. A token was kept before, if typed."""

    granted = Signal()

    def __init__(
        self, theme: Theme, error: AccessNeeded, account: Account, errands: Errands, parent: QWidget
    ) -> None:
        message = describe(error)
        super().__init__(theme, message.title, message.body, parent)
        self._account, self._errands = account, errands
        self._repository = error.repository
        self.page_button = Button(theme, "Open its page", "quiet")
        self.page_button.clicked.connect(lambda: _open(account.page(self._repository)))
        self.tokens_button = Button(theme, "Open the tokens page", "quiet")
        self.tokens_button.clicked.connect(lambda: _open(account.tokens_page))
        self.token = Field(theme, "Access token", "hf_…", secret=True)
        self.token.edit.textChanged.connect(self._typed)
        self.token.edit.returnPressed.connect(self._entered)
        kept = f"It is kept in the keychain of this computer and sent to {account.host} alone."
        self.note = Words(theme, kept, "secondary", "dim", wrap=True)
        self.cancel_button = Button(theme, "Cancel", "quiet")
        self.cancel_button.clicked.connect(self.reject)
        self.go_button = Button(theme, "Try again", "action")
        self.go_button.clicked.connect(self._go)
        self._lay_out(_FIRST.get(error.reason, ""))
        self._typed()
        self.resize(580, 100)
        problem = account.problem()
        self.token.setEnabled(problem is None)
        self.note.setVisible(problem is None)
        self.complain(problem)

    def _lay_out(self, first: str) -> None:
        self.column.addSpacing(10)
        steps = [(first, self.page_button)] if first else []
        steps.append(("In your settings there, make a token.", self.tokens_button))
        for number, (words, button) in enumerate(steps, 1):
            row = QHBoxLayout()
            row.setContentsMargins(HALO, 0, 0, 0)
            row.setSpacing(12)
            row.addWidget(Words(self.theme, f"{number}.  {words}", "body", wrap=True), 1)
            row.addWidget(button)
            self.column.addLayout(row)
        self.page_button.setVisible(bool(first))
        self.column.addSpacing(2)
        self.add(Words(self.theme, f"{len(steps) + 1}.  Paste that token here.", "body"))
        self.column.addWidget(self.token)
        self.add(self.note)
        self.end()
        self.foot.addStretch(1)
        self.foot.addWidget(self.cancel_button)
        self.foot.addWidget(self.go_button)

    @Slot()
    def _typed(self) -> None:
        text = self.token.text()
        self.go_button.set_text("Keep it and try again" if text else "Try again")
        self.go_button.setEnabled(not text or is_token(text))

    @Slot()
    def _entered(self) -> None:
        if self.go_button.isEnabled():
            self._go()

    def _go(self) -> None:
        text, account = self.token.text(), self._account
        if not text:
            self._granted(None)
            return
        # The keychain may ask the person first, for as long as it takes.
        self.go_button.setEnabled(False)
        errand = self._errands.make(lambda _report, _cancelled: account.keep_token(text))
        errand.done.connect(self._granted)
        errand.failed.connect(self._failed)
        errand.start()

    @Slot(object)
    def _granted(self, _nothing: object) -> None:
        self.token.edit.clear()
        self.accept()
        self.granted.emit()

    @Slot(object)
    def _failed(self, error: EaselError) -> None:
        self.go_button.setEnabled(True)
        self.complain(error)


def _open(address: str) -> None:
    """In the person's browser: Easel itself asks nobody."""
    QDesktopServices.openUrl(QUrl(address))
