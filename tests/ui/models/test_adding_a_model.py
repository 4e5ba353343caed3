"""A model of the hub by its name, in the window: looked up, read about, got; gated ones too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeychain
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QLineEdit, QMessageBox
from pytestqt.qtbot import QtBot

from app.ui.access_sheet import AccessSheet
from app.ui.add_sheet import AddSheet
from app.ui.main_window import MainWindow
from app.ui.models_window import ModelsWindow
from tests.ui.models.conftest import WAIT_MS, Drawn, accept, arrived, choose, row, sheet_of
from tests.ui.models.test_models_reach import controls, name, reached
from tests.weights.hubs import FaultHub, fault_hub
from tests.weights.keychains import MemoryKeychain

pytestmark = [
    pytest.mark.loopback,
    # The offscreen platform says this of every window that comes to the front.
    pytest.mark.qt_log_ignore("This plugin does not support (raise|grabbing the keyboard)"),
]

ID = "some-one-apples"
LICENCE = "Draw nothing but apples.\n\nAttachment A\n\nUse restrictions: no pears.\n"
SECRET = "hf_DoNotTellAnyone"


class Browser(QObject):
    """Stands where the person's browser would open."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url.toString())


@pytest.fixture
def browser() -> Iterator[Browser]:
    made = Browser()
    for scheme in ("http", "https"):
        QDesktopServices.setUrlHandler(scheme, made, "open")
    yield made
    for scheme in ("http", "https"):
        QDesktopServices.unsetUrlHandler(scheme)


@pytest.fixture
def keychain() -> Iterator[MemoryKeychain]:
    memory = MemoryKeychain()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(NoKeychain())


@pytest.fixture
def about() -> dict[str, object]:
    return {}


@pytest.fixture
def hub(tmp_path: Path, files: dict[str, bytes], about: dict[str, object]) -> Iterator[FaultHub]:
    more = {"LICENSE": LICENCE.encode(), ".api.json": json.dumps(about).encode()}
    with fault_hub(tmp_path, files | more) as running:
        yield running


@pytest.fixture
def adding(models: ModelsWindow) -> AddSheet:
    models.add_button.click()
    assert models.questions.adding is not None
    return models.questions.adding


def look_up(qtbot: QtBot, adding: AddSheet, text: str) -> None:
    adding.name.edit.setText(text)
    qtbot.mouseClick(adding.look_button, Qt.MouseButton.LeftButton)


def access_sheet(models: ModelsWindow, qtbot: QtBot) -> AccessSheet:
    qtbot.waitUntil(lambda: models.questions.access is not None, timeout=WAIT_MS)
    assert models.questions.access is not None
    return models.questions.access


def test_a_model_is_added_by_the_address_of_its_page_and_got(
    models: ModelsWindow, adding: AddSheet, easel: Drawn, hub: FaultHub, qtbot: QtBot
) -> None:
    # 1. Nobody is asked before the button that says so
    assert not adding.look_button.isEnabled()
    adding.name.edit.setText(f"{hub.endpoint}/Some-One/Apples/tree/main")
    assert adding.look_button.isEnabled()
    assert easel.shelf.account.host in adding.look_button.text()
    assert hub.log() == []
    # 2. Then it says what it is, and it is on the list
    qtbot.mouseClick(adding.look_button, Qt.MouseButton.LeftButton)
    assert adding.bar.isVisible()
    qtbot.waitUntil(adding.facts.isVisible, timeout=WAIT_MS)
    assert adding.what.text() == "Some-One/Apples"
    assert "to download" in adding.facts.text()
    assert ID in models.rows
    asked = len(hub.log())
    # 3. Its licence, restrictions apart; nothing comes before it is accepted
    assert adding.look_button.text() == "Read its licence…"
    adding.look_button.click()
    sheet = sheet_of(models)
    assert sheet.text.text() == LICENCE
    assert sheet.restrictions.text().startswith("Attachment A")
    assert len(hub.log()) == asked
    accept(qtbot, models)
    qtbot.waitUntil(arrived(models, ID), timeout=WAIT_MS)
    (model,) = easel.shelf.installed()
    assert (model.folder / "LICENSE.txt").read_text("utf-8") == LICENCE
    assert len(easel.shelf.ledger.connections()) == len(hub.log())
    # 4. And can be read from then on, from this disk
    choose(row(models, ID), "Read Its Licence")
    assert sheet_of(models).text.text() == LICENCE
    assert not sheet_of(models).box.isVisible()
    assert LICENCE in [text.text for text in easel.shelf.licences()]


def test_the_menu_leads_to_it_too(window: MainWindow, hub: FaultHub) -> None:
    words = "Add a Model from Hugging Face…"
    next(a for a in window.menus.file.actions() if a.text() == words).trigger()
    models = window.getting.models
    assert models is not None
    assert models.questions.adding is not None
    assert models.questions.adding.isVisible()
    assert hub.log() == []


def test_what_is_no_model_is_told_where_it_was_typed(
    adding: AddSheet, hub: FaultHub, qtbot: QtBot
) -> None:
    for text in ("apples", "https://example.com/some/apples"):
        look_up(qtbot, adding, text)
        qtbot.waitUntil(adding.trouble.isVisible, timeout=WAIT_MS)
        assert adding.advice.text()
        assert adding.look_button.isEnabled()
    assert hub.log() == []
    adding.revision.edit.setText("v9")
    look_up(qtbot, adding, "some/apples")
    assert not adding.trouble.isVisible()
    qtbot.waitUntil(adding.trouble.isVisible, timeout=WAIT_MS)
    assert len(hub.log()) == 1


def test_a_look_up_is_stopped(
    models: ModelsWindow, adding: AddSheet, hub: FaultHub, qtbot: QtBot
) -> None:
    hub.process.kill()
    hub.process.wait()
    look_up(qtbot, adding, "some/apples")
    assert adding.cancel_button.text() == "Stop"
    adding.cancel_button.click()
    qtbot.waitUntil(lambda: adding.cancel_button.text() == "Cancel", timeout=WAIT_MS)
    assert not adding.trouble.isVisible()
    adding.cancel_button.click()
    assert models.questions.adding is None


def test_closing_the_window_ends_a_look_up(
    window: MainWindow, models: ModelsWindow, hub: FaultHub, qtbot: QtBot
) -> None:
    hub.process.kill()
    hub.process.wait()
    adding = models.questions.ask_for_name()
    look_up(qtbot, adding, "some/apples")
    window.leave()  # and no thread is left, which conftest looks at


def test_a_named_model_is_taken_off_the_list(
    models: ModelsWindow, adding: AddSheet, easel: Drawn, qtbot: QtBot
) -> None:
    look_up(qtbot, adding, "Some-One/Apples")
    qtbot.waitUntil(adding.facts.isVisible, timeout=WAIT_MS)
    adding.reject()
    choose(row(models, ID), "Remove…")
    box = models.findChild(QMessageBox, "removing")
    assert isinstance(box, QMessageBox)
    assert "Some-One/Apples" in box.informativeText()
    next(one for one in box.buttons() if one.text() == "Remove").click()
    assert ID not in models.rows
    assert not easel.shelf.is_named(ID)


@pytest.mark.parametrize("about", [{"gated": "auto", "license": "creativeml-openrail-m"}])
def test_a_gated_model_says_what_to_do_and_a_token_opens_it(
    models: ModelsWindow,
    keychain: MemoryKeychain,
    browser: Browser,
    hub: FaultHub,
    easel_home: Path,
    qtbot: QtBot,
) -> None:
    adding = models.questions.ask_for_name()
    look_up(qtbot, adding, "Some-One/Apples")
    access = access_sheet(models, qtbot)
    assert "Some-One/Apples" in access.title.text()
    # 1. The hub's own page, in the browser
    access.page_button.click()
    access.tokens_button.click()
    page, tokens = browser.opened
    assert page == f"{hub.endpoint}/Some-One/Apples"
    assert tokens == "https://huggingface.co/settings/tokens"
    # 2. The token: typed once, never shown
    assert access.token.edit.echoMode() is QLineEdit.EchoMode.Password
    access.token.edit.setText("two words")
    assert not access.go_button.isEnabled()
    access.token.edit.setText(SECRET)
    access.go_button.click()
    qtbot.waitUntil(adding.facts.isVisible, timeout=WAIT_MS)
    assert list(keychain.kept.values()) == [SECRET]
    assert models.questions.access is None
    # 3. And it is in no file of Easel's
    kept = [file for file in easel_home.rglob("*") if file.is_file()]
    assert not [file for file in kept if SECRET.encode() in file.read_bytes()]
    bearers = {entry["headers"].get("authorization") for entry in hub.log()[1:]}
    assert bearers == {f"Bearer {SECRET}"}


@pytest.mark.parametrize("about", [{"private": True}])
def test_without_a_keychain_it_says_so_and_what_else_there_is(
    models: ModelsWindow, adding: AddSheet, qtbot: QtBot
) -> None:
    look_up(qtbot, adding, "Some-One/Apples")
    access = access_sheet(models, qtbot)
    assert not access.token.isEnabled()
    assert access.trouble.text() == "There is no keychain"
    assert "bring that in" in access.advice.text()
    # What was agreed to on the website may do without one
    assert access.go_button.isEnabled()
    access.go_button.click()
    access = access_sheet(models, qtbot)
    access.reject()


@pytest.mark.parametrize("about", [{"gated": "auto"}])
def test_the_sheets_are_named_and_reached_by_the_keyboard(
    models: ModelsWindow, keychain: MemoryKeychain, adding: AddSheet, qtbot: QtBot
) -> None:
    adding.name.edit.setText("Some-One/Apples")
    _all_named_and_reached(adding, qtbot)
    qtbot.keyClick(adding.name.edit, Qt.Key.Key_Return)
    access = access_sheet(models, qtbot)
    _all_named_and_reached(access, qtbot)
    assert keychain.kept == {}


def _all_named_and_reached(sheet: QDialog, qtbot: QtBot) -> None:
    fields = [one for one in sheet.findChildren(QLineEdit) if one.isVisible()]
    assert fields
    assert [one for one in (*controls(sheet), *fields) if not name(one)] == []
    tabbed = reached(sheet, qtbot)
    left = [one for one in (*controls(sheet), *fields) if one not in tabbed and one.isEnabled()]
    assert [name(one) for one in left] == []
