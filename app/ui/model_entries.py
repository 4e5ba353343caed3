"""What the Models window lists: a row for each model that is here, comes in, or can be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from app.core.card import Kind, ModelCard, Receipt
from app.core.errors import EaselError
from app.core.model import Family
from app.jobs.deliveries import Delivery, DeliveryState
from app.messages import size_text
from app.messages.coreml import trial_text
from app.ui.computer_fit import Fit, Grade, fit

if TYPE_CHECKING:
    from app.compose import Easel
    from app.core.model import Model
    from app.jobs.conversions import Conversion
    from app.jobs.shelf import Shelf
    from app.ui.model_readying import Doing
    from app.weights.receipts import Installed

DRAWING = (Kind.DIFFUSERS, Kind.CHECKPOINT, Kind.COREML)
"""Kinds that draw by themselves; the others change or help one that does."""

_FAMILIES = {
    Family.SD1: "Stable Diffusion 1.x",
    Family.SD2: "Stable Diffusion 2.x",
    Family.SDXL: "Stable Diffusion XL",
}

_OVER = (DeliveryState.DONE, DeliveryState.CANCELLED)


class Section(StrEnum):
    """The headings of the list, in order."""

    HERE = "On this computer"
    COMING = "Coming in"
    AVAILABLE = "Available"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row. ``facts`` are short words for one line; ``licence`` is a title, or "".

    ``card`` can be got, ``installed`` removed; a ``named`` card can be taken off the list.
    ``model`` can be drawn with, and be converted where it is ``convertible``. ``unpackable`` says
    why it cannot be exported, "" where it can. ``conversion`` is what a model above was converted
    to; ``doing`` what goes on with it.
    """

    id: str
    title: str
    summary: str
    section: Section
    facts: tuple[str, ...] = ()
    licence: str = ""
    fit: Fit | None = None
    delivery: Delivery | None = None
    card: ModelCard | None = None
    installed: Installed | None = None
    model: Model | None = None
    in_use: bool = False
    named: bool = False
    unpackable: str = ""
    recommended: bool = False
    convertible: bool = False
    conversion: Conversion | None = None
    doing: Doing | None = None


def entries(
    easel: Easel,
    deliveries: tuple[Delivery, ...],
    chosen: Model | None,
    memory: int,
    doing: Callable[[str], Doing | None] = lambda _id: None,
) -> tuple[tuple[Entry, ...], EaselError | None]:
    """The rows, and what was wrong with the catalogue. ``memory`` is this computer's, in bytes;
    ``doing`` says what goes on with a model that is here."""
    shelf = easel.shelf
    problem: EaselError | None = None
    try:
        cards = shelf.cards()
    except EaselError as error:
        cards, problem = (), error
    known = {card.id: card for card in cards}
    here = [replace(entry, doing=doing(entry.id)) for entry in _here(easel, known, chosen)]
    installed = {entry.id for entry in here}
    current = {delivery.id: delivery for delivery in deliveries if delivery.state not in _OVER}
    coming = [_coming(one) for one in current.values() if one.id not in known]
    wanted = [
        _available(shelf, card, known, current.get(card.id), memory)
        for card in cards
        if card.id not in installed
    ]
    wanted.sort(key=lambda entry: _rank(entry, easel.core_ml is not None))
    return (*here, *coming, *_recommend(wanted)), problem


def _here(easel: Easel, known: dict[str, ModelCard], chosen: Model | None) -> list[Entry]:
    """The starter first, then what was installed, by title."""
    rows = []
    models = {model.id: model for model in easel.models()}
    used = None if chosen is None else chosen.id
    for model in models.values():
        if model.built_in and model.twin is None:
            summary = "Comes with Easel: simple drawings of single things, in seconds."
            rows.append(
                Entry(
                    model.id,
                    model.title,
                    summary,
                    Section.HERE,
                    ("Built in",),
                    model=model,
                    in_use=model.id == used,
                    unpackable="it comes with every Easel",
                    convertible=True,
                )
            )
            rows += _conversions(easel, model.id, models, used)
    for one in easel.shelf.installed():
        receipt = one.receipt
        card = known.get(receipt.id)
        rows.append(
            Entry(
                receipt.id,
                receipt.title,
                _summary(receipt, card),
                Section.HERE,
                _facts_here(receipt) + _tried(easel, models.get(receipt.id)),
                _licence_title(easel.shelf, card) or _title_beside(easel.shelf, one),
                card=card,
                installed=one,
                model=models.get(receipt.id),
                in_use=receipt.id == used,
                named=card is not None and easel.shelf.is_named(card.id),
                unpackable=_unpackable(easel.shelf, one),
                convertible=receipt.kind is Kind.DIFFUSERS and receipt.id in models,
            )
        )
        rows += _conversions(easel, receipt.id, models, used)
    return rows


def _conversions(
    easel: Easel, source: str, models: dict[str, Model], used: str | None
) -> list[Entry]:
    """What the model ``source`` was converted to, damaged ones too: they can be taken away."""
    return [
        Entry(
            one.id,
            one.title,
            "" if one.id in models else "A part of it is missing. Remove it, and convert it again.",
            Section.HERE,
            (f"{size_text(one.disk)} on disk", *_tried(easel, models.get(one.id))),
            model=models.get(one.id),
            in_use=one.id == used,
            conversion=one,
        )
        for one in easel.conversions(source)
    ]


def _tried(easel: Easel, model: Model | None) -> tuple[str, ...]:
    """What drawing with it takes here, where that was tried."""
    readying, here = easel.readying, easel.core_ml
    trial = None if readying is None or model is None else readying.trial(model)
    if trial is None or model is None or here is None:
        return ()
    return (trial_text(trial.picture_s(model.limits.steps), trial.memory, here.mac.memory),)


def _summary(receipt: Receipt, card: ModelCard | None) -> str:
    """What it is; for what a person brought in also where it is found from now on."""
    if card is not None:
        return card.summary
    family = _FAMILIES[receipt.family]
    use = {
        Kind.LORA: f"A LoRA: its weight is in the inspector of {family} models.",
        Kind.VAE: f"An autoencoder: it is in the inspector of {family} models.",
        Kind.EMBEDDING: f"A word of its own: write “{receipt.title}” in a prompt for {family}.",
    }
    return f"{use.get(receipt.kind, '')} Brought in from {receipt.source}.".strip()


def _coming(delivery: Delivery) -> Entry:
    return Entry(
        delivery.id,
        delivery.title,
        "A file from elsewhere: checked and converted once, so that it opens quickly from then on.",
        Section.COMING,
        delivery=delivery,
    )


def _available(
    shelf: Shelf,
    card: ModelCard,
    known: dict[str, ModelCard],
    delivery: Delivery | None,
    memory: int,
) -> Entry:
    facts = [
        f"{size_text(card.download_bytes)} download",
        f"{size_text(card.disk)} on disk",
        f"{size_text(card.memory)} of memory",
    ]
    facts += [f"for {known[need].title}" for need in card.needs if need in known]
    suits = fit(card.memory, memory) if card.kind in DRAWING else None
    return Entry(
        card.id,
        card.title,
        card.summary,
        Section.AVAILABLE,
        tuple(facts),
        _licence_title(shelf, card),
        suits,
        delivery,
        card=card,
        named=shelf.is_named(card.id),
    )


def _title_beside(shelf: Shelf, model: Installed) -> str:
    """Of a model that came in a pack: no card names its licence."""
    try:
        beside = shelf.licence_beside(model)
    except EaselError:
        return ""
    return "" if beside is None else beside.title


def _unpackable(shelf: Shelf, model: Installed) -> str:
    problem = shelf.pack_problem(model)
    return "" if problem is None else "a part of it is missing"


def _facts_here(receipt: Receipt) -> tuple[str, ...]:
    facts = [f"{size_text(receipt.disk)} on disk"]
    if receipt.memory:
        facts.append(f"{size_text(receipt.memory)} of memory")
    return tuple(facts)


def _licence_title(shelf: Shelf, card: ModelCard | None) -> str:
    if card is None:
        return ""
    try:
        return shelf.licence(card).title
    except EaselError:  # told when somebody wants the model
        return ""


def _rank(entry: Entry, mac: bool) -> tuple[bool, int, bool, int, str]:
    """What draws comes first; of that what runs well, on a Mac with Core ML, and what is small."""
    draws = entry.card is not None and entry.card.kind in DRAWING
    grades = list(Grade)
    grade = len(grades) if entry.fit is None else grades.index(entry.fit.grade)
    size = 0 if entry.card is None else entry.card.download_bytes
    made_for_macs = entry.card is not None and entry.card.kind is Kind.COREML
    return not draws, grade, not (mac and made_for_macs), size, entry.title


def _recommend(wanted: list[Entry]) -> list[Entry]:
    """Mark the first that runs well here: the accent is for one thing only."""
    busy = any(entry.delivery is not None for entry in wanted)
    for index, entry in enumerate(wanted):
        if not busy and entry.fit is not None and entry.fit.grade is Grade.WELL:
            return [*wanted[:index], replace(entry, recommended=True), *wanted[index + 1 :]]
    return wanted
