"""How long pictures take, learnt from those that were drawn."""

from __future__ import annotations

from app.core.model import Model
from app.core.recipe import Recipe, Size

_KEPT = 5


class Pace:
    """Remembers seconds a picture per model and size, and tells what the next will take."""

    def __init__(self) -> None:
        self._measured: dict[tuple[str, Size], list[tuple[int, float]]] = {}

    def note(self, recipe: Recipe, seconds: float) -> None:
        """``recipe`` took ``seconds``, without loading."""
        known = self._measured.setdefault((recipe.model, recipe.size), [])
        known.append((recipe.steps, seconds))
        del known[:-_KEPT]

    def seconds(self, model: Model, size: Size, steps: int) -> float | None:
        """About how long one picture takes; None before one of that size was drawn."""
        known = self._measured.get((model.id, size))
        if not known:
            return None
        a_step = sorted(seconds / count for count, seconds in known)[len(known) // 2]
        return a_step * steps


def seconds_text(seconds: float, *, whole: bool = False) -> str:
    """ "0.62 s", "3.4 s", "14 s", "2 min 5 s", "1 h 10 min"."""
    if seconds < 0.095 and not whole:
        return "less than 0.1 s"
    if seconds < 0.995 and not whole:
        return f"{seconds:.2f} s"
    if seconds < 9.95 and not whole:
        return f"{seconds:.1f} s"
    rounded = max(1, round(seconds)) if whole and seconds > 0 else round(seconds)
    if rounded < 60:
        return f"{rounded} s"
    minutes, rest = divmod(rounded, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
