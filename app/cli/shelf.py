"""``easel models``: shelf, licence, add, get, check, remove, import, export, move, token.

``models`` is the one command that may go online, and of it only ``add``, ``get``,
``check --mend`` and ``verify-catalogue``.
"""

from __future__ import annotations

import argparse
import getpass
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from app.cli.arguments import UsageError
from app.cli.main import DONE, WENT_WRONG
from app.cli.program import Program
from app.cli.stopping import on_stop
from app.cli.terminal import Terminal, duration
from app.convert.importing import Importing
from app.core.card import Licence, ModelCard
from app.core.errors import LicenceNotAccepted
from app.jobs import conversions
from app.jobs.shelf import Shelf
from app.messages import shown, size_text
from app.weights.events import (
    Checking,
    FetchingAgain,
    OtherEasel,
    Packing,
    Transferring,
    WaitingFor,
)
from app.weights.packs import SUFFIX as PACK
from app.weights.pins import HOLDS
from app.weights.receipts import Installed
from app.weights.token import is_token

ACCEPTED = ("yes", "y")
Result = TypeVar("Result")


def shelf(_: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Print what can be installed. Returns the exit code."""
    here = {model.receipt.id for model in program.shelf.installed()}
    cards = program.shelf.cards()
    if terminal.as_json:
        terminal.results([_card_data(card, card.id in here) for card in cards])
        return DONE
    for card in cards:
        mark = "installed" if card.id in here else size_text(card.download_bytes)
        terminal.result(f"{card.id}  {shown(card.title)}, {mark}")
        terminal.result(f"    {shown(card.summary)}")
    return DONE


def licence(asked: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Print the licence of a model on the shelf, whole. Returns the exit code."""
    card = program.shelf.card(asked.id)
    text = program.shelf.licence(card)
    if terminal.as_json:
        terminal.results({"licence": text.id, "sha256": text.sha256, "text": text.text})
    else:
        terminal.result(text.text)
    return DONE


def add(asked: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Look up a model of the hub by its name, and keep it as a card. Returns the exit code."""
    books, tell = program.shelf, _Teller(terminal).tell
    card = _stoppable(
        terminal,
        lambda cancelled: books.name(asked.name, asked.revision, tell, cancelled),
    )
    if terminal.as_json:
        here = {model.receipt.id for model in books.installed()}
        terminal.event("added", **_card_data(card, card.id in here), revision=card.revision)
        return DONE
    terminal.result(card.id)
    terminal.note(f"{shown(card.title)}: {size_text(card.download_bytes)} to download.")
    terminal.note(f"It comes under the {shown(books.licence(card).title)}.")
    terminal.note(f"To read that: easel models licence {card.id}")
    terminal.note(f"To get the model: easel models get {card.id}")
    return DONE


def get(asked: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Show the licence, ask, download, install. Returns the exit code."""
    books = program.shelf
    # 1. The licence first
    card = books.card(asked.id)
    _agree(books.licence(card), books, asked.accept_licence, terminal)
    # 2. Then the network
    terminal.note(f"Getting {shown(card.title)}: {size_text(card.download_bytes)}.")
    model = _stoppable(
        terminal,
        lambda cancelled: books.get(card, _Teller(terminal).tell, cancelled),
    )
    return _say_installed(model, terminal)


def verify_catalogue(_: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Ask the hub about every file of every card; 1 when a pin no longer holds."""
    books, tell = program.shelf, _Teller(terminal).tell
    found = _stoppable(terminal, lambda cancelled: books.pins(tell, cancelled))
    for one in found:
        if terminal.as_json:
            terminal.event("looked", id=one.id, path=one.path, found=one.found.value)
        else:
            terminal.result(f"{one.id}  {shown(one.path)}: {one.found.value}")
    return DONE if all(one.found in HOLDS for one in found) else WENT_WRONG


def token(asked: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Keep an access token in the keychain, or forget it. Never printed, never an argument."""
    if asked.forget:
        had = program.shelf.account.forget_token()
        terminal.note("The access token is forgotten." if had else "There was no access token.")
        terminal.event("token", kept=False)
        return DONE
    if sys.stdin.isatty():
        text = getpass.getpass("Access token (it is not shown): ")
    else:
        text = sys.stdin.readline()
    if not is_token(text.strip()):
        raise UsageError("That is no access token. Copy it from your settings on the website.")
    program.shelf.account.keep_token(text.strip())
    terminal.note("The access token is kept in the keychain.")
    terminal.event("token", kept=True)
    return DONE


def check(asked: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Read a model's files again, all or one; with --mend fetch what is damaged."""
    books, code = program.shelf, DONE
    models = [books.find(asked.id)] if asked.id else list(books.installed())
    for model in models:
        code = max(code, _check_one(model, books, terminal, mend=asked.mend))
    return code


def remove(asked: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Take an installed model away; of one that was added, the card too. Returns the exit code.

    Its conversions go with it; the id of one takes that one alone.
    """
    books, id = program.shelf, asked.id
    here = [model for model in books.installed() if model.receipt.id == id]
    if not here and not books.is_named(id):
        return _remove_conversion(id, program, terminal)
    along = program.conversions(id) if here else ()
    title = here[0].receipt.title if here else books.card(id).title
    for model in here:
        books.remove(model)
    forgotten = books.forget(id)
    terminal.note(f"Removed {shown(title)}.")
    if along:
        terminal.note(f"What it was converted to went with it: {len(along)}.")
    terminal.event("removed", id=id, card=forgotten, conversions=[one.id for one in along])
    return DONE


def _remove_conversion(id: str, program: Program, terminal: Terminal) -> int:
    """Raises ModelMissing where ``id`` is that of none."""
    found = conversions.find(program.folders.installed, id)
    conversions.remove(found)
    terminal.note(f"Removed {shown(found.title)} of {shown(found.source)}; the original stays.")
    terminal.event("removed", id=id, card=False, conversions=[id])
    return DONE


def bring(asked: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Bring in a model file from elsewhere. Returns the exit code."""
    books, file = program.shelf, Path(asked.file).expanduser().absolute()
    if file.suffix.lower() == PACK:
        text = books.pack_licence(file)
        if text is not None:
            _agree(text, books, asked.accept_licence, terminal)
        tell = _Teller(terminal).tell
        model = _stoppable(terminal, lambda cancelled: books.unpack(file, cancelled, tell))
    else:
        tell = _Teller(terminal).tell
        model = _stoppable(terminal, lambda cancelled: books.bring(file, tell, cancelled))
    return _say_installed(model, terminal)


def export(asked: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Write an installed model as one file, to take to a computer without a network."""
    books, model = program.shelf, program.shelf.find(asked.id)
    target = Path(asked.file).expanduser().absolute()
    if target.suffix.lower() != PACK:
        target = target.with_name(target.name + PACK)
    tell = _Teller(terminal).tell
    _stoppable(terminal, lambda cancelled: books.pack(model, target, cancelled, tell) or None)
    terminal.event("exported", id=model.receipt.id, file=str(target))
    if not terminal.as_json:
        terminal.result(str(target))
    return DONE


def move(asked: argparse.Namespace, program: Program, terminal: Terminal) -> int:
    """Keep the installed models in another folder, on another disk too, from now on."""
    target = Path(asked.folder).expanduser().absolute()
    tell = _Teller(terminal).tell
    _stoppable(terminal, lambda cancelled: program.move_models(target, tell, cancelled) or None)
    terminal.event("moved", folder=str(target))
    terminal.note(f"Models are now kept in {shown(target)}.")
    return DONE


def _agree(text: Licence, books: Shelf, accepted: str | None, terminal: Terminal) -> None:
    """Raises LicenceNotAccepted unless the person accepts, now or before."""
    if books.is_text_accepted(text):
        return
    if accepted is not None:
        if accepted not in (text.sha256, text.id):
            raise LicenceNotAccepted(text.title, text.sha256)
    elif terminal.as_json or not sys.stdin.isatty() or not _asks(text, terminal):
        raise LicenceNotAccepted(text.title, text.sha256)
    books.accept_text(text)


def _asks(text: Licence, terminal: Terminal) -> bool:
    """The restrictions on top, the whole text, then the question."""
    for part in (text.restrictions, text.text):
        if part:
            terminal.note(part)
            terminal.note("")
    terminal.note(f"This was the {shown(text.title)}. Do you accept it? Type yes to accept.")
    return sys.stdin.readline().strip().lower() in ACCEPTED


def _check_one(model: Installed, books: Shelf, terminal: Terminal, *, mend: bool) -> int:
    id, title = model.receipt.id, shown(model.receipt.title)
    tell = _Teller(terminal).tell
    found = _stoppable(terminal, lambda cancelled: books.verify(model, tell, cancelled))
    assert found is not None  # a stop raises
    terminal.status("")
    bad = (*found.damaged, *found.missing)
    terminal.event("checked", id=id, damaged=list(found.damaged), missing=list(found.missing))
    if found.sound:
        terminal.note(f"{title}: every byte is as it should be.")
        return DONE
    terminal.note(f"{title}: not as it should be: {', '.join(shown(path) for path in bad)}.")
    if not mend:
        terminal.note(f"To fetch that anew: easel models check {id} --mend")
        return WENT_WRONG
    _stoppable(terminal, lambda cancelled: books.mend(model, found, tell, cancelled) or None)
    terminal.note(f"{title}: mended.")
    terminal.event("mended", id=id)
    return DONE


def _stoppable(terminal: Terminal, work: Callable[[Callable[[], bool]], Result | None]) -> Result:
    """What ``work`` gives; Ctrl-C stops it, and then KeyboardInterrupt is raised."""
    stop = threading.Event()
    with on_stop(stop.set):
        done = work(stop.is_set)
    terminal.status("")
    if done is None:
        raise KeyboardInterrupt
    return done


def _say_installed(model: Installed, terminal: Terminal) -> int:
    receipt = model.receipt
    if terminal.as_json:
        terminal.event("installed", id=receipt.id, kind=receipt.kind, folder=str(model.folder))
    else:
        terminal.result(receipt.id)
    terminal.note(f"{shown(receipt.title)} is installed: {size_text(receipt.disk)}.")
    return DONE


def _card_data(card: ModelCard, installed: bool) -> dict[str, object]:
    return {
        "id": card.id,
        "title": card.title,
        "summary": card.summary,
        "kind": card.kind.value,
        "family": card.family.value,
        "licence": card.licence,
        "download_bytes": card.download_bytes,
        "disk": card.disk,
        "memory": card.memory,
        "installed": installed,
    }


class _Teller:
    """Turns events into the line that moves, and into JSON."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def tell(self, event: object) -> None:
        match event:
            case Transferring(done, total, file, speed):
                left = f", {duration((total - done) / speed)} left" if speed else ""
                pace = f"  {size_text(round(speed))} a second{left}" if speed else ""
                bar = self._terminal.bar(done / total if total else 1.0)
                self._terminal.status(f"{bar} {size_text(done)} of {size_text(total)}{pace}")
                self._terminal.event("transferring", done=done, total=total, file=file)
            case Checking(done, total, file):
                self._terminal.status(f"Checking {shown(file)}: {done * 100 // max(total, 1)} %")
                self._terminal.event("checking", done=done, total=total, file=file)
            case WaitingFor(seconds, reason):
                self._terminal.status(f"Waiting {duration(seconds)}: {shown(reason)}")
                self._terminal.event("waiting", seconds=seconds, reason=reason)
            case OtherEasel():
                self._terminal.note(
                    "Another Easel works on this model. Waiting for it; Ctrl-C stops waiting."
                )
                self._terminal.event("waiting for another Easel")
            case Packing(done, total):
                self._terminal.status(f"{self._terminal.bar(done / max(total, 1))} Packing")
                self._terminal.event("packing", done=done, total=total)
            case FetchingAgain(file):
                self._terminal.note(f"{shown(file)} came damaged and is fetched again.")
                self._terminal.event("fetching again", file=file)
            case Importing(stage, done, total, part):
                self._terminal.status(f"{stage.value.capitalize()} {done} of {total} {shown(part)}")
                self._terminal.event("importing", stage=stage.value, done=done, total=total)
