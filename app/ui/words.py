"""What the small built-in model understands: completions, surprises and unknown words.

Pure text; the widgets that show it are in ``completion``, ``unknown_words`` and ``words_panel``.
"""

from __future__ import annotations

import difflib
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.core.model import Vocabulary

MOST_OFFERS = 6
FEWEST_LETTERS = 2
_LONGEST_PHRASE = 4

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SMALL = frozenset(
    ("a", "an", "the", "on", "in", "of", "with", "and", "or", "at", "by", "for", "to", "is", "it")
)
_FORMS = frozenset(
    ("background", "picture", "drawing", "photo", "image", "painting", "illustration", "icon")
)
_WITHOUT_ARTICLE = frozenset(
    ("bread", "cheese", "coffee", "tea", "beer", "lightning", "fire", "earth")
)
_ENDS_LIKE_ONE = ("ss", "us", "is")


class Group(StrEnum):
    """Kinds of words, by the name a person reads.

    The first four are those that a small model knows; with ``COLOUR`` and ``STYLE`` the others are
    what the palette of a large one has.
    """

    NOUN = "thing"
    COLOUR = "colour"
    BACKGROUND = "background"
    STYLE = "style"
    SUBJECT = "subject"
    MEDIUM = "medium"
    LIGHTING = "lighting"
    CAMERA = "camera"
    DETAIL = "detail"


_ELSEWHERE = (Group.COLOUR, Group.NOUN, Group.STYLE, Group.BACKGROUND)
_ON_GROUND = (Group.BACKGROUND, Group.COLOUR, Group.NOUN, Group.STYLE)


@dataclass(frozen=True, slots=True)
class Offer:
    """A completion: what is inserted, what kind it is, and for a synonym the noun it means."""

    text: str
    group: Group
    means: str | None = None


@dataclass(frozen=True, slots=True)
class Completions:
    """What could stand in ``text[start:end]`` of a prompt, best first. Empty: nothing to offer.

    ``begun`` characters of each offer are typed already; None for all of ``text[start:end]``.
    """

    start: int = 0
    end: int = 0
    offers: tuple[Offer, ...] = ()
    begun: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A word of a prompt: where it begins (in characters) and what it is."""

    start: int
    word: str


class KnownWords:
    """Answers questions about a prompt from a model's vocabulary. Cheap enough for each key."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._offers = tuple(_all_offers(vocabulary))
        phrases = [offer.text for offer in self._offers]
        grounds = [_bare(phrase) for phrase in phrases]  # "on white" is as good as "on a white..."
        self._phrases = frozenset(_normal(phrase) for phrase in phrases + grounds)
        self._nouns = frozenset(
            _normal(offer.text) for offer in self._offers if offer.group is Group.NOUN
        )

    def __bool__(self) -> bool:
        return bool(self.vocabulary.nouns)

    note = (
        "These are the words the small built-in model knows. "
        "Stable Diffusion, a download away, knows far more."
    )

    @property
    def groups(self) -> tuple[tuple[str, Group], ...]:
        """Title and group of those that it knows any words of."""
        titles = {
            Group.NOUN: "Things",
            Group.COLOUR: "Colours",
            Group.BACKGROUND: "Backgrounds",
            Group.STYLE: "Styles",
        }
        return tuple((title, group) for group, title in titles.items() if self.of(group))

    def of(self, group: Group) -> tuple[str, ...]:
        """The words of a group, as the vocabulary orders them, without synonyms."""
        return tuple(
            offer.text for offer in self._offers if offer.group is group and offer.means is None
        )

    def completions(self, text: str, cursor: int) -> Completions:
        """Offers for the word, or the beginning of a phrase, that ends at ``cursor``.

        Nothing inside a word, under two letters, or when what is there is already whole and
        begins nothing longer.
        """
        if text[cursor : cursor + 1].isalpha():
            return Completions()
        from app.ui.palette import found

        asked = found({group: self.of(group) for _, group in self.groups}, text, cursor)
        if asked.offers:
            return asked
        before = list(_WORD.finditer(text[:cursor]))[-3:]
        if not before or before[-1].end() != cursor:
            return Completions()
        on_ground = _after_on(text[: before[-1].start()])
        for first in range(len(before)):  # the longest phrase first
            start = before[first].start()
            typed = _normal(text[start:cursor])
            if len(typed) < FEWEST_LETTERS:
                continue
            offers = self._beginning_with(typed, on_ground)
            if offers:
                return Completions(start, cursor, offers)
        return Completions()

    def _beginning_with(self, typed: str, on_ground: bool) -> tuple[Offer, ...]:
        found = [
            offer
            for offer in self._offers
            if _normal(offer.text).startswith(typed) and _normal(offer.text) != typed
        ]
        order = _ON_GROUND if on_ground else _ELSEWHERE
        found.sort(key=lambda offer: (order.index(offer.group), offer.means is not None))
        unique = {offer.text: offer for offer in reversed(found)}
        return tuple(offer for offer in found if unique[offer.text] is offer)[:MOST_OFFERS]

    def unknown(self, text: str, cursor: int | None = None) -> tuple[Span, ...]:
        """The words of ``text`` the model was never shown, without the one being typed."""
        if not self:
            return ()
        found = list(_WORD.finditer(text))
        spans = []
        at = 0
        while at < len(found):
            taken = self._known_at(text, found, at)
            if not taken:
                word = found[at]
                if cursor is None or word.end() != cursor:
                    spans.append(Span(word.start(), word.group()))
                taken = 1
            at += taken
        return tuple(spans)

    def _known_at(self, text: str, found: list[re.Match[str]], at: int) -> int:
        """How many words from ``at`` on are one known phrase; 0 when none is."""
        for count in range(min(_LONGEST_PHRASE, len(found) - at), 0, -1):
            phrase = _normal(text[found[at].start() : found[at + count - 1].end()])
            if any(form in self._phrases for form in _singulars(phrase)):
                return count
        return int(_normal(found[at].group()) in _SMALL | _FORMS)

    def says_a_noun(self, text: str) -> bool:
        """Whether anything the model can draw is named in ``text``."""
        found = list(_WORD.finditer(text))
        return any(
            form in self._nouns
            for at in range(len(found))
            for count in range(1, min(_LONGEST_PHRASE, len(found) - at) + 1)
            for form in _singulars(_normal(text[found[at].start() : found[at + count - 1].end()]))
        )

    def nearest(self, word: str) -> str | None:
        """The known word that ``word`` is probably a misspelling of."""
        close = difflib.get_close_matches(_normal(word), self._phrases, n=1, cutoff=0.8)
        return close[0] if close else None

    def surprise(self, draw: random.Random) -> str:
        """A prompt of known words only: "a red apple on a blue background"."""
        known = self.vocabulary
        words = draw.choice(known.nouns)
        colour = ""
        if known.colours and draw.random() < 0.7:
            colour = draw.choice(known.colours)
            words = f"{colour} {words}"
        words = _with_article(words)
        grounds = [ground for ground in known.backgrounds if _bare(ground) != colour]
        if grounds and draw.random() < 0.7:
            words = f"{words} on {_with_article(f'{_bare(draw.choice(grounds))} background')}"
        styles = [style for style in known.styles if _normal(style) not in words]
        if styles and draw.random() < 0.3:
            words = f"{words}, {draw.choice(styles)}"
        return words


def phrase_of(word: str, group: Group) -> str:
    """``word`` as it stands in a sentence: "on a blue background"."""
    return f"on {_with_article(word)}" if group is Group.BACKGROUND else word


def about_unknown(words: KnownWords, text: str, cursor: int | None = None) -> str:
    """One sentence on the words of ``text`` the built-in model does not know; "" when none."""
    missing = list(dict.fromkeys(span.word.lower() for span in words.unknown(text, cursor)))
    if not missing:
        return ""
    named = _listed(missing)
    if len(missing) == 1 and (near := words.nearest(missing[0])):
        return f"The built-in model does not know {named}. Did you mean “{near}”?"
    if words.says_a_noun(text):
        return f"The built-in model does not know {named}; it draws the rest."
    return (
        f"The built-in model does not know {named}; it draws simple things, such as "
        f"{_samples(words.vocabulary)}."
    )


def _samples(vocabulary: Vocabulary) -> str:
    step = max(1, len(vocabulary.nouns) // 3)
    samples = [_with_article(noun) for noun in vocabulary.nouns[::step][:3]]
    return samples[0] if len(samples) == 1 else f"{', '.join(samples[:-1])} or {samples[-1]}"


def _listed(missing: list[str]) -> str:
    quoted = [f"“{word[:24]}”" for word in missing[:3]]
    if len(missing) > 3:
        return f"{', '.join(quoted)} and {len(missing) - 3} more words"
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _all_offers(known: Vocabulary) -> Iterable[Offer]:
    for colour in known.colours:
        yield Offer(colour, Group.COLOUR)
    for noun in known.nouns:
        yield Offer(noun, Group.NOUN)
    for said, meant in known.synonyms:
        if meant in known.nouns:
            yield Offer(said, Group.NOUN, meant)
        elif meant in known.colours:
            yield Offer(said, Group.COLOUR, meant)
        elif meant in known.backgrounds:
            yield Offer(f"{said} background", Group.BACKGROUND, f"{meant} background")
    for ground in known.backgrounds:
        yield Offer(f"{_bare(ground)} background", Group.BACKGROUND)
    for style in known.styles:
        yield Offer(style, Group.STYLE)


def _normal(text: str) -> str:
    return " ".join(text.lower().replace("’", "'").split())


def _bare(ground: str) -> str:
    return _normal(ground).removesuffix(" background")


def _after_on(text: str) -> bool:
    return re.search(r"\bon(?:\s+an?)?\s*$", text.lower()) is not None


def _singulars(phrase: str) -> tuple[str, ...]:
    """``phrase`` and what it would be the plural of."""
    forms = [phrase]
    if phrase.endswith("ies"):
        forms.append(f"{phrase[:-3]}y")
    if phrase.endswith("es"):
        forms.append(phrase[:-2])
    if phrase.endswith("s"):
        forms.append(phrase[:-1])
    return tuple(forms)


def _with_article(words: str) -> str:
    last = words.split()[-1].lower()
    plural = last.endswith("s") and not last.endswith(_ENDS_LIKE_ONE)
    if plural or last in _WITHOUT_ARTICLE:
        return words
    vowel = words[0].lower() in "aeiou" and not words.lower().startswith(("uni", "ufo"))
    return f"{'an' if vowel else 'a'} {words}"
