"""What the person has set and what the window remembers between two runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SCHEMA_VERSION = 1

MOST_START_COUNT = 12


class Theme(StrEnum):
    """``SYSTEM`` follows the system's light or dark appearance."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Settings:
    """One value; a change makes a new one (``dataclasses.replace``).

    ``pictures_folder`` is absolute, None for the usual one; ``model`` the id of the model last
    drawn with; ``window`` the window's geometry as Qt saves it, in base64; ``form`` the controls
    as the window left them, as JSON; ``opened_models`` absolute model folders outside Easel's own.
    ``models_folder`` is absolute, None for the usual one;
    ``placement`` is where a person wants to draw (a ``Placement``'s value), None for where it is
    best; ``mirror`` is the address of a mirror of the hub, None for the hub itself; hashes make it
    safe.
    ``picture_suffix`` is the form that pictures are saved in (".png", ".jpg", ".webp", ".avif") and
    ``name_template`` what they are called, None for the usual way; ``carried_suffix`` is the form
    of what is dragged out, None for the one that it has.
    ``start_model`` is the id of the model to begin with and ``start_count`` (1 to 12) the number of
    pictures, None for what was last used.
    ``finish_notice``: tell of an empty queue while another program is in front. ``stay_awake``:
    keep the computer awake while something is drawn. ``remember_prompts``: keep what was drawn for
    Alt-Up.
    ``unknown`` holds what a version of Easel we do not know has added, as (key, JSON text): it is
    written back.
    """

    schema_version: int = SCHEMA_VERSION
    pictures_folder: str | None = None
    model: str | None = None
    theme: Theme = Theme.SYSTEM
    inspector_visible: bool = True
    filmstrip_visible: bool = True
    negative_visible: bool = False
    previews: bool = True
    window: str | None = None
    form: str | None = None
    opened_models: tuple[str, ...] = ()
    models_folder: str | None = None
    mirror: str | None = None
    placement: str | None = None
    picture_suffix: str | None = None
    name_template: str | None = None
    carried_suffix: str | None = None
    start_model: str | None = None
    start_count: int | None = None
    finish_notice: bool = True
    stay_awake: bool = True
    remember_prompts: bool = True
    unknown: tuple[tuple[str, str], ...] = ()
