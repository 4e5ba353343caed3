"""What is installed beside a model and changes how it draws: LoRAs, embeddings, autoencoders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from app.core.card import Kind
from app.core.model import Family

KINDS = frozenset({Kind.LORA, Kind.EMBEDDING, Kind.VAE, Kind.PREVIEWER})
"""The kinds of ``Adapter``."""

_LATENTS = frozenset({Kind.VAE, Kind.PREVIEWER})
"""What reads latents, which SD 1.x and 2.x write alike."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """One of them, of ``KINDS``, as it lies on this disk.

    ``path`` is absolute: the safetensors file of a LoRA or an embedding, the folder (config.json
    beside the weights) of an autoencoder. ``vectors`` is how many tokens an embedding takes.
    """

    id: str
    title: str
    kind: Kind
    family: Family
    path: str
    vectors: int = 0

    def fits(self, family: Family) -> bool:
        """Whether models of ``family`` can be changed by it."""
        if self.kind in _LATENTS:
            return (self.family is Family.SDXL) == (family is Family.SDXL)
        return self.family is family

    @property
    def hurries(self) -> bool:
        """Whether this LoRA is one by which a model draws in 4 to 8 steps of the LCM scheduler.

        Latent consistency LoRAs (Luo et al. 2023) say so in their name, and nowhere else.
        """
        parts = re.split(r"[^a-z]+", f"{self.id} {self.title}".lower())
        return self.kind is Kind.LORA and "lcm" in parts

    @property
    def words(self) -> tuple[str, ...]:
        """What a prompt calls an embedding: its title, as the file was named, and its id."""
        return tuple(dict.fromkeys((self.title, self.id)))


def of_kind(adapters: Iterable[Adapter], kind: Kind) -> tuple[Adapter, ...]:
    """Those of ``kind``, in their order."""
    return tuple(adapter for adapter in adapters if adapter.kind is kind)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a prompt; with ``embedding``, ``text`` is a word for it."""

    text: str
    embedding: Adapter | None = None


def pieces(text: str, embeddings: tuple[Adapter, ...]) -> tuple[Piece, ...]:
    """``text`` cut before and after each word of ``embeddings``; none is empty.

    Words stand alone: not inside another word. Their case does not matter.
    """
    found: list[Piece] = []
    at = 0
    if embeddings:
        known, pattern = _dictionary(embeddings)
        for match in pattern.finditer(text):
            found.append(Piece(text[at : match.start()]))
            found.append(Piece(match[0], known[match[0].casefold()]))
            at = match.end()
    found.append(Piece(text[at:]))
    return tuple(piece for piece in found if piece.text)


@cache
def _dictionary(embeddings: tuple[Adapter, ...]) -> tuple[dict[str, Adapter], re.Pattern[str]]:
    known: dict[str, Adapter] = {}
    for embedding in embeddings:
        for word in embedding.words:
            known.setdefault(word.casefold(), embedding)
    longest_first = sorted({w for e in embeddings for w in e.words}, key=len, reverse=True)
    either = "|".join(re.escape(word) for word in longest_first)
    return known, re.compile(rf"(?<![\w-])(?:{either})(?![\w-])", re.IGNORECASE)
