"""What is taken out of the gallery: copies of pictures, a recipe as text. Any thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.core.errors import PictureUnreadable
from app.files.atomic_file import write_new, write_over
from app.library import foreign
from app.library.copies import copy_to
from app.library.entry import Entry
from app.library.library import read_picture
from app.library.recipe_text import parameters


def told(entry: Entry) -> bool:
    """Whether the picture says how it was made."""
    return bool(entry.program or entry.prompt)


def save_one(entry: Entry, target: Path) -> Path:
    """A copy of the picture as ``target``, over what was there; the file written.

    Of another program's picture the same bytes, whatever the suffix asked for. Raises
    PictureUnreadable, FolderNotWritable, NoSpace.
    """
    if entry.recipe_text:
        return copy_to(read_picture(entry.file), target)
    target = target.with_suffix(entry.file.suffix)
    write_over(target, _bytes(entry.file))
    return target


def save_all(entries: Sequence[Entry], folder: Path) -> int:
    """Copies in ``folder``, over nothing; how many. Raises as ``save_one``."""
    for entry in entries:
        write_new(folder, entry.file.stem, entry.file.suffix, _bytes(entry.file))
    return len(entries)


def recipe_text(entry: Entry) -> str:
    """How it was made, as the text that most programs read. Raises PictureUnreadable."""
    recipe = entry.recipe
    if recipe is not None:
        return parameters(recipe)
    found = foreign.read_recipe(entry.file)
    if found is None:
        raise PictureUnreadable(str(entry.file), "no recipe")
    draft = found.draft
    lines = [draft.prompt]
    if draft.negative_prompt:
        lines.append(f"Negative prompt: {draft.negative_prompt}")
    fields = {
        "Steps": draft.steps,
        "Sampler": draft.scheduler,
        "CFG scale": draft.guidance,
        "Seed": draft.seed,
        "Size": draft.size,
        "Model": found.model or None,
    }
    lines.append(
        ", ".join(f"{name}: {value}" for name, value in fields.items() if value is not None)
    )
    return "\n".join(line for line in lines if line)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        reason = "missing" if isinstance(error, FileNotFoundError) else "permission"
        raise PictureUnreadable(str(file), reason) from error
