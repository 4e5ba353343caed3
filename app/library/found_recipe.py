"""What a picture from anywhere says about how it was made, and what of it a model can do."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

from app.core.adapter import of_kind
from app.core.card import Kind
from app.core.errors import RecipeProblem
from app.core.model import Model
from app.core.recipe import Draft, LoraUse, Scheduler, Size
from app.core.resolve import resolve

MAX_UNKNOWN = 100
"""Settings that are listed though Easel has none like them, each of ``MAX_VALUE`` characters."""
MAX_VALUE = 200

MAX_JSON = 2_000_000
"""Characters of one JSON text. The largest workflows have some hundred thousand."""


@dataclass(frozen=True, slots=True)
class FoundLora:
    """A LoRA by the name that the other program has for it."""

    name: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class FoundRecipe:
    """A recipe as it was found. Anything can be in ``draft``: ``lay_on`` judges it.

    ``program`` is who drew it; ``model``, ``model_hash`` and ``vae`` (the autoencoder) are as that
    program writes them, "" where it does not. ``strength`` is how much of a starting picture was
    redrawn, None without one: the starting picture itself is in no file. ``unknown`` are
    (name, value) of settings that Easel does not have.
    """

    program: str
    draft: Draft
    model: str = ""
    model_hash: str = ""
    loras: tuple[FoundLora, ...] = ()
    strength: float | None = None
    unknown: tuple[tuple[str, str], ...] = ()
    vae: str = ""


@dataclass(frozen=True, slots=True)
class LaidOn:
    """A found recipe on the limits of a model.

    ``draft`` can be drawn with ``model`` as it is (``resolve`` takes it), once it has a prompt.
    ``used`` names the fields of it that came from the picture. ``cannot`` are those that this
    model cannot do, with what it can; the model's own default is used. ``missing_model`` is the
    picture's model where none of those that are here is it, else "". ``missing_loras`` are not
    here. ``unknown`` as found; a starting picture that is not in the file is "start".
    """

    draft: Draft
    model: Model
    used: tuple[str, ...]
    cannot: tuple[RecipeProblem, ...]
    missing_model: str
    missing_loras: tuple[FoundLora, ...]
    unknown: tuple[tuple[str, str], ...]


def lay_on(found: FoundRecipe, model: Model, models: Sequence[Model] = ()) -> LaidOn:
    """``found`` on the limits of its own model where that is one of ``models``, else of ``model``.

    Pure: nothing is read or asked.
    """
    # 1. Which model, and what is installed beside it
    own = _named(found.model, models)
    model = own or model
    uses, missing = _installed(found.loras, _names(model, Kind.LORA))
    vae = _names(model, Kind.VAE).get(_plain(found.vae))
    # 2. Each field by itself, judged as any draft is
    draft = Draft("")
    used: list[str] = []
    cannot: list[RecipeProblem] = []
    for field in _FIELDS:
        value: Any = {"loras": uses, "vae": vae}.get(field, getattr(found.draft, field))
        if value is None or value in ("", ()):
            continue
        problem = _problem(replace(Draft("x"), **{field: value}), model)
        if problem is None:
            draft = replace(draft, **{field: value})
            used.append(field)
        else:
            cannot.append(problem)
    # 3. What is in no file
    unknown = found.unknown
    if found.draft.start is None and found.strength is not None:
        unknown = (("start", f"{found.strength:g}"), *unknown)
    if found.vae and vae is None:
        unknown = (("VAE", found.vae), *unknown)
    missing_model = "" if own else found.model or found.model_hash
    return LaidOn(draft, model, tuple(used), tuple(cannot), missing_model, missing, unknown)


_FIELDS = (
    "prompt",
    "negative_prompt",
    "size",
    "steps",
    "guidance",
    "seed",
    "scheduler",
    "start",
    "loras",
    "vae",
)

_SCHEDULERS = MappingProxyType(
    {
        "dpmpp2m": Scheduler.DPMPP_2M_KARRAS,
        "dpmpp2msde": Scheduler.DPMPP_2M_SDE,
        "euler": Scheduler.EULER,
        "eulera": Scheduler.EULER_A,
        "eulerancestral": Scheduler.EULER_A,
        "ddim": Scheduler.DDIM,
        "plms": Scheduler.PNDM,
        "pndm": Scheduler.PNDM,
        "unipc": Scheduler.UNIPC,
        "unipcbh2": Scheduler.UNIPC,
        "heun": Scheduler.HEUN,
        "lcm": Scheduler.LCM,
    }
)
_KARRAS = frozenset({Scheduler.DPMPP_2M_KARRAS})
_PLAIN_NAMES = frozenset({"", "automatic", "normal", "simple", "uniform", "native", "default"})


def scheduler_of(name: str, spacing: str = "") -> tuple[Scheduler | str | None, str]:
    """Easel's scheduler for another program's names, and a spacing of steps that it has not.

    ``spacing`` is their "schedule type", "scheduler" or "noise schedule". A name that Easel does
    not know comes back as it is.
    """
    plain = re.sub(r"[\s_.\-]", "", name.lower()).replace("++", "pp")
    plain = plain.removeprefix("sample").removesuffix("gpu")
    spacing = spacing.strip().lower()
    if plain not in _SCHEDULERS:
        for ending, means in (
            ("karras", "karras"),
            ("exponential", "exponential"),
            ("k", "karras"),
        ):
            if plain.endswith(ending):
                plain, spacing = plain.removesuffix(ending), spacing or means
                break
    if plain not in _SCHEDULERS and plain.startswith("k"):
        plain = plain[1:]
    scheduler = _SCHEDULERS.get(plain)
    if scheduler is None:
        return name or None, ""
    if scheduler in _KARRAS:
        return scheduler, "" if spacing in ("karras", "automatic") else spacing or "normal"
    return scheduler, "" if spacing in _PLAIN_NAMES else spacing


def listed(items: Iterable[tuple[object, object]]) -> tuple[tuple[str, str], ...]:
    """Settings as (name, value), short and not endless; empty ones are left out."""
    found: list[tuple[str, str]] = []
    for name, value in items:
        if value is None or value == "" or value == [] or value == {}:
            continue
        found.append((_short(name), _short(value)))
        if len(found) == MAX_UNKNOWN:
            break
    return tuple(found)


def whole(value: Any) -> int | None:
    """``value`` as a whole number, None where it is none."""
    number = real(value)
    if isinstance(value, str) and value.strip().lstrip("-").isdigit() and len(value) < 30:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 10**30 else None
    return int(number) if number is not None and number == int(number) else None


def real(value: Any) -> float | None:
    """``value`` as a number that is finite, None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def size_of(text: str) -> Size | None:
    """ "512x768" as a size; None where it is none."""
    width, _, height = text.replace(" ", "").partition("x")
    sides = whole(width), whole(height)
    return None if sides[0] is None or sides[1] is None else Size(sides[0], sides[1])


def json_object(text: str) -> dict[str, Any] | None:
    """``text`` as a JSON object; None where it is none, or of more than ``MAX_JSON`` characters."""
    if text.lstrip()[:1] != "{" or len(text) > MAX_JSON:
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _short(value: object) -> str:
    if isinstance(value, str | int | float):
        text = str(value)[: MAX_VALUE + 1]
    else:
        text = repr(value)[: MAX_VALUE + 1]
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"


def _problem(draft: Draft, model: Model) -> RecipeProblem | None:
    try:
        resolve(draft, model, lambda _: 0)
    except RecipeProblem as problem:
        return problem
    return None


def _named(name: str, models: Sequence[Model]) -> Model | None:
    """The model that other programs would call ``name``."""
    wanted = _plain(name)
    if not wanted:
        return None
    for model in models:
        if wanted in (_plain(model.id), _plain(model.title), _plain(PurePath(model.folder).name)):
            return model
    return None


def _names(model: Model, kind: Kind) -> dict[str, str]:
    """The ids of what is installed beside ``model``, by their plain names."""
    known = of_kind(model.adapters, kind)
    return {_plain(name): one.id for one in known for name in (one.title, one.id)}


def _installed(
    found: Iterable[FoundLora], installed: Mapping[str, str]
) -> tuple[tuple[LoraUse, ...], tuple[FoundLora, ...]]:
    uses, missing = [], []
    for lora in found:
        id = installed.get(_plain(lora.name))
        if id is None:
            missing.append(lora)
        else:
            uses.append(LoraUse(id, lora.weight))
    return tuple(uses), tuple(missing)


def _plain(name: str) -> str:
    """A model's name without folders, suffix, case and punctuation."""
    name = name.replace("\\", "/").rpartition("/")[2].lower()
    name = re.sub(r"\.(safetensors|ckpt|pt|bin)$", "", name)
    return re.sub(r"[\W_]", "", name)
