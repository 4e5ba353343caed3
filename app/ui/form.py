"""Everything the person has set for the next picture, as a draft and as what is remembered."""

from __future__ import annotations

import json
from typing import Any

from app.core.recipe import SEEDS, Draft, How, LoraUse, Parent, Recipe, Scheduler, Size
from app.core.resolve import MAX_WEIGHT
from app.ui.inspector import Inspector
from app.ui.prompt_bar import PromptBar

Values = dict[str, object]
"""What the form holds by the names of ``Draft``'s fields, and ``seed_locked``."""


class Form:
    """The prompt bar and the inspector, read and filled together."""

    def __init__(self, prompt: PromptBar, inspector: Inspector) -> None:
        self._prompt = prompt
        self._inspector = inspector
        self.came_of: dict[str, str] = {}
        """By the SHA-256 of a starting picture, the id of the picture it is."""

    def draft(self) -> Draft:
        """What the form says now, the seed as shown."""
        inspector = self._inspector
        return Draft(
            prompt=self._prompt.text(),
            negative_prompt=self._prompt.negative_text(),
            size=inspector.size_chosen,
            steps=inspector.steps,
            guidance=inspector.guidance,
            seed=inspector.seed.seed,
            scheduler=inspector.scheduler,
            count=inspector.count,
            start=self._prompt.start(),
            loras=inspector.loras,
            vae=inspector.vae,
            parent=self._parent(),
        )

    def take(self) -> Draft:
        """The draft to draw now: as ``draft``, with a new seed where none is held."""
        self._inspector.seed.take()
        return self.draft()

    def fill(self, recipe: Recipe) -> None:
        """Set everything as ``recipe`` has it, its seed held for the next picture."""
        self._prompt.set_text(recipe.prompt)
        self._prompt.set_negative(recipe.negative_prompt)
        self._prompt.set_start(recipe.start)
        self._inspector.fill(
            size=recipe.size,
            steps=recipe.steps,
            guidance=recipe.guidance,
            scheduler=recipe.scheduler,
            count=1,
        )
        self._inspector.adapters.fill(recipe.loras, recipe.vae)
        self._inspector.seed.set_seed(recipe.seed)
        if recipe.start is not None and recipe.parent is not None:
            self.came_of[recipe.start.sha256] = recipe.parent.picture

    def lay(self, laid: Draft) -> None:
        """Set what ``laid`` says; what it leaves open is the model's own default."""
        limits = self._inspector.limits
        if limits is None:
            return
        size, scheduler = laid.size, laid.scheduler
        self._prompt.set_text(laid.prompt)
        self._prompt.set_negative(laid.negative_prompt)
        self._prompt.set_start(laid.start)
        self._inspector.fill(
            size=size if isinstance(size, Size) else limits.native,
            steps=laid.steps or limits.steps,
            guidance=limits.guidance if laid.guidance is None else laid.guidance,
            scheduler=scheduler if isinstance(scheduler, Scheduler) else limits.scheduler,
            count=1,
        )
        self._inspector.adapters.fill(laid.loras, laid.vae)
        if laid.seed is not None:
            self._inspector.seed.set_seed(laid.seed)

    def _parent(self) -> Parent | None:
        start = self._prompt.start()
        of = None if start is None else self.came_of.get(start.sha256)
        return None if of is None else Parent(of, How.IMAGE_TO_IMAGE)

    def values(self) -> Values:
        """Everything in the form; ``negative_prompt`` as typed, whatever the model."""
        draft = self.draft()
        return {
            "prompt": draft.prompt,
            "negative_prompt": self._prompt.negative.toPlainText(),
            "start": draft.start,
            "size": draft.size,
            "steps": draft.steps,
            "guidance": draft.guidance,
            "count": draft.count,
            "scheduler": draft.scheduler,
            "seed": draft.seed,
            "seed_locked": self._inspector.seed.locked,
            "loras": draft.loras,
            "vae": draft.vae,
        }

    def put(self, values: Values) -> None:
        """Set what ``values`` (of ``values()``) holds; the rest stays."""
        whole: Any = self.values() | values
        if "prompt" in values:
            self._prompt.set_text(whole["prompt"])
        if "negative_prompt" in values:
            self._prompt.set_negative(whole["negative_prompt"])
        if "start" in values:
            self._prompt.set_start(whole["start"])
        if "loras" in values or "vae" in values:
            self._inspector.adapters.fill(whole["loras"], whole["vae"])
        if "seed" in values:
            self._inspector.seed.set_seed(whole["seed"])
        self._inspector.seed.set_locked(whole["seed_locked"])
        self._inspector.fill(
            size=whole["size"],
            steps=whole["steps"],
            guidance=whole["guidance"],
            scheduler=whole["scheduler"],
            count=whole["count"],
        )

    def to_json(self) -> str:
        """What the window remembers of the form; a starting picture is not part of it."""
        draft = self.draft()
        size = draft.size if isinstance(draft.size, Size) else None
        return json.dumps(
            {
                "prompt": draft.prompt,
                "negative_prompt": self._prompt.negative.toPlainText(),
                "size": [size.width, size.height] if size else None,
                "steps": draft.steps,
                "guidance": draft.guidance,
                "seed": draft.seed,
                "seed_locked": self._inspector.seed.locked,
                "scheduler": draft.scheduler,
                "count": draft.count,
                "loras": {use.id: use.weight for use in draft.loras},
                "vae": draft.vae,
            }
        )

    def restore(self, text: str | None) -> None:
        """Take back what ``to_json`` gave, as far as it still makes sense. Raises nothing."""
        try:
            data = json.loads(text) if text else None
        except (ValueError, RecursionError):
            return
        if not isinstance(data, dict):
            return
        prompt, negative = data.get("prompt"), data.get("negative_prompt")
        if isinstance(prompt, str) and prompt:
            self._prompt.editor.setPlainText(prompt)
            self._prompt.editor.moveCursor(self._prompt.editor.textCursor().MoveOperation.End)
        if isinstance(negative, str) and negative:
            self._prompt.set_negative(negative)
        self._inspector.fill(
            size=_size(data.get("size")),
            steps=_whole(data.get("steps")),
            guidance=_real(data.get("guidance")),
            count=_whole(data.get("count")),
            scheduler=_scheduler(data.get("scheduler")),
        )
        self._inspector.adapters.fill(_loras(data.get("loras")), _name(data.get("vae")))
        seed = _whole(data.get("seed"))
        if seed is not None and 0 <= seed < SEEDS:
            self._inspector.seed.show_seed(seed)
            self._inspector.seed.set_locked(data.get("seed_locked") is True)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _real(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _loras(value: Any) -> tuple[LoraUse, ...]:
    if not isinstance(value, dict):
        return ()
    weights = ((id, _real(weight)) for id, weight in value.items())
    return tuple(
        LoraUse(id, weight)
        for id, weight in weights
        if weight is not None and abs(weight) <= MAX_WEIGHT
    )


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _size(value: Any) -> Size | None:
    if isinstance(value, list) and len(value) == 2 and all(_whole(side) for side in value):
        return Size(value[0], value[1])
    return None


def _scheduler(value: Any) -> Scheduler | None:
    return Scheduler(value) if value in {s.value for s in Scheduler} else None
