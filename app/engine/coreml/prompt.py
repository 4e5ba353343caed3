"""From a prompt to what conditions the UNet: tokens, then the text encoders' answers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from app.core.coreml_manifest import Part
from app.core.errors import ModelDamaged, ModelError, NotFinite
from app.engine.coreml.model import tokenizer_place
from app.engine.coreml.runtime import Array, Model
from app.engine.model_folder import read_json
from app.engine.prompt_tokens import END, START, clip_tokenizer, encodable

PROMPTS_KEPT = 32
_SECOND_PAD = "!"
"""Of SDXL's second tokenizer (its tokenizer_config.json); id 0."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """``hidden``: float32 (1, width, 1, tokens), as the UNet takes it. ``pooled``: (1, width) of
    the last encoder."""

    hidden: Array
    pooled: Array | None

    def nothing(self) -> Encoded:
        """All zeros: what SDXL was trained to take for an empty prompt."""
        pooled = None if self.pooled is None else np.zeros_like(self.pooled)
        return Encoded(np.zeros_like(self.hidden), pooled)


class ClipTokens:
    """Makes the token ids of a prompt as transformers' CLIPTokenizer does."""

    def __init__(self, folder: Path, encoder: Part) -> None:
        """Raises ModelIncomplete, ModelDamaged."""
        place = tokenizer_place(folder, encoder)
        try:
            tokenizer = clip_tokenizer(folder, place)
            marks = _marks(folder, place, encoder)
            start, end, pad = (_id(tokenizer, mark) for mark in marks)
        except ModelError:
            raise
        except Exception as error:  # the library raises bare Exception
            raise ModelDamaged(str(place), "mismatch") from error
        self._tokenizer, self._start, self._end, self._pad = tokenizer, start, end, pad

    def ids(self, text: str, length: int) -> Array:
        """``text`` between its marks, cut and padded to ``length``: int32 (1, length).

        The padding is the tokenizer's own: the end mark for SD 1.x, "!" (0) for SD 2.x and the
        second encoder of SDXL.
        """
        found = self._tokenizer.encode(encodable(text), add_special_tokens=False).ids
        marked = [self._start, *found[: length - 2], self._end]
        return np.array([marked + [self._pad] * (length - len(marked))], np.int32)


class Prompts:
    """The encoded prompts of one model; the last ``PROMPTS_KEPT`` are kept."""

    def __init__(self, folder: Path, encoders: Sequence[Part]) -> None:
        self._tokens = [ClipTokens(folder, encoder) for encoder in encoders]
        self._kept: OrderedDict[str, Encoded] = OrderedDict()

    def known(self, *texts: str) -> bool:
        """Whether all of ``texts`` are kept, so that no text encoder is needed."""
        return all(text in self._kept for text in texts)

    def encoded(self, text: str, encoders: Sequence[Model]) -> Encoded:
        """What ``encoders`` make of ``text``. Raises NotFinite("prompt"), PredictionFailed."""
        if text in self._kept:
            self._kept.move_to_end(text)
            return self._kept[text]
        parts, pooled = [], None
        for tokens, encoder in zip(self._tokens, encoders, strict=True):
            length = encoder.inputs["input_ids"].shape[-1]
            answer = encoder.predict({"input_ids": tokens.ids(text, length)})
            pooled = answer.get("pooled_outputs")
            hidden = answer.get("hidden_embeds", answer.get("last_hidden_state"))
            if hidden is None or not np.isfinite(hidden).all():
                raise NotFinite("prompt")
            parts.append(hidden)
        hidden = np.concatenate(parts, axis=-1).transpose(0, 2, 1)[:, :, None, :]
        self._kept[text] = Encoded(np.ascontiguousarray(hidden), pooled)
        if len(self._kept) > PROMPTS_KEPT:
            self._kept.popitem(last=False)
        return self._kept[text]


def _marks(folder: Path, place: Path, encoder: Part) -> tuple[str, str, str]:
    """The tokens for begin, end and padding, as the tokenizer's configuration names them.

    Where there is none, as in published folders, the second encoder's padding is still its own.
    """
    pad = _SECOND_PAD if encoder is Part.TEXT_ENCODER_2 else END
    named: dict[str, object] = {"bos_token": START, "eos_token": END, "pad_token": pad}
    for file in ("special_tokens_map.json", "tokenizer_config.json"):
        if (place / file).is_file():
            said = read_json(place / file, folder)
            named |= {name: said[name] for name in named if said.get(name)}
    found = (mark["content"] if isinstance(mark, dict) else mark for mark in named.values())
    start, end, pad = (str(mark) for mark in found)
    return start, end, pad


def _id(tokenizer: Tokenizer, mark: str) -> int:
    number = tokenizer.token_to_id(mark)
    if number is None:
        raise ValueError(f"no token {mark}")
    return int(number)
