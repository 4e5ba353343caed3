"""What a recipe changes of its model's networks, found among what is installed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.core.adapter import Adapter, of_kind, pieces
from app.core.card import Kind
from app.core.errors import ModelMissing, RecipeProblem
from app.core.model import Model
from app.core.recipe import Recipe

Stamp = tuple[tuple[str, int, int], ...]
"""Names, sizes and times of files: another stamp, other bytes."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Equal for networks that are equal. A LoRA of no weight is none."""

    loras: tuple[tuple[Adapter, float], ...] = ()
    vae: Adapter | None = None
    embeddings: tuple[Adapter, ...] = ()
    stamps: tuple[tuple[str, Stamp], ...] = ()
    """Of each of their files, by its path."""

    def of_text(self) -> tuple[object, ...]:
        """What the meaning of a prompt depends on."""
        return (self.loras, self.embeddings, *self._stamps_of(self._text_adapters()))

    def of_loras(self) -> tuple[object, ...]:
        """What the UNet and the text encoders depend on."""
        return (self.loras, *self._stamps_of(tuple(adapter for adapter, _ in self.loras)))

    def of_vae(self) -> tuple[object, ...]:
        """What the autoencoder depends on."""
        return () if self.vae is None else (self.vae, *self._stamps_of((self.vae,)))

    def _text_adapters(self) -> tuple[Adapter, ...]:
        return (*(adapter for adapter, _ in self.loras), *self.embeddings)

    def _stamps_of(self, adapters: tuple[Adapter, ...]) -> tuple[Stamp, ...]:
        known = dict(self.stamps)
        return tuple(known[adapter.path] for adapter in adapters)


def changes_of(recipe: Recipe, model: Model) -> Changes:
    """What ``recipe`` asks for, of what fits ``model``.

    Raises RecipeProblem for what is not there or made for other models, ModelMissing for what has
    gone since.
    """
    loras = tuple(
        (_find("loras", use.id, Kind.LORA, model), use.weight) for use in recipe.loras if use.weight
    )
    vae = None if recipe.vae is None else _find("vae", recipe.vae, Kind.VAE, model)
    known = tuple(one for one in of_kind(model.adapters, Kind.EMBEDDING) if one.fits(model.family))
    said = (
        *pieces(recipe.prompt, known),
        *(pieces(recipe.negative_prompt, known) if recipe.guidance > 1 else ()),
    )
    words = tuple(dict.fromkeys(piece.embedding for piece in said if piece.embedding))
    used = (*(adapter for adapter, _ in loras), *words, *(() if vae is None else (vae,)))
    stamps = {adapter.path: _stamp(Path(adapter.path)) for adapter in used}
    return Changes(loras, vae, words, tuple(stamps.items()))


def _find(field: str, id: str, kind: Kind, model: Model) -> Adapter:
    fitting = [one for one in of_kind(model.adapters, kind) if one.fits(model.family)]
    for adapter in fitting:
        if adapter.id == id:
            return adapter
    known = ", ".join(adapter.id for adapter in fitting)
    raise RecipeProblem(field, id[:80], known or "a model that can do this")


def _stamp(place: Path) -> Stamp:
    """Of a file, or of the files in a folder. Raises ModelMissing."""
    try:
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        stats = [(file.name, file.stat()) for file in files]
    except OSError as error:
        raise ModelMissing(str(place)) from error
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
