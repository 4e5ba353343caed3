"""From what a person typed to what will be drawn: every check of a draft, in one place."""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Callable

from app.core.adapter import of_kind
from app.core.card import Kind
from app.core.errors import RecipeProblem
from app.core.model import Feature, Limits, Model
from app.core.recipe import SEEDS, Draft, Recipe, Scheduler, Size

MAX_WEIGHT = 2.0
"""Of a LoRA, to either side of zero."""

MAX_PROMPT = 100_000
"""Characters. More than any model reads; less than what makes a metadata chunk a burden."""


def resolve(
    draft: Draft, model: Model, draw_seed: Callable[[int], int] = secrets.randbelow
) -> tuple[Recipe, ...]:
    """One valid recipe a picture, with seeds n, n+1, ... (modulo 2**32).

    ``draw_seed(n)`` gives a number below n. Raises RecipeProblem for the first field that cannot
    be.
    """
    limits = model.limits
    prompt = _text("prompt", draft.prompt)
    if not prompt.strip():
        raise RecipeProblem("prompt", "", "text")
    negative = _text("negative_prompt", draft.negative_prompt)
    if negative.strip():
        _feature("negative_prompt", Feature.NEGATIVE_PROMPT, limits)
    size = _size(draft.size, limits)
    steps = _within("steps", draft.steps, limits.steps, limits.min_steps, limits.max_steps)
    guidance = _guidance(draft.guidance, limits)
    scheduler = _scheduler(draft.scheduler, limits)
    seed = draw_seed(SEEDS) if draft.seed is None else _seed(draft.seed)
    count = _within("count", draft.count, 1, 1, limits.max_count)
    _start(draft, limits)
    _loras(draft, model)
    if draft.vae is not None:
        _installed("vae", draft.vae, Kind.VAE, model)
    return tuple(
        Recipe(
            prompt=prompt,
            negative_prompt=negative,
            model=model.id,
            size=size,
            steps=steps,
            guidance=guidance,
            seed=(seed + i) % SEEDS,
            scheduler=scheduler,
            start=draft.start,
            loras=draft.loras,
            vae=draft.vae,
            parent=draft.parent,
        )
        for i in range(count)
    )


def parse_size(text: str) -> Size:
    """ "512x768" (also with a multiplication sign, or one number for a square) as a Size.

    Raises RecipeProblem("size", ...).
    """
    found = re.fullmatch(r"\s*(\d{1,9})\s*(?:[xX×*]\s*(\d{1,9})\s*)?", text)
    if found is None:
        raise RecipeProblem("size", _short(text), "WIDTHxHEIGHT")
    return Size(int(found[1]), int(found[2] or found[1]))


def parse_scheduler(text: str) -> Scheduler:
    """The scheduler of that name; case, spaces, "_" and "-" do not matter.

    Raises RecipeProblem("scheduler", ...).
    """
    wanted = _plain(text)
    aliases = {"plms": Scheduler.PNDM, "dpm++": Scheduler.DPMPP_2M_KARRAS}
    for scheduler in Scheduler:
        if _plain(scheduler.value) == wanted:
            return scheduler
    if wanted in aliases:
        return aliases[wanted]
    if wanted in ("eulerancestral", "eulera"):
        return Scheduler.EULER_A
    raise RecipeProblem("scheduler", _short(text), ", ".join(Scheduler))


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


def _short(value: object) -> str:
    text = str(value)
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= 80 else text[:79] + "…"


def _text(field: str, text: str) -> str:
    """``text`` as it can be stored everywhere: no NUL, no half of a surrogate pair, not endless."""
    if len(text) > MAX_PROMPT:
        raise RecipeProblem(field, f"{len(text)} characters", f"up to {MAX_PROMPT} characters")
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\0", " ")


def _size(asked: Size | str | None, limits: Limits) -> Size:
    size = parse_size(asked) if isinstance(asked, str) else asked or limits.native
    if not limits.fits(size):
        raise RecipeProblem("size", str(size), limits.sizes)
    return size


def _within(field: str, asked: int | None, default: int, low: int, high: int) -> int:
    value = default if asked is None else asked
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RecipeProblem(field, _short(value), f"{low} to {high}")
    return value


def _guidance(asked: float | None, limits: Limits) -> float:
    value = limits.guidance if asked is None else float(asked)
    if not math.isfinite(value) or not 1.0 <= value <= limits.max_guidance:
        raise RecipeProblem("guidance", _short(value), f"1 to {limits.max_guidance:g}")
    return value


def _scheduler(asked: Scheduler | str | None, limits: Limits) -> Scheduler:
    if asked is None:
        return limits.scheduler
    scheduler = asked if isinstance(asked, Scheduler) else parse_scheduler(asked)
    if scheduler not in limits.schedulers:
        raise RecipeProblem("scheduler", scheduler, ", ".join(limits.schedulers))
    return scheduler


def _seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < SEEDS:
        raise RecipeProblem("seed", _short(seed), f"0 to {SEEDS - 1}")
    return seed


def _start(draft: Draft, limits: Limits) -> None:
    if draft.start is None:
        return
    _feature("start", Feature.IMAGE_TO_IMAGE, limits)
    if draft.start.mask is not None:
        _feature("start", Feature.INPAINTING, limits)
    strength = draft.start.strength
    if not math.isfinite(strength) or not 0.0 < strength <= 1.0:
        raise RecipeProblem("strength", _short(strength), "more than 0, up to 1")


def _loras(draft: Draft, model: Model) -> None:
    for lora in draft.loras:
        _feature("loras", Feature.LORA, model.limits)
        _installed("loras", lora.id, Kind.LORA, model)
        if not abs(lora.weight) <= MAX_WEIGHT:
            raise RecipeProblem("weight", _short(lora.weight), f"-{MAX_WEIGHT:g} to {MAX_WEIGHT:g}")


def _installed(field: str, id: str, kind: Kind, model: Model) -> None:
    """``id`` is one of those that are here and fit."""
    known = [adapter.id for adapter in of_kind(model.adapters, kind)]
    if id not in known:
        raise RecipeProblem(field, _short(id), ", ".join(known) or "a model that can do this")


def _feature(field: str, feature: Feature, limits: Limits) -> None:
    if feature not in limits.features:
        raise RecipeProblem(field, feature.value, "a model that can do this")
