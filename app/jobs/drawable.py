"""Which models there are to draw with: the starter, installed ones, those a person opened."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from app.core.adapter import Adapter, of_kind
from app.core.card import Kind
from app.core.coreml_manifest import FILE_NAME
from app.core.errors import ModelError
from app.core.folders import Folders
from app.core.model import Limits, Model, ModelFormat
from app.core.recipe import Scheduler
from app.engine import model_folder
from app.engine.coreml.model import read_coreml_model
from app.jobs import conversions
from app.weights import receipts
from app.weights.adapters import adapters


def drawable(folders: Folders, opened: Iterable[str], core_ml_first: bool) -> Iterator[Model]:
    """Every model that can be drawn with; the first is the one to offer.

    A model's conversions to Core ML come before it on a Mac, where they are faster, and after it
    elsewhere, where an interpreter runs them. What cannot be used is left out.
    """
    known = receipts.installed(folders.installed)
    fitting = adapters(known)
    plain: dict[str, Model] = {}
    with contextlib.suppress(ModelError):  # whoever wants to draw with it is told why
        plain["starter"] = model_folder.starter(folders)
    for installed in known:
        receipt = installed.receipt
        if receipt.kind is Kind.DIFFUSERS:
            with contextlib.suppress(ModelError):
                plain[receipt.id] = with_fitting(
                    model_folder.read_model(installed.folder, id=receipt.id, title=receipt.title),
                    fitting,
                )
    for model in plain.values():
        converted = tuple(_converted(folders.installed, model))
        yield from (*converted, model) if core_ml_first else (model, *converted)
    for installed in known:
        receipt = installed.receipt
        if receipt.kind is Kind.COREML:
            with contextlib.suppress(ModelError):
                yield with_fitting(
                    read_coreml_model(installed.folder, id=receipt.id, title=receipt.title), fitting
                )
    for folder in opened:
        with contextlib.suppress(ModelError):  # a disk that is not plugged in is no fault
            yield with_fitting(read_any(Path(folder)), fitting)


def read_any(folder: Path) -> Model:
    """The model in ``folder``, whichever engine it is for. Raises ModelError."""
    if (folder / FILE_NAME).is_file():
        return read_coreml_model(folder)
    return model_folder.read_model(folder)


def with_fitting(model: Model, known: tuple[Adapter, ...]) -> Model:
    """``model`` with those of ``known`` that can change it.

    A Core ML model has the embeddings too, whose words it cannot speak: it says so, or leaves them
    to its twin, and they are not read as plain words.
    """
    fitting = tuple(adapter for adapter in known if adapter.fits(model.family))
    if model.format is ModelFormat.COREML:
        fitting = of_kind(fitting, Kind.EMBEDDING)
    return replace(model, adapters=fitting)


def _converted(root: Path, source: Model) -> Iterator[Model]:
    for one in conversions.conversions(root, source.id):
        with contextlib.suppress(ModelError):
            model = read_coreml_model(
                one.folder,
                id=one.id,
                title=f"{source.title}, {one.title}",
                built_in=source.built_in,
            )
            limits = _with_habits(model.limits, source.limits)
            words = of_kind(source.adapters, Kind.EMBEDDING)
            yield replace(model, limits=limits, twin=source, adapters=words)


def _with_habits(own: Limits, source: Limits) -> Limits:
    """What the original is best drawn with is best for its conversion: only what that can do is its
    own. One that was made fast has other habits."""
    if own.scheduler is Scheduler.LCM:
        return own
    return replace(
        own,
        schedulers=source.schedulers,
        scheduler=source.scheduler,
        min_steps=source.min_steps,
        max_steps=source.max_steps,
        steps=source.steps,
        quick_steps=source.quick_steps,
        fine_steps=source.fine_steps,
        max_guidance=source.max_guidance,
        guidance=source.guidance,
    )
