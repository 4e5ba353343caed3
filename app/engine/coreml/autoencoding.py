"""Pixels to latents and back."""

from __future__ import annotations

import numpy as np
from PIL import Image

from app.core.coreml_manifest import CoreMLManifest, Part
from app.core.errors import NotFinite, PredictionFailed
from app.core.events import Pixels
from app.engine.coreml.noise import Noise
from app.engine.coreml.runtime import Array, Model


def encode(encoder: Model, manifest: CoreMLManifest, picture: Image.Image, noise: Noise) -> Array:
    """``picture`` (RGB) as scaled latents, float32 (1, channels, rows, columns).

    A "kl" autoencoder gives a distribution (Kingma and Welling 2014): one sample of it is drawn
    from ``noise``. Raises NotFinite("decoding"), PredictionFailed.
    """
    levels = np.asarray(picture, np.float32) / np.float32(127.5) - 1
    (name,) = encoder.inputs
    answer = _only(encoder.predict({name: levels.transpose(2, 0, 1)[None]}), Part.VAE_ENCODER)
    latents = answer
    if manifest.vae_kind == "kl":
        mean, log_variance = np.split(answer, 2, axis=1)
        spread = np.exp(np.float32(0.5) * np.clip(log_variance, -30, 20))
        latents = mean + spread * noise.normal(mean.shape)
    if not np.isfinite(latents).all():
        raise NotFinite("decoding")
    scaled: Array = (latents - np.float32(manifest.latent_shift)) * np.float32(
        manifest.latent_scale
    )
    return scaled


def decode(decoder: Model, manifest: CoreMLManifest, latents: Array) -> Pixels:
    """``latents`` (scaled) as a picture. Raises NotFinite("decoding"), PredictionFailed."""
    z = latents / np.float32(manifest.latent_scale) + np.float32(manifest.latent_shift)
    (name,) = decoder.inputs
    image = _only(decoder.predict({name: z}), Part.VAE_DECODER)[0]
    if not np.isfinite(image).all():
        raise NotFinite("decoding")
    levels = (np.clip(image * 0.5 + 0.5, 0, 1) * 255).round().astype(np.uint8)
    rows = np.ascontiguousarray(levels.transpose(1, 2, 0))
    return Pixels(rows.shape[1], rows.shape[0], rows.tobytes())


def _only(answers: dict[str, Array], part: Part) -> Array:
    if len(answers) != 1:
        raise PredictionFailed(part.value, "output")
    return next(iter(answers.values()))
