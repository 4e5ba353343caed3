"""The text that AUTOMATIC1111's web UI and many after it write, read back.

The form is that of ``modules/infotext_utils.py`` of stable-diffusion-webui: the prompt, perhaps a
negative prompt from a line that begins so, and a last line of at least three ``Name: value`` pairs,
values with a comma, colon or newline quoted as JSON. (sd-parsers 0.6 has a reader for it, which
splits at every comma, quoted or not, and gives up on a prompt that says "Negative prompt:" twice.)
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

MAX_SETTINGS = 200
MAX_LORAS = 50

_NEGATIVE = "Negative prompt:"
_PAIR = re.compile(r'\s*(\w[\w \-/]{0,60}):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
_LORA = re.compile(
    r" ?<lora:([^<>:]{1,200})(?::(-?\d{0,6}\.?\d{0,20}(?:e-?\d{1,3})?))?[^<>]{0,100}>"
)


@dataclass(frozen=True, slots=True)
class Text:
    """``loras`` are (name, weight), taken out of the prompt."""

    prompt: str
    negative_prompt: str
    settings: dict[str, str]
    loras: tuple[tuple[str, float], ...] = ()


def read(text: str) -> Text | None:
    """What ``text`` says; None where its last line holds no settings."""
    body, _, last = text.rstrip().rpartition("\n")
    settings = pairs(last)
    if len(settings) < 3:
        return None
    prompt, negative = _divided(body)
    prompt, loras = without_loras(prompt)
    return Text(prompt, negative, settings, loras)


def pairs(line: str) -> dict[str, str]:
    """The ``Name: value`` pairs of a line of settings; of a name that comes twice the first."""
    found: dict[str, str] = {}
    for match in _PAIR.finditer(line):
        found.setdefault(match[1], _unquoted(match[2].strip()))
        if len(found) == MAX_SETTINGS:
            break
    return found


def without_loras(prompt: str) -> tuple[str, tuple[tuple[str, float], ...]]:
    """``prompt`` without its ``<lora:name:weight>``, and what they named."""
    found: list[tuple[str, float]] = []

    def note(match: re.Match[str]) -> str:
        if len(found) == MAX_LORAS:
            return match[0]
        try:
            weight = float(match[2] or 1)
        except ValueError:
            weight = 1.0
        found.append((match[1], weight))
        return ""

    return _LORA.sub(note, prompt), tuple(found)


def _divided(body: str) -> tuple[str, str]:
    """The prompt and the negative prompt, which begins with a line of its own."""
    if body.startswith(_NEGATIVE):
        return "", body[len(_NEGATIVE) :].removeprefix(" ")
    prompt, _, negative = body.partition(f"\n{_NEGATIVE}")
    return prompt, negative.removeprefix(" ")


def _unquoted(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    try:
        inner = json.loads(value)
    except ValueError:
        return value
    return inner if isinstance(inner, str) else value
