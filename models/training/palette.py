"""Colours by name: recolouring a drawing's body, and naming the colour it has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.training.judge import name_colours

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_TABLE: dict[str, Any] = json.loads((Path(__file__).parent / "palette.json").read_text("utf-8"))
OBJECT_COLOURS: dict[str, dict[str, float]] = _TABLE["objects"]
BACKGROUNDS: dict[str, list[int]] = _TABLE["backgrounds"]
SPELLINGS: dict[str, list[str]] = _TABLE["spellings"]

_WINDOW = 40.0
"""Degrees of hue around a drawing's main hue that belong to its body."""


def to_hsv(rgb: Bytes) -> Floats:
    """uint8 RGB [..., 3] -> float32 hue (degrees), saturation and value in [0, 1]."""
    flat = Image.fromarray(rgb.reshape(1, -1, 3), "RGB").convert("HSV")
    hsv = np.asarray(flat, dtype=np.float32).reshape(rgb.shape) / 255
    hsv[..., 0] *= 360
    return hsv.astype(np.float32)


def to_rgb(hsv: Floats) -> Bytes:
    """The inverse of `to_hsv`."""
    scaled = hsv.copy()
    scaled[..., 0] = (scaled[..., 0] % 360) / 360
    raw = np.rint(np.clip(scaled, 0, 1) * 255).astype(np.uint8)
    flat = Image.fromarray(raw.reshape(1, -1, 3), "HSV").convert("RGB")
    return np.asarray(flat, dtype=np.uint8).reshape(hsv.shape)


def main_hue(drawing: Bytes) -> tuple[float, float]:
    """Main hue of an RGBA drawing in degrees, and the share of its area that is colourful."""
    hsv, opaque = to_hsv(drawing[..., :3]), drawing[..., 3] > 128
    vivid = opaque & (hsv[..., 1] > 0.25) & (hsv[..., 2] > 0.25)
    share = float(vivid.sum() / max(1, opaque.sum()))
    weights = np.where(vivid, hsv[..., 1] * hsv[..., 2], 0)
    bins = np.bincount((hsv[..., 0].ravel() / 10).astype(int) % 36, weights.ravel(), 36)
    around = bins + np.roll(bins, 1) + np.roll(bins, -1)
    return float(np.argmax(around) * 10 + 5), share


def body(drawing: Bytes) -> NDArray[np.bool_]:
    """The pixels that carry a drawing's colour: bool [height, width]."""
    hsv, opaque = to_hsv(drawing[..., :3]), drawing[..., 3] > 0
    hue, share = main_hue(drawing)
    if share < 0.25:
        return opaque & (hsv[..., 1] < 0.35)
    away = np.abs((hsv[..., 0] - hue + 180) % 360 - 180)
    near: NDArray[np.bool_] = opaque & (hsv[..., 1] > 0.15) & (away < _WINDOW)
    return near


def recolour(drawing: Bytes, colour: str) -> Bytes:
    """An RGBA drawing with its body in a named colour; shading and the other parts stay."""
    target = OBJECT_COLOURS[colour]
    mask = body(drawing)
    hsv = to_hsv(drawing[..., :3])
    value, saturation = hsv[..., 2][mask], hsv[..., 1][mask]
    if value.size == 0:
        return drawing
    lift = target["value"] / max(0.2, float(np.median(value)))
    tone = target["saturation"] / max(0.2, float(np.median(saturation)))
    painted = hsv.copy()
    painted[..., 0] = np.where(mask, target["hue"], hsv[..., 0])
    painted[..., 1] = np.where(mask, np.clip(hsv[..., 1] * tone, 0, 1), hsv[..., 1])
    painted[..., 2] = np.where(mask, np.clip(hsv[..., 2] * lift, 0, 1), hsv[..., 2])
    if main_hue(drawing)[1] < 0.25:
        painted[..., 1][mask] = target["saturation"]
        painted[..., 2][mask] = target["value"] * (0.45 + 0.55 * value)
    return np.dstack([to_rgb(painted), drawing[..., 3]])


def natural_colour(drawing: Bytes) -> str | None:
    """The word for a drawing's own colour, or None where no single colour holds half of it."""
    opaque = drawing[..., :3][drawing[..., 3] > 128]
    names = name_colours(opaque[::7])
    best = max(sorted(set(names)), key=names.count)
    faint = float(np.median(to_hsv(opaque)[:, 1])) < 0.45
    if names.count(best) < 0.5 * len(names) or (faint and best in ("orange", "yellow")):
        return None
    return best
